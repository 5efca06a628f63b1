//! A real reverse proxy in front of a server.

use crate::Failure;
use crate::certificate::Certificate;
use crate::folder::Folder;
use crate::process::{Ready, Server, free_port};
use crate::program;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A running nginx that passes every request to one port of 127.0.0.1; drop stops it.
///
/// It passes on `Host`, adds `X-Forwarded-For`, `-Proto`, `-Host` and `X-Real-IP`, and lets
/// WebSockets through. Browsers speak HTTP/2 to the TLS front and HTTP/1.1 to the plain one; the
/// server sees HTTP/1.1.
#[derive(Debug)]
pub struct Nginx {
    // Before the folder: the process ends first.
    server: Server,
    _folder: Folder,
    name: String,
    certificate: Option<Certificate>,
}

impl Nginx {
    /// Starts a front that speaks TLS for `server_name`, `*.server_name` and `localhost`.
    ///
    /// A browser trusts it when launched with
    /// [`Options::trust`](crate::chrome::Options::trust)`(front.key_hash())`; names under `.test`
    /// lead there.
    ///
    /// # Errors
    ///
    /// When nginx or openssl is missing or does not start.
    pub fn tls_front(upstream_port: u16, server_name: &str) -> Result<Self, Failure> {
        let folder = Folder::new("nginx")?;
        let certificate = Certificate::generate(folder.path(), server_name)?;
        Self::start(folder, upstream_port, server_name, Some(certificate))
    }

    /// Starts a front that speaks plain HTTP for `server_name`.
    ///
    /// # Errors
    ///
    /// When nginx is missing or does not start.
    pub fn plain_front(upstream_port: u16, server_name: &str) -> Result<Self, Failure> {
        Self::start(Folder::new("nginx")?, upstream_port, server_name, None)
    }

    /// Starts nginx with this `nginx.conf`, which listens at `port` of 127.0.0.1 and does not say how
    /// many processes there are; its relative paths are in a temporary folder.
    ///
    /// # Errors
    ///
    /// When nginx is missing, refuses the configuration, or does not start.
    pub fn configured(configuration: &str, port: u16) -> Result<Self, Failure> {
        let folder = Folder::new("nginx")?;
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).map_err(Failure::when("nginx.conf"))?;
        let mut command = Command::new(program::find("nginx")?);
        command.args(["-g", "daemon off; master_process off;", "-e", "stderr"]);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        let server = Server::spawn(command, Ready::port(port))?;
        Ok(Self { server, _folder: folder, name: "localhost".to_owned(), certificate: None })
    }

    /// The address of `path` at this front, as in `https://shop.test:8443/cart`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}:{}{path}", self.name, self.port())
    }

    /// Where the front accepts connections.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The port of [`Nginx::address`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// What a browser needs to know to trust this front; empty for a plain one.
    #[must_use]
    pub fn key_hash(&self) -> &str {
        self.certificate.as_ref().map_or("", |certificate| &certificate.key_hash)
    }

    /// What nginx has logged so far: one line per request, and its complaints.
    #[must_use]
    pub fn output(&self) -> String {
        self.server.output()
    }

    /// Waits until nginx has logged `text`; it logs a request after having answered it.
    ///
    /// # Errors
    ///
    /// When `limit` has passed first.
    pub fn wait_for_output(&self, text: &str, limit: Duration) -> Result<(), Failure> {
        self.server.wait_for_output(text, limit)
    }

    fn start(
        folder: Folder,
        upstream: u16,
        name: &str,
        certificate: Option<Certificate>,
    ) -> Result<Self, Failure> {
        let program = program::find("nginx")?;
        let mut attempt = 1;
        let server = loop {
            let port = free_port()?;
            let text = configuration(folder.path(), port, upstream, name, certificate.as_ref());
            let file = folder.join("nginx.conf");
            std::fs::write(&file, text).map_err(Failure::when("nginx.conf"))?;
            let mut command = Command::new(&program);
            command.arg("-e").arg("stderr").arg("-p").arg(folder.path()).arg("-c").arg(&file);
            match Server::spawn(command, Ready::port(port)) {
                // Somebody else can take the port between our look and nginx's bind.
                Err(_) if attempt < 3 => attempt += 1,
                outcome => break outcome?,
            }
        };
        Ok(Self { server, _folder: folder, name: name.to_owned(), certificate })
    }
}

/// One process without master and daemon, so that killing it leaves nothing behind, and no path
/// outside of `folder`.
fn configuration(
    folder: &Path,
    port: u16,
    upstream: u16,
    name: &str,
    certificate: Option<&Certificate>,
) -> String {
    let folder = folder.display();
    let (tls, files) = certificate.map_or_else(Default::default, |own| {
        let (certificate, key) = (own.certificate.display(), own.key.display());
        (" ssl http2", format!("ssl_certificate {certificate}; ssl_certificate_key {key};"))
    });
    format!(
        "daemon off; master_process off;
error_log stderr warn; pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  log_format request '$status $request';
  access_log /dev/stdout request;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_wish {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port}{tls};
    server_name {name} *.{name} localhost;
    {files}
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_wish;
    }}
  }}
}}
"
    )
}
