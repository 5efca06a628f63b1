//! L9: the newest answer owns the cookie.

use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::routing::post;
use axum::{Extension, Router};
use cloakroom::store::By;
use cloakroom::{Error, Session};

use crate::support::*;

/// Handlers that stop before or after their identity call, until they are let go.
fn stopping(stop: &Pause) -> Router {
    let stops = async |Extension(stop): Extension<Pause>,
                       Path((when, what)): Path<(String, String)>,
                       mut s: Session<Shop>| {
        if when == "before" {
            stop.here().await;
        }
        match what.as_str() {
            "logout" => s.logout().await?,
            "rotate" => s.rotate().await?,
            "write" => s.set("note", &"written")?,
            user => s.login(user).await?,
        }
        if when == "after" {
            stop.here().await;
        }
        Ok::<_, Error>(())
    };
    routes().route("/stop/{when}/{what}", post(stops)).layer(Extension(stop.clone()))
}

/// Sends a request that stops, lets `others` happen meanwhile, and takes its answer in last.
async fn overtaken(path: &str, others: &[&str]) -> (Browser, Reply) {
    let stop = Pause::default();
    let house = House::new(stopping(&stop));
    let browser = house.user("ada").await;
    let slow = browser.start(Method::POST, path);
    stop.reached().await;
    for other in others {
        browser.post(other).await;
    }
    stop.go();
    let reply = slow.await.unwrap();
    browser.keep(&reply);
    (browser, reply)
}

#[tokio::test]
async fn a_slow_logout_does_not_clear_the_cookie_of_a_newer_login() {
    for when in ["before", "after"] {
        let (browser, reply) = overtaken(&format!("/stop/{when}/logout"), &["/login/bea"]).await;

        assert_eq!(reply.ticket(), None, "{when}");
        assert_eq!(browser.body("/who").await, "bea password", "{when}");
    }
}

#[tokio::test]
async fn a_slow_login_does_not_take_over_a_newer_one() {
    let (browser, reply) = overtaken("/stop/after/ada", &["/login/bea"]).await;

    assert_eq!(reply.ticket(), None);
    assert_eq!(browser.body("/who").await, "bea password");
}

#[tokio::test]
async fn a_login_that_comes_last_owns_the_cookie() {
    let (browser, reply) = overtaken("/stop/before/cyd", &["/login/bea"]).await;

    assert!(reply.ticket().is_some());
    assert_eq!(browser.body("/who").await, "cyd password");
}

#[tokio::test]
async fn a_slow_renewal_does_not_take_over_a_newer_login() {
    let stop = Pause::default();
    let house = House::new(stopping(&stop));
    let browser = house.user("ada").await;
    let slow = browser.start(Method::POST, "/stop/before/rotate");
    stop.reached().await;
    browser.post("/login/bea").await;
    stop.go();

    let reply = slow.await.unwrap();
    browser.keep(&reply);

    assert_eq!((reply.status, reply.ticket()), (StatusCode::CONFLICT, None));
    assert_eq!(browser.body("/who").await, "bea password");
}

#[tokio::test]
async fn a_slow_write_is_told_of_the_login_and_leaves_its_cookie() {
    for before in ["/login/bea", "/logout"] {
        let (browser, reply) = overtaken("/stop/before/write", &[before]).await;

        assert_eq!((reply.status, reply.ticket()), (StatusCode::CONFLICT, None), "{before}");
        let who = if before == "/logout" { "nobody" } else { "bea password" };
        assert_eq!(browser.body("/who").await, who);
    }
}

#[tokio::test]
async fn a_late_write_with_a_replaced_ticket_does_not_take_the_sign_in_away() {
    for path in ["/cart/late", "/add", "/ensure", "/set/note/late"] {
        let house = House::shop();
        let browser = house.browser();
        browser.post("/ensure").await;
        let late = browser.request(Method::POST, path);
        browser.post("/login/ada").await;

        let late = house.send(late).await;
        browser.keep(&late);

        assert_eq!(browser.body("/who").await, "ada password", "{path}");
        assert_eq!((late.status, late.ticket()), (StatusCode::CONFLICT, None), "{path}");
        assert_eq!(late.header("session-error"), Some("replaced"), "{path}");
    }
}

#[tokio::test]
async fn a_replaced_ticket_begins_nothing_as_long_as_a_response_may_be_under_way() {
    let cap = cloakroom::GRACE_CAP.as_secs();
    for (seconds, status) in [(cap - 1, StatusCode::CONFLICT), (cap, StatusCode::OK)] {
        let house = House::shop();
        let browser = house.browser();
        browser.post("/ensure").await;
        let late = browser.request(Method::POST, "/cart/late");
        browser.post("/login/ada").await;
        house.seconds(seconds);

        let late = house.send(late).await;

        assert_eq!((late.status, late.ticket().is_some()), (status, status == StatusCode::OK));
    }
}

