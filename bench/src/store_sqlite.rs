//! What `SqliteStore` does per second with a million sessions of 300 bytes.
//!
//! ```text
//! cargo run --release --bin store-sqlite -- [sessions] [file] [part of a row's name]
//! ```
//!
//! The default is 1,000,000 sessions in a file that is removed afterwards; it takes a few minutes
//! and 1 GB. A file that is named is kept, and filled only if it is new. Durable figures are the
//! disk's as much as the store's: use the disk that will be used, with nothing else running.

mod load;

use std::path::PathBuf;

use cloakroom_sqlite::SqliteStore;

use load::{Load, Speed, median, wait};

/// Runs of each measurement; the median is printed.
const RUNS: usize = 5;
/// Writes that are asked for and not yet acknowledged, as from as many busy requests.
const OUTSTANDING: usize = 512;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let sessions = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let named = arguments.next().map(PathBuf::from);
    let part = arguments.next().unwrap_or_default();
    let path = named.clone().unwrap_or_else(temporary);
    let is_new = !path.exists();

    let store = wait(SqliteStore::open(&path)).expect("the file can be written");
    println!("{sessions} sessions, median of {RUNS} runs, {OUTSTANDING} writes outstanding\n");
    let load = Load::new(store.clone(), sessions);
    if is_new {
        row("creates into an empty file", load.fill(4 * OUTSTANDING));
    }
    measure(&load, &part);
    wait(store.close());

    let size = std::fs::metadata(&path).map_or(0, |about| about.len());
    println!("{:<44}{:>12}", "bytes of file", size);
    if named.is_none() {
        let _ = std::fs::remove_file(path);
    }
}

fn temporary() -> PathBuf {
    std::env::temp_dir().join(format!("cloakroom-bench-{}.db", std::process::id()))
}

fn measure(load: &Load<SqliteStore>, part: &str) {
    let measured = |what: &str, run: &dyn Fn() -> Speed| {
        if what.contains(part) {
            row(what, median(RUNS, run));
        }
    };
    measured("loads, 1 thread", &|| load.loads(1, 300_000));
    measured("loads, 2 threads", &|| load.loads(2, 300_000));
    measured("19 loads to 1 durable update", &|| load.mixed(OUTSTANDING, 200_000));
    measured("durable updates", &|| load.updates(OUTSTANDING, 200_000));
    measured("durable updates, one at a time", &|| load.updates(1, 5_000));
    measured("touches", &|| load.touches(OUTSTANDING, 200_000));
    if part.is_empty() {
        measured("creates beside the others", &|| load.creates(OUTSTANDING, 50_000));
    }
}

fn row(what: &str, Speed { per_second, cpu_micros }: Speed) {
    println!("{what:<44}{per_second:>12.0} /s {cpu_micros:>9.1} us CPU");
}
