//! All sessions of one user.

use std::thread;

use cloakroom_store::{
    By, Draft, Ended, Ending, FIELD_MAX, Load, Page, Reason, Record, Registry, SESSION_MAX,
    StoreErrorKind,
};

use crate::Fixture;
use crate::desk::{Desk, IDLE, Success, at, error_of, login, set, unset, user};

/// A session is in its user's list from its creation to its end, in the same step.
pub fn the_index_follows_every_session(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let ids = || desk.ids_of("ada", at(1));

    let before = ids();
    let key = desk.has_member("ada", 1);
    let created = ids();
    desk.sign_out(&key, at(1)).done();
    let ended = ids();

    assert_eq!([before, created, ended], [vec![], vec![desk.id_of("ada", 1)], vec![]]);
}

/// A list is of the records as they are, of one user alone.
pub fn a_list_holds_the_newest_records(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_member("ada", 1);
    desk.has_member("bob", 2);
    desk.has_guest(3);
    let newest = desk.change(&key, &set("a", "1"), at(1)).done();

    let list = desk.list("ada", Page::first(10), at(1));

    assert_eq!(list, [newest]);
    assert_eq!(desk.list("nobody", Page::first(10), at(1)), []);
}

/// Pages come in the order of the ids, each after the last id of the one before.
pub fn a_list_is_paged_in_the_order_of_ids(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let mut ids: Vec<_> = (1..=25).map(|number| desk.id_of("ada", number)).collect();
    for number in 1..=25 {
        desk.has_member("ada", number);
    }
    ids.sort_unstable();

    let mut pages = Vec::new();
    let mut page = Page::first(10);
    for _ in 0..=3 {
        let list = desk.list("ada", page, at(1));
        let Some(last) = list.last() else { break };
        page.after = Some(last.id());
        pages.push(list.iter().map(Record::id).collect::<Vec<_>>());
    }

    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!(pages.concat(), ids);
}

/// An id that ended meanwhile still says where the next page begins.
pub fn a_page_begins_after_an_id_that_is_gone(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for number in 1..=3 {
        desk.has_member("ada", number);
    }
    let ids = desk.ids_of("ada", at(1));
    let (Some(first), Some(second)) = (ids.first(), ids.get(1)) else { panic!("no sessions") };
    desk.end(cloakroom_store::Target::Id(*first), Ending::LOGOUT, at(1)).done();

    let page = desk.list("ada", Page { after: Some(*first), limit: 1 }, at(1));

    assert_eq!(page.iter().map(Record::id).collect::<Vec<_>>(), [*second]);
}

/// Every session of the user ends with the given ending, and nobody else's.
pub fn end_all_ends_every_session_of_one_user(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let keys = [desk.has_member("ada", 1), desk.has_member("ada", 2)];
    let others = [desk.has_member("bob", 3), desk.has_guest(4)];
    let ending = Ending { reason: Reason::CredentialsChanged, by: By::USER };

    let mut ended = desk.end_all("ada", None, ending, at(1)).ended;

    ended.sort_unstable();
    let mut ids = vec![desk.id_of("ada", 1), desk.id_of("ada", 2)];
    ids.sort_unstable();
    assert_eq!(ended, ids);
    let told = Ended { reason: Reason::CredentialsChanged, by: By::USER, at: at(1) };
    assert_eq!(desk.load_all(&keys, at(1)), vec![Load::Gone(Some(told)); 2]);
    assert_eq!(desk.ids_of("ada", at(1)), []);
    for key in others {
        desk.load(&key, at(1)).done();
    }
}

/// The session that asks for it can be spared.
pub fn end_all_can_spare_one(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (mine, other) = (desk.has_member("ada", 1), desk.has_member("ada", 2));
    let before = desk.load(&mine, at(1));

    let except = Some(desk.id_of("ada", 1));
    let ended = desk.end_all("ada", except, Ending::revoked(By::USER), at(1)).ended;

    assert_eq!(ended, [desk.id_of("ada", 2)]);
    assert_eq!(desk.load(&mine, at(1)), before);
    assert!(matches!(desk.load(&other, at(1)), Load::Gone(Some(_))));
    assert_eq!(desk.end_all("ada", except, Ending::LOGOUT, at(1)).ended, []);
}

