//! Identity calls: each is one store call that is done when it is awaited, so that neither a later
//! error nor a client that hangs up can tear it.

use std::time::Duration;

use super::load::ROLES;
use super::{CookieChange, Standing, Visit};
use crate::entropy;
use crate::error::{Error, ErrorKind, Result};
use crate::event;
use crate::store::{
    By, Create, Draft, End, Ended, Ending, Factors, Identity, Keep, Key, Limit, Ops, Reason,
    Record, Registry, Rotate, Rotation, SessionId, Target, Times, Timestamp, Touch, UserId,
};
use crate::ticket::Token;

/// How often another token is tried when one is taken, which never happens.
const MINTS: u32 = 3;

/// Who signs in, and how.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) user: UserId,
    pub(crate) factors: Factors,
    pub(crate) remember: bool,
    pub(crate) roles: Vec<String>,
}

impl Visit {
    /// Begins a session of a user. An anonymous session, or one of the same user, hands over the
    /// fields that are declared to go along; another user's hands over nothing.
    pub(crate) async fn login(&self, login: Login) -> Result<()> {
        let _turn = self.turn().await?;
        drop(self.open_state()?);
        let standing = self.flushed().await?;
        let old = self.rotatable(&standing)?;
        if self.tickets.is_empty() {
            self.manager.returned.given_to_a_stranger();
        }
        let keep = match standing.record().and_then(|record| record.identity().user.as_ref()) {
            Some(user) if *user != login.user => Keep::nothing(),
            Some(_) | None => Keep::Only(self.manager.keep_on_login.to_vec()),
        };
        let limit = self.manager.policy.limit;
        let ending = Ending { reason: Reason::Replaced, by: By::HOLDER };
        let new = |now| self.login_draft(&login, now);
        let replaced = match old {
            Some(old) => self.replace(&old, &new, keep, limit, ending).await?,
            None => None,
        };
        let used_up = old.filter(|_| replaced.is_some());
        let (token, record, evicted) = match replaced {
            Some(done) => done,
            // The old session ended meanwhile: nothing of it goes along.
            None => self.create(&new, limit).await?,
        };
        event::signed_in(&record, &evicted);
        self.stand(token, record, used_up);
        Ok(())
    }

    /// Ends the session. Fields that are declared to go along begin an anonymous one.
    pub(crate) async fn logout(&self) -> Result<()> {
        let _turn = self.turn().await?;
        drop(self.open_state()?);
        let keep = self.manager.keep_on_logout;
        let standing = if keep.is_empty() {
            self.state().edits.clear();
            self.standing_for_change().await?
        } else {
            self.flushed().await?
        };
        let Some(old) = self.rotatable(&standing)? else { return Ok(()) };
        let session = standing.session_id();
        let goes_along = standing.record().is_some_and(|record| {
            keep.iter().any(|field| record.fields().get(field.as_str()).is_some())
        });
        if goes_along {
            let new = |now| self.anonymous_draft(Ops::new(), now);
            let keep = Keep::Only(keep.to_vec());
            if let Some((token, record, _)) =
                self.replace(&old, &new, keep, None, Ending::LOGOUT).await?
            {
                tell_ended(session, Ending::LOGOUT);
                self.stand(token, record, Some(old));
                return Ok(());
            }
        } else if self.end_own(&old).await? {
            tell_ended(session, Ending::LOGOUT);
            self.stand_outside(old);
            return Ok(());
        }
        // Somebody else ended it first: nothing was changed here, so the cookie stays as it is.
        self.state().standing = Some(Standing::Lost { ended: None });
        Ok(())
    }

    /// Gives the same session a new token. With `proof`, the user has just proved these factors
    /// too, and the clocks start anew.
    pub(crate) async fn renew(&self, proof: Option<Factors>) -> Result<()> {
        let _turn = self.turn().await?;
        drop(self.open_state()?);
        self.renew_in_turn(proof).await
    }

