//! Rotation for the same identity: the old key forwards for a while.

use std::thread;
use std::time::Duration;

use cloakroom_store::{
    By, Commit, End, Ended, Ending, Expect, Factors, Identity, Keep, Key, Load, Reason, Registry,
    Resume, Rotate, Rotation, Store, StoreErrorKind, Target, Times,
};

use crate::Fixture;
use crate::desk::{
    CAP, Desk, GRACE, IDLE, KEPT, Success, at, error_of, login, renewal, set, step_up, times,
    touch, user,
};

/// A session of `ada` that was created at 0 behind the first key and renewed at 1 to the second.
fn renewed<S: Registry>(desk: &Desk<S>) -> (Key, Key) {
    let (old, new) = (desk.has_member("ada", 1), desk.key_of("ada", 2));
    desk.rotate(&old, &new, renewal(), at(1)).done();
    (old, new)
}

/// The ending of a key that forwarded until `seconds`.
fn replaced(seconds: u64) -> Option<Ended> {
    Some(Ended::timeout(Reason::Replaced, at(seconds)))
}

/// Id, data, user and clocks stay; the version grows by one.
pub fn a_renewal_keeps_the_session(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_member("ada", 1), desk.key_of("ada", 2));
    let before = desk.change(&old, &set("a", "1"), at(1)).done();

    let after = desk.rotate(&old, &new, renewal(), at(2)).done();

    assert_eq!(after, before.renewed(None, None));
    assert_eq!((after.id(), after.version()), (before.id(), before.version() + 1));
    assert_eq!(desk.load(&new, at(2)), Load::Live(after));
    assert_eq!(desk.ids_of("ada", at(2)), [before.id()]);
    assert_eq!(desk.count(at(2)).sessions, 1);
}

/// A step-up gives the new key another identity; through the old key the one from before is seen.
pub fn a_forwarder_shows_the_identity_of_before(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_member("ada", 1), desk.key_of("ada", 2));
    let before = desk.load(&old, at(1)).done();
    let proved = Factors::PASSWORD | Factors::TOTP;
    let identity = Identity::signed_in(user("ada"), proved, at(1));

    let after = desk.rotate(&old, &new, step_up(Some(identity.clone())), at(1)).done();

    assert_eq!(*after.identity(), identity);
    let seen = after.seen_as(before.identity().clone());
    assert_eq!(desk.load(&old, at(1)), Load::Forwarded(seen));
    assert_eq!(desk.load(&new, at(1)), Load::Live(after));
}

/// A re-authentication starts the clocks anew.
pub fn a_renewal_can_start_the_clocks_anew(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_member("ada", 1), desk.key_of("ada", 2));
    let anew = Times { created: at(0), ..times(90) };
    let (grace, cap) = (Duration::from_secs(GRACE), Duration::from_secs(CAP));

    let rotation = Rotation::Renewal { identity: None, times: Some(anew), grace, cap };
    let after = desk.rotate(&old, &new, rotation, at(90)).done();

    assert_eq!(*after.times(), anew);
    assert_eq!(desk.load(&new, at(90 + IDLE - 1)), Load::Live(after));
    assert!(matches!(desk.load(&new, at(90 + IDLE)), Load::Gone(Some(_))));
}

/// A step-up that brings no times leaves every clock as it is: when the session began, when it was
/// seen and both deadlines.
pub fn a_step_up_leaves_the_clocks_alone(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_member("ada", 1), desk.key_of("ada", 2));
    let before = desk.touch(&old, touch(60), at(60)).done();
    let identity = Identity::signed_in(user("ada"), Factors::PASSKEY, at(90));

    let after = desk.rotate(&old, &new, step_up(Some(identity)), at(90)).done();

    assert_eq!(after.times(), before.times());
    assert_eq!(desk.load(&new, at(60 + IDLE - 1)), Load::Live(after));
    assert!(matches!(desk.load(&new, at(60 + IDLE)), Load::Gone(Some(_))));
}

