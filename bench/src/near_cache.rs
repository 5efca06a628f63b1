//! What a load costs that the near cache answers, beside a load from the memory store itself.
//!
//! ```text
//! cargo run --release --bin near-cache -- [sessions]
//! ```
//!
//! Both hold the same sessions, and each turn reads them in the same drawn order, on one thread and
//! on two at once; the two stores take turns, so that a busy machine is busy for both.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use cloakroom::store::{
    ClientInfo, Draft, Factors, Field, Identity, Key, Ops, SessionId, Store, Times, Timestamp,
    UserId,
};
use cloakroom::{MemoryStore, NearCache};

/// Loads of one thread in one turn.
const LOADS: usize = 1_000_000;
const TURNS: usize = 7;

fn main() {
    let sessions = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(50_000);
    let (memory, near) = (MemoryStore::new(), NearCache::new(MemoryStore::new()));
    fill(&memory, sessions);
    fill(&near, sessions);
    println!("{sessions} sessions, {LOADS} loads a thread, medians of {TURNS} turns, ns a load");
    for threads in [1, 2] {
        let turns =
            (0..TURNS).map(|_| (turn(&memory, sessions, threads), turn(&near, sessions, threads)));
        let (mut bare, mut kept): (Vec<_>, Vec<_>) = turns.unzip();
        let (bare, kept) = (median(&mut bare), median(&mut kept));
        println!(
            "{threads} threads: memory {bare:.0}, near cache {kept:.0}, ratio {:.2}",
            kept / bare
        );
    }
    let figures = near.figures();
    let share = 100.0 * figures.hits as f64 / (figures.hits + figures.loads) as f64;
    println!("{share:.2} % of the loads were answered by the near cache");
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

fn key(number: usize) -> Key {
    let mut bytes = [0; 32];
    for (at, chunk) in bytes.chunks_mut(8).enumerate() {
        chunk.copy_from_slice(&mixed((number * 4 + at) as u64).to_le_bytes());
    }
    Key::from_bytes(bytes)
}

fn mixed(number: u64) -> u64 {
    let state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn fill(store: &impl Store, sessions: usize) {
    for number in 0..sessions {
        let mut ops = Ops::new();
        ops.set(Field::from_static("cart"), &"x".repeat(300)).expect("a field");
        let mut id = [0; 18];
        id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let later = |seconds| now().plus(std::time::Duration::from_secs(seconds));
        let draft = Draft {
            id: SessionId::from_bytes(id),
            identity: Identity::signed_in(UserId::from(number as u32), Factors::PASSWORD, now()),
            times: Times {
                created: now(),
                seen: now(),
                idle_deadline: later(1_800),
                absolute_deadline: later(43_200),
            },
            client: ClientInfo::default(),
            ops,
        };
        let created = store.create(&key(number), draft, None, now());
        created.now().expect("at once").expect("a session");
    }
}

fn turn(store: &(impl Store + Sync), sessions: usize, threads: usize) -> f64 {
    let started = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for load in 0..LOADS {
                    let drawn = mixed((load * threads + thread) as u64) as usize % sessions;
                    let loads = store.load(&[key(drawn)], now());
                    black_box(loads.now().expect("at once").expect("a session"));
                }
            });
        }
    });
    started.elapsed().as_nanos() as f64 / LOADS as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
