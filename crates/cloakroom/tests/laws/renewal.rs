//! L3: a renewal keeps the session and lets the old ticket forward for a while.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::routing::{get, post};
use cloakroom::{Builder, Error, Live, Session};
use tokio::sync::Barrier;

use crate::support::*;

fn hourly(rules: Builder<Shop>) -> Builder<Shop> {
    rules.renew_every(Duration::from_secs(HOUR))
}

#[tokio::test]
async fn a_renewed_session_keeps_its_id_and_data_under_a_new_ticket() {
    let house = House::shop();
    let browser = house.user("ada").await;
    browser.post("/set/note/kept").await;
    let (id, ticket) = (browser.body("/id").await, browser.ticket());

    browser.post("/rotate").await;

    assert_ne!(browser.ticket(), ticket);
    assert_eq!(browser.body("/id").await, id);
    assert_eq!(browser.body("/data").await, "cart= count=0 theme=- note=kept");
    assert_eq!(house.sessions.count().await.unwrap().sessions, 1);
}

#[tokio::test]
async fn edits_through_the_old_ticket_land_and_set_no_cookie() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let old = browser.thief();
    browser.post("/rotate").await;

    for path in ["/add", "/edit", "/set/note/through", "/cart/pen"] {
        let reply = old.post(path).await;
        assert_eq!((reply.status, reply.ticket()), (StatusCode::OK, None), "{path}");
    }

    assert_eq!(browser.body("/data").await, "cart=pen count=2 theme=- note=through");
}

#[tokio::test]
async fn identity_calls_through_the_old_ticket_are_stale() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let old = browser.thief();
    browser.post("/step-up").await;

    for path in ["/login/eve", "/logout", "/rotate", "/step-up", "/end-others"] {
        let reply = old.post(path).await;

        assert_eq!((reply.status, reply.ticket()), (StatusCode::CONFLICT, None), "{path}");
        assert_eq!(reply.header("session-error"), Some("stale"), "{path}");
    }
    assert_eq!(old.body("/who").await, "ada password", "the identity of before");
    assert_eq!(browser.body("/who").await, "ada password+totp");
}

#[tokio::test]
async fn the_old_ticket_forwards_for_a_grace_after_the_new_one_was_seen() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let old = browser.thief();
    browser.post("/rotate").await;
    house.seconds(9 * MINUTE);
    assert_eq!(old.body("/who").await, "ada password", "the new one was not seen yet");

    browser.get("/who").await;
    house.seconds(19);
    assert_eq!(old.body("/who").await, "ada password");
    house.seconds(1);

    assert_eq!(old.body("/who").await, "nobody");
    assert_eq!(old.body("/why").await, "replaced by system");
    assert_eq!(browser.body("/who").await, "ada password");
}

#[tokio::test]
async fn the_old_ticket_forwards_for_ten_minutes_at_most() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let old = browser.thief();
    browser.post("/rotate").await;

    house.seconds(10 * MINUTE - 1);
    assert_eq!(old.body("/who").await, "ada password");
    house.seconds(1);

    assert_eq!(old.body("/who").await, "nobody");
}

#[tokio::test]
async fn seeing_the_new_ticket_again_does_not_prolong_the_grace() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let old = browser.thief();
    browser.post("/rotate").await;

    for _ in 0..4 {
        browser.get("/who").await;
        house.seconds(5);
    }

    assert_eq!(old.body("/who").await, "nobody");
}

#[tokio::test]
async fn a_logout_ends_the_old_ticket_of_a_renewal_too() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let old = browser.thief();
    browser.post("/rotate").await;

    browser.post("/logout").await;

    assert_eq!(old.body("/who").await, "nobody");
    assert_eq!(old.body("/why").await, "logout by holder");
}

#[tokio::test]
async fn a_login_ends_the_old_tickets_of_renewals_too() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let mut old = vec![browser.thief()];
    for _ in 0..3 {
        browser.post("/rotate").await;
        old.push(browser.thief());
    }

    browser.post("/login/ada").await;

    for ticket in old {
        assert_eq!(ticket.body("/who").await, "nobody");
        assert_eq!(ticket.post("/add").await.status, StatusCode::CONFLICT);
    }
    assert_eq!(browser.body("/count").await, "0");
}

#[tokio::test]
async fn tickets_are_renewed_each_time_the_span_has_passed() {
    let house = House::ruled(hourly);
    let browser = house.user("ada").await;
    let mut tickets = std::collections::BTreeSet::from([browser.ticket()]);

    for _ in 0..5 * HOUR / (10 * MINUTE) {
        house.seconds(10 * MINUTE);
        assert_eq!(browser.body("/who").await, "ada password");
        tickets.insert(browser.ticket());
    }

    assert_eq!(tickets.len(), 6);
    assert_eq!(house.store.calls().rotate, 5);
}

