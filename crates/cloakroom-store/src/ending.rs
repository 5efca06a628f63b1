//! How a session ended, kept for a day so that "why was I signed out?" has an answer.

use std::fmt;

use crate::error::StoreError;
use crate::timestamp::Timestamp;

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Its user signed out.
    Logout,
    /// No activity until the idle deadline.
    Idle,
    /// The absolute deadline passed.
    Absolute,
    /// Somebody else ended it; [`Ended::by`] says who.
    Revoked,
    /// A privilege change put a new session in its place.
    Replaced,
    /// The user's limit of sessions, or a full store, made room for a newer one.
    Evicted,
    /// A ticket came back that had been replaced: it may have been stolen.
    Reuse,
    /// The key that sealed the ticket is no longer in the ring.
    KeyRetired,
    /// The user's password or another factor changed.
    CredentialsChanged,
}

impl Reason {
    /// Every reason, in the order of their codes.
    pub const ALL: [Self; 9] = [
        Self::Logout,
        Self::Idle,
        Self::Absolute,
        Self::Revoked,
        Self::Replaced,
        Self::Evicted,
        Self::Reuse,
        Self::KeyRetired,
        Self::CredentialsChanged,
    ];

    /// The stable word for logs, stores and answers.
    ///
    /// ```
    /// use cloakroom_store::Reason;
    ///
    /// assert_eq!(Reason::KeyRetired.code(), "key-retired");
    /// assert!(Reason::ALL.iter().all(|r| Reason::from_code(r.code()) == Some(*r)));
    /// ```
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Idle => "idle",
            Self::Absolute => "absolute",
            Self::Revoked => "revoked",
            Self::Replaced => "replaced",
            Self::Evicted => "evicted",
            Self::Reuse => "reuse",
            Self::KeyRetired => "key-retired",
            Self::CredentialsChanged => "credentials-changed",
        }
    }

    /// Whether it is the clocks of the session that ended it, as its deadlines said beforehand.
    #[must_use]
    pub const fn is_timeout(self) -> bool {
        matches!(self, Self::Idle | Self::Absolute)
    }

    /// The reason with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Who ended a session, in at most [`By::MAX`] printable ASCII characters, such as `user` or
/// `staff 17`. Kept in the tombstone beside the reason.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct By {
    len: u8,
    text: [u8; Self::MAX],
}

impl By {
    /// The longest name: with key, time and reason a tombstone stays under 64 bytes.
    pub const MAX: usize = 20;

    /// The holder of the ticket.
    pub const HOLDER: Self = Self::fixed(b"holder");
    /// The same user, from another session.
    pub const USER: Self = Self::fixed(b"user");
    /// The system: a deadline, a limit.
    pub const SYSTEM: Self = Self::fixed(b"system");

    /// The name `text`.
    ///
    /// # Errors
    ///
    /// Refused if it is empty, longer than [`By::MAX`] or not printable ASCII.
    ///
    /// ```
    /// use cloakroom_store::By;
    ///
    /// assert_eq!(By::new("staff 17").unwrap().as_str(), "staff 17");
    /// assert!(By::new("a name that is far too long").is_err());
    /// ```
    pub fn new(text: &str) -> Result<Self, StoreError> {
        let printable = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if text.is_empty() || text.len() > Self::MAX || !printable {
            return Err(StoreError::refused(
                "who ended a session is said in 1 to 20 printable ASCII characters",
            ));
        }
        let mut bytes = [0; Self::MAX];
        for (place, byte) in bytes.iter_mut().zip(text.bytes()) {
            *place = byte;
        }
        Ok(Self { len: u8::try_from(text.len()).unwrap_or(0), text: bytes })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.text.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    #[allow(clippy::indexing_slicing, reason = "evaluated for the constants above only")]
    const fn fixed(name: &[u8]) -> Self {
        let mut text = [0; Self::MAX];
        let mut at = 0;
        while at < name.len() {
            text[at] = name[at];
            at += 1;
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most 20")]
        Self { len: name.len() as u8, text }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "By({self})")
    }
}

/// An order to end a session: why, and on whose behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Why.
    pub reason: Reason,
    /// Who asked for it.
    pub by: By,
}

impl Ending {
    /// The user signs out.
    pub const LOGOUT: Self = Self { reason: Reason::Logout, by: By::HOLDER };

    /// Somebody else ends it.
    #[must_use]
    pub const fn revoked(by: By) -> Self {
        Self { reason: Reason::Revoked, by }
    }
}

/// What is still known of a session that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub reason: Reason,
    /// Who ended it.
    pub by: By,
    /// When; for a timeout, the deadline that passed.
    pub at: Timestamp,
}

impl Ended {
    /// How long a store remembers an ending: 24 hours.
    pub const KEPT: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

    /// The ending of a session whose time ran out at `at`.
    #[must_use]
    pub const fn timeout(reason: Reason, at: Timestamp) -> Self {
        Self { reason, by: By::SYSTEM, at }
    }

    /// Whether a store still has to remember this at `now`.
    #[must_use]
    pub fn is_kept(&self, now: Timestamp) -> bool {
        now < self.at.plus(Self::KEPT)
    }
}
