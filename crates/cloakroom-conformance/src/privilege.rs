//! Rotation where rights change: a new session takes the place of the old one.

use std::sync::Barrier;
use std::thread;

use cloakroom_store::{
    By, Commit, Draft, End, Ended, Ending, Expect, Keep, Key, Limit, Load, Reason, Registry,
    Rotate, Rotation, Store, StoreErrorKind, Target,
};

use crate::Fixture;
use crate::desk::{
    CAP, Desk, GRACE, Success, at, error_of, limited_login, login, renewal, set, touch,
};

/// The session behind the new key has the draft's id, identity, clocks and client, and begins at
/// version 1.
pub fn a_login_begins_a_new_session(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_guest(1), desk.key_of("ada", 2));
    desk.change(&old, &set("a", "1"), at(1)).done();
    let draft = desk.member("ada", 2);

    let record = desk.rotate(&old, &new, login(draft.clone(), &[]), at(2)).done();

    assert_eq!((record.id(), record.version()), (draft.id, 1));
    assert_eq!((record.identity(), record.times()), (&draft.identity, &draft.times));
    assert_eq!(desk.load(&new, at(2)), Load::Live(record));
    assert_eq!(desk.count(at(2)).sessions, 1, "one session in the place of one");
}

/// The new session holds the fields that are kept, in their newest state, and on top of them the
/// draft's own operations; nothing else.
pub fn a_login_takes_over_only_what_is_kept(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_guest(1), desk.key_of("ada", 2));
    for (name, value) in [("cart", "1"), ("theme", "1"), ("secret", "1"), ("cart", "2")] {
        desk.change(&old, &set(name, value), at(1)).done();
    }
    let mut ops = set("theme", "3");
    ops.append(&set("role", "4"));
    let draft = Draft { ops, ..desk.member("ada", 2) };

    let kept = ["cart", "theme", "absent"];
    let record = desk.rotate(&old, &new, login(draft, &kept), at(2)).done();

    assert_eq!(record.fields().as_json(), r#"{"cart":2,"role":4,"theme":3}"#);
    assert_eq!(desk.load(&new, at(3)), Load::Live(record));
}

/// [`Keep::All`] takes every field over.
pub fn a_rotation_can_keep_everything(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_guest(1), desk.key_of("ada", 2));
    desk.change(&old, &set("a", "1"), at(1)).done();
    desk.change(&old, &set("b", "2"), at(1)).done();
    let (draft, ending) = (desk.member("ada", 2), Ending::LOGOUT);
    let rotation = Rotation::Privilege { draft, keep: Keep::All, limit: None, ending };

    let record = desk.rotate(&old, &new, rotation, at(2)).done();

    assert_eq!(record.fields().as_json(), r#"{"a":1,"b":2}"#);
}

/// In the instant of the login the old key is gone, for every verb, and tells the ending that the
/// rotation was given.
pub fn a_replaced_key_is_gone_for_every_verb(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_guest(1), desk.key_of("ada", 2));
    let after = desk.rotate(&old, &new, login(desk.member("ada", 2), &[]), at(2)).done();

    let told = Some(Ended { reason: Reason::Replaced, by: By::HOLDER, at: at(2) });
    assert_eq!(desk.load(&old, at(2)), Load::Gone(told));
    assert_eq!(desk.change(&old, &set("a", "1"), at(2)), Commit::Gone(told));
    assert_eq!(desk.touch(&old, touch(2), at(2)), Commit::Gone(told));
    assert_eq!(desk.sign_out(&old, at(2)), End::Gone(told));
    assert_eq!(desk.rotate(&old, &desk.key(3), renewal(), at(2)), Rotate::Gone(told));
    let again = login(desk.member("ada", 4), &[]);
    assert_eq!(desk.rotate(&old, &desk.key_of("ada", 4), again, at(2)), Rotate::Gone(told));
    assert_eq!(desk.load(&new, at(2)), Load::Live(after));
}

/// The old public id ends nothing any more.
pub fn a_replaced_id_ends_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_guest(1), desk.key_of("ada", 2));
    desk.rotate(&old, &new, login(desk.member("ada", 2), &[]), at(1)).done();

    let end = desk.end(Target::Id(desk.id(1)), Ending::LOGOUT, at(2));

    assert!(matches!(end, End::Gone(_)), "{end:?}");
    desk.load(&new, at(2)).done();
}

