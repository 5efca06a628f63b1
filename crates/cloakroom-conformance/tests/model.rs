//! The model and the search of histories can fail: each of these stores breaks one promise, and
//! both the script and the history that show it are short.
#![allow(clippy::unwrap_used, reason = "in a test, also in what its store does")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Duration;

use cloakroom_conformance::history::{self, Volume};
use cloakroom_conformance::model;
use cloakroom_memory::MemoryStore;
use cloakroom_store::{
    Answer, By, Commit, Create, End, Ending, Expect, Key, Limit, Load, Loads, Ops, Page, Reason,
    Registry, Rotate, Rotation, Store, StoreError, Swept, Target, Timestamp, Touch, UserId,
};

/// What a store does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// A commit is judged against the version, and written a moment later.
    CommitsAreTorn,
    ConflictsAreWritten,
    EndsAreSometimesForgotten,
    /// The grace of a renewal is a millisecond too long.
    GraceIsTooLong,
    LimitsForgetTheDormant,
    /// A login begins its session, and leaves the one before where it was.
    LoginsLeaveTheOldSession,
    /// Nothing but a creation has an answer.
    NothingIsAnswered,
    /// A renewed key loads its session as if it were the newest.
    RenewedKeysLoadAsTheNewest,
    /// Loads answer what they answered before, as a cache does that nobody tells of changes.
    LoadsAreStale,
    SweepsTakeTheDormant,
}

struct Broken {
    inner: MemoryStore,
    fault: Fault,
    remembered: Mutex<Option<(Vec<Key>, Loads)>>,
    ends: Mutex<u32>,
}

impl Broken {
    fn new(fault: Fault) -> Self {
        let (remembered, ends) = (Mutex::default(), Mutex::default());
        Self { inner: MemoryStore::new(), fault, remembered, ends }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn dormant_of(&self, user: &UserId, now: Timestamp) -> u32 {
        let records = self.inner.list(user, Page::first(1_000), now).now().unwrap().unwrap();
        let dormant = records.iter().filter(|record| record.is_dormant(now));
        u32::try_from(dormant.count()).unwrap()
    }
}

fn away<T>() -> Answer<T> {
    Answer::ready(Err(StoreError::unavailable("it never answers")))
}

impl Store for Broken {
    cloakroom_conformance::hand_on!(self => self.inner; reach survival route create resume);

    fn name(&self) -> &'static str {
        "broken"
    }

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        if self.has(Fault::NothingIsAnswered) {
            return away();
        }
        if self.has(Fault::RenewedKeysLoadAsTheNewest) {
            let newest = |load| match load {
                Load::Forwarded(record) => Load::Live(record),
                Load::Live(_) | Load::Dormant(_) | Load::Gone(_) => load,
            };
            let loads = self.inner.load(keys, now).now().unwrap();
            return Answer::ready(loads.map(|loads| loads.into_iter().map(newest).collect()));
        }
        let loads = self.inner.load(keys, now).now().unwrap();
        let mut remembered = self.remembered.lock().unwrap();
        if let (true, Some((known, before))) = (self.has(Fault::LoadsAreStale), &*remembered)
            && known == keys
        {
            return Answer::ready(Ok(before.clone()));
        }
        if let Ok(loads) = &loads {
            *remembered = Some((keys.to_vec(), loads.clone()));
        }
        Answer::ready(loads)
    }

    fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Answer<Commit> {
        if self.has(Fault::NothingIsAnswered) {
            return away();
        }
        if self.has(Fault::ConflictsAreWritten) {
            return self.inner.commit(key, Expect::Any, ops, touch, now);
        }
        if self.has(Fault::CommitsAreTorn) && expect != Expect::Any {
            let judged = self.inner.commit(key, expect, &Ops::new(), None, now).now().unwrap();
            std::thread::sleep(Duration::from_micros(50));
            return match judged.unwrap() {
                Commit::Done(_) => self.inner.commit(key, Expect::Any, ops, touch, now),
                refused @ (Commit::Conflict(_) | Commit::Gone(_)) => Answer::ready(Ok(refused)),
            };
        }
        self.inner.commit(key, expect, ops, touch, now)
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        if self.has(Fault::NothingIsAnswered) {
            return away();
        }
        let rotation = match rotation {
            Rotation::Privilege { draft, limit, .. }
                if self.has(Fault::LoginsLeaveTheOldSession) =>
            {
                return match self.inner.create(new, draft, limit, now).now().unwrap().unwrap() {
                    Create::Done { record, evicted } => {
                        Answer::ready(Ok(Rotate::Done { record, evicted }))
                    }
                    Create::KeyTaken => Answer::ready(Ok(Rotate::KeyTaken)),
                    Create::LimitReached(list) => Answer::ready(Ok(Rotate::LimitReached(list))),
                };
            }
            Rotation::Renewal { identity, times, grace, cap }
                if self.has(Fault::GraceIsTooLong) =>
            {
                let grace = grace + Duration::from_millis(1);
                Rotation::Renewal { identity, times, grace, cap }
            }
            Rotation::Privilege { draft, keep, limit, ending }
                if self.has(Fault::LimitsForgetTheDormant) =>
            {
                let user = draft.identity.user.as_ref();
                let dormant = user.map_or(0, |user| self.dormant_of(user, now));
                let limit = limit.map(|limit| Limit { max: limit.max + dormant, ..limit });
                Rotation::Privilege { draft, keep, limit, ending }
            }
            right @ (Rotation::Renewal { .. } | Rotation::Privilege { .. }) => right,
        };
        self.inner.rotate(old, new, rotation, now)
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        if self.has(Fault::NothingIsAnswered) {
            return away();
        }
        let mut ends = self.ends.lock().unwrap();
        *ends += 1;
        if self.has(Fault::EndsAreSometimesForgotten)
            && ends.is_multiple_of(3)
            && let Target::Key(key) = target
        {
            let seen = self.inner.commit(&key, Expect::Any, &Ops::new(), None, now);
            if let Ok(Commit::Done(record)) = seen.now().unwrap() {
                return Answer::ready(Ok(End::Ended(record)));
            }
        }
        self.inner.end(target, ending, now)
    }
}

