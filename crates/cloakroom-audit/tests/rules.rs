//! Each rule on responses that differ in one thing: broken with it, silent without it.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use cloakroom_audit::{Answer, Declared, Exchange, MARK, Observed, Probe, RULES, Severity, rule};
use std::collections::BTreeSet;

const NOW: u64 = 1_790_000_000;
const TOKEN: &str = "q8Zr31LkP0vTn5YxBm2Wgk";
/// A line with nothing wrong.
const GOOD: &str =
    "__Host-Http-session=q8Zr31LkP0vTn5YxBm2Wgk; Path=/; Secure; HttpOnly; SameSite=Lax";

/// A page over TLS with nothing wrong, and these cookies.
fn page(url: &str, cookies: &[&str]) -> Exchange {
    let mut page = Exchange::new("GET", url, 200, NOW).unwrap();
    page.probe = Probe::Visit;
    page.request.push("Cookie", "seen=1");
    for (name, value) in [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Strict-Transport-Security", "max-age=63072000"),
    ] {
        page.response.push(name, value);
    }
    cookies.iter().for_each(|line| page.response.push("Set-Cookie", *line));
    page
}

fn home(cookies: &[&str]) -> Vec<Exchange> {
    vec![page("https://shop.example/", cookies)]
}

/// The ids of the rules that are broken.
fn broken(exchanges: Vec<Exchange>) -> BTreeSet<&'static str> {
    let observed = Observed::new(exchanges, Declared::default());
    let all = RULES.iter().filter(|rule| matches!(rule.judge(&observed), Answer::Broken(_)));
    all.map(|rule| rule.id).collect()
}

fn answer(id: &str, exchanges: Vec<Exchange>) -> Answer {
    rule(id).unwrap().judge(&Observed::new(exchanges, Declared::default()))
}

fn worst(answer: &Answer) -> Option<Severity> {
    answer.findings().iter().map(|finding| finding.severity).max()
}

#[test]
fn a_site_with_nothing_wrong_breaks_no_rule() {
    assert_eq!(broken(home(&[GOOD])), BTreeSet::new());
}

#[test]
fn each_fault_of_a_line_breaks_its_rule() {
    let long = format!("a={}; Path=/; Secure; HttpOnly; SameSite=Lax", "x".repeat(4096));
    let exact = format!("a={}; Path=/; Secure; HttpOnly; SameSite=Lax", "x".repeat(4095));
    assert!(!broken(home(&[&exact])).contains("C16"));
    let wide = format!("{GOOD}; Domain={}", "x".repeat(1025));
    let edge = format!("{GOOD}; Priority={}", "x".repeat(1024));
    assert!(!broken(home(&[&edge])).contains("C16"));
    for (id, line) in [
        ("C01", GOOD.replace("; Secure", "")),
        ("C02", GOOD.replace("; HttpOnly", "")),
        ("C03", GOOD.replace("; SameSite=Lax", "")),
        ("C03", GOOD.replace("Lax", "Sometimes")),
        ("C04", GOOD.replace("Lax", "None")),
        ("C05", format!("{GOOD}; Domain=shop.example").replace("__Host-Http-", "__Secure-")),
        ("C07", GOOD.replace("; Path=/", "")),
        ("C07", GOOD.replace("__Host-Http-", "__host-")),
        ("C08", GOOD.replace("__Host-Http-", "")),
        ("C09", format!("{GOOD}; Partitioned")),
        ("C12", format!("{GOOD}; Secure")),
        ("C12", format!("{GOOD}; HttpsOnly")),
        ("C13", GOOD.replace("q8Z", "q 8Z")),
        ("C13", GOOD.replace("__Host-Http-session=", "")),
        ("C14", format!("{GOOD}; Expires=tomorrow")),
        ("C14", format!("{GOOD}; Max-Age=+60")),
        ("C14", format!("{GOOD}; Max-Age=60; Expires=Fri, 01 Jan 2027 00:00:00 GMT")),
        ("C14", format!("{GOOD}, other=1; Path=/")),
        ("C15", format!("{GOOD}; Domain=other.example")),
        ("C15", format!("{GOOD}; Domain=.shop.example").replace("__Host-Http-", "__Secure-")),
        ("C16", long),
        ("C16", wide),
        ("I01", GOOD.replace(TOKEN, "deadbeef12345678")),
        ("I04", GOOD.replace(TOKEN, "eyJ1c2VyIjo3fQ")),
        ("I06", GOOD.replace("session=", "sessionid=")),
        (
            "I07",
            GOOD.replace(
                TOKEN,
                "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
            eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.\
            SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
            ),
        ),
        ("T05", format!("{GOOD}; Max-Age=2592001")),
        ("G02", GOOD.replace("session=q8Zr31LkP0vTn5YxBm2Wgk", "x=1")),
    ] {
        let found = broken(home(&[&line]));

        assert!(found.contains(id), "{id}: {line}: {found:?}");
    }
}

