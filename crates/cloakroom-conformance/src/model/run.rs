//! Carries one script out on a store and on the model, and compares what they say.

use std::fmt::Debug;
use std::time::Duration;

use cloakroom_store::{
    Answer, Commit, End, Ended, Expect, Factors, Identity, Key, Load, Page, Registry, Resume,
    Rotation, SessionId, StoreErrorKind, Target, Timestamp, Touch,
};

use super::compare::{Checked, Shown, answered, same, shown};
use super::identity::Way;
use super::names::{later, times, user};
use super::plain::{Behind, Model, page};
use super::script::{self, Bound, Change, Draft, Name, Proof, Script, Verb, Version};
use super::session::TooLarge;

/// Where the clocks of scripts begin.
const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// How many keys a store may forward to one session in a script: a store may bound them.
const FORWARDS: usize = 6;

pub(super) fn run<S: Registry>(store: &S, script: &Script) -> Checked {
    let mut run = Run {
        store,
        model: Model::default(),
        now: START,
        floor: START,
        keys: Vec::new(),
        ids: Vec::new(),
        given: 0,
    };
    for (at, verb) in script.0.iter().enumerate() {
        let now = run.now.as_millis() - START.as_millis();
        let told = |why| format!("at verb {at}, {verb:?}, {now} ms after the start: {why}");
        run.step(verb).and_then(|()| run.settle()).map_err(told)?;
    }
    run.compare_all().map_err(|why| format!("at the end: {why}"))
}

pub(super) struct Run<'a, S> {
    pub(super) store: &'a S,
    pub(super) model: Model,
    pub(super) now: Timestamp,
    /// The clock goes back no further: endings that were kept before may be forgotten.
    pub(super) floor: Timestamp,
    pub(super) keys: Vec<Key>,
    pub(super) ids: Vec<SessionId>,
    /// How many names were given out.
    pub(super) given: u32,
}

