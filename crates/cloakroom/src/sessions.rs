//! What a service sets up once: the sessions, their rules and their store.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, Response, StatusCode, Uri};

use crate::builder::Builder;
use crate::data::SessionData;
#[cfg(feature = "axum")]
use crate::error::Error;
use crate::error::Result;
use crate::manager::Manager;
use crate::roles;
use crate::session::Session;
use crate::sign_in;
use crate::store::{
    By, Count, End, Ended, Ending, Page, Reason, Record, Registry, SessionId, StoreError, Target,
    Timestamp, UserId,
};
use crate::view::View;
use crate::visit::Visit;

/// The sessions of one service, with data of type `T`. Cheap to clone.
///
/// ```
/// use cloakroom::{MemoryStore, Sessions};
/// use std::time::Duration;
///
/// let sessions = Sessions::<()>::builder(MemoryStore::new())
///     .dangerous_sessions_end_with_the_process()
///     .idle_timeout(Duration::from_secs(15 * 60))
///     .build()?;
/// assert_eq!(sessions.cookie_name(), "__Host-Http-session");
/// # Ok::<(), cloakroom::PolicyError>(())
/// ```
pub struct Sessions<T> {
    pub(crate) manager: Arc<Manager>,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> Sessions<T> {
    /// Sessions that are kept in `store`.
    pub fn builder(store: impl Registry) -> Builder<T> {
        Builder::new(Arc::new(store))
    }

    pub(crate) fn new(manager: Manager) -> Self {
        Self { manager: Arc::new(manager), data: PhantomData }
    }

    /// Takes a request in: reads its cookie and decides whether it may pass the gate. No store is
    /// asked. This is the adapters' door.
    ///
    /// # Errors
    ///
    /// The gate refused the request; [`Error::to_response`](crate::Error::to_response) is the answer.
    pub fn open(&self, method: &Method, uri: &Uri, headers: &mut HeaderMap) -> Result<Scope<T>> {
        Visit::open(&self.manager, method, uri, headers).map(Scope::new)
    }
}

/// What operators do.
impl<T> Sessions<T> {
    /// The sessions of one user, dormant ones included.
    ///
    /// # Errors
    ///
    /// The text is no user id, or the store is away.
    pub async fn list<U>(&self, user: U) -> Result<Vec<Record>>
    where
        U: TryInto<UserId>,
        U::Error: Into<StoreError>,
    {
        self.manager.list(&user.try_into().map_err(Into::into)?).await
    }

    /// Ends one session on somebody's behalf. `false` if it was over already.
    ///
    /// # Errors
    ///
    /// The store is away.
    pub async fn revoke(&self, session: SessionId, by: By) -> Result<bool> {
        self.manager.end(session, Ending::revoked(by)).await
    }

    /// Ends all sessions of one user, as when an account is closed (ASVS 5.0 7.4.2), and says how
    /// many they were.
    ///
    /// # Errors
    ///
    /// The text is no user id, or the store is away.
    pub async fn revoke_user<U>(&self, user: U, reason: Reason, by: By) -> Result<usize>
    where
        U: TryInto<UserId>,
        U::Error: Into<StoreError>,
    {
        let user = user.try_into().map_err(Into::into)?;
        self.manager.end_all(&user, None, Ending { reason, by }).await
    }

    /// Gives a user these roles and no others, in every session they have, and says in how many.
    /// It holds from the user's next request on.
    ///
    /// It reaches the sessions that exist. A sign-in that read the account before the change and
    /// lands after it would carry the old roles: change the account first, and let a sign-in that is
    /// under way finish or read again, as with a lock that both take.
    ///
    /// # Errors
    ///
    /// The text is no user id, or the store is away.
    pub async fn set_roles<U>(&self, user: U, roles: &[&str]) -> Result<u64>
    where
        U: TryInto<UserId>,
        U::Error: Into<StoreError>,
    {
        let user = user.try_into().map_err(Into::into)?;
        let ops = roles::replaced_by(roles)?;
        let manager = &self.manager;
        let now = manager.now();
        manager.order("amend", |store| store.amend(&user, &ops, now)).await
    }

    /// How many sessions there are.
    ///
    /// # Errors
    ///
    /// The store is away.
    pub async fn count(&self) -> Result<Count> {
        let now = self.manager.now();
        self.manager.ask("count", |store, _| store.count(now)).await
    }

    /// Removes what has expired now, as the sweeper does each minute, and says how much.
    ///
    /// # Errors
    ///
    /// The store is away.
    pub async fn sweep(&self) -> Result<u64> {
        self.manager.sweep().await
    }

    /// Whether the store is away, so that this process answers requests without asking it, but for
    /// one at a time that tries. For a metric or a page for operators; a health check that takes the
    /// process out of service for it would take every process out at once.
    #[must_use]
    pub fn is_store_away(&self) -> bool {
        self.manager.circuit.is_open()
    }

