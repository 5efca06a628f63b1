//! What threads were told by one store, and whether one client could have been told the same.
//!
//! Each session is one object, with all the keys that ever led to it: its calls must fit into one order that keeps what happened after
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
//! let set = Event { key: 0, call: set, told: Some(Told::Done(after)), began: 0, ended: 1 };
//! let told = Some(Told::Live(empty));
//! let stale = Event { key: 0, call: Call::Load, told, began: 2, ended: 3 };
//! assert_eq!(explain(&[set.clone(), stale.clone()]), None, "a change was seen and then not");
//! assert_eq!(explain(&[set, Event { began: 0, ..stale }]), Some(vec![1, 0]));
//! ```

mod threads;

use std::collections::HashSet;

pub use threads::{Figures, Volume, check, check_neighbours};

/// How many calls one history may have.
const CALLS_MAX: usize = 64;
/// How many keys one session may have in a history.
const KEYS_MAX: u8 = 8;

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
    /// The same session behind another key, to which the one before forwards.
    Renew {
        /// The number of the other key, below 8.
        to: u8,
    },
    /// Another session with the same fields behind another key; the one before is over.
    Replace {
        /// The number of the other key, below 8.
        to: u8,
    },
}

/// What the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A load found this.
    Live(State),
    /// A load through a key from before a renewal found this.
    Forwarded(State),
    /// A commit made this.
    Done(State),
    /// A commit found this, of another version.
    Conflict(State),
    /// The call ended a session that held this.
    Ended(State),
    /// A rotation made this.
    Moved(State),
    /// Only the newest key may do that.
    Stale,
    /// The other key was there already.
    Taken,
    /// There is no session any more.
    Gone,
}

/// One call of one client, between two instants of one clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The number of the key that was used; a session begins behind 0.
    pub key: u8,
    /// What was asked.
    pub call: Call,
    /// What was answered; `None` if it is unknown whether the call took effect.
    pub told: Option<Told>,
    /// Before the call.
    pub began: u64,
    /// After its answer.
    pub ended: u64,
}

impl Event {
    /// Whether its caller knows of a session that is not as it was, by this call or another.
    const fn tells_a_change(&self) -> bool {
        match self.told {
            Some(Told::Done(_) | Told::Conflict(_) | Told::Ended(_) | Told::Moved(_)) => true,
            Some(Told::Live(_) | Told::Forwarded(_) | Told::Stale | Told::Taken | Told::Gone)
            | None => false,
        }
    }
}

/// A session and its keys: all that decides what a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Session {
    state: State,
    newest: u8,
    /// The keys that lead to it, one bit each.
    keys: u8,
    /// The keys of sessions that it replaced.
    spent: u8,
}

const fn bit(key: u8) -> u8 {
    1 << (key % KEYS_MAX)
}

impl Session {
    const fn new(state: State) -> Self {
        Self { state, newest: 0, keys: bit(0), spent: 0 }
    }

    /// This session for a store that forgot the ending behind the key that `event` was given. What is
    /// remembered of endings is bounded, and a key that nobody remembers is as good as new.
    const fn forgotten_for(self, event: &Event) -> Self {
        match (event.call, event.told) {
            (Call::Renew { to } | Call::Replace { to }, Some(Told::Moved(_))) => {
                Self { spent: self.spent & !bit(to), ..self }
            }
            _ => self,
        }
    }

