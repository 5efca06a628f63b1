use std::fmt;
use std::time::Duration;

/// An instant in milliseconds since the Unix epoch, UTC.
///
/// It is always passed in: no store reads a clock.
///
/// ```
/// use cloakroom_store::Timestamp;
/// use std::time::Duration;
///
/// let noon = Timestamp::from_millis(43_200_000);
/// assert_eq!(noon.plus(Duration::from_secs(60)).since(noon), Duration::from_secs(60));
/// assert_eq!(noon.since(Timestamp::MAX), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The latest instant that every engine can keep: 2^53 - 1 milliseconds, far beyond any
    /// deadline, and exact in SQLite integers, Lua numbers and JSON alike.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// The instant `millis` after the Unix epoch, at most [`Timestamp::MAX`].
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 { Self::MAX } else { Self(millis) }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// The instant `span` later, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// The instant `span` earlier, at least the Unix epoch.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// The time from `earlier` to here; zero if `earlier` is later, as after a clock step.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
