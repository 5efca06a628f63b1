//! Two clocks, both decided by the record and the time that the caller gives.

use std::time::Duration;

use cloakroom_store::{
    Commit, Draft, End, Ended, Ending, Keep, Load, Reason, Resume, Rotate, Rotation, Target, Times,
    Touch,
};

use crate::Fixture;
use crate::desk::{
    ABSOLUTE, CAP, Desk, GRACE, IDLE, Success, at, login, renewal, set, times, touch,
};

/// The idle deadline is the first instant at which the session is gone.
pub fn a_session_is_gone_at_its_idle_deadline(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    desk.load(&key, cloakroom_store::Timestamp::from_millis(at(IDLE).as_millis() - 1)).done();

    let idle = Ended::timeout(Reason::Idle, at(IDLE));
    assert_eq!(desk.load(&key, at(IDLE)), Load::Gone(Some(idle)));
}

/// A renewal with an earlier deadline, as after a policy that became stricter, ends the session then:
/// for loads, for counts and for a sweep.
pub fn a_renewal_can_bring_the_deadline_forward(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_member("ada", 1), desk.key_of("ada", 2));
    let sooner = Times { idle_deadline: at(40), ..times(0) };
    let (grace, cap) = (Duration::from_secs(GRACE), Duration::from_secs(CAP));

    let rotation = Rotation::Renewal { identity: None, times: Some(sooner), grace, cap };
    desk.rotate(&old, &new, rotation, at(10)).done();

    desk.load(&new, at(39)).done();
    let over = Load::Gone(Some(Ended::timeout(Reason::Idle, at(40))));
    assert_eq!((desk.load(&new, at(40)), desk.count(at(40)).sessions), (over.clone(), 0));
    assert!(desk.sweep_all(at(40)) >= 1, "the session, and the key that forwarded to it");
    assert_eq!(desk.load(&new, at(40)), over);
}

/// Activity up to the last moment does not carry a session over its absolute deadline.
pub fn a_session_is_gone_at_its_absolute_deadline(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    for seconds in (50..ABSOLUTE).step_by(50) {
        desk.touch(&key, touch(seconds), at(seconds)).done();
    }

    desk.load(&key, at(ABSOLUTE - 1)).done();
    let absolute = Ended::timeout(Reason::Absolute, at(ABSOLUTE));
    assert_eq!(desk.load(&key, at(ABSOLUTE)), Load::Gone(Some(absolute)));
}

/// Commit, touch, both rotations, resumption and end all refuse an expired session and tell the
/// timeout, before a sweep and after it.
pub fn every_verb_refuses_an_expired_session(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_member("ada", 1);
    let new = desk.key_of("ada", 2);
    let (now, told) = (at(IDLE), Some(Ended::timeout(Reason::Idle, at(IDLE))));
    let draft = || Draft { times: times(IDLE), ..desk.member("ada", 2) };

    for _ in ["unswept", "swept"] {
        assert_eq!(desk.change(&key, &set("a", "1"), now), Commit::Gone(told));
        assert_eq!(desk.touch(&key, touch(IDLE), now), Commit::Gone(told));
        assert_eq!(desk.rotate(&key, &new, renewal(), now), Rotate::Gone(told));
        assert_eq!(desk.rotate(&key, &new, login(draft(), &[]), now), Rotate::Gone(told));
        assert_eq!(desk.resume(&key, draft(), Keep::All, now), Resume::Gone(told));
        assert_eq!(desk.sign_out(&key, now), End::Gone(told));
        let by_id = desk.end(Target::Id(desk.id_of("ada", 1)), Ending::LOGOUT, now);
        assert!(matches!(by_id, End::Gone(_)), "{by_id:?}");
        assert_eq!(desk.load_all(&[key, new], now), [Load::Gone(told), Load::Gone(None)]);
        desk.sweep_all(now);
    }
}

/// An expired session is in no list and no count, before a sweep and after it.
pub fn an_expired_session_is_in_no_list(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    desk.has_member("ada", 1);
    let page = cloakroom_store::Page::first(10);

    for _ in ["unswept", "swept"] {
        assert_eq!(desk.list("ada", page, at(IDLE)), []);
        assert_eq!(desk.scan(page, at(IDLE)), []);
        assert_eq!(desk.count(at(IDLE)), cloakroom_store::Count::default());
        assert_eq!(desk.amend("ada", &set("a", "1"), at(IDLE)), 0);
        assert_eq!(desk.end_all("ada", None, Ending::LOGOUT, at(IDLE)).ended, []);
        desk.sweep_all(at(IDLE));
    }
}