#[tokio::test]
async fn a_late_write_with_a_signed_out_ticket_does_not_take_a_newer_sign_in_away() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let late = browser.request(Method::POST, "/cart/late");
    browser.post("/logout").await;
    browser.post("/login/bea").await;

    let late = house.send(late).await;
    browser.keep(&late);

    assert_eq!(browser.body("/who").await, "bea password");
    assert_eq!(late.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_ticket_that_ended_long_ago_can_begin_anew() {
    for (ending, wait) in [("/logout", DAY / 2), ("/who", DAY)] {
        let house = House::shop();
        let browser = house.user("ada").await;
        let lost = browser.thief();
        browser.send(Method::POST, ending).await;
        house.seconds(wait);

        let reply = lost.post("/cart/pen").await;

        assert_eq!(reply.status, StatusCode::OK, "{ending}");
        assert_eq!(lost.body("/data").await, "cart=pen count=0 theme=- note=", "{ending}");
    }
}

#[tokio::test]
async fn an_ended_ticket_is_never_a_reason_to_clear_a_cookie() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.sessions.revoke_user("ada", cloakroom::store::Reason::Revoked, By::SYSTEM).await.unwrap();

    for path in ["/who", "/view", "/data", "/plain", "/why"] {
        assert_eq!(browser.get(path).await.header("set-cookie"), None, "{path}");
    }
    assert_eq!(browser.body("/why").await, "revoked by system");
}

#[tokio::test]
async fn a_login_whose_session_is_revoked_before_its_answer_signs_nobody_in() {
    let stop = Pause::default();
    let house = House::new(stopping(&stop));
    let browser = house.browser();
    let slow = browser.start(Method::POST, "/stop/after/ada");
    stop.reached().await;

    house.sessions.revoke_user("ada", cloakroom::store::Reason::Revoked, By::SYSTEM).await.unwrap();
    stop.go();
    let reply = slow.await.unwrap();
    browser.keep(&reply);

    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(browser.body("/who").await, "nobody");
    assert_eq!(browser.post("/login/ada").await.status, StatusCode::OK);
    assert_eq!(browser.body("/who").await, "ada password");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_browser_stays_signed_in_whatever_else_it_sent_and_in_whatever_order_it_is_answered() {
    let mut random = random();
    let paths = ["/who", "/view", "/data", "/add", "/cart/pen", "/ensure", "/logout"];

    for round in 0..50 {
        let house = House::patient(routes());
        let browser = house.browser();
        browser.post("/ensure").await;
        let login = random.below(20);
        let mut requests = Vec::new();
        for n in 0..20 {
            let (method, path) = match paths[random.below(if round % 2 == 0 { 3 } else { 6 })] {
                _ if n == login => (Method::POST, "/login/ada"),
                path @ ("/who" | "/view" | "/data") => (Method::GET, path),
                path => (Method::POST, path),
            };
            requests.push(browser.start(method, path));
        }
        let mut replies = Vec::new();
        for request in requests {
            replies.push(request.await.unwrap());
        }
        random.shuffle(&mut replies);
        replies.iter().for_each(|reply| browser.keep(reply));

        assert_eq!(browser.body("/who").await, "ada password", "round {round}");
    }
}

#[tokio::test]
async fn several_identity_calls_of_one_request_hand_out_the_last_ticket_only() {
    let many = async |mut s: Session<Shop>| {
        s.ensure().await?;
        s.login("ada").await?;
        s.rotate().await?;
        s.login("bea").await
    };
    let house = House::new(routes().route("/many", post(many)));
    let browser = house.user("eve").await;

    let reply = browser.post("/many").await;

    assert_eq!(reply.headers.get_all("set-cookie").iter().count(), 1);
    assert_eq!(browser.body("/who").await, "bea password");
    assert_eq!(house.sessions.count().await.unwrap().sessions, 1);
}

#[tokio::test]
async fn a_request_with_two_sessions_takes_no_cookie_from_either() {
    for path in ["/login/ada", "/rotate", "/step-up", "/logout"] {
        let house = House::shop();
        let (ada, eve) = (house.user("ada").await, house.user("eve").await);
        let (own, planted) = (ada.ticket().unwrap(), eve.ticket().unwrap());
        let mut both = house.browser().request(Method::POST, "/set/note/x");
        let line = format!("{NAME}={own}; {NAME}={planted}");
        both.headers_mut().insert("cookie", line.parse().unwrap());
        let nobodys = house.send(both).await;
        assert!(nobodys.ticket().is_some_and(|ticket| !ticket.is_empty()), "a session of its own");

        let reply = ada.post(path).await;

        assert_eq!((reply.status, reply.ticket().is_some()), (StatusCode::OK, true), "{path}");
    }
}
