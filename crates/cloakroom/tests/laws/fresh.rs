//! L4: routes that ask for it go past every cache in front of the store, and so does whatever acts
//! on other sessions. In these tests the cache never learns of anything.

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::{get, post};
use cloakroom::axum::{LazySession, WithRole};
use cloakroom::store::{By, Reason};
use cloakroom::{Role, Session, Sessions, View};

use crate::support::*;

struct Staff;

impl Role for Staff {
    const NAME: &'static str = "staff";
}

/// The small shop, and the same questions on routes that no cache may answer.
fn house() -> House {
    let fresh = |sessions: &Sessions<Shop>| {
        Router::new()
            .route("/fresh/who", get(async |s: Session<Shop>| who(s.user())))
            .route("/fresh/view", get(async |s: View<Shop>| who(s.user())))
            .route(
                "/fresh/lazy",
                get(async |s: LazySession<Shop>| who(s.load().await.unwrap().user())),
            )
            .route("/fresh/staff", get(async |_: WithRole<Staff, Shop>| "staff"))
            .route("/fresh/add", post(add))
            .route_layer(sessions.require_fresh())
            .route("/staff", get(async |_: WithRole<Staff, Shop>| "staff"))
    };
    let (store, clock) = (TestStore::default(), cloakroom::ManualClock::at_secs(START));
    let house = House::on(store, clock, |sessions| fresh(sessions).merge(routes()), |rules| rules);
    house.store.set_cached();
    house
}

fn who(user: Option<cloakroom::store::UserId>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.to_string())
}

async fn add(mut s: Session<Shop>) -> cloakroom::Result<String> {
    Ok(s.update(|data| {
        data.count += 1;
        data.count
    })
    .await?
    .to_string())
}

#[tokio::test]
async fn what_ended_elsewhere_is_over_on_a_fresh_route() {
    let house = house();
    let browser = house.user("ada").await;
    assert_eq!(browser.body("/who").await, "ada password");
    house.sessions.revoke_user("ada", Reason::Revoked, By::SYSTEM).await.unwrap();
    assert_eq!(browser.body("/who").await, "ada password", "the cache did not hear of it");

    for path in ["/fresh/who", "/fresh/view", "/fresh/lazy"] {
        assert_eq!(browser.body(path).await, "nobody", "{path}");
    }
}

#[tokio::test]
async fn rights_that_were_withdrawn_are_gone_on_a_fresh_route() {
    let house = house();
    let browser = house.browser();
    browser.post("/login-as/ada/staff").await;
    assert_eq!(browser.body("/staff").await, "staff");
    house.sessions.set_roles("ada", &[]).await.unwrap();
    assert_eq!(browser.body("/staff").await, "staff", "the cache did not hear of it");

    let reply = browser.get("/fresh/staff").await;

    assert_eq!(reply.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_fresh_route_costs_one_load_and_others_none_more() {
    let house = house();
    let browser = house.user("ada").await;

    browser.get("/who").await;
    assert_eq!(house.store.calls(), Calls { load: 1, ..Calls::default() });
    browser.get("/fresh/who").await;
    assert_eq!(house.store.calls(), Calls { load_fresh: 1, ..Calls::default() });
    browser.post("/fresh/add").await;
    assert_eq!(house.store.calls(), Calls { load_fresh: 1, commit: 1, ..Calls::default() });
}

#[tokio::test]
async fn a_session_that_was_loaded_before_is_loaded_again() {
    let house = house();
    let browser = house.user("ada").await;
    browser.get("/who").await;
    let (method, uri) = (Method::GET, "/".parse().unwrap());
    let mut headers = browser.request(method.clone(), "/").into_parts().0.headers;
    let scope = house.sessions.open(&method, &uri, &mut headers).unwrap();
    assert_eq!(who(scope.session().await.unwrap().user()), "ada");
    house.sessions.revoke_user("ada", Reason::Revoked, By::SYSTEM).await.unwrap();

    scope.require_fresh();
    let mut session = scope.session().await.unwrap();

    assert_eq!((session.user(), session.ended().unwrap().reason), (None, Reason::Revoked));
    let error = session.update(|data| data.count += 1).await.unwrap_err();
    assert_eq!(error.status(), StatusCode::CONFLICT, "nothing begins in its place");
    session.login("eve").await.unwrap();
    assert_eq!(who(scope.session().await.unwrap().user()), "eve", "the ticket it came with is old");
}

#[tokio::test]
async fn a_session_that_was_revoked_elsewhere_ends_no_others() {
    let house = house();
    let (thief, owner) = (house.user("ada").await, house.user("ada").await);
    for browser in [&thief, &owner] {
        browser.get("/who").await;
    }
    let stolen = thief.body("/id").await;
    let all = house.sessions.list("ada").await.unwrap();
    let stolen = all.iter().find(|record| stolen.contains(&record.id().to_string())).unwrap();
    house.sessions.revoke(stolen.id(), By::SYSTEM).await.unwrap();

    let reply = thief.post("/end-others").await;

    assert_eq!(
        (reply.status, reply.header("session-error")),
        (StatusCode::CONFLICT, Some("revoked"))
    );
    assert_eq!(house.sessions.list("ada").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_ticket_that_was_renewed_elsewhere_ends_no_others() {
    let house = house();
    let (browser, _other) = (house.user("ada").await, house.user("ada").await);
    browser.get("/who").await;
    let old = browser.thief();
    assert_eq!(browser.post("/rotate").await.status, StatusCode::OK);

    let reply = old.post("/end-others").await;

    assert_eq!(
        (reply.status, reply.header("session-error")),
        (StatusCode::CONFLICT, Some("stale"))
    );
    assert_eq!(house.sessions.list("ada").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_live_handle_reads_past_the_cache() {
    let house = house();
    let browser = house.user("ada").await;
    let (method, uri) = (Method::GET, "/".parse().unwrap());
    let mut headers = browser.request(method.clone(), "/").into_parts().0.headers;
    let scope = house.sessions.open(&method, &uri, &mut headers).unwrap();
    let live = scope.session().await.unwrap().live().await.unwrap();
    browser.post("/add").await;

    assert_eq!(live.data().await.unwrap().count, 1);
}
