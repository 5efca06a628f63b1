//! L7: two clocks, both on the server.

use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::{get, post};
use cloakroom::Session;
use cloakroom::store::Timestamp;

use crate::support::*;

#[tokio::test]
async fn a_session_is_over_at_its_idle_deadline_and_not_before() {
    let house = House::shop();
    let (early, late) = (house.user("ada").await, house.user("eve").await);

    house.clock.advance(Duration::from_millis(30 * 60 * 1000 - 1));
    assert_eq!(early.body("/who").await, "ada password");
    house.clock.advance(Duration::from_millis(1));

    assert_eq!(late.body("/who").await, "nobody");
    assert_eq!(late.body("/why").await, "idle by system");
    assert_eq!(late.post("/edit").await.status, StatusCode::OK, "an expired ticket begins anew");
    assert_eq!(late.body("/who").await, "nobody");
}

#[tokio::test]
async fn a_session_is_over_at_its_absolute_deadline_whatever_its_activity() {
    let house = House::shop();
    let browser = house.user("ada").await;

    for _ in 0..12 * 6 - 1 {
        house.seconds(10 * MINUTE);
        assert_eq!(browser.body("/who").await, "ada password");
        browser.post("/edit").await;
        browser.post("/rotate").await;
    }
    house.seconds(10 * MINUTE - 1);
    assert_eq!(browser.body("/who").await, "ada password");
    house.seconds(1);

    assert_eq!(browser.body("/who").await, "nobody");
    assert_eq!(browser.body("/why").await, "absolute by system");
}

#[tokio::test]
async fn every_kind_of_request_that_loads_is_activity() {
    for (method, path) in [
        (Method::GET, "/who"),
        (Method::GET, "/view"),
        (Method::POST, "/add"),
        (Method::POST, "/edit"),
        (Method::POST, "/set/note/x"),
        (Method::POST, "/theme/same"),
        (Method::POST, "/ensure"),
        (Method::POST, "/rotate"),
        (Method::POST, "/fail/500"),
        (Method::POST, "/fail/404"),
    ] {
        let house = House::shop();
        let browser = house.user("ada").await;
        for _ in 0..5 {
            house.seconds(25 * MINUTE);
            browser.send(method.clone(), path).await;
        }

        assert_eq!(browser.body("/who").await, "ada password", "{method} {path}");
    }
}

#[tokio::test]
async fn requests_that_are_no_activity_keep_no_session_alive() {
    let house = House::on(
        TestStore::default(),
        cloakroom::ManualClock::at_secs(START),
        |sessions| {
            let poll = async |mut s: Session<Shop>| s.update(|data| data.count += 1).await;
            let passive = Router::new()
                .route("/poll", get(async |_: Session<Shop>| ()))
                .route("/poll-edit", post(poll))
                .layer(sessions.passive());
            routes().merge(passive)
        },
        |rules| rules,
    );
    let prefetch = ("sec-purpose", "prefetch;prerender");
    let none = ("x-none", "-");
    for (method, path, header) in [
        (Method::HEAD, "/who", none),
        (Method::GET, "/who", prefetch),
        (Method::GET, "/view", prefetch),
        (Method::GET, "/poll", none),
        (Method::POST, "/poll-edit", none),
        (Method::GET, "/plain", none),
        (Method::GET, "/lazy", none),
    ] {
        let browser = house.user("ada").await;
        for _ in 0..29 {
            house.seconds(MINUTE);
            let reply = browser.send_with(method.clone(), path, &[header]).await;
            assert_eq!(reply.status, StatusCode::OK, "{method} {path}");
        }
        assert_eq!(house.store.calls().touch, 0, "{method} {path}");
        house.seconds(MINUTE);

        assert_eq!(browser.body("/why").await, "idle by system", "{method} {path}");
    }
}

#[tokio::test]
async fn a_passive_request_that_renews_the_ticket_is_no_activity() {
    let house = House::ruled(|rules| rules.renew_every(Duration::from_secs(20 * MINUTE)));
    let browser = house.user("ada").await;
    house.seconds(21 * MINUTE);
    browser.send(Method::HEAD, "/who").await;
    house.seconds(10 * MINUTE);

    assert_eq!(browser.body("/who").await, "nobody");
}

