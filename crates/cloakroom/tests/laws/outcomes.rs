//! The outcome table: what becomes of edits, and what the client is told.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::{Method, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Router};
use cloakroom::store::By;
use cloakroom::{Error, ErrorKind, Result, Session};

use crate::support::*;

/// A handler that edits, and waits to be let go.
fn paused(pause: &Pause) -> Router {
    let edit = async |Extension(pause): Extension<Pause>, mut s: Session<Shop>| {
        s.edit(|data| data.count += 1)?;
        pause.here().await;
        Ok::<_, Error>("edited")
    };
    routes().route("/pause", get(edit).post(edit)).layer(Extension(pause.clone()))
}

#[tokio::test]
async fn edits_below_500_are_committed_and_dropped_from_there_on() {
    for (status, count) in [(200, "1"), (204, "1"), (303, "1"), (404, "1"), (499, "1")]
        .into_iter()
        .chain([(500, "0"), (503, "0"), (599, "0")])
    {
        let house = House::shop();
        let browser = house.user("ada").await;

        let reply = browser.post(&format!("/fail/{status}")).await;

        assert_eq!(reply.status, status);
        assert_eq!(browser.body("/count").await, count, "{status}");
    }
}

#[tokio::test]
async fn a_failing_handlers_edits_are_kept_where_the_policy_says_so() {
    let house = House::ruled(cloakroom::Builder::keep_on_error);
    let browser = house.user("ada").await;

    let reply = browser.post("/fail/500").await;

    assert_eq!(reply.status, 500);
    assert_eq!(browser.body("/count").await, "1");
}

#[tokio::test]
async fn dropped_edits_are_an_event() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let events = Events::listen();

    browser.post("/fail/500").await;

    assert_eq!(events.count("edits_dropped"), 1);
}

#[tokio::test]
async fn a_panic_drops_the_edits_and_is_an_event() {
    let panics = async |mut s: Session<Shop>, mut t: Session<Shop>| {
        s.edit(|data| data.count += 1)?;
        t.update(|data| data.note = "landed".into()).await?;
        s.edit(|data| data.count += 10)?;
        let user = s.user().filter(|user| user.as_str() == "eve");
        Ok::<_, Error>(user.unwrap().to_string())
    };
    let house = House::new(routes().route("/panic", post(panics)));
    let browser = house.user("ada").await;
    let events = Events::listen();

    let crashed = browser.start(Method::POST, "/panic").await;

    assert!(crashed.is_err_and(|error| error.is_panic()));
    assert_eq!(events.count("edits_dropped"), 1);
    assert_eq!(browser.body("/data").await, "cart= count=1 theme=- note=landed");
}

#[tokio::test]
async fn a_panic_inside_of_a_change_strands_nobody() {
    let panics = async |mut s: Session<Shop>| {
        s.update(|_| -> u32 { panic!("on purpose") }).await.map(|_| ())
    };
    let house = House::new(routes().route("/panic", post(panics)));
    let browser = house.user("ada").await;
    let hold = house.store.hold();

    let first = browser.start(Method::POST, "/add");
    hold.until(1).await;
    let mut rest: Vec<_> = (0..5).map(|_| browser.start(Method::POST, "/add")).collect();
    let crash = browser.start(Method::POST, "/panic");
    rest.extend((0..5).map(|_| browser.start(Method::POST, "/add")));
    hold.release();

    assert!(crash.await.is_err());
    rest.push(first);
    for add in rest {
        assert_eq!(add.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(browser.body("/count").await, "11");
}

#[tokio::test]
async fn a_client_that_hangs_up_before_the_end_drops_the_edits() {
    let pause = Pause::default();
    let house = House::new(paused(&pause));
    let browser = house.user("ada").await;
    let events = Events::listen();

    let request = browser.start(Method::POST, "/pause");
    pause.reached().await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());

    assert_eq!(events.count("edits_dropped"), 1);
    assert_eq!(browser.body("/count").await, "0");
}

#[tokio::test]
async fn a_commit_that_has_begun_runs_to_its_end_without_its_client() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let hold = house.store.hold_back_commits();

    let request = browser.start(Method::POST, "/edit");
    hold.until(1).await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    hold.release();
    assert!(house.sessions.shutdown(std::time::Duration::from_secs(5)).await);

    let records = house.sessions.list("ada").await.unwrap();
    assert_eq!(records[0].fields().get("count"), Some("1"));
}

