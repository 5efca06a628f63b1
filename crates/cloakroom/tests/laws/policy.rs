//! L12: contradictions do not start, and the message says why and what to do.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cloakroom::store::Limit;
use cloakroom::{Assurance, Builder, Sessions, SignIn};

use crate::support::*;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn rules() -> Builder<Shop> {
    Sessions::builder(TestStore::default()).dangerous_sessions_end_with_the_process()
}

type Change = fn(Builder<Shop>) -> Builder<Shop>;
type Row = (&'static str, Change, &'static [&'static str]);

const CONTRADICTIONS: &[Row] = &[
    ("no idle time", |r| r.idle_timeout(Duration::ZERO), &["idle", "at least"]),
    (
        "idle longer than absolute",
        |r| r.idle_timeout(seconds(2 * HOUR)).absolute_timeout(seconds(HOUR)),
        &["idle", "absolute", "shorten"],
    ),
    (
        "an assurance level and a shorter absolute timeout",
        |r| r.assurance(Assurance::Aal1).absolute_timeout(seconds(HOUR)),
        &["idle", "absolute"],
    ),
    (
        "touch coarser than a tenth of idle",
        |r| r.idle_timeout(seconds(100)).touch_every(seconds(11)),
        &["tenth", "touch_every"],
    ),
    (
        "remember shorter than absolute",
        |r| r.remember_for(seconds(HOUR)),
        &["remember", "absolute", "lengthen"],
    ),
    (
        "remember longer than browsers do",
        |r| r.remember_for(seconds(401 * DAY)),
        &["400 days", "shorten"],
    ),
    (
        "absolute longer than browsers keep a cookie",
        |r| r.absolute_timeout(seconds(401 * DAY)),
        &["400 days", "absolute"],
    ),
    ("grace longer than its cap", |r| r.renewal_grace(seconds(30), seconds(20)), &["recognised"]),
    ("a cap of an hour", |r| r.renewal_grace(seconds(20), seconds(HOUR)), &["recognised", "600s"]),
    ("renewal faster than the grace", |r| r.renew_every(seconds(MINUTE)), &["renew_every"]),
    (
        "renewal all the time",
        |r| r.renewal_grace(Duration::ZERO, Duration::ZERO).renew_every(Duration::ZERO),
        &["renew_every"],
    ),
    (
        "renewal faster than the clock ticks",
        |r| r.renewal_grace(Duration::ZERO, Duration::ZERO).renew_every(Duration::from_micros(500)),
        &["renew_every"],
    ),
    ("no time for the store", |r| r.store_wait(Duration::ZERO), &["store_wait"]),
    ("no session per user", |r| r.per_user(Limit::keep_newest(0)), &["at least 1"]),
    ("no name", |r| r.name(""), &["cookie"]),
    ("a name with a blank", |r| r.name("my shop"), &["cookie"]),
    ("a name with a separator", |r| r.name("a;b"), &["cookie"]),
    ("a name that fills the cookie", |r| r.name("n".repeat(5_000)), &["cookie"]),
    ("strict and embedded", |r| r.same_site_strict().embedded(), &["same_site_strict"]),
    ("embedded over plain http", |r| r.embedded().dangerous_plain_http_cookie(), &["Secure"]),
    (
        "a domain over plain http",
        |r| r.shared_domain("shop.example").dangerous_plain_http_cookie(),
        &["shared_domain"],
    ),
    ("a domain that everybody shares", |r| r.shared_domain("com"), &["domain"]),
    ("a domain that is an address", |r| r.shared_domain("192.0.2.1"), &["domain"]),
    ("no domain", |r| r.shared_domain(""), &["domain"]),
    ("an origin without a scheme", |r| r.trusted_origin("pay.example"), &["origin", "https://"]),
    ("an origin with a path", |r| r.trusted_origin("https://pay.example/x"), &["origin", "path"]),
    ("an origin with a slash", |r| r.own_origin("https://shop.example/"), &["origin", "path"]),
    ("every origin", |r| r.trusted_origin("*"), &["origin"]),
    ("no origin", |r| r.trusted_origin("null"), &["origin"]),
    ("an exemption without a reason", |r| r.exempt("/hook", " "), &["/hook", "reason"]),
    ("an exemption of no path", |r| r.exempt("hook", "signed"), &["begins with /"]),
    ("a sign-in page that is no path", |r| r.sign_in(SignIn::Redirect("login".into())), &["sign"]),
    ("a sign-in page on two lines", |r| r.sign_in(SignIn::Redirect("/a\nb".into())), &["sign"]),
    ("several processes on this store", Builder::several_processes, &["test", "process"]),
    ("several machines on this store", Builder::several_machines, &["test", "process"]),
];

#[test]
fn every_contradiction_is_refused_with_its_reason() {
    let mut wrong = Vec::new();
    for (what, change, words) in CONTRADICTIONS {
        match change(rules()).build() {
            Ok(_) => wrong.push(format!("{what}: it starts")),
            Err(error) => {
                let text = error.to_string();
                assert_eq!(format!("{error:?}"), text, "main shows the message");
                let lower = text.to_lowercase();
                for word in words.iter().filter(|word| !lower.contains(&word.to_lowercase())) {
                    wrong.push(format!("{what}: no word of `{word}` in `{text}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_store_that_forgets_has_to_be_accepted() {
    let refused = Sessions::<Shop>::builder(TestStore::default()).build().unwrap_err().to_string();

    assert!(refused.contains("dangerous_sessions_end_with_the_process"), "{refused}");
}

#[test]
fn what_is_sensible_starts() {
    let rows: &[Change] = &[
        |r| r,
        |r| r.assurance(Assurance::Aal1),
        |r| r.assurance(Assurance::Aal2),
        |r| r.assurance(Assurance::Aal3),
        |r| r.idle_timeout(seconds(10)),
        |r| r.idle_timeout(seconds(12 * HOUR)),
        |r| r.idle_timeout(seconds(100)).touch_every(seconds(10)),
        |r| r.remember_for(seconds(400 * DAY)),
        |r| r.absolute_timeout(seconds(90 * DAY)),
        |r| r.renew_every(seconds(10 * MINUTE)),
        |r| r.per_user(Limit::keep_newest(1)),
        |r| r.own_origin("https://shop.example:8443").trusted_origin("http://localhost:3000"),
        |r| r.sign_in(SignIn::Redirect("/login?from=shop".into())),
        |r| r.name("shop").same_site_strict(),
        |r| r.exempt("/hooks/pay", "each request is signed"),
    ];
    for (n, change) in rows.iter().enumerate() {
        change(rules()).build().unwrap_or_else(|error| panic!("row {n}: {error}"));
    }
}

#[test]
fn a_default_and_the_same_value_said_are_judged_alike() {
    let limited = || rules().per_user(Limit::refuse_beyond(3));

    let said = limited().remember_for(cloakroom::REMEMBER).build();

    assert_eq!(limited().build().is_ok(), said.is_ok());
}

#[tokio::test]
async fn the_assurance_levels_are_what_they_say() {
    for (level, idle, absolute) in [
        (Assurance::Aal1, 30 * DAY, 30 * DAY),
        (Assurance::Aal2, HOUR, DAY),
        (Assurance::Aal3, 15 * MINUTE, 12 * HOUR),
    ] {
        let house = House::ruled(|rules| rules.assurance(level));
        let browser = house.user("ada").await;
        let times = *house.sessions.list("ada").await.unwrap()[0].times();
        assert_eq!(times.idle_deadline.as_secs() - START, idle);
        assert_eq!(times.absolute_deadline.as_secs() - START, absolute);

        house.seconds(idle - 1);
        assert_eq!(browser.body("/who").await, "ada password");
        house.seconds(absolute);
        assert_eq!(browser.body("/who").await, "nobody");
    }
}

#[tokio::test]
async fn an_origin_is_compared_as_browsers_write_it() {
    let house = House::ruled(|rules| rules.trusted_origin("https://PAY.example:443"));
    let browser = house.user("ada").await;

    let headers = [("sec-fetch-site", "cross-site"), ("origin", "https://pay.example")];
    let reply = browser.send_with(Method::POST, "/edit", &headers).await;

    assert_eq!(reply.status, StatusCode::OK);
}

#[test]
fn what_is_weaker_than_the_default_is_listed() {
    let none = rules().build().unwrap().weaknesses().to_vec();
    let rows: &[(Change, &str)] = &[
        (|r| r.shared_domain("shop.example"), "domain"),
        (Builder::dangerous_plain_http_cookie, "secure"),
        (Builder::embedded, "samesite"),
        (|r| r.exempt("/hooks", "each request is signed"), "/hooks"),
        (|r| r.trusted_origin("https://pay.example"), "pay.example"),
    ];

    let mut wrong = Vec::new();
    for (change, word) in rows {
        let all = change(rules()).build().unwrap().weaknesses().to_vec();
        let new: Vec<_> = all.iter().filter(|text| !none.contains(text)).collect();
        if !new.iter().any(|text| text.to_lowercase().contains(word)) {
            wrong.push(format!("no word of `{word}` in {new:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