/// Signing out into an anonymous session and changing the user are the same rotation: the index of
/// both users changes with it.
pub fn a_change_of_user_moves_the_index(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let keys = [desk.has_guest(1), desk.key_of("ada", 2), desk.key_of("bob", 3), desk.key(4)];
    let ids = |now| (desk.ids_of("ada", at(now)), desk.ids_of("bob", at(now)));
    let drafts = [desk.member("ada", 2), desk.member("bob", 3), desk.guest(4)];
    let mut seen = Vec::new();

    for (step, (pair, draft)) in (1..).zip(keys.windows(2).zip(drafts)) {
        let [old, new] = pair else { continue };
        desk.rotate(old, new, login(draft, &[]), at(step)).done();
        seen.push(ids(step));
    }

    let (ada, bob) = (desk.id_of("ada", 2), desk.id_of("bob", 3));
    assert_eq!(seen, [(vec![ada], vec![]), (vec![], vec![bob]), (vec![], vec![])]);
    assert_eq!(desk.count(at(5)).signed_in, 0);
}

/// A key that is live, ended or the old one itself is taken, and so is an id in use, the old
/// session's own among them. Nothing changes then.
pub fn a_rotation_onto_what_is_taken_changes_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, live, ended) = (desk.has_guest(1), desk.has_guest(2), desk.has_guest(3));
    desk.sign_out(&ended, at(1)).done();
    let before = [desk.load(&old, at(1)), desk.load(&live, at(1)), desk.load(&ended, at(1))];
    let free = desk.key(9);

    for taken in [live, ended, old] {
        let replaced = desk.rotate(&old, &taken, login(desk.guest(9), &[]), at(1));
        let renewed = desk.rotate(&old, &taken, renewal(), at(1));
        assert_eq!((replaced, renewed), (Rotate::KeyTaken, Rotate::KeyTaken));
    }
    for id in [1, 2] {
        let replaced = desk.rotate(&old, &free, login(desk.guest(id), &[]), at(1));
        assert_eq!(replaced, Rotate::KeyTaken);
    }

    let after = [desk.load(&old, at(1)), desk.load(&live, at(1)), desk.load(&ended, at(1))];
    assert_eq!(after, before);
    assert_eq!(desk.load(&free, at(1)), Load::Gone(None));
}

/// That the old session is gone counts before that the new key is taken.
pub fn gone_comes_before_taken(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, live) = (desk.has_guest(1), desk.has_guest(2));
    desk.sign_out(&old, at(1)).done();

    let rotate = desk.rotate(&old, &live, renewal(), at(2));

    assert!(matches!(rotate, Rotate::Gone(Some(_))), "{rotate:?}");
}

/// The session that is replaced does not count against the limit: with a limit of one, signing in
/// again in the same browser refuses nobody and evicts nobody.
pub fn the_replaced_session_does_not_count(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let first = desk.has_member("ada", 1);
    let (second, third) = (desk.key_of("ada", 2), desk.key_of("ada", 3));

    let limit = Some(Limit::refuse_beyond(1));
    desk.rotate(&first, &second, limited_login(desk.member("ada", 2), &[], limit), at(1)).done();
    let limit = Some(Limit::keep_newest(1));
    let rotate = limited_login(desk.member("ada", 3), &[], limit);
    let rotate = desk.rotate(&second, &third, rotate, at(2));

    assert!(matches!(rotate, Rotate::Done { ref evicted, .. } if evicted.is_empty()));
    assert_eq!(desk.ids_of("ada", at(2)), [desk.id_of("ada", 3)]);
}

/// At the limit a login is refused with the list of what exists, and the old session lives on
/// unchanged.
pub fn a_login_refused_by_the_limit_changes_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let other = desk.has_member("ada", 1);
    let (old, new) = (desk.has_guest(2), desk.key_of("ada", 3));
    let before = [desk.load(&old, at(1)), desk.load(&other, at(1))];

    let limit = Some(Limit::refuse_beyond(1));
    let rotate = desk.rotate(&old, &new, limited_login(desk.member("ada", 3), &[], limit), at(1));

    let existing = vec![desk.load(&other, at(1)).done()];
    assert_eq!(rotate, Rotate::LimitReached(existing));
    assert_eq!([desk.load(&old, at(1)), desk.load(&other, at(1))], before);
    assert_eq!(desk.load(&new, at(1)), Load::Gone(None));
}

/// At the limit a login ends the user's session that was seen longest ago, in the same step.
pub fn a_login_evicts_by_the_limit(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (older, newer) = (desk.has_member("ada", 1), desk.has_member("ada", 2));
    desk.touch(&newer, touch(1), at(1)).done();
    let (old, new) = (desk.has_guest(3), desk.key_of("ada", 4));

    let limit = Some(Limit::keep_newest(2));
    let rotate = desk.rotate(&old, &new, limited_login(desk.member("ada", 4), &[], limit), at(2));

    let Rotate::Done { evicted, .. } = rotate else { panic!("refused: {rotate:?}") };
    assert_eq!(evicted, [desk.id_of("ada", 1)]);
    let told = Ended { reason: Reason::Evicted, by: By::SYSTEM, at: at(2) };
    assert_eq!(desk.load(&older, at(2)), Load::Gone(Some(told)));
    desk.load(&newer, at(2)).done();
}

