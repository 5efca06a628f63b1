//! Each rule about signed-in users on hand-made scenes: broken, holds, not decided.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use cloakroom_audit::{
    Answer, Declared, Exchange, Experiment, Needs, Observed, RULES, Recognised, Scene, Severity,
    Step, Take, rule,
};

const NOW: u64 = 1_790_000_000;
const OLD: &str = "sid=q8Zr31LkP0vTn5YxBm2Wgk";
const NEW: &str = "sid=Wn5YxBm2Wgkq8Zr31LkP0v";

fn asked(status: u16, cookie: &str) -> Exchange {
    let mut exchange = Exchange::new("GET", "https://shop.example/account", status, NOW).unwrap();
    if !cookie.is_empty() {
        exchange.request.push("Cookie", cookie);
    }
    exchange
}

fn html(headers: &[(&str, &str)], body: &str) -> Exchange {
    let mut page = asked(200, NEW);
    page.response.push("Content-Type", "text/html");
    headers.iter().for_each(|(name, value)| page.response.push(name, *value));
    page.keep_body(body.as_bytes());
    page
}

fn take(step: Step, exchange: Exchange, recognised: Recognised) -> Take {
    Take::new(step, "the browser", Some(exchange)).came_to(recognised)
}

fn stranger() -> Take {
    take(Step::Stranger, asked(303, ""), Recognised::SignedOut)
}

fn user() -> Take {
    take(Step::Control, asked(200, NEW), Recognised::SignedIn)
}

fn act(exchange: Exchange) -> Take {
    take(Step::Act, exchange, Recognised::NotAsked)
}

fn scene(experiment: Experiment, takes: Vec<Take>) -> Scene {
    Scene { takes, ..Scene::new(experiment) }
}

/// The session is the cookie `sid`, as it was found by leaving others out.
fn sufficient() -> Scene {
    let with = |cookie| take(Step::Try, asked(200, cookie), Recognised::SignedIn);
    let without = take(Step::Try, asked(303, "theme=dark"), Recognised::SignedOut);
    let all = format!("{NEW}; theme=dark");
    let takes = vec![stranger(), user(), with(&all), with(NEW), without];
    scene(Experiment::Sufficient, takes)
}

fn judge(id: &str, scenes: Vec<Scene>) -> Answer {
    let mut all = vec![sufficient()];
    all.extend(scenes);
    let observed = Observed::new(Vec::new(), Declared::default()).with_scenes(all);
    rule(id).unwrap().judge(&observed)
}

fn worst(answer: &Answer) -> Option<Severity> {
    answer.findings().iter().map(|finding| finding.severity).max()
}

/// The rules that are one question, with what a bad and a good answer come to.
fn questions() -> Vec<(&'static str, Experiment, Recognised, Recognised)> {
    use Experiment as E;
    let stays = |id, experiment| (id, experiment, Recognised::SignedIn, Recognised::SignedOut);
    let goes = |id, experiment| (id, experiment, Recognised::SignedOut, Recognised::SignedIn);
    let lands = |id, experiment| (id, experiment, Recognised::Landed, Recognised::Refused);
    vec![
        stays("F02", E::Adopted),
        stays("F03", E::OldToken),
        stays("F04", E::SignInByGet),
        stays("F06", E::PlantedBrowser),
        stays("F07", E::OtherPlace),
        stays("O01", E::Replayed),
        stays("O02", E::OtherCookie),
        stays("O03", E::OtherTab),
        stays("O07", E::PasswordChange),
        goes("O08", E::ForeignSignOut),
        stays("M01", E::Several),
        lands("X01", E::NoProof),
        lands("X02", E::FetchSite),
        lands("X03", E::ForeignOrigin),
        lands("X04", E::ChangeByGet),
        lands("X05", E::OthersToken),
        lands("X06", E::InventedPair),
        stays("X07", E::ForeignSignIn),
        stays("H01", E::PlainHttp),
        stays("J01", E::Forged),
        stays("J02", E::NamedKey),
        stays("S02", E::Late),
        goes("S03", E::Race),
        goes("S04", E::Twins),
        goes("S05", E::Neighbour),
    ]
}

