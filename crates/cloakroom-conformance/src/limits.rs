//! How many sessions one user may have.

use std::thread;

use cloakroom_store::{
    By, Create, Draft, Ended, Limit, Load, Reason, Record, Registry, SessionId, Store,
};

use crate::Fixture;
use crate::desk::{Desk, IDLE, Success, at, times, touch};

/// Creates session `number` of `ada` at `seconds` under `limit`.
fn create<S: Registry>(desk: &Desk<S>, number: u32, limit: Limit, seconds: u64) -> Create {
    let draft = Draft { times: times(seconds), ..desk.member("ada", number) };
    desk.create(&desk.key_of("ada", number), draft, Some(limit), at(seconds))
}

/// The ids of `numbers` for `ada`, sorted as lists are.
fn ids<S: Registry>(desk: &Desk<S>, numbers: &[u32]) -> Vec<SessionId> {
    let mut ids: Vec<_> = numbers.iter().map(|number| desk.id_of("ada", *number)).collect();
    ids.sort_unstable();
    ids
}

/// Below the limit nothing is evicted or refused.
pub fn below_the_limit_nothing_happens(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);

    for number in 1..=3 {
        let limit = if number % 2 == 0 { Limit::keep_newest(3) } else { Limit::refuse_beyond(3) };
        let created = create(&desk, number, limit, 0);
        assert!(matches!(created, Create::Done { ref evicted, .. } if evicted.is_empty()));
    }

    assert_eq!(desk.ids_of("ada", at(1)), ids(&desk, &[1, 2, 3]));
}

/// The sessions seen longest ago leave, told as evicted by the system; activity counts, not the
/// order of creation.
pub fn those_seen_longest_ago_are_evicted(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for number in 1..=3 {
        create(&desk, number, Limit::keep_newest(3), u64::from(number)).done();
    }
    desk.touch(&desk.key_of("ada", 1), touch(10), at(10)).done();

    let created = create(&desk, 4, Limit::keep_newest(3), 11);

    let Create::Done { evicted, .. } = created else { panic!("refused: {created:?}") };
    assert_eq!(evicted, [desk.id_of("ada", 2)]);
    let told = Ended { reason: Reason::Evicted, by: By::SYSTEM, at: at(11) };
    assert_eq!(desk.load(&desk.key_of("ada", 2), at(11)), Load::Gone(Some(told)));
    assert_eq!(desk.ids_of("ada", at(11)), ids(&desk, &[1, 3, 4]));
}

/// A limit that was lowered evicts as many as it takes, those seen longest ago first; of those seen
/// at one time the lowest id.
pub fn a_lowered_limit_evicts_several(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for number in 1..=3 {
        create(&desk, number, Limit::keep_newest(5), 0).done();
    }
    create(&desk, 4, Limit::keep_newest(5), 1).done();

    let created = create(&desk, 5, Limit::keep_newest(2), 2);

    let Create::Done { evicted, .. } = created else { panic!("refused: {created:?}") };
    assert_eq!(evicted, ids(&desk, &[1, 2, 3]));
    assert_eq!(desk.ids_of("ada", at(2)), ids(&desk, &[4, 5]));
}

/// Beyond the limit a creation is refused with the sessions that exist, ordered by id, and changes
/// nothing.
pub fn a_refusal_lists_what_exists(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for number in 1..=2 {
        create(&desk, number, Limit::refuse_beyond(2), 0).done();
    }

    let refused = create(&desk, 3, Limit::refuse_beyond(2), 1);

    let Create::LimitReached(existing) = refused else { panic!("allowed: {refused:?}") };
    assert_eq!(existing.iter().map(Record::id).collect::<Vec<_>>(), ids(&desk, &[1, 2]));
    assert_eq!(desk.load(&desk.key_of("ada", 3), at(1)), Load::Gone(None));
    assert_eq!(desk.ids_of("ada", at(1)), ids(&desk, &[1, 2]));
}

