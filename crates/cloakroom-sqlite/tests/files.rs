//! What may be at the path of a store, and what happens to it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what a test relies on fails the test"
)]

mod folder;

use std::fs;
use std::path::Path;
use std::thread;

use cloakroom_conformance::executor::block_on;
use cloakroom_sqlite::SqliteStore;
use cloakroom_store::{
    ClientInfo, Create, Cursor, Draft, End, Ending, Factors, Field, Fields, Identity, Key, Load,
    News, Ops, Page, Record, Registry, SessionId, Store, StoreErrorKind, Target, Times, Timestamp,
    UserId,
};
use folder::{Folder, open};
use rusqlite::Connection;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn key(number: u8) -> Key {
    Key::from_bytes([number; 32])
}

fn draft(number: u8) -> Draft {
    let mut ops = Ops::new();
    ops.set(Field::from_static("cart"), &["tea", "milk"]).unwrap();
    let later = |seconds: u64| Timestamp::from_millis(NOW.as_millis() + seconds * 1_000);
    Draft {
        id: SessionId::from_bytes([number; 18]),
        identity: Identity::signed_in(UserId::try_from("ada").unwrap(), Factors::PASSWORD, NOW),
        times: Times {
            created: NOW,
            seen: NOW,
            idle_deadline: later(600),
            absolute_deadline: later(6_000),
        },
        client: ClientInfo::with_user_agent("Browser/1.0"),
        ops,
    }
}

/// Puts one session into the file at `path`.
fn filled(path: &Path) {
    let store = open(path).unwrap();
    let created = block_on(store.create(&key(1), draft(1), None, NOW)).unwrap();
    assert!(matches!(created, Create::Done { .. }));
    block_on(store.close());
}

/// Opening fails with this kind, names the file, says this, and leaves every byte as it was.
#[track_caller]
fn is_refused_unchanged(path: &Path, kind: StoreErrorKind, says: &str) {
    let before = fs::read(path).unwrap();

    let error = open(path).unwrap_err();

    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    assert!(error.to_string().contains(says), "{error}");
    assert_eq!(fs::read(path).unwrap(), before);
}

#[test]
fn text_is_not_taken_for_sessions() {
    let folder = Folder::new();
    let path = folder.path("notes.txt");
    for text in ["x", "buy milk\n", &"SQLite format 3".repeat(100)] {
        fs::write(&path, text).unwrap();

        is_refused_unchanged(&path, StoreErrorKind::Corrupt, "not an SQLite database");
    }
    assert_eq!(fs::read_dir(folder.path("")).unwrap().count(), 1, "nothing beside it");
}

#[test]
fn the_database_of_another_application_stays_as_it_is() {
    let folder = Folder::new();
    let setups = [
        "CREATE TABLE users (name TEXT)",
        "PRAGMA journal_mode = WAL; CREATE TABLE users (name TEXT)",
        "PRAGMA application_id = 7; CREATE TABLE users (name TEXT)",
        "PRAGMA application_id = 7; PRAGMA user_version = 1",
    ];
    for (number, setup) in setups.into_iter().enumerate() {
        let path = folder.path(&format!("{number}.db"));
        Connection::open(&path).unwrap().execute_batch(setup).unwrap();

        is_refused_unchanged(&path, StoreErrorKind::Refused, "another application");
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    filled(&path);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();

    is_refused_unchanged(&path, StoreErrorKind::Refused, "schema has version 99");
}

#[test]
fn a_file_that_was_cut_short_is_corrupt_and_left_alone() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    filled(&path);
    let whole = fs::read(&path).unwrap();

    for kept in [50, 107, 4_096, whole.len() - 4_096] {
        fs::write(&path, &whole[..kept]).unwrap();

        is_refused_unchanged(&path, StoreErrorKind::Corrupt, "");
    }
}

#[test]
fn a_damaged_header_is_refused_and_left_alone() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    filled(&path);
    let whole = fs::read(&path).unwrap();

    // The magic, the page size, the payload fractions, the schema format, the application.
    for (at, kind) in [
        (0, StoreErrorKind::Corrupt),
        (17, StoreErrorKind::Corrupt),
        (21, StoreErrorKind::Corrupt),
        (47, StoreErrorKind::Corrupt),
        (68, StoreErrorKind::Refused),
    ] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        fs::write(&path, &damaged).unwrap();

        is_refused_unchanged(&path, kind, "");
    }
}

#[test]
fn damage_inside_is_an_error_that_names_the_file() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    filled(&path);
    let mut damaged = fs::read(&path).unwrap();
    damaged[2 * 4_096..].fill(0xff);
    fs::write(&path, damaged).unwrap();
    let store = open(&path).unwrap();

    let load = block_on(store.load(&[key(1)], NOW)).unwrap_err();
    let create = block_on(store.create(&key(2), draft(2), None, NOW)).unwrap_err();

    for error in [load, create] {
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn damaged_data_is_named_and_does_not_keep_a_session_alive() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    filled(&path);
    Connection::open(&path).unwrap().execute("UPDATE sessions SET data = '{oops'", []).unwrap();
    let store = open(&path).unwrap();
    let ada = UserId::try_from("ada").unwrap();

    let error = block_on(store.load(&[key(1)], NOW)).unwrap_err();
    let ended = block_on(store.end_all(&ada, None, Ending::LOGOUT, NOW)).unwrap();

    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(error.to_string().contains(&draft(1).id.to_string()), "{error}");
    assert_eq!(ended.ended, [draft(1).id]);
    let load = block_on(store.load(&[key(1)], NOW)).unwrap().into_iter().next();
    assert!(matches!(load, Some(Load::Gone(Some(_)))), "{load:?}");
}

