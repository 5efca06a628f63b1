//! Sessions whose clocks ran out while their user is still remembered.

use std::thread;

use cloakroom_store::{
    By, Commit, Draft, End, Ended, Ending, Factors, Identity, Keep, Key, Limit, Load, Reason,
    Record, Registry, Resume, Rotate, Store, StoreErrorKind, Target, Timestamp,
};

use crate::Fixture;
use crate::desk::{
    Desk, IDLE, KEPT, REMEMBERED, Success, at, error_of, field, login, renewal, set, times, touch,
    user,
};

/// An instant at which a remembered session of this file is dormant.
const LATER: u64 = IDLE + 50;

/// What a resumption of a session of `ada` begins with at [`LATER`].
fn resumed<S: Registry>(desk: &Desk<S>, number: u32) -> Draft {
    let before = desk.remembered("ada", number);
    Draft { identity: before.identity.resumed(), times: times(LATER), ..before }
}

fn idle() -> Option<Ended> {
    Some(Ended::timeout(Reason::Idle, at(IDLE)))
}

/// From its deadline until it is forgotten, a load says that the session is dormant.
pub fn a_remembered_session_is_dormant(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 1);
    let record = desk.load(&key, at(1)).done();

    let dormant = Load::Dormant(record);
    assert_eq!(desk.load(&key, at(IDLE)), dormant);
    assert_eq!(desk.load(&key, at(REMEMBERED - 1)), dormant);
    let over = desk.load(&key, at(REMEMBERED));
    assert_eq!(over, Load::Gone(idle()), "the ending is the deadline that passed");
}

/// Nobody who was not signed in is remembered.
pub fn an_anonymous_session_is_never_dormant(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let identity = Identity::anonymous().remembered_until(at(REMEMBERED));
    let key = desk.has(desk.key(1), Draft { identity, ..desk.guest(1) });

    assert_eq!(desk.load(&key, at(IDLE)), Load::Gone(idle()));
}

/// A dormant session takes no change, touch or rotation: they tell the timeout.
pub fn a_dormant_session_takes_no_change(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (key, new) = (desk.has_remembered("ada", 1), desk.key_of("ada", 2));
    let (now, draft) = (at(LATER), resumed(&desk, 2));
    let before = desk.load(&key, now);

    assert_eq!(desk.change(&key, &set("a", "1"), now), Commit::Gone(idle()));
    assert_eq!(desk.touch(&key, touch(LATER), now), Commit::Gone(idle()));
    assert_eq!(desk.rotate(&key, &new, renewal(), now), Rotate::Gone(idle()));
    assert_eq!(desk.rotate(&key, &new, login(draft, &[]), now), Rotate::Gone(idle()));

    assert_eq!(desk.load_all(&[key, new], now), [before, Load::Gone(None)]);
}

/// A dormant session ends by its key and by its id, so that it resumes nothing any more.
pub fn a_dormant_session_can_be_ended(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (by_key, by_id) = (desk.has_remembered("ada", 1), desk.has_remembered("ada", 2));

    let ended = [Target::Key(by_key), Target::Id(desk.id_of("ada", 2))]
        .map(|target| desk.end(target, Ending::LOGOUT, at(LATER)));

    assert!(ended.iter().all(|end| matches!(end, End::Ended(_))), "{ended:?}");
    for key in [by_key, by_id] {
        let told = Ended { reason: Reason::Logout, by: By::HOLDER, at: at(LATER) };
        let resume = desk.resume(&key, resumed(&desk, 3), Keep::All, at(LATER));
        assert_eq!(resume, Resume::Gone(Some(told)));
    }
    assert_eq!(desk.ids_of("ada", at(LATER)), []);
}

