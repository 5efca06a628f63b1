//! The one door to the clock.

use std::time::{Duration, SystemTime};

/// The time since the Unix epoch.
#[allow(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn now() -> Duration {
    // A clock before 1970 is no clock.
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
