//! Random scripts beside a plain model.
#![allow(clippy::print_stdout, reason = "figures, and the seed that repeats a failure")]
#![allow(clippy::unwrap_used, reason = "in a test, also in what its fixture does")]

mod folder;

use std::sync::atomic::{AtomicU32, Ordering};

use cloakroom_conformance::executor::block_on;
use cloakroom_conformance::history::Volume;
use cloakroom_conformance::model::Handles;
use cloakroom_conformance::{Fixture, history, model};
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
}

impl Fixture for Files {
    type Store = SqliteStore;

    fn open(&self) -> SqliteStore {
        self.open_number(self.opened.fetch_add(1, Ordering::Relaxed))
    }
}

impl Files {
    fn open_number(&self, number: u32) -> SqliteStore {
        let builder = SqliteStore::builder(self.folder.path(&format!("{number}.db")));
        block_on(builder.dangerous_lose_recent_changes_on_power_loss().open()).unwrap()
    }
}

#[test]
fn random_scripts_come_out_as_the_model_says() {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");

    let figures = model::check(&Files::new(), if long { 20_000 } else { 300 }, seed);

    println!("{} scripts, {} verbs", figures.scripts, figures.verbs);
}

/// Two stores on one new file for every script, as two processes have them.
struct Shared {
    files: Files,
    seed: u64,
}

impl Fixture for Shared {
    type Store = Handles<SqliteStore>;

    fn open(&self) -> Handles<SqliteStore> {
        let first = self.files.open();
        let number = self.files.opened.load(Ordering::Relaxed) - 1;
        Handles::new([first, self.files.open_number(number)], self.seed)
    }
}

#[test]
fn scripts_over_two_handles_on_one_file_come_out_as_the_model_says() {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");
    let shared = Shared { files: Files::new(), seed };

    let figures = model::check(&shared, if long { 3_000 } else { 150 }, seed);

    println!("{} scripts, {} verbs", figures.scripts, figures.verbs);
}

#[test]
fn what_threads_are_told_one_client_could_have_been_told() {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");
    let volume = Volume { sessions: if long { 5_000 } else { 100 }, threads: 4, calls: 12 };

    let figures = history::check(&Files::new(), volume, seed);

    println!("{figures:?}");
    assert_eq!(figures.unanswered, 0, "what has no answer explains itself");
    assert!(figures.overlapping > 0, "nothing happened at once");
    assert!(figures.moved > 0 && figures.forwarded > 0, "no key was renewed");
}
