//! The end of a request: one decision, at most one store call, and the headers of the response.

use std::sync::Arc;

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::{CookieChange, Standing, Visit};
use crate::commit::{self, Edits, Landing, Left, Reply, Then};
use crate::error::{Error, ErrorKind, Result};
use crate::event;
use crate::headers::{self, Seen};
use crate::store::{Expect, Ops, Registry};

impl Visit {
    /// Commits what the handler left and puts our headers on the response. Gives a response that
    /// has to be sent in the handler's place if what it promised could not be stored.
    pub(crate) async fn close(
        &self,
        status: StatusCode,
        headers: &mut HeaderMap,
    ) -> Option<Response<String>> {
        if self.close_untouched() {
            return None;
        }
        let turn = self.turn().await;
        self.state().closed = true;
        let landed = match turn {
            Ok(_turn) => self.carry_out(status).await,
            Err(error) => Err(error),
        };
        match self.reply(landed) {
            None => {
                self.put_headers(headers);
                None
            }
            Some(mut response) => {
                self.put_headers(response.headers_mut());
                Some(response)
            }
        }
    }

    /// Closes a request whose handler did not ask for its session: there is nothing to do.
    pub(crate) fn close_untouched(&self) -> bool {
        let mut state = self.state();
        let untouched = !state.asked && state.edits.is_empty();
        state.closed |= untouched;
        untouched
    }

    /// Whether sending the request again does no harm.
    #[cfg(feature = "axum")]
    pub(crate) const fn is_safe(&self) -> bool {
        self.safe_method
    }

    async fn carry_out(&self, status: StatusCode) -> Result<()> {
        let plan = commit::plan(status, self.manager.policy.keep_on_error, self.left());
        if let Some(error) = self.state().lost.take() {
            return Err(error);
        }
        match plan.edits {
            Edits::None => {}
            Edits::Commit => drop(self.change_in_turn(None).await?),
            Edits::Drop => self.drop_edits(),
        }
        match plan.then {
            Then::Nothing => {}
            Then::Touch => self.touch(),
            Then::Renew => self.renew_once().await,
        }
        Ok(())
    }

    /// Activity that a renewal leaves unrecorded must not end the session.
    async fn renew_once(&self) {
        let (manager, now) = (&self.manager, self.manager.now());
        let Some(id) = self.known().and_then(|standing| standing.session_id()) else { return };
        if !manager.renewals.claim(id, now, manager.policy.store_wait) {
            return self.touch();
        }
        if let Err(error) = self.renew_in_turn(None).await {
            manager.renewals.release(id);
            event::renewal_failed(error.code());
            self.touch();
        }
    }

    fn drop_edits(&self) {
        let edits = std::mem::take(&mut self.state().edits);
        let session = self.known().and_then(|standing| standing.session_id());
        event::edits_dropped(session, edits.len(), "the handler failed");
    }

    fn left(&self) -> Left {
        let state = self.state();
        let renewal = state.renewal && state.cookie.is_none();
        Left { edits: !state.edits.is_empty(), touch: state.touch.is_some(), renewal }
    }

    /// Records the activity; nobody waits for it, and parallel requests record it once.
    pub(super) fn touch(&self) {
        let (touch, standing) = {
            let mut state = self.state();
            (state.touch.take(), state.standing.clone())
        };
        let (Some(touch), Some(Standing::Present { key, record, .. })) = (touch, standing) else {
            return;
        };
        let manager = &self.manager;
        let (id, now) = (record.id(), manager.now());
        if !manager.touches.claim(id, now, manager.policy.touch_every) {
            return;
        }
        let touched =
            |store: &dyn Registry| store.commit(&key, Expect::Any, &Ops::new(), Some(touch), now);
        let releases = Arc::clone(manager);
        manager.follow("touch", touched, move |result| {
            if result.is_err() {
                releases.touches.release(id);
            }
        });
    }

    fn reply(&self, landed: Result<()>) -> Option<Response<String>> {
        let (landing, error) = match landed {
            Ok(()) => (Landing::Landed, None),
            Err(error) => (landing_of(&error), Some(error)),
        };
        match commit::reply(landing, self.safe_method) {
            Reply::Handlers => None,
            Reply::Error => error.map(|error| error.to_response(false)),
            Reply::ErrorOutcomeUnknown => error.map(|error| error.to_response(true)),
        }
    }

    fn put_headers(&self, headers: &mut HeaderMap) {
        let state = self.state();
        let set_cookie =
            state.cookie.as_ref().and_then(|change| self.set_cookie(change, &state.standing));
        let seen = match &state.standing {
            Some(Standing::Present { record, .. }) if record.identity().user.is_some() => {
                Seen::SignedIn
            }
            Some(_) => Seen::Anonymous,
            None if state.asked => Seen::Anonymous,
            None => Seen::Nothing,
        };
        headers::put_caching(headers, set_cookie.is_some(), seen);
        if let Some(value) = set_cookie {
            headers.append(SET_COOKIE, value);
        }
    }

    /// The cookie of an identity change, if this response is the one that owns it.
    fn set_cookie(
        &self,
        change: &CookieChange,
        standing: &Option<Standing>,
    ) -> Option<HeaderValue> {
        let came_out = match standing {
            Some(Standing::Present { key, .. }) => Some(*key),
            Some(Standing::Anonymous { .. } | Standing::Dormant { .. } | Standing::Lost { .. })
            | None => None,
        };
        let manager = &self.manager;
        if !manager.newest.is_newest(change.mark, self.tickets.iter(), came_out) {
            return None;
        }
        let (policy, now) = (&manager.policy, manager.now());
        let remembered =
            change.remembered_until.and_then(|until| policy.remembered_cookie(until, now));
        let definition = remembered.as_ref().unwrap_or(&policy.cookie);
        let cookie = match &change.token {
            Some(token) => definition.set(&token.ticket(), now.as_secs()).ok()?,
            None => definition.delete(),
        };
        headers::sensitive(&cookie.into_string())
    }
}

fn landing_of(error: &Error) -> Landing {
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::Contended | ErrorKind::Corrupt => Landing::Unknown,
        ErrorKind::Gone(_)
        | ErrorKind::Stale
        | ErrorKind::NotSignedIn
        | ErrorKind::LimitReached(_)
        | ErrorKind::Refused
        | ErrorKind::Closed
        | ErrorKind::NoLayer
        | ErrorKind::Refusal(_) => Landing::Lost,
    }
}
