//! What a store needs to know, read from a URL and set by hand.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cloakroom_store::StoreError;
use tokio_postgres::config::{Host, SslMode};

use crate::schema::Schema;

/// How many connections a store keeps unless told otherwise: enough that commits share a sync, few
/// enough that many processes fit under `max_connections`.
const CONNECTIONS: usize = 4;

/// The most connections one store keeps: beyond it a server's cores are what is missing.
const CONNECTIONS_MAX: usize = 64;

/// How long a call takes at most unless told otherwise: less than the two seconds that
/// `cloakroom` waits for a store.
const CALL_LIMIT: Duration = Duration::from_millis(1_500);

/// The limits that can be set: below, a healthy server in another city is too slow; above, requests
/// pile up behind a server that is not there.
const LIMITS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(60);

/// Where PostgreSQL is and how a [`PostgresStore`](crate::PostgresStore) uses it.
///
/// ```
/// use cloakroom_postgres::PostgresConfig;
///
/// let config: PostgresConfig = "postgres://shop:secret@db.example/shop".parse()?;
/// let config = config.schema("shop_sessions")?.connections(8)?;
/// assert!(!format!("{config:?}").contains("secret"));
///
/// let mistake = "postgres://shop@db.example/shop?sslmod=require".parse::<PostgresConfig>();
/// assert!(mistake.unwrap_err().to_string().contains("sslmod"));
/// # Ok::<_, cloakroom_store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct PostgresConfig {
    pub(crate) server: tokio_postgres::Config,
    pub(crate) schema: Schema,
    pub(crate) connections: usize,
    pub(crate) call_limit: Duration,
    pub(crate) relaxed_data: bool,
    pub(crate) encrypted: bool,
    #[cfg(feature = "tls")]
    pub(crate) trusted: Vec<rustls::pki_types::CertificateDer<'static>>,
}

impl PostgresConfig {
    /// The certificates, in PEM, that the database's own must be or descend from; those of the
    /// system unless told otherwise. With the feature `tls`, and for `sslmode=require` alone.
    ///
    /// # Errors
    ///
    /// Refused if the text holds no certificate, or one that cannot be used.
    #[cfg(feature = "tls")]
    pub fn trust(mut self, pem: &str) -> Result<Self, StoreError> {
        self.trusted = crate::tls::certificates(pem)?;
        Ok(self)
    }

    /// The schema that holds the tables, `cloakroom` unless told otherwise. Stores of different
    /// services in one database need different schemas.
    ///
    /// # Errors
    ///
    /// Refused if the name is not 1 to 63 lower-case ASCII letters, digits and `_`.
    pub fn schema(mut self, name: &str) -> Result<Self, StoreError> {
        self.schema = Schema::new(name)?;
        Ok(self)
    }

    /// How many connections are kept for requests, 4 unless told otherwise; one more is for
    /// operators' verbs. Each carries many calls at once.
    ///
    /// # Errors
    ///
    /// Refused unless it is 1 to 64.
    pub fn connections(mut self, number: usize) -> Result<Self, StoreError> {
        if !(1..=CONNECTIONS_MAX).contains(&number) {
            return Err(StoreError::refused(format!(
                "a store keeps 1 to {CONNECTIONS_MAX} connections"
            )));
        }
        self.connections = number;
        Ok(self)
    }

    /// How long a call takes at most, 1.5 s unless told otherwise: then it is *unavailable*. The
    /// server gives up at three quarters of it, so that what happened is known if it can be.
    /// Opening a store, counting, scanning and sweeping may take 30 s.
    ///
    /// # Errors
    ///
    /// Refused unless it is 0.1 to 60 s.
    pub fn call_limit(mut self, limit: Duration) -> Result<Self, StoreError> {
        if !LIMITS.contains(&limit) {
            return Err(StoreError::refused("a call may take 0.1 to 60 s"));
        }
        self.call_limit = limit;
        Ok(self)
    }

    /// Acknowledges a change of fields before it is on the server's disk, as touches always are.
    ///
    /// A change still outlives every process of the service. A crash of the server, or of its
    /// machine, loses those of the last moments: at most three times its `wal_writer_delay`, 0.6 s
    /// as it comes. Declared as [`Survives::ProcessCrash`](cloakroom_store::Survives). Sign-ins,
    /// sign-outs and all other changes of identity stay durable.
    #[must_use]
    pub const fn lose_recent_data_on_server_crash(mut self) -> Self {
        self.relaxed_data = true;
        self
    }
}

