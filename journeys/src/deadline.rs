//! Waiting for other processes, always with an end.

use crate::Failure;
use std::time::{Duration, Instant};

/// A moment after which nobody waits any longer.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The moment that lies `limit` ahead of now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self(now() + limit)
    }

    /// How long there is still to wait; `None` once the moment has passed.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.0.checked_duration_since(now()).filter(|left| !left.is_zero())
    }
}

/// How long something takes, for a report.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to count.
    #[must_use]
    pub fn start() -> Self {
        Self(now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        now().duration_since(self.0)
    }
}

/// Looks every few milliseconds until `look` gives a value.
///
/// For what can only be asked and does not announce itself: a port that accepts, a process that
/// has ended.
///
/// # Errors
///
/// When `limit` has passed first; the text names `what`.
///
/// ```
/// use cloakroom_journeys::deadline::poll;
/// use std::time::Duration;
/// let mut looks = 0;
/// let third = poll("the third look", Duration::from_secs(1), || {
///     looks += 1;
///     (looks == 3).then_some(looks)
/// });
/// assert_eq!(third.unwrap(), 3);
/// ```
pub fn poll<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T, Failure> {
    let deadline = Deadline::after(limit);
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if deadline.remaining().is_none() {
            return Err(in_vain(what, limit));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn in_vain(what: &str, limit: Duration) -> Failure {
    Failure::new(format!("waited {} s in vain for {what}", limit.as_secs_f64()))
}

#[allow(
    clippy::disallowed_methods,
    reason = "other processes run in real time; no decision of cloakroom depends on this clock"
)]
fn now() -> Instant {
    Instant::now()
}
