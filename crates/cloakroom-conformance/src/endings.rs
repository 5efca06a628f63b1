//! Ended stays ended.

use std::sync::Barrier;
use std::thread;

use cloakroom_store::{
    Commit, End, Ended, Ending, Expect, Keep, Load, Reason, Registry, Resume, Rotate, Store, Target,
};

use crate::Fixture;
use crate::desk::{Desk, IDLE, Success, at, login, renewal, set, touch};

/// The holder's sign-out hands the record back, and the key is gone at once.
pub fn an_ended_session_is_gone_at_once(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_member("ada", 1);
    let before = desk.load(&key, at(1)).done();

    let ended = desk.sign_out(&key, at(2));

    assert_eq!(ended, End::Ended(before));
    let told = Ended { reason: Reason::Logout, by: cloakroom_store::By::HOLDER, at: at(2) };
    assert_eq!(desk.load(&key, at(2)), Load::Gone(Some(told)));
    assert_eq!(desk.count(at(2)).sessions, 0);
}

/// A session ends by its public id too, and its key tells the reason.
pub fn a_session_ends_by_its_id(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (key, other) = (desk.has_member("ada", 1), desk.has_member("ada", 2));
    let by = cloakroom_store::By::USER;

    let ended = desk.end(Target::Id(desk.id_of("ada", 1)), Ending::revoked(by), at(3)).done();

    assert_eq!(ended.id(), desk.id_of("ada", 1));
    let told = Ended { reason: Reason::Revoked, by, at: at(3) };
    assert_eq!(desk.load(&key, at(4)), Load::Gone(Some(told)));
    desk.load(&other, at(4)).done();
}

/// Nothing ends twice. By id the reason may be unknown, since a store keeps it under the key only.
pub fn an_ended_session_does_not_end_again(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (key, id) = (desk.has_guest(1), desk.id(1));
    desk.sign_out(&key, at(1)).done();

    let by_key = desk.sign_out(&key, at(2));
    let by_id = desk.end(Target::Id(id), Ending::LOGOUT, at(2));

    assert!(matches!(by_key, End::Gone(Some(Ended { reason: Reason::Logout, .. }))));
    assert!(matches!(by_id, End::Gone(_)), "{by_id:?}");
}

/// What was never there cannot end.
pub fn an_unknown_session_does_not_end(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);

    let by_key = desk.sign_out(&desk.key(1), at(1));
    let by_id = desk.end(Target::Id(desk.id(1)), Ending::LOGOUT, at(1));

    assert_eq!((by_key, by_id), (End::Gone(None), End::Gone(None)));
    assert_eq!(desk.load(&desk.key(1), at(2)), Load::Gone(None), "ending leaves no trace");
}

/// A change that arrives after the end is gone, whatever version it expects.
pub fn a_late_commit_does_not_revive(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    desk.sign_out(&key, at(1)).done();

    let any = desk.change(&key, &set("a", "1"), at(2));
    let version = desk.commit(&key, Expect::Version(1), &set("a", "1"), Some(touch(2)), at(2));

    assert!(matches!(any, Commit::Gone(Some(_))), "{any:?}");
    assert!(matches!(version, Commit::Gone(Some(_))), "{version:?}");
    stays_ended(&desk, &key);
}

/// A touch that arrives after the end is gone.
pub fn a_late_touch_does_not_revive(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    desk.sign_out(&key, at(1)).done();

    let late = desk.touch(&key, touch(2), at(2));

    assert!(matches!(late, Commit::Gone(Some(_))), "{late:?}");
    stays_ended(&desk, &key);
}

/// Neither kind of rotation takes an ended session up again, and the new key stays unknown.
pub fn a_late_rotation_does_not_revive(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (key, new) = (desk.has_member("ada", 1), desk.key_of("ada", 2));
    desk.sign_out(&key, at(1)).done();

    let renewed = desk.rotate(&key, &new, renewal(), at(2));
    let replaced = desk.rotate(&key, &new, login(desk.member("ada", 2), &[]), at(2));

    assert!(matches!(renewed, Rotate::Gone(Some(_))), "{renewed:?}");
    assert!(matches!(replaced, Rotate::Gone(Some(_))), "{replaced:?}");
    assert_eq!(desk.load(&new, at(3)), Load::Gone(None));
    stays_ended(&desk, &key);
}