/// A touch moves the idle deadline and what was last seen, and nothing else.
pub fn a_touch_moves_the_idle_deadline(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let before = desk.load(&key, at(1)).done();

    let after = desk.touch(&key, touch(60), at(60)).done();

    let moved = Times { seen: at(60), idle_deadline: at(60 + IDLE), ..*before.times() };
    assert_eq!(*after.times(), moved);
    assert_eq!(desk.load(&key, at(60 + IDLE - 1)), Load::Live(after));
    assert!(matches!(desk.load(&key, at(60 + IDLE)), Load::Gone(Some(_))));
}

/// A touch that asks for more than the absolute deadline gets that.
pub fn a_touch_is_capped_by_the_absolute_deadline(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    let greedy = Touch { seen: at(1), idle_deadline: at(ABSOLUTE + 1) };
    let touched = desk.touch(&key, greedy, at(1)).done();

    assert_eq!(touched.times().idle_deadline, at(ABSOLUTE));
    assert!(matches!(desk.load(&key, at(ABSOLUTE)), Load::Gone(Some(_))));
}

/// A touch that arrives late or with an earlier clock takes nothing back.
pub fn a_touch_moves_nothing_backwards(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let newest = desk.touch(&key, touch(60), at(60)).done();

    let older = desk.touch(&key, touch(30), at(60)).done();
    let earlier_clock = desk.touch(&key, touch(10), at(10)).done();

    assert_eq!((older, earlier_clock), (newest.clone(), newest));
}

/// A clock that steps back behind the creation ends nothing.
pub fn a_clock_that_steps_back_ends_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has(desk.key(1), Draft { times: times(500), ..desk.guest(1) });

    desk.load(&key, at(0)).done();
    let changed = desk.change(&key, &set("a", "1"), at(0)).done();

    assert_eq!(*changed.times(), times(500));
    desk.load(&key, at(500 + IDLE - 1)).done();
}

/// A clock that steps back extends nothing: deadlines and a grace that has begun stay.
pub fn a_clock_that_steps_back_extends_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_guest(1), desk.key(2));
    desk.rotate(&old, &new, renewal(), at(10)).done();
    desk.load(&new, at(15)).done();

    desk.touch(&new, touch(0), at(0)).done();
    desk.load(&new, at(0)).done();

    assert!(matches!(desk.load(&old, at(15 + GRACE)), Load::Gone(Some(_))));
    assert!(matches!(desk.load(&old, at(10 + CAP)), Load::Gone(Some(_))));
    assert!(matches!(desk.load(&new, at(IDLE)), Load::Gone(Some(_))));
}

/// A clock that steps back revives nothing that was ended or swept.
pub fn a_clock_that_steps_back_revives_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (ended, swept) = (desk.has_guest(1), desk.has_guest(2));
    desk.sign_out(&ended, at(50)).done();
    desk.sweep_all(at(IDLE));

    let loads = desk.load_all(&[ended, swept], at(10));
    let commits = [ended, swept].map(|key| desk.change(&key, &set("a", "1"), at(10)));

    assert!(loads.iter().all(|load| matches!(load, Load::Gone(Some(_)))), "{loads:?}");
    assert!(commits.iter().all(|commit| matches!(commit, Commit::Gone(Some(_)))), "{commits:?}");
    assert_eq!(desk.count(at(10)).sessions, 0);
}

/// Times at the edge of what a timestamp can say come back as they were.
pub fn the_latest_times_come_back(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let max = cloakroom_store::Timestamp::MAX;
    let times = Times {
        created: cloakroom_store::Timestamp::from_millis(0),
        seen: cloakroom_store::Timestamp::from_millis(1),
        idle_deadline: max,
        absolute_deadline: max,
    };
    let draft = Draft { times, ..desk.remembered("ada", 1) };
    let identity = draft.identity.clone().remembered_until(max);
    let key = desk.has(desk.key_of("ada", 1), Draft { identity: identity.clone(), ..draft });

    let record = desk.load(&key, at(ABSOLUTE)).done();

    assert_eq!((record.times(), record.identity()), (&times, &identity));
}