/// A change through the old key lands in the session; the record that comes back, and the one of a
/// conflict, show the identity of before.
pub fn changes_through_a_forwarder_land(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_member("ada", 1), desk.key_of("ada", 2));
    let before = desk.load(&old, at(1)).done().identity().clone();
    let identity = Identity::signed_in(user("ada"), Factors::PASSKEY, at(1));
    desk.rotate(&old, &new, step_up(Some(identity)), at(1)).done();

    let landed = desk.change(&old, &set("a", "1"), at(2)).done();
    let conflict = desk.commit(&old, Expect::Version(1), &set("a", "2"), None, at(2));
    let newest = desk.load(&new, at(2)).done();

    assert_eq!(*landed.identity(), before);
    assert_eq!(newest.fields().get("a"), Some("1"));
    assert_eq!(landed, newest.seen_as(before.clone()));
    assert_eq!(conflict, Commit::Conflict(newest.seen_as(before)));
}

/// Activity through the old key moves the idle deadline of the session.
pub fn a_touch_through_a_forwarder_counts(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = renewed(&desk);

    desk.touch(&old, touch(50), at(50)).done();

    assert_eq!(desk.load(&new, at(51)).done().times().idle_deadline, at(50 + IDLE));
}

/// Whoever holds the old key only cannot rotate or end the session: stale, and nothing changes.
pub fn identity_calls_through_a_forwarder_are_stale(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = renewed(&desk);
    let free = desk.key_of("ada", 3);

    let renewed = desk.rotate(&old, &free, renewal(), at(2));
    let replaced = desk.rotate(&old, &free, login(desk.member("ada", 3), &[]), at(2));
    let ended = desk.sign_out(&old, at(2));

    assert_eq!((renewed, replaced, ended), (Rotate::Stale, Rotate::Stale, End::Stale));
    assert_eq!(desk.load(&free, at(2)), Load::Gone(None));
    desk.load(&new, at(2)).done();
}

/// There is nothing to resume behind a key that forwards to a live session: it is live, and shown
/// as a load through that key would show it.
pub fn resuming_through_a_forwarder_finds_it_live(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, _) = renewed(&desk);

    let resume = desk.resume(&old, desk.member("ada", 3), Keep::All, at(2));

    let Load::Forwarded(record) = desk.load(&old, at(2)) else { panic!("it does not forward") };
    assert_eq!(resume, Resume::Live(record));
}

/// Until the new key has been loaded the old one forwards up to its cap, and not a moment longer.
pub fn an_unseen_renewal_forwards_up_to_its_cap(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, _) = renewed(&desk);

    let within = desk.load(&old, at(1 + CAP - 1));
    let after = desk.load(&old, at(1 + CAP));

    assert!(matches!(within, Load::Forwarded(_)), "{within:?}");
    assert_eq!(after, Load::Gone(replaced(1 + CAP)));
}

/// The first load through the new key leaves the old one its grace; later loads do not lengthen it.
pub fn the_first_load_through_the_new_key_starts_the_grace(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = renewed(&desk);

    desk.load(&new, at(5)).done();
    desk.load(&new, at(15)).done();

    let within = desk.load(&old, at(5 + GRACE - 1));
    assert!(matches!(within, Load::Forwarded(_)), "{within:?}");
    assert_eq!(desk.load(&old, at(5 + GRACE)), Load::Gone(replaced(5 + GRACE)));
}

/// A load of both keys at once answers for both, and starts the grace.
pub fn a_load_of_both_keys_starts_the_grace(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = renewed(&desk);

    let loads = desk.load_all(&[old, new], at(5));

    assert!(matches!(loads.as_slice(), [Load::Forwarded(_), Load::Live(_)]), "{loads:?}");
    assert_eq!(desk.load(&old, at(5 + GRACE)), Load::Gone(replaced(5 + GRACE)));
}

/// The grace never reaches beyond the cap.
pub fn the_grace_ends_with_the_cap(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = renewed(&desk);

    desk.load(&new, at(1 + CAP - 5)).done();

    assert!(matches!(desk.load(&old, at(CAP)), Load::Forwarded(_)));
    assert_eq!(desk.load(&old, at(1 + CAP)), Load::Gone(replaced(1 + CAP)));
}

