//! The near cache never serves what it should not: every order of reads and changes is tried.
#![allow(clippy::unwrap_used, reason = "in a test, also in the functions that its cases share")]

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cloakroom_conformance::interleaving::{Answers, Fate, Orders, Paced};
use cloakroom_memory::{MemoryStore, NEAR_AGE, NEAR_AGE_MAX, NearCache};
use cloakroom_store::{
    Answer, By, Change, ClientInfo, Commit, Draft, Ending, Expect, Factors, Field, Identity, Keep,
    Key, Limit, Listener, Load, Loads, Ops, Reason, Registry, Rotation, SessionId, Store,
    StoreError, Target, Times, Timestamp, Told, UserId,
};

/// A store that tells what it is told to tell.
#[derive(Debug)]
struct Telling<S> {
    store: S,
    told: Told,
    listeners: Mutex<Vec<Listening>>,
}

struct Listening(Arc<dyn Listener>);

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listening")
    }
}

impl<S> Telling<S> {
    fn new(store: S, told: Told) -> Self {
        Self { store, told, listeners: Mutex::default() }
    }

    fn tell(&self, change: Change) {
        self.listeners.lock().unwrap().iter().for_each(|listener| listener.0.hear(change));
    }
}

impl<S: Store> Store for Telling<S> {
    cloakroom_conformance::hand_on!(self => self.store; name reach survival route load create
        commit rotate resume end);

    fn listen(&self, listener: Arc<dyn Listener>) -> Told {
        self.listeners.lock().unwrap().push(Listening(listener));
        self.told
    }
}

impl<S: Registry> Registry for Telling<S> {
    cloakroom_conformance::hand_on!(self => self.store; list end_all amend scan count sweep watch);
}

const IDLE: u64 = 100_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000_000 + millis)
}

fn key(number: u8) -> Key {
    Key::from_bytes([number; 32])
}

fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 18])
}

fn ada() -> UserId {
    UserId::try_from("ada").unwrap()
}

fn draft(number: u8) -> Draft {
    Draft {
        id: id(number),
        identity: Identity::signed_in(ada(), Factors::PASSWORD, at(0)),
        times: Times {
            created: at(0),
            seen: at(0),
            idle_deadline: at(IDLE),
            absolute_deadline: at(10 * IDLE),
        },
        client: ClientInfo::default(),
        ops: Ops::new(),
    }
}

fn set(value: u32) -> Ops {
    let mut ops = Ops::new();
    ops.set(Field::from_static("a"), &value).unwrap();
    ops
}

fn renewal() -> Rotation {
    let (grace, cap) = (Duration::from_secs(20), Duration::from_secs(60));
    Rotation::Renewal { identity: None, times: None, grace, cap }
}

fn login() -> Rotation {
    let ending = Ending { reason: Reason::Replaced, by: By::HOLDER };
    Rotation::Privilege { draft: draft(2), keep: Keep::nothing(), limit: None, ending }
}

fn now<T>(answer: Answer<T>) -> T {
    answer.now().unwrap().unwrap()
}