/// The ticket of a remembered session that was ended resumes nothing, then or later.
pub fn a_late_resumption_does_not_revive(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 1);
    desk.sign_out(&key, at(1)).done();

    let soon = desk.resume(&key, desk.member("ada", 2), Keep::All, at(2));
    let dormant = desk.resume(&key, desk.member("ada", 2), Keep::All, at(IDLE + 1));

    assert!(matches!(soon, Resume::Gone(Some(_))), "{soon:?}");
    assert!(matches!(dormant, Resume::Gone(Some(_))), "{dormant:?}");
    stays_ended(&desk, &key);
}

/// A sweep removes no ending early and brings nothing back.
pub fn a_sweep_does_not_revive(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    desk.sign_out(&key, at(1)).done();
    let told = desk.load(&key, at(2));

    desk.sweep_all(at(2));
    desk.sweep_all(at(IDLE + 1));

    assert_eq!(desk.load(&key, at(3)), told);
    stays_ended(&desk, &key);
}

/// While four threads commit, touch and load, a session is ended: once the end is acknowledged
/// nothing but gone is answered.
pub fn an_end_among_parallel_writes_is_final(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for number in 1..=20 {
        let key = desk.has_guest(number);
        let writing = Barrier::new(5);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    writing.wait();
                    write_until_gone(&desk, &key);
                });
            }
            writing.wait();
            desk.sign_out(&key, at(1)).done();

            let late = desk.change(&key, &set("late", "1"), at(1));

            assert!(matches!(late, Commit::Gone(_)), "{late:?}");
            stays_ended(&desk, &key);
        });
        stays_ended(&desk, &key);
    }
    assert_eq!(desk.count(at(2)).sessions, 0);
}

/// Two threads end one session at once: one of them ended it.
pub fn one_of_two_parallel_ends_ends(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for number in 1..=20 {
        let (key, id) = (desk.has_guest(number), desk.id(number));

        let ends: Vec<End> = thread::scope(|scope| {
            let spawn = |target| {
                scope.spawn({
                    let desk = &desk;
                    move || desk.end(target, Ending::LOGOUT, at(1))
                })
            };
            let threads = [Target::Key(key), Target::Id(id)].map(spawn);
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });

        let ended = ends.iter().filter(|end| matches!(end, End::Ended(_))).count();
        assert_eq!(ended, 1, "{ends:?}");
    }
}

/// An end that is not waited for happens all the same.
pub fn a_dropped_answer_does_not_stop_an_end(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    drop(desk.store.end(Target::Key(key), Ending::LOGOUT, at(1)));

    desk.eventually(|| matches!(desk.load(&key, at(2)), Load::Gone(Some(_))));
}

fn write_until_gone<S: Registry>(desk: &Desk<S>, key: &cloakroom_store::Key) {
    let writes = |round: u32| {
        let ops = set("n", &round.to_string());
        let both = desk.commit(key, Expect::Any, &ops, Some(touch(1)), at(1));
        both.record().is_some() && desk.touch(key, touch(1), at(1)).record().is_some()
    };
    let rounds = (0..100_000).take_while(|round| writes(*round)).count();
    assert!(rounds < 100_000, "the session was never gone");
}

#[track_caller]
fn stays_ended<S: Registry>(desk: &Desk<S>, key: &cloakroom_store::Key) {
    for now in [at(1), at(3), at(IDLE + 5)] {
        let load = desk.load(key, now);
        assert!(matches!(load, Load::Gone(Some(_))), "an ended session came back: {load:?}");
    }
    assert_eq!(desk.scan(cloakroom_store::Page::first(1_000), at(3)).len(), 0);
}
