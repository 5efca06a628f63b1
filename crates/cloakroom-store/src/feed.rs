//! The feed: what ended and whose rights changed, in an order that a reader can go on from.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::ending::{Ended, Reason};
use crate::error::StoreError;
use crate::names::{SessionId, UserId};
use crate::timestamp::Timestamp;

/// A place in the feed of one store. Places of one store are ordered; those of different stores
/// have nothing to do with each other.
///
/// As text, two numbers with a hyphen between them, so that a reader can keep it anywhere.
///
/// ```
/// use cloakroom_store::Cursor;
///
/// let place = Cursor::new(1_700_000_000_000, 3);
/// assert_eq!(place.to_string(), "1700000000000-3");
/// assert_eq!("1700000000000-3".parse::<Cursor>().unwrap(), place);
/// assert!(Cursor::OLDEST < place && place < Cursor::NEWEST);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    major: u64,
    minor: u64,
}

impl Cursor {
    /// Before everything that the store still knows.
    pub const OLDEST: Self = Self::new(0, 0);
    /// After everything that has happened, whatever that is when the store is asked.
    pub const NEWEST: Self = Self::new(u64::MAX, u64::MAX);

    /// The place of these two numbers, the first of which counts more.
    #[must_use]
    pub const fn new(major: u64, minor: u64) -> Self {
        Self { major, minor }
    }

    /// The first number.
    #[must_use]
    pub const fn major(self) -> u64 {
        self.major
    }

    /// The second number.
    #[must_use]
    pub const fn minor(self) -> u64 {
        self.minor
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.major, self.minor)
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let number = |part: &str| {
            // `parse` alone would take a plus sign.
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<u64>().ok()).flatten()
        };
        text.split_once('-')
            .and_then(|(major, minor)| Some(Self::new(number(major)?, number(minor)?)))
            .ok_or_else(|| {
                StoreError::refused("a place in the feed is two numbers with a hyphen between them")
            })
    }
}

/// One thing that everybody who keeps something of a session in mind has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Where it stands in the feed.
    pub place: Cursor,
    /// The `now` of the verb that did it. The reader's clock less this is how late the news is.
    pub at: Timestamp,
    /// What happened.
    pub news: News,
}

/// What happened to a session or a user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum News {
    /// The session was ended before its time. That its clocks ran out is no news: whoever knows
    /// its deadlines knows that.
    Ended {
        /// Which one.
        id: SessionId,
        /// Why.
        reason: Reason,
    },
    /// A new epoch of the user: whatever was known of their rights before is out of date.
    Epoch {
        /// Whose.
        user: UserId,
    },
}

/// A part of the feed: what came of [`Registry::watch`](crate::Registry::watch).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulletin {
    /// What happened, in the order of the places.
    pub notices: Vec<Notice>,
    /// Where to go on.
    pub next: Cursor,
    /// Whether something between the reader's place and the first notice may be missing, because
    /// the store no longer knows it or never knew the place. The reader has to forget what it
    /// keeps in mind.
    pub lost: bool,
    /// Whether there was more when this was read.
    pub more: bool,
}

/// How long a store keeps its feed: as long as the reasons of endings, so that a reader that comes
/// back within a day has missed nothing.
pub const FEED_KEPT: Duration = Ended::KEPT;

/// How many notices a store keeps at least, if they are not too old: an hour of ten sign-outs a
/// second, in a few megabytes. A store may forget older ones beyond it, and says so with
/// [`Bulletin::lost`].
pub const FEED_MAX: usize = 36_000;

/// The most notices in one [`Bulletin`].
pub const BULLETIN_MAX: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for place in [Cursor::OLDEST, Cursor::NEWEST, Cursor::new(7, 0), Cursor::new(0, 7)] {
            assert_eq!(place.to_string().parse::<Cursor>().unwrap(), place);
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "-", "1", "1-", "-1", "+1-2", "1-2-3", "1 - 2", "18446744073709551616-0"] {
            let error = text.parse::<Cursor>().unwrap_err();

            assert!(error.to_string().contains("two numbers"), "{text}: {error}");
        }
    }

    #[test]
    fn the_first_number_counts_more() {
        assert!(Cursor::new(1, 9) < Cursor::new(2, 0));
        assert!(Cursor::new(2, 0) < Cursor::new(2, 1));
    }
}