/// A resumption begins a new session behind the same key: the draft's id, identity, clocks and
/// operations, the fields that are kept, version 1.
pub fn a_resumption_begins_a_new_session(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 1);
    desk.change(&key, &set("cart", "1"), at(1)).done();
    desk.change(&key, &set("step", "1"), at(1)).done();
    let draft = Draft { ops: set("hello", "2"), ..resumed(&desk, 2) };
    let keep = Keep::Only(vec![field("cart")]);

    let record = desk.resume(&key, draft.clone(), keep, at(LATER)).done();

    assert_eq!((record.id(), record.version()), (draft.id, 1));
    assert_eq!((record.identity(), record.times()), (&draft.identity, &draft.times));
    assert_eq!(record.fields().as_json(), r#"{"cart":1,"hello":2}"#);
    assert_eq!(desk.load(&key, at(LATER)), Load::Live(record));
}

/// The user's index holds the new id and not the old one, which ends nothing.
pub fn a_resumption_moves_the_index(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 1);

    desk.resume(&key, resumed(&desk, 2), Keep::All, at(LATER)).done();

    assert_eq!(desk.ids_of("ada", at(LATER)), [desk.id_of("ada", 2)]);
    let old = desk.end(Target::Id(desk.id_of("ada", 1)), Ending::LOGOUT, at(LATER));
    assert!(matches!(old, End::Gone(_)), "{old:?}");
    assert_eq!(desk.count(at(LATER)).sessions, 1);
    desk.load(&key, at(LATER)).done();
}

/// A resumed session tells its own ending, not that of the session before it, and as long as any
/// other does: a timeout, which nobody asks for, as well as a sign-out.
pub fn a_resumed_session_tells_its_own_ending(fixture: &impl Fixture) {
    for signs_out in [true, false] {
        let desk = Desk::open(fixture);
        let key = desk.has_remembered("ada", 1);
        let before = desk.remembered("ada", 2);
        let draft =
            Draft { identity: desk.member("ada", 2).identity, times: times(LATER), ..before };
        desk.resume(&key, draft, Keep::All, at(LATER)).done();

        let told = if signs_out {
            desk.sign_out(&key, at(LATER + IDLE - 1)).done();
            Ended { reason: Reason::Logout, by: By::HOLDER, at: at(LATER + IDLE - 1) }
        } else {
            Ended::timeout(Reason::Idle, at(LATER + IDLE))
        };

        let told_until = KEPT + LATER + IDLE - 2;
        assert_eq!(desk.load(&key, at(LATER + IDLE)), Load::Gone(Some(told)));
        desk.sweep_all(at(LATER + IDLE));
        assert_eq!(desk.load(&key, at(LATER + IDLE)), Load::Gone(Some(told)));
        desk.sweep_all(at(told_until));
        assert_eq!(desk.load(&key, at(told_until)), Load::Gone(Some(told)));
    }
}

/// What is live needs no resumption: its record comes back as it is.
pub fn a_live_session_is_not_resumed(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 1);
    let live = desk.load(&key, at(1)).done();

    let before = desk.resume(&key, desk.remembered("ada", 2), Keep::All, at(1));
    let first = desk.resume(&key, resumed(&desk, 2), Keep::All, at(LATER)).done();
    let second = desk.resume(&key, resumed(&desk, 3), Keep::All, at(LATER));

    assert_eq!(before, Resume::Live(live));
    assert_eq!(second, Resume::Live(first));
}

/// Once the user is no longer remembered there is nothing to resume, swept or not.
pub fn a_forgotten_session_is_not_resumed(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 1);
    let draft = || Draft { times: times(REMEMBERED), ..resumed(&desk, 2) };

    let unswept = desk.resume(&key, draft(), Keep::All, at(REMEMBERED));
    desk.sweep_all(at(REMEMBERED));
    let swept = desk.resume(&key, draft(), Keep::All, at(REMEMBERED));

    assert_eq!((unswept, swept), (Resume::Gone(idle()), Resume::Gone(idle())));
    assert_eq!(desk.count(at(REMEMBERED)).sessions, 0);
}

/// A resumption for another user, or for nobody, is an error of kind refused and changes nothing.
pub fn a_resumption_never_changes_the_user(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 1);
    let before = desk.load(&key, at(LATER));
    let bob = Identity::signed_in(user("bob"), Factors::REMEMBERED, at(LATER));

    for identity in [bob, Identity::anonymous()] {
        let draft = Draft { identity, ..resumed(&desk, 2) };
        let answer = desk.store.resume(&key, draft, Keep::All, at(LATER));
        assert_eq!(error_of(answer).kind(), StoreErrorKind::Refused);
    }

    assert_eq!(desk.load(&key, at(LATER)), before);
    assert_eq!(desk.ids_of("bob", at(LATER)), []);
}

