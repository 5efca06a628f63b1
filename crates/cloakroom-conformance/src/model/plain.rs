//! The contract as plainly as it can be written: one table of sessions, one of keys that forward,
//! one of endings, and every verb in the words of its documentation.
//!
//! It shares no code with a store. Where the contract leaves an answer open, the model says which
//! answers it allows ([`Taken::Perhaps`], [`Model::unsure`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cloakroom_store::{
    Commit, Count, End, Ended, Ending, Expect, Identity, Key, Limit, LimitPolicy, Load, Ops, Page,
    Reason, Record, SessionId, Times, Timestamp, Touch, UserId,
};

use super::session::{Session, TooLarge};

/// All that a store should hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) sessions: BTreeMap<Key, Session>,
    pub(super) forwards: BTreeMap<Key, Forward>,
    pub(super) endings: BTreeMap<Key, Ended>,
    /// Keys of which the contract allows more than one ending; the store's next answer decides.
    pub(super) unsure: BTreeMap<Key, Vec<Ended>>,
    /// Endings that were too old to be told when they came: a store may keep them all the same,
    /// until it is swept.
    pub(super) untold: u64,
    /// Every key and id there ever was.
    pub(super) used: (BTreeSet<Key>, BTreeSet<SessionId>),
}

#[derive(Clone, Debug)]
pub(super) struct Forward {
    pub(super) session: SessionId,
    pub(super) identity: Identity,
    pub(super) until: Timestamp,
    /// What is left once the newest key has been seen; `None` from then on.
    pub(super) grace: Option<Duration>,
}

/// What stands behind a key.
#[derive(Debug)]
pub(super) enum Behind {
    Live(Key),
    Forwarded(Key, Identity),
    Dormant(Key),
    Gone,
}

/// Whether a new session may have a key and an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    No,
    /// Nothing is known of it any more, but it was used once: a store may refuse it for ever.
    Perhaps,
    Yes,
}

fn kept(ended: Ended, now: Timestamp) -> Option<Ended> {
    ended.is_kept(now).then_some(ended)
}

/// Looking.
impl Model {
    pub(super) fn behind(&self, key: &Key, now: Timestamp) -> Behind {
        if let Some(session) = self.sessions.get(key) {
            return match session.timeout(now) {
                None => Behind::Live(*key),
                Some(_) if session.exists(now) => Behind::Dormant(*key),
                Some(_) => Behind::Gone,
            };
        }
        match self.forwards.get(key) {
            Some(forward) if self.fate(forward, now).is_none() => {
                match self.key_of(forward.session) {
                    Some(newest) => Behind::Forwarded(newest, forward.identity.clone()),
                    None => Behind::Gone,
                }
            }
            Some(_) | None => Behind::Gone,
        }
    }

    /// What is still told of the ending of a key.
    pub(super) fn told(&self, key: &Key, now: Timestamp) -> Option<Ended> {
        self.ending(key, now).and_then(|ended| kept(ended, now))
    }

    /// How a key ended, told or not.
    pub(super) fn ending(&self, key: &Key, now: Timestamp) -> Option<Ended> {
        if let Some(session) = self.sessions.get(key) {
            return session.timeout(now);
        }
        if let Some(forward) = self.forwards.get(key) {
            return self.fate(forward, now);
        }
        self.endings.get(key).copied()
    }

    /// How a key stopped forwarding: by its own time, or with its session's, whichever came first.
    fn fate(&self, forward: &Forward, now: Timestamp) -> Option<Ended> {
        let session = self.session(forward.session)?;
        let replaced = Ended::timeout(Reason::Replaced, forward.until);
        match session.timeout(now) {
            Some(timeout) if timeout.at < forward.until => Some(timeout),
            Some(_) | None => (forward.until <= now).then_some(replaced),
        }
    }

    pub(super) fn key_of(&self, id: SessionId) -> Option<Key> {
        self.sessions.iter().find(|(_, session)| session.id == id).map(|(key, _)| *key)
    }