/// What an update of a row can do to it that no release does.
const DAMAGES: [&str; 6] = [
    "data = '{oops'",
    "data = '{\"a b\":1}'",
    "version = -5",
    "factors = 70000",
    "user = 'a' || char(1)",
    "seen_at = -1",
];

#[test]
fn a_damaged_session_is_ended_and_told_with_what_can_be_read_of_it() {
    for (number, damage) in DAMAGES.iter().enumerate() {
        let folder = Folder::new();
        let path = folder.path("sessions.db");
        filled(&path);
        let damaging = format!("UPDATE sessions SET {damage}");
        Connection::open(&path).unwrap().execute(&damaging, []).unwrap();
        let store = open(&path).unwrap();
        let start = block_on(store.watch(Cursor::NEWEST, 1, NOW)).unwrap().next;
        assert!(block_on(store.load(&[key(1)], NOW)).is_err(), "{damage}");
        let id = draft(1).id;
        let target = if number % 2 == 0 { Target::Key(key(1)) } else { Target::Id(id) };

        let ended = block_on(store.end(target, Ending::LOGOUT, NOW)).unwrap();

        let End::Ended(record) = ended else { panic!("{damage}: {ended:?}") };
        assert_eq!(record.id(), id);
        assert_eq!(record.times().absolute_deadline, draft(1).times.absolute_deadline);
        let load = block_on(store.load(&[key(1)], NOW)).unwrap().into_iter().next();
        assert!(matches!(load, Some(Load::Gone(Some(_)))), "{damage}: {load:?}");
        let told = block_on(store.watch(start, 1, NOW)).unwrap().notices;
        assert!(matches!(told.as_slice(), [one] if matches!(one.news, News::Ended { .. })));
    }
}

#[test]
fn an_empty_file_or_database_becomes_a_store() {
    let folder = Folder::new();
    let (file, database) = (folder.path("file.db"), folder.path("database.db"));
    fs::write(&file, "").unwrap();
    Connection::open(&database).unwrap().execute_batch("VACUUM").unwrap();
    assert_ne!(fs::metadata(&database).unwrap().len(), 0);

    filled(&file);
    filled(&database);

    assert!(open(&file).is_ok() && open(&database).is_ok());
}

#[test]
fn what_is_no_place_for_a_file_is_said() {
    let folder = Folder::new();
    let missing = folder.path("no/such/sessions.db");
    let as_folder = folder.path("");

    let errors = [missing.as_path(), as_folder.as_path(), Path::new(":memory:"), Path::new("")]
        .map(|path| open(path).unwrap_err().to_string());

    let [missing, as_folder, memory, nothing] = errors;
    assert!(missing.contains("no such") || missing.contains("there is no folder"), "{missing}");
    assert!(as_folder.contains("it is a folder"), "{as_folder}");
    assert!(memory.contains("memory store") && nothing.contains("memory store"));
}

#[cfg(unix)]
#[test]
fn all_files_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let store = open(&folder.path("sessions.db")).unwrap();
    block_on(store.create(&key(1), draft(1), None, NOW)).unwrap();

    for end in ["", "-wal", "-shm"] {
        let about = fs::metadata(folder.path(&format!("sessions.db{end}"))).unwrap();

        assert_eq!(about.permissions().mode() & 0o777, 0o600, "sessions.db{end}");
    }
}

#[test]
fn a_closed_store_leaves_one_whole_file() {
    let folder = Folder::new();

    filled(&folder.path("sessions.db"));

    assert_eq!(fs::read_dir(folder.path("")).unwrap().count(), 1);
}

#[test]
fn eight_threads_open_a_new_file_at_once() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");

    let opened: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| open(&path))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });

    let [first, .., last]: [SqliteStore; 8] = opened.try_into().unwrap();
    block_on(first.create(&key(1), draft(1), None, NOW)).unwrap();
    assert_eq!(block_on(last.scan(Page::first(9), NOW)).unwrap().len(), 1);
}

#[test]
fn an_operator_reads_sessions_with_sql() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    filled(&path);
    let db = Connection::open(&path).unwrap();

    let read: (String, String, String, String) = db
        .query_row(
            "SELECT id, user, created_at, json_extract(data, '$.cart[1]') FROM sessions_readable",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();

    let texts = (draft(1).id.to_string(), "ada", "2027-01-15 08:00:00", "milk");
    assert_eq!((read.0, read.1.as_str(), read.2.as_str(), read.3.as_str()), texts);
    let record = Record::new(draft(1), &Fields::default()).unwrap();
    let data: String = db.query_row("SELECT data FROM sessions", [], |row| row.get(0)).unwrap();
    assert_eq!(data, record.fields().as_json());
}

#[test]
fn what_an_ended_session_held_is_not_left_in_the_file() {
    let folder = Folder::new();
    let path = folder.path("sessions.db");
    let store = open(&path).unwrap();
    let mut draft = draft(1);
    let secret = "a-word-that-stands-nowhere-else".repeat(8);
    draft.ops.set(Field::from_static("cart"), &secret).unwrap();
    block_on(store.create(&key(1), draft, None, NOW)).unwrap();

    block_on(store.end(Target::Key(key(1)), Ending::LOGOUT, NOW)).unwrap();
    block_on(store.close());

    let bytes = fs::read(&path).unwrap();
    let left = bytes.windows(31).any(|window| window == &secret.as_bytes()[..31]);
    assert!(!left, "the data of an ended session is in the file");
}