#[test]
fn a_question_is_answered_by_what_it_came_to() {
    for (id, experiment, bad, good) in questions() {
        let with = |answers: &[&Recognised]| {
            let tries =
                answers.iter().map(|came_to| take(Step::Try, asked(200, OLD), (*came_to).clone()));
            let takes = [stranger(), user()].into_iter().chain(tries).collect();
            judge(id, vec![scene(experiment, takes)])
        };
        let unclear = Recognised::Unclear("status 503".to_owned());

        assert_eq!(with(&[&good, &bad]).as_str(), "broken", "{id}");
        assert_eq!(with(&[&good, &good]).as_str(), "holds", "{id}");
        assert_eq!(with(&[&good, &unclear]).as_str(), "not decided", "{id}");
        assert_eq!(with(&[&unclear, &bad]).as_str(), "broken", "{id}");
        let nothing = if id == "O02" { "holds" } else { "not decided" };
        assert_eq!(with(&[]).as_str(), nothing, "{id}");
    }
}

#[test]
fn nothing_follows_when_a_control_comes_out_otherwise() {
    let odd = || {
        [
            vec![take(Step::Stranger, asked(200, ""), Recognised::SignedIn), user()],
            vec![stranger(), take(Step::Control, asked(303, NEW), Recognised::SignedOut)],
            vec![stranger(), user(), take(Step::Genuine, asked(500, NEW), Recognised::Refused)],
            vec![user()],
        ]
    };
    for (id, experiment, bad, good) in questions() {
        for controls in odd() {
            for came_to in [&bad, &good] {
                let question = take(Step::Try, asked(200, OLD), came_to.clone());
                let takes = controls.clone().into_iter().chain([question]).collect();

                let answer = judge(id, vec![scene(experiment, takes)]);

                assert_eq!(answer.as_str(), "not decided", "{id}: {answer:?}");
            }
        }
    }
}

#[test]
fn without_an_experiment_nothing_is_decided_and_the_reason_is_told() {
    let stopped: Vec<_> = RULES.iter().filter(|rule| rule.needs == Needs::Login).collect();
    assert_eq!(stopped.len(), 39);
    for rule in stopped {
        let nobody = rule.judge(&Observed::new(Vec::new(), Declared::default()));

        let Answer::NotDecided { why } = nobody else { panic!("{}: {nobody:?}", rule.id) };
        assert!(why.contains("login script") || why.contains("sign"), "{}: {why}", rule.id);
    }
    let not_played = Scene::not_played(Experiment::Replayed, "the script has no [logout]");
    let Answer::NotDecided { why } = judge("O01", vec![not_played]) else { panic!("decided") };
    assert_eq!(why, "the script has no [logout]");
}

#[test]
fn an_experiment_that_stopped_early_does_not_hold() {
    let good = take(Step::Try, asked(303, OLD), Recognised::SignedOut);
    let mut early = scene(Experiment::Replayed, vec![stranger(), user(), good]);
    early.stopped = Some("no answer in time".to_owned());

    let answer = judge("O01", vec![early]);

    assert_eq!(answer, Answer::NotDecided { why: "no answer in time".to_owned() });
}

#[test]
fn a_token_that_was_known_before_the_login_is_found() {
    let login = |before: &str| {
        let takes = vec![stranger(), act(asked(303, before)), user()];
        judge("F01", vec![scene(Experiment::SignIn, takes)])
    };

    assert_eq!(login(NEW).as_str(), "broken");
    assert_eq!(login(OLD).as_str(), "holds");
    assert_eq!(login("").as_str(), "holds");
    let unknown = Observed::new(Vec::new(), Declared::default()).with_scenes(vec![scene(
        Experiment::SignIn,
        vec![stranger(), act(asked(303, NEW)), user()],
    )]);
    assert_eq!(rule("F01").unwrap().judge(&unknown).as_str(), "not decided");
}

#[test]
fn a_step_up_that_fails_says_nothing() {
    let step_up = |status, before: &str| {
        let takes = vec![stranger(), user(), act(asked(status, before)), user()];
        judge("F05", vec![scene(Experiment::StepUp, takes)])
    };

    assert_eq!(step_up(303, NEW).as_str(), "broken");
    assert_eq!(step_up(303, OLD).as_str(), "holds");
    assert_eq!(step_up(403, NEW).as_str(), "not decided");
}

