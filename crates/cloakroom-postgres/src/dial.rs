//! One connection to the server.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::time::Duration;

use cloakroom_store::StoreError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Socket};

use crate::config::PostgresConfig;
use crate::fault;

/// How long a new connection takes at most: a network that swallows packets must not keep the next
/// attempt waiting.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_millis(800);

/// Runs until the connection ends.
pub(crate) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection, and what has to run for it to work.
pub(crate) async fn open(config: &PostgresConfig) -> Result<(Client, Driver), StoreError> {
    open_hearing(config, |_| {}).await
}

/// The same; `heard` is called with what notifications say.
pub(crate) async fn open_hearing(
    config: &PostgresConfig,
    heard: impl Fn(&str) + Send + 'static,
) -> Result<(Client, Driver), StoreError> {
    #[cfg(feature = "tls")]
    if config.encrypted {
        let tls = crate::tls::client(&config.trusted)?;
        return opened(config.server.connect(tls).await, heard);
    }
    opened(config.server.connect(NoTls).await, heard)
}

fn opened<T>(
    connected: Result<(Client, Connection<Socket, T>), tokio_postgres::Error>,
    heard: impl Fn(&str) + Send + 'static,
) -> Result<(Client, Driver), StoreError>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (client, mut connection) = connected.map_err(fault::connecting)?;
    let driver = Box::pin(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match message {
                Ok(message) => {
                    if let AsyncMessage::Notification(told) = message {
                        heard(told.payload());
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection to PostgreSQL ended");
                    return;
                }
            }
        }
    });
    Ok((client, driver))
}

/// A task that is stopped with the future that waits for it.
pub(crate) struct Abort(Option<JoinHandle<()>>);

impl Abort {
    pub(crate) fn spawn(driver: Driver) -> Self {
        Self(Some(tokio::spawn(driver)))
    }

    pub(crate) fn keep(mut self) -> JoinHandle<()> {
        self.0.take().unwrap_or_else(|| tokio::spawn(async {}))
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) {
        if let Some(task) = &mut self.0 {
            drop(task.await);
        }
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