/// A login whose fields pass a limit is an error of kind refused, and the old session lives on.
pub fn an_oversized_login_changes_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_guest(1), desk.key_of("ada", 2));
    let before = desk.load(&old, at(1));
    let value = format!("\"{}\"", "x".repeat(cloakroom_store::FIELD_MAX));
    let draft = Draft { ops: set("big", &value), ..desk.member("ada", 2) };

    let error = error_of(desk.store.rotate(&old, &new, login(draft, &[]), at(1)));

    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(desk.load(&old, at(1)), before);
    assert_eq!(desk.load(&new, at(1)), Load::Gone(None));
    assert_eq!(desk.ids_of("ada", at(1)), []);
}

/// A login through the newest key kills the keys that forwarded to the session, with its ending.
pub fn a_login_kills_the_forwarders(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (first, second, third) = (desk.has_guest(1), desk.key(2), desk.key_of("ada", 3));
    desk.rotate(&first, &second, renewal(), at(1)).done();

    desk.rotate(&second, &third, login(desk.member("ada", 3), &[]), at(2)).done();

    let told = Some(Ended { reason: Reason::Replaced, by: By::HOLDER, at: at(2) });
    assert_eq!(desk.load_all(&[first, second], at(2)), vec![Load::Gone(told); 2]);
    assert_eq!(desk.change(&first, &set("a", "1"), at(2)), Commit::Gone(told));
    assert_eq!(desk.load(&first, at(CAP + GRACE)), Load::Gone(told));
}

/// Of eight parallel logins on one session one is done and the others are gone; one session is left.
pub fn one_of_many_parallel_logins_wins(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let old = desk.has_guest(0);

    let outcomes: Vec<Rotate> = thread::scope(|scope| {
        let login_as = |number| {
            let desk = &desk;
            scope.spawn(move || {
                let draft = desk.member("ada", number);
                desk.rotate(&old, &desk.key_of("ada", number), login(draft, &[]), at(1))
            })
        };
        let threads: Vec<_> = (1..=8).map(login_as).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });

    let gone = outcomes.iter().filter(|rotate| matches!(rotate, Rotate::Gone(Some(_)))).count();
    let won: Vec<_> = outcomes.into_iter().filter_map(Success::record).collect();
    assert_eq!((won.len(), gone), (1, 7));
    assert_eq!(desk.ids_of("ada", at(2)), won.iter().map(|won| won.id()).collect::<Vec<_>>());
}

/// While a thread loads both keys in one call, in either order, a login is never seen half done:
/// one of the two is live at every moment, and never both.
pub fn a_login_is_never_seen_half_done(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for number in 1..=60 {
        let (old, new) = (desk.has_guest(number), desk.key_of("ada", 100 + number));
        let watching = Barrier::new(2);
        thread::scope(|scope| {
            let watch = scope.spawn(|| {
                watching.wait();
                watch_a_login(&desk, [old, new], number % 2 == 0);
            });
            watching.wait();
            let draft = desk.member("ada", 100 + number);
            desk.rotate(&old, &new, login(draft, &[]), at(1)).done();
            assert!(watch.join().is_ok(), "a login was seen half done");
        });
    }
}

/// Changes that race with a login either landed before it, and then a kept field has them, or
/// answer gone: none is acknowledged and lost.
pub fn no_change_is_lost_in_a_login(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for number in 1..=20 {
        let (old, new) = (desk.has_guest(number), desk.key_of("ada", 100 + number));
        let writing = Barrier::new(2);
        let (landed, record) = thread::scope(|scope| {
            let writer = scope.spawn(|| {
                writing.wait();
                let lands = |n: &u32| {
                    let ops = set("n", &n.to_string());
                    desk.commit(&old, Expect::Any, &ops, None, at(1)).record().is_some()
                };
                (1..100_000).take_while(lands).last()
            });
            writing.wait();
            let draft = desk.member("ada", 100 + number);
            let record = desk.rotate(&old, &new, login(draft, &["n"]), at(1)).done();
            (writer.join().ok().flatten(), record)
        });

        let kept = record.fields().get("n").and_then(|n| n.parse().ok());
        assert_eq!(kept, landed, "the last acknowledged change");
    }
}

/// Loads both keys until the login is done.
fn watch_a_login<S: Registry>(desk: &Desk<S>, [old, new]: [Key; 2], reversed: bool) {
    for _ in 0..1_000_000 {
        let keys = if reversed { [new, old] } else { [old, new] };
        let mut loads = desk.load_all(&keys, at(1));
        if reversed {
            loads.reverse();
        }
        match loads.as_slice() {
            [Load::Live(_), Load::Gone(None)] => {}
            [Load::Gone(Some(_)), Load::Live(_)] => return,
            half => panic!("a login was seen half done: {half:?}"),
        }
    }
}
