//! The work that is measured, for any store.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use cloakroom_store::{
    Answer, ClientInfo, Commit, Create, Draft, End, Ending, Expect, Factors, Field, Identity, Key,
    Ops, SessionId, Store, Target, Times, Timestamp, Touch, UserId,
};

/// A store, and the sessions that are in it.
pub struct Load<S> {
    store: S,
    sessions: u64,
    created: AtomicU64,
    dice: AtomicU64,
}

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const HOUR: u64 = 3_600_000;

impl<S: Store + Clone> Load<S> {
    pub fn new(store: S, sessions: u64) -> Self {
        Self { store, sessions, created: AtomicU64::new(0), dice: AtomicU64::new(7) }
    }

    /// Creates all sessions, and says how many per second.
    pub fn fill(&self, outstanding: usize) -> Speed {
        self.creates(outstanding, self.sessions)
    }

    /// Counts from `skipped` behind the sessions that another handle has filled in: a key that was
    /// ended never begins again.
    #[allow(dead_code, reason = "where one handle does everything")]
    pub fn skip_filled(&self, skipped: u64) {
        self.created.fetch_max(self.sessions + skipped, Ordering::Relaxed);
    }

    /// Creates `count` more.
    pub fn creates(&self, outstanding: usize, count: u64) -> Speed {
        let first = self.created.fetch_add(count, Ordering::Relaxed);
        in_flight(
            outstanding,
            count,
            |at| {
                let number = first + at;
                self.store.create(&key(number), draft(number), None, NOW)
            },
            |created| assert!(matches!(created, Create::Done { .. })),
        )
    }

    /// Loads random sessions on each of `threads`.
    #[allow(dead_code, reason = "it waits for each load, which suits a store in the process")]
    pub fn loads(&self, threads: u64, count: u64) -> Speed {
        let watch = Stopwatch::start();
        thread::scope(|scope| {
            for _ in 0..threads {
                let mut dice = self.dice();
                scope.spawn(move || {
                    for _ in 0..count {
                        let loads = wait(self.store.load(&[key(dice() % self.sessions)], NOW));
                        let live = loads.expect("a load").into_iter().next();
                        assert!(matches!(live, Some(cloakroom_store::Load::Live(_))));
                    }
                });
            }
        });
        watch.speed(threads * count)
    }

    /// Loads random sessions, with so many loads outstanding.
    #[allow(dead_code, reason = "a store in the same process answers at once")]
    pub fn loads_at_once(&self, outstanding: usize, count: u64) -> Speed {
        let mut dice = self.dice();
        in_flight(
            outstanding,
            count,
            |_| self.store.load(&[key(dice() % self.sessions)], NOW),
            |loads| {
                let live = loads.into_iter().next();
                assert!(matches!(live, Some(cloakroom_store::Load::Live(_))));
            },
        )
    }

    /// Ends the `count` sessions that were created last, each once.
    #[allow(dead_code, reason = "not every store is asked for it")]
    pub fn ends(&self, outstanding: usize, count: u64) -> Speed {
        let after = self.created.fetch_sub(count, Ordering::Relaxed);
        in_flight(
            outstanding,
            count,
            |at| self.store.end(Target::Key(key(after - 1 - at)), Ending::LOGOUT, NOW),
            |end| assert!(matches!(end, End::Ended(_))),
        )
    }

    /// Sets one field of random sessions.
    pub fn updates(&self, outstanding: usize, count: u64) -> Speed {
        let mut dice = self.dice();
        in_flight(
            outstanding,
            count,
            |at| {
                let mut ops = Ops::new();
                ops.set(Field::from_static("visits"), &at).expect("a number is JSON");
                let touch = Some(Touch { seen: NOW, idle_deadline: in_hours(1) });
                self.store.commit(&key(dice() % self.sessions), Expect::Any, &ops, touch, NOW)
            },
            |commit| assert!(matches!(commit, Commit::Done(_))),
        )
    }

    /// One change of a random session for every 19 loads of others.
    #[allow(dead_code, reason = "it waits for each load, which suits a store in the process")]
    pub fn mixed(&self, outstanding: usize, count: u64) -> Speed {
        let mut dice = self.dice();
        let mut roll = || key(dice() % self.sessions);
        let changes = in_flight(
            outstanding,
            count / 20,
            |at| {
                for _ in 0..19 {
                    wait(self.store.load(&[roll()], NOW)).expect("a load");
                }
                let mut ops = Ops::new();
                ops.set(Field::from_static("visits"), &at).expect("a number is JSON");
                self.store.commit(&roll(), Expect::Any, &ops, None, NOW)
            },
            |commit| assert!(matches!(commit, Commit::Done(_))),
        );
        Speed { per_second: changes.per_second * 20.0, cpu_micros: changes.cpu_micros / 20.0 }
    }

