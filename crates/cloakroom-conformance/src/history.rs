//! What threads were told by one store, and whether one client could have been told the same.
//!
//! Each session is one object: its calls must fit into one order that keeps what happened after
//! something else after it (Herlihy and Wing, "Linearizability", 1990). The order is searched for,
//! with what was tried remembered (Wing and Gong, "Testing and verifying concurrent objects",
//! 1993); a few overlapping calls cost nothing, and an answer is exact.
//!
//! ```
//! use cloakroom_conformance::history::{Call, Event, State, Told, explain};
//!
//! let empty = State::default();
//! let set = Call::Commit { expect: None, field: 0, value: 7 };
//! let after = State { version: 2, fields: [7, 0, 0], ..empty };
//! let set = Event { call: set, told: Some(Told::Done(after)), began: 0, ended: 1 };
//! let stale = Event { call: Call::Load, told: Some(Told::Live(empty)), began: 2, ended: 3 };
//! assert_eq!(explain(&[set.clone(), stale.clone()]), None, "a change was seen and then not");
//! assert_eq!(explain(&[set, Event { began: 0, ..stale }]), Some(vec![1, 0]));
//! ```

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

use cloakroom_store::{
    Commit, End, Ending, Expect, Key, Load, Ops, Record, Registry, StoreError, Target,
};

use crate::Fixture;
use crate::desk::{Desk, at, field};
use crate::executor::block_on;

/// The fields that the calls use.
const FIELDS: [&str; 3] = ["a", "b", "c"];
/// How many calls one history may have.
const CALLS_MAX: usize = 64;

/// One session, as far as histories look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Whether it lives.
    pub live: bool,
    /// Its version.
    pub version: u64,
    /// Its fields; one that is missing is 0.
    pub fields: [u64; 3],
}

impl Default for State {
    fn default() -> Self {
        Self { live: true, version: 1, fields: [0; 3] }
    }
}

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// What the session holds.
    Load,
    /// One field takes a value, if the version is the expected one.
    Commit {
        /// The version, or any.
        expect: Option<u64>,
        /// The field, below 3.
        field: usize,
        /// The value.
        value: u64,
    },
    /// The session is over.
    End,
}

/// What the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A load found this.
    Live(State),
    /// A commit made this.
    Done(State),
    /// A commit found this, of another version.
    Conflict(State),
    /// The call ended a session that held this.
    Ended(State),
    /// There is no session any more.
    Gone,
}

/// One call of one client, between two instants of one clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What was asked.
    pub call: Call,
    /// What was answered; `None` if it is unknown whether the call took effect.
    pub told: Option<Told>,
    /// Before the call.
    pub began: u64,
    /// After its answer.
    pub ended: u64,
}

impl State {
    /// This session after `call`, and what its caller must be told.
    #[must_use]
    pub fn after(self, call: Call) -> (Self, Told) {
        if !self.live {
            return (self, Told::Gone);
        }
        match call {
            Call::Load => (self, Told::Live(self)),
            Call::Commit { expect: Some(version), .. } if version != self.version => {
                (self, Told::Conflict(self))
            }
            Call::Commit { field, value, .. } => {
                let mut next = Self { version: self.version + 1, ..self };
                if let Some(place) = next.fields.get_mut(field) {
                    *place = value;
                }
                (next, Told::Done(next))
            }
            Call::End => (Self { live: false, ..self }, Told::Ended(self)),
        }
    }
}

/// An order of these calls on a new session in which one client would have been told the same, if
/// there is one. Calls of unknown outcome may be left out.
///
/// # Panics
///
/// If there are more than 64 calls.
#[must_use]
pub fn explain(events: &[Event]) -> Option<Vec<usize>> {
    assert!(events.len() <= CALLS_MAX, "a history is of at most {CALLS_MAX} calls");
    let mut search = Search { events, tried: HashSet::new(), order: Vec::new() };
    search.from(0, State::default()).then_some(search.order)
}

struct Search<'a> {
    events: &'a [Event],
    /// Calls that are in the order, and the state after them, from which there is no way on.
    tried: HashSet<(u64, State)>,
    order: Vec<usize>,
}

impl Search<'_> {
    fn from(&mut self, placed: u64, state: State) -> bool {
        let open = |at: &usize| placed & (1 << at) == 0;
        let left: Vec<usize> = (0..self.events.len()).filter(open).collect();
        let known = left.iter().filter_map(|at| self.events.get(*at));
        let known = known.filter(|event| event.told.is_some());
        let Some(first_end) = known.map(|event| event.ended).min() else { return true };
        if !self.tried.insert((placed, state)) {
            return false;
        }
        for at in left {
            let Some(event) = self.events.get(at) else { continue };
            let (next, told) = state.after(event.call);
            let fits = event.told.is_none_or(|known| known == told);
            if event.began <= first_end && fits {
                self.order.push(at);
                if self.from(placed | (1 << at), next) {
                    return true;
                }
                self.order.pop();
            }
        }
        false
    }
}

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
}

