//! Threads that use sessions of one store at once.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

use cloakroom_store::{
    Commit, End, Ending, Expect, Key, Load, Ops, Record, Registry, Rotate, Rotation, StoreError,
    Target,
};

use super::{Call, Event, KEYS_MAX, State, Told, explain, explain_near};
use crate::Fixture;
use crate::desk::{Desk, at, field, login, renewal};
use crate::executor::block_on;
use crate::near::Neighbours;

/// The fields that the calls use.
const FIELDS: [&str; 3] = ["a", "b", "c"];

/// How much is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// How many sessions, one after the other.
    pub sessions: u32,
    /// How many threads use each at once.
    pub threads: u32,
    /// How many calls each thread makes in each session.
    pub calls: u32,
}

/// What was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many histories were explained.
    pub histories: u64,
    /// How many calls they had.
    pub calls: u64,
    /// How many of these overlapped the call before them.
    pub overlapping: u64,
    /// How many of these moved a session behind another key.
    pub moved: u64,
    /// How many of these came through a key from before a renewal.
    pub forwarded: u64,
    /// How many of these were answered with an error. A history of errors alone explains itself.
    pub unanswered: u64,
}

/// Lets threads use the sessions of one store, and explains what they were told.
///
/// # Panics
///
/// If a history cannot be explained; it is printed call by call with the `seed`.
pub fn check(fixture: &impl Fixture, volume: Volume, seed: u64) -> Figures {
    let desk = Desk::open(fixture);
    let sessions = record(&desk, &[&desk.store], volume, seed);
    judge(sessions, |events, _| explain(events), seed)
}

/// The same with the threads of two processes, each with a cache in front of one store: what a load
/// tells may be older ([`crate::near::Neighbours`]), and once all is done the news of it comes.
///
/// # Panics
///
/// If a history cannot be explained, or news never comes.
pub fn check_neighbours<N: Registry>(
    fixture: &impl Fixture<Store = Neighbours<N>>,
    volume: Volume,
    seed: u64,
) -> Figures {
    let desk = Desk::open(fixture);
    let sessions = record(&desk, &desk.store.caches(), volume, seed);
    let keys = sessions.iter().flat_map(|session| &session.keys);
    keys.for_each(|key| desk.store.settle(key, at(1)));
    judge(sessions, explain_near, seed)
}

/// Uses sessions of the store of `desk` through each of these handles in turn, and says what the
/// threads were told of each, with the number of the handle.
fn record<S: Registry, D: Registry>(
    desk: &Desk<D>,
    stores: &[&S],
    volume: Volume,
    seed: u64,
) -> Vec<Shared> {
    let (clock, starts) = (AtomicU64::new(0), Barrier::new(volume.threads as usize));
    let drafts = AtomicU32::new(volume.sessions * u32::from(KEYS_MAX));
    let sessions: Vec<Shared> =
        (0..volume.sessions).map(|number| Shared::begin(desk, number)).collect();
    thread::scope(|scope| {
        let threads = stores.iter().enumerate().cycle();
        for (thread, (process, store)) in (0..volume.threads).zip(threads) {
            let (clock, starts, drafts) = (&clock, &starts, &drafts);
            let sessions = &sessions;
            scope.spawn(move || {
                let random = seed ^ (u64::from(thread) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut client = Client { desk, store: *store, clock, drafts, random: random | 1 };
                for session in sessions {
                    starts.wait();
                    let events = client.use_session(session, volume.calls);
                    let mut history =
                        session.history.lock().unwrap_or_else(PoisonError::into_inner);
                    history.extend(events.into_iter().map(|event| (event, process)));
                }
            });
        }
    });
    sessions
}

/// Explains each history, and counts what was in them.
fn judge(
    sessions: Vec<Shared>,
    explain: impl Fn(&[Event], &[usize]) -> Option<Vec<usize>>,
    seed: u64,
) -> Figures {
    let mut figures = Figures::default();
    for session in sessions {
        let mut history = session.history.into_inner().unwrap_or_else(PoisonError::into_inner);
        history.sort_by_key(|(event, _)| event.began);
        let (events, processes): (Vec<_>, Vec<_>) = history.into_iter().unzip();
        let order = explain(&events, &processes);
        assert!(
            order.is_some(),
            "no order explains this (CLOAKROOM_SEED={seed}):\n{events:#?}\nof {processes:?}"
        );
        figures.count(&events);
    }
    figures
}
impl Figures {
    fn count(&mut self, events: &[Event]) {
        self.histories += 1;
        self.calls += events.len() as u64;
        let pairs = events.iter().zip(events.iter().skip(1));
        self.overlapping += pairs.filter(|(a, b)| b.began < a.ended).count() as u64;
        for told in events.iter().map(|event| event.told) {
            match told {
                None => self.unanswered += 1,
                Some(Told::Moved(_)) => self.moved += 1,
                Some(Told::Forwarded(_) | Told::Stale) => self.forwarded += 1,
                Some(Told::Live(_) | Told::Done(_) | Told::Conflict(_) | Told::Ended(_)) => {}
                Some(Told::Taken | Told::Gone) => {}
            }
        }
    }
}

/// A session that all threads use.
struct Shared {
    keys: Vec<Key>,
    /// The newest key that somebody knows of; it may be an older one already.
    newest: AtomicU8,
    /// What each call was told, and the number of its process.
    history: Mutex<Vec<(Event, usize)>>,
}

impl Shared {
    fn begin<S: Registry>(desk: &Desk<S>, number: u32) -> Self {
        let first = number * u32::from(KEYS_MAX);
        desk.has_guest(first);
        let keys = (first..).take(usize::from(KEYS_MAX)).map(|number| desk.key(number)).collect();
        Self { keys, newest: AtomicU8::new(0), history: Mutex::default() }
    }

    fn key(&self, number: u8) -> Key {
        self.keys.get(usize::from(number)).copied().unwrap_or(Key::from_bytes([0; 32]))
    }
}

/// One thread.
struct Client<'a, S, D> {
    desk: &'a Desk<D>,
    store: &'a S,
    clock: &'a AtomicU64,
    /// Numbers of drafts that nobody has used.
    drafts: &'a AtomicU32,
    random: u64,
}

