//! What went wrong, sorted by what can be done about it.

use cloakroom_store::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::config::Address;

/// What can be done about a command that did not come to an answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The server does not have the scripts: they are loaded, and the command is repeated.
    NoScript,
    /// The slot is elsewhere, for good or while it moves; where, if the server said it.
    Moved,
    Ask(Address),
    /// A session that should be there is not: it moves, or somebody removed it by hand.
    Moving,
    /// Nothing was done; a moment later it may be.
    Later(StoreError),
    /// Nothing was done, for want of replicas: another server may have taken over.
    Deserted(StoreError),
    /// The connection broke: what was sent may or may not have happened.
    Broken(StoreError),
    /// Repeating will not help.
    Final(StoreError),
}

impl Fault {
    #[allow(clippy::wildcard_enum_match_arm, reason = "the enum is foreign and grows")]
    pub(crate) fn of(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(kind) => Self::of_server(kind, &error),
            ErrorKind::Io | ErrorKind::Parse => Self::Broken(
                StoreError::unavailable("the connection to Redis broke").because(error),
            ),
            ErrorKind::Extension if error.code() == Some("MOVING") => Self::Moving,
            ErrorKind::Extension if error.code() == Some("NOREPLICAS") => {
                Self::Deserted(StoreError::unavailable("Redis has fewer replicas than it asks for"))
            }
            ErrorKind::Extension => Self::Final(extension(error.code().unwrap_or_default())),
            ErrorKind::AuthenticationFailed => Self::Final(StoreError::unavailable(
                "Redis refuses the user or password of this service",
            )),
            _ => Self::Final(StoreError::unavailable("Redis cannot be spoken to").because(error)),
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "the enum is foreign and grows")]
    fn of_server(kind: ServerErrorKind, error: &RedisError) -> Self {
        match kind {
            ServerErrorKind::NoScript => Self::NoScript,
            ServerErrorKind::Moved => Self::Moved,
            ServerErrorKind::Ask => redirection(error).map_or(Self::Moved, Self::Ask),
            ServerErrorKind::BusyLoading => Self::Later(busy("Redis is loading its data")),
            ServerErrorKind::TryAgain => Self::Later(busy("a slot of the cluster is moving")),
            ServerErrorKind::ClusterDown => Self::Later(busy("the Redis cluster is down")),
            ServerErrorKind::MasterDown => Self::Later(busy("Redis has no primary")),
            ServerErrorKind::ReadOnly => Self::Later(busy("this Redis server is a replica now")),
            ServerErrorKind::NoPerm => Self::Final(StoreError::unavailable(
                "the ACL of Redis does not let this service do its work",
            )),
            _ => Self::Final(extension(error.code().unwrap_or_default())),
        }
    }

    /// What the caller is told in the end.
    pub(crate) fn told(self) -> StoreError {
        match self {
            Self::NoScript => busy("Redis forgets its scripts"),
            Self::Moved | Self::Ask(_) | Self::Moving => busy("a slot of the cluster is moving"),
            Self::Later(error)
            | Self::Deserted(error)
            | Self::Broken(error)
            | Self::Final(error) => error,
        }
    }
}

const FULL: &str = "Redis has no memory left: raise its maxmemory, or end sessions";

/// Whether the server did nothing for want of memory: what frees some first may still be done.
pub(crate) fn is_full(error: &StoreError) -> bool {
    error.to_string() == FULL
}

/// The server's own words may quote arguments, so only its code is told.
fn extension(code: &str) -> StoreError {
    match code {
        "CORRUPT" => StoreError::corrupt("what Redis holds for a session cannot be read"),
        "OOM" => StoreError::unavailable(FULL),
        "MISCONF" => StoreError::unavailable(
            "Redis cannot write its data to disk and refuses changes: see its log",
        ),
        "NOAUTH" | "WRONGPASS" => {
            StoreError::unavailable("Redis refuses the user or password of this service")
        }
        "BUSY" => busy("Redis is busy with a script of somebody else"),
        code => StoreError::unavailable(format!("Redis answers the error {code}")),
    }
}

fn busy(what: &'static str) -> StoreError {
    StoreError::unavailable(what)
}

fn redirection(error: &RedisError) -> Option<Address> {
    let (address, _) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    Some(Address { host: host.to_owned(), port: port.parse().ok()? })
}
