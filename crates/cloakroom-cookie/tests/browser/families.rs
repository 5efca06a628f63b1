//! The table of the families in the documentation of `browser`, row by row.

use crate::start::{NOW, at, sent, top, typed};
use cloakroom_cookie::browser::{Browser, Family, Jar, Request};
use std::time::Duration;

const SHOP: &str = "https://a.test/";

/// The beginning of a row, and what a family does.
type Row = (&'static str, fn(Browser) -> String);

const ROWS: [Row; 19] = [
    ("no `SameSite` counts as", unset),
    ("`SameSite=None` needs `Secure`", |b| yes(!keeps(b, SHOP, "x=1; SameSite=None"))),
    ("`http` and `https` are two sites", |b| {
        let link = Request::navigation(at(SHOP), &top("http://a.test/"));
        yes(carried(b, "x=1; SameSite=Strict", &link).is_empty())
    }),
    ("a detour over another site counts", |b| {
        let link = Request::navigation(at(SHOP), &top(SHOP)).redirected_by([at("https://b.test/")]);
        yes(carried(b, "x=1; SameSite=Strict", &link).is_empty())
    }),
    ("`Secure` cookies on `http://localhost`", |b| {
        yes(keeps(b, "http://localhost/", "x=1; Secure"))
    }),
    ("`__Http-`, `__Host-Http-`", |b| {
        let all = !keeps(b, SHOP, "__Http-x=1; Secure");
        assert!(!keeps(b, SHOP, "__Host-Http-x=1; Secure; HttpOnly"));
        if all { "yes" } else { "only as `__Host-`" }.to_owned()
    }),
    ("third-party cookies", third_party),
    ("cookies of a script live at most", |b| {
        let verdict = b.judge_script(&top(SHOP), b"x=1; Max-Age=99999999", NOW);
        let end = verdict.cookie().and_then(|cookie| cookie.expires()).unwrap();
        format!("{} days", (end - NOW) / 86_400)
    }),
    ("TAB inside a name, a value or an attribute", |b| {
        assert_eq!(keeps(b, SHOP, "x\ty=1"), keeps(b, SHOP, "x=1\t1"));
        match (keeps(b, SHOP, "x=1\t1"), keeps(b, SHOP, "x=1; Path=/\t1")) {
            (true, true) => "kept",
            (true, false) => "kept, but for `Path`",
            (false, _) => "refused",
        }
        .to_owned()
    }),
    ("a `Domain` of one dot", |b| ignored(keeps(b, SHOP, "x=1; Domain=."))),
    ("an IP address as its own `Domain`", |b| {
        let verdict = b.judge(b"x=1; Domain=127.0.0.1", &at("http://127.0.0.1/"), NOW);
        let bound = verdict.cookie().is_some_and(|cookie| cookie.is_host_only());
        if bound { "ignored" } else { "a `Domain`" }.to_owned()
    }),
    ("a value without a name, with a `=` in it", |b| kept(keeps(b, SHOP, "=a=b"))),
    ("`Max-Age=+60`", |b| {
        let verdict = b.judge(b"x=1; Max-Age=+60", &at(SHOP), NOW);
        match verdict.cookie().and_then(|cookie| cookie.expires()) {
            Some(end) => format!("{} seconds", end - NOW),
            None => "ignored".to_owned(),
        }
    }),
    ("`Expires`", |b| {
        let verdict = b.judge(b"x=1; Expires=15 Jun 2027 04:05:06Z", &at(SHOP), NOW);
        let read = verdict.cookie().and_then(|cookie| cookie.expires()).is_some();
        if read { "as written" } else { "its own way" }.to_owned()
    }),
    ("an `Expires` or `Max-Age` that cannot be read", |b| {
        let verdict = b.judge(b"x=1; Max-Age=60; Max-Age=x", &at(SHOP), NOW);
        yes(verdict.cookie().and_then(|cookie| cookie.expires()).is_none())
    }),
    ("a `Domain` beyond ASCII", |b| {
        let line = "x=1; Domain=b\u{fc}cher.test";
        let stored = keeps(b, "https://xn--bcher-kva.test/", line);
        if stored { "counts as its A-labels" } else { "refused" }.to_owned()
    }),
    ("a `Domain` above the host's site", |b| {
        kept(keeps(b, "https://a.b.kawasaki.jp/", "x=1; Domain=kawasaki.jp"))
    }),
    ("a cookie set again with another value", |b| {
        let mut jar = Jar::new(b, NOW);
        assert!(jar.receive(&typed(SHOP), b"x=1").is_stored());
        jar.advance(Duration::from_secs(1));
        assert!(jar.receive(&typed(SHOP), b"x=2").is_stored());
        let created = jar.cookies().next().map(|cookie| cookie.created());
        if created == Some(NOW) { "keeps its age" } else { "is new" }.to_owned()
    }),
    ("cookies of a site in one partition", |b| {
        let mut jar = Jar::new(b, NOW);
        for number in 0..4 {
            let line = format!("x{number}={}; Secure; Partitioned", "v".repeat(4000));
            let _ = jar.receive(&typed(SHOP), line.as_bytes());
        }
        if jar.cookies().len() == 4 { "like others" } else { "180, and 10 KiB" }.to_owned()
    }),
];

#[test]
fn every_family_does_what_its_column_says() {
    let source = include_str!("../../src/browser.rs");

    for (name, told) in ROWS {
        let start = format!("//! | {name}");
        let row = source.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| {
            panic!("the table has no row {name}");
        });
        let cells: Vec<_> =
            row.split(" | ").skip(2).map(|cell| cell.trim_end_matches(" |")).collect();
        let expected: Vec<_> = Family::ALL.map(|family| told(Browser::of(family))).to_vec();
        assert_eq!(cells, expected, "{name}");
    }
}

fn keeps(browser: Browser, address: &str, line: &str) -> bool {
    browser.judge(line.as_bytes(), &at(address), NOW).is_stored()
}

fn carried(browser: Browser, line: &str, request: &Request) -> String {
    let mut jar = Jar::new(browser, NOW);
    assert!(jar.receive(&typed(SHOP), line.as_bytes()).is_stored());
    sent(&mut jar, request)
}

fn unset(browser: Browser) -> String {
    let form = Request::navigation(at(SHOP), &top("https://b.test/")).method("POST");
    let mut jar = Jar::new(browser, NOW);
    assert!(jar.receive(&typed(SHOP), b"x=1").is_stored());
    let early = !sent(&mut jar, &form).is_empty();
    jar.advance(Duration::from_secs(121));
    let late = !sent(&mut jar, &form).is_empty();
    match (early, late) {
        (_, true) => "unrestricted",
        (true, false) => "`Lax`, looser for 2 minutes",
        (false, false) => "`Lax`",
    }
    .to_owned()
}

fn third_party(browser: Browser) -> String {
    let on = |site: &str| Request::embedded(at(SHOP), &top(site));
    let mut jar = Jar::new(browser, NOW);
    if !jar.receive(&on("https://b.test/"), b"x=1; Secure; SameSite=None").is_stored() {
        return "blocked".to_owned();
    }
    let shared = !sent(&mut jar, &on("https://c.test/")).is_empty();
    if shared { "allowed" } else { "separated" }.to_owned()
}

fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

fn kept(is_kept: bool) -> String {
    if is_kept { "kept" } else { "refused" }.to_owned()
}

fn ignored(is_kept: bool) -> String {
    if is_kept { "ignored" } else { "refused" }.to_owned()
}
