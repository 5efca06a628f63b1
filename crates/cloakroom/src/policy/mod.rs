//! The checked, immutable rules of a service's sessions.

mod check;

use std::time::Duration;

use cloakroom_cookie::{CookieDefinition, CookieDefinitionBuilder, Lives, SameSite};

use crate::gate::Gate;
use crate::store::{
    ClientInfo, Draft, Identity, Limit, Ops, Record, SessionId, Times, Timestamp, Touch,
};

pub(crate) use check::Nodes;
pub use check::PolicyError;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Idle timeout when nothing else is said (ASVS 5.0 7.3.1; NIST SP 800-63B-4 allows an hour).
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// Absolute timeout when nothing else is said: a working day (NIST SP 800-63B-4 2.3.3).
pub const ABSOLUTE_TIMEOUT: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a user who asks for it is remembered.
pub const REMEMBER: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long the old token is recognised after the new one has been seen: longer than the parallel
/// requests of a page, shorter than a thief needs.
pub const GRACE: Duration = Duration::from_secs(20);
/// How long the old token is recognised at most, if the new one never arrives.
pub const GRACE_CAP: Duration = Duration::from_secs(10 * 60);
/// How long one store call may take before the request is answered without it.
pub const STORE_WAIT: Duration = Duration::from_secs(2);

/// An assurance level whose timeouts a service can take over as they are
/// (NIST SP 800-63B-4 2.1.3, 2.2.3 and 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assurance {
    /// At most 30 days overall; idle as long.
    Aal1,
    /// At most 24 hours overall, one hour idle.
    Aal2,
    /// At most 12 hours overall, 15 minutes idle.
    Aal3,
}

impl Assurance {
    /// Idle and absolute timeout.
    ///
    /// ```
    /// use cloakroom::Assurance;
    ///
    /// let (idle, absolute) = Assurance::Aal3.timeouts();
    /// assert_eq!((idle.as_secs(), absolute.as_secs()), (15 * 60, 12 * 60 * 60));
    /// ```
    #[must_use]
    pub fn timeouts(self) -> (Duration, Duration) {
        match self {
            Self::Aal1 => (30 * DAY, 30 * DAY),
            Self::Aal2 => (HOUR, DAY),
            Self::Aal3 => (15 * MINUTE, 12 * HOUR),
        }
    }
}

/// What a visitor gets where only signed-in users may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SignIn {
    /// The status 401.
    #[default]
    Unauthorized,
    /// A redirect to this path, with the wanted one in the query parameter `next`.
    Redirect(String),
}

/// The checked rules. Nothing in here can contradict itself.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The cookie of a session that ends with the browser.
    pub(crate) cookie: CookieDefinition,
    /// The same for a remembered user, but for how long it lives.
    pub(crate) remembered_cookie: CookieDefinitionBuilder,
    pub(crate) plain_http: bool,
    pub(crate) idle: Duration,
    pub(crate) absolute: Duration,
    pub(crate) touch_every: Duration,
    pub(crate) remember: Duration,
    pub(crate) renew_every: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) grace_cap: Duration,
    pub(crate) limit: Option<Limit>,
    pub(crate) keep_on_error: bool,
    pub(crate) store_wait: Duration,
    pub(crate) sign_in: SignIn,
    pub(crate) gate: Gate,
    pub(crate) weaknesses: Vec<String>,
}

impl Policy {
    /// The clocks of a session that begins now.
    pub(crate) fn times(&self, now: Timestamp) -> Times {
        let absolute_deadline = now.plus(self.absolute);
        Times {
            created: now,
            seen: now,
            idle_deadline: now.plus(self.idle).min(absolute_deadline),
            absolute_deadline,
        }
    }

    /// The cookie of a user who is remembered until `until`: it ends with what the server promises.
    pub(crate) fn remembered_cookie(
        &self,
        until: Timestamp,
        now: Timestamp,
    ) -> Option<CookieDefinition> {
        let left = Duration::from_secs(until.since(now).as_secs().max(1));
        self.remembered_cookie.clone().lives(Lives::For(left)).build().ok()
    }

    /// A session that begins now.
    pub(crate) fn draft(
        &self,
        id: SessionId,
        identity: Identity,
        client: ClientInfo,
        ops: Ops,
        now: Timestamp,
    ) -> Draft {
        Draft { id, identity, times: self.times(now), client, ops }
    }

    /// Whether this is the first activity since another span of `renew_every` began. The spans are
    /// counted from the sign-in, or from the creation of an anonymous session.
    pub(crate) fn renewal_due(&self, record: &Record, now: Timestamp) -> bool {
        let Some(every) = self.renew_every else { return false };
        let Times { created, seen, .. } = *record.times();
        let from = record.identity().authenticated_at.unwrap_or(created);
        let spans = |at: Timestamp| at.since(from).as_millis() / every.as_millis().max(1);
        spans(now) > spans(seen)
    }

    /// The activity of a request at `now`, if the last one that was recorded is long enough ago.
    pub(crate) fn touch_due(&self, times: &Times, now: Timestamp) -> Option<Touch> {
        (now.since(times.seen) >= self.touch_every)
            .then(|| Touch { seen: now, idle_deadline: now.plus(self.idle) })
    }
}

/// What a service says of its sessions, before it is checked.
#[derive(Clone, Debug)]
pub(crate) struct Wishes {
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) same_site: SameSite,
    pub(crate) embedded: bool,
    pub(crate) plain_http: bool,
    pub(crate) idle: Duration,
    pub(crate) absolute: Duration,
    pub(crate) touch_every: Option<Duration>,
    pub(crate) remember: Option<Duration>,
    pub(crate) renew_every: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) grace_cap: Duration,
    pub(crate) limit: Option<Limit>,
    pub(crate) nodes: Nodes,
    pub(crate) accept_loss: bool,
    pub(crate) keep_on_error: bool,
    pub(crate) store_wait: Duration,
    pub(crate) sign_in: SignIn,
    pub(crate) own_origins: Vec<String>,
    pub(crate) trusted_origins: Vec<String>,
    pub(crate) exemptions: Vec<(String, String)>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            name: "session".to_owned(),
            domain: None,
            same_site: SameSite::Lax,
            embedded: false,
            plain_http: false,
            idle: IDLE_TIMEOUT,
            absolute: ABSOLUTE_TIMEOUT,
            touch_every: None,
            remember: None,
            renew_every: None,
            grace: GRACE,
            grace_cap: GRACE_CAP,
            limit: None,
            nodes: Nodes::OneProcess,
            accept_loss: false,
            keep_on_error: false,
            store_wait: STORE_WAIT,
            sign_in: SignIn::Unauthorized,
            own_origins: Vec::new(),
            trusted_origins: Vec::new(),
            exemptions: Vec::new(),
        }
    }
}
