//! A real PostgreSQL server with a database of its own.

mod shared;

pub use shared::Shared;

use crate::Failure;
use crate::certificate::Certificate;
use crate::deadline::poll;
use crate::folder::Folder;
use crate::process::{Ready, Server, free_port};
use crate::program::{self, run};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long a server may take to be ready, to end, and to leave its data to the next one.
const LIMIT: Duration = Duration::from_secs(30);

/// The account that Debian's package makes: PostgreSQL refuses to run as root.
const ACCOUNT: &str = "postgres";

/// A PostgreSQL server on a free port of 127.0.0.1; drop kills it and removes its data.
///
/// Its one user is `cloakroom` without a password, its database `postgres`. It has no socket file
/// and nothing in common with a server that the system runs.
#[derive(Debug)]
pub struct Postgres {
    // Before the folder: the process ends first.
    server: Option<Server>,
    port: u16,
    settings: Vec<String>,
    folder: Folder,
}

impl Postgres {
    /// Makes a database and starts a server with these settings, as in `max_connections=20`.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed or does not start (the text holds what it printed).
    pub fn start(settings: &[&str]) -> Result<Self, Failure> {
        let folder = Folder::new("postgres")?;
        prepare(folder.path())?;
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut postgres = Self { server: None, port: free_port()?, settings, folder };
        postgres.run()?;
        Ok(postgres)
    }

    /// Starts the server again, on the same port and data, after it has ended.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn run(&mut self) -> Result<(), Failure> {
        self.server = None;
        // The processes of a killed server need a moment to see that it is gone.
        let mut last = None;
        let started =
            poll("PostgreSQL", LIMIT, || self.spawn().map_err(|failure| last = Some(failure)).ok());
        let server = started.map_err(|failure| last.unwrap_or(failure))?;
        server.wait_for_output("ready to accept connections", LIMIT)?;
        self.server = Some(server);
        Ok(())
    }

    /// The URL of the database.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The URL of the database through another address, such as a proxy's.
    #[must_use]
    pub fn url_at(&self, address: SocketAddr) -> String {
        url_at(address)
    }

    /// Where the server accepts connections.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Everything that the server of now has printed.
    #[must_use]
    pub fn output(&self) -> String {
        self.server.as_ref().map(Server::output).unwrap_or_default()
    }

    /// Ends the server in order: sessions are cut off, the data is written.
    ///
    /// # Errors
    ///
    /// When it does not run, or not end within 30 s.
    pub fn stop(&mut self) -> Result<(), Failure> {
        let server = self.running()?;
        server.signal("INT")?;
        server.wait(LIMIT)?;
        self.server = None;
        Ok(())
    }

    /// Kills the server (SIGKILL).
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn kill_hard(&mut self) -> Result<(), Failure> {
        self.running()?.kill_hard()?;
        self.server = None;
        Ok(())
    }

    /// Lets clients encrypt their connections from now on, to a server with this certificate.
    ///
    /// # Errors
    ///
    /// When the files cannot be copied or the server refuses them.
    pub fn encrypt(&self, certificate: &Certificate) -> Result<(), Failure> {
        let data = self.folder.join("data");
        for (from, name) in
            [(&certificate.certificate, "server.crt"), (&certificate.key, "server.key")]
        {
            let to = data.join(name);
            std::fs::copy(from, &to).map_err(Failure::when(to.display()))?;
            std::fs::set_permissions(&to, PermissionsExt::from_mode(0o600))
                .map_err(Failure::when(to.display()))?;
            if as_root() {
                run(Command::new("chown").arg(ACCOUNT).arg(&to))?;
            }
        }
        self.sql("ALTER SYSTEM SET ssl = on")?;
        self.sql("SELECT pg_reload_conf()")?;
        poll("encryption", LIMIT, || {
            self.sql("SHOW ssl").is_ok_and(|ssl| ssl == "on").then_some(())
        })
    }

    /// Runs SQL as an operator would, and gives what `psql` prints: unaligned, without headers.
    ///
    /// # Errors
    ///
    /// When `psql` is not installed or the server refuses.
    pub fn sql(&self, sql: &str) -> Result<String, Failure> {
        psql(&self.url(), sql)
    }

    fn running(&mut self) -> Result<&mut Server, Failure> {
        self.server.as_mut().ok_or_else(|| Failure::new("PostgreSQL does not run"))
    }

    fn spawn(&self) -> Result<Server, Failure> {
        let folder = self.folder.path();
        let command = settings_of(command("postgres", folder)?, folder, self.port, &self.settings);
        Server::spawn(command, Ready::port(self.port))
    }
}

/// Makes a database in `folder`.
fn prepare(folder: &Path) -> Result<(), Failure> {
    if as_root() {
        run(Command::new("chown").arg(ACCOUNT).arg(folder))?;
    }
    let options = ["-U", "cloakroom", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"];
    run(command("initdb", folder)?.args(options).arg("-D").arg(folder.join("data"))).map(drop)
}

fn settings_of(mut command: Command, folder: &Path, port: u16, settings: &[String]) -> Command {
    command.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories="] {
        command.args(["-c", setting]);
    }
    for setting in settings {
        command.args(["-c", setting]);
    }
    command
}

fn url_at(address: SocketAddr) -> String {
    format!("postgres://cloakroom@{address}/postgres")
}

fn psql(url: &str, sql: &str) -> Result<String, Failure> {
    let options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"];
    let mut psql = Command::new(program::find("psql")?);
    let printed = run(psql.args(options).arg(url).args(["-c", sql]))?;
    Ok(String::from_utf8_lossy(&printed).trim().to_owned())
}

/// A program of PostgreSQL, run by somebody it accepts.
fn command(name: &str, folder: &Path) -> Result<Command, Failure> {
    let program = installed(name)?;
    let mut command = if as_root() {
        // It replaces itself by the program, so that a signal reaches that.
        let mut command = Command::new(program::find("setpriv")?);
        command.args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // PostgreSQL looks at where it is, and the account may not see every folder.
    command.current_dir(folder).env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin");
    Ok(command)
}

/// Debian keeps the programs of each version in a folder of its own.
fn installed(name: &str) -> Result<PathBuf, Failure> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found.pop().map_or_else(|| program::find(name), Ok)
}

fn as_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
