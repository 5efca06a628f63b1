//! What it costs `SqliteStore` to listen, and how long an ending takes to be heard.
//!
//! ```text
//! cargo run --release --bin sqlite-listening
//! ```
//!
//! Two handles of one file share no connection, as two processes do. It takes half a minute.

#[allow(dead_code, reason = "only its clock and its way to wait are of use here")]
mod load;

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use cloakroom_sqlite::SqliteStore;
use cloakroom_store::{
    Change, ClientInfo, Draft, Ending, Identity, Key, Listener, Ops, SessionId, Store as _, Target,
    Times, Timestamp,
};

use load::{Stopwatch, wait};

/// How long the idle store is watched.
const IDLE: Duration = Duration::from_secs(10);
/// How many endings are timed.
const ENDINGS: u32 = 200;
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Notes when it hears.
struct Ear(Sender<Instant>);

impl Listener for Ear {
    #[allow(clippy::disallowed_methods, reason = "this is what measures")]
    fn hear(&self, _: Change) {
        // Nobody waits any more when the store ends.
        let _ = self.0.send(Instant::now());
    }
}

fn main() {
    let path = std::env::temp_dir().join(format!("cloakroom-bench-{}.db", std::process::id()));
    let open = || wait(SqliteStore::open(&path)).expect("the file can be written");
    let (own, other) = (open(), open());

    row("CPU of an idle store", idle());
    let (sender, heard) = mpsc::channel();
    own.listen(Arc::new(Ear(sender)));
    heard.recv().expect("that it hears");
    row("CPU of an idle store that listens", idle());

    let mut delays: Vec<Duration> = (0..ENDINGS)
        .map(|number| {
            create(&other, number);
            heard.recv().expect("the creation");
            // Anywhere between two looks.
            thread::sleep(Duration::from_micros(u64::from(number) * 7_919 % 40_000));
            let answered = end(&other, number);
            heard.recv().expect("the ending").saturating_duration_since(answered)
        })
        .collect();
    delays.sort_unstable();
    for (what, at) in [("p50", 50), ("p99", 99), ("worst", 100)] {
        let at = (delays.len() * at / 100).min(delays.len() - 1);
        println!("{:<44}{:>12.1?}", format!("answered to heard, {what}"), delays[at]);
    }

    wait(other.close());
    wait(own.close());
    let _ = std::fs::remove_file(path);
}

/// Millionths of one processor.
fn idle() -> f64 {
    let watch = Stopwatch::start();
    thread::sleep(IDLE);
    watch.speed(IDLE.as_secs()).cpu_micros
}

fn row(what: &str, cpu_micros: f64) {
    println!("{what:<44}{cpu_micros:>9.0} us/s");
}

fn key(number: u32) -> Key {
    let mut bytes = [9; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Key::from_bytes(bytes)
}

fn create(store: &SqliteStore, number: u32) {
    let mut id = [9; 18];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let draft = Draft {
        id: SessionId::from_bytes(id),
        identity: Identity::anonymous(),
        times: Times {
            created: NOW,
            seen: NOW,
            idle_deadline: Timestamp::MAX,
            absolute_deadline: Timestamp::MAX,
        },
        client: ClientInfo::default(),
        ops: Ops::new(),
    };
    wait(store.create(&key(number), draft, None, NOW)).expect("a session");
}

/// When the end was answered.
#[allow(clippy::disallowed_methods, reason = "this is what measures")]
fn end(store: &SqliteStore, number: u32) -> Instant {
    wait(store.end(Target::Key(key(number)), Ending::LOGOUT, NOW)).expect("an ending");
    Instant::now()
}