    /// This session after `call` through `key`, and what its caller must be told.
    fn after(self, key: u8, call: Call) -> (Self, Told) {
        let Self { state, newest, keys, spent } = self;
        if !state.live || keys & bit(key) == 0 {
            return (self, Told::Gone);
        }
        match call {
            Call::Load if key != newest => (self, Told::Forwarded(state)),
            Call::Load => (self, Told::Live(state)),
            Call::Commit { expect: Some(version), .. } if version != state.version => {
                (self, Told::Conflict(state))
            }
            Call::Commit { field, value, .. } => {
                let mut next = State { version: state.version + 1, ..state };
                if let Some(place) = next.fields.get_mut(field) {
                    *place = value;
                }
                (Self { state: next, ..self }, Told::Done(next))
            }
            Call::End | Call::Renew { .. } | Call::Replace { .. } if key != newest => {
                (self, Told::Stale)
            }
            Call::End => {
                (Self { state: State { live: false, ..state }, ..self }, Told::Ended(state))
            }
            Call::Renew { to } | Call::Replace { to } if (keys | spent) & bit(to) != 0 => {
                (self, Told::Taken)
            }
            Call::Renew { to } => {
                let state = State { version: state.version + 1, ..state };
                (Self { state, newest: to, keys: keys | bit(to), spent }, Told::Moved(state))
            }
            Call::Replace { to } => {
                let state = State { version: 1, ..state };
                let spent = spent | keys;
                (Self { state, newest: to, keys: bit(to), spent }, Told::Moved(state))
            }
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
    search(events, |event, earlier| earlier.ended < event.began)
}

/// The same where each call is made by a process (one number each) that keeps near what it has
/// read: a load may tell how a session was before, but not before what its own process was told by a
/// call that changes sessions.
pub(crate) fn explain_near(events: &[Event], processes: &[usize]) -> Option<Vec<usize>> {
    assert_eq!(events.len(), processes.len(), "each call is of one process");
    let of = |event: &Event| {
        let at = events.iter().position(|known| std::ptr::eq(known, event));
        at.and_then(|at| processes.get(at))
    };
    search(events, |event, earlier| {
        let is_own = earlier.tells_a_change() && of(earlier) == of(event);
        earlier.ended < event.began && (event.call != Call::Load || is_own)
    })
}

/// An order in which every call comes after those that `is_after` it names.
fn search(events: &[Event], is_after: impl Fn(&Event, &Event) -> bool) -> Option<Vec<usize>> {
    assert!(events.len() <= CALLS_MAX, "a history is of at most {CALLS_MAX} calls");
    let told = |event: &Event| event.told.is_some();
    let known = bits(events, told);
    let needs = events.iter();
    let needs = needs.map(|event| known & bits(events, |earlier| is_after(event, earlier)));
    let needs: Vec<u64> = needs.collect();
    let mut search =
        Search { events, needs: &needs, known, tried: HashSet::new(), order: Vec::new() };
    search.from(0, Session::new(State::default())).then_some(search.order)
}

fn bits(events: &[Event], are: impl Fn(&Event) -> bool) -> u64 {
    let chosen = events.iter().enumerate().filter(|(_, event)| are(event));
    chosen.fold(0, |bits, (at, _)| bits | 1 << at)
}

struct Search<'a> {
    events: &'a [Event],
    /// The calls that must be in the order before each of them, one bit each.
    needs: &'a [u64],
    /// The calls that were answered.
    known: u64,
    /// Calls that are in the order, and the session after them, from which there is no way on.
    tried: HashSet<(u64, Session)>,
    order: Vec<usize>,
}

impl Search<'_> {
    fn from(&mut self, placed: u64, session: Session) -> bool {
        if self.known & !placed == 0 {
            return true;
        }
        if !self.tried.insert((placed, session)) {
            return false;
        }
        let left = self.events.iter().zip(self.needs).enumerate();
        let left = left.filter(|(at, (_, needs))| placed & (1 << at) == 0 && *needs & !placed == 0);
        let fitting = left.filter_map(|(at, (event, _))| {
            let (next, told) = session.forgotten_for(event).after(event.key, event.call);
            event.told.is_none_or(|known| known == told).then_some((at, event, next))
        });
        let fitting: Vec<_> = fitting.collect();
        // What was answered and changed nothing is in nobody's way here, and need not come later.
        let idle =
            |(_, event, next): &&(usize, &Event, Session)| event.told.is_some() && *next == session;
        let ways = fitting.iter().find(idle).map_or(&*fitting, std::slice::from_ref);
        ways.iter().any(|(at, _, next)| {
            self.order.push(*at);
            let done = self.from(placed | (1 << at), *next);
            if !done {
                self.order.pop();
            }
            done
        })
    }
}

#[cfg(test)]
mod tests;
