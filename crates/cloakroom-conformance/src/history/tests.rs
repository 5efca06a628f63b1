use super::*;

fn event(call: Call, told: Told, began: u64, ended: u64) -> Event {
    Event { key: 0, call, told: Some(told), began, ended }
}

fn state(version: u64, a: u64) -> State {
    State { version, fields: [a, 0, 0], ..State::default() }
}

fn set(expect: Option<u64>, value: u64) -> Call {
    Call::Commit { expect, field: 0, value }
}

#[test]
fn overlapping_calls_may_have_happened_in_either_order() {
    let events = [
        event(set(None, 1), Told::Done(state(3, 1)), 0, 10),
        event(set(None, 2), Told::Done(state(2, 2)), 1, 9),
        event(Call::Load, Told::Live(state(3, 1)), 11, 12),
    ];

    assert_eq!(explain(&events), Some(vec![1, 0, 2]));
}

#[test]
fn a_lost_update_cannot_be_explained() {
    let both_from_one = [
        event(set(Some(1), 1), Told::Done(state(2, 1)), 0, 10),
        event(set(Some(1), 1), Told::Done(state(2, 1)), 1, 9),
    ];

    assert_eq!(explain(&both_from_one), None);
}

#[test]
fn a_session_that_lives_after_its_end_cannot_be_explained() {
    let ended = event(Call::End, Told::Ended(state(1, 0)), 0, 1);

    for late in [
        event(Call::Load, Told::Live(state(1, 0)), 2, 3),
        event(set(None, 7), Told::Done(state(2, 7)), 2, 3),
        event(Call::End, Told::Ended(state(1, 0)), 2, 3),
    ] {
        assert_eq!(explain(&[ended.clone(), late.clone()]), None);
        assert!(explain(&[ended.clone(), Event { told: Some(Told::Gone), ..late }]).is_some());
    }
}

#[test]
fn a_read_that_goes_back_in_time_cannot_be_explained() {
    let events = [
        event(set(None, 1), Told::Done(state(2, 1)), 0, 10),
        event(Call::Load, Told::Live(state(2, 1)), 1, 2),
        event(Call::Load, Told::Live(state(1, 0)), 3, 4),
    ];

    assert_eq!(explain(&events), None);
}

#[test]
fn a_torn_read_cannot_be_explained() {
    let torn = State { version: 2, fields: [1, 5, 0], ..State::default() };
    let events = [
        event(set(None, 1), Told::Done(state(2, 1)), 0, 10),
        event(Call::Load, Told::Live(torn), 1, 2),
    ];

    assert_eq!(explain(&events), None);
}

#[test]
fn a_call_without_an_answer_may_have_happened_or_not() {
    let lost = Event { key: 0, call: set(None, 1), told: None, began: 0, ended: 1 };
    let seen = event(Call::Load, Told::Live(state(2, 1)), 2, 3);
    let unseen = event(Call::Load, Told::Live(state(1, 0)), 2, 3);

    assert_eq!(explain(&[lost.clone(), seen]), Some(vec![0, 1]));
    assert_eq!(explain(&[lost, unseen]), Some(vec![1]));
}

#[test]
fn twelve_calls_that_all_overlap_are_searched_to_the_end() {
    let mut events: Vec<Event> =
        (0u64..12).map(|n| event(set(None, n), Told::Done(state(13 - n, n)), n, 100 + n)).collect();
    assert!(explain(&events).is_some());

    events.push(event(Call::Load, Told::Live(state(13, 5)), 200, 201));

    assert_eq!(explain(&events), None);
}

#[test]
fn a_renewed_key_forwards_and_does_no_more() {
    let renewed = event(Call::Renew { to: 1 }, Told::Moved(state(2, 0)), 0, 1);
    let late = |key, call, told| Event { key, ..event(call, told, 2, 3) };

    for (fits, late) in [
        (true, late(0, Call::Load, Told::Forwarded(state(2, 0)))),
        (true, late(1, Call::Load, Told::Live(state(2, 0)))),
        (true, late(0, set(Some(2), 7), Told::Done(state(3, 7)))),
        (true, late(0, Call::End, Told::Stale)),
        (true, late(0, Call::Renew { to: 1 }, Told::Stale)),
        (true, late(1, Call::Renew { to: 0 }, Told::Taken)),
        (true, late(2, Call::Load, Told::Gone)),
        (false, late(0, Call::Load, Told::Live(state(2, 0)))),
        (false, late(0, Call::Load, Told::Gone)),
        (false, late(0, Call::End, Told::Ended(state(2, 0)))),
        (false, late(0, Call::Renew { to: 2 }, Told::Moved(state(3, 0)))),
        (false, late(1, Call::Renew { to: 0 }, Told::Moved(state(3, 0)))),
    ] {
        assert_eq!(explain(&[renewed.clone(), late.clone()]).is_some(), fits, "{late:?}");
    }
}

#[test]
fn a_replaced_key_leads_nowhere() {
    let replaced = event(Call::Replace { to: 1 }, Told::Moved(state(1, 0)), 0, 1);
    let late = |key, call, told| Event { key, ..event(call, told, 2, 3) };

    for (fits, late) in [
        (true, late(0, Call::Load, Told::Gone)),
        (true, late(1, Call::Load, Told::Live(state(1, 0)))),
        (true, late(1, Call::Renew { to: 0 }, Told::Taken)),
        // By a store that has forgotten the ending.
        (true, late(1, Call::Renew { to: 0 }, Told::Moved(state(2, 0)))),
        (false, late(0, Call::Load, Told::Forwarded(state(1, 0)))),
        (false, late(0, set(None, 7), Told::Done(state(2, 7)))),
    ] {
        assert_eq!(explain(&[replaced.clone(), late.clone()]).is_some(), fits, "{late:?}");
    }
}
