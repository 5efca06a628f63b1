//! One connection to one origin.

use cloakroom_audit::Silence;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Url;

/// Header fields that are read of an answer: some sites send more than a hundred, none a thousand.
const FIELDS_MOST: usize = 1_000;
/// Octets of an answer's head: 256 KiB. Browsers stop there (Chromium: 256 KiB).
const HEAD_MOST: usize = 256 * 1024;

/// An open connection. Dropping it closes it, whatever still comes.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Opens one to the origin of `url`.
    pub(super) async fn open(
        url: &Url,
        limit: Duration,
        tls: &Arc<ClientConfig>,
    ) -> Result<Self, Silence> {
        let opening = async {
            let stream = dial(url, limit).await?;
            // Small requests that wait for each other's answers gain nothing by being put together.
            let _ = stream.set_nodelay(true);
            if url.scheme() == "https" {
                let name = server_name(url)?;
                let connector = TlsConnector::from(Arc::clone(tls));
                let stream =
                    connector.connect(name, stream).await.map_err(|error| handshake(&error))?;
                Self::over(stream).await
            } else {
                Self::over(stream).await
            }
        };
        let late = |_| Silence::TooLate(format!("{} s for a connection", limit.as_secs_f32()));
        timeout(limit, opening).await.map_err(late)?
    }

    async fn over<S>(stream: S) -> Result<Self, Silence>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = Builder::new()
            .max_headers(FIELDS_MOST)
            .max_buf_size(HEAD_MOST)
            .ignore_invalid_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .handshake(TokioIo::new(stream));
        let (sender, connection) =
            handshake.await.map_err(|error| Silence::Unreachable(error.to_string()))?;
        // How it ends, the request on it is told.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, driver })
    }
}

/// Tries each address of the host in its order, and gives each its share of the time.
async fn dial(url: &Url, limit: Duration) -> Result<TcpStream, Silence> {
    let addresses = addresses(url).await?;
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut last = Silence::Unreachable("the host has no address".to_owned());
    for address in addresses {
        last = match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => Silence::Unreachable(reason(&error)),
            Err(_) => Silence::Unreachable("nothing came in time".to_owned()),
        };
    }
    Err(last)
}

async fn addresses(url: &Url) -> Result<Vec<SocketAddr>, Silence> {
    let port = url.port_or_known_default().unwrap_or(80);
    let found = match url.host() {
        Some(url::Host::Ipv4(ip)) => return Ok(vec![SocketAddr::from((ip, port))]),
        Some(url::Host::Ipv6(ip)) => return Ok(vec![SocketAddr::from((ip, port))]),
        Some(url::Host::Domain(name)) => lookup_host((name, port)).await,
        None => return Err(Silence::Unreachable("the address names no host".to_owned())),
    };
    let found = found.map_err(|error| Silence::Unreachable(reason(&error)))?;
    Ok(found.collect())
}

fn server_name(url: &Url) -> Result<ServerName<'static>, Silence> {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned());
    name.map_err(|_| Silence::Unreachable("the host's name fits no certificate".to_owned()))
}

fn handshake(error: &io::Error) -> Silence {
    Silence::Unreachable(format!("no trusted connection: {}", reason(error)))
}

/// Errors of the system say enough; the number behind them helps nobody.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