#[tokio::test]
async fn a_session_that_ended_under_a_write_answers_409_and_why() {
    let pause = Pause::default();
    let house = House::new(paused(&pause));
    let browser = house.user("ada").await;

    let request = browser.start(Method::POST, "/pause");
    pause.reached().await;
    let id = house.sessions.list("ada").await.unwrap()[0].id();
    house.sessions.revoke(id, By::new("staff 17").unwrap()).await.unwrap();
    pause.go();

    let reply = request.await.unwrap();
    assert_eq!(reply.status, StatusCode::CONFLICT);
    assert_eq!(reply.header("session-error"), Some("revoked"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.ticket(), None);
    assert_eq!(browser.body("/why").await, "revoked by staff 17");
    assert_eq!(house.sessions.count().await.unwrap().sessions, 0, "nothing is brought back");
}

#[tokio::test]
async fn a_store_that_is_away_at_the_commit_is_said_as_the_method_allows() {
    for (method, retry) in
        [(Method::GET, Some("1")), (Method::HEAD, Some("1")), (Method::POST, None)]
    {
        let pause = Pause::default();
        let house = House::new(paused(&pause));
        let browser = house.user("ada").await;

        let request = browser.start(method.clone(), "/pause");
        pause.reached().await;
        house.store.set_away(true);
        pause.go();
        let reply = request.await.unwrap();

        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{method}");
        assert_eq!(reply.header("retry-after"), retry, "{method}");
        assert_eq!(reply.header("session-error"), Some("unavailable"));
        assert_eq!(reply.ticket(), None);
        assert_eq!(reply.body.contains("may or may not"), retry.is_none(), "{}", reply.body);
        house.store.set_away(false);
        assert_eq!(browser.body("/who").await, "ada password");
    }
}

#[tokio::test]
async fn a_sign_in_keeps_its_cookie_when_a_later_edit_is_not_stored() {
    let sign_in = async |mut s: Session<Shop>, Extension(store): Extension<TestStore>| {
        s.login("ada").await?;
        store.set_away(true);
        s.edit(|data| data.count += 1)
    };
    let house = House::new(routes().route("/sign-in", post(sign_in)));
    let browser = house.browser();
    let mut request = browser.request(Method::POST, "/sign-in");
    request.extensions_mut().insert(house.store.clone());

    let reply = house.send(request).await;

    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    house.store.set_away(false);
    browser.keep(&reply);
    assert_eq!(browser.body("/data").await, "cart= count=0 theme=- note=");
    assert_eq!(browser.body("/who").await, "ada password");
}

#[tokio::test]
async fn an_update_whose_store_is_away_is_said_as_the_method_allows() {
    let update = async |mut s: Session<Shop>, Extension(store): Extension<TestStore>| {
        store.set_away(true);
        s.update(|data| data.count += 1).await
    };
    let house = House::new(routes().route("/update", get(update).post(update)));
    for (method, retry) in [(Method::GET, Some("1")), (Method::POST, None)] {
        let browser = house.user("ada").await;
        let mut request = browser.request(method.clone(), "/update");
        request.extensions_mut().insert(house.store.clone());

        let reply = house.send(request).await;

        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{method}");
        assert_eq!(reply.header("retry-after"), retry, "{method}");
        house.store.set_away(false);
    }
}

#[tokio::test]
async fn an_edit_after_the_response_is_an_error() {
    let told: Arc<Mutex<Option<Result<()>>>> = Arc::default();
    let (tell, pause) = (Arc::clone(&told), Pause::default());
    let waits = pause.clone();
    let spawns = async move |mut s: Session<Shop>| {
        tokio::spawn(async move {
            waits.here().await;
            let edited = s.edit(|data| data.count += 1);
            assert!(s.set("note", &"late").is_err() && s.unset("note").is_err());
            assert!(s.update(|data| data.count += 1).await.is_err());
            assert!(s.login("eve").await.is_err() && s.rotate().await.is_err());
            assert!(s.ensure().await.is_err() && s.logout().await.is_err());
            *tell.lock().unwrap() = Some(edited);
        });
    };
    let house = House::new(routes().route("/spawn", post(spawns)));
    let browser = house.user("ada").await;

    browser.post("/spawn").await;
    pause.reached().await;
    pause.go();
    while told.lock().unwrap().is_none() {
        tokio::task::yield_now().await;
    }

    let edited = told.lock().unwrap().take().unwrap().unwrap_err();
    assert_eq!(*edited.kind(), ErrorKind::Closed);
    assert!(edited.to_string().contains("live"), "{edited}");
    assert_eq!(browser.body("/data").await, "cart= count=0 theme=- note=");
}

#[tokio::test]
async fn an_edit_while_the_commit_is_under_way_is_an_error_or_lands() {
    let told: Arc<Mutex<Option<Result<()>>>> = Arc::default();
    let (tell, pause) = (Arc::clone(&told), Pause::default());
    let waits = pause.clone();
    let spawns = async move |mut s: Session<Shop>, mut late: Session<Shop>| {
        tokio::spawn(async move {
            waits.here().await;
            *tell.lock().unwrap() = Some(late.edit(|data| data.note = "late".into()));
        });
        s.edit(|data| data.count += 1)
    };
    let house = House::new(routes().route("/spawn", post(spawns)));
    let browser = house.user("ada").await;
    let hold = house.store.hold();

    let request = browser.start(Method::POST, "/spawn");
    hold.until(1).await;
    pause.reached().await;
    pause.go();
    while told.lock().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    hold.release();
    request.await.unwrap();

    let accepted = told.lock().unwrap().take().unwrap().is_ok();
    let landed = browser.body("/data").await.contains("note=late");
    assert_eq!(accepted, landed, "accepted means landed");
}

#[tokio::test]
async fn an_answer_of_5xx_after_a_login_still_hands_the_ticket_out() {
    let runs = Arc::new(AtomicU32::new(0));
    let counts = Arc::clone(&runs);
    let fails = async move |mut s: Session<Shop>| {
        counts.fetch_add(1, Ordering::SeqCst);
        s.login("ada").await?;
        s.edit(|data| data.count += 1)?;
        Ok::<_, Error>(StatusCode::BAD_GATEWAY)
    };
    let house = House::new(routes().route("/fails", post(fails)));
    let browser = house.browser();

    let reply = browser.post("/fails").await;

    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert_eq!(browser.body("/who").await, "ada password");
    assert_eq!(browser.body("/count").await, "0");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}
