//! Random scripts beside a plain model, and what threads are told of one session at once; bare, behind
//! the near cache, and behind the near caches of two processes.
#![allow(clippy::print_stdout, reason = "figures, and the seed that repeats a failure")]
#![allow(clippy::unwrap_used, reason = "in a test, also in what its fixture does")]

mod folder;

use std::sync::atomic::{AtomicU32, Ordering};

use cloakroom_conformance::executor::block_on;
use cloakroom_conformance::history::{Figures, Volume};
use cloakroom_conformance::{Fixture, Shared, history, model, near};
use cloakroom_memory::NearCache;
use cloakroom_sqlite::SqliteStore;
use folder::Folder;

/// A new file for every script. The disk need not have each change: nothing pulls the plug here.
struct Files {
    folder: Folder,
    opened: AtomicU32,
}

impl Files {
    fn new() -> Self {
        Self { folder: Folder::new(), opened: AtomicU32::new(0) }
    }

    fn open_newest(&self) -> SqliteStore {
        let newest = self.opened.load(Ordering::Relaxed);
        let builder = SqliteStore::builder(self.folder.path(&format!("{newest}.db")));
        block_on(builder.dangerous_lose_recent_changes_on_power_loss().open()).unwrap()
    }
}

impl Fixture for Files {
    type Store = SqliteStore;

    fn open(&self) -> SqliteStore {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.open_newest()
    }
}

impl Shared for Files {
    fn another(&self, _: &SqliteStore) -> SqliteStore {
        self.open_newest()
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

const fn volume(sessions: u32) -> Volume {
    Volume { sessions, threads: 4, calls: 12 }
}

fn judge(figures: Figures) {
    println!("{figures:?}");
    assert_eq!(figures.unanswered, 0, "what has no answer explains itself");
    assert!(figures.overlapping > 0, "nothing happened at once");
    assert!(figures.moved > 0 && figures.forwarded > 0, "no key was renewed");
}

#[test]
fn random_scripts_come_out_as_the_model_says() {
    check(&Files::new(), if is_long() { 20_000 } else { 300 }, seed());
}

#[test]
fn scripts_over_two_handles_on_one_file_come_out_as_the_model_says() {
    let seed = seed();

    check(&model::handles(Files::new(), seed), if is_long() { 3_000 } else { 150 }, seed);
}

#[test]
fn scripts_behind_the_near_cache_come_out_as_the_model_says() {
    let near = near::behind(Files::new(), NearCache::new);

    check(&near, if is_long() { 5_000 } else { 150 }, seed());
}

/// Another process looks for news fifty times a second, and a script waits for it.
#[test]
fn scripts_behind_two_near_caches_come_out_as_the_model_says() {
    let seed = seed();
    let near = near::neighbours(Files::new(), NearCache::new, seed);

    check(&near, if is_long() { 2_000 } else { 80 }, seed);
}

#[test]
fn what_threads_are_told_one_client_could_have_been_told() {
    let sessions = if is_long() { 5_000 } else { 100 };

    judge(history::check(&Files::new(), volume(sessions), seed()));
}

#[test]
fn what_threads_are_told_behind_the_near_cache_one_client_could_have_been_told() {
    let near = near::behind(Files::new(), NearCache::new);
    let sessions = if is_long() { 5_000 } else { 100 };

    judge(history::check(&near, volume(sessions), seed()));
}

#[test]
fn what_threads_are_told_behind_two_near_caches_was_so_once() {
    let seed = seed();
    let near = near::neighbours(Files::new(), NearCache::new, seed);
    let sessions = if is_long() { 5_000 } else { 100 };

    judge(history::check_neighbours(&near, volume(sessions), seed));
}
