//! Random scripts beside a plain model, and what threads are told of one session at once; bare, behind
//! the near cache, and behind the near caches of two processes.
#![allow(clippy::print_stdout, reason = "figures, and the seed that repeats a failure")]
#![allow(clippy::unwrap_used, reason = "in a test, also in what its fixture does")]

mod server;

use std::time::Duration;

use cloakroom_conformance::history::{Figures, Volume};
use cloakroom_conformance::{Fixture, Shared, history, model, near};
use cloakroom_memory::NearCache;
use cloakroom_postgres::PostgresStore;
use server::{config, new_schema, open, server};

/// Two services on one schema. It is the same for each script, emptied: a new one takes longer than a script.
struct Emptied {
    schema: String,
    stores: [PostgresStore; 2],
}

impl Emptied {
    fn new() -> Self {
        let schema = new_schema();
        // What counts here is what is answered, and a machine that is busy is no failure.
        let config = config(&schema).call_limit(Duration::from_secs(20)).unwrap();
        let stores = [open(config.clone()).unwrap(), open(config).unwrap()];
        Self { schema, stores }
    }
}

impl Fixture for Emptied {
    type Store = PostgresStore;

    fn open(&self) -> PostgresStore {
        let schema = &self.schema;
        let tables = ["sessions", "forwarders", "tombstones"].map(|t| format!("{schema}.{t}"));
        server().sql(&format!("TRUNCATE {}", tables.join(", "))).unwrap();
        let [one, _] = &self.stores;
        one.clone()
    }
}

impl Shared for Emptied {
    fn another(&self, _: &PostgresStore) -> PostgresStore {
        let [_, other] = &self.stores;
        other.clone()
    }
}

fn is_long() -> bool {
    std::env::var_os("CLOAKROOM_LONG").is_some()
}

fn seed() -> u64 {
    let seed = model::seed();
    println!("CLOAKROOM_SEED={seed}");
    seed
}

fn check(fixture: &impl Fixture, scripts: u32, seed: u64) {
    let figures = model::check(fixture, scripts, seed);

    println!("{} scripts, {} verbs", figures.scripts, figures.verbs);
}

fn volume() -> Volume {
    Volume { sessions: if is_long() { 2_000 } else { 60 }, threads: 4, calls: 12 }
}

fn judge(figures: Figures) {
    println!("{figures:?}");
    assert_eq!(figures.unanswered, 0, "what has no answer explains itself");
    assert!(figures.overlapping > 0, "nothing happened at once");
}

#[test]
fn random_scripts_come_out_as_the_model_says() {
    let seed = seed();

    check(&model::handles(Emptied::new(), seed), if is_long() { 5_000 } else { 150 }, seed);
}

#[test]
fn scripts_behind_the_near_cache_come_out_as_the_model_says() {
    let near = near::behind(Emptied::new(), NearCache::new);

    check(&near, if is_long() { 5_000 } else { 40 }, seed());
}

#[test]
fn scripts_behind_two_near_caches_come_out_as_the_model_says() {
    let seed = seed();
    let near = near::neighbours(Emptied::new(), NearCache::new, seed);

    check(&near, if is_long() { 5_000 } else { 40 }, seed);
}

#[test]
fn what_threads_are_told_one_client_could_have_been_told() {
    let seed = seed();

    judge(history::check(&model::handles(Emptied::new(), seed), volume(), seed));
}

#[test]
fn what_threads_are_told_behind_the_near_cache_one_client_could_have_been_told() {
    let near = near::behind(Emptied::new(), NearCache::new);

    judge(history::check(&near, volume(), seed()));
}

#[test]
fn what_threads_are_told_behind_two_near_caches_was_so_once() {
    let seed = seed();
    let near = near::neighbours(Emptied::new(), NearCache::new, seed);

    judge(history::check_neighbours(&near, volume(), seed));
}
