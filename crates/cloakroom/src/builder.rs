//! How a service says what its sessions are like.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_cookie::SameSite;

use crate::clock::{Clock, SystemClock};
use crate::data::SessionData;
use crate::manager::Manager;
use crate::policy::{Assurance, Nodes, PolicyError, SignIn, Wishes};
use crate::sessions::Sessions;
use crate::store::{Limit, Registry};

/// The rules of a service's sessions, until [`build`](Self::build) checks them. What is not said
/// has a safe default.
#[must_use = "nothing is checked until it is built"]
pub struct Builder<T> {
    store: Arc<dyn Registry>,
    clock: Arc<dyn Clock>,
    wishes: Wishes,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> Builder<T> {
    pub(crate) fn new(store: Arc<dyn Registry>) -> Self {
        let (clock, wishes) = (Arc::new(SystemClock), Wishes::default());
        Self { store, clock, wishes, data: PhantomData }
    }

    fn wish(mut self, change: impl FnOnce(&mut Wishes)) -> Self {
        change(&mut self.wishes);
        self
    }

    /// The last part of the cookie's name, for several applications on one host; `session` if
    /// nothing is said, which makes `__Host-Http-session`.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.wish(|wishes| wishes.name = name.into())
    }

    /// The idle timeout; 30 minutes if nothing is said.
    pub fn idle_timeout(self, span: Duration) -> Self {
        self.wish(|wishes| wishes.idle = span)
    }

    /// The absolute timeout, which no activity moves; 12 hours if nothing is said.
    pub fn absolute_timeout(self, span: Duration) -> Self {
        self.wish(|wishes| wishes.absolute = span)
    }

    /// Both timeouts of an assurance level of NIST SP 800-63B-4.
    pub fn assurance(self, level: Assurance) -> Self {
        self.wish(|wishes| wishes.assure(level))
    }

    /// How often activity is recorded at most; the lesser of a minute and a twentieth of the idle
    /// timeout if nothing is said. A session may end this much too early, and never too late.
    pub fn touch_every(self, span: Duration) -> Self {
        self.wish(|wishes| wishes.touch_every = Some(span))
    }

    /// How long a user who asks for it is remembered; 30 days if nothing is said.
    pub fn remember_for(self, span: Duration) -> Self {
        self.wish(|wishes| wishes.remember = Some(span))
    }

    /// Gives signed-in and anonymous sessions alike a new token each time this span has passed.
    pub fn renew_every(self, span: Duration) -> Self {
        self.wish(|wishes| wishes.renew_every = Some(span))
    }

    /// How long an old token is recognised after a renewal: `grace` once the new one was seen, and
    /// `cap` at most; 20 seconds and 10 minutes if nothing is said.
    pub fn renewal_grace(self, grace: Duration, cap: Duration) -> Self {
        self.wish(|wishes| (wishes.grace, wishes.grace_cap) = (grace, cap))
    }

    /// How many sessions a user may have (ASVS 5.0 7.1.2); any number if nothing is said.
    pub fn per_user(self, limit: Limit) -> Self {
        self.wish(|wishes| wishes.limit = Some(limit))
    }

    /// What a visitor gets where only signed-in users may go; the status 401 if nothing is said.
    pub fn sign_in(self, sign_in: SignIn) -> Self {
        self.wish(|wishes| wishes.sign_in = sign_in)
    }

    /// Sends the cookie with top-level links from other sites no more (`SameSite=Strict`).
    pub fn same_site_strict(self) -> Self {
        self.wish(|wishes| wishes.same_site = SameSite::Strict)
    }

    /// For a service that lives in frames of other sites: `SameSite=None; Partitioned`, one session
    /// per embedding site.
    pub fn embedded(self) -> Self {
        self.wish(|wishes| wishes.embedded = true)
    }

    /// Shares the session with every host below `domain`. Weaker: any of them can read and plant
    /// the cookie, and the `__Host-` guarantee is gone.
    pub fn shared_domain(self, domain: impl Into<String>) -> Self {
        self.wish(|wishes| wishes.domain = Some(domain.into()))
    }

    /// The service's own origins, such as `https://shop.example`, where a proxy does not pass the
    /// `Host` header on.
    pub fn own_origin(self, origin: impl Into<String>) -> Self {
        self.wish(|wishes| wishes.own_origins.push(origin.into()))
    }

    /// Another origin whose pages may send unsafe requests.
    pub fn trusted_origin(self, origin: impl Into<String>) -> Self {
        self.wish(|wishes| wishes.trusted_origins.push(origin.into()))
    }

    /// Leaves the cross-origin check out for a path and what is below it, and says why the service
    /// can do without it there.
    pub fn exempt(self, path: impl Into<String>, reason: impl Into<String>) -> Self {
        self.wish(|wishes| wishes.exemptions.push((path.into(), reason.into())))
    }

    /// Commits a handler's edits even if it answers with a status of 500 or above.
    pub fn keep_on_error(self) -> Self {
        self.wish(|wishes| wishes.keep_on_error = true)
    }

    /// How long a store call may take before the request is answered with 503; 2 seconds if
    /// nothing is said.
    pub fn store_wait(self, span: Duration) -> Self {
        self.wish(|wishes| wishes.store_wait = span)
    }

    /// The service runs in several processes of one machine.
    pub fn several_processes(self) -> Self {
        self.wish(|wishes| wishes.nodes = Nodes::OneHost)
    }

    /// The service runs on several machines.
    pub fn several_machines(self) -> Self {
        self.wish(|wishes| wishes.nodes = Nodes::ManyHosts)
    }

    /// Where the time comes from; for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Accepts a store that forgets: a restart signs everybody out, and a crash may bring back
    /// nobody but lose sign-outs of a moment ago with the sessions.
    pub fn dangerous_sessions_end_with_the_process(self) -> Self {
        self.wish(|wishes| wishes.accept_loss = true)
    }

    /// Writes the cookie without `Secure` and without a prefix, for browsers that keep no `Secure`
    /// cookie on `http://localhost` (Safari). Requests for another host than this machine are
    /// refused.
    pub fn dangerous_plain_http_cookie(self) -> Self {
        self.wish(|wishes| wishes.plain_http = true)
    }

    /// Checks the rules.
    ///
    /// # Errors
    ///
    /// The first contradiction, with its remedy.
    pub fn build(self) -> Result<Sessions<T>, PolicyError> {
        let policy = self.wishes.check(&*self.store)?;
        let (keep_on_login, keep_on_logout) = (T::ON_LOGIN, T::ON_LOGOUT);
        let manager = Manager::new(self.store, policy, self.clock, keep_on_login, keep_on_logout);
        Ok(Sessions::new(manager))
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("store", &self.store.name())
            .field("wishes", &self.wishes)
            .finish_non_exhaustive()
    }
}
