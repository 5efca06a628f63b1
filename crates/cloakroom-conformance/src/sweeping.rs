//! Freeing what has expired, a little at a time.

use std::thread;

use cloakroom_store::{Draft, Load, Page, Record, Registry, Swept};

use crate::Fixture;
use crate::desk::{CAP, Desk, IDLE, KEPT, REMEMBERED, Success, at, renewal, set, times, touch};

/// Creates 25 sessions that expire at [`IDLE`], 5 that live longer and 3 that are dormant then.
fn crowd<S: Registry>(desk: &Desk<S>) {
    for number in 1..=25 {
        desk.has_guest(number);
    }
    for number in 31..=35 {
        desk.has(desk.key(number), Draft { times: times(90), ..desk.guest(number) });
    }
    for number in 41..=43 {
        desk.has_remembered("ada", number);
    }
}

fn ids<S: Registry>(desk: &Desk<S>) -> Vec<cloakroom_store::SessionId> {
    desk.scan(Page::first(100), at(IDLE)).iter().map(Record::id).collect()
}

/// A sweep frees at most its limit, says how much it freed and whether there is more, and leaves
/// live and dormant sessions alone.
pub fn a_sweep_is_bounded(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    crowd(&desk);
    let before = ids(&desk);

    let swept: Vec<Swept> = (0..4).map(|_| desk.sweep(10, at(IDLE))).collect();

    let expected = [(10, true), (10, true), (5, false), (0, false)];
    assert_eq!(swept, expected.map(|(removed, more)| Swept { removed, more }));
    assert_eq!(before.len(), 8);
    assert_eq!(ids(&desk), before);
}

/// A limit that is exactly what there is to free leaves nothing more.
pub fn a_sweep_that_frees_all_leaves_no_more(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    crowd(&desk);

    let swept = desk.sweep(25, at(IDLE));

    assert_eq!(swept, Swept { removed: 25, more: false });
}

/// Before anything has expired there is nothing to sweep.
pub fn a_sweep_leaves_the_living_alone(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    crowd(&desk);
    let before = ids(&desk);
    desk.touch(&desk.key(1), touch(IDLE - 1), at(IDLE - 1)).done();

    assert_eq!(desk.sweep(100, at(IDLE - 1)), Swept::default());
    assert_eq!(desk.sweep_all(at(IDLE)), 24, "the session that was touched stays");

    assert_eq!(ids(&desk).len(), before.len() + 1);
    desk.load(&desk.key(1), at(IDLE)).done();
}

/// A remembered session is swept once its user is forgotten and not before.
pub fn a_dormant_session_is_swept_when_forgotten(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 1);

    let before = desk.sweep_all(at(REMEMBERED - 1));
    let dormant = desk.load(&key, at(REMEMBERED - 1));
    let after = desk.sweep_all(at(REMEMBERED));

    assert_eq!((before, after), (0, 1));
    assert!(matches!(dormant, Load::Dormant(_)), "{dormant:?}");
    assert!(matches!(desk.load(&key, at(REMEMBERED)), Load::Gone(Some(_))));
}

/// Reasons that are told no longer are freed too: a day later a sweep leaves nothing to sweep.
pub fn reasons_are_freed_after_a_day(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (ended, expired) = (desk.has_guest(1), desk.has_guest(2));
    desk.sign_out(&ended, at(1)).done();
    desk.rotate(&expired, &desk.key(3), renewal(), at(2)).done();

    let first = desk.sweep_all(at(IDLE));
    let kept = desk.sweep_all(at(KEPT));
    let second = desk.sweep_all(at(KEPT + IDLE));

    assert_eq!(kept, 0, "nothing is freed while it is told");
    assert!(first >= 1, "the expired session, and its forwarder if it was still there");
    assert_eq!(second, 3, "two keys of one session and the key of the other");
    let loads = desk.load_all(&[ended, expired, desk.key(3)], at(KEPT + IDLE));
    assert_eq!(loads, vec![Load::Gone(None); 3]);
}

/// An expired forwarder is freed while its session lives on.
pub fn an_expired_forwarder_is_freed(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let (old, new) = (desk.has_guest(1), desk.key(2));
    desk.rotate(&old, &new, renewal(), at(1)).done();

    let within = desk.sweep_all(at(CAP));
    let after = desk.sweep_all(at(1 + CAP));

    assert_eq!((within, after), (0, 1));
    desk.load(&new, at(1 + CAP)).done();
}

/// Older keys count against the limit of a sweep like sessions do.
pub fn expired_forwarders_count_against_the_limit(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    for number in 1..=100 {
        let old = desk.has_guest(number);
        desk.rotate(&old, &desk.key(100 + number), renewal(), at(1)).done();
    }

    let mut removed = 0;
    for _ in 0..1_000 {
        let swept = desk.sweep(1, at(1 + CAP));
        assert!(swept.removed <= 1, "{swept:?}");
        removed += swept.removed;
        if !swept.more {
            break;
        }
    }

    assert_eq!((removed, desk.count(at(1 + CAP)).sessions), (100, 100));
}

/// A session whose user is forgotten before its clocks run out, as after a proof that started them
/// anew, lives on until they do.
pub fn a_session_outlives_the_memory_of_its_user(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let draft = desk.member("ada", 1);
    let identity = draft.identity.remembered_until(at(50));
    let key = desk.has(desk.key_of("ada", 1), Draft { identity, ..draft });

    let before = desk.sweep_all(at(IDLE - 1));
    let lives = desk.load(&key, at(IDLE - 1));
    let count = desk.count(at(IDLE - 1)).sessions;
    let after = desk.sweep_all(at(IDLE));

    assert_eq!((before, count, after), (0, 1, 1));
    assert!(matches!(lives, Load::Live(_)), "{lives:?}");
    assert!(matches!(desk.load(&key, at(IDLE)), Load::Gone(Some(_))));
}

/// Sweeps go on while four threads commit: what is live loses nothing, and what expired is gone.
pub fn a_sweep_disturbs_nobody(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    crowd(&desk);
    for number in 100..300 {
        desk.has_guest(number);
    }

    let removed = thread::scope(|scope| {
        for number in 31..=34 {
            let (desk, key) = (&desk, desk.key(number));
            scope.spawn(move || {
                for value in 0..50 {
                    desk.change(&key, &set("n", &value.to_string()), at(IDLE)).done();
                }
            });
        }
        let mut removed = 0;
        for _ in 0..1_000 {
            let swept = desk.sweep(7, at(IDLE));
            assert!(swept.removed <= 7, "{swept:?}");
            removed += swept.removed;
            if !swept.more {
                break;
            }
        }
        removed
    });

    assert_eq!(removed, 225);
    for number in 31..=34 {
        let record = desk.load(&desk.key(number), at(IDLE)).done();
        assert_eq!((record.fields().get("n"), record.version()), (Some("49"), 51));
    }
}