#[tokio::test]
async fn a_service_whose_every_request_edits_renews_its_tickets_too() {
    let house = House::ruled(hourly);
    let browser = house.user("ada").await;
    let ticket = browser.ticket();

    for _ in 0..10 {
        house.seconds(20 * MINUTE);
        assert_eq!(browser.post("/edit").await.status, StatusCode::OK);
    }

    assert_ne!(browser.ticket(), ticket);
    assert_eq!(browser.body("/count").await, "10");
}

#[tokio::test]
async fn a_failed_request_does_not_use_a_renewal_up() {
    let broken = async |_: Session<Shop>| StatusCode::INTERNAL_SERVER_ERROR;
    let house = House::with(routes().route("/broken", get(broken)), hourly);
    let browser = house.user("ada").await;
    let ticket = browser.ticket();
    for _ in 0..2 {
        house.seconds(25 * MINUTE);
        browser.get("/who").await;
    }
    house.seconds(15 * MINUTE);

    browser.get("/broken").await;
    browser.get("/who").await;

    assert_ne!(browser.ticket(), ticket);
}

#[tokio::test]
async fn a_request_that_is_no_activity_renews_nothing() {
    let house = House::ruled(hourly);
    let browser = house.user("ada").await;
    for _ in 0..3 {
        house.seconds(18 * MINUTE);
        browser.get("/who").await;
    }
    house.seconds(10 * MINUTE);

    let head = browser.send(Method::HEAD, "/who").await;
    let prefetch = browser.send_with(Method::GET, "/who", &[("sec-purpose", "prefetch")]).await;

    assert_eq!((head.ticket(), prefetch.ticket()), (None, None));
    assert!(browser.get("/who").await.ticket().is_some());
}

#[tokio::test]
async fn parallel_requests_at_a_renewal_get_one_new_ticket_and_no_alarm() {
    let together = Arc::new(Barrier::new(20));
    let meet = async move |s: Session<Shop>| {
        together.wait().await;
        s.user().map(|user| user.to_string()).unwrap_or_default()
    };
    let house = House::with(routes().route("/meet", get(meet)), |rules| {
        rules.renew_every(Duration::from_secs(20 * MINUTE))
    });
    let browser = house.user("ada").await;
    house.seconds(21 * MINUTE);
    let events = Events::listen();

    let requests: Vec<_> = (0..20).map(|_| browser.start(Method::GET, "/meet")).collect();
    let mut tickets = 0;
    for request in requests {
        let reply = request.await.unwrap();
        assert_eq!(reply.body, "ada");
        tickets += usize::from(reply.ticket().is_some());
        browser.keep(&reply);
    }

    assert_eq!(tickets, 1);
    println!("20 parallel requests at a renewal: {:?}", house.store.calls());
    assert_eq!(events.count("store_failed"), 0, "to be second is no failure of the store");
    assert_eq!(browser.body("/who").await, "ada password");
}

#[tokio::test]
async fn a_renewal_that_the_store_refuses_does_not_spoil_the_answer() {
    let away = async |s: Session<Shop>, axum::Extension(store): axum::Extension<TestStore>| {
        store.set_away(true);
        s.user().map(|user| user.to_string()).unwrap_or_default()
    };
    let house = House::with(routes().route("/away", get(away)), |rules| {
        rules.renew_every(Duration::from_secs(20 * MINUTE))
    });
    let browser = house.user("ada").await;
    house.seconds(21 * MINUTE);
    let mut request = browser.request(Method::GET, "/away");
    request.extensions_mut().insert(house.store.clone());

    let reply = house.send(request).await;

    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::OK, "ada"));
    assert_eq!(reply.ticket(), None);
    house.store.set_away(false);
    assert!(browser.get("/who").await.ticket().is_some(), "it is made up for");
}

#[tokio::test]
async fn a_live_handle_follows_its_session_through_renewals() {
    let kept: Arc<Mutex<Option<Arc<Live<Shop>>>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let live = async move |mut s: Session<Shop>| {
        *keep.lock().unwrap() = Some(Arc::new(s.live().await?));
        Ok::<_, Error>(())
    };
    let house = House::new(routes().route("/live", post(live)));
    let browser = house.user("ada").await;
    browser.post("/live").await;
    let live = kept.lock().unwrap().clone().unwrap();

    for n in 1..=20 {
        browser.post("/rotate").await;
        browser.get("/who").await;
        house.seconds(MINUTE);
        live.update(|data| data.count += 1).await.unwrap();
        assert_eq!(live.data().await.unwrap().count, n);
    }
    assert_eq!(browser.body("/count").await, "20");
    browser.post("/logout").await;
    assert!(live.update(|data| data.count += 1).await.is_err(), "and it ends with it");
    assert_eq!(house.sessions.count().await.unwrap().sessions, 0);
}