    pub(super) async fn renew_in_turn(&self, proof: Option<Factors>) -> Result<()> {
        let standing = self.standing_for_change().await?;
        let old = self.rotatable(&standing)?;
        let record = match &standing {
            Standing::Present { record, .. } => record,
            Standing::Lost { ended } => return Err(Error::gone(*ended)),
            Standing::Anonymous { .. } | Standing::Dormant { .. } if proof.is_some() => {
                return Err(Error::not_signed_in());
            }
            Standing::Anonymous { .. } | Standing::Dormant { .. } => return Ok(()),
        };
        let Some(old) = old else { return Ok(()) };
        let (manager, now) = (&self.manager, self.manager.now());
        if proof.is_some() && record.identity().user.is_none() {
            return Err(Error::not_signed_in());
        }
        let identity = proof.map(|factors| proved(record.identity(), factors, now));
        let fresh = manager.policy.times(now);
        let times = match proof {
            Some(_) => Times { created: record.times().created, ..fresh },
            None => record.times().touched(Touch { seen: now, idle_deadline: fresh.idle_deadline }),
        };
        let (grace, cap): (Duration, Duration) = (manager.policy.grace, manager.policy.grace_cap);
        for _ in 0..MINTS {
            let token = Token::mint(old.route())?;
            let rotation =
                Rotation::Renewal { identity: identity.clone(), times: Some(times), grace, cap };
            let rotate = |store: &dyn Registry| store.rotate(&old, &token.key(), rotation, now);
            match manager.order("rotate", rotate).await? {
                Rotate::Done { record, .. } => {
                    manager.lines.moved(record.id(), old, token.key(), now);
                    event::renewed(&record);
                    self.stand(token, record, Some(old));
                    return Ok(());
                }
                Rotate::KeyTaken => {}
                Rotate::Stale => return Err(Error::stale()),
                Rotate::LimitReached(list) => return Err(limit_reached(list)),
                Rotate::Gone(ended) if lives_on(ended) => return Err(Error::stale()),
                Rotate::Gone(ended) => return Err(self.note_gone(Error::gone(ended))),
            }
        }
        Err(no_free_key())
    }

    /// Makes sure that there is a session, so that the parallel first writes of a page share it.
    pub(crate) async fn ensure(&self) -> Result<()> {
        let _turn = self.turn().await?;
        drop(self.open_state()?);
        match self.standing_for_change().await? {
            Standing::Present { .. } => Ok(()),
            Standing::Lost { ended } => Err(Error::gone(ended)),
            Standing::Anonymous { .. } | Standing::Dormant { .. } => {
                self.create_in_turn(Ops::new()).await.map(drop)
            }
        }
    }

    /// Begins an anonymous session that holds `ops`, unless the visitor's ticket was replaced a
    /// moment ago: the browser then holds a newer one, which this response must not overwrite.
    pub(super) async fn create_in_turn(&self, ops: Ops) -> Result<Record> {
        if let Some(ended) = self.superseded() {
            return Err(Error::gone(Some(ended)));
        }
        let new = |now| self.anonymous_draft(ops.clone(), now);
        let (token, record, _) = self.create(&new, None).await?;
        event::created(&record);
        self.stand(token, record.clone(), None);
        Ok(record)
    }

    /// Lands the edits that wait, so that an identity call sees them. A session that is gone takes
    /// them with it.
    async fn flushed(&self) -> Result<Standing> {
        let waiting = !self.state().edits.is_empty();
        if waiting
            && let Err(error) = self.change_in_turn(None).await
            && !matches!(error.kind(), ErrorKind::Gone(_))
        {
            return Err(error);
        }
        self.state().lost = None;
        self.standing_for_change().await
    }

    /// The key that an identity call may use: none without a session, and none that only forwards.
    fn rotatable(&self, standing: &Standing) -> Result<Option<Key>> {
        match standing {
            Standing::Lost { ended } if lives_on(*ended) => Err(Error::stale()),
            Standing::Anonymous { .. } | Standing::Dormant { .. } | Standing::Lost { .. } => {
                Ok(None)
            }
            Standing::Present { forwarded: true, .. } => Err(Error::stale()),
            Standing::Present { key, forwarded: false, .. } => Ok(Some(*key)),
        }
    }

    /// The ending of the visitor's ticket, if a newer one is likely to be on its way to the browser.
    fn superseded(&self) -> Option<Ended> {
        let ended = self.known()?.ended()?;
        let policy = &self.manager.policy;
        let window = match ended.reason {
            Reason::Replaced => policy.grace_cap,
            Reason::Logout => policy.grace,
            Reason::Idle
            | Reason::Absolute
            | Reason::Revoked
            | Reason::Evicted
            | Reason::Reuse
            | Reason::KeyRetired
            | Reason::CredentialsChanged
            | _ => return None,
        };
        (self.manager.now().since(ended.at) < window).then_some(ended)
    }

    async fn create(
        &self,
        new: &(dyn Fn(Timestamp) -> Result<Draft> + Sync),
        limit: Option<Limit>,
    ) -> Result<(Token, Record, Vec<SessionId>)> {
        let (manager, now) = (&self.manager, self.manager.now());
        for _ in 0..MINTS {
            let draft = new(now)?;
            let token = Token::mint(draft.id.route())?;
            let create = |store: &dyn Registry| store.create(&token.key(), draft, limit, now);
            match manager.order("create", create).await? {
                Create::Done { record, evicted } => return Ok((token, record, evicted)),
                Create::KeyTaken => {}
                Create::LimitReached(list) => return Err(limit_reached(list)),
            }
        }
        Err(no_free_key())
    }

