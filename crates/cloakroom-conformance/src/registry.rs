//! All sessions there are.

use cloakroom_store::{Count, Page, Record};

use crate::Fixture;
use crate::desk::{Desk, Success, at, login, renewal, set};

/// A scan is of everybody's sessions, in pages in the order of the ids, as they are now.
pub fn a_scan_is_paged_in_the_order_of_ids(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for number in 1..=12 {
        desk.has_guest(number);
        desk.has_member("ada", 20 + number);
    }
    let newest = desk.change(&desk.key(1), &set("a", "1"), at(1)).done();

    let mut found = Vec::new();
    let mut page = Page::first(7);
    for _ in 0..=4 {
        let records = desk.scan(page, at(1));
        assert!(records.len() <= 7, "a page of {}", records.len());
        let Some(last) = records.last() else { break };
        page.after = Some(last.id());
        found.extend(records);
    }

    assert!(found.is_sorted_by(|a, b| a.id() < b.id()), "in the order of ids, each once");
    assert_eq!(found.len(), 24);
    assert!(found.contains(&newest));
}

/// An empty store has nothing to scan, list, count or sweep.
pub fn an_empty_store_holds_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);

    assert_eq!(desk.scan(Page::first(10), at(0)), []);
    assert_eq!(desk.list("ada", Page::first(10), at(0)), []);
    assert_eq!(desk.count(at(0)), Count::default());
    assert_eq!(desk.sweep(10, at(0)), cloakroom_store::Swept::default());
}

/// A count tells all sessions and those that are signed in, and follows creations, logins and
/// endings.
pub fn a_count_follows_every_change(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let count = |now| {
        let Count { sessions, signed_in } = desk.count(at(now));
        (sessions, signed_in)
    };

    let guest = desk.has_guest(1);
    desk.has_guest(2);
    let guests = count(0);
    let ada = desk.key_of("ada", 3);
    desk.rotate(&guest, &ada, login(desk.member("ada", 3), &[]), at(1)).done();
    let signed_in = count(1);
    desk.rotate(&ada, &desk.key_of("ada", 4), renewal(), at(2)).done();
    let renewed = count(2);
    desk.sign_out(&desk.key_of("ada", 4), at(3)).done();

    assert_eq!([guests, signed_in, renewed, count(3)], [(2, 0), (2, 1), (2, 1), (1, 0)]);
}

/// Two stores share nothing.
pub fn two_stores_share_nothing(fixture: &impl Fixture) {
    let (one, other) = (Desk::open(fixture), Desk::open(fixture));

    let key = one.has_member("ada", 1);

    assert_eq!(other.load(&key, at(1)), cloakroom_store::Load::Gone(None));
    assert_eq!(other.ids_of("ada", at(1)), []);
    assert_eq!(one.scan(Page::first(10), at(1)).iter().map(Record::version).sum::<u64>(), 1);
}