/// Reads `postgres://user:password@host:port/database?sslmode=require`.
///
/// With `require`, of which `verify-full` is another name, connections are encrypted and the
/// database proves with its certificate that it is the host; that needs the feature `tls`. Without
/// it they are neither.
impl FromStr for PostgresConfig {
    type Err = StoreError;

    fn from_str(url: &str) -> Result<Self, StoreError> {
        let (server, encrypted) = server(url)?;
        Ok(Self {
            server,
            schema: Schema::new("cloakroom")?,
            connections: CONNECTIONS,
            call_limit: CALL_LIMIT,
            relaxed_data: false,
            encrypted,
            #[cfg(feature = "tls")]
            trusted: Vec::new(),
        })
    }
}

/// Without the password and what else was given in the URL.
impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("server", &self.shown())
            .field("schema", &self.schema.name())
            .field("connections", &self.connections)
            .field("call_limit", &self.call_limit)
            .field("relaxed_data", &self.relaxed_data)
            .field("encrypted", &self.encrypted)
            .finish()
    }
}

impl PostgresConfig {
    /// Where it is, for messages: hosts, ports and database.
    pub(crate) fn shown(&self) -> String {
        let ports = self.server.get_ports();
        let host = |(at, host): (usize, &Host)| {
            let port = ports.get(at).or_else(|| ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                #[cfg(unix)]
                Host::Unix(path) => format!("{}:{port}", path.display()),
            }
        };
        let hosts: Vec<String> = self.server.get_hosts().iter().enumerate().map(host).collect();
        format!("{}/{}", hosts.join(","), self.server.get_dbname().unwrap_or_default())
    }
}

/// What may stand after the `?`, and nothing else: a parameter that is not known is a mistake.
const PARAMETERS: &[&str] = &[
    "application_name",
    "channel_binding",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "port",
    "sslmode",
    "target_session_attrs",
    "tcp_user_timeout",
];

fn server(url: &str) -> Result<(tokio_postgres::Config, bool), StoreError> {
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
    let rest = rest.ok_or_else(|| refused("it begins with `postgres://`"))?;
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let encrypted = parameters(query)?;
    // The library does not know every name of the mode.
    let read =
        url.replace("sslmode=verify-full", "sslmode=require").parse::<tokio_postgres::Config>();
    // What the library says may hold what it could not read, and so a password.
    let mut server = read.map_err(|_| {
        refused(
            "a part cannot be read; `@`, `/`, `?`, `%` and `:` in a password are written as \
            %40, %2F, %3F, %25 and %3A",
        )
    })?;
    if server.get_user().is_none_or(str::is_empty) {
        return Err(refused("it names a user, as in `postgres://user@host/database`"));
    } else if server.get_hosts().is_empty() && server.get_hostaddrs().is_empty() {
        return Err(refused("it names a host, as in `postgres://user@host/database`"));
    } else if server.get_dbname().is_none_or(str::is_empty) {
        return Err(refused("it names a database, as in `postgres://user@host/database`"));
    }
    server.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
    if server.get_application_name().is_none() {
        server.application_name("cloakroom");
    }
    Ok((server, encrypted))
}

/// Judges the names of the parameters, and says whether the connection is to be encrypted.
fn parameters(query: &str) -> Result<bool, StoreError> {
    let mut encrypted = false;
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        if !PARAMETERS.contains(&name) {
            let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(refused(&format!("it has no parameter `{name}`")));
        }
        if name == "sslmode" {
            encrypted = is_encrypted(value)?;
        }
    }
    Ok(encrypted)
}

fn is_encrypted(mode: &str) -> Result<bool, StoreError> {
    match mode {
        "disable" => Ok(false),
        "require" | "verify-full" if cfg!(feature = "tls") => Ok(true),
        "require" | "verify-full" => Err(refused(
            "encryption needs the feature `tls` of `cloakroom-postgres`, which this build lacks",
        )),
        "allow" | "prefer" | "verify-ca" => Err(refused(
            "this `sslmode` does not keep somebody in between out: write `require`, which also \
             checks the certificate, or `disable`",
        )),
        _ => Err(refused("`sslmode` is `require` or `disable`")),
    }
}

fn refused(rule: &str) -> StoreError {
    StoreError::refused(format!("this is no URL of a PostgreSQL database: {rule}"))
}