impl<S: Registry, D: Registry> Client<'_, S, D> {
    fn use_session(&mut self, session: &Shared, calls: u32) -> Vec<Event> {
        let mut newest = State::default();
        let mut events = Vec::new();
        for _ in 0..calls {
            let (key, call) = (self.key(session), self.call(newest));
            let began = self.clock.fetch_add(1, Ordering::SeqCst);
            self.let_others();
            let told = self.make(session, key, call);
            self.let_others();
            let ended = self.clock.fetch_add(1, Ordering::SeqCst);
            if let Ok(
                Told::Live(state)
                | Told::Forwarded(state)
                | Told::Done(state)
                | Told::Conflict(state)
                | Told::Moved(state),
            ) = told
            {
                newest = state;
            }
            if let (Ok(Told::Moved(_)), Call::Renew { to } | Call::Replace { to }) = (&told, call) {
                session.newest.store(to, Ordering::SeqCst);
            }
            events.push(Event { key, call, told: told.ok(), began, ended });
        }
        events
    }

    /// Mostly the newest key that is known, now and then any.
    fn key(&mut self, session: &Shared) -> u8 {
        let any = self.number(KEYS_MAX);
        if self.below(6) == 0 { any } else { session.newest.load(Ordering::SeqCst) }
    }

    /// Increments of the newest value that was seen, values that replace whatever there is, loads,
    /// rotations, and now and then the end.
    fn call(&mut self, newest: State) -> Call {
        let field = self.below(3);
        let value = newest.fields.get(field).copied().unwrap_or_default() + 1;
        let to = self.number(KEYS_MAX);
        match self.below(48) {
            0..=17 => Call::Commit { expect: Some(newest.version), field, value },
            18..=27 => Call::Commit { expect: None, field, value: 1_000 + self.random % 1_000 },
            28..=42 => Call::Load,
            43..=45 => Call::Renew { to },
            46 => Call::Replace { to },
            _ => Call::End,
        }
    }

    fn make(&self, session: &Shared, number: u8, call: Call) -> Result<Told, StoreError> {
        let (store, now, key) = (self.store, at(1), session.key(number));
        match call {
            Call::Load => {
                let load = block_on(store.load(&[key], now))?.into_iter().next();
                Ok(match load {
                    Some(Load::Live(record)) => Told::Live(state_of(&record)),
                    Some(Load::Forwarded(record)) => Told::Forwarded(state_of(&record)),
                    Some(Load::Dormant(_) | Load::Gone(_)) | None => Told::Gone,
                })
            }
            Call::Commit { expect, field: number, value } => {
                let mut ops = Ops::new();
                ops.set(field(FIELDS.get(number).copied().unwrap_or("z")), &value)?;
                let expect = expect.map_or(Expect::Any, Expect::Version);
                Ok(match block_on(store.commit(&key, expect, &ops, None, now))? {
                    Commit::Done(record) => Told::Done(state_of(&record)),
                    Commit::Conflict(record) => Told::Conflict(state_of(&record)),
                    Commit::Gone(_) => Told::Gone,
                })
            }
            Call::End => Ok(match block_on(store.end(Target::Key(key), Ending::LOGOUT, now))? {
                End::Ended(record) => Told::Ended(state_of(&record)),
                End::Stale => Told::Stale,
                End::Gone(_) => Told::Gone,
            }),
            Call::Renew { to } => self.rotate(&key, &session.key(to), renewal()),
            Call::Replace { to } => self.rotate(&key, &session.key(to), self.replacement()),
        }
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation) -> Result<Told, StoreError> {
        Ok(match block_on(self.store.rotate(old, new, rotation, at(1)))? {
            Rotate::Done { record, .. } => Told::Moved(state_of(&record)),
            Rotate::KeyTaken => Told::Taken,
            Rotate::Stale => Told::Stale,
            Rotate::Gone(_) | Rotate::LimitReached(_) => Told::Gone,
        })
    }

    fn replacement(&self) -> Rotation {
        let number = self.drafts.fetch_add(1, Ordering::SeqCst);
        login(self.desk.guest(number), &FIELDS)
    }

    /// Now and then lets other threads go first, so that calls of a fast store overlap too.
    fn let_others(&mut self) {
        if self.below(4) == 0 {
            thread::yield_now();
        }
    }

    /// A number below `bound` (xorshift64*).
    fn below(&mut self, bound: u64) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let mixed = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(mixed % bound).unwrap_or_default()
    }

    fn number(&mut self, bound: u8) -> u8 {
        u8::try_from(self.below(bound.into())).unwrap_or_default()
    }
}

fn state_of(record: &Record) -> State {
    let value = |name: &str| record.fields().get(name).and_then(|text| text.parse().ok());
    State {
        live: true,
        version: record.version(),
        fields: FIELDS.map(|name| value(name).unwrap_or_default()),
    }
}
