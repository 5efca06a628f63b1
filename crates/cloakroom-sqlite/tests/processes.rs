//! Several stores on one file, and processes that die.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what a test relies on fails the test"
)]

#[path = "folder/ear.rs"]
mod ear;
mod folder;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use cloakroom_conformance::executor::block_on;
use cloakroom_sqlite::SqliteStore;
use cloakroom_store::{
    Change, ClientInfo, Commit, Create, Draft, Ending, Expect, Field, Identity, Key, Load, Ops,
    Record, SessionId, Store, Target, Times, Timestamp,
};
use ear::Ear;
use folder::{Folder, open};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn key(number: u32) -> Key {
    let mut bytes = [9; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Key::from_bytes(bytes)
}

fn draft(number: u32) -> Draft {
    let mut id = [9; 18];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Draft {
        id: SessionId::from_bytes(id),
        identity: Identity::anonymous(),
        times: Times {
            created: NOW,
            seen: NOW,
            idle_deadline: Timestamp::MAX,
            absolute_deadline: Timestamp::MAX,
        },
        client: ClientInfo::default(),
        ops: count(0),
    }
}

fn count(value: u32) -> Ops {
    let mut ops = Ops::new();
    ops.set(Field::from_static("count"), &value).unwrap();
    ops
}

fn counted(record: &Record) -> u32 {
    record.fields().get("count").unwrap().parse().unwrap()
}

fn load(store: &SqliteStore, number: u32) -> Load {
    block_on(store.load(&[key(number)], NOW)).unwrap().into_iter().next().unwrap()
}

fn increment(store: &SqliteStore, number: u32) {
    let Load::Live(mut newest) = load(store, number) else { panic!("the session is there") };
    loop {
        let expect = Expect::Version(newest.version());
        let ops = count(counted(&newest) + 1);
        match block_on(store.commit(&key(number), expect, &ops, None, NOW)).unwrap() {
            Commit::Done(_) => return,
            Commit::Conflict(record) => newest = record,
            Commit::Gone(ended) => panic!("the session is there: {ended:?}"),
        }
    }
}

#[test]
fn two_stores_on_one_file_lose_no_increment() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    let stores = [open(&path).unwrap(), open(&path).unwrap()];
    let [first, second] = &stores;
    block_on(first.create(&key(1), draft(1), None, NOW)).unwrap();

    thread::scope(|scope| {
        for store in &stores {
            scope.spawn(|| (0..100).for_each(|_| increment(store, 1)));
        }
    });

    for store in [first, second] {
        let Load::Live(record) = load(store, 1) else { panic!("the session is there") };
        assert_eq!((counted(&record), record.version()), (200, 201));
    }
}

#[test]
fn what_one_store_ended_is_gone_in_the_other() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    let (first, second) = (open(&path).unwrap(), open(&path).unwrap());
    block_on(first.create(&key(1), draft(1), None, NOW)).unwrap();
    assert!(matches!(load(&second, 1), Load::Live(_)));

    block_on(first.end(Target::Key(key(1)), Ending::LOGOUT, NOW)).unwrap();

    assert!(matches!(load(&second, 1), Load::Gone(Some(_))));
    let late = block_on(second.commit(&key(1), Expect::Any, &count(1), None, NOW)).unwrap();
    assert!(matches!(late, Commit::Gone(Some(_))));
}

#[test]
fn what_another_process_changes_is_heard() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    let (store, ear) = (open(&path).unwrap(), Arc::new(Ear::default()));
    store.listen(Arc::<Ear>::clone(&ear));
    ear.waits_for(1);

    killed_after(&path, 0);

    assert!(ear.waits_for(2).contains(&Change::Everything));
}

/// Tells the process that is to die what it is, and where its file is.
const ROLE: &str = "CLOAKROOM_SQLITE_DIES_ON";
const ROUNDS: usize = 5;
const ACKNOWLEDGED: usize = 400;

/// The process that dies: creates sessions from four threads, changes each, ends every third, and
/// says what was acknowledged.
#[test]
fn process_that_dies() {
    let Some(path) = std::env::var_os(ROLE) else { return };
    let store = open(Path::new(&path)).unwrap();
    let first: u32 = std::env::var("CLOAKROOM_FIRST").unwrap().parse().unwrap();
    let say = |what: &str, number: u32| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{what} {number}").unwrap();
        out.flush().unwrap();
    };
    thread::scope(|scope| {
        for start in 0..4 {
            let (store, say) = (&store, &say);
            scope.spawn(move || {
                for number in (first + start..).step_by(4) {
                    let created = block_on(store.create(&key(number), draft(number), None, NOW));
                    assert!(matches!(created.unwrap(), Create::Done { .. }));
                    let ops = count(number);
                    block_on(store.commit(&key(number), Expect::Any, &ops, None, NOW)).unwrap();
                    say("changed", number);
                    if number % 3 == 0 {
                        block_on(store.end(Target::Key(key(number)), Ending::LOGOUT, NOW)).unwrap();
                        say("ended", number);
                    }
                }
            });
        }
    });
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    for round in 0..ROUNDS {
        let first = u32::try_from(round).unwrap() * 1_000_000;

        let (changed, ended) = killed_after(&path, first);

        let store = open(&path).unwrap();
        for number in &ended {
            let load = load(&store, *number);
            assert!(
                matches!(load, Load::Gone(Some(_))),
                "round {round}: {number} is back: {load:?}"
            );
        }
        for number in changed.iter().filter(|number| *number % 3 != 0) {
            let Load::Live(record) = load(&store, *number) else {
                panic!("round {round}: {number} is lost")
            };
            assert_eq!(counted(&record), *number);
        }
    }
}

/// What a process acknowledged before it was killed.
fn killed_after(path: &Path, first: u32) -> (Vec<u32>, Vec<u32>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["process_that_dies", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, path)
        .env("CLOAKROOM_FIRST", first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut said: Vec<String> =
        lines.by_ref().filter(|line| line.contains("ed ")).take(ACKNOWLEDGED).collect();
    child.kill().unwrap();
    said.extend(lines);
    child.wait().unwrap();

    let numbers = |what: &str| {
        said.iter().filter_map(|line| line.strip_prefix(what)?.trim().parse().ok()).collect()
    };
    let (changed, ended): (Vec<u32>, Vec<u32>) = (numbers("changed "), numbers("ended "));
    assert!(changed.len() + ended.len() >= ACKNOWLEDGED - 5, "the process did not work");
    (changed, ended)
}