/// Loads and changes through the old key do not start its grace: the browser has not shown the new
/// one.
pub fn the_old_key_does_not_start_its_grace(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, _) = renewed(&desk);

    desk.load(&old, at(2));
    desk.change(&old, &set("a", "1"), at(2)).done();

    let load = desk.load(&old, at(2 + GRACE + 5));
    assert!(matches!(load, Load::Forwarded(_)), "{load:?}");
}

/// A key that no longer forwards is gone for every verb, not stale, and tells for 24 hours that it
/// was replaced.
pub fn an_expired_forwarder_is_gone_for_every_verb(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = renewed(&desk);
    let (over, told, free) = (at(1 + CAP), replaced(1 + CAP), desk.key_of("ada", 3));

    let taken = desk.member("ada", 3);
    assert_eq!(desk.load(&old, over), Load::Gone(told));
    assert_eq!(desk.change(&old, &set("a", "1"), over), Commit::Gone(told));
    assert_eq!(desk.rotate(&old, &free, renewal(), over), Rotate::Gone(told));
    assert_eq!(desk.rotate(&old, &free, login(taken.clone(), &[]), over), Rotate::Gone(told));
    assert_eq!(desk.resume(&old, taken, Keep::All, over), Resume::Gone(told));
    assert_eq!(desk.sign_out(&old, over), End::Gone(told));
    assert_eq!(desk.load(&old, at(1 + CAP + KEPT)), Load::Gone(None));
    assert_eq!(desk.load(&new, over).done().fields().len(), 0);
}

/// A sweep of an expired forwarder shows in nothing.
pub fn a_swept_forwarder_tells_the_same(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = renewed(&desk);
    let before = desk.load(&old, at(1 + CAP));

    let removed = desk.sweep_all(at(1 + CAP));

    assert_eq!(removed, 1);
    assert_eq!(desk.load(&old, at(1 + CAP)), before);
    desk.load(&new, at(1 + CAP)).done();
}

/// After two renewals in a row both old keys forward to the session as it is now, each with the
/// identity it knew and each within its own cap.
pub fn the_oldest_of_two_renewals_still_forwards(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (first, second, third) =
        (desk.has_member("ada", 1), desk.key_of("ada", 2), desk.key_of("ada", 3));
    let factors = |factors| Some(Identity::signed_in(user("ada"), factors, at(1)));
    desk.rotate(&first, &second, step_up(factors(Factors::TOTP)), at(1)).done();
    desk.rotate(&second, &third, step_up(factors(Factors::PASSKEY)), at(31)).done();
    desk.change(&first, &set("a", "1"), at(32)).done();

    let seen = [first, second].map(|key| {
        let load = desk.load(&key, at(33));
        let Load::Forwarded(record) = load else { panic!("it does not forward: {load:?}") };
        (record.identity().factors, record.fields().len())
    });

    assert_eq!(seen, [(Factors::PASSWORD, 1), (Factors::TOTP, 1)]);
    assert_eq!(desk.load(&first, at(1 + CAP)), Load::Gone(replaced(1 + CAP)));
    assert!(matches!(desk.load(&second, at(31 + CAP - 1)), Load::Forwarded(_)));
    desk.load(&third, at(32 + CAP)).done();
}

/// Only the newest key starts a grace, and it starts that of all the older ones: a load through a
/// key that itself forwards starts none.
pub fn the_newest_key_starts_every_grace(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (first, second) = renewed(&desk);
    let third = desk.key_of("ada", 3);
    desk.rotate(&second, &third, renewal(), at(2)).done();

    desk.load(&second, at(3));
    let ungraced = desk.load(&first, at(3 + GRACE + 1));
    desk.load(&third, at(30)).done();

    assert!(matches!(ungraced, Load::Forwarded(_)), "{ungraced:?}");
    let over = Load::Gone(replaced(30 + GRACE));
    assert_eq!(desk.load_all(&[first, second], at(30 + GRACE)), [over.clone(), over]);
}

/// When the session ends, its older keys are gone at once with the same ending.
pub fn an_end_kills_the_forwarders(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = renewed(&desk);
    let by = By::USER;

    desk.end(Target::Id(desk.id_of("ada", 1)), Ending::revoked(by), at(2)).done();

    let told = Some(Ended { reason: Reason::Revoked, by, at: at(2) });
    assert_eq!(desk.load_all(&[old, new], at(2)), vec![Load::Gone(told); 2]);
    assert_eq!(desk.change(&old, &set("a", "1"), at(2)), Commit::Gone(told));
    assert_eq!(desk.sign_out(&old, at(2)), End::Gone(told));
}