/// While sessions of the user are created, an end of all leaves none that was acknowledged before
/// it began.
pub fn end_all_ends_what_was_there_before(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for number in 0..20 {
        desk.has_member("ada", number);
    }

    let ended = thread::scope(|scope| {
        let creating = scope.spawn(|| {
            for number in 100..120 {
                desk.has_member("ada", number);
            }
        });
        let ended = desk.end_all("ada", None, Ending::LOGOUT, at(1)).ended;
        assert!(creating.join().is_ok(), "a creation failed beside an end of all");
        ended
    });

    let left = desk.ids_of("ada", at(1));
    assert!((0..20).all(|number| ended.contains(&desk.id_of("ada", number))), "one was left");
    assert!(left.iter().all(|id| !ended.contains(id)), "one that was ended is listed");
    assert_eq!(left.len() + ended.len(), 40);
}

/// The same fields change in every session of one user in one step, with a new version of each,
/// and in nobody else's.
pub fn amend_changes_every_session_of_one_user(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let keys = [desk.has_member("ada", 1), desk.has_member("ada", 2)];
    let others = [desk.has_member("bob", 3), desk.has_guest(4)];
    let before = desk.load_all(&others, at(1));
    for (key, value) in keys.iter().zip(["1", "2"]) {
        desk.change(key, &set("own", value), at(1)).done();
    }
    let mut ops = set("role", r#""admin""#);
    ops.append(&unset("absent"));

    let amended = desk.amend("ada", &ops, at(1));

    let after = keys.map(|key| desk.load(&key, at(1)).done());
    assert_eq!(amended, 2);
    assert!(after.iter().all(|record| record.version() == 3), "one more version of each");
    let fields: Vec<_> = after.iter().map(|record| record.fields().as_json()).collect();
    assert_eq!(fields, [r#"{"own":1,"role":"admin"}"#, r#"{"own":2,"role":"admin"}"#]);
    assert_eq!(desk.load_all(&others, at(1)), before);
    assert_eq!(desk.amend("nobody", &ops, at(1)), 0);
}

/// A change that one session cannot take is an error of kind refused, and no session takes it.
pub fn amend_changes_all_or_none(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (free, full) = (desk.has_member("ada", 1), desk.has_member("ada", 2));
    let value = format!("\"{}\"", "x".repeat(FIELD_MAX - 2));
    for number in 0..SESSION_MAX / (FIELD_MAX + 10) {
        desk.change(&full, &set(&format!("f{number}"), &value), at(1)).done();
    }
    let before = desk.load_all(&[free, full], at(1));

    let error = error_of(desk.store.amend(&user("ada"), &set("one_more", &value), at(1)));

    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(desk.load_all(&[free, full], at(1)), before);
}

/// Changes for all and changes of one land beside each other, and none is lost.
pub fn amend_and_commits_compose(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let keys = [desk.has_member("ada", 1), desk.has_member("ada", 2)];

    thread::scope(|scope| {
        for key in keys {
            let desk = &desk;
            scope.spawn(move || {
                for value in 0..25 {
                    desk.change(&key, &set("own", &value.to_string()), at(1)).done();
                }
            });
        }
        for value in 0..25 {
            assert_eq!(desk.amend("ada", &set("role", &value.to_string()), at(1)), 2);
        }
    });

    for key in keys {
        let record = desk.load(&key, at(1)).done();
        assert_eq!(record.fields().as_json(), r#"{"own":24,"role":24}"#);
        assert_eq!(record.version(), 51);
    }
}

/// Signing in, resuming, expiring and sweeping leave the index as the records say.
pub fn the_index_agrees_with_the_records(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let guest = desk.has_guest(1);
    desk.rotate(&guest, &desk.key_of("ada", 2), login(desk.member("ada", 2), &[]), at(1)).done();
    desk.has_member("bob", 3);
    let late = Draft { times: crate::desk::times(IDLE), ..desk.member("ada", 4) };
    desk.has(desk.key_of("ada", 4), late);

    for _ in ["unswept", "swept"] {
        assert_eq!(desk.ids_of("ada", at(IDLE)), [desk.id_of("ada", 4)]);
        assert_eq!(desk.ids_of("bob", at(IDLE)), []);
        assert_eq!(desk.scan(Page::first(10), at(IDLE)).len(), 1);
        desk.sweep_all(at(IDLE));
    }
}
