//! L6: reading is free. Every store call is counted.

use std::time::Duration;

use axum::http::{Method, StatusCode};

use crate::support::*;

fn calls(load: u64, commit: u64, touch: u64) -> Calls {
    Calls { load, commit, touch, ..Calls::default() }
}

#[tokio::test]
async fn a_route_that_does_not_ask_costs_no_call_and_adds_no_header() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.seconds(10 * MINUTE);

    for path in ["/plain", "/lazy", "/nowhere"] {
        let reply = browser.get(path).await;

        assert_eq!(house.store.calls(), Calls::default(), "{path}");
        for name in ["set-cookie", "cache-control", "vary"] {
            assert_eq!(reply.header(name), None, "{path}");
        }
    }
}

#[tokio::test]
async fn reading_is_one_load_without_a_cookie() {
    let house = House::shop();
    let browser = house.user("ada").await;

    for path in ["/who", "/view", "/data", "/count", "/why"] {
        let reply = browser.get(path).await;

        assert_eq!((reply.status, reply.ticket()), (StatusCode::OK, None), "{path}");
        assert_eq!(house.store.calls(), calls(1, 0, 0), "{path}");
    }
}

#[tokio::test]
async fn changing_is_one_load_and_one_commit() {
    let house = House::shop();
    let browser = house.user("ada").await;

    for path in ["/add", "/edit", "/set/note/x", "/cart/pen"] {
        let reply = browser.post(path).await;

        assert_eq!((reply.status, reply.ticket()), (StatusCode::OK, None), "{path}");
        assert_eq!(house.store.calls(), calls(1, 1, 0), "{path}");
    }
}

#[tokio::test]
async fn a_change_carries_the_activity_along() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.seconds(10 * MINUTE);

    browser.post("/edit").await;
    browser.get("/who").await;

    assert_eq!(house.store.calls(), calls(2, 1, 0), "the commit was the touch");
}

#[tokio::test]
async fn a_change_to_what_is_there_already_writes_nothing() {
    let house = House::shop();
    let browser = house.user("ada").await;
    browser.post("/theme/dark").await;
    house.store.calls();

    browser.post("/theme/dark").await;

    assert_eq!(house.store.calls(), calls(1, 0, 0));
}

#[tokio::test]
async fn activity_is_recorded_at_most_once_per_window() {
    let house = House::shop();
    let browser = house.user("ada").await;

    for _ in 0..59 {
        house.seconds(1);
        browser.get("/who").await;
    }
    assert_eq!(house.store.calls(), calls(59, 0, 0));
    for _ in 0..10 * MINUTE {
        house.seconds(1);
        browser.get("/who").await;
    }

    assert_eq!(house.store.calls(), calls(600, 0, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_reads_record_their_activity_once() {
    let house = House::patient(routes());
    let browser = house.user("ada").await;

    for round in 1..=20 {
        house.seconds(5 * MINUTE);
        let reads: Vec<_> = (0..20).map(|_| browser.start(Method::GET, "/who")).collect();
        for read in reads {
            assert_eq!(read.await.unwrap().body, "ada password");
        }
        assert_eq!(house.store.calls(), calls(20, 0, 1), "round {round}");
    }
}

#[tokio::test]
async fn parallel_reads_record_their_activity_once_before_a_slow_store_has_answered() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.seconds(5 * MINUTE);
    let hold = house.store.hold_back_commits();

    for _ in 0..20 {
        assert_eq!(browser.body("/who").await, "ada password", "nobody waits for a touch");
    }

    assert_eq!(house.store.calls(), calls(20, 0, 1));
    hold.release();
}

#[tokio::test]
async fn an_identity_change_is_activity_by_itself() {
    for path in ["/login/ada", "/rotate", "/step-up"] {
        let house = House::shop();
        let browser = house.user("ada").await;
        house.seconds(10 * MINUTE);

        browser.post(path).await;
        assert!(house.sessions.shutdown(Duration::from_secs(5)).await);

        assert_eq!(house.store.calls(), Calls { load: 1, rotate: 1, ..Calls::default() }, "{path}");
    }
}

#[tokio::test]
async fn extractions_of_one_request_share_one_load() {
    let two = async |a: cloakroom::Session<Shop>, b: cloakroom::View<Shop>| {
        assert_eq!(a.id(), b.id());
    };
    let house = House::new(routes().route("/two", axum::routing::get(two)));
    let browser = house.user("ada").await;

    browser.get("/two").await;

    assert_eq!(house.store.calls(), calls(1, 0, 0));
}

#[tokio::test]
async fn identity_calls_are_one_call_each_beside_the_load() {
    let house = House::shop();
    let browser = house.browser();
    let one = |load, create, rotate, end| Calls { load, create, rotate, end, ..Calls::default() };

    browser.post("/login/ada").await;
    assert_eq!(house.store.calls(), one(0, 1, 0, 0), "first login");
    browser.post("/login/ada").await;
    assert_eq!(house.store.calls(), one(1, 0, 1, 0), "login again");
    browser.post("/rotate").await;
    assert_eq!(house.store.calls(), one(1, 0, 1, 0), "rotate");
    browser.post("/step-up").await;
    assert_eq!(house.store.calls(), one(1, 0, 1, 0), "step up");
    browser.post("/logout").await;
    assert_eq!(house.store.calls(), one(1, 0, 0, 1), "logout");
}

#[tokio::test]
async fn a_crawler_costs_nothing() {
    let house = House::with(routes(), |rules| rules.renew_every(Duration::from_secs(HOUR)));

    for page in 0..500 {
        let path = ["/plain", "/who", "/view", "/data"][page % 4];
        let reply = house.browser().get(path).await;
        assert_eq!((reply.status, reply.ticket()), (StatusCode::OK, None));
    }

    assert_eq!(house.store.calls(), Calls::default());
}