#[test]
fn the_session_is_the_smallest_sets_of_cookies_and_a_remembered_login_comes_last() {
    let with = |cookie| take(Step::Try, asked(200, cookie), Recognised::SignedIn);
    let takes = vec![
        stranger(),
        user(),
        with("a=1; b=2; remember=3"),
        with("remember=3"),
        with("a=1; b=2"),
    ];
    let scenes = vec![scene(Experiment::Sufficient, takes)];

    let observed = Observed::new(Vec::new(), Declared::default()).with_scenes(scenes);

    assert_eq!(observed.session_cookies(), [vec!["a", "b"], vec!["remember"]]);
}

#[test]
fn signing_out_takes_the_cookie_away() {
    let out = |after: &str| {
        let question = take(Step::Try, asked(303, after), Recognised::SignedOut);
        judge(
            "O04",
            vec![scene(
                Experiment::SignOut,
                vec![stranger(), user(), act(asked(303, NEW)), question],
            )],
        )
    };

    assert_eq!(out(NEW).as_str(), "broken");
    assert_eq!(out(OLD).as_str(), "holds");
    assert_eq!(out("").as_str(), "holds");
    assert_eq!(
        judge("O04", vec![scene(Experiment::SignOut, vec![stranger(), user()])]).as_str(),
        "not decided"
    );
}

#[test]
fn no_other_cookie_ever_signed_in_is_an_answer() {
    let none = scene(Experiment::OtherCookie, vec![stranger(), user()]);

    assert_eq!(judge("O02", vec![none]).as_str(), "holds");
}

fn signed_in_at(page: Exchange) -> Vec<Scene> {
    let takes =
        vec![stranger(), act(asked(303, OLD)), take(Step::Control, page, Recognised::SignedIn)];
    vec![scene(Experiment::SignIn, takes)]
}

#[test]
fn private_pages_say_who_may_keep_and_frame_them() {
    let kept = |headers: &[(&str, &str)]| judge("H03", signed_in_at(html(headers, "")));
    assert_eq!(kept(&[("Cache-Control", "no-store")]).as_str(), "holds");
    assert_eq!(worst(&kept(&[("Cache-Control", "private, no-cache")])), Some(Severity::Low));
    assert_eq!(worst(&kept(&[])), Some(Severity::Medium));
    let framed = |headers: &[(&str, &str)]| judge("H06", signed_in_at(html(headers, ""))).as_str();
    assert_eq!(framed(&[]), "broken");
    assert_eq!(framed(&[("X-Frame-Options", "DENY")]), "holds");
    assert_eq!(framed(&[("Content-Security-Policy", "frame-ancestors 'self'")]), "holds");
    assert_eq!(judge("H06", signed_in_at(asked(200, NEW))).as_str(), "not decided");
    assert_eq!(judge("H03", signed_in_at(asked(304, NEW))).as_str(), "not decided");
}

#[test]
fn a_way_out_is_a_word_or_the_address_of_the_logout() {
    let out = act(Exchange::new("POST", "https://shop.example/bye", 303, NOW).unwrap());
    let page = |body: &str| {
        let mut scenes = signed_in_at(html(&[], body));
        scenes.push(scene(Experiment::SignOut, vec![stranger(), user(), out.clone()]));
        judge("O05", scenes).as_str()
    };

    assert_eq!(page("<a href='/cart'>cart</a>"), "broken");
    assert_eq!(page("<button>Sign out</button>"), "holds");
    assert_eq!(page("<form action='/bye'>"), "holds");
    assert_eq!(judge("O05", signed_in_at(asked(200, NEW))).as_str(), "not decided");
}

#[test]
fn what_was_kept_is_cleared_at_signing_out() {
    let left = |page: &[(&str, &str)], out: &[(&str, &str)]| {
        let mut answer = asked(303, NEW);
        out.iter().for_each(|(name, value)| answer.response.push(name, *value));
        let mut scenes = signed_in_at(html(page, ""));
        scenes.push(scene(Experiment::SignOut, vec![stranger(), user(), act(answer)]));
        judge("O06", scenes).as_str()
    };

    assert_eq!(left(&[], &[]), "broken");
    assert_eq!(left(&[("Cache-Control", "no-store")], &[]), "holds");
    assert_eq!(left(&[], &[("Clear-Site-Data", "\"cache\", \"storage\"")]), "holds");
    assert_eq!(left(&[], &[("Clear-Site-Data", "\"cookies\"")]), "broken");
    assert_eq!(judge("O06", signed_in_at(html(&[], ""))).as_str(), "not decided");
}