/// An id that is in use names no second session: refused, and nothing changes.
pub fn a_resumption_takes_no_id_in_use(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (key, other) = (desk.has_remembered("ada", 1), desk.has_remembered("ada", 2));
    let before = desk.load_all(&[key, other], at(LATER));

    for number in [1, 2] {
        let draft = resumed(&desk, number);
        let answer = desk.store.resume(&key, draft, Keep::All, at(LATER));
        assert_eq!(error_of(answer).kind(), StoreErrorKind::Refused);
    }

    assert_eq!(desk.load_all(&[key, other], at(LATER)), before);
}

/// Of eight parallel resumptions one begins the session, and the others are given it.
pub fn one_of_many_parallel_resumptions_wins(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 0);

    let outcomes: Vec<Resume> = thread::scope(|scope| {
        let resume = |number| {
            let desk = &desk;
            scope.spawn(move || desk.resume(&key, resumed(desk, number), Keep::All, at(LATER)))
        };
        let threads: Vec<_> = (1..=8).map(resume).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });

    let won: Vec<Record> = outcomes.iter().cloned().filter_map(Success::record).collect();
    let [winner] = won.as_slice() else { panic!("won by {}", won.len()) };
    let given = |outcome: &&Resume| matches!(outcome, Resume::Live(record) if record == winner);
    assert_eq!(outcomes.iter().filter(given).count(), 7);
    assert_eq!(desk.ids_of("ada", at(LATER)), [winner.id()]);
}

/// Lists, counts, endings of all and changes for all reach dormant sessions: their tickets can
/// still open something.
pub fn dormant_sessions_are_in_every_list(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 1);
    let page = cloakroom_store::Page::first(10);
    let ids = |records: Vec<Record>| records.iter().map(Record::id).collect::<Vec<_>>();
    let id = desk.id_of("ada", 1);

    assert_eq!(ids(desk.list("ada", page, at(LATER))), [id]);
    assert_eq!(ids(desk.scan(page, at(LATER))), [id]);
    assert_eq!(desk.count(at(LATER)), cloakroom_store::Count { sessions: 1, signed_in: 1 });
    assert_eq!(desk.amend("ada", &set("role", "1"), at(LATER)), 1);
    assert_eq!(fields_of(&desk, &key, at(LATER)), r#"{"role":1}"#);
    assert_eq!(desk.end_all("ada", None, Ending::LOGOUT, at(LATER)).ended, [id]);
    assert!(matches!(desk.load(&key, at(LATER)), Load::Gone(Some(_))));
}

/// A dormant session counts against the limit of its user, and is what was seen longest ago.
pub fn a_dormant_session_counts_against_the_limit(fixture: &impl Fixture) {
    use cloakroom_store::Create;
    let desk = Desk::open(fixture);
    let dormant = desk.has_remembered("ada", 1);
    let key = desk.key_of("ada", 2);
    let create = |limit| {
        let draft = Draft { times: times(LATER), ..desk.member("ada", 2) };
        desk.create(&key, draft, Some(limit), at(LATER))
    };

    let refused = create(Limit::refuse_beyond(1));
    let kept = create(Limit::keep_newest(1));

    assert!(matches!(refused, Create::LimitReached(ref list) if list.len() == 1), "{refused:?}");
    assert!(matches!(kept, Create::Done { ref evicted, .. } if evicted.len() == 1), "{kept:?}");
    let load = desk.load(&dormant, at(LATER));
    assert!(matches!(load, Load::Gone(Some(Ended { reason: Reason::Evicted, .. }))), "{load:?}");
}

fn fields_of<S: Registry>(desk: &Desk<S>, key: &Key, now: Timestamp) -> String {
    let load = desk.load(key, now);
    let Load::Dormant(record) = load else { panic!("it is not dormant: {load:?}") };
    record.fields().as_json().to_owned()
}