/// An expired session does not count, swept or not.
pub fn an_expired_session_does_not_count(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    create(&desk, 1, Limit::refuse_beyond(1), 0).done();

    let unswept = create(&desk, 2, Limit::refuse_beyond(1), IDLE);
    let newest = create(&desk, 3, Limit::keep_newest(2), IDLE);

    assert!(matches!(unswept, Create::Done { .. }), "{unswept:?}");
    assert!(matches!(newest, Create::Done { ref evicted, .. } if evicted.is_empty()), "{newest:?}");
}

/// A session that was ended does not count.
pub fn an_ended_session_does_not_count(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    create(&desk, 1, Limit::refuse_beyond(1), 0).done();
    desk.sign_out(&desk.key_of("ada", 1), at(1)).done();

    let created = create(&desk, 2, Limit::refuse_beyond(1), 2);

    assert!(matches!(created, Create::Done { .. }), "{created:?}");
}

/// The sessions of other users and of nobody do not count, and none of them is evicted.
pub fn others_do_not_count(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let others = [desk.has_member("bob", 1), desk.has_guest(2)];

    let created = create(&desk, 3, Limit::keep_newest(1), 1);
    let anonymous = desk.create(&desk.key(4), desk.guest(4), Some(Limit::refuse_beyond(1)), at(1));

    assert!(matches!(created, Create::Done { ref evicted, .. } if evicted.is_empty()));
    assert!(matches!(anonymous, Create::Done { .. }), "a limit is of users: {anonymous:?}");
    for key in others {
        desk.load(&key, at(1)).done();
    }
}

/// A key or an id in use is told before the limit is, and evicts nobody.
pub fn a_taken_key_evicts_nobody(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_member("ada", 1);
    let limit = Some(Limit::keep_newest(1));

    let same_key = desk.create(&key, desk.member("ada", 2), limit, at(1));
    let same_id = desk.create(&desk.key_of("ada", 2), desk.member("ada", 1), limit, at(1));

    assert_eq!((same_key, same_id), (Create::KeyTaken, Create::KeyTaken));
    desk.load(&key, at(1)).done();
}

/// Of 50 parallel creations that keep the newest 5, exactly 5 are live at the end and all others
/// are told as evicted.
pub fn fifty_parallel_logins_keep_the_newest_five(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);

    let outcomes = in_parallel(&desk, Limit::keep_newest(5));

    let count = |wanted: fn(&Load) -> bool| {
        let loads = (0..50).map(|number| desk.load(&desk.key_of("ada", number), at(1)));
        loads.filter(wanted).count()
    };
    let evicted =
        |load: &Load| matches!(load, Load::Gone(Some(Ended { reason: Reason::Evicted, .. })));
    assert!(outcomes.iter().all(|create| matches!(create, Create::Done { .. })));
    assert_eq!((count(|load| matches!(load, Load::Live(_))), count(evicted)), (5, 45));
    assert_eq!(desk.ids_of("ada", at(1)).len(), 5);
    assert_eq!(desk.count(at(1)).sessions, 5);
}

/// Of 50 parallel creations with a limit of 5, exactly 5 are done and 45 are refused.
pub fn fifty_parallel_logins_beyond_five_are_refused(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);

    let outcomes = in_parallel(&desk, Limit::refuse_beyond(5));

    let refused =
        |create: &&Create| matches!(create, Create::LimitReached(existing) if existing.len() == 5);
    assert_eq!(outcomes.iter().filter(refused).count(), 45);
    let done = outcomes.into_iter().filter_map(Success::record).count();
    assert_eq!((done, desk.ids_of("ada", at(1)).len()), (5, 5));
}

fn in_parallel<S: Store + Registry>(desk: &Desk<S>, limit: Limit) -> Vec<Create> {
    thread::scope(|scope| {
        let share = |first: u32| {
            scope.spawn(move || {
                let numbers = (first..50).step_by(5);
                numbers.map(|number| create(desk, number, limit, 0)).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..5).map(share).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    })
}
