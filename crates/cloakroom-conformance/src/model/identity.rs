//! Verbs that change who is behind a key. Several refusals may apply to one call, and a store may
//! tell any of them: the model gives every answer that is allowed, with what it holds afterwards.

use std::time::Duration;

use cloakroom_store::{
    By, Create, Draft, Ended, Ending, Identity, Keep, Key, Limit, Reason, Record, Resume, Rotate,
    SessionId, StoreErrorKind, Times, Timestamp,
};

use super::plain::{Behind, Forward, Model, Taken};
use super::session::{Session, TooLarge, capped};

/// What a verb answers; of an error, its kind.
pub(super) type Outcome<T> = Result<T, StoreErrorKind>;

/// An allowed answer, and the model after it if anything changed.
pub(super) type Way<T> = (Outcome<T>, Option<Box<Model>>);

const REFUSED: StoreErrorKind = StoreErrorKind::Refused;

/// One more session, in the place of another or in nobody's.
struct Arrival<'a> {
    key: &'a Key,
    draft: &'a Draft,
    begun: Result<Session, TooLarge>,
    limit: Option<Limit>,
    replaced: Option<SessionId>,
    now: Timestamp,
}

/// How an arrival is answered, in the words of its verb.
enum Judged {
    Taken,
    Full(Vec<Record>),
    TooLarge,
    Done(Record, Vec<SessionId>),
}

impl Model {
    /// Every allowed answer. `leaves` takes the session away whose place is taken.
    fn arrive(
        &self,
        arrival: Arrival<'_>,
        leaves: impl Fn(&mut Self),
    ) -> Vec<(Judged, Option<Box<Self>>)> {
        let Arrival { key, draft, begun, limit, replaced, now } = arrival;
        let mut ways = Vec::new();
        let taken = self.taken(key, Some(draft.id), now);
        let mut is_refused = taken == Taken::Yes;
        if taken != Taken::No {
            ways.push((Judged::Taken, None));
        }
        let leaving = match self.admit(draft.identity.user.as_ref(), replaced, limit, now) {
            Ok(leaving) => leaving,
            Err(existing) => {
                is_refused = true;
                ways.push((Judged::Full(existing), None));
                Vec::new()
            }
        };
        match begun {
            Err(TooLarge) => ways.push((Judged::TooLarge, None)),
            Ok(_) if is_refused => {}
            Ok(session) => {
                let mut next = self.clone();
                leaves(&mut next);
                next.evict(&leaving, now);
                let record = session.record();
                next.insert(*key, session, now);
                ways.push((Judged::Done(record, leaving), Some(Box::new(next))));
            }
        }
        ways
    }

