//! Everything that an engine can do to a service, under load: what is lost, what comes back, and
//! what visitors are told.
//!
//! Each round starts the engine and four processes of `examples/tally`, lets 40 visitors ask for
//! 200 things a second, breaks something, mends it, and then compares every session with what its
//! visitor was promised. `CLOAKROOM_LONG` makes 20 rounds of two; `CLOAKROOM_SEED` repeats one.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what went wrong by ending there, and prints its table"
)]

mod client;
mod engines;
mod load;
mod random;
mod returns;
mod table;

use client::Seen;
use cloakroom_journeys::deadline::Stopwatch;
use cloakroom_journeys::{Failure, program};
use engines::Engine;
use load::{Load, Service, wait_until_served};
use std::time::Duration;

/// How long visitors are served before something breaks, and after it was mended.
const CALM: Duration = Duration::from_secs(2);

/// What may happen to visitors, as the store declares it; what is not named here may not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Declared {
    /// Sessions of the last moments, or all of them.
    pub(crate) lost_sessions: bool,
    /// Writes of the last moments.
    pub(crate) lost_writes: bool,
    /// Endings of the last moments.
    pub(crate) revivals: bool,
}

/// One thing that can go wrong.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) declared: Declared,
    /// Breaks it, waits, and mends it.
    pub(crate) run: fn(&mut dyn Engine, &mut Service) -> Result<(), Failure>,
}

/// One round of one fault.
pub(crate) struct Round {
    pub(crate) engine: &'static str,
    pub(crate) fault: &'static str,
    pub(crate) number: u32,
    pub(crate) seed: u64,
    pub(crate) declared: Declared,
    /// What visitors saw, and how long after it was mended every process served again.
    pub(crate) seen: Result<(Seen, Duration), Failure>,
}

fn rounds() -> u32 {
    if std::env::var_os("CLOAKROOM_LONG").is_some() { 20 } else { 2 }
}

/// Runs every fault of an engine, prints the table, and fails unless it is as declared.
fn endure(engine: &'static str, start: fn() -> Result<Box<dyn Engine>, Failure>, faults: &[Fault]) {
    let program = program::build("tally").unwrap();
    let seed = random::seed();
    let mut all = Vec::new();
    for fault in faults {
        for number in 0..rounds() {
            let seed = seed.wrapping_add(u64::from(number) << 32);
            let seen = start().and_then(|mut engine| round(&program, &mut *engine, fault, seed));
            let (declared, fault) = (fault.declared, fault.name);
            let round = Round { engine, fault, number, seed, declared, seen };
            println!("{}", table::row(&round));
            all.push(round);
        }
    }
    table::write(engine, &all);
    let broken: Vec<_> = all.iter().filter_map(table::broken).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn round(
    program: &std::path::Path,
    engine: &mut dyn Engine,
    fault: &Fault,
    seed: u64,
) -> Result<(Seen, Duration), Failure> {
    let mut service = Service::start(program, &engine.url())?;
    wait_until_served(&service)?;
    let load = Load::start(&service, seed);
    std::thread::sleep(CALM);
    let done = (fault.run)(engine, &mut service);
    let mended = Stopwatch::start();
    let served = done.and_then(|()| wait_until_served(&service));
    let back = mended.elapsed();
    std::thread::sleep(CALM);
    let seen = load.finish();
    served.map(|()| (seen, back)).map_err(|failure| {
        Failure::new(format!("{failure}; the service logged:\n{}", service.log()))
    })
}

#[test]
fn sqlite_keeps_its_promises() {
    endure("SQLite", engines::sqlite, engines::SQLITE);
}

#[test]
fn a_store_that_goes_back_in_time_is_seen_to_lose_and_to_revive() {
    let program = program::build("tally").unwrap();
    let seed = random::seed();
    println!("seed {seed}");
    let declared = Declared::default();
    let fault = Fault { name: "the file is put back", declared, run: engines::put_back };
    let mut engine = engines::sqlite().unwrap();

    let (seen, back) = round(&program, &mut *engine, &fault, seed).unwrap();

    assert!(seen.lost_sessions > 0 && seen.lost_writes > 0 && seen.revived > 0, "{seen:?}");
    let round =
        Round { engine: "SQLite", fault: "", number: 0, seed, declared, seen: Ok((seen, back)) };
    assert!(table::broken(&round).is_some());
}

#[test]
fn one_redis_keeps_its_promises() {
    endure("Redis", engines::redis, engines::REDIS);
}

#[test]
fn redis_with_sentinels_keeps_its_promises() {
    endure("Redis with sentinels", engines::sentinel, engines::SENTINEL);
}

#[test]
fn redis_with_sentinels_that_waits_for_replicas_keeps_its_promises() {
    endure("Redis with sentinels and confirmed writes", engines::careful, engines::CAREFUL);
}

#[test]
fn a_redis_cluster_keeps_its_promises() {
    endure("Redis cluster", engines::cluster, engines::CLUSTER);
}

#[test]
fn postgres_keeps_its_promises() {
    endure("PostgreSQL", engines::postgres, engines::POSTGRES);
}