    pub(super) fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.values().find(|session| session.id == id)
    }

    /// Whether a new session can have this key and, if one is given, this id.
    pub(super) fn taken(&self, key: &Key, id: Option<SessionId>, now: Timestamp) -> Taken {
        let is_known = match self.behind(key, now) {
            Behind::Live(_) | Behind::Forwarded(..) | Behind::Dormant(_) => true,
            Behind::Gone => self.told(key, now).is_some(),
        };
        let names_one = |id| self.session(id).is_some_and(|session| session.exists(now));
        if is_known || id.is_some_and(names_one) {
            return Taken::Yes;
        }
        let was_used = self.used.0.contains(key) || id.is_some_and(|id| self.used.1.contains(&id));
        if was_used { Taken::Perhaps } else { Taken::No }
    }

    /// The sessions of a user, live or dormant, in the order of their ids.
    pub(super) fn of_user(&self, user: &UserId, now: Timestamp) -> Vec<Session> {
        let theirs = |session: &&Session| session.identity.user.as_ref() == Some(user);
        sorted(self.sessions.values().filter(theirs), now)
    }

    pub(super) fn everyone(&self, now: Timestamp) -> Vec<Session> {
        sorted(self.sessions.values(), now)
    }

    pub(super) fn count(&self, now: Timestamp) -> Count {
        let all = self.everyone(now);
        let signed_in = all.iter().filter(|session| session.identity.user.is_some()).count();
        Count { sessions: all.len() as u64, signed_in: signed_in as u64 }
    }

    /// Every instant at which something changes by itself.
    pub(super) fn instants(&self) -> BTreeSet<Timestamp> {
        let mut instants = BTreeSet::new();
        for session in self.sessions.values() {
            let remembered = session.identity.remembered_until;
            let Times { idle_deadline, absolute_deadline, .. } = session.times;
            instants.extend([idle_deadline, absolute_deadline].into_iter().chain(remembered));
            instants.insert(session.deadline().plus(Ended::KEPT));
        }
        let untils = self.forwards.values().map(|forward| forward.until);
        instants.extend(untils.flat_map(|until| [until, until.plus(Ended::KEPT)]));
        instants.extend(self.endings.values().map(|ended| ended.at.plus(Ended::KEPT)));
        instants
    }
}

fn sorted<'a>(sessions: impl Iterator<Item = &'a Session>, now: Timestamp) -> Vec<Session> {
    let mut found: Vec<_> = sessions.filter(|session| session.exists(now)).cloned().collect();
    found.sort_by_key(|session| session.id);
    found
}

pub(super) fn page(sessions: &[Session], page: Page) -> Vec<Record> {
    let after = sessions.iter().filter(|session| page.after.is_none_or(|id| session.id > id));
    after.take(page.limit as usize).map(Session::record).collect()
}

/// Verbs that change one session.
impl Model {
    pub(super) fn load(&mut self, key: &Key, now: Timestamp) -> Load {
        let record = |key: &Key| self.sessions.get(key).map(Session::record);
        match self.behind(key, now) {
            Behind::Live(key) => {
                let load = record(&key).map_or(Load::Gone(None), Load::Live);
                self.seen_newest(&key, now);
                load
            }
            Behind::Forwarded(newest, identity) => record(&newest)
                .map_or(Load::Gone(None), |record| Load::Forwarded(record.seen_as(identity))),
            Behind::Dormant(key) => record(&key).map_or(Load::Gone(None), Load::Dormant),
            Behind::Gone => Load::Gone(self.told(key, now)),
        }
    }

    /// The newest key was shown: what is left of the older ones is their grace.
    fn seen_newest(&mut self, key: &Key, now: Timestamp) {
        let Some(id) = self.sessions.get(key).map(|session| session.id) else { return };
        for forward in self.forwards.values_mut().filter(|forward| forward.session == id) {
            if let Some(grace) = forward.grace.take() {
                forward.until = forward.until.min(now.plus(grace));
            }
        }
    }

