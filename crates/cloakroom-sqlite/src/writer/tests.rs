//! A writer that is kept waiting.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use cloakroom_store::{Change, Listener};

use super::*;

/// A folder of a test's own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloakroom-sqlite-writer-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Hears, and lets the other process go when it hears of its change.
struct Ear {
    heard: Mutex<Vec<Change>>,
    other: Mutex<Option<Connection>>,
}

impl Listener for Ear {
    fn hear(&self, change: Change) {
        self.heard.lock().unwrap().push(change);
        if change == Change::Everything {
            drop(self.other.lock().unwrap().take());
        }
    }
}

/// A writer with an ear, which keeps `other`, a connection to the same file.
fn listening(folder: &Folder) -> (Writer, Arc<Ear>) {
    let database = Arc::new(Database::open(&folder.0.join("sessions.db")).unwrap());
    let door = Arc::<Door>::default();
    let other = Mutex::new(Some(database.writer().unwrap()));
    let ear = Arc::new(Ear { heard: Mutex::default(), other });
    door.enter(Arc::<Ear>::clone(&ear));
    let mut writer = Writer::open(database, door, false).unwrap();
    writer.look_around();
    assert_eq!(*ear.heard.lock().unwrap(), [Change::Hearing]);
    (writer, ear)
}

fn on_other(ear: &Ear, sql: &str) {
    ear.other.lock().unwrap().as_ref().unwrap().execute_batch(sql).unwrap();
}

#[test]
fn changes_are_told_while_it_waits_for_another_process() {
    let folder = Folder::new();
    let (mut writer, ear) = listening(&folder);
    on_other(&ear, "INSERT INTO feed (at, user) VALUES (1, 'ada'); BEGIN IMMEDIATE");

    // Only the one who hears of the change ends the wait.
    writer.begin().unwrap();

    assert_eq!(*ear.heard.lock().unwrap(), [Change::Hearing, Change::Everything]);
}

#[test]
fn it_waits_for_another_process_for_one_and_a_half_seconds() {
    let folder = Folder::new();
    let (mut writer, ear) = listening(&folder);
    on_other(&ear, "BEGIN IMMEDIATE");

    let halt = writer.begin().unwrap_err();

    assert!(is_busy(&halt), "{halt:?}");
    assert_eq!((SLICES, SLICE), (15, Duration::from_millis(100)));
}

#[test]
fn a_new_connection_tells_that_something_may_have_been_missed() {
    let folder = Folder::new();
    let (mut writer, ear) = listening(&folder);
    let failure = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR);

    writer.recover(&rusqlite::Error::SqliteFailure(failure, None).into());
    writer.connect().unwrap();
    on_other(&ear, "INSERT INTO feed (at, user) VALUES (1, 'ada')");
    writer.look_around();

    let heard = [Change::Hearing, Change::Deaf, Change::Everything, Change::Hearing];
    assert_eq!(*ear.heard.lock().unwrap(), heard);
}