#[tokio::test]
async fn a_live_handle_that_is_taken_during_a_renewal_follows_it() {
    let kept: Arc<Mutex<Option<Arc<Live<Shop>>>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let together = Arc::new(Barrier::new(2));
    let meet = Arc::clone(&together);
    let live = async move |mut s: Session<Shop>| {
        meet.wait().await;
        meet.wait().await;
        *keep.lock().unwrap() = Some(Arc::new(s.live().await?));
        Ok::<_, Error>(())
    };
    let house = House::new(routes().route("/live", post(live)));
    let browser = house.user("ada").await;
    let request = browser.start(Method::POST, "/live");
    together.wait().await;
    browser.post("/rotate").await;
    together.wait().await;
    assert_eq!(request.await.unwrap().status, StatusCode::OK);
    let live = kept.lock().unwrap().clone().unwrap();

    browser.get("/who").await;
    house.seconds(MINUTE);

    live.update(|data| data.count += 1).await.unwrap();
    assert_eq!(browser.body("/count").await, "1");
}

#[tokio::test]
async fn a_live_handle_does_not_cross_a_privilege_change() {
    let kept: Arc<Mutex<Option<Arc<Live<Shop>>>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let live = async move |mut s: Session<Shop>| {
        *keep.lock().unwrap() = Some(Arc::new(s.live().await?));
        Ok::<_, Error>(())
    };
    let house = House::new(routes().route("/live", post(live)));
    let browser = house.browser();
    browser.post("/live").await;
    let live = kept.lock().unwrap().clone().unwrap();

    browser.post("/login/ada").await;

    assert!(live.update(|data| data.note = "leak".into()).await.is_err());
    assert!(live.data().await.is_err());
    assert!(!browser.body("/data").await.contains("leak"));
}

/// What a request knows of the user's proofs once its own change has landed.
fn adding() -> axum::Router {
    let add = async |mut s: Session<Shop>| {
        s.update(|data| data.count += 1).await?;
        Ok::<_, Error>(s.identity().factors.to_string())
    };
    routes().route("/add-and-tell", post(add))
}

#[tokio::test]
async fn a_change_through_the_old_ticket_does_not_bring_the_new_proof_along() {
    let house = House::new(adding());
    let browser = house.user("ada").await;
    let old = browser.thief();
    browser.post("/step-up").await;
    let hold = house.store.hold();
    let first = browser.start(Method::POST, "/add");
    hold.until(1).await;

    let through_old = old.start(Method::POST, "/add-and-tell");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let through_new = browser.start(Method::POST, "/add-and-tell");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    hold.release();

    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(through_old.await.unwrap().body, "password");
    assert_ne!(through_new.await.unwrap().body, "password");
}

#[tokio::test]
async fn a_change_whose_batch_was_sent_through_a_dead_ticket_lands_through_its_own() {
    let house = House::new(adding());
    let browser = house.user("ada").await;
    let old = browser.thief();
    browser.post("/rotate").await;
    let hold = house.store.hold_back_commits();
    let first = browser.start(Method::POST, "/set/note/first");
    hold.until(1).await;
    let through_new = browser.start(Method::POST, "/add-and-tell");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let through_old = old.start(Method::POST, "/add-and-tell");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    // A store keeps few keys that forward; the oldest is forgotten first.
    let elsewhere = browser.thief();
    for _ in 0..8 {
        elsewhere.post("/rotate").await;
    }
    hold.release();

    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(through_new.await.unwrap().status, StatusCode::OK);
    assert_eq!(through_old.await.unwrap().status, StatusCode::CONFLICT);
    assert_eq!(elsewhere.body("/count").await, "1");
}

#[tokio::test]
async fn the_spans_of_a_periodic_renewal_begin_with_the_last_proof() {
    let house = House::ruled(hourly);
    let browser = house.user("ada").await;
    for minutes in [20, 20] {
        house.seconds(minutes * MINUTE);
        browser.get("/who").await;
    }
    house.seconds(10 * MINUTE);
    browser.post("/step-up").await;

    house.seconds(20 * MINUTE);
    let before = browser.get("/who").await;
    house.seconds(20 * MINUTE);
    browser.get("/who").await;
    house.seconds(20 * MINUTE);
    let after = browser.get("/who").await;

    assert_eq!(before.ticket(), None, "an hour after the sign-in");
    assert!(after.ticket().is_some(), "an hour after the step-up");
}
