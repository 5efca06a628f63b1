//! What became of a line, and why.

use super::reason::Reason;
use super::stored::StoredCookie;
use std::fmt;

/// What a browser did with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The cookie is there as the line says.
    Stored,
    /// The cookie is there, and something about it is otherwise than the line says.
    Changed,
    /// The line was over when it came: the cookie of its name, domain and path is gone, if there was one.
    Deleted,
    /// Nothing happened.
    Refused,
}

/// What a browser did with a line, and why.
///
/// `Display` is one line for a person, without the cookie's value.
///
/// ```
/// use cloakroom_cookie::browser::{Address, Browser, Outcome, Reason};
///
/// let address = Address::parse("https://shop.example/")?;
/// let verdict = Browser::firefox().judge(b"id=1; Max-Age=99999999", &address, 0);
/// assert_eq!(verdict.outcome(), Outcome::Changed);
/// assert_eq!(verdict.reasons(), [Reason::AgeCapped]);
/// assert_eq!(
///     verdict.to_string(),
///     "stored, but changed: a cookie lives 400 days at most (RFC 6265bis section 5.5): \
///      ask for less, and renew it when the person comes back",
/// );
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a verdict says whether the cookie is there"]
pub struct Verdict {
    outcome: Outcome,
    reasons: Vec<Reason>,
    cookie: Option<StoredCookie>,
    crowded_out: Vec<StoredCookie>,
}

impl Verdict {
    pub(super) fn accepted(cookie: StoredCookie, notes: Vec<Reason>) -> Self {
        let outcome = match (cookie.expires, notes.is_empty()) {
            (Some(0), _) => Outcome::Deleted,
            (_, true) => Outcome::Stored,
            (_, false) => Outcome::Changed,
        };
        Self { outcome, reasons: notes, cookie: Some(cookie), crowded_out: Vec::new() }
    }

    pub(super) const fn refused(reasons: Vec<Reason>) -> Self {
        Self { outcome: Outcome::Refused, reasons, cookie: None, crowded_out: Vec::new() }
    }

    pub(super) fn with_crowded_out(mut self, crowded_out: Vec<StoredCookie>) -> Self {
        self.crowded_out = crowded_out;
        self
    }

    /// What happened.
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Whether the cookie is there now.
    pub const fn is_stored(&self) -> bool {
        match self.outcome {
            Outcome::Stored | Outcome::Changed => true,
            Outcome::Deleted | Outcome::Refused => false,
        }
    }

    /// Why: every reason to refuse it, or else everything that was changed, in the order in which
    /// browsers come to it.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// The cookie as it was accepted; `None` if it was refused.
    ///
    /// For [`Outcome::Deleted`] it names what was deleted, and has [ended](StoredCookie::expires).
    pub const fn cookie(&self) -> Option<&StoredCookie> {
        self.cookie.as_ref()
    }

    /// The cookies that had to go from a [`Jar`](super::Jar) for this one.
    pub fn crowded_out(&self) -> &[StoredCookie] {
        &self.crowded_out
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.outcome {
            Outcome::Stored => "stored",
            Outcome::Changed => "stored, but changed",
            Outcome::Deleted => "deletes the cookie",
            Outcome::Refused => "refused",
        })?;
        for (index, reason) in self.reasons.iter().enumerate() {
            let (before, source) = (if index == 0 { ": " } else { "; also: " }, reason.source());
            write!(f, "{before}{reason} ({source}): {}", reason.remedy())?;
        }
        Ok(())
    }
}
