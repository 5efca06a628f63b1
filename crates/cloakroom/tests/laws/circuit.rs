//! L8: while the store is away, requests are told so at once, and it is noticed when it is back.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cloakroom::store::{By, Reason};
use cloakroom::{ErrorKind, Session};
use tokio::time::Instant;

use crate::support::*;

const WAIT: Duration = cloakroom::STORE_WAIT;
const SECOND: Duration = Duration::from_secs(1);

/// A service whose store is on another machine.
fn remote(house: House) -> House {
    house.store.set_remote();
    house
}

/// Lets requests find out that the store is silent.
async fn silence(house: &House, browser: &Browser) {
    house.store.set_silent(true);
    for _ in 0..3 {
        assert_eq!(browser.get("/who").await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert!(house.sessions.is_store_away());
    house.store.calls();
}

/// What a request was answered, when it came, and how long it took.
struct Answered {
    at: Duration,
    took: Duration,
    reply: Reply,
}

/// Requests at this pace for this long, from now on; they do not wait for each other.
async fn load(
    browser: &Browser,
    pace: Duration,
    span: Duration,
) -> impl Future<Output = Vec<Answered>> {
    let (begun, browser) = (Instant::now(), browser.clone());
    let sender = tokio::spawn(async move {
        let mut sent = Vec::new();
        while begun.elapsed() < span {
            let (house, request) = (browser.house.clone(), browser.request(Method::GET, "/who"));
            sent.push(tokio::spawn(async move {
                let sent = Instant::now();
                let reply = house.send(request).await;
                Answered { at: sent - begun, took: sent.elapsed(), reply }
            }));
            tokio::time::sleep(pace).await;
        }
        sent
    });
    async move {
        let mut all = Vec::new();
        for request in sender.await.unwrap() {
            all.push(request.await.unwrap());
        }
        all
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_silent_requests_are_503_at_once_and_the_cookie_stays() {
    let house = remote(House::shop());
    let browser = house.user("ada").await;
    browser.post("/set/note/kept").await;
    silence(&house, &browser).await;
    let begun = Instant::now();

    for (method, path) in [
        (Method::GET, "/who"),
        (Method::POST, "/add"),
        (Method::POST, "/edit"),
        (Method::POST, "/login/eve"),
        (Method::POST, "/logout"),
        (Method::POST, "/rotate"),
        (Method::POST, "/step-up"),
        (Method::POST, "/ensure"),
        (Method::POST, "/end-others"),
    ] {
        let reply = browser.send(method, path).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(reply.header("session-error"), Some("unavailable"), "{path}");
        assert_eq!(reply.header("retry-after"), Some("1"), "no handler ran: {path}");
        assert_eq!(reply.header("set-cookie"), None, "{path}");
    }
    assert_eq!(browser.body("/view").await, "nobody in an outage");

    assert_eq!((begun.elapsed(), house.store.calls()), (Duration::ZERO, Calls::default()));
    house.store.set_silent(false);
    tokio::time::advance(SECOND).await;
    assert_eq!(browser.body("/who").await, "ada password");
    assert_eq!(browser.body("/data").await, "cart= count=0 theme=- note=kept");
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_handler_that_are_held_back_are_not_done_and_say_so() {
    let pause = Pause::default();
    let inside = pause.clone();
    let calls = async move |mut s: Session<Shop>| {
        inside.here().await;
        let mut told = vec![
            s.login("eve").await.map_err(|error| error.kind().clone()),
            s.rotate().await.map_err(|error| error.kind().clone()),
            s.update(|data| data.count += 1).await.map_err(|error| error.kind().clone()),
        ];
        told.push(s.logout().await.map_err(|error| error.kind().clone()));
        assert!(told.iter().all(|told| *told == Err(ErrorKind::Unavailable)), "{told:?}");
        "told"
    };
    let house = remote(House::new(routes().route("/calls", axum::routing::post(calls))));
    let browser = house.user("ada").await;
    let during = browser.start(Method::POST, "/calls");
    pause.reached().await;
    silence(&house, &browser).await;
    let begun = Instant::now();

    pause.go();
    let reply = during.await.unwrap();

    assert_eq!((reply.body.as_str(), reply.ticket()), ("told", None));
    assert_eq!((begun.elapsed(), house.store.calls()), (Duration::ZERO, Calls::default()));
    house.store.set_silent(false);
    tokio::time::advance(SECOND).await;
    assert_eq!(browser.body("/who").await, "ada password");
    assert_eq!(browser.body("/count").await, "0");
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_is_held_back_is_told_like_any_that_could_not_be_stored() {
    let pause = Pause::default();
    let inside = pause.clone();
    let edit = async move |mut s: Session<Shop>| {
        inside.here().await;
        s.edit(|data| data.count += 1)
    };
    let house = remote(House::new(routes().route("/late", axum::routing::post(edit))));
    let browser = house.user("ada").await;
    let during = browser.start(Method::POST, "/late");
    pause.reached().await;
    silence(&house, &browser).await;

    pause.go();
    let reply = during.await.unwrap();

    assert_eq!((reply.status, reply.ticket()), (StatusCode::SERVICE_UNAVAILABLE, None));
    assert_eq!(reply.header("retry-after"), None, "its handler ran");
    assert_eq!(house.store.calls(), Calls::default());
}

#[tokio::test(start_paused = true)]
async fn operators_are_held_back_too_and_told() {
    let house = remote(House::shop());
    let browser = house.user("ada").await;
    silence(&house, &browser).await;
    let sessions = &house.sessions;

    let all = [
        sessions.list("ada").await.map(drop),
        sessions.revoke_user("ada", Reason::Revoked, By::SYSTEM).await.map(drop),
        sessions.set_roles("ada", &["staff"]).await.map(drop),
        sessions.count().await.map(drop),
        sessions.sweep().await.map(drop),
    ];

    assert!(all.iter().all(|told| told.as_ref().unwrap_err().status() == 503));
    assert_eq!(house.store.calls(), Calls::default());
}

#[tokio::test(start_paused = true)]
async fn the_operator_is_told_once_that_the_store_went_and_once_that_it_came_back() {
    let events = Events::listen();
    let house = remote(House::shop());
    let browser = house.user("ada").await;
    events.text();

    silence(&house, &browser).await;
    let text = events.text();
    let count = |text: &str, name: &str| text.matches(&format!("event=\"{name}\"")).count();
    assert_eq!((count(&text, "store_failed"), count(&text, "store_away")), (3, 1), "{text}");

    for _ in 0..20 {
        tokio::time::advance(SECOND).await;
        browser.get("/who").await;
        browser.post("/edit").await;
        browser.get("/view").await;
    }
    let text = events.text();
    assert_eq!((count(&text, "store_failed"), count(&text, "store_away")), (0, 0), "{text}");

    house.store.set_silent(false);
    tokio::time::advance(SECOND).await;
    for _ in 0..5 {
        assert_eq!(browser.body("/who").await, "ada password");
    }
    let text = events.text();
    assert_eq!((count(&text, "store_back"), count(&text, "store_failed")), (1, 0), "{text}");
    assert!(text.contains("WARN") && text.contains("refused="), "{text}");
}

#[tokio::test(start_paused = true)]
async fn one_request_at_a_time_tries_a_store_that_is_away() {
    for refuses in [false, true] {
        let house = remote(House::shop());
        let browser = house.user("ada").await;
        let (pace, span) = (Duration::from_millis(10), 20 * SECOND);
        if refuses {
            house.store.set_away(true)
        } else {
            house.store.set_silent(true)
        }

        let answers = load(&browser, pace, span).await.await;

        assert_eq!(answers.len(), 2_000);
        let calls = house.store.calls();
        // Before it counts as away: as many as come in half a second, after the wait if it is silent.
        let before = if refuses { 50..=60 } else { 250..=260 };
        assert!(before.contains(&calls.load), "{calls:?} of a store that refuses: {refuses}");
        // Then one each 125 to 250 ms, or each 500 if nobody answers, past every cache.
        let tries = if refuses { 70..=160 } else { 30..=40 };
        assert!(tries.contains(&calls.load_fresh), "{calls:?} of a store that refuses: {refuses}");
        let away = if refuses { SECOND } else { WAIT + SECOND };
        let later = answers.iter().filter(|answered| answered.at > away);
        let waited = later.filter(|answered| answered.took > Duration::ZERO).count();
        assert!(waited <= 160, "{waited} requests waited");
    }
}

/// Stores that refuse and stores that are silent, for times and under loads by chance.
#[tokio::test(start_paused = true)]
async fn service_is_back_within_a_second_of_the_stores_return() {
    let mut random = random();
    for round in 0..40 {
        let house = remote(House::shop());
        let browser = house.user("ada").await;
        let pace = Duration::from_millis(5 + u64::try_from(random.below(100)).unwrap());
        let gone = Duration::from_millis(3_000 + u64::try_from(random.below(5_000)).unwrap());
        let answers = load(&browser, pace, gone + 2 * SECOND).await;
        if round % 2 == 0 {
            house.store.set_away(true)
        } else {
            house.store.set_silent(true)
        }
        tokio::time::sleep(gone).await;
        assert!(house.sessions.is_store_away(), "after {gone:?} with a request each {pace:?}");

        house.store.set_away(false);
        house.store.set_silent(false);

        for Answered { at, took, reply } in answers.await {
            assert!(took <= WAIT, "{took:?}");
            assert_eq!(reply.ticket(), None);
            match reply.status {
                StatusCode::OK => assert_eq!(reply.body, "ada password"),
                status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
            }
            let is_back = reply.status == StatusCode::OK;
            assert!(
                is_back || at <= gone + SECOND,
                "503 at {at:?}, back at {gone:?}, pace {pace:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_out_of_this_process_say_nothing_of_a_store_elsewhere() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.store.set_away(true);
    for _ in 0..10 {
        assert_eq!(browser.get("/who").await.status, StatusCode::SERVICE_UNAVAILABLE);
        tokio::time::advance(SECOND).await;
    }
    assert!(!house.sessions.is_store_away(), "a failure that cost nobody a wait");

    house.store.set_away(false);
    house.store.set_silent_writes(true);
    for _ in 0..3 {
        assert_eq!(browser.post("/edit").await.status, StatusCode::SERVICE_UNAVAILABLE);
        tokio::time::advance(SECOND).await;
    }

    assert!(house.sessions.is_store_away(), "what was read at once made up for nothing");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_read_a_session_is_there() {
    let house = remote(House::shop());
    let browser = house.user("ada").await;

    for _ in 0..10 {
        browser.post("/set/note/1").await;
        let long = format!("/set/note/{}", "x".repeat(60_000));
        assert_eq!(browser.post(&long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
        tokio::time::advance(SECOND).await;
    }

    assert!(!house.sessions.is_store_away());
}

#[tokio::test(start_paused = true)]
async fn activity_during_an_outage_is_not_sent_and_recorded_with_the_next_request() {
    let house = remote(House::shop());
    let (ada, eve) = (house.user("ada").await, house.user("eve").await);
    let pause = Pause::default();
    let inside = pause.clone();
    let wait = async move |_: Session<Shop>| inside.here().await;
    let house = House::on(
        house.store,
        house.clock,
        |_| routes().route("/wait", axum::routing::get(wait)),
        |rules| rules,
    );
    let (ada, eve) = (ada.at(&house), eve.at(&house));
    house.seconds(5 * MINUTE);
    let during = ada.start(Method::GET, "/wait");
    pause.reached().await;
    silence(&house, &eve).await;
    pause.go();
    assert_eq!(during.await.unwrap().status, StatusCode::OK);
    assert_eq!(house.store.calls(), Calls::default());

    house.store.set_silent(false);
    tokio::time::advance(SECOND).await;
    ada.get("/who").await;
    tokio::time::advance(SECOND).await;

    let record = &house.sessions.list("ada").await.unwrap()[0];
    assert_eq!(record.times().seen.as_secs(), START + 5 * MINUTE);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_asks_for_much_at_once_is_answered_in_bounded_time() {
    let much = async |s: cloakroom::axum::LazySession<Shop>| {
        let mut handles = Vec::new();
        for _ in 0..30 {
            handles.push(s.load().await.unwrap());
        }
        let tasks: Vec<_> = handles
            .into_iter()
            .map(|mut s| tokio::spawn(async move { s.update(|data| data.count += 1).await }))
            .collect();
        tokio::task::yield_now().await;
        drop(tasks);
        "asked"
    };
    let house = remote(House::new(routes().route("/much", axum::routing::post(much))));
    let browser = house.user("ada").await;
    house.store.set_slow(WAIT - Duration::from_millis(100));
    let begun = Instant::now();

    let reply = browser.post("/much").await;

    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(begun.elapsed() <= WAIT * 5, "took {:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_never_answered_is_forgotten_in_time() {
    let house = remote(House::shop());
    house.store.set_silent_writes(true);
    let reply = house.browser().post("/login/ada").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);

    tokio::time::sleep(Duration::from_secs(59)).await;
    assert!(!house.sessions.clone().shutdown(Duration::ZERO).await, "it may still be done");
    tokio::time::sleep(2 * SECOND).await;

    assert!(house.sessions.shutdown(Duration::ZERO).await);
}

#[tokio::test]
async fn a_change_too_many_is_refused_at_once() {
    let house = House::patient(routes());
    let browser = house.user("ada").await;
    let hold = house.store.hold();
    let first = browser.start(Method::POST, "/add");
    hold.until(1).await;
    let waiting: Vec<_> = (0..10_000).map(|_| browser.start(Method::POST, "/add")).collect();
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }

    let reply = browser.post("/add").await;

    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    hold.release();
    assert_eq!(first.await.unwrap().body, "1");
    for request in waiting {
        assert_eq!(request.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(browser.body("/count").await, "10001");
}
