//! The experiments of a login script, played against a site in this process.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

mod server;

use cloakroom_audit::{
    Answer, Declared, Experiment, Needs, Observed, Pace, Playing, RULES, Recognised, Scene, Script,
    Site, Step, play, rule,
};
use server::{Fault, ORIGIN, Server};
use std::collections::BTreeSet;
use std::time::Duration;

const SCRIPT: &str = r#"
origin = "https://shop.example"

[secrets]
password = "env:PASSWORD"

[login]
page = "/login"
form = { user = "ada", password = "{password}" }

[whoami]
path = "/account"
signed_in = { status = 200, contains = "Your account" }
signed_out = { status = 303, location = "/login" }

[logout]
page = "/account"
path = "/logout"

[change]
page = "/account"
path = "/count"
replayable = true

[change.read]
path = "/count"
json = "/count"

[slow]
page = "/account"
path = "/report"
replayable = true
"#;

fn script(text: &str) -> Script {
    Script::read(text, |_| Some("correct horse".to_owned())).unwrap()
}

fn site(faults: &[Fault]) -> Site<Server> {
    Site::new(Server::new(faults), ORIGIN, Pace { gap: Duration::from_millis(10), most: 5_000 })
        .unwrap()
}

async fn scenes(text: &str, faults: &[Fault]) -> Vec<Scene> {
    play(&site(faults), &script(text), None, |_| ()).await
}

/// The rules about signed-in users that are broken, and those that are decided.
async fn judged(text: &str, faults: &[Fault]) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let observed =
        Observed::new(Vec::new(), Declared::default()).with_scenes(scenes(text, faults).await);
    let (mut broken, mut decided) = (BTreeSet::new(), BTreeSet::new());
    for rule in RULES.iter().filter(|rule| rule.needs == Needs::Login) {
        match rule.judge(&observed) {
            Answer::Broken(_) => {
                broken.insert(rule.id);
                decided.insert(rule.id);
            }
            Answer::Holds { .. } => {
                decided.insert(rule.id);
            }
            Answer::NotDecided { .. } => {}
        }
    }
    (broken, decided)
}

