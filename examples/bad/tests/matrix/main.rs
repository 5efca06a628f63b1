//! Every rule against the application with its switch on, and off.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

mod inside;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bad::{Bad, ROWS, Switches};
use cloakroom_audit::{
    Answer, Ask, Declared, Exchange, Observed, Pace, Probe, RULES, Site, Visitor, rule,
};
use inside::Inside;

const ORIGIN: &str = "https://bad.test";

fn site(switches: Switches) -> Site<Inside> {
    let inside = Inside::new(|clock| {
        let clock = move || clock.load(Ordering::Relaxed);
        bad::Site::new(switches).at(ORIGIN).clock(clock).router()
    });
    let mut site = Site::new(inside, ORIGIN, Pace { gap: Duration::ZERO, most: 10_000 }).unwrap();
    site.allow("http://bad.test").unwrap();
    site
}

fn hidden(page: &Exchange) -> String {
    let body = String::from_utf8_lossy(page.body()).into_owned();
    let found = body.split_once("name=\"form_token\" value=\"").map(|(_, rest)| rest);
    found.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

async fn walk(site: &Site<Inside>) {
    let at = |path: &str| format!("{ORIGIN}{path}");
    let mut visitor: Visitor<'_, _> = site.visitor();
    let mut token = String::new();
    for path in ["/", "/about", "/news", "/cart", "/login"] {
        token = hidden(&visitor.go(&Ask::get(&at(path))).await.unwrap());
    }
    let form = [("name", "ada"), ("password", "analytical engine"), ("form_token", token.as_str())];
    visitor.follow(&Ask::form(&at("/login"), &form)).await.unwrap();
    let page = visitor.go(&Ask::get(&at("/account"))).await.unwrap();
    assert_eq!(page.status(), 200, "nobody is signed in");
    let token = hidden(&page);
    visitor.follow(&Ask::form(&at("/cart/add"), &[("form_token", &token)])).await.unwrap();
    visitor.follow(&Ask::form(&at("/logout"), &[("form_token", &token)])).await.unwrap();
    for _ in 0..30 {
        let mut stranger = site.visitor().because(Probe::Stranger);
        stranger.go(&Ask::get(&at("/"))).await.unwrap();
    }
    let mut plain = site.visitor().because(Probe::Plain);
    plain.go(&Ask::get("http://bad.test/")).await.unwrap();
    let planted = format!("__Host-Http-session={}!\"", cloakroom_audit::MARK);
    let hostile = Ask::get(&at("/")).header("Cookie", planted);
    site.visitor().because(Probe::Hostile).go(&hostile).await.unwrap();
}

async fn broken(switches: Switches) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let site = site(switches);
    walk(&site).await;
    let observed = Observed::new(site.exchanges(), Declared::default());
    let (mut broken, mut open) = (BTreeSet::new(), BTreeSet::new());
    for rule in &RULES {
        match rule.judge(&observed) {
            Answer::Broken(_) => broken.insert(rule.id),
            Answer::NotDecided { .. } => open.insert(rule.id),
            Answer::Holds { .. } => false,
        };
    }
    (broken, open)
}

#[tokio::test]
async fn each_switch_breaks_its_rule_and_no_other() {
    let (found, open) = broken(Switches::none()).await;
    println!("good: {found:?}, open: {open:?}");
    let mut wrong = Vec::new();
    for row in ROWS.iter().filter(|row| rule(row.id).is_some()) {
        let switches = Switches::of([row.bad]);
        let mut expected: BTreeSet<&str> = switches.rows().map(|row| row.id).collect();
        expected.extend(
            switches
                .rows()
                .flat_map(|row| row.along)
                .map(|(id, _)| *id)
                .filter(|id| rule(id).is_some()),
        );
        let (found, _) = broken(switches).await;
        if found != expected {
            wrong.push(format!("{}: {found:?} instead of {expected:?}", row.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let _ = Bad::C01;
}