    pub(super) fn commit(
        &mut self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Result<Commit, TooLarge> {
        let (newest, through) = match self.behind(key, now) {
            Behind::Live(key) => (key, None),
            Behind::Forwarded(newest, identity) => (newest, Some(identity)),
            Behind::Dormant(_) | Behind::Gone => return Ok(Commit::Gone(self.told(key, now))),
        };
        let Some(session) = self.sessions.get_mut(&newest) else { return Ok(Commit::Gone(None)) };
        let shown = |session: &Session| match &through {
            Some(identity) => session.record().seen_as(identity.clone()),
            None => session.record(),
        };
        if expect != Expect::Any && expect != Expect::Version(session.version) {
            return Ok(Commit::Conflict(shown(session)));
        }
        session.fields = session.after(ops)?;
        session.version += u64::from(!ops.is_empty());
        if let Some(touch) = touch {
            session.touch(touch);
        }
        Ok(Commit::Done(shown(session)))
    }

    pub(super) fn insert(&mut self, key: Key, session: Session, now: Timestamp) {
        if let Some(over) = self.sessions.get(&key).and_then(|session| session.timeout(now)) {
            self.end(&key, over, now);
        }
        self.endings.remove(&key);
        self.used.0.insert(key);
        self.used.1.insert(session.id);
        self.sessions.insert(key, session);
    }

    /// Takes a session away, with every key that leads to it.
    pub(super) fn end(&mut self, key: &Key, ended: Ended, now: Timestamp) -> Option<Session> {
        let id = self.sessions.get(key)?.id;
        let forwards: Vec<(Key, Forward)> = self.forwards_of(id);
        for (old, forward) in forwards {
            let fate = self.fate(&forward, now);
            self.forwards.remove(&old);
            self.bury(old, fate.unwrap_or(ended), now);
            if let Some(fate) = fate
                && fate != ended
                && forward.until > fate.at
            {
                // It had timed out with its session, which was dormant: either may be told.
                let replaced = Ended::timeout(Reason::Replaced, forward.until);
                let by_holder = Ended { by: cloakroom_store::By::HOLDER, at: now, ..replaced };
                let perhaps = (forward.until <= now).then_some(replaced);
                let may = [fate, ended, by_holder].into_iter().chain(perhaps).collect();
                self.unsure.insert(old, may);
            }
        }
        self.bury(*key, ended, now);
        self.sessions.remove(key)
    }

    /// The store said which of several endings it tells.
    pub(super) fn decide(&mut self, key: Key, ended: Ended, now: Timestamp) {
        self.endings.remove(&key);
        self.bury(key, ended, now);
    }

    fn bury(&mut self, key: Key, ended: Ended, now: Timestamp) {
        if ended.is_kept(now) {
            self.endings.insert(key, ended);
        } else {
            self.untold += 1;
        }
    }

    pub(super) fn forwards_of(&self, id: SessionId) -> Vec<(Key, Forward)> {
        let theirs = self.forwards.iter().filter(|(_, forward)| forward.session == id);
        theirs.map(|(key, forward)| (*key, forward.clone())).collect()
    }

    /// What [`Target::Id`](cloakroom_store::Target::Id) or a key of its own ends.
    pub(super) fn end_one(&mut self, key: &Key, ending: Ending, now: Timestamp) -> End {
        let ended = Ended { reason: ending.reason, by: ending.by, at: now };
        match self.behind(key, now) {
            Behind::Live(key) | Behind::Dormant(key) => {
                let session = self.end(&key, ended, now);
                session.map_or(End::Gone(None), |session| End::Ended(session.record()))
            }
            Behind::Forwarded(..) => End::Stale,
            Behind::Gone => End::Gone(self.told(key, now)),
        }
    }

    /// Who leaves so that one more session is within the limit; or all that stand in its way.
    pub(super) fn admit(
        &self,
        user: Option<&UserId>,
        replaced: Option<SessionId>,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, Vec<Record>> {
        let (Some(user), Some(Limit { max, policy })) = (user, limit) else { return Ok(vec![]) };
        let mut others = self.of_user(user, now);
        others.retain(|session| Some(session.id) != replaced);
        let surplus = (others.len() + 1).saturating_sub(max as usize);
        match policy {
            LimitPolicy::Refuse if surplus > 0 => Err(others.iter().map(Session::record).collect()),
            LimitPolicy::Refuse | LimitPolicy::KeepNewest => {
                others.sort_by_key(|session| (session.times.seen, session.id));
                Ok(others.iter().take(surplus).map(|session| session.id).collect())
            }
        }
    }

    pub(super) fn evict(&mut self, leaving: &[SessionId], now: Timestamp) {
        let evicted = Ended::timeout(Reason::Evicted, now);
        for key in leaving.iter().filter_map(|id| self.key_of(*id)).collect::<Vec<_>>() {
            self.end(&key, evicted, now);
        }
    }

    /// Frees everything whose time has come. How many entries that is, at least and at most.
    pub(super) fn sweep(&mut self, now: Timestamp) -> (u64, u64) {
        let before = self.endings.len();
        self.endings.retain(|_, ended| ended.is_kept(now));
        let mut least = (before - self.endings.len()) as u64;
        let mut perhaps = 0;
        let over = self.sessions.iter().filter(|(_, session)| session.opens_until() <= now);
        let over: Vec<(Key, Session)> = over.map(|(key, s)| (*key, s.clone())).collect();
        for (key, session) in over {
            least += 1;
            // The keys that lead to it may count too.
            perhaps += self.forwards_of(session.id).len() as u64;
            if let Some(timeout) = session.timeout(now) {
                self.end(&key, timeout, now);
            }
        }
        let expired: Vec<(Key, Ended)> = (self.forwards.iter())
            .filter(|(_, forward)| forward.until <= now)
            .filter_map(|(key, forward)| Some((*key, self.fate(forward, now)?)))
            .collect();
        for (key, fate) in expired {
            least += 1;
            self.forwards.remove(&key);
            self.bury(key, fate, now);
        }
        let most = least + perhaps + std::mem::take(&mut self.untold);
        (least, most)
    }
}
