//! Where the servers are and how they are spoken to.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use cloakroom_store::StoreError;

mod url;

/// Where sessions are kept and how the servers are spoken to.
///
/// Read from an address; methods add what an address should not hold:
///
/// ```
/// use cloakroom_redis::RedisConfig;
///
/// let config: RedisConfig = "rediss://shop:secret@sessions.internal:6380/2".parse().unwrap();
/// assert!(!format!("{config:?}").contains("secret"));
///
/// let sentinel = "redis+sentinel://a:26379,b:26379,c:26379/primary".parse::<RedisConfig>();
/// let cluster = "redis-cluster://a:7000,b:7000".parse::<RedisConfig>();
/// assert!(sentinel.is_ok() && cluster.is_ok());
/// ```
///
/// | address | means |
/// |---|---|
/// | `redis://user:password@host:port/database` | one server; all but the host may be left out |
/// | `redis+sentinel://host:port,host:port/name/database` | the primary of that name, found through its sentinels |
/// | `redis-cluster://host:port,host:port` | a cluster, found through any of its nodes |
/// | `rediss://`, `rediss+sentinel://`, `rediss-cluster://` | the same over TLS |
///
/// User and password are percent-encoded. Words may follow, as in `?prefix=shop&ca=/path/ca.pem`:
///
/// | word | means |
/// |---|---|
/// | `prefix=shop` | what the names of all keys begin with, in place of `cloakroom` |
/// | `ca=/path/ca.pem` | the authority that signed the servers' certificates, in place of those of the system |
/// | `confirmed_by_replicas=1` | [`confirmed_by_replicas`](Self::confirmed_by_replicas) |
/// | `confirmed_on_disk=yes` | [`confirmed_on_disk`](Self::confirmed_on_disk) |
#[derive(Clone)]
pub struct RedisConfig {
    pub(crate) mode: Mode,
    pub(crate) tls: bool,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) login: Login,
    pub(crate) sentinel_login: Login,
    pub(crate) database: i64,
    pub(crate) prefix: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) answer_timeout: Duration,
    pub(crate) replicas: u32,
    pub(crate) on_disk: bool,
    pub(crate) accepts_eviction: bool,
}

/// How the servers belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Standalone(Address),
    Sentinel { sentinels: Vec<Address>, name: String },
    Cluster(Vec<Address>),
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// An ACL user; without a name it is the default one.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

/// Never the password.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.password.as_ref().map(|_| "..");
        f.debug_struct("Login").field("user", &self.user).field("password", &hidden).finish()
    }
}

/// How long a connection may take to open: a server that is there answers in milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an answer may take. Longer than any script, and half a second less than a service waits
/// for its store: whoever gives up first tells the caller, and only the store knows whether a change
/// was on its way.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1_500);

impl RedisConfig {
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            tls: false,
            ca: None,
            login: Login::default(),
            sentinel_login: Login::default(),
            database: 0,
            prefix: "cloakroom".to_owned(),
            connect_timeout: CONNECT_TIMEOUT,
            answer_timeout: ANSWER_TIMEOUT,
            replicas: 0,
            on_disk: false,
            accepts_eviction: false,
        }
    }

    /// How long a verb waits for its answer, reconnecting included; a second and a half if not said.
    ///
    /// Keep it below the `store_wait` of the service (two seconds if not said). The store's own error
    /// says whether a change may have happened; a service that gives up first cannot know.
    #[must_use]
    pub const fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.answer_timeout = timeout;
        self
    }

    /// How long a connection may take to open; one second if not said.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The ACL user of the sentinels, where it is another than that of the servers.
    #[must_use]
    pub fn sentinel_login(mut self, user: Option<&str>, password: &str) -> Self {
        let user = user.map(str::to_owned);
        self.sentinel_login = Login { user, password: Some(password.to_owned()) };
        self
    }

    /// Acknowledges creations, rotations and endings once this many replicas have them (`WAIT`).
    ///
    /// A failover then loses them only if none of these replicas is promoted. With fewer in reach
    /// the verb is *unavailable*, and what it asked for may or may not have happened.
    #[must_use]
    pub const fn confirmed_by_replicas(mut self, count: u32) -> Self {
        self.replicas = count;
        self
    }

    /// Acknowledges creations, rotations and endings once they are on the disk of the primary, and of
    /// as many replicas as [`confirmed_by_replicas`](Self::confirmed_by_replicas) says (`WAITAOF`).
    ///
    /// They outlive a loss of power then, whatever `appendfsync` is; with `everysec` a sign-in takes
    /// up to a second, together with all others of that second. Needs `appendonly yes` on Redis 7.2 or
    /// newer, or on Valkey: other servers are refused at the start.
    #[must_use]
    pub const fn confirmed_on_disk(mut self) -> Self {
        self.on_disk = true;
        self
    }

    /// Starts on a server that evicts keys at random when its memory is full.
    ///
    /// Users are signed out then that did nothing to cause it, and reasons of endings are lost.
    #[must_use]
    pub const fn dangerous_accept_eviction(mut self) -> Self {
        self.accepts_eviction = true;
        self
    }
}

impl FromStr for RedisConfig {
    type Err = StoreError;

    /// # Errors
    ///
    /// Refused, with one sentence that says what is wrong and never quotes a password.
    fn from_str(text: &str) -> Result<Self, StoreError> {
        url::parse(text)
    }
}

/// Everything but passwords.
impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("mode", &self.mode)
            .field("tls", &self.tls)
            .field("ca", &self.ca)
            .field("login", &self.login)
            .field("database", &self.database)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
