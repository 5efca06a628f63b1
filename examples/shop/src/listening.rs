//! Where the shop is reached, and when it is asked to end.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::arguments::Address;

/// Every address that the shop listens at.
pub(crate) struct Doors {
    listeners: Vec<TcpListener>,
    url: String,
}

impl Doors {
    /// Takes the ports. An error is a sentence with its remedy.
    pub(crate) async fn open(address: Address) -> Result<Self, String> {
        match address {
            Address::Localhost(port) => Self::localhost(port).await,
            Address::Given(address) => {
                let listener = bind(address).await.map_err(|error| sorry(address, &error))?;
                let address = listener.local_addr().map_err(|error| error.to_string())?;
                Ok(Self { listeners: vec![listener], url: format!("http://{address}/") })
            }
        }
    }

    /// A browser may take either family for `localhost`, so both are served, at the same port.
    async fn localhost(mut port: u16) -> Result<Self, String> {
        let mut listeners = Vec::new();
        let mut missing = None;
        for ip in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
            let address = SocketAddr::new(ip, port);
            match bind(address).await {
                Ok(listener) => {
                    port = listener.local_addr().map_or(port, |address| address.port());
                    listeners.push(listener);
                }
                Err(error) if is_missing(&error) => missing = Some((ip, error)),
                Err(error) => return Err(sorry(address, &error)),
            }
        }
        match missing {
            Some((ip, error)) if listeners.is_empty() => Err(sorry((ip, port).into(), &error)),
            Some((ip, _)) => {
                tracing::warn!("this machine has no {ip}: only the other loopback is served");
                Ok(Self { listeners, url: format!("http://localhost:{port}/") })
            }
            None => Ok(Self { listeners, url: format!("http://localhost:{port}/") }),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Serves until `stopped`, and ends when the requests under way have been answered.
    pub(crate) async fn serve(self, router: Router, stopped: watch::Receiver<bool>) {
        let mut serving = JoinSet::new();
        for listener in self.listeners {
            let mut stopped = stopped.clone();
            let stop = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
            let server = axum::serve(listener, router.clone()).with_graceful_shutdown(stop);
            serving.spawn(server.into_future());
        }
        serving.join_all().await;
    }
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Whether the machine lacks this family of addresses; systems say so in several ways.
fn is_missing(error: &io::Error) -> bool {
    !matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}

fn sorry(address: SocketAddr, error: &io::Error) -> String {
    if error.kind() == ErrorKind::AddrInUse {
        return format!(
            "{address} is in use: end the program that listens there, or choose another port \
             with --addr localhost:{}",
            address.port().checked_add(1).unwrap_or(8080)
        );
    }
    format!("cannot listen at {address}: {error}")
}

/// Listens for Ctrl-C and SIGTERM at once; the future that it gives ends with the first of them.
#[cfg(unix)]
pub(crate) fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Listens for Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