/// Lets threads use the sessions of one store, and explains what they were told.
///
/// # Panics
///
/// If a history cannot be explained; it is printed call by call with the `seed`.
pub fn check(fixture: &impl Fixture, volume: Volume, seed: u64) -> Figures {
    let desk = Desk::open(fixture);
    let (clock, starts) = (AtomicU64::new(0), Barrier::new(volume.threads as usize));
    let keys: Vec<Key> = (0..volume.sessions).map(|number| desk.has_guest(number)).collect();
    let histories: Vec<Mutex<Vec<Event>>> = keys.iter().map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for thread in 0..volume.threads {
            let (desk, keys, histories) = (&desk, &keys, &histories);
            let (clock, starts) = (&clock, &starts);
            scope.spawn(move || {
                let random = seed ^ (u64::from(thread) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut client = Client { store: &desk.store, clock, random: random | 1 };
                for (key, history) in keys.iter().zip(histories) {
                    starts.wait();
                    let events = client.use_session(key, volume.calls);
                    history.lock().unwrap_or_else(PoisonError::into_inner).extend(events);
                }
            });
        }
    });
    let mut figures = Figures::default();
    for history in histories {
        let mut events = history.into_inner().unwrap_or_else(PoisonError::into_inner);
        events.sort_by_key(|event| event.began);
        let order = explain(&events);
        assert!(order.is_some(), "no order explains this (CLOAKROOM_SEED={seed}):\n{events:#?}");
        figures.histories += 1;
        figures.calls += events.len() as u64;
        let pairs = events.iter().zip(events.iter().skip(1));
        figures.overlapping += pairs.filter(|(a, b)| b.began < a.ended).count() as u64;
    }
    figures
}

/// One thread.
struct Client<'a, S> {
    store: &'a S,
    clock: &'a AtomicU64,
    random: u64,
}

impl<S: Registry> Client<'_, S> {
    fn use_session(&mut self, key: &Key, calls: u32) -> Vec<Event> {
        let mut newest = State::default();
        let mut events = Vec::new();
        for _ in 0..calls {
            let call = self.call(newest);
            let began = self.clock.fetch_add(1, Ordering::SeqCst);
            self.let_others();
            let told = self.make(key, call);
            self.let_others();
            let ended = self.clock.fetch_add(1, Ordering::SeqCst);
            if let Ok(Told::Live(state) | Told::Done(state) | Told::Conflict(state)) = told {
                newest = state;
            }
            events.push(Event { call, told: told.ok(), began, ended });
        }
        events
    }

    /// Increments of the newest value that was seen, values that replace whatever there is, loads,
    /// and now and then the end.
    fn call(&mut self, newest: State) -> Call {
        let field = self.below(3);
        let value = newest.fields.get(field).copied().unwrap_or_default() + 1;
        match self.below(24) {
            0..=9 => Call::Commit { expect: Some(newest.version), field, value },
            10..=14 => Call::Commit { expect: None, field, value: 1_000 + self.random % 1_000 },
            15..=22 => Call::Load,
            _ => Call::End,
        }
    }

    fn make(&self, key: &Key, call: Call) -> Result<Told, StoreError> {
        let now = at(1);
        match call {
            Call::Load => {
                let load = block_on(self.store.load(&[*key], now))?.into_iter().next();
                Ok(match load {
                    Some(Load::Live(record)) => Told::Live(state_of(&record)),
                    _ => Told::Gone,
                })
            }
            Call::Commit { expect, field: number, value } => {
                let mut ops = Ops::new();
                ops.set(field(FIELDS.get(number).copied().unwrap_or("z")), &value)?;
                let expect = expect.map_or(Expect::Any, Expect::Version);
                Ok(match block_on(self.store.commit(key, expect, &ops, None, now))? {
                    Commit::Done(record) => Told::Done(state_of(&record)),
                    Commit::Conflict(record) => Told::Conflict(state_of(&record)),
                    Commit::Gone(_) => Told::Gone,
                })
            }
            Call::End => {
                Ok(match block_on(self.store.end(Target::Key(*key), Ending::LOGOUT, now))? {
                    End::Ended(record) => Told::Ended(state_of(&record)),
                    End::Stale | End::Gone(_) => Told::Gone,
                })
            }
        }
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
}

fn state_of(record: &Record) -> State {
    let value = |name: &str| record.fields().get(name).and_then(|text| text.parse().ok());
    State {
        live: true,
        version: record.version(),
        fields: FIELDS.map(|name| value(name).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
