//! Random scripts beside a plain model, and what threads are told of one session at once.
//!
//! Orders of the store's own steps are tried beside it, in `src/schedules.rs`: what its threads share
//! is a lock over who is who, locks of shards and a number of bytes.
#![allow(clippy::print_stdout, reason = "figures, and the seed that repeats a failure")]

use cloakroom_conformance::history::Volume;
use cloakroom_conformance::{history, model};
use cloakroom_memory::{MemoryStore, NearCache};

#[test]
fn random_scripts_come_out_as_the_model_says() {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");

    let figures = model::check(&MemoryStore::new, if long { 200_000 } else { 2_000 }, seed);

    println!("{} scripts, {} verbs", figures.scripts, figures.verbs);
}

#[test]
fn what_threads_are_told_one_client_could_have_been_told() {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");
    let volume = Volume { sessions: if long { 100_000 } else { 2_000 }, threads: 4, calls: 12 };

    let figures = history::check(&MemoryStore::new, volume, seed);

    println!("{figures:?}");
    assert_eq!(figures.unanswered, 0, "what has no answer explains itself");
    assert!(figures.overlapping > 0, "nothing happened at once");
    assert!(figures.moved > 0 && figures.forwarded > 0, "no key was renewed");
}

#[test]
fn random_scripts_behind_the_near_cache_come_out_as_the_model_says() {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");
    let near = || NearCache::new(MemoryStore::new());

    let figures = model::check(&near, if long { 200_000 } else { 2_000 }, seed);

    println!("{} scripts, {} verbs", figures.scripts, figures.verbs);
}

#[test]
fn what_threads_are_told_behind_the_near_cache_one_client_could_have_been_told() {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");
    let volume = Volume { sessions: if long { 100_000 } else { 2_000 }, threads: 4, calls: 12 };
    let near = || NearCache::new(MemoryStore::new());

    let figures = history::check(&near, volume, seed);

    println!("{figures:?}");
    assert_eq!(figures.unanswered, 0, "what has no answer explains itself");
    assert!(figures.overlapping > 0, "nothing happened at once");
}
