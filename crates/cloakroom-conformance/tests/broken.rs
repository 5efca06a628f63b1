//! The clauses can fail: each of these stores breaks one promise, and the clause that guards it
//! notices.
#![allow(clippy::unwrap_used, reason = "in a test, also in the functions that its rows share")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a fault is an exception to everything else")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use cloakroom_conformance as clauses;
use cloakroom_memory::MemoryStore;
use cloakroom_store::{
    Answer, Commit, Count, Create, Draft, End, EndedAll, Ending, Expect, Fields, Keep, Key, Limit,
    Load, Loads, Ops, Page, Record, Registry, Rotate, Rotation, SessionId, Store, Swept, Target,
    Timestamp, Touch, UserId,
};

/// What a store does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    CreateOverwrites,
    CreateTakesIds,
    CommitRevives,
    TouchRevives,
    ConflictIsIgnored,
    ConflictsBringNothing,
    ForwarderNeverExpires,
    ForwarderEndsAtOnce,
    GraceIsIgnored,
    ForwarderShowsTheNewIdentity,
    LoginForwards,
    LoginKeepsEverything,
    LoginIgnoresTheLimit,
    LimitIsOffByOne,
    RefusalEvicts,
    DeadlinesAreIgnored,
    TouchesAreDropped,
    DormantIsGone,
    ReasonsAreForgotten,
    ReasonsAreConfused,
    SweepIsUnbounded,
    SweepNeverSaysMore,
    EndAllSparesNobody,
    ListIgnoresThePage,
    RenewalsKeepTheClocks,
    SweepTakesTheForgotten,
    NumbersAreRewritten,
    WorkWaitsForThePoll,
    LoadsAreOutOfOrder,
}

/// The memory store with one fault.
struct Broken {
    inner: MemoryStore,
    fault: Fault,
}

impl Broken {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// A time at which nothing has expired, if that is the fault.
    fn time(&self, now: Timestamp) -> Timestamp {
        if self.has(Fault::DeadlinesAreIgnored) { Timestamp::from_millis(0) } else { now }
    }

    fn limit(&self, limit: Option<Limit>) -> Option<Limit> {
        let Limit { max, policy } = limit?;
        match self.fault {
            Fault::LimitIsOffByOne => Some(Limit { max: max + 1, policy }),
            Fault::RefusalEvicts => Some(Limit::keep_newest(max)),
            _ => limit,
        }
    }

    fn shown(&self, load: Load) -> Load {
        match (self.fault, load) {
            (Fault::ForwarderShowsTheNewIdentity, Load::Forwarded(record)) => Load::Live(record),
            (Fault::DormantIsGone, Load::Dormant(_)) => Load::Gone(None),
            (Fault::ReasonsAreForgotten, Load::Gone(_)) => Load::Gone(None),
            (Fault::ReasonsAreConfused, Load::Gone(Some(mut ended))) => {
                ended.reason = cloakroom_store::Reason::Logout;
                Load::Gone(Some(ended))
            }
            (Fault::NumbersAreRewritten, Load::Live(record)) => Load::Live(rewritten(&record)),
            (_, load) => load,
        }
    }

    fn rotation(&self, rotation: Rotation) -> Rotation {
        let forever = Duration::from_secs(1 << 30);
        match (self.fault, rotation) {
            (Fault::LoginKeepsEverything, Rotation::Privilege { draft, limit, ending, .. }) => {
                Rotation::Privilege { draft, keep: Keep::All, limit, ending }
            }
            (Fault::LoginIgnoresTheLimit, Rotation::Privilege { draft, keep, ending, .. }) => {
                Rotation::Privilege { draft, keep, limit: None, ending }
            }
            (Fault::ForwarderNeverExpires, Rotation::Renewal { identity, times, .. }) => {
                Rotation::Renewal { identity, times, grace: forever, cap: forever }
            }
            (Fault::ForwarderEndsAtOnce, Rotation::Renewal { identity, times, .. }) => {
                let none = Duration::ZERO;
                Rotation::Renewal { identity, times, grace: none, cap: none }
            }
            (Fault::GraceIsIgnored, Rotation::Renewal { identity, times, cap, .. }) => {
                Rotation::Renewal { identity, times, grace: cap, cap }
            }
            (Fault::RenewalsKeepTheClocks, Rotation::Renewal { identity, grace, cap, .. }) => {
                Rotation::Renewal { identity, times: None, grace, cap }
            }
            (_, rotation) => rotation,
        }
    }
}

