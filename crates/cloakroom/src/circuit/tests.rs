use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const PASS: Pass = Pass { probe: None };

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A store that went away at 0 and counts as away since 500; without chance the next probe is at
/// 625.
fn away() -> State {
    let mut state = State::new();
    assert!(!state.failed(PASS, ms(0), 0) && !state.failed(PASS, ms(1), 0));
    assert!(state.failed(PASS, ms(500), 0));
    state
}

#[test]
fn a_store_is_away_when_three_calls_and_half_a_second_brought_only_failures() {
    let opens = |at: &[u64]| {
        let mut state = State::new();
        at.iter().map(|at| state.failed(PASS, ms(*at), 0)).collect::<Vec<_>>()
    };

    assert_eq!(opens(&[0, 500]), [false, false], "two may be chance");
    assert_eq!(opens(&[0, 1, 499]), [false, false, false], "others may be answered in between");
    assert_eq!(opens(&[0, 1, 499, 500, 501]), [false, false, false, true, false]);
    assert_eq!(opens(&[7_000, 7_000, 7_500]), [false, false, true]);
}

#[test]
fn one_answer_makes_up_for_every_failure_before() {
    let mut state = State::new();
    for at in 0..400 {
        assert!(!state.failed(PASS, ms(at), 0));
    }

    assert_eq!(state.answered(ms(450)), None);

    assert!(!state.failed(PASS, ms(500), 0) && !state.failed(PASS, ms(501), 0));
    assert!(!state.failed(PASS, ms(999), 0));
    assert!(state.failed(PASS, ms(1_000), 0));
}

#[test]
fn while_the_store_is_away_one_request_at_a_time_tries_it() {
    let mut state = away();
    assert_eq!((state.admit(ms(500)), state.admit(ms(624))), (None, None));

    let first = state.admit(ms(625));

    assert_eq!(first, Some(Pass { probe: Some(1) }));
    assert_eq!((state.admit(ms(625)), state.admit(ms(1_124))), (None, None), "it is waited for");
    assert_eq!(state.admit(ms(1_125)), Some(Pass { probe: Some(2) }), "but not for long");
    assert_eq!(state.answered(ms(1_200)), Some(Back { after: ms(1_200), refused: 4 }));
    assert_eq!(state.admit(ms(1_200)), Some(PASS));
}

#[test]
fn a_probe_that_fails_is_followed_by_another_after_a_pause_by_chance() {
    for (chance, next) in [(0, 825), (128, 825 + 62), (255, 950)] {
        let mut state = away();
        let probe = state.admit(ms(625)).unwrap();

        assert!(!state.failed(probe, ms(700), chance), "it was away before");

        assert_eq!(state.admit(ms(next - 1)), None);
        assert_eq!(state.admit(ms(next + 1)), Some(Pass { probe: Some(2) }));
    }
}

#[test]
fn what_was_sent_before_the_outage_or_in_another_one_puts_no_probe_off() {
    let mut state = away();
    let old = state.admit(ms(625)).unwrap();
    let newer = state.admit(ms(1_125)).unwrap();
    for late in [PASS, old] {
        state.failed(late, ms(1_600), 255);
        state.failed(late, ms(1_624), 255);
    }
    assert_eq!(state.admit(ms(1_625)), Some(Pass { probe: Some(3) }));
    state.answered(ms(1_626));
    for at in [2_000, 2_001, 2_500] {
        state.failed(PASS, ms(at), 0);
    }
    let probe = state.admit(ms(2_625)).unwrap();

    state.failed(newer, ms(2_626), 0);

    assert_eq!(state.admit(ms(2_800)), None);
    assert_eq!(probe, Pass { probe: Some(4) });
}

#[test]
fn an_answer_to_whatever_was_asked_says_that_the_store_is_there() {
    let mut state = away();

    assert_eq!(state.answered(ms(501)), Some(Back { after: ms(501), refused: 0 }));
    assert_eq!(state.answered(ms(502)), None, "it is told once");
    assert_eq!(state.admit(ms(502)), Some(PASS));
}

/// With a request each 100 ms, and a client whose connections pause for 200 ms after a failure, as
/// those of the Redis store do.
#[test]
fn the_pauses_together_leave_service_back_within_a_second() {
    let (connection, request) = (ms(200), ms(100));

    assert!(PATIENCE + request < ms(1_000), "the last probe was lost in the outage");
    assert!(PAUSE * 2 + connection + request < ms(1_000), "the last two probes were refused");
}