    /// Moves the idle deadline of random sessions.
    pub fn touches(&self, outstanding: usize, count: u64) -> Speed {
        let mut dice = self.dice();
        in_flight(
            outstanding,
            count,
            |at| {
                let seen = Timestamp::from_millis(NOW.as_millis() + at);
                let idle_deadline = Timestamp::from_millis(in_hours(1).as_millis() + at);
                let touch = Some(Touch { seen, idle_deadline });
                self.store.commit(
                    &key(dice() % self.sessions),
                    Expect::Any,
                    &Ops::new(),
                    touch,
                    NOW,
                )
            },
            |commit| assert!(matches!(commit, Commit::Done(_))),
        )
    }

    fn dice(&self) -> impl FnMut() -> u64 + Send + use<S> {
        let mut state = mix(self.dice.fetch_add(1, Ordering::Relaxed));
        move || {
            state = mix(state);
            state
        }
    }
}

/// What one measurement came to.
#[derive(Clone, Copy)]
pub struct Speed {
    pub per_second: f64,
    /// Processor time of all threads for one operation. It hardly depends on what else runs.
    pub cpu_micros: f64,
}

/// The middle of `runs` results, each number by itself.
pub fn median(runs: usize, mut run: impl FnMut() -> Speed) -> Speed {
    let speeds: Vec<Speed> = (0..runs).map(|_| run()).collect();
    let middle = |number: fn(&Speed) -> f64| {
        let mut numbers: Vec<f64> = speeds.iter().map(number).collect();
        numbers.sort_by(f64::total_cmp);
        numbers[runs / 2]
    };
    Speed { per_second: middle(|s| s.per_second), cpu_micros: middle(|s| s.cpu_micros) }
}

/// A clock that runs, and the processor time that is used, from here on.
pub struct Stopwatch {
    begun: Instant,
    cpu: f64,
}

impl Stopwatch {
    #[allow(clippy::disallowed_methods, reason = "this is what measures")]
    pub fn start() -> Self {
        Self { begun: Instant::now(), cpu: cpu_seconds() }
    }

    pub fn speed(&self, count: u64) -> Speed {
        let count = count as f64;
        Speed {
            per_second: count / self.begun.elapsed().as_secs_f64(),
            cpu_micros: (cpu_seconds() - self.cpu) * 1e6 / count,
        }
    }
}

/// User and system time of this process in seconds; 0 where there is no `/proc`.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks.filter_map(|text| text.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Waits for an answer on this thread.
pub fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
        return output;
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Keeps `outstanding` answers open until `count` have come, and says how many came per second.
fn in_flight<T>(
    outstanding: usize,
    count: u64,
    mut ask: impl FnMut(u64) -> Answer<T>,
    check: impl Fn(T),
) -> Speed {
    let watch = Stopwatch::start();
    let mut open: VecDeque<Answer<T>> = VecDeque::with_capacity(outstanding);
    for at in 0..count {
        if open.len() == outstanding
            && let Some(oldest) = open.pop_front()
        {
            check(wait(oldest).expect("a write"));
        }
        open.push_back(ask(at));
    }
    open.into_iter().for_each(|answer| check(wait(answer).expect("a write")));
    watch.speed(count)
}

pub fn key(number: u64) -> Key {
    Key::from_bytes(random_bytes(number))
}

/// The fields of a session as PostgreSQL keeps them: each one text, in the order of their names.
#[allow(dead_code, reason = "for what is measured beside the store of PostgreSQL")]
pub fn members(number: u64) -> Vec<String> {
    let cart: Vec<String> = (0..13).map(|at| mix(number + at).to_string()).collect();
    let cart = format!("\"cart\":[{}]", cart.join(","));
    vec![cart, "\"theme\":\"dark\"".to_owned(), "\"visits\":0".to_owned()]
}

pub fn session_id(number: u64) -> SessionId {
    SessionId::from_bytes(random_bytes(!number))
}

fn draft(number: u64) -> Draft {
    let mut ops = Ops::new();
    let cart: Vec<u64> = (0..13).map(|at| mix(number + at)).collect();
    ops.set(Field::from_static("cart"), &cart).expect("numbers are JSON");
    ops.set(Field::from_static("theme"), &"dark").expect("text is JSON");
    ops.set(Field::from_static("visits"), &0).expect("a number is JSON");
    Draft {
        id: session_id(number),
        identity: Identity::signed_in(UserId::from(number * 2 / 3), Factors::PASSWORD, NOW),
        times: Times {
            created: NOW,
            seen: NOW,
            idle_deadline: in_hours(1),
            absolute_deadline: in_hours(12),
        },
        client: ClientInfo::default(),
        ops,
    }
}

fn in_hours(hours: u64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + hours * HOUR)
}

fn random_bytes<const N: usize>(seed: u64) -> [u8; N] {
    let mut state = mix(seed);
    std::array::from_fn(|at| {
        if at % 8 == 0 {
            state = mix(state);
        }
        (state >> (at % 8 * 8)) as u8
    })
}

fn mix(number: u64) -> u64 {
    let state = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