    /// A privilege change. Nothing if the old session is over.
    async fn replace(
        &self,
        old: &Key,
        new: &(dyn Fn(Timestamp) -> Result<Draft> + Sync),
        keep: Keep,
        limit: Option<Limit>,
        ending: Ending,
    ) -> Result<Option<(Token, Record, Vec<SessionId>)>> {
        let (manager, now) = (&self.manager, self.manager.now());
        for _ in 0..MINTS {
            let draft = new(now)?;
            let token = Token::mint(draft.id.route())?;
            let rotation = Rotation::Privilege { draft, keep: keep.clone(), limit, ending };
            let rotate = |store: &dyn Registry| store.rotate(old, &token.key(), rotation, now);
            match manager.order("rotate", rotate).await? {
                Rotate::Done { record, evicted } => return Ok(Some((token, record, evicted))),
                Rotate::KeyTaken => {}
                Rotate::LimitReached(list) => return Err(limit_reached(list)),
                Rotate::Stale => return Err(Error::stale()),
                Rotate::Gone(ended) if lives_on(ended) => return Err(Error::stale()),
                Rotate::Gone(_) => return Ok(None),
            }
        }
        Err(no_free_key())
    }

    /// Ends the session of the request. `false` if it was over already.
    async fn end_own(&self, key: &Key) -> Result<bool> {
        let (manager, now) = (&self.manager, self.manager.now());
        let target = Target::Key(*key);
        match manager.order("end", |store| store.end(target, Ending::LOGOUT, now)).await? {
            End::Ended(_) => Ok(true),
            End::Gone(ended) if lives_on(ended) => Err(Error::stale()),
            End::Gone(_) => Ok(false),
            End::Stale => Err(Error::stale()),
        }
    }

    fn login_draft(&self, login: &Login, now: Timestamp) -> Result<Draft> {
        let manager = &self.manager;
        let mut identity = Identity::signed_in(login.user.clone(), login.factors, now);
        if login.remember {
            identity = identity.remembered_until(now.plus(manager.policy.remember));
        }
        let mut ops = Ops::new();
        if !login.roles.is_empty() {
            ops.set(ROLES, &login.roles)?;
        }
        let id = entropy::session_id(manager.store.route(Some(&login.user)))?;
        Ok(manager.policy.draft(id, identity, self.client(), ops, now))
    }

    fn anonymous_draft(&self, ops: Ops, now: Timestamp) -> Result<Draft> {
        let manager = &self.manager;
        let route = manager.store.guest_route(entropy::bytes()?);
        let id = entropy::session_id(route)?;
        Ok(manager.policy.draft(id, Identity::anonymous(), self.client(), ops, now))
    }

    /// The request now stands in this session, and its response hands the token out.
    fn stand(&self, token: Token, record: Record, used_up: Option<Key>) {
        let key = token.key();
        let remembered_until = record.identity().remembered_until;
        let standing = Standing::Present { key, record, forwarded: false };
        self.changed(standing, Some(token), remembered_until, used_up);
    }

    /// The request now stands outside, and its response deletes the cookie.
    fn stand_outside(&self, used_up: Key) {
        self.changed(Standing::Anonymous { ended: None }, None, None, Some(used_up));
    }

    fn changed(
        &self,
        standing: Standing,
        token: Option<Token>,
        remembered_until: Option<Timestamp>,
        used_up: Option<Key>,
    ) {
        let (newest, now) = (&self.manager.newest, self.manager.now());
        let mut state = self.state();
        let mark = newest.mark(self.tickets.iter(), used_up, &state.others, now);
        state.standing = Some(standing);
        state.is_fresh = true;
        state.touch = None;
        state.cookie = Some(CookieChange { token, remembered_until, mark });
    }
}

/// Whether a ticket that is over was only renewed: its session may live on behind a newer one, so a
/// request that stood in it must not believe that there is nothing left to end or to replace.
fn lives_on(ended: Option<Ended>) -> bool {
    ended.is_some_and(|ended| ended.reason == Reason::Replaced && ended.by == By::SYSTEM)
}

fn proved(identity: &Identity, factors: Factors, now: Timestamp) -> Identity {
    let mut identity = identity.clone();
    identity.factors = identity.factors.without(Factors::REMEMBERED) | factors;
    identity.authenticated_at = Some(now);
    identity
}

fn tell_ended(session: Option<SessionId>, ending: Ending) {
    if let Some(session) = session {
        event::ended(session, ending.reason.code(), ending.by.as_str());
    }
}

fn limit_reached(list: Vec<Record>) -> Error {
    Error::new(ErrorKind::LimitReached(list), "the user has as many sessions as the policy allows")
}

fn no_free_key() -> Error {
    Error::unavailable("the store says that every new key is taken")
}
