//! The circuit around the store: while the store is away, requests are told so at once instead of
//! each waiting for it, and one of them at a time tries whether it is back.
//!
//! It only ever says *unavailable*, which is what the store said before it, so nobody is signed out
//! by it; and what it holds back was not sent, so it leaves no outcome open.
//!
//! Only answers that had to be waited for count. One that is there at once comes out of the memory
//! of this process: it says nothing of a store that is elsewhere, and costs nobody a wait. A call
//! that tries the store goes past such memory, so what it is told counts in any case.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::entropy;
use crate::error::{Error, ErrorKind, Result};
use crate::event;

/// How many calls in a row have to fail before the store counts as away: two may be chance, as when
/// one connection breaks under two calls.
const FAILURES: u32 = 3;
/// How long nothing but failures has to come. One server of several that is away fails a few calls
/// in a row, but between them the others answer.
const SILENCE: Duration = Duration::from_millis(500);
/// The longest pause after a probe that failed. Half of it is by chance, so that many processes do
/// not knock in step. With [`PATIENCE`] and the pauses of a store's own connections it stays below
/// the second in which service has to be back.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a probe keeps others away. What was sent to a store that was away may never be
/// answered, although the store is back.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether the store is away, as the calls of this process see it.
pub(crate) struct Circuit {
    /// Closed, and nothing has failed since the last answer: then nobody takes the lock.
    calm: AtomicBool,
    began: Instant,
    state: Mutex<State>,
}

/// The permission for one call, which comes back with what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    /// The number of a call that tries whether the store is back.
    probe: Option<u64>,
}

impl Pass {
    pub(crate) const fn is_probe(self) -> bool {
        self.probe.is_some()
    }
}

impl Circuit {
    pub(crate) fn new() -> Self {
        let state = Mutex::new(State::new());
        Self { calm: AtomicBool::new(true), began: Instant::now(), state }
    }

    /// Lets a call pass, unless the store is away.
    ///
    /// # Errors
    ///
    /// Unavailable: nothing may be sent.
    pub(crate) fn admit(&self) -> Result<Pass> {
        if self.calm.load(Ordering::Relaxed) {
            return Ok(Pass { probe: None });
        }
        let now = self.now();
        self.lock().admit(now).ok_or_else(|| {
            Error::unavailable("the store is away, so it was not asked").told_already()
        })
    }

    /// Takes in what became of a call that had to be waited for.
    pub(crate) fn note<T>(&self, pass: Pass, result: Result<T>) -> Result<T> {
        match &result {
            Ok(_) => self.answered(),
            Err(error) if *error.kind() == ErrorKind::Unavailable => self.failed(pass, error),
            Err(error) if *error.kind() == ErrorKind::Corrupt => self.answered(),
            // The call broke the contract, and may never have left this process.
            Err(_) => {}
        }
        result.map_err(|error| if pass.is_probe() { error.told_already() } else { error })
    }

    /// The same for a call whose answer was there at once.
    pub(crate) fn note_at_once<T>(&self, pass: Pass, result: Result<T>) -> Result<T> {
        if pass.is_probe() { self.note(pass, result) } else { result }
    }

    /// Whether calls are held back.
    pub(crate) fn is_open(&self) -> bool {
        !self.calm.load(Ordering::Relaxed) && self.lock().is_open()
    }

    fn answered(&self) {
        if self.calm.load(Ordering::Relaxed) {
            return;
        }
        let now = self.now();
        let mut state = self.lock();
        let back = state.answered(now);
        self.calm.store(true, Ordering::Relaxed);
        drop(state);
        if let Some(Back { after, refused }) = back {
            event::store_back(after, refused);
        }
    }

    fn failed(&self, pass: Pass, error: &Error) {
        let now = self.now();
        // Without chance the pause is the longest.
        let [chance] = entropy::bytes().unwrap_or([u8::MAX]);
        let mut state = self.lock();
        let opened = state.failed(pass, now, chance);
        self.calm.store(false, Ordering::Relaxed);
        drop(state);
        if pass.is_probe() {
            event::probe_failed(error);
        }
        if opened {
            event::store_away(error);
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rules, without a clock: every instant is an argument, counted from any beginning.
#[derive(Debug)]
struct State {
    /// How many probes there were. A probe of an earlier outage has no say in a later one.
    probes: u64,
    line: Line,
}

#[derive(Debug)]
enum Line {
    /// Calls pass.
    Closed { failures: u32, first: Duration },
    /// Calls are held back, but for one from `next` on.
    Open { since: Duration, next: Duration, refused: u64 },
}

/// The store is back.
#[derive(Debug, PartialEq, Eq)]
struct Back {
    after: Duration,
    /// How many calls were held back.
    refused: u64,
}

const CLOSED: Line = Line::Closed { failures: 0, first: Duration::ZERO };

impl State {
    const fn new() -> Self {
        Self { probes: 0, line: CLOSED }
    }

    const fn is_open(&self) -> bool {
        matches!(self.line, Line::Open { .. })
    }

    fn admit(&mut self, now: Duration) -> Option<Pass> {
        match &mut self.line {
            Line::Closed { .. } => Some(Pass { probe: None }),
            Line::Open { next, refused, .. } if now < *next => {
                *refused += 1;
                None
            }
            Line::Open { next, .. } => {
                *next = now + PATIENCE;
                self.probes += 1;
                Some(Pass { probe: Some(self.probes) })
            }
        }
    }

    /// A call failed. Says whether the store counts as away from now on.
    fn failed(&mut self, pass: Pass, now: Duration, chance: u8) -> bool {
        let next_probe = now + PAUSE / 2 + PAUSE / 2 * u32::from(chance) / u32::from(u8::MAX);
        match &mut self.line {
            Line::Closed { failures, first } => {
                if *failures == 0 {
                    *first = now;
                }
                *failures = failures.saturating_add(1);
                if *failures < FAILURES || now.saturating_sub(*first) < SILENCE {
                    return false;
                }
                self.line = Line::Open { since: *first, next: next_probe, refused: 0 };
                true
            }
            Line::Open { next, .. } => {
                // What was sent before, and a probe that others did not wait for any longer, say
                // nothing new.
                if pass.probe == Some(self.probes) {
                    *next = next_probe;
                }
                false
            }
        }
    }

    /// A call was answered, whichever it was: the store is there.
    fn answered(&mut self, now: Duration) -> Option<Back> {
        match std::mem::replace(&mut self.line, CLOSED) {
            Line::Closed { .. } => None,
            Line::Open { since, refused, .. } => {
                Some(Back { after: now.saturating_sub(since), refused })
            }
        }
    }
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().fmt(f)
    }
}

#[cfg(test)]
mod tests;
