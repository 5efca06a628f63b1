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
    report_of(vec![("C01", Answer::Broken(vec![finding(FAIL_ON, "a")]))]).assert_clean();
}

#[test]
fn what_is_less_severe_fails_nothing() {
    report_of(vec![("C01", Answer::Broken(vec![finding(Severity::Low, "a")]))]).assert_clean();
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

#[test]
fn what_the_baseline_has_is_shown_and_does_not_count() {
    let answers = |severity| vec![("C01", Answer::Broken(vec![finding(severity, "a")]))];
    let baseline = Saved::read(&report_of(answers(Severity::Medium)).to_json()).unwrap();

    let standing = |severity| {
        let report = report_of(answers(severity)).with_baseline(&baseline);
        (report.findings()[0].standing.as_str(), report.is_clean(Severity::Low))
    };

    assert_eq!(standing(Severity::Medium), ("known", true));
    assert_eq!(standing(Severity::Low), ("known", true));
    assert_eq!(standing(Severity::High), ("worse", false));
    let other = report_of(vec![("C02", Answer::Broken(vec![finding(Severity::Medium, "a")]))]);
    assert!(!other.with_baseline(&baseline).is_clean(Severity::Low));
}

fn suppressions(until: &str) -> Suppressions {
    let text = format!(
        "[[suppress]]\nrule = \"c01\"\nsubject = \"a\"\nreason = \"agreed\"\nuntil = {until}\n"
    );
    Suppressions::read(&text).unwrap()
}

#[test]
fn a_suppression_holds_through_its_last_day_and_not_a_second_longer() {
    let report = || report_of(vec![("C01", Answer::Broken(vec![finding(Severity::High, "a")]))]);
    let row = suppressions("2026-09-21");
    let midnight = NOW / 86_400 * 86_400 + 86_400;

    let before = report().with_suppressions(&row, midnight - 1);
    let after = report().with_suppressions(&row, midnight);

    assert!(before.is_clean(Severity::Info) && before.notes().is_empty(), "{:?}", before.notes());
    assert_eq!(after.worst(), Some(Severity::High));
    assert_eq!(after.findings()[0].standing.as_str(), "expired");
    assert_eq!(after.notes(), ["the suppression of C01 for a (line 1) expired with 2026-09-21"]);
    assert!(after.to_text(&Look::default()).contains("counts again: agreed"));
}

#[test]
fn a_baseline_does_not_accept_what_was_only_put_off() {
    let report = || report_of(vec![("C01", Answer::Broken(vec![finding(Severity::High, "a")]))]);
    let put_off = report().with_suppressions(&suppressions("2026-09-21"), NOW);
    let baseline = Saved::read(&put_off.to_json()).unwrap();
    let accepted = Saved::read(&report().to_json()).unwrap();
    let later = NOW + 86_400;

    let without_the_row = report().with_baseline(&baseline);
    let expired_first =
        report().with_suppressions(&suppressions("2026-09-21"), later).with_baseline(&accepted);
    let known_first =
        report().with_baseline(&accepted).with_suppressions(&suppressions("2026-09-21"), later);

    for report in [without_the_row, expired_first, known_first] {
        assert_eq!(report.worst(), Some(Severity::High), "{:?}", report.findings()[0].standing);
    }
}

#[test]
fn a_suppression_that_fits_nothing_is_told_if_its_rule_decides() {
    let notes = |answer| {
        let report =
            report_of(vec![("C01", answer)]).with_suppressions(&suppressions("2027-01-31"), NOW);
        report.notes().to_vec()
    };

    assert_eq!(
        notes(holds()),
        ["the suppression of C01 for a (line 1) fits no finding: it can be taken out"]
    );
    assert_eq!(notes(not_decided("no cookie was set")), Vec::<String>::new());
}

#[test]
fn a_file_of_suppressions_that_says_too_little_is_refused_with_its_line() {
    let good =
        "[[suppress]]\nrule = \"C01\"\nsubject = \"a\"\nreason = \"agreed\"\nuntil = 2027-01-31\n";
    assert_eq!(Suppressions::read(good).unwrap().rows().len(), 1);
    assert!(Suppressions::read(&good.replace("2027-01-31", "\"2027-01-31\"")).is_ok());
    assert!(Suppressions::read("").unwrap().rows().is_empty());
    for (text, line, what) in [
        (good.replace("agreed", " "), 4, "the reason is empty"),
        (good.replace("reason = \"agreed\"\n", ""), 1, "there is no reason"),
        (good.replace("\"agreed\"", "7"), 4, "the reason has to be a text"),
        (good.replace("until = 2027-01-31\n", ""), 1, "there is no last day"),
        (good.replace("2027-01-31", "2027-02-30"), 5, ""),
        (good.replace("2027-01-31", "2027-01-31T00:00:00Z"), 5, "until is no day"),
        (good.replace("2027-01-31", "\"soon\""), 5, "until is no day"),
        (good.replace("C01", "C99"), 2, "there is no rule \"C99\""),
        (good.replace("rule = \"C01\"\n", ""), 1, "there is no rule"),
        (good.replace("subject = \"a\"\n", ""), 1, "neither a subject nor a fingerprint"),
        (good.replace("\"a\"", "\"\""), 3, "subject has to be a text"),
        (good.replace("until", "untill"), 5, "`untill` is not known"),
        (good.replace("[[suppress]]", "[suppress]"), 1, "two brackets"),
        (good.replace("suppress", "ignore"), 1, "`ignore` is not known"),
        (format!("{good}]"), 6, "this is no TOML"),
        ("#".repeat(SUPPRESSIONS_MAX + 1), 1, "octets"),
    ] {
        let error = Suppressions::read(&text).unwrap_err();

        assert_eq!(error.line(), line, "{what}: {error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn what_changed_since_the_last_audit_is_told_apart() {
    let last = report_of(vec![
        (
            "C01",
            Answer::Broken(vec![
                finding(Severity::High, "same"),
                finding(Severity::High, "mended"),
            ]),
        ),
        ("C02", Answer::Broken(vec![finding(Severity::Low, "raised")])),
        ("C03", Answer::Broken(vec![finding(Severity::Low, "unseen")])),
    ]);
    let last = Saved::read(&last.to_json()).unwrap();

    let report = report_of(vec![
        (
            "C01",
            Answer::Broken(vec![finding(Severity::High, "same"), finding(Severity::High, "fresh")]),
        ),
        ("C02", Answer::Broken(vec![finding(Severity::Medium, "raised")])),
        ("C03", not_decided("no cookie was set")),
    ])
    .since(&last);

    let change = |subject: &str| {
        let found = report.findings().iter().find(|found| found.finding.subject == subject);
        found.and_then(|found| found.change)
    };
    assert_eq!(change("same"), Some(Trend::Still));
    assert_eq!(change("fresh"), Some(Trend::New));
    assert_eq!(change("raised"), Some(Trend::Severity { was: Severity::Low }));
    let subjects = |found: &[SavedFinding]| -> Vec<String> {
        found.iter().map(|found| found.subject.clone()).collect()
    };
    let since = report.compared().unwrap();
    assert_eq!(subjects(&since.gone), ["mended"]);
    assert_eq!(subjects(&since.unknown), ["unseen"]);
    let quiet = report.to_text(&Look { detail: Detail::Quiet, ..Look::default() });
    for line in
        ["C01 fresh: seen (new)", "C02 raised: seen (it was low before)", "gone     C01 mended"]
    {
        assert!(quiet.contains(line), "{line}: {quiet}");
    }
    assert_eq!(since.other_target, None);
}

#[test]
fn a_cookie_whose_name_looks_random_is_still_named() {
    let name = "SSESS5f4dcc3b5aa765d61d8327deb882cf99";
    let mut page = Exchange::new("GET", "https://shop.example/", 200, NOW).unwrap();
    page.response.push("Set-Cookie", format!("{name}=q8Zr31LkP0vTn5YxBm2Wgk; Path=/"));

    let report = Report::new(&Observed::new(vec![page], Declared::default()), facts());

    assert!(report.of_rule("C01").any(|found| found.finding.subject == name));
}
