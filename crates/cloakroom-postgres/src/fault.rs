//! What went wrong, and what the caller can do about it.

use std::error::Error as _;
use std::fmt;

use cloakroom_store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// What a function of ours raises when a change would pass a limit.
const PAST_A_LIMIT: &str = "CLK01";

/// What the server or the client library said, without details: those can hold keys and values.
#[derive(Debug)]
pub(crate) struct Said(String);

impl Said {
    pub(crate) fn of(error: &Error) -> Self {
        match (error.as_db_error(), error.source()) {
            (Some(told), _) => Self(format!("{} ({})", told.message(), told.code().code())),
            (None, Some(source)) => Self(format!("{error}: {source}")),
            (None, None) => Self(error.to_string()),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}

/// Whether the transaction was rolled back for the sake of another one and may succeed now.
pub(crate) fn may_run_again(error: &Error) -> bool {
    error.code().is_some_and(|code| {
        *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
    })
}

/// Whether a new connection may succeed where this one failed: it is broken or ending, leads to a
/// server that has become a standby, or has forgotten its statements.
pub(crate) fn spoils_connection(error: &Error) -> bool {
    let Some(code) = error.code() else { return true };
    let spoiling = [
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::INVALID_SQL_STATEMENT_NAME,
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
    ];
    spoiling.contains(code) || class(code) == "08"
}

/// Whether a key or an id was taken by somebody else in the same moment.
pub(crate) fn is_taken(error: &Error) -> bool {
    error.code() == Some(&SqlState::UNIQUE_VIOLATION)
}

/// What a verb answers.
pub(crate) fn verb(error: &Error) -> StoreError {
    let Some(code) = error.code() else {
        return StoreError::unavailable(
            "the connection to PostgreSQL broke; whether the call took effect is unknown",
        )
        .because(Said::of(error));
    };
    if code.code() == PAST_A_LIMIT {
        let message = error.as_db_error().map(|told| told.message().to_owned());
        return StoreError::refused(message.unwrap_or_default());
    }
    let told = match class(code) {
        "22" | "23" | "42" | "XX" | "P0" => {
            StoreError::corrupt("PostgreSQL holds what this release cannot read")
        }
        "40" => StoreError::unavailable("PostgreSQL undid the call several times for others"),
        "53" => StoreError::unavailable("PostgreSQL is out of resources; nothing was changed"),
        _ if *code == SqlState::QUERY_CANCELED || *code == SqlState::LOCK_NOT_AVAILABLE => {
            StoreError::unavailable("PostgreSQL took too long; nothing was changed")
        }
        _ if *code == SqlState::ADMIN_SHUTDOWN || *code == SqlState::CRASH_SHUTDOWN => {
            StoreError::unavailable(
                "PostgreSQL is shutting down; whether the call took effect is unknown",
            )
        }
        _ => StoreError::unavailable("PostgreSQL cannot do this now"),
    };
    told.because(Said::of(error))
}

/// What opening a store answers.
#[allow(clippy::needless_pass_by_value, reason = "it is what errors are mapped with")]
pub(crate) fn connecting(error: Error) -> StoreError {
    let said = Said::of(&error);
    let Some(code) = error.code() else {
        // A password that is missing shows as a configuration that the server will not have.
        let is_refused = error.to_string().starts_with("invalid configuration")
            || error.to_string().starts_with("authentication error");
        return match is_refused {
            true => StoreError::refused("PostgreSQL asks for what the URL does not say"),
            false => StoreError::unavailable("PostgreSQL cannot be reached"),
        }
        .because(said);
    };
    let told = match class(code) {
        "28" => {
            StoreError::refused("PostgreSQL does not let this role in: check user and password")
        }
        "3D" => StoreError::refused("there is no such database: create it, or name another one"),
        "42" if *code == SqlState::INSUFFICIENT_PRIVILEGE => StoreError::refused(
            "the role may not use the schema: grant it what the documentation says",
        ),
        "42" => StoreError::corrupt("the schema is not laid out as a session store"),
        _ => StoreError::unavailable("PostgreSQL cannot be used now"),
    };
    told.because(said)
}

/// The first two characters of the code.
fn class(code: &SqlState) -> &str {
    code.code().get(..2).unwrap_or_default()
}
