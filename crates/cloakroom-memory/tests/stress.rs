//! Threads that do anything to everything; afterwards index and records agree.
#![allow(clippy::print_stdout, reason = "a failure shows the seed that repeats it")]
#![allow(clippy::unwrap_used, reason = "in a test, also in the functions that its cases share")]
#![allow(clippy::indexing_slicing, reason = "the bound is the argument of the random choice")]

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::thread;
use std::time::Duration;

use cloakroom_memory::MemoryStore;
use cloakroom_store::{
    Answer, By, ClientInfo, Draft, Ending, Expect, Factors, Field, Identity, Keep, Key, Limit,
    Load, Ops, Page, Record, Registry, Rotation, SessionId, Store, Target, Times, Timestamp, Touch,
    UserId,
};

const KEYS: u64 = 200;
const USERS: u64 = 8;
const STEPS: u64 = 20_000;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

/// A small generator of numbers (xorshift64*), so that a seed repeats a thread's choices.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    fn key(&mut self) -> Key {
        key(self.below(KEYS))
    }

    fn id(&mut self) -> SessionId {
        let mut bytes = [0; 18];
        bytes[2..10].copy_from_slice(&self.below(1 << 31).to_le_bytes());
        bytes[10..18].copy_from_slice(&self.below(1 << 31).to_le_bytes());
        SessionId::from_bytes(bytes)
    }

    fn draft(&mut self, seconds: u64) -> Draft {
        let identity = match self.below(3) {
            0 => Identity::anonymous(),
            1 => Identity::signed_in(user(self.below(USERS)), Factors::PASSWORD, at(seconds)),
            _ => Identity::signed_in(user(self.below(USERS)), Factors::TOTP, at(seconds))
                .remembered_until(at(seconds + 400)),
        };
        let times = Times {
            created: at(seconds),
            seen: at(seconds),
            idle_deadline: at(seconds + 20 + self.below(100)),
            absolute_deadline: at(seconds + 300),
        };
        let (client, ops) = (ClientInfo::default(), self.ops());
        Draft { id: self.id(), identity, times, client, ops }
    }

    fn ops(&mut self) -> Ops {
        let mut ops = Ops::new();
        let name = ["a", "b", "c", "d"][self.below(4) as usize];
        ops.set(Field::from_static(name), &"x".repeat(self.below(200) as usize)).unwrap();
        ops
    }

    fn limit(&mut self) -> Option<Limit> {
        let max = 1 + self.below(6) as u32;
        [None, Some(Limit::keep_newest(max)), Some(Limit::refuse_beyond(max))]
            [self.below(3) as usize]
    }

    fn rotation(&mut self, seconds: u64) -> Rotation {
        if self.below(2) == 0 {
            let (grace, cap) = (Duration::from_secs(5), Duration::from_secs(30));
            return Rotation::Renewal { identity: None, times: None, grace, cap };
        }
        let (draft, limit) = (self.draft(seconds), self.limit());
        Rotation::Privilege { draft, keep: Keep::All, limit, ending: Ending::LOGOUT }
    }
}

/// Keys that are spread over the shards.
fn key(number: u64) -> Key {
    let mut bytes = [0; 32];
    for (place, chunk) in (1..).zip(bytes.chunks_mut(8)) {
        let word = (number + place).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        chunk.copy_from_slice(&(word ^ (word >> 29)).to_le_bytes());
    }
    Key::from_bytes(bytes)
}

fn user(number: u64) -> UserId {
    UserId::from(number)
}

fn done<T>(answer: Answer<T>) -> T {
    answer.now().unwrap().unwrap()
}

