//! Whose session it is and how they proved it.

use std::fmt;
use std::ops::BitOr;

use crate::names::UserId;
use crate::timestamp::Timestamp;

/// Whose session it is, how they proved it and when. Anonymous until it has a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The user, or nobody yet.
    pub user: Option<UserId>,
    /// What the user proved in this session.
    pub factors: Factors,
    /// When the user last proved it; `None` for anonymous and remembered sessions.
    pub authenticated_at: Option<Timestamp>,
    /// Until when the ticket may open a new session of the same user after its clocks ran out.
    pub remembered_until: Option<Timestamp>,
}

impl Identity {
    /// Nobody.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self { user: None, factors: Factors::NONE, authenticated_at: None, remembered_until: None }
    }

    /// A user who proved `factors` at `at`.
    #[must_use]
    pub const fn signed_in(user: UserId, factors: Factors, at: Timestamp) -> Self {
        Self { user: Some(user), factors, authenticated_at: Some(at), remembered_until: None }
    }

    /// The same user, remembered until `until`.
    #[must_use]
    pub const fn remembered_until(mut self, until: Timestamp) -> Self {
        self.remembered_until = Some(until);
        self
    }

    /// What is left of this identity when its session's clocks ran out but the ticket is still
    /// remembered: the user, the factor [`Factors::REMEMBERED`], and nothing fresh.
    #[must_use]
    pub fn resumed(&self) -> Self {
        Self { factors: Factors::REMEMBERED, authenticated_at: None, ..self.clone() }
    }
}

/// A set of the ways in which a user can prove who they are.
///
/// ```
/// use cloakroom_store::Factors;
///
/// let both = Factors::PASSWORD | Factors::TOTP;
/// assert!(both.contains(Factors::TOTP));
/// assert_eq!(both.to_string(), "password+totp");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Factors(u16);

impl Factors {
    /// Nothing was proved.
    pub const NONE: Self = Self(0);
    /// A password.
    pub const PASSWORD: Self = Self(1);
    /// A time-based one-time code (RFC 6238).
    pub const TOTP: Self = Self(1 << 1);
    /// A passkey or security key (WebAuthn).
    pub const PASSKEY: Self = Self(1 << 2);
    /// A code or link sent by e-mail.
    pub const EMAIL: Self = Self(1 << 3);
    /// An assertion of another identity provider.
    pub const FEDERATED: Self = Self(1 << 4);
    /// A recovery code.
    pub const RECOVERY: Self = Self(1 << 5);
    /// Nothing in this session: the ticket of an earlier one was remembered.
    pub const REMEMBERED: Self = Self(1 << 6);

    const NAMES: [(Self, &'static str); 7] = [
        (Self::PASSWORD, "password"),
        (Self::TOTP, "totp"),
        (Self::PASSKEY, "passkey"),
        (Self::EMAIL, "email"),
        (Self::FEDERATED, "federated"),
        (Self::RECOVERY, "recovery"),
        (Self::REMEMBERED, "remembered"),
    ];

    /// Whether every factor of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set as a number, for stores.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set of this number; bits without a meaning yet are kept, so that an older service
    /// does not lose what a newer one wrote.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// This set without the factors of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Factors {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Factors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (_, name) in Self::NAMES.iter().filter(|(factor, _)| self.contains(*factor)) {
            write!(f, "{between}{name}")?;
            between = "+";
        }
        if between.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

impl fmt::Debug for Factors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Factors({self})")
    }
}

/// The longest user agent that is kept, in bytes: enough to name a browser and its system.
pub const USER_AGENT_MAX: usize = 256;

/// What a device list shows of the browser that holds the ticket.
///
/// It is told by the client and proves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// The `User-Agent` header, cut to [`USER_AGENT_MAX`] bytes, without control characters.
    pub user_agent: Option<Box<str>>,
}

impl ClientInfo {
    /// A client that says it is `text`.
    ///
    /// ```
    /// use cloakroom_store::ClientInfo;
    ///
    /// let client = ClientInfo::with_user_agent(&"x".repeat(9_000));
    /// assert_eq!(client.user_agent.unwrap().len(), 256);
    /// ```
    #[must_use]
    pub fn with_user_agent(text: &str) -> Self {
        let mut kept = String::new();
        for c in text.chars().filter(|c| !c.is_control()) {
            if kept.len() + c.len_utf8() > USER_AGENT_MAX {
                break;
            }
            kept.push(c);
        }
        Self { user_agent: (!kept.is_empty()).then(|| kept.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_cut_at_its_limit() {
        let client = ClientInfo::with_user_agent(&"\u{e9}".repeat(USER_AGENT_MAX));

        let kept = client.user_agent.unwrap();
        assert_eq!(kept.len(), USER_AGENT_MAX);
        assert!(kept.chars().all(|c| c == '\u{e9}'));
    }
}