    pub(super) fn create(
        &self,
        key: &Key,
        draft: &Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Vec<Way<Create>> {
        let begun = Session::begin(draft, Default::default());
        let arrival = Arrival { key, draft, begun, limit, replaced: None, now };
        let told = |judged| match judged {
            Judged::Taken => Ok(Create::KeyTaken),
            Judged::Full(existing) => Ok(Create::LimitReached(existing)),
            Judged::TooLarge => Err(REFUSED),
            Judged::Done(record, evicted) => Ok(Create::Done { record, evicted }),
        };
        let ways = self.arrive(arrival, |_| {}).into_iter();
        ways.map(|(judged, next)| (told(judged), next)).collect()
    }

    /// Why nothing can be rotated behind `old`, or the session that can.
    fn rotatable(&self, old: &Key, now: Timestamp) -> Result<&Session, Rotate> {
        let gone = || Rotate::Gone(self.told(old, now));
        match self.behind(old, now) {
            Behind::Live(key) => self.sessions.get(&key).ok_or_else(gone),
            Behind::Forwarded(..) => Err(Rotate::Stale),
            Behind::Dormant(_) | Behind::Gone => Err(gone()),
        }
    }

    pub(super) fn replace(
        &self,
        (old, new): (&Key, &Key),
        (draft, keep): (&Draft, &Keep),
        limit: Option<Limit>,
        ending: Ending,
        now: Timestamp,
    ) -> Vec<Way<Rotate>> {
        let session = match self.rotatable(old, now) {
            Ok(session) => session,
            Err(refusal) => return vec![(Ok(refusal), None)],
        };
        let begun = Session::begin(draft, session.kept(keep));
        let replaced = Some(session.id);
        let arrival = Arrival { key: new, draft, begun, limit, replaced, now };
        let ended = Ended { reason: ending.reason, by: ending.by, at: now };
        let told = |judged| match judged {
            Judged::Taken => Ok(Rotate::KeyTaken),
            Judged::Full(existing) => Ok(Rotate::LimitReached(existing)),
            Judged::TooLarge => Err(REFUSED),
            Judged::Done(record, evicted) => Ok(Rotate::Done { record, evicted }),
        };
        let ways = self.arrive(arrival, |next| drop(next.end(old, ended, now))).into_iter();
        ways.map(|(judged, next)| (told(judged), next)).collect()
    }

    pub(super) fn renew(
        &self,
        (old, new): (&Key, &Key),
        identity: Option<&Identity>,
        times: Option<Times>,
        (grace, cap): (Duration, Duration),
        now: Timestamp,
    ) -> Vec<Way<Rotate>> {
        let session = match self.rotatable(old, now) {
            Ok(session) => session,
            Err(refusal) => return vec![(Ok(refusal), None)],
        };
        let mut ways = Vec::new();
        let taken = self.taken(new, None, now);
        if taken != Taken::No {
            ways.push((Ok(Rotate::KeyTaken), None));
        }
        if identity.is_some_and(|identity| identity.user != session.identity.user) {
            ways.push((Err(REFUSED), None));
            return ways;
        }
        if taken != Taken::Yes {
            let mut next = self.clone();
            let before = next.move_to(old, new, identity, times);
            let (session, until) = (session.id, now.plus(cap));
            let forward = Forward { session, identity: before, until, grace: Some(grace) };
            next.forwards.insert(*old, forward);
            let record = next.sessions.get(new).map(Session::record);
            let done = record.map(|record| Rotate::Done { record, evicted: Vec::new() });
            ways.extend(done.map(|done| (Ok(done), Some(Box::new(next)))));
        }
        ways
    }

    /// Puts the same session behind another key, and gives the identity it had.
    fn move_to(
        &mut self,
        old: &Key,
        new: &Key,
        identity: Option<&Identity>,
        times: Option<Times>,
    ) -> Identity {
        let Some(mut session) = self.sessions.remove(old) else { return Identity::anonymous() };
        let before = session.identity.clone();
        session.version += 1;
        session.times = capped(times.unwrap_or(session.times));
        session.identity = identity.unwrap_or(&before).clone();
        self.endings.remove(new);
        self.used.0.insert(*new);
        self.sessions.insert(*new, session);
        before
    }

    pub(super) fn resume(
        &self,
        key: &Key,
        draft: &Draft,
        keep: &Keep,
        now: Timestamp,
    ) -> Vec<Way<Resume>> {
        let gone = || vec![(Ok(Resume::Gone(self.told(key, now))), None)];
        let live = |key: &Key| self.sessions.get(key).map(Session::record);
        let dormant = match self.behind(key, now) {
            Behind::Dormant(key) => self.sessions.get(&key),
            Behind::Gone => None,
            Behind::Live(key) => {
                return live(&key).map_or_else(gone, |r| vec![(Ok(Resume::Live(r)), None)]);
            }
            Behind::Forwarded(newest, identity) => {
                let seen = live(&newest).map(|record| record.seen_as(identity));
                return seen.map_or_else(gone, |r| vec![(Ok(Resume::Live(r)), None)]);
            }
        };
        let Some(dormant) = dormant else { return gone() };
        let begun = Session::begin(draft, dormant.kept(keep));
        let is_other = draft.identity.user != dormant.identity.user;
        let in_use = self.session(draft.id).is_some_and(|session| session.exists(now));
        let session = match begun {
            Ok(session) if !is_other && !in_use => session,
            Ok(_) | Err(TooLarge) => return vec![(Err(REFUSED), None)],
        };
        let mut ways = Vec::new();
        if self.used.1.contains(&draft.id) {
            ways.push((Err(REFUSED), None));
        }
        let record = session.record();
        let next = self.resumed(key, session, now);
        ways.push((Ok(Resume::Done(record)), Some(Box::new(next))));
        ways
    }

    fn resumed(&self, key: &Key, session: Session, now: Timestamp) -> Self {
        let mut next = self.clone();
        let old = self.sessions.get(key);
        let forwards = old.map(|old| self.forwards_of(old.id)).unwrap_or_default();
        if let Some(timeout) = old.and_then(|old| old.timeout(now)) {
            next.end(key, timeout, now);
        }
        for (key, forward) in forwards {
            // It had ended before or with its session, and now another one is in its place.
            let ended = self.ending(&key, now);
            let expired = Ended::timeout(Reason::Replaced, forward.until);
            let replaced =
                [By::HOLDER, By::SYSTEM].map(|by| Ended { reason: Reason::Replaced, by, at: now });
            let may = ended.into_iter().chain(replaced).chain([expired]).collect();
            next.unsure.insert(key, may);
        }
        next.insert(*key, session, now);
        next
    }
}
