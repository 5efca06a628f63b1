//! L8: an outage logs nobody out.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use tokio::time::Instant;

use crate::support::*;

fn is_503(reply: &Reply, retry: Option<&str>) -> bool {
    reply.status == StatusCode::SERVICE_UNAVAILABLE
        && reply.header("retry-after") == retry
        && reply.header("set-cookie").is_none()
        && reply.header("cache-control") == Some("no-store")
}

#[tokio::test]
async fn a_store_that_is_away_is_503_and_the_cookie_stays() {
    let house = House::shop();
    let browser = house.user("ada").await;
    browser.post("/set/note/kept").await;
    house.store.set_away(true);

    for (method, path) in [
        (Method::GET, "/who"),
        (Method::GET, "/data"),
        (Method::POST, "/add"),
        (Method::POST, "/edit"),
        (Method::POST, "/login/eve"),
        (Method::POST, "/logout"),
        (Method::POST, "/rotate"),
        (Method::POST, "/ensure"),
    ] {
        let reply = browser.send(method, path).await;
        assert!(is_503(&reply, Some("1")), "no handler ran: {path} {reply:?}");
        assert_eq!(reply.header("session-error"), Some("unavailable"));
    }

    house.store.set_away(false);
    assert_eq!(browser.body("/who").await, "ada password");
    assert_eq!(browser.body("/data").await, "cart= count=0 theme=- note=kept");
}

#[tokio::test]
async fn an_outage_does_not_concern_who_has_no_session() {
    let house = House::shop();
    let browser = house.browser();
    house.store.set_away(true);

    assert_eq!(browser.body("/who").await, "nobody");
    assert_eq!(browser.body("/plain").await, "plain");
    let write = browser.post("/edit").await;
    assert_eq!((write.status, write.ticket()), (StatusCode::SERVICE_UNAVAILABLE, None));
    assert_eq!(write.header("retry-after"), None, "its handler ran");
}

#[tokio::test]
async fn routes_that_do_not_ask_and_the_gate_work_in_an_outage() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.store.set_silent(true);

    assert_eq!(browser.body("/plain").await, "plain");
    assert_eq!(browser.body("/lazy").await, "lazy");
    let cross = browser.send_with(Method::POST, "/edit", &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(cross.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_view_shows_nobody_and_says_that_it_may_be_wrong() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.store.set_away(true);

    let reply = browser.get("/view").await;

    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::OK, "nobody in an outage"));
    assert_eq!(reply.ticket(), None);
    house.store.set_away(false);
    assert_eq!(browser.body("/view").await, "ada");
}

