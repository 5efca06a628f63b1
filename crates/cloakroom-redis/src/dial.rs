//! How connections are made.

use std::time::Duration;

use cloakroom_store::StoreError;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion,
    RedisConnectionInfo, RedisError,
};
use tokio::time::timeout;

use crate::config::{Address, Login, RedisConfig};
use crate::ears::Ear;

/// Opens connections with one configuration.
#[derive(Debug)]
pub(crate) struct Dial {
    config: RedisConfig,
    /// The authority that signed the servers' certificates, as PEM.
    ca: Option<Vec<u8>>,
}

impl Dial {
    /// # Errors
    ///
    /// Refused if TLS is asked for and not built in, or the file of the authority cannot be read.
    pub(crate) fn new(config: RedisConfig) -> Result<Self, StoreError> {
        if config.tls && !cfg!(feature = "tls") {
            return Err(StoreError::refused(
                "the address asks for TLS: build cloakroom-redis with its feature `tls`",
            ));
        }
        let ca = config.ca.as_ref().map(|path| {
            std::fs::read(path).map_err(|error| {
                let shown = path.display();
                StoreError::refused(format!("the certificates in {shown} cannot be read"))
                    .because(error)
            })
        });
        let ca = ca.transpose()?;
        Ok(Self { config, ca })
    }

    /// How long a verb may take in all.
    pub(crate) const fn patience(&self) -> Duration {
        self.config.answer_timeout
    }

    pub(crate) const fn config(&self) -> &RedisConfig {
        &self.config
    }

    /// How a server of sessions is spoken to.
    pub(crate) fn server(&self) -> RedisConnectionInfo {
        with_login(RedisConnectionInfo::default().set_db(self.config.database), &self.config.login)
    }

    /// The same where the server may speak unasked.
    fn speaking_server(&self) -> RedisConnectionInfo {
        self.server().set_protocol(ProtocolVersion::RESP3)
    }

    /// How a sentinel is spoken to.
    pub(crate) fn sentinel(&self) -> RedisConnectionInfo {
        with_login(RedisConnectionInfo::default(), &self.config.sentinel_login)
    }

    /// A connection within the time that is set for it.
    pub(crate) async fn connect(
        &self,
        address: &Address,
        as_what: impl Fn(&Self) -> RedisConnectionInfo,
    ) -> Result<MultiplexedConnection, StoreError> {
        self.connect_as(address, as_what(self), None).await
    }

    /// The same, and what the server says beside its answers goes to `ear`.
    pub(crate) async fn connect_hearing(
        &self,
        address: &Address,
        ear: Ear,
    ) -> Result<MultiplexedConnection, StoreError> {
        self.connect_as(address, self.speaking_server(), Some(ear)).await
    }

    async fn connect_as(
        &self,
        address: &Address,
        info: RedisConnectionInfo,
        ear: Option<Ear>,
    ) -> Result<MultiplexedConnection, StoreError> {
        let client = self.client(address, info)?;
        // The caller waits no longer than it has patience; a second bound here would be one too many.
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.config.connect_timeout))
            .set_response_timeout(Some(self.patience()));
        if let Some(ear) = ear {
            config = config.set_push_sender(ear);
        }
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        let unreachable =
            || StoreError::unavailable(format!("Redis at {address} cannot be reached"));
        match timeout(self.config.connect_timeout, connecting).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) if is_refused(&error) => Err(StoreError::unavailable(format!(
                "Redis at {address} refuses the user or password of this service"
            ))),
            Ok(Err(error)) => Err(unreachable().because(error)),
            Err(_) => Err(unreachable()),
        }
    }

    fn client(
        &self,
        address: &Address,
        settings: RedisConnectionInfo,
    ) -> Result<Client, StoreError> {
        let (host, port) = (address.host.clone(), address.port);
        let made = if self.config.tls {
            let address = ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None };
            let info = address.into_connection_info();
            info.and_then(|info| self.over_tls(info.set_redis_settings(settings)))
        } else {
            let info = ConnectionAddr::Tcp(host, port).into_connection_info();
            info.and_then(|info| Client::open(info.set_redis_settings(settings)))
        };
        made.map_err(|error| {
            StoreError::refused(format!("{address} cannot be connected to")).because(error)
        })
    }

    #[cfg(feature = "tls")]
    fn over_tls(&self, info: redis::ConnectionInfo) -> redis::RedisResult<Client> {
        let root_cert = self.ca.clone();
        Client::build_with_tls(info, redis::TlsCertificates { client_tls: None, root_cert })
    }

    #[cfg(not(feature = "tls"))]
    fn over_tls(&self, info: redis::ConnectionInfo) -> redis::RedisResult<Client> {
        let _ = &self.ca;
        Client::open(info)
    }
}

/// `AUTH` and `HELLO` say it differently.
fn is_refused(error: &RedisError) -> bool {
    error.kind() == redis::ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("WRONGPASS" | "NOAUTH"))
}

fn with_login(mut settings: RedisConnectionInfo, login: &Login) -> RedisConnectionInfo {
    if let Some(user) = &login.user {
        settings = settings.set_username(user);
    }
    match &login.password {
        Some(password) => settings.set_password(password),
        None => settings,
    }
}