#[test]
fn a_session_matters_more_than_another_cookie() {
    let plain = |name: &str| answer("C01", home(&[&format!("{name}={TOKEN}; HttpOnly")]));

    assert_eq!(worst(&plain("sessionid")), Some(Severity::High));
    assert_eq!(worst(&plain("basket")), Some(Severity::Medium));
}

#[test]
fn what_no_cookie_can_show_is_not_decided() {
    for id in ["C01", "C02", "C07", "C17", "I01", "I02", "I03", "I05", "I07", "H02", "T05"] {
        let answer = answer(id, home(&[]));

        assert!(matches!(answer, Answer::NotDecided { .. }), "{id}: {answer:?}");
    }
}

#[test]
fn one_name_for_two_paths_and_one_name_twice_are_two_things() {
    let other = GOOD.replace("__Host-Http-", "__Secure-");
    let below = other.replace("Path=/", "Path=/admin");
    let twice = home(&[GOOD, GOOD]);
    let apart = vec![
        page("https://shop.example/", &[&other]),
        page("https://shop.example/admin/", &[&below]),
    ];

    assert_eq!(broken(twice), BTreeSet::from(["C11"]));
    assert_eq!(broken(apart), BTreeSet::from(["C06"]));
}

#[test]
fn cookies_are_counted_and_weighed_together() {
    let cookies = |count: usize, size: usize| -> Vec<Exchange> {
        let line = |n| format!("c{n:03}={}; Secure; HttpOnly; SameSite=Lax", "x".repeat(size));
        let lines: Vec<String> = (0..count).map(line).collect();
        home(&lines.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let at = |count, size| worst(&answer("C17", cookies(count, size)));

    assert_eq!(at(50, 1), None);
    assert_eq!(at(51, 1), Some(Severity::Low));
    assert_eq!(at(4, 1017), None);
    assert_eq!(at(4, 1018), Some(Severity::Info));
    assert_eq!(at(4, 2042), Some(Severity::Low));
}

#[test]
fn plain_http_is_judged_where_visitors_use_it() {
    let local = vec![page("http://localhost:3000/", &[GOOD])];
    let public = vec![page("http://shop.example/", &[GOOD])];

    assert!(matches!(answer("C10", local.clone()), Answer::NotDecided { .. }));
    assert_eq!(worst(&answer("C18", local)), Some(Severity::Info));
    assert_eq!(worst(&answer("C10", public.clone())), Some(Severity::High));
    assert_eq!(worst(&answer("C18", public)), Some(Severity::Medium));
}

#[test]
fn strict_transport_lasts_a_year() {
    let at = |value: &str| {
        let mut page = Exchange::new("GET", "https://shop.example/", 200, NOW).unwrap();
        page.response.push("Strict-Transport-Security", value);
        answer("H04", vec![page])
    };

    assert!(matches!(at("max-age=31536000; includeSubDomains"), Answer::Holds { .. }));
    assert!(matches!(at("max-age=31535999"), Answer::Broken(_)));
    assert!(matches!(at("includeSubDomains"), Answer::Broken(_)));
}

#[test]
fn a_session_from_a_cache_is_critical() {
    let at = |header: (&str, &str)| {
        let mut page = Exchange::new("GET", "https://shop.example/", 200, NOW).unwrap();
        page.response.push("Set-Cookie", GOOD);
        page.response.push(header.0, header.1);
        worst(&answer("H02", vec![page]))
    };

    assert_eq!(at(("Cache-Control", "private, no-store")), None);
    assert_eq!(at(("Age", "0")), Some(Severity::Medium));
    assert_eq!(at(("Age", "7")), Some(Severity::Critical));
    assert_eq!(at(("X-Cache", "HIT from edge")), Some(Severity::Critical));
}

#[test]
fn a_token_is_found_in_addresses_bodies_and_scripts() {
    let with_body = |body: &str| {
        let mut page = page("https://shop.example/", &[GOOD]);
        page.keep_body(body.as_bytes());
        broken(vec![page])
    };

    let linked = with_body(&format!("<a href='/next?s={TOKEN}'>next</a>"));
    assert!(linked.contains("U01") && linked.contains("U02"), "{linked:?}");
    let parameter = with_body("<a href='/x;jsessionid=0123456789ABCDEF0123'>x</a>");
    assert_eq!(parameter, BTreeSet::from(["U01"]));
    let stored = with_body("<script>localStorage.setItem('authToken', t)</script>");
    assert_eq!(stored, BTreeSet::from(["H05"]));
    assert_eq!(with_body("<a href='/x?page=2'>x</a> <p>token</p>"), BTreeSet::new());
}

#[test]
fn a_first_visit_is_one_without_cookies() {
    let first = |line: &str| {
        let mut page = Exchange::new("GET", "https://shop.example/", 200, NOW).unwrap();
        page.response.push("Set-Cookie", line);
        vec![page]
    };

    assert_eq!(worst(&answer("G01", first("_ga=1"))), Some(Severity::Medium));
    assert_eq!(worst(&answer("G01", first("theme=dark"))), Some(Severity::Low));
    assert!(matches!(answer("G01", first(GOOD)), Answer::Holds { .. }));
    assert_eq!(worst(&answer("G03", first(GOOD))), Some(Severity::Info));
    assert!(matches!(answer("G03", home(&[GOOD])), Answer::NotDecided { .. }));
    assert!(matches!(answer("G03", first("theme=dark")), Answer::Holds { .. }));
    let unknown = first("shelf=dpmi04lhlrvqufcahp6evj9vqp");
    assert!(matches!(answer("G03", unknown), Answer::NotDecided { .. }), "it may be a session");
}

#[test]
fn strangers_are_compared() {
    let given = |tokens: &[String]| -> Vec<Exchange> {
        let give = |token: &String| {
            let mut page = page("https://shop.example/", &[&GOOD.replace(TOKEN, token)]);
            page.probe = Probe::Stranger;
            page
        };
        tokens.iter().map(give).collect()
    };
    let counted = |count: u32| -> Vec<String> { (0..count).map(|n| format!("{n:032x}")).collect() };

    assert_eq!(worst(&answer("I02", given(&counted(20)))), Some(Severity::High));
    assert!(matches!(answer("I02", given(&counted(19))), Answer::NotDecided { .. }));
    assert!(matches!(answer("I03", given(&counted(2))), Answer::Holds { .. }));
    let same = vec![TOKEN.to_owned(); 20];
    assert_eq!(worst(&answer("I03", given(&same))), Some(Severity::Critical));
    assert!(matches!(answer("I02", given(&same)), Answer::NotDecided { .. }), "they are one token");
}

#[test]
fn a_planted_cookie_may_neither_break_the_page_nor_come_back() {
    let asked = |status: u16, body: &str| {
        let mut hostile = Exchange::new("GET", "https://shop.example/", status, NOW).unwrap();
        hostile.probe = Probe::Hostile;
        hostile.keep_body(body.as_bytes());
        let [before, after] = [home(&[GOOD]), home(&[GOOD])];
        worst(&answer("I05", [before, vec![hostile; 2], after].concat()))
    };

    assert_eq!(asked(200, "hello"), None);
    assert_eq!(asked(400, "no"), None);
    assert_eq!(asked(500, "oh"), Some(Severity::Medium));
    assert_eq!(asked(200, &format!("hello {MARK}")), Some(Severity::Medium));
}

#[test]
fn a_replay_of_a_planted_cookie_has_its_octets() {
    for (planted, shown) in [
        (
            b"id=\xff'\\x".to_vec(),
            Some(r"curl -si -H $'Cookie: id=\xff\x27\x5cx' 'https://shop.example/'"),
        ),
        (
            vec![b'a'; 200],
            Some(&*format!("curl -si -H $'Cookie: {}' 'https://shop.example/'", "a".repeat(200))),
        ),
        (vec![b'a'; 201], None),
    ] {
        let mut hostile = Exchange::new("GET", "https://shop.example/", 500, NOW).unwrap();
        hostile.probe = Probe::Hostile;
        hostile.request.push("Cookie", planted);

        let found = answer("I05", [home(&[GOOD]), vec![hostile; 2], home(&[GOOD])].concat());

        let replay = &found.findings()[0].evidence[0].replay;
        assert_eq!(shown.is_some_and(|shown| shown == replay), shown.is_some(), "{replay}");
    }
}

#[test]
fn what_was_planted_counts_for_nothing_else() {
    let mut hostile = Exchange::new("GET", "https://shop.example/", 200, NOW).unwrap();
    hostile.probe = Probe::Hostile;
    hostile.request.push("Cookie", vec![b'x'; 9_000]);
    hostile.response.push("Strict-Transport-Security", "max-age=63072000");
    hostile.response.push("Set-Cookie", "session=short");

    let found = broken([home(&[GOOD]), vec![hostile], home(&[GOOD])].concat());

    assert_eq!(found, BTreeSet::new());
}

#[test]
fn an_error_that_everybody_gets_is_nobodys_cookies_fault() {
    let visit = |status: u16, probe| {
        let mut page = Exchange::new("GET", "https://shop.example/", status, NOW).unwrap();
        page.probe = probe;
        page
    };
    for (before, first, second, after) in
        [(200, 500, 500, 503), (503, 500, 500, 200), (500, 500, 500, 500), (200, 500, 200, 200)]
    {
        let down = vec![
            visit(before, Probe::Visit),
            visit(first, Probe::Hostile),
            visit(second, Probe::Hostile),
            visit(after, Probe::Stranger),
        ];

        let answer = answer("I05", down);

        assert!(!matches!(answer, Answer::Broken(_)), "{before} {after}: {answer:?}");
    }
}

#[test]
fn no_answer_and_no_debug_output_shows_a_secret() {
    let secret = "q8Zr31LkP0vTn5YxBm2WgkHidden";
    let mut page = page(&format!("https://shop.example/?token={secret}"), &[]);
    page.request.push("Cookie", format!("session={secret}"));
    page.response.push("Set-Cookie", format!("session={secret}; Domain=.shop.example"));
    page.response.push("Location", format!("/next?sid={secret}"));
    page.keep_body(secret.as_bytes());
    let observed = Observed::new(vec![page], Declared::default());

    let answers: Vec<Answer> = RULES.iter().map(|rule| rule.judge(&observed)).collect();

    let shown = format!("{answers:?} {observed:?}");
    assert!(answers.iter().any(|answer| !answer.findings().is_empty()));
    assert!(!shown.contains(&secret[4..]), "{shown}");
}

#[test]
fn other_sites_are_counted_and_not_judged() {
    let exchanges =
        vec![page("https://shop.example/", &[GOOD]), page("https://ads.example/", &["_ga=1"])];

    let observed = Observed::new(exchanges, Declared::default());

    assert_eq!((observed.exchanges().len(), observed.elsewhere()), (1, 1));
}

#[test]
fn the_list_is_complete_in_every_row() {
    let ids: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();

    assert_eq!(ids.len(), RULES.len(), "an id stands there twice");
    for rule in &RULES {
        for text in [rule.what, rule.why, rule.how] {
            assert!(text.ends_with('.'), "{}: {text}", rule.id);
        }
        let remedies = rule.remedies.all();
        assert!(remedies.iter().all(|(_, remedy)| !remedy.is_empty()), "{}", rule.id);
        assert!(!rule.title.is_empty() && !rule.source.is_empty(), "{}", rule.id);
    }
}

#[test]
fn the_page_of_the_rules_says_what_the_list_says() {
    let page = include_str!("../../../docs/audit-rules.md");

    let current = page == cloakroom_audit::rules_page();

    assert!(current, "write it anew: cargo run -q -p cloakroom-audit --example rules_page");
}