impl<S: Registry> Run<'_, S> {
    fn step(&mut self, verb: &Verb) -> Checked {
        let now = self.now;
        match verb {
            Verb::Clock(step) => {
                self.move_clock(*step);
                Ok(())
            }
            Verb::Create { key, draft, limit } => self.create(*key, draft, *limit),
            Verb::Load { keys } => self.load(keys),
            Verb::Commit { key, version, changes, touch } => {
                self.commit(*key, *version, changes, *touch)
            }
            Verb::Renew { .. } => self.renew(verb),
            Verb::Replace { .. } => self.replace(verb),
            Verb::Resume { key, draft, same_user, keep } => {
                self.resume(*key, draft, *same_user, *keep)
            }
            Verb::EndKey { key, reason } => self.end_key(*key, *reason),
            Verb::EndId { id, reason } => self.end_id(*id, *reason),
            Verb::EndAll { user, except, reason } => self.end_all(*user, *except, *reason),
            Verb::Amend { user, changes } => self.amend(*user, changes),
            Verb::List { user, after, limit } => {
                let after = after.and_then(|number| self.used_id(number));
                self.compare_list(*user, Page { after, limit: *limit })
            }
            Verb::Scan { after, limit } => {
                let after = after.and_then(|number| self.used_id(number));
                self.compare_scan(Page { after, limit: *limit })
            }
            Verb::Count => same(Ok(self.model.count(now)), answered(self.store.count(now))),
            Verb::Sweep { limit } => self.sweep(*limit),
        }
    }

    fn create(&mut self, key: Name, draft: &Draft, limit: Option<Bound>) -> Checked {
        let (draft, limit) = (self.draft(draft, None), limit.map(Bound::limit));
        let user = draft.identity.user.as_ref();
        let Some(key) = self.key(key, self.store.route(user)) else { return Ok(()) };
        let ways = self.model.create(&key, &draft, limit, self.now);
        let said = self.store.create(&key, draft, limit, self.now);
        self.choose(ways, said)
    }

    fn load(&mut self, keys: &[u8]) -> Checked {
        let keys: Vec<Key> = keys.iter().filter_map(|number| self.used_key(*number)).collect();
        let said = answered(self.store.load(&keys, self.now));
        let expected: Vec<Load> = keys.iter().map(|key| self.model.load(key, self.now)).collect();
        same(Ok(expected), said.map(|loads| loads.into_iter().collect()))
    }

    fn commit(
        &mut self,
        key: u8,
        version: Version,
        changes: &[Change],
        touch: Option<u64>,
    ) -> Checked {
        let (Some(key), now) = (self.used_key(key), self.now) else { return Ok(()) };
        let newest = match self.model.behind(&key, now) {
            Behind::Live(key) | Behind::Forwarded(key, _) => self.model.sessions.get(&key),
            Behind::Dormant(_) | Behind::Gone => None,
        };
        let newest = newest.map_or(1, |session| session.version);
        let expect = match version {
            Version::Any => Expect::Any,
            Version::Newest => Expect::Version(newest),
            Version::Behind => Expect::Version(newest - 1),
        };
        let ops = script::ops(changes);
        let touch = touch.map(|idle| Touch { seen: now, idle_deadline: later(now, idle) });
        let said = answered(self.store.commit(&key, expect, &ops, touch, now));
        let expected = self.model.commit(&key, expect, &ops, touch, now);
        same::<Commit>(expected.map_err(|TooLarge| StoreErrorKind::Refused), said)
    }

    fn renew(&mut self, verb: &Verb) -> Checked {
        let Verb::Renew { key, new, proof, anew, grace, cap } = verb else { return Ok(()) };
        let (Some(old), now) = (self.used_key(*key), self.now) else { return Ok(()) };
        let Some(new) = self.key(*new, old.route()) else { return Ok(()) };
        let session = self.model.sessions.get(&old);
        if session.is_some_and(|session| self.model.forwards_of(session.id).len() >= FORWARDS) {
            return Ok(());
        }
        let before = session.map(|session| session.identity.clone()).unwrap_or_default();
        let identity = match proof {
            Proof::Same => None,
            Proof::SteppedUp => {
                let mut identity = before;
                identity.factors = Factors::PASSWORD | Factors::TOTP;
                identity.authenticated_at = Some(now);
                Some(identity)
            }
            Proof::OfUser(number) => Some(Identity::signed_in(user(*number), Factors::EMAIL, now)),
        };
        let times = anew.then(|| times(now, 50));
        let [grace, cap] = [*grace, *cap].map(Duration::from_secs);
        let keys = (&old, &new);
        let ways = self.model.renew(keys, identity.as_ref(), times, (grace, cap), now);
        let rotation = Rotation::Renewal { identity, times, grace, cap };
        let said = self.store.rotate(&old, &new, rotation, now);
        self.choose(ways, said)
    }

    fn replace(&mut self, verb: &Verb) -> Checked {
        let Verb::Replace { key, new, draft, keep, limit, reason } = verb else { return Ok(()) };
        let (Some(old), now) = (self.used_key(*key), self.now) else { return Ok(()) };
        let draft = self.draft(draft, None);
        let route = self.store.route(draft.identity.user.as_ref());
        let Some(new) = self.key(*new, route) else { return Ok(()) };
        let (keep, limit) = (script::keep(*keep), limit.map(Bound::limit));
        let ending = script::ending(*reason);
        let ways = self.model.replace((&old, &new), (&draft, &keep), limit, ending, now);
        let said =
            self.store.rotate(&old, &new, Rotation::Privilege { draft, keep, limit, ending }, now);
        self.choose(ways, said)
    }

    fn resume(&mut self, key: u8, draft: &Draft, same_user: bool, keep: u8) -> Checked {
        let (Some(key), now) = (self.used_key(key), self.now) else { return Ok(()) };
        let held = self.model.sessions.get(&key);
        let theirs = held.filter(|_| same_user).and_then(|held| held.identity.user.clone());
        let (draft, keep) = (self.draft(draft, theirs), script::keep(keep));
        let ways = self.model.resume(&key, &draft, &keep, now);
        let said: Answer<Resume> = self.store.resume(&key, draft, keep, now);
        self.choose(ways, said)
    }

    fn end_key(&mut self, key: u8, reason: u8) -> Checked {
        let (Some(key), ending) = (self.used_key(key), script::ending(reason)) else {
            return Ok(());
        };
        let said = answered(self.store.end(Target::Key(key), ending, self.now));
        same(Ok(self.model.end_one(&key, ending, self.now)), said)
    }

    fn end_id(&mut self, id: u8, reason: u8) -> Checked {
        let (Some(id), ending) = (self.used_id(id), script::ending(reason)) else { return Ok(()) };
        let said = answered(self.store.end(Target::Id(id), ending, self.now));
        let key = self.model.key_of(id);
        let expected = key.map(|key| self.model.end_one(&key, ending, self.now));
        match (expected, said) {
            // How a session of this id ended may be unknown.
            (None | Some(End::Gone(_)), Ok(End::Gone(_))) => Ok(()),
            (expected, said) => same(Ok(expected.unwrap_or(End::Gone(None))), said),
        }
    }

    fn end_all(&mut self, number: u8, except: Option<u8>, reason: u8) -> Checked {
        let (user, ending) = (user(number), script::ending(reason));
        let except = except.and_then(|number| self.used_id(number));
        let mut said = answered(self.store.end_all(&user, except, ending, self.now));
        if let Ok(said) = &mut said {
            said.ended.sort_unstable();
        }
        let mut leaving: Vec<SessionId> =
            self.model.of_user(&user, self.now).iter().map(|session| session.id).collect();
        leaving.retain(|id| Some(*id) != except);
        for id in &leaving {
            if let Some(key) = self.model.key_of(*id) {
                self.model.end_one(&key, ending, self.now);
            }
        }
        same(Ok(leaving), said.map(|said| said.ended))
    }

    fn amend(&mut self, number: u8, changes: &[Change]) -> Checked {
        let (user, ops, now) = (user(number), script::ops(changes), self.now);
        let said = answered(self.store.amend(&user, &ops, now));
        let theirs = self.model.of_user(&user, now);
        let changed: Result<Vec<_>, TooLarge> =
            theirs.iter().map(|session| Ok((session.id, session.after(&ops)?))).collect();
        let expected = match changed {
            Err(TooLarge) => Err(StoreErrorKind::Refused),
            Ok(changed) => {
                let count = changed.len() as u64;
                for (id, fields) in changed {
                    let mut sessions = self.model.sessions.values_mut();
                    if let Some(session) = sessions.find(|session| session.id == id) {
                        session.fields = fields;
                        session.version += 1;
                    }
                }
                Ok(count)
            }
        };
        same(expected, said)
    }

    /// A sweep of a few entries and one of all the rest.
    fn sweep(&mut self, limit: u32) -> Checked {
        let first =
            answered(self.store.sweep(self.now, limit)).map_err(|kind| format!("{kind:?}"))?;
        let rest =
            answered(self.store.sweep(self.now, 1_000)).map_err(|kind| format!("{kind:?}"))?;
        let (least, most) = self.model.sweep(self.now);
        let removed = first.removed + rest.removed;
        let is_exact = first.more == (rest.removed > 0) && !rest.more;
        let is_bounded = first.removed <= u64::from(limit);
        if is_exact && is_bounded && (least..=most).contains(&removed) {
            return Ok(());
        }
        Err(format!("swept {first:?} and then {rest:?}, not {least} to {most} in all"))
    }

    fn compare_all(&mut self) -> Checked {
        for key in self.model.used.0.clone() {
            let said = answered(self.store.load(&[key], self.now));
            let expected = vec![self.model.load(&key, self.now)];
            same(Ok(expected), said.map(|loads| loads.into_iter().collect()))
                .map_err(|why| format!("{key:?}: {why}"))?;
        }
        (0..3).try_for_each(|number| self.compare_list(number, Page::first(1_000)))?;
        self.compare_scan(Page::first(1_000))?;
        same(Ok(self.model.count(self.now)), answered(self.store.count(self.now)))
    }

    fn compare_list(&self, number: u8, at: Page) -> Checked {
        let user = user(number);
        let expected = page(&self.model.of_user(&user, self.now), at);
        same(Ok(expected), answered(self.store.list(&user, at, self.now)))
    }

    fn compare_scan(&self, at: Page) -> Checked {
        let expected = page(&self.model.everyone(self.now), at);
        same(Ok(expected), answered(self.store.scan(at, self.now)))
    }

    /// The model goes the way that the store chose among those that are allowed.
    fn choose<T: PartialEq + Debug + Shown>(
        &mut self,
        ways: Vec<Way<T>>,
        said: Answer<T>,
    ) -> Checked {
        let said = answered(said);
        let mut allowed = Vec::new();
        for (outcome, next) in ways {
            if outcome == said {
                if let Some(next) = next {
                    self.model = *next;
                }
                return Ok(());
            }
            allowed.push(shown(&outcome));
        }
        Err(format!(
            "the store says {}\nallowed is {}",
            shown(&said),
            allowed.join("\n        or ")
        ))
    }

    /// Where the contract leaves open how a key ended, the store is asked and held to it.
    fn settle(&mut self) -> Checked {
        for (key, may) in std::mem::take(&mut self.model.unsure) {
            let told = |ended: Ended| ended.is_kept(self.now).then_some(ended);
            let said = answered(self.store.load(&[key], self.now));
            let load = said.map(|loads| loads.into_iter().next());
            let found = may.iter().find(|ended| load == Ok(Some(Load::Gone(told(**ended)))));
            match found {
                Some(ended) => self.model.decide(key, *ended, self.now),
                None => {
                    return Err(format!("{key:?}: the store says {load:?}, not one of {may:?}"));
                }
            }
        }
        Ok(())
    }
}