fn poll<T>(answer: &mut Answer<T>) -> Option<Result<T, StoreError>> {
    match std::pin::Pin::new(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// A cache with one session of ada behind each of these keys, all of them kept near.
fn holding<S: Store>(cache: NearCache<S>, numbers: &[u8]) -> NearCache<S> {
    for number in numbers {
        now(cache.create(&key(*number), draft(*number), None, at(0)));
        load(&cache, *number, 0);
    }
    cache
}

fn near(numbers: &[u8]) -> NearCache<MemoryStore> {
    holding(NearCache::new(MemoryStore::new()), numbers)
}

fn load(cache: &impl Store, number: u8, millis: u64) -> Load {
    now(cache.load(&[key(number)], at(millis))).into_iter().next().unwrap()
}

fn is_live(load: &Load) -> bool {
    matches!(load, Load::Live(_))
}

type Slow = NearCache<Telling<Paced<MemoryStore>>>;

/// A cache in front of a store whose calls wait until they are let go, with one session.
fn slow() -> Slow {
    let paced = Paced::new(MemoryStore::new(), Answers::Late);
    now(paced.store().create(&key(1), draft(1), None, at(0)));
    let cache = NearCache::new(Telling::new(paced, Told::Changes));
    cache.store().tell(Change::Hearing);
    cache
}

/// A change, as its steps, and what a read that begins after it must be.
struct Script {
    /// How many reads there are; each adds two steps.
    reads: usize,
    begin: fn(&Slow) -> Option<Pending>,
    /// What is still to be done when the change is done at the store.
    then: fn(&Slow),
    holds: fn(&Load) -> bool,
}

/// A verb under way, whatever it answers.
type Pending = std::pin::Pin<Box<dyn Future<Output = ()>>>;

fn pending<T: 'static>(answer: Answer<T>) -> Option<Pending> {
    Some(Box::pin(async move { drop(answer.await.unwrap()) }))
}

#[derive(Clone, Copy)]
enum Step {
    Read,
    Change,
    Then,
    GoOn(usize),
}

/// Tries every order of some reads, one change and the calls and answers of them all.
fn every_order(script: &Script) {
    let mut orders = Orders::new();
    while orders.begin() {
        one_order(script, &mut orders);
    }
    assert!(orders.tried() > 500, "{} orders", orders.tried());
}

fn one_order(script: &Script, orders: &mut Orders) {
    let cache = slow();
    let paced = &cache.store().store;
    let (mut begun, mut changing, mut changed, mut over) = (0, None, false, false);
    let mut reads: Vec<(bool, Answer<Loads>)> = Vec::new();
    loop {
        let mut steps = Vec::new();
        if begun < script.reads {
            steps.push(Step::Read);
        }
        if !changed {
            steps.push(Step::Change);
        } else if changing.is_none() && !over {
            steps.push(Step::Then);
        }
        steps.extend((0..paced.waiting()).map(Step::GoOn));
        if steps.is_empty() {
            break;
        }
        let step = orders.choose(steps.len());
        match *steps.get(step).unwrap() {
            Step::Read => {
                begun += 1;
                reads.push((over, cache.load(&[key(1)], at(1))));
            }
            Step::Change => {
                changed = true;
                changing = (script.begin)(&cache);
            }
            Step::Then => {
                (script.then)(&cache);
                over = true;
            }
            Step::GoOn(index) => paced.go_on(index, Fate::Done),
        }
        if let Some(change) = &mut changing
            && change.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        {
            changing = None;
        }
        reads.retain_mut(|(after, read)| match poll(read) {
            Some(loads) => {
                let load = loads.unwrap().into_iter().next().unwrap();
                let story = || format!("{:?}: {load:?}", orders.choices());
                assert!(!*after || (script.holds)(&load), "{}", story());
                false
            }
            None => true,
        });
    }
    assert!(reads.is_empty(), "{} reads were never answered", reads.len());
}

fn is_over(load: &Load) -> bool {
    matches!(load, Load::Gone(_))
}

fn is_changed(load: &Load) -> bool {
    matches!(load, Load::Live(record) if record.version() == 2)
}

#[test]
fn no_read_that_begins_after_others_ended_a_session_finds_it() {
    every_order(&Script {
        reads: 3,
        begin: |cache| {
            now(cache.store().store.store().end(Target::Key(key(1)), Ending::LOGOUT, at(1)));
            None
        },
        then: |cache| cache.store().tell(Change::Key(key(1))),
        holds: is_over,
    });
}

#[test]
fn no_read_that_begins_after_everything_may_have_changed_finds_what_was() {
    every_order(&Script {
        reads: 3,
        begin: |cache| {
            now(cache.store().store.store().end(Target::Key(key(1)), Ending::LOGOUT, at(1)));
            None
        },
        then: |cache| cache.store().tell(Change::Everything),
        holds: is_over,
    });
}

#[test]
fn no_read_that_begins_after_a_sign_out_finds_the_session() {
    every_order(&Script {
        reads: 2,
        begin: |cache| pending(cache.end(Target::Key(key(1)), Ending::LOGOUT, at(1))),
        then: |_| {},
        holds: is_over,
    });
}

#[test]
fn no_read_that_begins_after_a_revocation_finds_the_session() {
    every_order(&Script {
        reads: 2,
        begin: |cache| pending(cache.end(Target::Id(id(1)), Ending::revoked(By::USER), at(1))),
        then: |_| {},
        holds: is_over,
    });
}

#[test]
fn no_read_that_begins_after_all_sessions_ended_finds_one() {
    every_order(&Script {
        reads: 2,
        begin: |cache| pending(cache.end_all(&ada(), None, Ending::revoked(By::USER), at(1))),
        then: |_| {},
        holds: is_over,
    });
}

#[test]
fn no_read_that_begins_after_a_change_finds_what_was_before() {
    every_order(&Script {
        reads: 2,
        begin: |cache| pending(cache.commit(&key(1), Expect::Any, &set(7), None, at(1))),
        then: |_| {},
        holds: is_changed,
    });
}

#[test]
fn no_read_that_begins_after_a_login_finds_the_session_that_it_replaced() {
    every_order(&Script {
        reads: 2,
        begin: |cache| pending(cache.rotate(&key(1), &key(2), login(), at(1))),
        then: |_| {},
        holds: is_over,
    });
}

#[test]
fn no_read_that_begins_after_a_renewal_finds_the_session_behind_the_old_key() {
    every_order(&Script {
        reads: 2,
        begin: |cache| pending(cache.rotate(&key(1), &key(2), renewal(), at(1))),
        then: |_| {},
        holds: |load| matches!(load, Load::Forwarded(_)),
    });
}

#[test]
fn no_read_that_begins_after_an_amendment_finds_the_old_rights() {
    every_order(&Script {
        reads: 2,
        begin: |cache| pending(cache.amend(&ada(), &set(7), at(1))),
        then: |_| {},
        holds: is_changed,
    });
}

#[test]
fn no_read_that_begins_after_an_eviction_finds_the_session() {
    every_order(&Script {
        reads: 2,
        begin: |cache| pending(cache.create(&key(2), draft(2), Some(Limit::keep_newest(1)), at(1))),
        then: |_| {},
        holds: is_over,
    });
}

#[test]
fn a_read_again_asks_nobody() {
    let cache = near(&[1]);
    let before = cache.figures();

    let again = load(&cache, 1, 1);

    assert!(is_live(&again));
    let after = cache.figures();
    assert_eq!((after.hits, after.loads), (before.hits + 1, before.loads));
}

#[test]
fn parallel_reads_of_one_session_are_one_call() {
    let cache = slow();
    let paced = &cache.store().store;
    let mut reads = [1, 2, 3].map(|_| cache.load(&[key(1)], at(1)));
    assert_eq!(paced.waiting(), 1);

    while paced.waiting() > 0 {
        paced.go_on(0, Fate::Done);
        poll(&mut reads[0]);
    }

    let [_, others @ ..] = &mut reads;
    for read in others {
        let loads = poll(read).unwrap().unwrap();
        assert!(loads.iter().all(is_live));
    }
    assert_eq!((cache.figures().loads, cache.figures().shared), (1, 2));
}

#[test]
fn a_read_that_nobody_waits_for_any_more_is_not_joined() {
    let cache = slow();
    drop(cache.load(&[key(1)], at(1)));
    let paced = &cache.store().store;
    while paced.waiting() > 0 {
        paced.go_on(0, Fate::Done);
    }
    now(paced.store().end(Target::Key(key(1)), Ending::LOGOUT, at(1)));

    let mut read = cache.load(&[key(1)], at(2));
    while paced.waiting() > 0 {
        paced.go_on(0, Fate::Done);
    }

    let loads = poll(&mut read).unwrap().unwrap();
    assert!(loads.iter().all(is_over), "{loads:?}");
}

#[test]
fn an_entry_is_served_up_to_its_age() {
    let cache = near(&[1]);
    // Made by somebody else, in a store that tells nobody.
    now(cache.store().end(Target::Key(key(1)), Ending::LOGOUT, at(0)));
    let age = u64::try_from(NEAR_AGE.as_millis()).unwrap();

    assert!(is_live(&load(&cache, 1, age - 1)), "the age is what such a store allows");
    assert!(is_over(&load(&cache, 1, age)));
}

#[test]
fn a_session_that_was_read_anew_is_still_known_by_its_id() {
    let cache = near(&[1]);
    let age = u64::try_from(NEAR_AGE.as_millis()).unwrap();
    load(&cache, 1, age);

    now(cache.end(Target::Id(id(1)), Ending::revoked(By::USER), at(age)));

    assert!(is_over(&load(&cache, 1, age)));
}

#[test]
fn an_age_above_a_minute_is_refused() {
    let longest = NearCache::builder().max_age(NEAR_AGE_MAX).build(MemoryStore::new());
    let longer = NearCache::builder().max_age(NEAR_AGE_MAX + Duration::from_millis(1));

    assert!(longest.is_ok());
    let error = longer.build(MemoryStore::new()).unwrap_err();
    assert!(error.to_string().contains("at most 60 s"), "{error}");
}

#[test]
fn without_an_age_every_read_asks() {
    let cache = NearCache::builder().max_age(Duration::ZERO).build(MemoryStore::new()).unwrap();
    let cache = holding(cache, &[1]);

    load(&cache, 1, 0);

    assert_eq!(cache.figures().hits, 0);
}

#[test]
fn a_session_whose_time_is_up_is_not_served() {
    let idle = Duration::from_millis(IDLE);
    let cache = NearCache::builder().max_age(NEAR_AGE_MAX).build(MemoryStore::new()).unwrap();
    let cache = holding(cache, &[1]);
    assert!(NEAR_AGE_MAX < idle);
    load(&cache, 1, IDLE - 2);

    assert!(is_live(&load(&cache, 1, IDLE - 1)));
    assert!(is_over(&load(&cache, 1, IDLE)));
}

#[test]
fn what_is_kept_is_bounded_by_bytes() {
    const BYTES: u64 = 20_000;
    let cache = NearCache::builder().max_bytes(BYTES).build(MemoryStore::new()).unwrap();

    let cache = holding(cache, &(1..=200).collect::<Vec<_>>());

    let kept = cache.figures().bytes;
    assert!(kept > BYTES / 2 && kept <= BYTES, "{kept} bytes");
    assert!((1..=200).all(|number| is_live(&load(&cache, number, 1))), "the store has them all");
}

#[test]
fn while_changes_may_be_missed_nothing_is_served_from_here() {
    let cache = NearCache::new(Telling::new(MemoryStore::new(), Told::Changes));
    let cache = holding(cache, &[1]);
    assert_eq!(cache.figures().hits, 0, "it was not heard yet that changes are heard");
    cache.store().tell(Change::Hearing);
    load(&cache, 1, 1);
    load(&cache, 1, 1);
    assert_eq!(cache.figures().hits, 1);

    cache.store().tell(Change::Deaf);
    now(cache.store().end(Target::Key(key(1)), Ending::LOGOUT, at(2)));

    assert!(is_over(&load(&cache, 1, 2)));
}

#[test]
fn while_changes_may_be_missed_no_read_waits_for_an_older_one() {
    let cache = slow();
    cache.store().tell(Change::Deaf);
    let paced = &cache.store().store;
    let mut before = cache.load(&[key(1)], at(1));
    paced.go_on(0, Fate::Done);
    now(paced.store().end(Target::Key(key(1)), Ending::LOGOUT, at(1)));

    let mut after = cache.load(&[key(1)], at(1));

    while paced.waiting() > 0 {
        paced.go_on(0, Fate::Done);
    }
    assert!(poll(&mut before).unwrap().unwrap().iter().all(is_live), "it was read in time");
    assert!(poll(&mut after).unwrap().unwrap().iter().all(is_over));
}

#[test]
fn what_was_kept_before_a_silence_is_not_served_after_it() {
    let cache = NearCache::new(Telling::new(MemoryStore::new(), Told::Changes));
    cache.store().tell(Change::Hearing);
    let cache = holding(cache, &[1]);
    cache.store().tell(Change::Deaf);
    now(cache.store().end(Target::Key(key(1)), Ending::LOGOUT, at(2)));

    cache.store().tell(Change::Hearing);

    assert!(is_over(&load(&cache, 1, 2)));
}

#[test]
fn a_write_whose_answer_nobody_saw_bars_its_key_for_the_age() {
    let cache = slow();
    let paced = &cache.store().store;
    drop(cache.end(Target::Key(key(1)), Ending::LOGOUT, at(1)));
    let read = |millis| {
        let mut read = cache.load(&[key(1)], at(millis));
        // The read overtakes the ending, which is the first that waits.
        while paced.waiting() > 1 {
            paced.go_on(1, Fate::Done);
            poll(&mut read);
        }
    };
    read(2);
    let loads = cache.figures().loads;

    read(3);

    assert_eq!(cache.figures().loads, loads + 1, "what was read meanwhile was not kept");
}

#[test]
fn a_change_through_an_old_key_is_seen_behind_the_new_one() {
    let cache = near(&[1]);
    now(cache.rotate(&key(1), &key(2), renewal(), at(1)));
    load(&cache, 2, 2);
    load(&cache, 2, 2);

    let Commit::Done(changed) = now(cache.commit(&key(1), Expect::Any, &set(7), None, at(3)))
    else {
        panic!("the old key forwards")
    };

    assert_eq!(load(&cache, 2, 3), Load::Live(changed));
}

#[test]
fn a_fresh_read_goes_past_what_is_kept() {
    let cache = near(&[1]);
    now(cache.store().end(Target::Key(key(1)), Ending::LOGOUT, at(1)));

    let fresh = now(cache.load_fresh(&[key(1)], at(1)));

    assert!(fresh.iter().all(is_over), "{fresh:?}");
}

#[test]
fn several_keys_are_one_call_of_the_store() {
    let cache = near(&[1, 2]);
    let before = cache.figures();

    let loads = now(cache.load(&[key(1), key(2)], at(1)));

    assert!(loads.iter().all(is_live));
    assert_eq!(cache.figures().loads, before.loads + 1);
    assert_eq!(cache.figures().hits, before.hits);
}

#[test]
fn a_closed_cache_serves_nothing() {
    let cache = near(&[1]);

    now(cache.close());

    let hits = cache.figures().hits;
    load(&cache, 1, 1);
    assert_eq!(cache.figures().hits, hits);
}

/// A session that was swept stays over, also for whoever has a clock that is behind.
#[test]
fn what_was_swept_is_found_by_no_clock() {
    let cache = near(&[1]);
    assert!(is_live(&load(&cache, 1, IDLE - 2)));

    now(cache.sweep(at(IDLE), 10));

    let stored = now(cache.store().load(&[key(1)], at(IDLE - 1))).into_iter().next();
    assert_eq!(Some(load(&cache, 1, IDLE - 1)), stored);
    assert!(matches!(stored, Some(Load::Gone(_))));
}