/// The record as a store writes it that parses numbers.
fn rewritten(record: &Record) -> Record {
    let fields = Fields::from_json(record.fields().as_json().replace("1.50", "1.5")).unwrap();
    let (identity, client) = (record.identity().clone(), record.client().clone());
    Record::restored(record.id(), record.version(), identity, *record.times(), client, fields)
}

/// The record of a session made out of nothing.
fn invented(seen: Timestamp) -> Record {
    let times = cloakroom_store::Times {
        created: seen,
        seen,
        idle_deadline: Timestamp::MAX,
        absolute_deadline: Timestamp::MAX,
    };
    let id = SessionId::from_bytes([0; 18]);
    let identity = cloakroom_store::Identity::anonymous();
    Record::restored(id, 1, identity, times, Default::default(), Fields::default())
}

fn map<T: Send + 'static, U>(answer: Answer<T>, change: impl FnOnce(T) -> U) -> Answer<U> {
    Answer::ready(answer.now().unwrap().map(change))
}

impl Store for Broken {
    cloakroom_conformance::hand_on!(self => self.inner; reach survival route resume);

    fn name(&self) -> &'static str {
        "broken"
    }

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        map(self.inner.load(keys, self.time(now)), |loads| {
            let mut loads: Vec<_> = loads.into_iter().map(|load| self.shown(load)).collect();
            if self.has(Fault::LoadsAreOutOfOrder) {
                loads.reverse();
            }
            loads.into_iter().collect()
        })
    }

    fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Answer<Create> {
        let (inner, key, now) = (self.inner.clone(), *key, self.time(now));
        if self.has(Fault::WorkWaitsForThePoll) {
            return Answer::later(async move { inner.create(&key, draft, limit, now).await });
        }
        let record = Record::new(draft.clone(), &Fields::default());
        map(inner.create(&key, draft, self.limit(limit), now), |create| match create {
            Create::KeyTaken if self.has(Fault::CreateOverwrites) => {
                Create::Done { record: record.unwrap(), evicted: Vec::new() }
            }
            Create::KeyTaken if self.has(Fault::CreateTakesIds) => {
                Create::Done { record: record.unwrap(), evicted: Vec::new() }
            }
            create => create,
        })
    }

    fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Answer<Commit> {
        let expect = if self.has(Fault::ConflictIsIgnored) { Expect::Any } else { expect };
        let touch = touch.filter(|_| !self.has(Fault::TouchesAreDropped));
        let commit = self.inner.commit(key, expect, ops, touch, self.time(now));
        map(commit, |commit| match commit {
            Commit::Gone(_) if self.has(Fault::CommitRevives) => Commit::Done(invented(now)),
            Commit::Gone(_) if self.has(Fault::TouchRevives) && ops.is_empty() => {
                Commit::Done(invented(now))
            }
            Commit::Conflict(_) if self.has(Fault::ConflictsBringNothing) => {
                Commit::Conflict(invented(now))
            }
            commit => commit,
        })
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        match self.rotation(rotation) {
            Rotation::Privilege { draft, limit, .. } if self.has(Fault::LoginForwards) => {
                map(self.inner.create(new, draft, limit, now), |create| match create {
                    Create::Done { record, evicted } => Rotate::Done { record, evicted },
                    Create::KeyTaken => Rotate::KeyTaken,
                    Create::LimitReached(existing) => Rotate::LimitReached(existing),
                })
            }
            rotation => self.inner.rotate(old, new, rotation, self.time(now)),
        }
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        self.inner.end(target, ending, self.time(now))
    }
}

impl Registry for Broken {
    cloakroom_conformance::hand_on!(self => self.inner; amend scan);

    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        let ignored = Page::first(u32::MAX);
        let page = if self.has(Fault::ListIgnoresThePage) { ignored } else { page };
        self.inner.list(user, page, now)
    }

    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll> {
        let except = except.filter(|_| !self.has(Fault::EndAllSparesNobody));
        self.inner.end_all(user, except, ending, now)
    }

    fn count(&self, now: Timestamp) -> Answer<Count> {
        self.inner.count(self.time(now))
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        let limit = if self.has(Fault::SweepIsUnbounded) { u32::MAX } else { limit };
        if self.has(Fault::SweepTakesTheForgotten) {
            let records = self.inner.scan(Page::first(100), now).now().unwrap().unwrap();
            let forgotten =
                |record: &&Record| record.identity().remembered_until.is_some_and(|at| at <= now);
            for record in records.iter().filter(forgotten) {
                let _ended = self.inner.end(Target::Id(record.id()), Ending::LOGOUT, now).now();
            }
        }
        map(self.inner.sweep(now, limit), |swept| Swept {
            more: swept.more && !self.has(Fault::SweepNeverSaysMore),
            ..swept
        })
    }
}