#[test]
fn a_login_is_remembered_when_it_was_asked_to_be() {
    let login = |line: &str| {
        let mut answer = asked(303, OLD);
        answer.response.push("Set-Cookie", line);
        judge("T04", vec![scene(Experiment::Unremembered, vec![stranger(), act(answer), user()])])
    };

    assert_eq!(login("sid=Wn5YxBm2Wgkq8Zr31LkP0v; Max-Age=3600").as_str(), "broken");
    assert_eq!(login("sid=Wn5YxBm2Wgkq8Zr31LkP0v").as_str(), "holds");
    assert_eq!(login("theme=dark; Max-Age=3600").as_str(), "not decided");
    let asked_for = Scene::not_played(Experiment::Unremembered, "the script asks to be remembered");
    assert_eq!(judge("T04", vec![asked_for]).as_str(), "not decided");
}

#[test]
fn two_logins_have_two_tokens() {
    let logins = |one: &str, other: &str| {
        let controls = [one, other]
            .map(|cookie| take(Step::Control, asked(200, cookie), Recognised::SignedIn));
        let takes = [stranger()].into_iter().chain(controls).collect();
        judge("M02", vec![scene(Experiment::Several, takes)]).as_str()
    };

    assert_eq!(logins(NEW, NEW), "broken");
    assert_eq!(logins(NEW, OLD), "holds");
    assert_eq!(
        judge("M02", vec![scene(Experiment::Several, vec![stranger(), user()])]).as_str(),
        "not decided"
    );
}

#[test]
fn a_forged_change_is_worth_less_where_browsers_keep_the_cookie_back() {
    let change = |same_site: &str| {
        let mut login = asked(303, OLD);
        login.response.push("Set-Cookie", format!("sid=Wn5YxBm2Wgkq8Zr31LkP0v{same_site}"));
        let landed = take(Step::Try, asked(303, NEW), Recognised::Landed);
        let scenes = vec![
            scene(Experiment::SignIn, vec![stranger(), act(login), user()]),
            scene(Experiment::NoProof, vec![stranger(), user(), landed]),
        ];
        worst(&judge("X01", scenes))
    };

    assert_eq!(change("; SameSite=Lax"), Some(Severity::Medium));
    assert_eq!(change("; SameSite=None"), Some(Severity::High));
    assert_eq!(change(""), Some(Severity::High));
}

#[test]
fn an_origin_that_comes_back_with_credentials_may_read() {
    let read = |allowed: &str, with: &str| {
        let mut page = asked(200, NEW);
        page.request.push("Origin", "https://evil.example");
        page.response.push("Access-Control-Allow-Origin", allowed);
        page.response.push("Access-Control-Allow-Credentials", with);
        let question = take(Step::Try, page, Recognised::SignedIn);
        judge("X08", vec![scene(Experiment::ForeignRead, vec![stranger(), user(), question])])
            .as_str()
    };

    assert_eq!(read("https://evil.example", "true"), "broken");
    assert_eq!(read("https://evil.example", "false"), "holds");
    assert_eq!(read("*", "true"), "holds");
    assert_eq!(
        judge("X08", vec![scene(Experiment::ForeignRead, vec![stranger(), user()])]).as_str(),
        "not decided"
    );
}

#[test]
fn a_web_token_says_when_it_ends_and_ends_then() {
    let token = |claims: &str| {
        use base64::Engine as _;
        let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        let cookie = format!("sid={}.{}.c2lnbmF0dXJl", part("{\"alg\":\"HS256\"}"), part(claims));
        judge("J03", signed_in_at(asked(200, &cookie))).as_str()
    };

    assert_eq!(token("{\"sub\":7}"), "broken");
    assert_eq!(token(&format!("{{\"exp\":{}}}", NOW - 61)), "broken");
    assert_eq!(token(&format!("{{\"exp\":{}}}", NOW - 60)), "holds");
    assert_eq!(judge("J03", signed_in_at(asked(200, NEW))).as_str(), "not decided");
}

