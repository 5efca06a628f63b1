//! `testdata/sqlite/schema-*.db`: sessions that each schema kept, written once and read for ever.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloakroom_conformance::executor::block_on;
use cloakroom_store::{
    By, ClientInfo, Count, Cursor, Draft, Ended, Ending, Expect, Factors, Field, Identity, Key,
    Load, News, Ops, Page, Reason, Registry as _, Rotation, SessionId, Store as _, Target, Times,
    Timestamp, UserId,
};

use crate::folder::{Folder, open};

const MADE: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const BLESS: &str = "CLOAKROOM_BLESS";

fn blessed(schema: u8) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/sqlite");
    folder.join(format!("schema-{schema}.db"))
}

/// The schema that this release writes.
const NEWEST: u8 = 2;

fn key(number: u8) -> Key {
    Key::from_bytes([number; 32])
}

fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 18])
}

fn times(hours: u64) -> Times {
    let idle_deadline = MADE.plus(Duration::from_secs(hours * 3_600));
    Times { created: MADE, seen: MADE, idle_deadline, absolute_deadline: MADE.plus(30 * DAY) }
}

fn ops(fields: &[(&'static str, &str)]) -> Ops {
    let mut ops = Ops::new();
    for (name, json) in fields {
        ops.set_json(Field::from_static(name), json).unwrap();
    }
    ops
}

fn draft(number: u8, identity: Identity, fields: &[(&'static str, &str)]) -> Draft {
    let client = ClientInfo::with_user_agent("Browser/1.0 (caf\u{e9})");
    Draft { id: id(number), identity, times: times(500), client, ops: ops(fields) }
}

fn user(name: &str) -> UserId {
    UserId::try_from(name).unwrap()
}

fn ada() -> Identity {
    Identity::signed_in(user("ada"), Factors::PASSWORD | Factors::TOTP, MADE)
}

fn bob() -> Identity {
    Identity::signed_in(user("b\u{f6}b"), Factors::PASSKEY, MADE).remembered_until(MADE.plus(DAY))
}

/// Writes the file of the newest schema if there is none; without the variable it only says so by
/// passing. A file that is there is never written again: a new schema gets a new one.
#[test]
fn the_file_of_this_schema_is_made_on_request() {
    if std::env::var_os(BLESS).is_none() || blessed(NEWEST).exists() {
        return;
    }
    let folder = Folder::new();
    let path = folder.path("schema.db");
    let store = open(&path).unwrap();
    let create = |number: u8, draft: Draft| {
        drop(block_on(store.create(&key(number), draft, None, MADE)).unwrap());
    };
    create(1, draft(1, Identity::anonymous(), &[]));
    create(2, draft(2, ada(), &[("cart", r#"["tea","\u00fc"]"#), ("@roles", r#"["staff"]"#)]));
    let mut short = draft(3, bob(), &[("theme", r#""dark""#), ("n", "1.50e1")]);
    short.times = times(1);
    create(3, short);
    create(4, draft(4, ada(), &[]));
    create(5, draft(5, Identity::anonymous(), &[]));

    let changed = ops(&[("cart", "[]")]);
    drop(block_on(store.commit(&key(2), Expect::Version(1), &changed, None, MADE)).unwrap());
    let stepped = Identity::signed_in(user("ada"), Factors::PASSKEY, MADE);
    let (grace, cap) = (Duration::from_secs(20), 10 * DAY);
    let rotation = Rotation::Renewal { identity: Some(stepped), times: None, grace, cap };
    drop(block_on(store.rotate(&key(4), &key(40), rotation, MADE)).unwrap());
    let by = By::new("staff 17").unwrap();
    drop(block_on(store.end(Target::Id(id(5)), Ending::revoked(by), MADE)).unwrap());
    block_on(store.close());

    fs::copy(path, blessed(NEWEST)).unwrap();
}

#[test]
fn a_file_of_schema_1_tells_endings_from_its_opening_on() {
    let folder = Folder::new();
    let path = folder.path("schema.db");
    fs::copy(blessed(1), &path).unwrap();
    let store = open(&path).unwrap();
    let first = block_on(store.watch(Cursor::OLDEST, 9, MADE)).unwrap();

    drop(block_on(store.end(Target::Id(id(1)), Ending::LOGOUT, MADE)).unwrap());

    let then = block_on(store.watch(first.next, 9, MADE)).unwrap();
    assert_eq!((first.notices.len(), first.lost), (0, false));
    let told: Vec<News> = then.notices.into_iter().map(|notice| notice.news).collect();
    assert_eq!(told, [News::Ended { id: id(1), reason: Reason::Logout }]);
}

#[test]
fn sessions_of_schema_1_are_read() {
    are_read(1);
}

#[test]
fn sessions_of_schema_2_are_read() {
    are_read(2);
}

#[track_caller]
fn are_read(schema: u8) {
    let folder = Folder::new();
    let path = folder.path("schema.db");
    fs::copy(blessed(schema), &path).unwrap();
    let now = MADE.plus(Duration::from_secs(2 * 3_600));

    let store = open(&path).unwrap();

    let load =
        |number: u8| block_on(store.load(&[key(number)], now)).unwrap().into_iter().next().unwrap();
    let Load::Live(first) = load(1) else { panic!("{:?}", load(1)) };
    assert_eq!((first.id(), first.version(), first.identity()), (id(1), 1, &Identity::anonymous()));
    assert_eq!((first.times(), first.fields().as_json()), (&times(500), "{}"));
    assert_eq!(first.client().user_agent.as_deref(), Some("Browser/1.0 (caf\u{e9})"));

    let Load::Live(second) = load(2) else { panic!("{:?}", load(2)) };
    assert_eq!((second.id(), second.version(), second.identity()), (id(2), 2, &ada()));
    assert_eq!(second.fields().as_json(), r#"{"@roles":["staff"],"cart":[]}"#);

    let Load::Dormant(third) = load(3) else { panic!("{:?}", load(3)) };
    assert_eq!((third.id(), third.identity(), third.times()), (id(3), &bob(), &times(1)));
    assert_eq!(third.fields().as_json(), r#"{"n":1.50e1,"theme":"dark"}"#);

    let Load::Forwarded(fourth) = load(4) else { panic!("{:?}", load(4)) };
    assert_eq!((fourth.id(), fourth.identity()), (id(4), &ada()));
    let Load::Live(renewed) = load(40) else { panic!("{:?}", load(40)) };
    assert_eq!((renewed.id(), renewed.identity().factors), (id(4), Factors::PASSKEY));

    let by = By::new("staff 17").unwrap();
    assert_eq!(load(5), Load::Gone(Some(Ended { reason: Reason::Revoked, by, at: MADE })));

    let count = block_on(store.count(now)).unwrap();
    assert_eq!(count, Count { sessions: 4, signed_in: 3 });
    let listed = block_on(store.list(&user("ada"), Page::first(9), now)).unwrap();
    assert_eq!(listed.iter().map(|record| record.id()).collect::<Vec<_>>(), [id(2), id(4)]);
    let changed = ops(&[("n", "1")]);
    let late = block_on(store.commit(&key(2), Expect::Version(2), &changed, None, now)).unwrap();
    assert!(matches!(late, cloakroom_store::Commit::Done(record) if record.version() == 3));
}