/// Each row: the fault, and the clause that must notice it.
macro_rules! faults {
    ($($fault:ident: $theme:ident::$clause:ident,)*) => {
        #[test]
        fn every_broken_store_fails_the_clause_that_guards_its_promise() {
            $(
                let noticed = catch_unwind(AssertUnwindSafe(|| {
                    let fault = Fault::$fault;
                    clauses::$theme::$clause(&|| Broken { inner: MemoryStore::new(), fault });
                }));
                assert!(noticed.is_err(), "{:?} passed {}", Fault::$fault, stringify!($clause));
            )*
        }

        #[test]
        fn an_unbroken_store_keeps_the_same_clauses() {
            $(clauses::$theme::$clause(&MemoryStore::new);)*
        }
    };
}

faults! {
    CreateOverwrites: creation::create_never_overwrites_a_session,
    CreateOverwrites: creation::an_ended_key_never_lives_again,
    CreateTakesIds: creation::create_never_takes_an_id_that_is_in_use,
    CommitRevives: endings::a_late_commit_does_not_revive,
    CommitRevives: creation::nothing_but_create_makes_a_session,
    TouchRevives: endings::a_late_touch_does_not_revive,
    ConflictIsIgnored: commits::a_conflict_brings_the_newest_record_and_writes_nothing,
    ConflictsBringNothing: commits::a_conflict_brings_the_newest_record_and_writes_nothing,
    ForwarderNeverExpires: renewal::an_unseen_renewal_forwards_up_to_its_cap,
    ForwarderNeverExpires: renewal::the_first_load_through_the_new_key_starts_the_grace,
    ForwarderEndsAtOnce: renewal::changes_through_a_forwarder_land,
    GraceIsIgnored: renewal::the_first_load_through_the_new_key_starts_the_grace,
    ForwarderShowsTheNewIdentity: renewal::a_forwarder_shows_the_identity_of_before,
    LoginForwards: privilege::a_replaced_key_is_gone_for_every_verb,
    LoginForwards: privilege::a_login_is_never_seen_half_done,
    LoginKeepsEverything: privilege::a_login_takes_over_only_what_is_kept,
    LoginIgnoresTheLimit: privilege::a_login_refused_by_the_limit_changes_nothing,
    LimitIsOffByOne: limits::those_seen_longest_ago_are_evicted,
    LimitIsOffByOne: limits::fifty_parallel_logins_beyond_five_are_refused,
    RefusalEvicts: limits::a_refusal_lists_what_exists,
    DeadlinesAreIgnored: clocks::a_session_is_gone_at_its_idle_deadline,
    DeadlinesAreIgnored: clocks::every_verb_refuses_an_expired_session,
    TouchesAreDropped: clocks::a_touch_moves_the_idle_deadline,
    DormantIsGone: remembered::a_remembered_session_is_dormant,
    ReasonsAreForgotten: loading::an_ended_key_tells_its_ending,
    ReasonsAreConfused: loading::an_ended_key_tells_its_ending,
    SweepIsUnbounded: sweeping::a_sweep_is_bounded,
    SweepIsUnbounded: sweeping::expired_forwarders_count_against_the_limit,
    SweepTakesTheForgotten: sweeping::a_session_outlives_the_memory_of_its_user,
    RenewalsKeepTheClocks: clocks::a_renewal_can_bring_the_deadline_forward,
    ReasonsAreConfused: loading::an_older_key_keeps_its_own_ending,
    ReasonsAreForgotten: remembered::a_resumed_session_tells_its_own_ending,
    SweepNeverSaysMore: sweeping::a_sweep_is_bounded,
    EndAllSparesNobody: users::end_all_can_spare_one,
    ListIgnoresThePage: users::a_list_is_paged_in_the_order_of_ids,
    NumbersAreRewritten: values::values_come_back_to_the_letter,
    WorkWaitsForThePoll: creation::a_dropped_answer_does_not_stop_a_creation,
    LoadsAreOutOfOrder: loading::one_load_answers_for_every_key_in_order,
}
