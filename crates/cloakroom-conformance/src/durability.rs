//! What was acknowledged is there after the store was closed and opened again.

use cloakroom_store::{
    By, Commit, Draft, Ended, Ending, Expect, Factors, Identity, Keep, Load, Page, Reason,
    Registry, Resume, Rotate, Store, Survives, Target,
};

use crate::Durable;
use crate::desk::{
    CAP, Desk, GRACE, IDLE, REMEMBERED, Success, agreed, at, renewal, set, step_up, times, touch,
    user,
};

impl<S: Registry> Desk<S> {
    fn reopened(self, fixture: &impl Durable<Store = S>) -> Self {
        Self { store: fixture.reopen(self.store) }
    }
}

/// A store that is held to these clauses says that it survives the end of its process.
pub fn a_durable_store_says_so(fixture: &impl Durable) {
    let survival = Desk::open(fixture).store.survival();

    assert!(survival.identity >= Survives::ProcessCrash);
    assert!(survival.data >= Survives::ProcessCrash);
}

/// Records are equal in all parts: id, version, identity, clocks, client, fields.
pub fn records_survive(fixture: &impl Durable) {
    let desk = Desk::open(fixture);
    let client = cloakroom_store::ClientInfo::with_user_agent("Browser/1.0");
    let key = desk.has(desk.key_of("ada", 1), Draft { client, ..desk.remembered("ada", 1) });
    let guest = desk.has_guest(2);
    let change = set("cart", r#"[1.50,"\u00e9"]"#);
    desk.commit(&key, Expect::Version(1), &change, Some(touch(5)), at(5)).done();
    let before = desk.load_all(&[key, guest], at(6));

    let desk = desk.reopened(fixture);

    assert_eq!(desk.load_all(&[key, guest], at(6)), before);
}

/// Lists, scans and counts are as they were, and the limit still counts.
pub fn the_index_survives(fixture: &impl Durable) {
    use cloakroom_store::{Create, Limit};
    let desk = Desk::open(fixture);
    desk.has_member("ada", 1);
    desk.has_member("ada", 2);
    desk.has_member("bob", 3);
    desk.has_guest(4);
    let page = Page::first(10);
    let before = (desk.list("ada", page, at(1)), desk.scan(page, at(1)), desk.count(at(1)));

    let desk = desk.reopened(fixture);

    let after = (desk.list("ada", page, at(1)), desk.scan(page, at(1)), desk.count(at(1)));
    assert_eq!(after, before);
    let limit = Some(Limit::refuse_beyond(2));
    let create = desk.create(&desk.key_of("ada", 5), desk.member("ada", 5), limit, at(1));
    assert!(matches!(create, Create::LimitReached(_)), "{create:?}");
}

/// What was ended stays ended, and its reason is told as before.
pub fn endings_survive(fixture: &impl Durable) {
    let desk = Desk::open(fixture);
    let by = agreed(By::new("staff 17"));
    let (by_key, by_id) = (desk.has_member("ada", 1), desk.has_member("ada", 2));
    let all = desk.has_member("bob", 3);
    desk.end(Target::Key(by_key), Ending::LOGOUT, at(1)).done();
    desk.end(Target::Id(desk.id_of("ada", 2)), Ending::revoked(by), at(2)).done();
    desk.end_all("bob", None, Ending::revoked(By::USER), at(3));
    let before = desk.load_all(&[by_key, by_id, all], at(4));

    let desk = desk.reopened(fixture);

    assert_eq!(desk.load_all(&[by_key, by_id, all], at(4)), before);
    let told = Ended { reason: Reason::Revoked, by, at: at(2) };
    assert_eq!(desk.change(&by_id, &set("a", "1"), at(4)), Commit::Gone(Some(told)));
    let again = desk.create(&by_key, desk.member("ada", 9), None, at(4));
    assert_eq!(again, cloakroom_store::Create::KeyTaken);
}

/// A key that forwards goes on forwarding with the identity of before, up to its cap, and its grace
/// can begin after the reopening.
pub fn forwarders_survive(fixture: &impl Durable) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_member("ada", 1), desk.key_of("ada", 2));
    let identity = Identity::signed_in(user("ada"), Factors::PASSKEY, at(1));
    desk.rotate(&old, &new, step_up(Some(identity)), at(1)).done();
    let before = desk.load(&old, at(2));

    let desk = desk.reopened(fixture);

    assert_eq!(desk.load(&old, at(2)), before);
    assert_eq!(desk.rotate(&old, &desk.key_of("ada", 3), renewal(), at(2)), Rotate::Stale);
    desk.load(&new, at(5)).done();
    assert!(matches!(desk.load(&old, at(5 + GRACE - 1)), Load::Forwarded(_)));
    assert!(matches!(desk.load(&old, at(5 + GRACE)), Load::Gone(Some(_))));
}

/// A grace that had begun goes on.
pub fn a_grace_survives(fixture: &impl Durable) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_member("ada", 1), desk.key_of("ada", 2));
    desk.rotate(&old, &new, renewal(), at(1)).done();
    desk.load(&new, at(5)).done();

    let desk = desk.reopened(fixture);
    desk.load(&new, at(15)).done();

    assert!(matches!(desk.load(&old, at(5 + GRACE)), Load::Gone(Some(_))));
    assert!(matches!(desk.load(&old, at(1 + CAP)), Load::Gone(Some(_))));
}

/// Versions go on from where they were: what was computed before is still judged.
pub fn versions_survive(fixture: &impl Durable) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    desk.change(&key, &set("a", "1"), at(1)).done();

    let desk = desk.reopened(fixture);
    let stale = desk.commit(&key, Expect::Version(1), &set("a", "2"), None, at(2));
    let newest = desk.commit(&key, Expect::Version(2), &set("a", "3"), None, at(2));

    assert!(matches!(stale, Commit::Conflict(_)), "{stale:?}");
    assert_eq!(newest.done().version(), 3);
}

/// What was swept stays swept, and a dormant session can be resumed.
pub fn dormant_sessions_survive(fixture: &impl Durable) {
    let desk = Desk::open(fixture);
    let (dormant, expired) = (desk.has_remembered("ada", 1), desk.has_guest(2));
    desk.sweep_all(at(IDLE));
    let before = desk.load_all(&[dormant, expired], at(IDLE));

    let desk = desk.reopened(fixture);

    assert_eq!(desk.load_all(&[dormant, expired], at(IDLE)), before);
    let draft = Draft { times: times(IDLE), ..desk.remembered("ada", 3) };
    let resume = desk.resume(&dormant, draft, Keep::All, at(REMEMBERED - 1));
    assert!(matches!(resume, Resume::Done(_)), "{resume:?}");
}

/// Nothing is left of a session that was replaced.
pub fn logins_survive(fixture: &impl Durable) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_guest(1), desk.key_of("ada", 2));
    let login = crate::desk::login(desk.member("ada", 2), &[]);
    desk.rotate(&old, &new, login, at(1)).done();
    let before = desk.load_all(&[old, new], at(2));

    let desk = desk.reopened(fixture);

    assert_eq!(desk.load_all(&[old, new], at(2)), before);
    assert_eq!(desk.ids_of("ada", at(2)), [desk.id_of("ada", 2)]);
}
