use super::record::CameTo;
use super::*;
use crate::finding::Answer;
use crate::observed::{Declared, Observed};
use crate::rules::rule;
use crate::script::Policy;
use std::time::Duration;

const START: u64 = 1_790_000_000;

fn policy(idle: u64, absolute: u64) -> Policy {
    let some = |seconds: u64| (seconds > 0).then(|| Duration::from_secs(seconds));
    Policy { idle: some(idle), absolute: some(absolute), ..Policy::default() }
}

fn lifetime(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

fn planned(policy: Policy, of_cookie: u64, wait: u64) -> Timeline {
    let schedule = Schedule::new(policy, lifetime(of_cookie), Duration::from_secs(wait), START);
    let mut timeline =
        Timeline::new("https://a.example", "https://a.example/me", &schedule, wait, START);
    let held = || Held::new(b"id=secret-token", String::new(), START, true);
    timeline.held.extend((0..schedule.sessions()).map(|_| held()));
    timeline
}

/// A server on which a session is over at the age `idle` without a visit, and at the age `absolute`.
fn kept(mut timeline: Timeline, idle: u64, absolute: u64, until: u64) -> Timeline {
    let mut last: Vec<u64> = timeline.held.iter().map(|held| held.opened).collect();
    for now in START..=START + until {
        for (row, appointment) in timeline.due(now) {
            let session = appointment.session;
            let is_in = now - last[session] < idle && now - START < absolute;
            let came_to = if is_in { CameTo::SignedIn } else { CameTo::SignedOut };
            last[session] = if is_in { now } else { last[session] };
            let status = if is_in { 200 } else { 303 };
            timeline.noted.push(Noted { row, at: now, status, came_to, stranger_is_out: true });
        }
    }
    timeline
}

fn answer(id: &str, timeline: &Timeline) -> Answer {
    let observed = Observed::new(Vec::new(), Declared::default()).with_scenes(timeline.scenes());
    rule(id).unwrap().judge(&observed)
}

fn why(answer: Answer) -> String {
    match answer {
        Answer::NotDecided { why } => why,
        decided @ (Answer::Holds { .. } | Answer::Broken(_)) => panic!("{decided:?}"),
    }
}

#[test]
fn every_probe_of_the_idle_clock_has_a_session_of_its_own() {
    let schedule = planned(policy(600, 3_600), 0, 4_000).schedule();

    let idle: Vec<_> = schedule.rows().iter().filter(|row| row.purpose == Purpose::Idle).collect();
    let mut sessions: Vec<_> = idle.iter().map(|row| row.session).collect();
    sessions.dedup();
    assert_eq!(sessions.len(), idle.len());
    assert_eq!(idle.iter().map(|row| row.after).collect::<Vec<_>>(), [150, 300, 450, 660]);
    let active: Vec<_> =
        schedule.rows().iter().filter(|row| row.purpose == Purpose::Absolute).collect();
    assert!(active.windows(2).all(|pair| pair[0].session == pair[1].session));
    assert!(active.windows(2).all(|pair| pair[1].at - pair[0].at <= 150));
    assert_eq!(active.last().map(|row| row.after), Some(3_660));
}

#[test]
fn a_plan_has_a_bounded_number_of_visits() {
    for (idle, wait) in [(1, 86_400), (60, 4_000_000), (1_800, 43_260), (0, 50_000)] {
        let rows = planned(policy(idle, 43_200), 0, wait).schedule().rows().len();

        assert!(rows <= 510, "{idle} {wait}: {rows}");
    }
}

#[test]
fn the_end_is_looked_for_a_tenth_later_and_a_minute_at_most() {
    for (timeout, at) in [(1, 2), (5, 6), (30, 33), (599, 658), (600, 660), (43_200, 43_260)] {
        assert_eq!(plan::beyond(timeout), at);
    }
}

#[test]
fn a_server_that_ends_idle_sessions_keeps_the_rule_and_one_that_does_not_breaks_it() {
    let good = kept(planned(policy(600, 0), 0, 700), 600, u64::MAX, 700);
    let bad = kept(planned(policy(600, 0), 0, 700), 900, u64::MAX, 700);

    assert_eq!(answer("T01", &good).as_str(), "holds");
    let Answer::Broken(findings) = answer("T01", &bad) else { panic!("not broken") };
    assert_eq!(findings[0].seen, "the session 11m after its last request is signed in");
    assert!(!format!("{findings:?}").contains("secret"), "{findings:?}");
}

#[test]
fn an_active_session_has_to_end_too() {
    let good = kept(planned(policy(600, 3_600), 0, 3_660), 600, 3_600, 3_660);
    let bad = kept(planned(policy(600, 3_600), 0, 3_660), 600, u64::MAX, 3_660);

    assert_eq!(answer("T02", &good).as_str(), "holds");
    assert_eq!(answer("T02", &bad).as_str(), "broken");
    assert_eq!(answer("T01", &bad).as_str(), "holds");
}

#[test]
fn a_cookie_that_ran_out_in_the_browser_alone_is_found() {
    let good = kept(planned(policy(0, 0), 600, 700), 600, u64::MAX, 700);
    let bad = kept(planned(policy(0, 0), 600, 700), u64::MAX, u64::MAX, 700);
    let none = kept(planned(policy(0, 0), 0, 700), 600, u64::MAX, 700);

    assert_eq!(answer("T03", &good).as_str(), "holds");
    assert_eq!(answer("T03", &bad).as_str(), "broken");
    assert!(why(answer("T03", &none)).starts_with("the session's cookies have no lifetime"));
}

#[test]
fn a_wait_that_is_too_short_decides_nothing_and_says_how_long_is_needed() {
    let idle = kept(planned(policy(3_600, 43_200), 86_400, 2_100), 3_600, 43_200, 2_100);

    assert_eq!(
        why(answer("T01", &idle)),
        "35m is too short to see the end after 1h: `--wait 61m` is needed; \
         the session 30m after its last request was signed in"
    );
    assert!(why(answer("T02", &idle)).contains("`--wait 721m` is needed"));
    assert!(why(answer("T03", &idle)).contains("`--wait 1441m` is needed"));
}

#[test]
fn what_is_not_declared_is_told_and_not_judged() {
    let seen = kept(planned(policy(0, 0), 0, 400), 250, u64::MAX, 400);

    assert_eq!(
        why(answer("T01", &seen)),
        "the script declares no idle timeout: `idle` in [policy]; the session 200s after its \
         last request was signed in, the session 5m after its last request was signed out"
    );
    assert!(why(answer("T02", &seen)).contains("`absolute` in [policy]"));
}

#[test]
fn a_control_that_fails_decides_nothing() {
    let unused = kept(planned(policy(600, 0), 0, 700), 900, u64::MAX, 700);
    let mut was_never_in = unused.clone();
    let mut tells_nobody_apart = unused.clone();
    let mut never_answered = unused.clone();
    was_never_in.held.iter_mut().for_each(|held| held.is_in = false);
    tells_nobody_apart.noted.iter_mut().for_each(|noted| noted.stranger_is_out = false);
    never_answered.noted.iter_mut().for_each(|noted| {
        noted.came_to = CameTo::Unclear("no answer in time".to_owned());
    });

    assert_eq!(answer("T01", &unused).as_str(), "broken");
    for timeline in [was_never_in, tells_nobody_apart, never_answered] {
        assert_eq!(answer("T01", &timeline).as_str(), "not decided");
    }
}

#[test]
fn an_active_session_that_was_left_alone_says_nothing() {
    let mut timeline = kept(planned(policy(600, 3_600), 0, 3_660), 600, 3_600, 1_000);
    // The auditor was stopped, and went on much later.
    timeline = kept(timeline, u64::MAX, u64::MAX, 1_000);
    let late = START + 3_700;
    for (row, _) in timeline.due(late) {
        let came_to = CameTo::SignedOut;
        timeline.noted.push(Noted { row, at: late, status: 303, came_to, stranger_is_out: true });
    }

    assert!(why(answer("T02", &timeline)).contains("the auditor was stopped for too long"));
    assert_eq!(answer("T01", &timeline).as_str(), "holds");
}

#[test]
fn what_decides_comes_first_where_a_user_may_have_few_sessions() {
    let few = |sessions| Policy { sessions: Some(sessions), ..policy(600, 3_600) };

    let one = planned(few(1), 0, 4_000).schedule();
    let two = planned(few(2), 0, 4_000).schedule();

    assert_eq!(one.rows().iter().map(|row| row.after).collect::<Vec<_>>(), [660]);
    assert_eq!(one.lacking(Purpose::Idle), None);
    assert!(one.lacking(Purpose::Absolute).unwrap().contains("1 sessions at once"));
    assert_eq!((two.sessions(), two.lacking(Purpose::Absolute)), (2, None));
}

#[test]
fn a_timeline_is_resumed_where_it_was_left_and_prints_no_secret() {
    let whole = kept(planned(policy(600, 0), 0, 700), 600, u64::MAX, 400);

    let resumed = Timeline::load(&whole.save()).unwrap();

    assert_eq!(resumed.next(), Some(START + 450));
    assert_eq!(resumed.held[0].cookie(), b"id=secret-token");
    assert!(!format!("{resumed:?} {:?}", resumed.held).contains("secret"));
    assert_eq!(answer("T01", &kept(resumed, 600, u64::MAX, 700)).as_str(), "holds");
}

#[test]
fn what_is_no_timeline_is_refused_without_quoting_it() {
    let whole = planned(policy(600, 0), 0, 700).save();
    let edge = format!("{whole}{}", " ".repeat(TIMELINE_MAX - whole.len()));
    assert!(Timeline::load(&edge).is_ok());

    for (text, said) in [
        (format!("{edge} "), "octets, and 4194304 are read"),
        ("secret".to_owned(), "broken in line 1"),
        (whole.replace("cloakroom-timeline 1", "cloakroom-timeline 2"), "it is no `cloak"),
        (whole.replace("\"wait\": 700", "\"wait\": 7"), "do not fit its plan"),
    ] {
        let error = Timeline::load(&text).unwrap_err().to_string();

        assert!(error.contains(said) && !error.contains("secret"), "{error}");
    }
}
