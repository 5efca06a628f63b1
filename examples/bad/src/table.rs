//! Who is signed in: users and sessions, in memory, behind one lock.

use std::collections::{BTreeMap, BTreeSet};

use crate::entropy;

/// A session ends when nobody uses it for so long, in seconds.
pub(crate) const IDLE: u64 = 30 * 60;
/// It ends at this age however much it is used, in seconds.
pub(crate) const ABSOLUTE: u64 = 12 * 60 * 60;
/// How long "remember me" remembers, in seconds.
pub(crate) const REMEMBERED: u64 = 7 * 24 * 60 * 60;
/// How long a token that was renewed still works for requests under way, in seconds.
pub(crate) const GRACE: u64 = 20;
/// How many sessions a user may have: the oldest makes way.
pub(crate) const SESSIONS_MOST: usize = 5;

/// What is known of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) user: Option<String>,
    /// What is in the cart.
    pub(crate) items: u64,
    /// How many reports were made.
    pub(crate) reports: u64,
    /// Goes with every form of this session.
    pub(crate) form_token: String,
    /// Which sign-in it belongs to: all of its sessions end together.
    pub(crate) sign_in: u64,
    pub(crate) began: u64,
    pub(crate) seen: u64,
    /// Whether the password was given again.
    pub(crate) is_fresh: bool,
    /// Whether its cookie outlives the browser, and the session the idle timeout.
    pub(crate) is_remembered: bool,
    /// Where it went on, and since when.
    pub(crate) renewed: Option<(String, u64)>,
    /// The session of the user who signed in with this token, which whoever shares it is given.
    pub(crate) led_to: Option<String>,
    /// The token from which it was renewed in passing.
    pub(crate) parent: Option<String>,
}

impl Session {
    pub(crate) fn of(user: Option<&str>, now: u64) -> Self {
        Self {
            user: user.map(str::to_owned),
            items: 0,
            reports: 0,
            form_token: entropy::hex(16),
            sign_in: 0,
            began: now,
            seen: now,
            is_fresh: false,
            is_remembered: false,
            renewed: None,
            led_to: None,
            parent: None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) password: String,
    pub(crate) shown_name: String,
}

/// All that the application knows.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) users: BTreeMap<String, User>,
    /// By token.
    pub(crate) sessions: BTreeMap<String, Session>,
    /// Every form token that was ever given.
    pub(crate) form_tokens: BTreeSet<String>,
    /// Tokens that a sign-in replaced: requests from before it may still bring them.
    pub(crate) replaced: BTreeSet<String>,
    pub(crate) counted: u64,
    /// What all strangers, or all sessions of a user, are given where tokens are shared.
    pub(crate) shared: BTreeMap<String, String>,
}

impl Table {
    pub(crate) fn new() -> Self {
        let user = |name: &str, password: &str, shown: &str| {
            let user = User { password: password.to_owned(), shown_name: shown.to_owned() };
            (name.to_owned(), user)
        };
        Self {
            users: BTreeMap::from([
                user("ada", "analytical engine", "Ada"),
                user("bea", "difference engine", "Bea"),
            ]),
            sessions: BTreeMap::new(),
            form_tokens: BTreeSet::new(),
            replaced: BTreeSet::new(),
            counted: 0,
            shared: BTreeMap::new(),
        }
    }

    pub(crate) fn is_password(&self, name: &str, password: &str) -> bool {
        self.users.get(name).is_some_and(|user| user.password == password)
    }

    pub(crate) fn insert(&mut self, token: &str, session: Session) {
        self.form_tokens.insert(session.form_token.clone());
        self.sessions.insert(token.to_owned(), session);
    }

    pub(crate) const fn count(&mut self) -> u64 {
        self.counted += 1;
        self.counted
    }

    /// Ends a token, and those from which it was renewed.
    pub(crate) fn end_line(&mut self, token: &str) {
        let mut next = Some(token.to_owned());
        while let Some(token) = next {
            next = self.sessions.remove(&token).and_then(|session| session.parent);
        }
    }

    /// Ends what began with this sign-in.
    pub(crate) fn end_sign_in(&mut self, sign_in: u64) {
        self.sessions.retain(|_, session| session.user.is_none() || session.sign_in != sign_in);
    }

    /// Ends all sessions of a user but those of one sign-in.
    pub(crate) fn end_others(&mut self, user: &str, kept: u64) {
        self.sessions
            .retain(|_, session| session.user.as_deref() != Some(user) || session.sign_in == kept);
    }

    /// Makes room for one more session of a user.
    pub(crate) fn make_room(&mut self, user: &str) {
        let mut sign_ins: Vec<u64> = self
            .sessions
            .values()
            .filter(|session| session.user.as_deref() == Some(user))
            .map(|session| session.sign_in)
            .collect();
        sign_ins.sort_unstable();
        sign_ins.dedup();
        let over = (sign_ins.len() + 1).saturating_sub(SESSIONS_MOST);
        for sign_in in sign_ins.into_iter().take(over) {
            self.end_sign_in(sign_in);
        }
    }
}