#[tokio::test]
async fn a_session_never_outlives_its_idle_time_and_ends_early_by_one_touch_at_most() {
    let mut random = random();
    let (idle, every) = (30 * MINUTE * 1000, MINUTE * 1000);

    for _ in 0..300 {
        let house = House::shop();
        let browser = house.user("ada").await;
        let mut last = house.clock.clone();
        for _ in 0..20 {
            let gap = u64::try_from(random.below(40_000)).unwrap();
            house.clock.advance(Duration::from_millis(gap));
            assert_eq!(browser.body("/who").await, "ada password");
            last = cloakroom::ManualClock::at_secs(0);
            last.set(cloakroom::Clock::now(&house.clock));
        }
        let deadline = house.sessions.list("ada").await.unwrap()[0].times().deadline().as_millis();
        let lives = deadline - cloakroom::Clock::now(&last).as_millis();

        assert!((idle - every..=idle).contains(&lives), "{lives} ms");
    }
}

#[tokio::test]
async fn a_clock_that_steps_back_ends_nothing_and_prolongs_nothing() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.seconds(10 * MINUTE);
    browser.get("/who").await;
    let deadline = house.sessions.list("ada").await.unwrap()[0].times().deadline();

    house.clock.set(Timestamp::from_millis((START - HOUR) * 1000));
    for path in ["/edit", "/add", "/rotate", "/set/note/x"] {
        assert_eq!(browser.post(path).await.status, StatusCode::OK, "{path}");
        assert_eq!(browser.body("/who").await, "ada password", "{path}");
    }
    let times = *house.sessions.list("ada").await.unwrap()[0].times();
    assert_eq!(times.deadline(), deadline);

    house.clock.set(deadline);
    assert_eq!(browser.body("/who").await, "nobody");
}

#[tokio::test]
async fn a_request_that_began_before_the_deadline_is_activity() {
    let slow = async |mut s: Session<Shop>, axum::Extension(house): axum::Extension<House>| {
        house.seconds(5);
        s.edit(|data| data.count += 1)
    };
    let house = House::new(routes().route("/slow", post(slow)));
    let browser = house.user("ada").await;
    house.seconds(30 * MINUTE - 2);
    let mut request = browser.request(Method::POST, "/slow");
    request.extensions_mut().insert(house.clone());

    let reply = house.send(request).await;

    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(browser.body("/who").await, "ada password");
}

#[tokio::test]
async fn expired_sessions_are_swept_and_gone_before_that() {
    let house = House::shop();
    for n in 0..50 {
        house.user(&format!("user{n}")).await;
    }
    house.seconds(30 * MINUTE);

    assert_eq!(house.sessions.count().await.unwrap().sessions, 0);
    assert!(house.sessions.sweep().await.unwrap() >= 50);
    assert_eq!(house.sessions.sweep().await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_sweeper_runs_by_itself() {
    let house = House::shop();
    house.user("ada").await;
    house.seconds(31 * MINUTE);

    tokio::time::sleep(Duration::from_secs(61)).await;

    assert_eq!(house.store.calls().registry, 1);
    assert_eq!(house.sessions.sweep().await.unwrap(), 0, "it is done");
}

#[tokio::test]
async fn a_step_up_makes_no_session_younger() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.seconds(5 * MINUTE);

    browser.post("/step-up").await;

    let records = house.sessions.list("ada").await.unwrap();
    assert_eq!(records[0].times().created, Timestamp::from_millis(START * 1_000));
}

#[tokio::test]
async fn freshness_is_about_the_last_proof() {
    let house = House::shop();
    let browser = house.user("ada").await;

    house.seconds(5 * MINUTE);
    assert_eq!(browser.body("/fresh").await, "true");
    house.seconds(1);
    assert_eq!(browser.body("/fresh").await, "false");
    browser.post("/rotate").await;
    assert_eq!(browser.body("/fresh").await, "false", "a renewal proves nothing");
    browser.post("/step-up").await;

    assert_eq!(browser.body("/fresh").await, "true");
    assert_eq!(house.browser().body("/fresh").await, "false");
}

#[tokio::test]
async fn activity_is_recorded_from_one_touch_every_on() {
    for (seconds, touches) in [(59, 0), (60, 1)] {
        let house = House::shop();
        let browser = house.user("ada").await;
        house.seconds(seconds);

        browser.get("/who").await;

        assert!(house.sessions.shutdown(Duration::from_secs(5)).await);
        assert_eq!(house.store.calls().touch, touches, "after {seconds} s");
    }
}
