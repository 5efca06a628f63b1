//! What is stored comes back as it was.

use cloakroom_store::{
    Draft, FIELD_MAX, FIELD_NAME_MAX, FIELDS_MAX, Ops, Registry, SESSION_MAX, Store, StoreErrorKind,
};

use crate::Fixture;
use crate::desk::{Desk, Success, agreed, at, error_of, field, set};

/// Values that a store which parses and writes them again would change.
const PRECISE: [&str; 16] = [
    "1.50",
    "1e400",
    "-0",
    "-0.0",
    "1E+2",
    "123456789012345678901234567890",
    "0.1000000000000000055511151231257827",
    "null",
    "true",
    "[ 1 ,\t2 ]",
    r#"{"b": 1, "a": 2, "a": 3}"#,
    r#""\u00e9\u2028\ud83d\ude00\/""#,
    "\"\u{e9}\u{2028}\u{1f600}\u{7f}\u{fffd}\"",
    r#""\u0000\b\f\n\r\t\"\\""#,
    r#""'; DROP TABLE sessions; --""#,
    r#"["%s", "{0}", "$1", "?1", "<&>", ""]"#,
];

/// Every value comes back to the letter, from the commit and from a load.
pub fn values_come_back_to_the_letter(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let mut ops = Ops::new();
    for (number, json) in PRECISE.iter().enumerate() {
        agreed(ops.set_json(field(&format!("f{number}")), json));
    }

    let changed = desk.change(&key, &ops, at(1)).done();

    let loaded = desk.load(&key, at(1)).done();
    for (number, json) in PRECISE.iter().enumerate() {
        let name = format!("f{number}");
        assert_eq!(changed.fields().get(&name), Some(*json));
        assert_eq!(loaded.fields().get(&name), Some(*json));
    }
}

/// A value that another commit leaves alone stays to the letter.
pub fn values_survive_other_commits_to_the_letter(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for (number, json) in (1..).zip(PRECISE) {
        let key = desk.has(desk.key(number), Draft { ops: set("a", json), ..desk.guest(number) });

        desk.change(&key, &set("b", json), at(1)).done();
        desk.change(&key, &set("c", "1"), at(1)).done();

        let record = desk.load(&key, at(1)).done();
        assert_eq!((record.fields().get("a"), record.fields().get("b")), (Some(json), Some(json)));
    }
}

/// A value of 100 nested lists comes back.
pub fn deep_values_come_back(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));

    desk.change(&key, &set("deep", &deep), at(1)).done();

    assert_eq!(desk.load(&key, at(1)).done().fields().get("deep"), Some(deep.as_str()));
}

/// Names of every allowed shape are different fields: case, length and the system's own.
pub fn field_names_are_kept_apart(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let longest = "n".repeat(FIELD_NAME_MAX);
    let names = ["a", "A", "a.b", "a-b", "a_b", "0", "-", ".", "@system", "id", longest.as_str()];
    for name in names {
        desk.change(&key, &set(name, &format!("{name:?}")), at(1)).done();
    }

    let record = desk.load(&key, at(1)).done();

    assert_eq!(record.fields().len(), names.len());
    for name in names {
        assert_eq!(record.fields().get(name), Some(format!("{name:?}").as_str()));
    }
}

/// A session without fields comes back without fields.
pub fn no_fields_come_back(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    assert_eq!(desk.load(&key, at(1)).done().fields().as_json(), "{}");
}

/// The longest value, the most fields and the most data that a session may hold are held.
pub fn the_largest_sessions_come_back(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (long, many, full) = (desk.has_guest(1), desk.has_guest(2), desk.has_guest(3));
    let longest = text(FIELD_MAX);
    let mut names = Ops::new();
    for number in 0..FIELDS_MAX {
        agreed(names.set(field(&format!("f{number}")), &number));
    }

    desk.change(&long, &set("a", &longest), at(1)).done();
    desk.change(&many, &names, at(1)).done();
    fill(&desk, &full);

    assert_eq!(desk.load(&long, at(1)).done().fields().get("a"), Some(longest.as_str()));
    assert_eq!(desk.load(&many, at(1)).done().fields().len(), FIELDS_MAX);
    assert_eq!(desk.load(&full, at(1)).done().fields().as_json().len(), SESSION_MAX);
}

/// A commit that would pass a limit is an error of kind refused, and nothing of it is written.
pub fn a_change_beyond_a_limit_writes_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (full, small) = (desk.has_guest(1), desk.has_guest(2));
    fill(&desk, &full);
    let before = [desk.load(&full, at(1)), desk.load(&small, at(1))];
    let mut too_long = set("small", "1");
    too_long.append(&set("long", &text(FIELD_MAX + 1)));
    let mut too_many = Ops::new();
    for number in 0..=FIELDS_MAX {
        agreed(too_many.set(field(&format!("f{number}")), &number));
    }

    for (key, ops) in [(small, too_long), (small, too_many), (full, set("one_more", "1"))] {
        let touch = Some(crate::desk::touch(2));
        let any = cloakroom_store::Expect::Any;
        let error = error_of(desk.store.commit(&key, any, &ops, touch, at(2)));
        assert_eq!(error.kind(), StoreErrorKind::Refused);
    }

    assert_eq!([desk.load(&full, at(2)), desk.load(&small, at(2))], before);
}

/// A creation that would pass a limit is an error of kind refused, and makes nothing.
pub fn a_creation_beyond_a_limit_makes_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (key, ops) = (desk.key_of("ada", 1), set("long", &text(FIELD_MAX + 1)));

    let draft = Draft { ops, ..desk.member("ada", 1) };
    let error = error_of(desk.store.create(&key, draft, None, at(0)));

    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(desk.load(&key, at(0)), cloakroom_store::Load::Gone(None));
    assert_eq!(desk.count(at(0)).sessions, 0);
    assert_eq!(desk.ids_of("ada", at(0)), []);
}

/// JSON text of this length.
fn text(length: usize) -> String {
    format!("\"{}\"", "x".repeat(length - 2))
}

/// Brings a session to the most data that it may hold.
fn fill<S: Registry>(desk: &Desk<S>, key: &cloakroom_store::Key) {
    let mut ops = Ops::new();
    for name in ["a", "b", "c"] {
        agreed(ops.set_json(field(name), &text(FIELD_MAX)));
    }
    let around = 3 * (FIELD_MAX + r#""a":,"#.len()) + r#"{"d":}"#.len();
    agreed(ops.set_json(field("d"), &text(SESSION_MAX - around)));
    desk.change(key, &ops, at(1)).done();
}
