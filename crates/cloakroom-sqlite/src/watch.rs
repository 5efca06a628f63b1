//! Notices that the file was removed or replaced under a running store.
//!
//! An open file stays usable after its name is gone, so without this every write would be
//! acknowledged, and lost with the process.

use std::fs::{self, Metadata};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cloakroom_store::{StoreError, Timestamp};

/// How often loads look, in milliseconds.
const EVERY: u64 = 1_000;

/// Remembers which file was opened.
#[derive(Debug)]
pub(crate) struct Watch {
    opened: FileId,
    looked: AtomicU64,
    well: AtomicBool,
}

impl Watch {
    /// Watches the file that is at `path` now.
    ///
    /// # Errors
    ///
    /// Unavailable if there is none.
    pub(crate) fn new(path: &Path) -> Result<Self, StoreError> {
        let about = fs::metadata(path)
            .map_err(|error| StoreError::unavailable("it cannot be seen").because(error))?;
        let looked = AtomicU64::new(0);
        Ok(Self { opened: FileId::of(&about), looked, well: AtomicBool::new(true) })
    }

    /// Whether the file at `path` is the one that was opened.
    ///
    /// # Errors
    ///
    /// Unavailable if it is not, until it is again.
    pub(crate) fn look(&self, path: &Path, shown: &str) -> Result<(), StoreError> {
        let seen = match fs::metadata(path) {
            Ok(about) if FileId::of(&about) == self.opened => Ok(()),
            Ok(_) => Err(StoreError::unavailable(format!(
                "`{shown}` was replaced while in use: stop every process that uses it, remove \
                 `{shown}-wal` and `{shown}-shm`, and start again"
            ))),
            Err(error) => Err(StoreError::unavailable(format!(
                "`{shown}` was removed while in use: put it back"
            ))
            .because(error)),
        };
        self.well.store(seen.is_ok(), Ordering::Relaxed);
        seen
    }

    /// The same, but while all is well only once a second of `now`.
    pub(crate) fn look_at(
        &self,
        path: &Path,
        shown: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let now = now.as_millis();
        let recent = self.looked.load(Ordering::Relaxed).abs_diff(now) < EVERY;
        if recent && self.well.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.looked.store(now, Ordering::Relaxed);
        self.look(path, shown)
    }
}

#[cfg(unix)]
#[derive(Debug, PartialEq, Eq)]
struct FileId(u64, u64);

#[cfg(unix)]
impl FileId {
    fn of(about: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self(about.dev(), about.ino())
    }
}

/// Elsewhere an open file can be neither removed nor replaced.
#[cfg(not(unix))]
#[derive(Debug, PartialEq, Eq)]
struct FileId;

#[cfg(not(unix))]
impl FileId {
    fn of(_: &Metadata) -> Self {
        Self
    }
}
