use cloakroom_store::{StoreError, StoreErrorKind};
use rusqlite::ErrorCode;

/// Why a piece of work on a connection stopped.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The engine failed: nothing of the transaction may stay.
    Engine(rusqlite::Error),
    /// The work was judged before it wrote anything; this is the verdict.
    Told(StoreError),
}

impl From<rusqlite::Error> for Halt {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Told(error)
    }
}

/// Says what went wrong with the file called `file`, and what the caller can do about it.
pub(crate) fn explain(file: &str, halt: Halt) -> StoreError {
    match halt {
        Halt::Told(error) if error.kind() == StoreErrorKind::Corrupt => {
            StoreError::corrupt(format!("`{file}` holds what this release cannot read"))
                .because(error)
        }
        Halt::Told(error) => error,
        Halt::Engine(error) => engine(file, error),
    }
}

/// Whether what stands in a row cannot be read, while the file itself can.
pub(crate) fn is_damage(halt: &Halt) -> bool {
    match halt {
        Halt::Told(error) => error.kind() == StoreErrorKind::Corrupt,
        Halt::Engine(error) => matches!(
            error,
            rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
        ),
    }
}

/// Whether another process is in the way.
pub(crate) fn is_busy(halt: &Halt) -> bool {
    let Halt::Engine(error) = halt else { return false };
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Whether a new connection may succeed where this one failed.
pub(crate) fn spoils_connection(halt: &Halt) -> bool {
    let Halt::Engine(error) = halt else { return false };
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::FileLockingProtocolFailed
        )
    )
}

fn engine(file: &str, error: rusqlite::Error) -> StoreError {
    let code = error.sqlite_error_code();
    let is = |wanted: ErrorCode| code == Some(wanted);
    let told = if is(ErrorCode::DatabaseBusy) || is(ErrorCode::DatabaseLocked) {
        StoreError::unavailable(format!("`{file}` is locked by another process"))
    } else if is(ErrorCode::DiskFull) {
        StoreError::unavailable(format!("the disk of `{file}` is full"))
    } else if is(ErrorCode::ReadOnly) || is(ErrorCode::PermissionDenied) {
        StoreError::unavailable(format!("`{file}` cannot be written"))
    } else if is(ErrorCode::NotADatabase) {
        StoreError::corrupt(format!("`{file}` is not an SQLite database"))
    } else if is(ErrorCode::DatabaseCorrupt) {
        StoreError::corrupt(format!("`{file}` is damaged; restore it from a backup"))
    } else if code.is_none() || is(ErrorCode::Unknown) || is(ErrorCode::TypeMismatch) {
        StoreError::corrupt(format!("`{file}` is not laid out as a session store"))
    } else {
        StoreError::unavailable(format!("`{file}` cannot be used now"))
    };
    told.because(error)
}
