//! One request's way through the rooms: what it came with, what it loaded, what it changed.
//!
//! A visit belongs to one request and is shared by all handles that its handlers extract. Calls
//! that talk to the store take turns; the state is locked only to look at it or to change it.

mod close;
mod edit;
mod identity;
mod load;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::{COOKIE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Uri};
use tokio::time::timeout;

use crate::error::{Error, Result};
use crate::event;
use crate::gate::{self, Refusal};
use crate::manager::Manager;
use crate::store::{ClientInfo, Ended, Key, Record, SessionId, Timestamp, Touch};
use crate::ticket::Token;

pub(crate) use edit::Edit;
pub(crate) use identity::Login;
pub(crate) use load::ROLES;
use load::Tickets;

/// How many store calls one call of a handler makes at most, one after the other: a sign-in may
/// load a session, resume it, land the edits that wait, try to replace it, and begin one without it.
const CALLS_MAX: u32 = 5;

pub(crate) struct Visit {
    pub(crate) manager: Arc<Manager>,
    tickets: Tickets,
    user_agent: Option<HeaderValue>,
    /// What was asked for, before routers took their parts of it away.
    uri: Uri,
    safe_method: bool,
    /// Whether this request counts as activity once it has loaded the session.
    active: AtomicBool,
    /// Only what the store itself says will do.
    fresh: AtomicBool,
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Somebody asked who the visitor is, so the response depends on it.
    asked: bool,
    standing: Option<Standing>,
    /// The store itself said so, and no cache in front of it, or this request made it so.
    is_fresh: bool,
    edits: Vec<Edit>,
    /// Why edits were lost, or may have been, before the end of the request.
    lost: Option<Error>,
    touch: Option<Touch>,
    /// The token is due to be renewed.
    renewal: bool,
    cookie: Option<CookieChange>,
    /// The keys of several tickets, or of too many, that may lead to a session whatever this request
    /// does.
    others: Vec<Key>,
    closed: bool,
}

/// Where the request stands.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// No session; with the ending of the one that the ticket was for, if it is still known.
    Anonymous { ended: Option<Ended> },
    /// A remembered user whose clocks ran out, seen by a request that is no activity. A change
    /// resumes the session first.
    Dormant { key: Key, record: Record },
    /// A live session.
    Present { key: Key, record: Record, forwarded: bool },
    /// A session that ended while the request ran: nothing can be changed any more, and nothing
    /// begins in its place unless somebody signs in.
    Lost { ended: Option<Ended> },
}

/// The identity change that this request committed last.
struct CookieChange {
    /// The new token, or none to delete the cookie.
    token: Option<Token>,
    remembered_until: Option<Timestamp>,
    mark: u64,
}

impl Visit {
    /// The cookie room, the ticket room and the gate. Asks no store.
    pub(crate) fn open(
        manager: &Arc<Manager>,
        method: &Method,
        uri: &Uri,
        headers: &mut HeaderMap,
    ) -> Result<Arc<Self>> {
        // Before anything can refuse the request: whoever logs a refusal has the headers too.
        hide_cookies(headers);
        if manager.is_closing() {
            return Err(Error::unavailable("the service is shutting down"));
        }
        manager.start_sweeper();
        let tickets = Tickets::read(manager.policy.cookie.name().as_str(), headers);
        let passed = check_gate(manager, method, uri, headers, &tickets);
        if let Err(refusal) = passed {
            event::refused(refusal.code(), method, uri.path());
            return Err(refusal.into());
        }
        Ok(Arc::new(Self {
            manager: Arc::clone(manager),
            tickets,
            user_agent: headers.get(USER_AGENT).cloned(),
            uri: uri.clone(),
            safe_method: method.is_safe(),
            active: AtomicBool::new(*method != Method::HEAD && !is_prefetch(headers)),
            fresh: AtomicBool::new(false),
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::default(),
        }))
    }

    /// The right to talk to the store for this request. Another call of the same request keeps it for
    /// no longer than its store calls may take.
    async fn turn(&self) -> Result<tokio::sync::MutexGuard<'_, ()>> {
        if let Ok(turn) = self.turn.try_lock() {
            return Ok(turn);
        }
        let limit = self.manager.policy.store_wait.saturating_mul(CALLS_MAX);
        timeout(limit, self.turn.lock()).await.map_err(|_| {
            Error::unavailable("other calls of this request kept its session to themselves")
        })
    }

    /// From here on the request does not count as activity.
    pub(crate) fn make_passive(&self) {
        self.active.store(false, Ordering::Relaxed);
    }

    /// From here on only what the store itself says will do.
    pub(crate) fn require_fresh(&self) {
        self.fresh.store(true, Ordering::Relaxed);
    }

    fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state for a change, which is refused once the response has left.
    fn open_state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.closed { Err(Error::closed()) } else { Ok(state) }
    }

    /// What the visitor asked for.
    pub(crate) const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Where the request stands, if it has asked already.
    pub(crate) fn known(&self) -> Option<Standing> {
        self.state().standing.clone()
    }

    /// Where the request stands, unless the store itself has to be asked first.
    fn settled(&self) -> Option<Standing> {
        let state = self.state();
        let will_do = match &state.standing {
            None | Some(Standing::Lost { .. }) => true,
            Some(
                Standing::Anonymous { .. } | Standing::Dormant { .. } | Standing::Present { .. },
            ) => state.is_fresh || !self.fresh.load(Ordering::Relaxed),
        };
        state.standing.clone().filter(|_| will_do)
    }

    fn client(&self) -> ClientInfo {
        match self.user_agent.as_ref().and_then(|agent| agent.to_str().ok()) {
            Some(agent) => ClientInfo::with_user_agent(agent),
            None => ClientInfo::default(),
        }
    }
}

impl Standing {
    pub(crate) fn record(&self) -> Option<&Record> {
        match self {
            Self::Anonymous { .. } | Self::Dormant { .. } | Self::Lost { .. } => None,
            Self::Present { record, .. } => Some(record),
        }
    }

    /// The ending of the session that the ticket was for, if it is known.
    pub(crate) fn ended(&self) -> Option<Ended> {
        match self {
            Self::Anonymous { ended } | Self::Lost { ended } => *ended,
            Self::Dormant { record, .. } => record.ended(Timestamp::MAX),
            Self::Present { .. } => None,
        }
    }

    pub(crate) fn session_id(&self) -> Option<SessionId> {
        self.record().map(Record::id)
    }
}

/// Edits that nobody committed, because the handler panicked or its client went away.
impl Drop for Visit {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !state.edits.is_empty() {
            let session = state.standing.as_ref().and_then(Standing::session_id);
            event::edits_dropped(session, state.edits.len(), "the request did not end");
        }
    }
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visit").field("standing", &self.known()).finish_non_exhaustive()
    }
}

fn check_gate(
    manager: &Manager,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    tickets: &Tickets,
) -> Result<(), Refusal> {
    if manager.policy.plain_http && !gate::host_of(uri, headers).is_some_and(gate::is_loopback) {
        return Err(Refusal::PlainHttp);
    }
    manager.policy.gate.check(method, uri, headers, || !tickets.is_empty())
}

/// Debug output of the header map, as a trace layer prints it, leaves sensitive values out.
fn hide_cookies(headers: &mut HeaderMap) {
    if let http::header::Entry::Occupied(mut cookies) = headers.entry(COOKIE) {
        cookies.iter_mut().for_each(|value| value.set_sensitive(true));
    }
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    headers.get("sec-purpose").is_some_and(|purpose| {
        purpose.to_str().is_ok_and(|purpose| purpose.trim_start().starts_with("prefetch"))
    })
}