/// A forwarder never outlives its session: with the session's clocks run out, it tells the timeout
/// and resumes nothing, dormant or not.
pub fn a_forwarder_does_not_outlive_its_session(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_remembered("ada", 1), desk.key_of("ada", 2));
    desk.rotate(&old, &new, renewal(), at(IDLE - 1)).done();

    let idle = Some(Ended::timeout(Reason::Idle, at(IDLE)));
    assert_eq!(desk.load(&old, at(IDLE)), Load::Gone(idle));
    assert_eq!(desk.change(&old, &set("a", "1"), at(IDLE)), Commit::Gone(idle));
    let resume = desk.resume(&old, desk.member("ada", 3), Keep::All, at(IDLE));
    assert_eq!(resume, Resume::Gone(idle));
    assert!(matches!(desk.load(&new, at(IDLE)), Load::Dormant(_)));
}

/// A renewal is of the same user: another one is an error of kind refused and changes nothing.
pub fn a_renewal_never_changes_the_user(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_member("ada", 1), desk.key_of("ada", 2));
    let before = desk.load(&old, at(1));
    let others =
        [Identity::signed_in(user("bob"), Factors::PASSWORD, at(1)), Identity::anonymous()];

    for identity in others {
        let answer = desk.store.rotate(&old, &new, step_up(Some(identity)), at(1));
        assert_eq!(error_of(answer).kind(), StoreErrorKind::Refused);
    }

    assert_eq!(desk.load(&old, at(1)), before);
    assert_eq!(desk.load(&new, at(1)), Load::Gone(None));
}

/// An older key ends by its own time or with its session, whichever came first, and a sweep does
/// not change what is told.
pub fn an_older_key_tells_what_came_first(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_member("ada", 0), desk.key_of("ada", 2));
    let renewed_at = IDLE - 1;
    desk.rotate(&old, &new, renewal(), at(renewed_at)).done();
    let timeout = Load::Gone(Some(Ended::timeout(Reason::Idle, at(IDLE))));

    assert_eq!(desk.load(&old, at(IDLE)), timeout);
    assert_eq!(desk.load(&old, at(IDLE + CAP)), timeout);
    desk.sweep_all(at(IDLE + CAP));
    assert_eq!(desk.load(&old, at(IDLE + CAP)), timeout);
}

/// Of eight parallel renewals one is done, and the others learn that they are stale.
pub fn one_of_many_parallel_renewals_wins(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let old = desk.has_member("ada", 0);

    let outcomes: Vec<Rotate> = thread::scope(|scope| {
        let renew = |number| {
            let desk = &desk;
            scope.spawn(move || desk.rotate(&old, &desk.key_of("ada", number), renewal(), at(1)))
        };
        let threads: Vec<_> = (1..=8).map(renew).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });

    let stale = outcomes.iter().filter(|rotate| **rotate == Rotate::Stale).count();
    let won = outcomes.into_iter().filter_map(Success::record).count();
    assert_eq!((won, stale), (1, 7));
    assert_eq!(desk.count(at(1)).sessions, 1);
}

/// While renewals go on, changes through the first key all land.
pub fn no_change_is_lost_in_a_renewal(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let first = desk.has_member("ada", 0);
    let newest = thread::scope(|scope| {
        for thread in 0..4 {
            let desk = &desk;
            scope.spawn(move || {
                for value in 0..25 {
                    let ops = set(&format!("field{thread}"), &value.to_string());
                    desk.change(&first, &ops, at(1)).done();
                }
            });
        }
        (1..=4).fold(first, |old, number| {
            let new = desk.key_of("ada", number);
            desk.rotate(&old, &new, renewal(), at(1)).done();
            new
        })
    });

    let record = desk.load(&newest, at(1)).done();
    assert!(record.fields().iter().all(|(_, value)| value == "24"));
    assert_eq!((record.fields().len(), record.version()), (4, 1 + 100 + 4));
}
