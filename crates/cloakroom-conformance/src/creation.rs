//! Making a session out of nothing.

use std::thread;

use cloakroom_store::{
    ClientInfo, Commit, Create, Draft, End, Ended, Keep, Load, Reason, Resume, Rotate, Store,
    Times, UserId,
};

use crate::Fixture;
use crate::desk::{
    ABSOLUTE, Desk, IDLE, KEPT, Success, at, login, renewal, set, times, touch, unset, user,
};

/// The record that create returns is the draft at version 1, and a load finds the same.
pub fn a_created_session_is_live(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.key_of("ada", 1);
    let draft = Draft { ops: set("cart", "[1]"), ..desk.member("ada", 1) };

    let created = desk.create(&key, draft.clone(), None, at(0)).done();

    assert_eq!(created.version(), 1);
    assert_eq!(created.id(), draft.id);
    assert_eq!(*created.identity(), draft.identity);
    assert_eq!(*created.times(), draft.times);
    assert_eq!(created.fields().as_json(), r#"{"cart":[1]}"#);
    assert_eq!(desk.load(&key, at(1)), Load::Live(created));
}

/// The second draft is refused as [`Create::KeyTaken`] and the first session stays as it was.
pub fn create_never_overwrites_a_session(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let draft = Draft { ops: set("cart", "1"), ..desk.guest(1) };
    let key = desk.has(desk.key(1), draft);
    let before = desk.load(&key, at(1)).done();

    let second = desk.create(&key, desk.guest(2), None, at(1));

    assert_eq!(second, Create::KeyTaken);
    assert_eq!(desk.load(&key, at(1)), Load::Live(before));
    assert_eq!(desk.count(at(1)).sessions, 1);
}

/// The public id names one session: a second one of the same id is [`Create::KeyTaken`].
pub fn create_never_takes_an_id_that_is_in_use(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let first = desk.has_guest(1);

    let second = desk.create(&desk.key(2), desk.guest(1), None, at(1));

    assert_eq!(second, Create::KeyTaken);
    assert_eq!(desk.load(&desk.key(2), at(1)), Load::Gone(None));
    desk.load(&first, at(1)).done();
}

/// While the reason of the ending is kept, the key of an ended session is taken.
pub fn an_ended_key_never_lives_again(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    desk.sign_out(&key, at(1)).done();

    let again = desk.create(&key, desk.guest(2), None, at(2));

    assert_eq!(again, Create::KeyTaken);
    assert!(matches!(desk.load(&key, at(2)), Load::Gone(Some(_))));
}

/// An expired key is taken whether it has been swept or not, while its reason is kept.
pub fn an_expired_key_never_lives_again(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let draft = |number| Draft { times: times(IDLE), ..desk.guest(number) };

    let unswept = desk.create(&key, draft(2), None, at(IDLE));
    desk.sweep_all(at(IDLE));
    let swept = desk.create(&key, draft(3), None, at(IDLE + 1));

    assert_eq!((unswept, swept), (Create::KeyTaken, Create::KeyTaken));
    assert!(matches!(desk.load(&key, at(IDLE + KEPT - 1)), Load::Gone(Some(_))));
}

/// The key of a session that was replaced or renewed is taken like any other.
pub fn a_rotated_key_never_lives_again(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (renewed, replaced) = (desk.has_guest(1), desk.has_guest(2));
    desk.rotate(&renewed, &desk.key(11), renewal(), at(1)).done();
    desk.rotate(&replaced, &desk.key(12), login(desk.guest(12), &[]), at(1)).done();

    let onto_renewed = desk.create(&renewed, desk.guest(3), None, at(2));
    let onto_replaced = desk.create(&replaced, desk.guest(4), None, at(2));

    assert_eq!((onto_renewed, onto_replaced), (Create::KeyTaken, Create::KeyTaken));
    assert_eq!(desk.count(at(2)).sessions, 2);
}

/// Eight threads create the same key at once: one succeeds, and its session is the one found.
pub fn one_of_many_parallel_creations_of_a_key_wins(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.key(1);

    let outcomes: Vec<Create> = thread::scope(|scope| {
        let spawn = |number| {
            scope.spawn({
                let desk = &desk;
                move || desk.create(&key, desk.guest(number), None, at(0))
            })
        };
        let threads: Vec<_> = (0..8).map(spawn).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });

    let won: Vec<_> = outcomes.into_iter().filter_map(Success::record).collect();
    assert_eq!(won.len(), 1, "sessions that were acknowledged");
    assert_eq!(won.first(), desk.load(&key, at(1)).record().as_ref());
    assert_eq!(desk.count(at(1)).sessions, 1);
}

/// No other verb makes a session: on a key that nobody created they all answer gone, and the key
/// stays unknown.
pub fn nothing_but_create_makes_a_session(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.key(1);

    assert_eq!(desk.load(&key, at(0)), Load::Gone(None));
    assert_eq!(desk.change(&key, &set("a", "1"), at(0)), Commit::Gone(None));
    assert_eq!(desk.change(&key, &unset("a"), at(0)), Commit::Gone(None));
    assert_eq!(desk.touch(&key, touch(0), at(0)), Commit::Gone(None));
    assert_eq!(desk.rotate(&key, &desk.key(2), renewal(), at(0)), Rotate::Gone(None));
    let replaced = desk.rotate(&key, &desk.key(3), login(desk.guest(3), &[]), at(0));
    assert_eq!(replaced, Rotate::Gone(None));
    let resumed = desk.resume(&key, desk.member("ada", 4), Keep::All, at(0));
    assert_eq!(resumed, Resume::Gone(None));
    assert_eq!(desk.sign_out(&key, at(0)), End::Gone(None));
    assert_eq!(desk.amend("ada", &set("a", "1"), at(0)), 0);

    let loads = desk.load_all(&[key, desk.key(2), desk.key(3)], at(1));
    assert_eq!(loads, vec![Load::Gone(None); 3]);
    assert_eq!(desk.count(at(1)).sessions, 0);
}

/// A draft whose idle deadline lies beyond the absolute one is cut to it.
pub fn the_idle_deadline_is_capped_at_creation(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let late = Times { idle_deadline: at(ABSOLUTE + 500), ..times(0) };
    let key = desk.has(desk.key(1), Draft { times: late, ..desk.guest(1) });

    let times = *desk.load(&key, at(ABSOLUTE - 1)).done().times();

    assert_eq!(times.idle_deadline, at(ABSOLUTE));
    let ended = Ended::timeout(Reason::Absolute, at(ABSOLUTE));
    assert_eq!(desk.load(&key, at(ABSOLUTE)), Load::Gone(Some(ended)));
}

/// What the client said of itself and the shapes of user ids come back as they were given.
pub fn client_and_user_come_back(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let longest = "u".repeat(cloakroom_store::USER_ID_MAX);
    let names = ["ada", "Ada", "a'b\"c%_\\", "\u{e9}t\u{e9} \u{1f600}", longest.as_str(), " x "];

    for (number, name) in (1..).zip(names) {
        let client = ClientInfo::with_user_agent("Browser/1.0 (\"x\"; '\u{e9}\u{1f600}')");
        let draft = Draft { client: client.clone(), ..desk.member(name, number) };
        let key = desk.has(desk.key_of(name, number), draft);

        let record = desk.load(&key, at(1)).done();

        assert_eq!(*record.client(), client);
        assert_eq!(record.identity().user.as_ref().map(UserId::as_str), Some(name));
        assert_eq!(desk.ids_of(name, at(1)), [record.id()], "the sessions of {name:?} alone");
    }
}

/// [`Store::route`] is pure, and a record keeps the route of its key and id.
pub fn routes_come_back(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let ada = user("ada");
    let route = desk.store.route(Some(&ada));
    let key = desk.has_member("ada", 1);

    let record = desk.load(&key, at(1)).done();

    assert_eq!(record.id().route(), route);
    assert_eq!(record.id(), desk.id_of("ada", 1), "every byte of the id");
    assert_eq!(desk.store.route(Some(&ada)), route);
    assert_eq!(desk.store.route(None), desk.store.route(None));
}

/// A creation that is not waited for happens all the same.
pub fn a_dropped_answer_does_not_stop_a_creation(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.key(1);

    drop(desk.store.create(&key, desk.guest(1), None, at(0)));

    desk.eventually(|| desk.load(&key, at(1)).record().is_some());
}

/// Two keys that differ in one bit are two sessions, for each of the digest's 240 bits; and a key
/// that differs from a live one in a bit of its route is unknown.
pub fn keys_that_differ_in_one_bit_are_different(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(0);
    let flipped = |bit: u32| {
        let mut bytes = *key.as_bytes();
        for (place, byte) in (0..).zip(&mut bytes) {
            *byte ^= if bit / 8 == place { 1 << (bit % 8) } else { 0 };
        }
        cloakroom_store::Key::from_bytes(bytes)
    };

    for bit in 0..256 {
        assert_eq!(desk.load(&flipped(bit), at(0)), Load::Gone(None), "bit {bit}");
    }
    for bit in 16..256 {
        desk.has(flipped(bit), desk.guest(bit));
    }

    for bit in 16..256 {
        assert_eq!(desk.load(&flipped(bit), at(1)).done().id(), desk.id(bit), "bit {bit}");
    }
    assert_eq!(desk.load(&key, at(1)).done().id(), desk.id(0));
}