impl Registry for Broken {
    cloakroom_conformance::hand_on!(self => self.inner; list end_all amend scan count);

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        let swept = self.inner.sweep(now, limit);
        if self.has(Fault::SweepsTakeTheDormant) {
            let records = self.inner.scan(Page::first(1_000), now).now().unwrap().unwrap();
            for record in records.iter().filter(|record| record.is_dormant(now)) {
                let ending = Ending { reason: Reason::Idle, by: By::SYSTEM };
                let _ended = self.inner.end(Target::Id(record.id()), ending, now).now();
            }
        }
        swept
    }
}

fn told(panic: &(dyn std::any::Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_broken_store_leaves_the_model_in_a_short_script() {
    for fault in [
        Fault::ConflictsAreWritten,
        Fault::EndsAreSometimesForgotten,
        Fault::GraceIsTooLong,
        Fault::LimitsForgetTheDormant,
        Fault::LoadsAreStale,
        Fault::LoginsLeaveTheOldSession,
        Fault::RenewedKeysLoadAsTheNewest,
        Fault::SweepsTakeTheDormant,
    ] {
        let check = || model::check(&|| Broken::new(fault), 4_000, 7);
        let panic = catch_unwind(AssertUnwindSafe(check)).expect_err(&format!("{fault:?}"));

        let told = told(&*panic);

        let verbs = told.lines().filter(|line| line.starts_with("   ")).count();
        assert!((1..=40).contains(&verbs), "{fault:?} is shown by {verbs} verbs:\n{told}");
        assert!(told.contains("CLOAKROOM_SEED=7"), "{told}");
    }
}

#[test]
fn a_broken_store_has_a_history_that_nothing_explains() {
    let volume = Volume { sessions: 100, threads: 4, calls: 12 };
    for fault in [
        Fault::CommitsAreTorn,
        Fault::EndsAreSometimesForgotten,
        Fault::LoadsAreStale,
        Fault::LoginsLeaveTheOldSession,
        Fault::RenewedKeysLoadAsTheNewest,
    ] {
        let check = || history::check(&|| Broken::new(fault), volume, 7);
        let panic = catch_unwind(AssertUnwindSafe(check)).expect_err(&format!("{fault:?}"));

        assert!(told(&*panic).contains("no order explains this"), "{fault:?}");
    }
}

#[test]
fn what_a_store_never_answers_is_counted() {
    let volume = Volume { sessions: 10, threads: 2, calls: 6 };

    let figures = history::check(&|| Broken::new(Fault::NothingIsAnswered), volume, 7);

    assert_eq!((figures.unanswered, figures.moved), (figures.calls, 0));
}