#[test]
fn acknowledged_changes_are_counted() {
    let parallel = |numbers: [i64; 3], landed: usize| {
        let numbered = |step, number| {
            let came_to =
                if step == Step::Genuine { Recognised::Landed } else { Recognised::NotAsked };
            take(step, asked(200, NEW), came_to).reading(Some(number))
        };
        let [first, second, end] = numbers;
        let mut takes = vec![
            stranger(),
            user(),
            numbered(Step::Genuine, first),
            numbered(Step::Genuine, second),
        ];
        takes.extend((0..landed).map(|_| take(Step::Try, asked(200, NEW), Recognised::Landed)));
        takes.push(take(Step::Try, asked(409, NEW), Recognised::Refused));
        takes.push(numbered(Step::Page, end));
        judge("S01", vec![scene(Experiment::Parallel, takes)]).as_str()
    };

    assert_eq!(parallel([1, 2, 11], 10), "broken");
    assert_eq!(parallel([1, 2, 12], 10), "holds");
    assert_eq!(parallel([10, 8, -12], 10), "holds");
    assert_eq!(parallel([10, 8, -10], 10), "broken");
    assert_eq!(parallel([2, 2, 2], 10), "not decided");
    assert_eq!(parallel([1, 2, 3], 1), "not decided");
}

#[test]
fn a_damaged_session_is_no_error() {
    let with = |id, experiment, status| {
        let question = take(Step::Try, asked(status, "sid=x"), Recognised::SignedIn);
        judge(id, vec![scene(experiment, vec![stranger(), user(), question])]).as_str()
    };
    for (id, experiment) in
        [("S04", Experiment::Twins), ("S05", Experiment::Neighbour), ("S06", Experiment::Damaged)]
    {
        assert_eq!(with(id, experiment, 500), "broken", "{id}");
        assert_eq!(with(id, experiment, 499), "holds", "{id}");
        assert_eq!(
            judge(id, vec![scene(experiment, vec![stranger(), user()])]).as_str(),
            "not decided",
            "{id}"
        );
    }
}

#[test]
fn cookies_that_grow_with_every_request_are_found() {
    let growth = |sizes: &[usize]| {
        let tries = sizes.iter().map(|size| {
            take(Step::Try, asked(200, &format!("sid={}", "x".repeat(*size))), Recognised::SignedIn)
        });
        let takes = [stranger(), user()].into_iter().chain(tries).collect();
        judge("S07", vec![scene(Experiment::Growth, takes)]).as_str()
    };

    assert_eq!(growth(&[100, 120, 140, 160, 180]), "broken");
    assert_eq!(growth(&[100, 180, 180, 180, 180]), "holds");
    assert_eq!(growth(&[100, 101, 100, 102, 101]), "holds");
    assert_eq!(growth(&[]), "not decided");
}

#[test]
fn a_replay_says_where_the_request_comes_from_and_no_token() {
    let mut forged = asked(303, NEW);
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Authorization", "Bearer Wn5YxBm2Wgkq8Zr31LkP0v"),
    ] {
        forged.request.push(name, value);
    }
    let landed = take(Step::Try, forged, Recognised::Landed);
    let scenes = vec![scene(Experiment::NoProof, vec![stranger(), user(), landed])];

    let answer = judge("X01", scenes);

    assert_eq!(
        answer.findings()[0].evidence[0].replay,
        "curl -si -b 'sid=VALUE' -H 'origin: https://evil.example' -H 'sec-fetch-site: cross-site' \
         -H 'authorization: VALUE' 'https://shop.example/account'",
    );
}

#[test]
fn no_finding_and_no_debug_output_shows_the_token() {
    let bad = take(Step::Try, asked(200, OLD), Recognised::SignedIn);
    let scenes = vec![scene(Experiment::Replayed, vec![stranger(), user(), bad])];

    let told = format!("{:?} {:?}", judge("O01", scenes.clone()), scenes);

    assert!(!told.contains("q8Zr31LkP0vTn5YxBm2Wgk") && !told.contains("Wn5YxBm2"), "{told}");
}
