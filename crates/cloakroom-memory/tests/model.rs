//! Random scripts beside a plain model, and what threads are told of one session at once.
//!
//! No tool that tries every order of the store's own steps is run. What its threads share stands
//! behind locks of the standard library, taken in one order: the index first, then shards from the
//! lowest to the highest. Nothing is published without a lock; the one atomic number counts bytes and
//! only bounds the store. What could go wrong is a step that lets go too early, which shows to
//! clients: in a read across shards (the clause `a_login_is_never_seen_half_done`), and in a history
//! that one client could not have been told, as below.
#![allow(clippy::print_stdout, reason = "figures, and the seed that repeats a failure")]

use cloakroom_conformance::history::Volume;
use cloakroom_conformance::{history, model};
use cloakroom_memory::MemoryStore;

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
    assert!(figures.overlapping > 0, "nothing happened at once");
}