#[tokio::test]
async fn a_view_in_an_outage_is_not_for_caches() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.store.set_away(true);

    let reply = browser.get("/view").await;

    let caching = reply.header("cache-control").unwrap_or("none");
    assert!(caching.contains("no-store") || caching.contains("private"), "{caching}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_store_is_503_after_the_wait() {
    for (wait, rules) in [(2, None), (5, Some(Duration::from_secs(5)))] {
        let house = House::ruled(|policy| match rules {
            Some(wait) => policy.store_wait(wait),
            None => policy,
        });
        let browser = house.user("ada").await;
        house.store.set_silent(true);
        let begun = Instant::now();

        let reply = browser.get("/who").await;

        assert!(is_503(&reply, Some("1")), "{reply:?}");
        assert_eq!(begun.elapsed().as_secs(), wait);
        house.store.set_silent(false);
        assert_eq!(browser.body("/who").await, "ada password");
        house.store.set_silent(true);
        let begun = Instant::now();
        assert_eq!(browser.body("/view").await, "nobody in an outage");
        assert_eq!(begun.elapsed().as_secs(), wait);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_store_at_the_commit_is_503_after_the_wait() {
    for path in ["/edit", "/add", "/rotate", "/logout", "/step-up", "/login/ada"] {
        let house = House::shop();
        let browser = house.user("ada").await;
        house.store.set_silent_writes(true);
        let begun = Instant::now();

        let reply = browser.post(path).await;

        assert!(is_503(&reply, None), "{path} {reply:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{path} took {:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_commit_was_never_answered_can_be_changed_once_the_store_is_back() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.store.set_silent_writes(true);
    let stuck: Vec<_> = (0..5).map(|_| browser.start(Method::POST, "/add")).collect();
    for request in stuck {
        assert_eq!(request.await.unwrap().status, StatusCode::SERVICE_UNAVAILABLE);
    }

    house.store.set_silent_writes(false);
    tokio::time::advance(Duration::from_secs(1)).await;

    assert_eq!(browser.post("/edit").await.status, StatusCode::OK);
    let count: u32 = browser.post("/add").await.body.parse().unwrap();
    assert!((2..=7).contains(&count), "what was not answered may have happened: {count}");
}

#[tokio::test(start_paused = true)]
async fn a_touch_that_is_never_answered_delays_nobody() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.seconds(5 * MINUTE);
    house.store.set_silent_writes(true);
    let begun = Instant::now();

    for _ in 0..5 {
        assert_eq!(browser.body("/who").await, "ada password");
    }

    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn activity_that_an_outage_swallowed_is_recorded_with_the_next_request() {
    let reads = async |s: cloakroom::Session<Shop>,
                       axum::Extension(store): axum::Extension<TestStore>| {
        store.set_away(true);
        s.user().map(|user| user.to_string()).unwrap_or_default()
    };
    let house = House::new(routes().route("/lost", axum::routing::get(reads)));
    let browser = house.user("ada").await;
    house.seconds(20 * MINUTE);
    let mut request = browser.request(Method::GET, "/lost");
    request.extensions_mut().insert(house.store.clone());
    assert_eq!(house.send(request).await.body, "ada");
    house.store.set_away(false);
    house.seconds(1);

    browser.get("/who").await;
    house.seconds(20 * MINUTE);

    assert_eq!(browser.body("/who").await, "ada password");
}

#[tokio::test]
async fn a_shutdown_waits_for_commits_and_touches() {
    let house = House::shop();
    let (ada, eve) = (house.user("ada").await, house.user("eve").await);
    house.seconds(5 * MINUTE);
    let hold = house.store.hold_back_commits();
    let write = ada.start(Method::POST, "/edit");
    assert_eq!(eve.body("/who").await, "eve password");
    hold.until(2).await;

    let sessions = house.sessions.clone();
    let down = tokio::spawn(async move { sessions.shutdown(Duration::from_secs(60)).await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!down.is_finished());
    let late = eve.get("/who").await;
    assert!(is_503(&late, Some("1")), "{late:?}");
    hold.release();

    assert!(down.await.unwrap());
    assert_eq!(write.await.unwrap().status, StatusCode::OK);
    let record = &house.sessions.list("ada").await.unwrap()[0];
    assert_eq!(record.fields().get("count"), Some("1"));
    let record = &house.sessions.list("eve").await.unwrap()[0];
    assert_eq!(record.times().seen.as_secs(), START + 5 * MINUTE);
}

#[tokio::test]
async fn a_shutdown_waits_for_changes_in_the_queue() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let hold = house.store.hold();
    let first = browser.start(Method::POST, "/add");
    hold.until(1).await;
    let second = browser.start(Method::POST, "/add");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }

    let sessions = house.sessions.clone();
    let down = tokio::spawn(async move { sessions.shutdown(Duration::from_secs(60)).await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    hold.one();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!down.is_finished(), "a change is still on its way");
    hold.release();

    assert!(down.await.unwrap());
    assert_eq!((first.await.unwrap().body, second.await.unwrap().body), ("1".into(), "2".into()));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_longer_than_it_is_told() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let hold = house.store.hold();
    let write = browser.start(Method::POST, "/edit");
    hold.until(1).await;
    let begun = Instant::now();

    assert!(!house.sessions.shutdown(Duration::from_secs(1)).await);

    assert_eq!(begun.elapsed().as_secs(), 1);
    hold.release();
    write.await.unwrap();
}

#[tokio::test]
async fn the_operator_is_told_of_every_failure_of_the_store_once() {
    let events = Events::listen();
    let house = House::shop();
    let browser = house.user("ada").await;
    events.text();

    house.store.set_away(true);
    for path in ["/add", "/edit", "/login/ada", "/logout", "/rotate", "/end-others"] {
        let reply = browser.post(path).await;

        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(events.count("store_failed"), 1, "{path}");
    }
    browser.get("/view").await;
    assert_eq!(events.count("store_failed"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_operator_is_told_of_every_write_without_an_answer_once() {
    let events = Events::listen();

    // Another process for each: one that hears nothing for long asks no more.
    for path in ["/add", "/edit", "/login/ada"] {
        let house = House::shop();
        house.store.set_silent_writes(true);
        let reply = house.browser().post(path).await;

        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(events.count("store_failed"), 1, "{path} of a visitor");
    }
    for path in ["/add", "/edit", "/login/ada", "/rotate", "/logout"] {
        let house = House::shop();
        let browser = house.user("ada").await;
        house.store.set_silent_writes(true);

        let reply = browser.post(path).await;

        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(events.count("store_failed"), 1, "{path} of a user");
    }
}