#[tokio::test(start_paused = true)]
async fn only_the_lack_of_an_answer_counts() {
    let circuit = Circuit::new();
    let fail = |error: Error| drop(circuit.note(PASS, Err::<(), _>(error)));
    for kind in [ErrorKind::Refused, ErrorKind::Corrupt] {
        for _ in 0..5 {
            fail(Error::new(kind.clone(), "an answer"));
            tokio::time::advance(ms(300)).await;
        }
        assert!(!circuit.is_open());
    }
    for _ in 0..2 {
        fail(Error::unavailable("no answer"));
        tokio::time::advance(ms(300)).await;
    }
    fail(Error::new(ErrorKind::Refused, "neither"));
    fail(Error::unavailable("no answer"));
    assert!(circuit.is_open());
    assert!(circuit.admit().unwrap_err().is_told());

    fail(Error::new(ErrorKind::Corrupt, "what is there cannot be read"));

    assert!(!circuit.is_open());
    assert_eq!(circuit.admit().unwrap(), PASS);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(u64),
    Ask,
    /// One of the calls under way, counted round.
    Fail(usize, u8),
    Answer(usize),
    HangUp(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0u64..700).prop_map(Step::Wait),
        6 => Just(Step::Ask),
        5 => (any::<usize>(), any::<u8>()).prop_map(|(at, chance)| Step::Fail(at, chance)),
        1 => any::<usize>().prop_map(Step::Answer),
        1 => any::<usize>().prop_map(Step::HangUp),
    ];
    prop::collection::vec(step, 0..200)
}

/// The rules once more, from the whole history instead of a state.
#[derive(Default)]
struct History {
    failures: Vec<u64>,
    /// While the store is away: from when on a probe may pass, and from when on one has to.
    window: Option<(u64, u64)>,
    probe: Option<u64>,
    probes: BTreeSet<u64>,
}

impl History {
    fn asked(&mut self, now: u64, passed: Option<Pass>) {
        let Some((may, must)) = self.window else {
            assert_eq!(passed, Some(PASS));
            return;
        };
        assert!(now >= may || passed.is_none(), "a probe at {now}, before {may}");
        assert!(now < must || passed.is_some(), "no probe at {now}, after {must}");
        if let Some(Pass { probe }) = passed {
            assert!(self.probes.insert(probe.unwrap()), "every probe has its number");
            self.probe = probe;
            self.window = Some((now + 500, now + 500));
        }
    }

    fn failed(&mut self, now: u64, pass: Pass, opened: bool) {
        self.failures.push(now);
        let has_gone = self.failures.len() >= 3 && now - self.failures[0] >= 500;
        assert_eq!(opened, self.window.is_none() && has_gone);
        if opened || (self.window.is_some() && pass.probe.is_some() && pass.probe == self.probe) {
            self.window = Some((now + 125, now + 250));
        }
    }

    fn answered(&mut self, back: bool) {
        assert_eq!(back, self.window.is_some());
        self.failures.clear();
        self.window = None;
    }
}

proptest! {
    #[test]
    fn the_circuit_keeps_its_rules_whatever_happens(steps in steps()) {
        let (mut state, mut history) = (State::new(), History::default());
        let (mut now, mut calls): (u64, Vec<Pass>) = (0, Vec::new());
        for step in steps {
            match step {
                Step::Wait(span) => now += span,
                Step::Ask => {
                    let passed = state.admit(ms(now));
                    history.asked(now, passed);
                    calls.extend(passed);
                }
                Step::Fail(at, chance) if !calls.is_empty() => {
                    let pass = calls.swap_remove(at % calls.len());
                    history.failed(now, pass, state.failed(pass, ms(now), chance));
                }
                Step::Answer(at) if !calls.is_empty() => {
                    calls.swap_remove(at % calls.len());
                    history.answered(state.answered(ms(now)).is_some());
                }
                Step::HangUp(at) if !calls.is_empty() => drop(calls.swap_remove(at % calls.len())),
                Step::Fail(..) | Step::Answer(_) | Step::HangUp(_) => {}
            }
        }
    }
}
