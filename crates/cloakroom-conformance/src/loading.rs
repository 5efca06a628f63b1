//! Finding a session again.

use cloakroom_store::{End, Ended, Ending, Load, Reason, Store, Target};

use crate::Fixture;
use crate::desk::{CAP, Desk, IDLE, KEPT, Success, at, login, renewal, set};

/// A key that was never created is gone, and nothing is known of it.
pub fn an_unknown_key_is_gone(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);

    let load = desk.load(&desk.key(1), at(0));

    assert_eq!(load, Load::Gone(None));
}

/// Four keys in one call: live, unknown, ended and live again are answered in their order.
pub fn one_load_answers_for_every_key_in_order(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (first, ended, last) = (desk.has_guest(1), desk.has_guest(2), desk.has_guest(3));
    desk.sign_out(&ended, at(1)).done();

    let loads = desk.load_all(&[last, desk.key(9), ended, first], at(2));

    let ids: Vec<_> = loads.iter().map(|load| load.clone().record().map(|r| r.id())).collect();
    assert_eq!(ids, [Some(desk.id(3)), None, None, Some(desk.id(1))]);
    assert!(matches!(loads.get(1), Some(Load::Gone(None))));
    assert!(matches!(loads.get(2), Some(Load::Gone(Some(_)))));
}

/// No keys give no answers, and one key that is asked twice is answered twice.
pub fn one_load_takes_none_and_the_same_key_twice(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    let none = desk.load_all(&[], at(1));
    let twice = desk.load_all(&[key, key], at(1));

    assert_eq!(none, []);
    assert_eq!(twice.len(), 2);
    assert_eq!(twice.first(), twice.last());
}

/// Loading changes neither the version nor the clocks, and makes nothing.
pub fn loading_changes_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let first = desk.load(&key, at(1));

    desk.load(&desk.key(2), at(50));
    let second = desk.load(&key, at(99));

    assert_eq!(first, second);
    assert_eq!(desk.count(at(99)).sessions, 1);
}

/// The key of a session tells why, by whom and when it ended.
pub fn an_ended_key_tells_its_ending(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let by = crate::desk::agreed(cloakroom_store::By::new("staff 17"));
    let endings =
        Reason::ALL.map(|reason| Ending { reason, by }).into_iter().chain([Ending::LOGOUT]);

    for (number, ending) in (1..).zip(endings) {
        let key = desk.has_guest(number);
        desk.end(Target::Key(key), ending, at(7)).done();

        let load = desk.load(&key, at(8));

        let Ending { reason, by } = ending;
        assert_eq!(load, Load::Gone(Some(Ended { reason, by, at: at(7) })));
    }
}

/// For 24 hours after an ending its reason is told, and from then on nothing is.
pub fn a_reason_is_told_for_a_day(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    desk.sign_out(&key, at(1)).done();

    let within = desk.load(&key, at(KEPT));
    let after = desk.load(&key, at(1 + KEPT));

    assert!(matches!(within, Load::Gone(Some(_))));
    assert_eq!(after, Load::Gone(None));
}

/// A timeout is told for 24 hours after the deadline, and the sweep in between does not show.
pub fn a_timeout_is_told_for_a_day_swept_or_not(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let told = || [IDLE, IDLE + KEPT - 1, IDLE + KEPT].map(|s| desk.load(&key, at(s)));

    let before = told();
    assert_eq!(desk.sweep_all(at(IDLE)), 1);
    let after = told();

    let idle = Load::Gone(Some(Ended::timeout(Reason::Idle, at(IDLE))));
    assert_eq!(before, [idle.clone(), idle, Load::Gone(None)]);
    assert_eq!(after, before);
}

/// Every verb on a gone key tells the same ending as a load does.
pub fn every_verb_tells_the_ending(fixture: &impl Fixture) {
    use cloakroom_store::{Commit, Resume, Rotate};
    let desk = Desk::open(fixture);
    let key = desk.has_member("ada", 1);
    desk.end(Target::Key(key), Ending::LOGOUT, at(1)).done();
    let Load::Gone(ended @ Some(_)) = desk.load(&key, at(2)) else {
        panic!("an ended session was not gone");
    };

    let commit = desk.change(&key, &set("a", "1"), at(2));
    let renewed = desk.rotate(&key, &desk.key_of("ada", 2), renewal(), at(2));
    let replaced = desk.rotate(&key, &desk.key(3), login(desk.guest(3), &[]), at(2));
    let resumed = desk.resume(&key, desk.member("ada", 4), cloakroom_store::Keep::All, at(2));
    let second = desk.sign_out(&key, at(2));

    assert_eq!(commit, Commit::Gone(ended));
    assert_eq!(renewed, Rotate::Gone(ended));
    assert_eq!(replaced, Rotate::Gone(ended));
    assert_eq!(resumed, Resume::Gone(ended));
    assert_eq!(second, End::Gone(ended));
}

/// How a session ended is told as it was the first time: a later ending finds nothing to end.
pub fn a_second_ending_does_not_rewrite_the_first(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    desk.sign_out(&key, at(1)).done();
    let first = desk.load(&key, at(2));

    desk.end(Target::Key(key), Ending::revoked(cloakroom_store::By::USER), at(2));

    assert_eq!(desk.load(&key, at(3)), first);
}

/// The store says of itself what it is, the same every time.
pub fn a_store_describes_itself(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let survival = desk.store.survival();

    assert!(!desk.store.name().is_empty());
    assert_eq!(desk.store.reach(), desk.store.reach());
    assert!(survival.identity >= survival.touch, "an identity write is no weaker than a touch");
    assert!(survival.data >= survival.touch, "a change is no weaker than a touch");
}

/// A key that stopped forwarding before its session ended tells that, whatever ended the session
/// later, swept or not.
pub fn an_older_key_keeps_its_own_ending(fixture: &impl Fixture) {
    let told = Load::Gone(Some(Ended::timeout(Reason::Replaced, at(1 + CAP))));
    for signs_out in [true, false] {
        let desk = Desk::open(fixture);
        let (old, new) = (desk.has_guest(1), desk.key(2));
        desk.rotate(&old, &new, renewal(), at(1)).done();
        if signs_out {
            desk.sign_out(&new, at(2 + CAP)).done();
        }

        let loads = desk.load_all(&[old, new], at(IDLE));
        desk.sweep_all(at(IDLE));

        let reason = if signs_out { Reason::Logout } else { Reason::Idle };
        assert_eq!(loads.first(), Some(&told));
        assert!(matches!(loads.get(1), Some(Load::Gone(Some(ended))) if ended.reason == reason));
        assert_eq!(desk.load_all(&[old, new], at(IDLE)), loads);
    }
}