fn set(ids: &[&'static str]) -> BTreeSet<&'static str> {
    ids.iter().copied().collect()
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_right_breaks_no_rule_but_the_number_of_sessions() {
    let (broken, decided) = judged(SCRIPT, &[]).await;

    // Nothing counts sessions here.
    assert_eq!(broken, set(&["M01"]));
    let expected = set(&[
        "F01", "F02", "F03", "F04", "F06", "F07", "T04", "O01", "O02", "O03", "O04", "O05", "O06",
        "O08", "M01", "M02", "X01", "X02", "X03", "X04", "X05", "X07", "X08", "H03", "H06", "S01",
        "S02", "S03", "S04", "S05", "S06", "S07",
    ]);
    let missing: Vec<_> = expected.difference(&decided).collect();
    assert_eq!(missing, [&"X05"], "X05 takes a second user");
}

#[tokio::test(start_paused = true)]
async fn each_fault_breaks_its_rules_and_no_others() {
    for (fault, expected) in [
        (Fault::OutlivesSignOut, set(&["M01", "O01"])),
        // Its login page gives a new token to whoever comes with an unknown one.
        (Fault::KeepsToken, set(&["M01", "F01", "S03"])),
        (Fault::TakesFromAnywhere, set(&["M01", "X01", "X02", "X03"])),
        (Fault::LosesUpdates, set(&["M01", "S01"])),
        (Fault::BringsBack, set(&["M01", "S02"])),
        (Fault::FirstTwinCounts, set(&["M01", "S04"])),
    ] {
        let (broken, _) = judged(SCRIPT, &[fault]).await;

        assert_eq!(broken, expected, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_that_cannot_be_told_apart_decides_nothing() {
    for fault in [Fault::AlwaysOk, Fault::NoLogin, Fault::FallsSilent, Fault::Breaks] {
        let played = scenes(SCRIPT, &[fault]).await;

        let observed = Observed::new(Vec::new(), Declared::default()).with_scenes(played);
        for rule in RULES.iter().filter(|rule| rule.needs == Needs::Login) {
            let answer = rule.judge(&observed);
            assert!(
                matches!(answer, Answer::NotDecided { .. }),
                "{fault:?}: {}: {answer:?}",
                rule.id
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_proves_nothing_where_nobody_is_let_in_any_more() {
    let (_, decided) = judged(SCRIPT, &[Fault::LocksLogin]).await;

    assert!(!decided.contains("F04") && !decided.contains("X07"), "{decided:?}");
}

#[tokio::test(start_paused = true)]
async fn cookies_that_end_the_session_when_they_are_parted_are_found_to_be_it() {
    let (_, decided) = judged(SCRIPT, &[Fault::EndsWhenParted]).await;

    let expected = set(&["F01", "F02", "F07", "T04", "O02", "O04", "M02"]);
    let missing: Vec<_> = expected.difference(&decided).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_in_the_cookie_keeps_the_last_of_many_changes() {
    let played = scenes(SCRIPT, &[Fault::KeepsDataInCookie]).await;

    let observed = Observed::new(Vec::new(), Declared::default()).with_scenes(played);
    let Answer::Broken(findings) = rule("S01").unwrap().judge(&observed) else { panic!() };
    assert_eq!(findings[0].seen, "of 20 changes that were acknowledged 1 were kept");
}

#[tokio::test(start_paused = true)]
async fn a_change_from_elsewhere_is_seen_where_the_session_is_the_cookie_itself() {
    let faults = [Fault::KeepsDataInCookie, Fault::TakesFromAnywhere];

    let (broken, _) = judged(SCRIPT, &faults).await;

    let expected = set(&["X01", "X02", "X03"]);
    assert!(broken.is_superset(&expected), "{broken:?}");
    let (broken, decided) = judged(SCRIPT, &[Fault::KeepsDataInCookie]).await;
    assert!(broken.is_disjoint(&expected) && decided.is_superset(&expected), "{broken:?}");
}

#[tokio::test(start_paused = true)]
async fn a_site_that_slows_logins_down_is_not_taken_for_one_that_refuses_foreign_ones() {
    let (broken, decided) = judged(SCRIPT, &[Fault::LimitsLogins]).await;

    assert_eq!(broken, set(&[]));
    assert!(decided.contains("F01"), "the first login works: {decided:?}");
    assert!(decided.is_disjoint(&set(&["X07", "F04", "M01"])), "{decided:?}");
}

#[tokio::test(start_paused = true)]
async fn a_site_that_loses_sessions_is_not_taken_for_one_that_counts_them() {
    let (broken, decided) = judged(SCRIPT, &[Fault::LosesSessions]).await;

    assert!(broken.contains("M01") || !decided.contains("M01"), "it counts nothing: {decided:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_signed_out_in_between_signs_in_again() {
    let (broken, decided) = judged(SCRIPT, &[Fault::SignsOutMidway]).await;

    assert_eq!(broken.difference(&set(&["M01"])).count(), 0, "{broken:?}");
    assert!(decided.len() >= 24, "{decided:?}");
}

#[tokio::test(start_paused = true)]
async fn a_login_that_fails_is_not_tried_without_end() {
    let site = site(&[Fault::NoLogin]);

    let played = play(&site, &script(SCRIPT), None, |_| ()).await;

    assert!(site.fetch().asked.get() <= 40, "{} requests", site.fetch().asked.get());
    let why = played.last().and_then(|scene| scene.stopped.clone()).unwrap();
    assert!(why.starts_with("the script does not sign in: "), "{why}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_changed_that_the_script_does_not_mark() {
    for text in [
        SCRIPT.replace("replayable = true", ""),
        SCRIPT.replace("replayable = true", "replayable = false"),
    ] {
        let site = site(&[Fault::TakesFromAnywhere]);

        let played = play(&site, &script(&text), None, |_| ()).await;

        assert_eq!(site.fetch().changes.get(), 0);
        let change = played.iter().find(|scene| scene.experiment == Experiment::NoProof).unwrap();
        assert!(change.stopped.as_ref().unwrap().contains("replayable"), "{:?}", change.stopped);
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_is_changed_only_where_the_script_says_so() {
    let change = "[password_change]\npath = '/count'\nform = { new = 'x' }\n";
    let site = site(&[Fault::TakesFromAnywhere]);

    let text = format!("{}{change}", SCRIPT.replace("replayable = true", ""));
    let played = play(&site, &script(&text), None, |_| ()).await;

    assert_eq!(site.fetch().changes.get(), 0);
    let why = played.last().and_then(|scene| scene.stopped.clone()).unwrap();
    assert!(why.contains("destructive"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn strangers_are_learnt_where_the_script_does_not_say_how_they_look() {
    let text = SCRIPT.replace("signed_out = { status = 303, location = \"/login\" }\n", "");

    let (broken, decided) = judged(&text, &[Fault::OutlivesSignOut]).await;

    assert_eq!(broken, set(&["M01", "O01"]));
    assert!(decided.contains("F01"));
}

#[tokio::test(start_paused = true)]
async fn changes_are_judged_without_a_number_where_they_can_be_told_apart() {
    let numberless = SCRIPT.replace("[change.read]\npath = \"/count\"\njson = \"/count\"\n", "");
    let with_sign =
        numberless.replace("[slow]", "lands = { status = 303, location = \"/account\" }\n\n[slow]");

    for text in [&numberless, &with_sign] {
        let (broken, decided) = judged(text, &[Fault::TakesFromAnywhere]).await;
        assert!(broken.is_superset(&set(&["X01", "X02", "X03"])), "{broken:?}");
        assert!(!decided.contains("S01"));
        let (broken, decided) = judged(text, &[]).await;
        assert_eq!(broken, set(&["M01"]));
        assert!(decided.is_superset(&set(&["X01", "X02", "X03"])), "{decided:?}");
        // A GET is answered with a page, of which nobody said that it is no success.
        assert_eq!(decided.contains("X04"), text == &with_sign);
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_first_login_is_in_the_log_and_progress_names_every_experiment() {
    let site = site(&[]);
    let mut ended = Vec::new();

    let played = play(&site, &script(SCRIPT), None, |playing| {
        if let Playing::Ended(scene) = playing {
            ended.push(scene.experiment);
        }
    })
    .await;

    assert!(site.exchanges().len() < 10, "{} exchanges", site.exchanges().len());
    assert!(site.exchanges().iter().any(|seen| seen.response.all("set-cookie").next().is_some()));
    assert_eq!(ended, played.iter().map(|scene| scene.experiment).collect::<Vec<_>>());
    let own: BTreeSet<_> = ended.iter().collect();
    assert_eq!(own.len(), ended.len(), "each once");
}

#[tokio::test(start_paused = true)]
async fn what_an_experiment_shows_holds_no_secret() {
    let played = scenes(SCRIPT, &[Fault::OutlivesSignOut]).await;
    let token = played
        .iter()
        .flat_map(|scene| &scene.takes)
        .filter_map(|take| take.exchange.as_ref())
        .find_map(|seen| {
            seen.request
                .text("cookie")
                .map(|field| field.trim_start_matches("__Host-sid=").to_owned())
        });
    let token = token.unwrap();

    let observed = Observed::new(Vec::new(), Declared::default()).with_scenes(played.clone());
    let answers: Vec<_> = RULES.iter().map(|rule| rule.judge(&observed)).collect();

    let told = format!("{answers:?} {played:?}");
    assert!(!told.contains(&token) && !told.contains("correct horse"), "{told}");
    assert!(rule("O01").unwrap().judge(&observed).as_str() == "broken");
    let by_get = played.iter().find(|scene| scene.experiment == Experiment::SignInByGet).unwrap();
    let urls = by_get
        .takes
        .iter()
        .filter_map(|take| take.exchange.as_ref())
        .map(cloakroom_audit::Exchange::url);
    assert!(urls.into_iter().all(|url| !url.contains("horse")));
    assert!(
        by_get
            .takes
            .iter()
            .any(|take| take.step == Step::Try && take.recognised == Recognised::SignedOut)
    );
}
