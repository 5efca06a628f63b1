//! What a store hears of changes that others make in its file.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

#[path = "folder/ear.rs"]
mod ear;
mod folder;

use std::fs;
use std::sync::Arc;

use cloakroom_conformance::executor::block_on;
use cloakroom_sqlite::SqliteStore;
use cloakroom_store::{
    Change, ClientInfo, Draft, Ending, Expect, Identity, Key, Listener, Ops, Registry as _,
    SessionId, Store as _, Target, Times, Timestamp, Told, Touch,
};
use ear::Ear;
use folder::{Files, Folder, open};
use rusqlite::Connection;

cloakroom_conformance::listening_suite!(Files::new());

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn key(number: u8) -> Key {
    Key::from_bytes([number; 32])
}

fn create(store: &SqliteStore, number: u8) {
    let draft = Draft {
        id: SessionId::from_bytes([number; 18]),
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
    block_on(store.create(&key(number), draft, None, NOW)).unwrap();
}

fn end(store: &SqliteStore, number: u8) {
    block_on(store.end(Target::Key(key(number)), Ending::LOGOUT, NOW)).unwrap();
}

/// An ear that hears what others change in the file of `store`.
fn listening(store: &SqliteStore) -> Arc<Ear> {
    let ear = Arc::new(Ear::default());
    let listener: Arc<dyn Listener> = Arc::<Ear>::clone(&ear);
    assert_eq!(store.listen(listener), Told::Changes);
    assert_eq!(ear.waits_for(1), [Change::Hearing]);
    ear
}

#[test]
fn own_writes_and_checkpoints_are_not_told() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    let (own, other) = (open(&path).unwrap(), open(&path).unwrap());
    create(&other, 1);
    let ear = listening(&own);

    create(&own, 2);
    let touch = Touch { seen: NOW, idle_deadline: Timestamp::MAX };
    block_on(own.commit(&key(2), Expect::Any, &Ops::new(), Some(touch), NOW)).unwrap();
    Connection::open(&path)
        .unwrap()
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        .unwrap();
    end(&own, 2);
    block_on(own.sweep(NOW, 100)).unwrap();
    create(&own, 3);

    // Whatever was told before this was told on its own: the writer looks after each batch.
    end(&other, 1);
    assert_eq!(ear.waits_for(2), [Change::Hearing, Change::Everything]);
}

#[test]
fn a_removed_file_makes_deaf_until_it_is_back() {
    let folder = Folder::new();
    let (path, away) = (folder.path("sessions.db"), folder.path("away.db"));
    let (own, other) = (open(&path).unwrap(), open(&path).unwrap());
    create(&other, 1);
    let ear = listening(&own);

    fs::rename(&path, &away).unwrap();
    assert_eq!(ear.waits_for(2), [Change::Hearing, Change::Deaf]);
    fs::rename(&away, &path).unwrap();

    let heard = ear.waits_for(4);
    assert_eq!(heard, [Change::Hearing, Change::Deaf, Change::Everything, Change::Hearing]);
    end(&other, 1);
    assert_eq!(ear.waits_for(5).last(), Some(&Change::Everything));
}

#[test]
fn who_begins_to_listen_without_a_file_hears_when_it_is_back() {
    let folder = Folder::new();
    let (path, away) = (folder.path("sessions.db"), folder.path("away.db"));
    let (own, ear) = (open(&path).unwrap(), Arc::new(Ear::default()));
    fs::rename(&path, &away).unwrap();

    own.listen(Arc::<Ear>::clone(&ear));
    // By now the writer has looked for the file.
    assert!(block_on(own.sweep(NOW, 1)).is_err());
    assert_eq!(ear.heard(), []);
    fs::rename(&away, &path).unwrap();

    assert_eq!(ear.waits_for(1), [Change::Hearing]);
}

#[test]
fn a_replaced_file_makes_deaf() {
    let folder = Folder::new();
    let (path, new) = (folder.path("sessions.db"), folder.path("new.db"));
    let own = open(&path).unwrap();
    block_on(open(&new).unwrap().close());
    let ear = listening(&own);

    fs::rename(&new, &path).unwrap();

    assert_eq!(ear.waits_for(2), [Change::Hearing, Change::Deaf]);
}

#[test]
fn a_closed_store_leaves_its_listeners_deaf() {
    let folder = Folder::new();
    let own = open(&folder.path("sessions.db")).unwrap();
    let (ear, late) = (listening(&own), Arc::new(Ear::default()));
    let handle = own.clone();

    block_on(own.close());

    assert_eq!(ear.heard(), [Change::Hearing, Change::Deaf]);
    assert_eq!(Arc::strong_count(&ear), 1, "it is let go");
    handle.listen(Arc::<Ear>::clone(&late));
    assert_eq!((late.heard(), Arc::strong_count(&late)), (vec![], 1));
}

#[test]
fn a_dropped_store_leaves_its_listeners_deaf() {
    let folder = Folder::new();
    let own = open(&folder.path("sessions.db")).unwrap();
    let ear = listening(&own);

    drop(own);

    assert_eq!(ear.waits_for(2), [Change::Hearing, Change::Deaf]);
}

/// Cannot hear.
struct Broken;

impl Listener for Broken {
    fn hear(&self, _: Change) {
        panic!("this one is meant to panic");
    }
}

#[test]
fn a_listener_that_panics_takes_nothing_from_others() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    let (own, other) = (open(&path).unwrap(), open(&path).unwrap());
    own.listen(Arc::new(Broken));
    let ear = listening(&own);

    create(&other, 1);
    ear.waits_for(2);
    end(&own, 1);

    assert_eq!(ear.heard(), [Change::Hearing, Change::Everything]);
}
