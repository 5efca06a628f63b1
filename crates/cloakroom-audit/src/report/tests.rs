use super::*;
use crate::exchange::{Exchange, Probe};
use crate::finding::Confidence;
use crate::observed::Declared;

const NOW: u64 = 1_790_000_000;

fn finding(severity: Severity, subject: &str) -> Finding {
    Finding {
        severity,
        confidence: Confidence::Certain,
        subject: subject.to_owned(),
        seen: "seen".to_owned(),
        expected: "expected".to_owned(),
        evidence: Vec::new(),
        places: 1,
    }
}

fn facts() -> Facts {
    Facts {
        target: "https://shop.example/".to_owned(),
        begun: NOW,
        ended: NOW + 3,
        ..Facts::default()
    }
}

fn report_of(answers: Vec<(&str, Answer)>) -> Report {
    let answers = answers.into_iter().map(|(id, answer)| (crate::rule(id).unwrap(), answer));
    Report::of_answers(answers.collect(), facts())
}

fn holds() -> Answer {
    Answer::Holds { looked_at: "1 cookie".to_owned() }
}

fn not_decided(why: &str) -> Answer {
    Answer::NotDecided { why: why.to_owned() }
}

#[test]
fn findings_stand_in_the_order_of_their_severity() {
    let report = report_of(vec![
        ("C03", Answer::Broken(vec![finding(Severity::Medium, "a")])),
        ("G02", Answer::Broken(vec![finding(Severity::Info, "a")])),
        ("C01", Answer::Broken(vec![finding(Severity::Medium, "b"), finding(Severity::High, "a")])),
    ]);

    let order: Vec<_> = report
        .findings()
        .iter()
        .map(|found| (found.rule.id, found.finding.subject.as_str()))
        .collect();
    assert_eq!(order, [("C01", "a"), ("C03", "a"), ("C01", "b"), ("G02", "a")]);
    assert_eq!(report.worst(), Some(Severity::High));
}

#[test]
fn a_report_is_clean_up_to_the_severity_that_fails_it() {
    let report = report_of(vec![("C03", Answer::Broken(vec![finding(Severity::Medium, "a")]))]);

    assert!(!report.is_clean(Severity::Low));
    assert!(!report.is_clean(Severity::Medium));
    assert!(report.is_clean(Severity::High));
}

#[test]
fn an_audit_that_saw_nothing_is_not_clean() {
    let nothing = report_of(vec![("C01", not_decided("no response was seen"))]);
    let something = report_of(vec![("C01", holds())]);

    assert!(!nothing.is_clean(Severity::Critical));
    assert!(something.is_clean(Severity::Info));
    something.assert_clean();
}

#[test]
#[should_panic(expected = "C01  Cookie without Secure")]
fn a_test_that_asserts_shows_what_is_wrong() {
    report_of(vec![("C01", Answer::Broken(vec![finding(Severity::Low, "a")]))]).assert_clean();
}

#[test]
fn what_is_good_to_know_fails_nothing() {
    report_of(vec![("C01", Answer::Broken(vec![finding(Severity::Info, "a")]))]).assert_clean();
}

#[test]
fn each_reason_stands_there_once_with_all_its_rules() {
    let report = report_of(vec![
        ("C01", not_decided("no cookie was set")),
        ("H04", not_decided("no response over TLS was seen")),
        ("C02", not_decided("no cookie was set")),
        ("C03", holds()),
    ]);

    let ids = |rules: Vec<&'static Rule>| rules.iter().map(|rule| rule.id).collect::<Vec<_>>();
    let reasons: Vec<_> =
        report.not_decided().into_iter().map(|(why, rules)| (why, ids(rules))).collect();
    assert_eq!(
        reasons,
        [("no cookie was set", vec!["C01", "C02"]), ("no response over TLS was seen", vec!["H04"])]
    );
}

#[test]
fn findings_are_named_alike_at_any_time_and_apart_from_each_other() {
    let answers = || {
        vec![(
            "C01",
            Answer::Broken(vec![
                finding(Severity::High, "a"),
                finding(Severity::High, "b"),
                finding(Severity::High, "a"),
            ]),
        )]
    };
    let ids = |report: &Report| -> Vec<String> {
        report.findings().iter().map(|found| found.id.clone()).collect()
    };

    let (first, second) = (ids(&report_of(answers())), ids(&report_of(answers())));

    assert_eq!(first, second);
    assert_ne!(first[0], first[1]);
    assert_eq!(first[2], format!("{}-2", first[0]));
}

#[test]
fn a_host_has_one_name_whatever_its_port() {
    let of = |url: &str| {
        let page = Exchange::new("GET", url, 200, NOW).unwrap();
        Report::new(&Observed::new(vec![page], Declared::default()), facts())
    };

    assert_eq!(of("http://127.0.0.1:8000/").host(), "127.0.0.1");
    assert_eq!(of("https://shop.example/cart?sid=1").host(), "shop.example");
}

#[test]
fn a_passwords_value_that_was_used_stands_nowhere() {
    let mut page =
        Exchange::new("GET", "https://shop.example/hunter2/?q=hunter2", 200, NOW).unwrap();
    page.probe = Probe::Visit;
    page.response.push("Set-Cookie", "hunter2=1; Path=/hunter2");
    let observed = Observed::new(vec![page], Declared::default());
    let facts = Facts {
        target: "https://shop.example/?next=hunter2".to_owned(),
        notes: vec!["robots.txt forbids /hunter2".to_owned()],
        stopped: Some("hunter2".to_owned()),
        secrets: vec!["hunter2".to_owned()],
        ..Facts::default()
    };

    let report = Report::new(&observed, facts);

    assert!(!report.findings().is_empty());
    for format in Format::ALL {
        let text = report.write(format, &Look { detail: Detail::Verbose, ..Look::default() });
        assert!(!text.contains("hunter2"), "{}: {text}", format.as_str());
    }
}