fn step(store: &MemoryStore, random: &mut Random, seconds: u64) {
    let now = at(seconds);
    let (one, other) = (random.key(), random.key());
    match random.below(16) {
        0..=2 => drop(done(store.create(&one, random.draft(seconds), random.limit(), now))),
        3 | 4 => drop(done(store.load(&[one, other], now))),
        5 => drop(done(store.load(&[one], now))),
        6..=8 => {
            let touch = Touch { seen: now, idle_deadline: at(seconds + 60) };
            drop(done(store.commit(&one, Expect::Any, &random.ops(), Some(touch), now)));
        }
        9..=11 => drop(done(store.rotate(&one, &other, random.rotation(seconds), now))),
        12 => {
            // Refused if the session is of another user.
            let resume = store.resume(&one, random.draft(seconds), Keep::All, now);
            assert!(resume.now().is_ok());
        }
        13 => drop(done(store.end(Target::Key(one), Ending::LOGOUT, now))),
        14 => match random.below(8) {
            0 => {
                let user = user(random.below(USERS));
                drop(done(store.end_all(&user, None, Ending::revoked(By::SYSTEM), now)));
            }
            _ => drop(done(store.amend(&user(random.below(USERS)), &random.ops(), now))),
        },
        _ => drop(done(store.sweep(now, random.below(10) as u32))),
    }
}

/// Every way to find a session finds the same ones.
fn agrees(store: &MemoryStore, seconds: u64) {
    let now = at(seconds);
    let ids = |records: &[Record]| records.iter().map(Record::id).collect::<BTreeSet<_>>();
    let scanned = done(store.scan(Page::first(u32::MAX), now));
    let behind_keys: Vec<Record> = (0..KEYS)
        .flat_map(|number| done(store.load(&[key(number)], now)))
        .filter_map(|load| match load {
            Load::Live(record) | Load::Dormant(record) => Some(record),
            Load::Forwarded(_) | Load::Gone(_) => None,
        })
        .collect();
    let lists: Vec<Record> = (0..USERS)
        .flat_map(|number| done(store.list(&user(number), Page::first(u32::MAX), now)))
        .collect();
    let signed_in: Vec<Record> =
        scanned.iter().filter(|record| record.identity().user.is_some()).cloned().collect();
    let count = done(store.count(now));

    assert_eq!(ids(&scanned), ids(&behind_keys));
    assert_eq!(scanned.len(), behind_keys.len());
    assert_eq!(ids(&signed_in), ids(&lists));
    assert_eq!(signed_in.len(), lists.len());
    assert_eq!(count.sessions, scanned.len() as u64);
    assert_eq!(count.signed_in, signed_in.len() as u64);
}

fn run(store: &MemoryStore, seed: u64) {
    println!("seed {seed}");
    for round in 0..5 {
        thread::scope(|scope| {
            for thread in 0..4 {
                let mut random = Random(seed ^ ((thread + 1) << 32) ^ (round + 1));
                scope.spawn(move || {
                    for number in 0..STEPS / 5 {
                        // Clocks of threads differ by a little, as those of machines do.
                        step(store, &mut random, 1_000 * round + number / 10 + thread);
                    }
                });
            }
        });
        agrees(store, 1_000 * round + STEPS / 50);
    }

    let end = 1_000_000;
    while done(store.sweep(at(end), 50)).more {}
    agrees(store, end);
    assert_eq!(store.bytes(), 0, "everything has expired and was swept");
}

fn seed() -> u64 {
    let given = std::env::var("CLOAKROOM_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| std::hash::RandomState::new().hash_one(0) | 1)
}

#[test]
fn index_and_records_agree_after_anything() {
    run(&MemoryStore::new(), seed());
}

#[test]
fn index_and_records_agree_in_a_store_that_is_full() {
    let store = MemoryStore::builder().max_sessions(40).build();
    let seed = seed();
    println!("seed {seed}");
    let mut random = Random(seed);
    for number in 0..STEPS {
        let seconds = number / 20;
        let draft = random.draft(seconds);
        // Refused while all that is held is signed in.
        let created = store.create(&random.key(), draft, None, at(seconds));
        assert!(created.now().is_ok());
        assert!(done(store.count(at(seconds))).sessions <= 40);
    }
    agrees(&store, STEPS / 20);
}