    /// Takes no more requests, and waits at most `deadline` for commits and touches under way.
    /// `false` if some are still running. The store stays open: what is embedded is closed after
    /// it, as with `SqliteStore::close` on a clone of the store.
    pub async fn shutdown(&self, deadline: Duration) -> bool {
        self.manager.shutdown(deadline).await
    }

    /// The time as the sessions see it, for an application that says "5 minutes ago".
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.manager.now()
    }

    /// The name of the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        self.manager.policy.cookie.name().as_str()
    }

    /// What the policy allows that is weaker than the default, in sentences for a report.
    #[must_use]
    pub fn weaknesses(&self) -> &[String] {
        &self.manager.policy.weaknesses
    }
}

impl Manager {
    /// All sessions of a user, page by page.
    pub(crate) async fn list(&self, user: &UserId) -> Result<Vec<Record>> {
        const PAGE: u32 = 100;
        let mut all = Vec::new();
        loop {
            let page = Page { after: all.last().map(Record::id), limit: PAGE };
            let now = self.now();
            let records = self.ask("list", |store, _| store.list(user, page, now)).await?;
            let is_last = records.len() < PAGE as usize;
            all.extend(records);
            if is_last {
                return Ok(all);
            }
        }
    }

    pub(crate) async fn end(&self, session: SessionId, ending: Ending) -> Result<bool> {
        let (target, now) = (Target::Id(session), self.now());
        match self.order("end", |store| store.end(target, ending, now)).await? {
            End::Ended(record) => {
                crate::event::ended(record.id(), ending.reason.code(), ending.by.as_str());
                Ok(true)
            }
            End::Stale | End::Gone(_) => Ok(false),
        }
    }

    pub(crate) async fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
    ) -> Result<usize> {
        let now = self.now();
        let ended =
            self.order("end_all", |store| store.end_all(user, except, ending, now)).await?.ended;
        for session in &ended {
            crate::event::ended(*session, ending.reason.code(), ending.by.as_str());
        }
        Ok(ended.len())
    }
}

/// One request on its way through the service: an adapter keeps it where handlers find it, and
/// closes it when the response's head is there.
pub struct Scope<T> {
    visit: Arc<Visit>,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> Scope<T> {
    fn new(visit: Arc<Visit>) -> Self {
        Self { visit, data: PhantomData }
    }

    /// The visitor's session, loaded if nobody has loaded it yet.
    ///
    /// # Errors
    ///
    /// The store is away or cannot read the session.
    pub async fn session(&self) -> Result<Session<T>> {
        Session::load(Arc::clone(&self.visit)).await
    }

    /// A read-only view of the session, which is anonymous while the store is away.
    ///
    /// # Errors
    ///
    /// The store cannot read the session.
    pub async fn view(&self) -> Result<View<T>> {
        View::load(Arc::clone(&self.visit)).await
    }

    /// From here on the request does not count as activity.
    pub fn make_passive(&self) {
        self.visit.make_passive();
    }

    /// From here on only what the store itself says will do: the session is loaded past every cache
    /// in front of the store, again if it was loaded before.
    pub fn require_fresh(&self) {
        self.visit.require_fresh();
    }

    /// Commits what the handler left and puts the session's headers on its response. Gives a
    /// response to send in the handler's place if its changes could not be stored.
    pub async fn close(
        &self,
        status: StatusCode,
        headers: &mut HeaderMap,
    ) -> Option<Response<String>> {
        self.visit.close(status, headers).await
    }

    /// Why the session is over that the ticket was for, if anybody asked for the session.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        self.visit.known().and_then(|standing| standing.ended())
    }

    /// What the policy's [`SignIn`](crate::SignIn) answers to a visitor who has to sign in first.
    #[must_use]
    pub fn sign_in_first(&self, method: &Method) -> Response<String> {
        sign_in::please(&self.visit.manager.policy.sign_in, method, self.visit.uri())
    }

    #[cfg(feature = "axum")]
    pub(crate) const fn visit(&self) -> &Arc<Visit> {
        &self.visit
    }
}

impl<T> Clone for Sessions<T> {
    fn clone(&self) -> Self {
        Self { manager: Arc::clone(&self.manager), data: PhantomData }
    }
}

impl<T> fmt::Debug for Sessions<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.manager.fmt(f)
    }
}

impl<T> Clone for Scope<T> {
    fn clone(&self) -> Self {
        Self { visit: Arc::clone(&self.visit), data: PhantomData }
    }
}

impl<T> fmt::Debug for Scope<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visit.fmt(f)
    }
}

/// An error of a handler that asks for a session where there is no layer.
#[cfg(feature = "axum")]
pub(crate) fn no_layer(data: &str) -> Error {
    Error::new(
        crate::error::ErrorKind::NoLayer,
        format!(
            "a handler asks for the session of `{data}`, but its route is outside of the session \
             layer: add `.layer(sessions.layer())` after the routes, with the same data type"
        ),
    )
}
