//! One application: what is broken in it, where it is reached, and what it knows.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::entropy;
use crate::switches::Switches;
use crate::table::Table;

type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The application before it is served. Cheap to clone; clones are the same application.
#[derive(Clone)]
pub struct Site {
    pub(crate) switches: Arc<Switches>,
    /// Where browsers reach it, if that is somewhere else than where it listens.
    pub(crate) origin: Option<Arc<str>>,
    /// Signs web tokens.
    pub(crate) key: Arc<str>,
    clock: Clock,
    table: Arc<Mutex<Table>>,
}

impl Site {
    /// An application with these defects, which is reached where it listens.
    pub fn new(switches: Switches) -> Self {
        Self {
            switches: Arc::new(switches),
            origin: None,
            key: entropy::hex(32).into(),
            clock: Arc::new(system_seconds),
            table: Arc::new(Mutex::new(Table::new())),
        }
    }

    /// Says where browsers reach it, such as `https://bad.test`: behind https it redirects what
    /// comes over plain http, and asks for https in the future.
    #[must_use]
    pub fn at(mut self, origin: &str) -> Self {
        self.origin = Some(origin.trim_end_matches('/').into());
        self
    }

    /// Takes the time, in seconds since the Unix epoch, from `clock` instead of the system.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    pub(crate) fn now(&self) -> u64 {
        (self.clock)()
    }

    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether browsers are to use https.
    pub(crate) fn is_behind_https(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.starts_with("https://"))
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this application does without cloakroom: its clock is here"
)]
fn system_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("switches", &self.switches)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
