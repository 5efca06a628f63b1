//! L7: a remembered user whose clocks have run out gets a new session through the same ticket.

use std::time::Duration;

use axum::http::{Method, StatusCode};

use crate::support::*;

async fn remembered(house: &House) -> Browser {
    let browser = house.browser();
    assert_eq!(browser.post("/remember/ada").await.status, StatusCode::OK);
    browser
}

#[tokio::test]
async fn the_cookie_outlives_the_browser_only_when_the_user_is_remembered() {
    let house = House::shop();
    let attributes = |reply: &Reply| reply.header("set-cookie").unwrap().to_owned();

    let plain = house.browser().post("/login/ada").await;
    let kept = house.browser().post("/remember/ada").await;

    assert!(!attributes(&plain).contains("Max-Age") && !attributes(&plain).contains("Expires"));
    let month = format!("Max-Age={}", 30 * DAY);
    assert!(attributes(&kept).contains(&month), "{}", attributes(&kept));
}

#[tokio::test]
async fn a_remembered_user_resumes_with_the_same_ticket() {
    let house = House::shop();
    let browser = house.browser();
    browser.post("/remember/ada").await;
    for path in ["/cart/pen", "/theme/dark", "/set/note/private", "/add"] {
        browser.post(path).await;
    }
    let (id, ticket) = (browser.body("/id").await, browser.ticket());
    assert_eq!(browser.body("/fresh").await, "true");
    house.seconds(3 * DAY);
    house.store.calls();

    let reply = browser.get("/who").await;

    assert_eq!((reply.body.as_str(), reply.ticket()), ("ada remembered", None));
    let calls = Calls { load: 1, resume: 1, ..Calls::default() };
    assert_eq!(house.store.calls(), calls);
    assert_eq!(browser.ticket(), ticket);
    assert_eq!(browser.body("/fresh").await, "false");
    assert_ne!(browser.body("/id").await, id);
    assert_eq!(browser.body("/data").await, "cart=pen count=0 theme=dark note=");
    assert_eq!(house.sessions.list("ada").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_resumed_user_keeps_the_roles() {
    let login =
        async |mut s: cloakroom::Session<Shop>| s.login("ada").remember(true).role("staff").await;
    let house = House::new(routes().route("/staff", axum::routing::post(login)));
    let browser = house.browser();
    browser.post("/staff").await;
    house.seconds(DAY);

    assert_eq!(browser.body("/roles").await, "staff");
    house.sessions.set_roles("ada", &[]).await.unwrap();
    house.seconds(DAY);
    assert_eq!(browser.body("/roles").await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_first_requests_agree_on_one_session() {
    for round in 0..30 {
        let house = House::patient(routes());
        let browser = remembered(&house).await;
        house.seconds(DAY);

        let requests: Vec<_> = (0..20).map(|_| browser.start(Method::POST, "/add")).collect();
        for request in requests {
            let reply = request.await.unwrap();
            assert_eq!((reply.status, reply.ticket()), (StatusCode::OK, None), "round {round}");
        }

        assert_eq!(browser.body("/count").await, "20", "round {round}");
        assert_eq!(house.sessions.list("ada").await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_memory_ends_when_it_was_said_to() {
    let house = House::shop();
    let browser = remembered(&house).await;

    for _ in 0..29 {
        house.seconds(DAY);
        assert_eq!(browser.body("/who").await, "ada remembered");
    }
    house.seconds(DAY - 1);
    assert_eq!(browser.body("/who").await, "ada remembered");
    house.seconds(HOUR);

    assert_eq!(browser.body("/who").await, "nobody", "resuming does not prolong it");
    assert_eq!(browser.post("/edit").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_logout_and_a_revocation_end_the_memory() {
    let house = House::shop();
    let (out, revoked) = (remembered(&house).await, remembered(&house).await);
    let thief = out.thief();

    out.post("/logout").await;
    house.seconds(DAY);
    house
        .sessions
        .revoke_user(
            "ada",
            cloakroom::store::Reason::CredentialsChanged,
            cloakroom::store::By::USER,
        )
        .await
        .unwrap();

    assert_eq!(thief.body("/who").await, "nobody");
    assert_eq!(revoked.body("/who").await, "nobody", "a dormant session can be revoked");
    assert_eq!(revoked.body("/why").await, "credentials-changed by user");
}

#[tokio::test]
async fn a_request_that_is_no_activity_does_not_resume() {
    let house = House::shop();
    let browser = remembered(&house).await;
    house.seconds(DAY);

    for (method, header) in
        [(Method::HEAD, ("x-none", "-")), (Method::GET, ("sec-purpose", "prefetch"))]
    {
        let reply = browser.send_with(method, "/who", &[header]).await;
        assert_eq!((reply.status, reply.ticket()), (StatusCode::OK, None));
    }

    assert_eq!(house.store.calls().resume, 0);
    assert_eq!(browser.body("/who").await, "ada remembered");
}

#[tokio::test]
async fn a_prefetch_that_writes_keeps_a_remembered_user_remembered() {
    for path in ["/ensure", "/add", "/edit", "/set/note/x"] {
        let house = House::shop();
        let browser = remembered(&house).await;
        house.seconds(DAY);

        let method = if path == "/ensure" { Method::GET } else { Method::POST };
        let reply = browser.send_with(method, path, &[("sec-purpose", "prefetch")]).await;

        assert_eq!(reply.ticket(), None, "{path}");
        assert_eq!(browser.body("/who").await, "ada remembered", "{path}");
    }
}

#[tokio::test]
async fn a_step_up_of_a_remembered_user_is_fresh_and_still_remembered() {
    let house = House::shop();
    let browser = remembered(&house).await;
    house.seconds(20 * DAY);
    browser.get("/who").await;

    let reply = browser.post("/step-up").await;

    assert_eq!(browser.body("/who").await, "ada totp");
    assert_eq!(browser.body("/fresh").await, "true");
    let line = reply.header("set-cookie").unwrap();
    assert!(line.contains(&format!("Max-Age={}", 10 * DAY)), "no longer than the memory: {line}");
    house.seconds(5 * DAY);
    assert_eq!(browser.body("/who").await, "ada remembered");
}

#[tokio::test]
async fn a_login_through_a_dormant_ticket_replaces_it() {
    let house = House::shop();
    let browser = remembered(&house).await;
    let old = browser.thief();
    house.seconds(DAY);

    browser.post("/login/ada").await;

    assert_eq!(browser.body("/who").await, "ada password");
    assert_eq!(old.body("/who").await, "nobody");
    house.seconds(DAY);
    assert_eq!(browser.body("/who").await, "nobody", "the new login did not ask for it");
    assert_eq!(house.sessions.list("ada").await.unwrap().len(), 0);
}

#[tokio::test]
async fn an_anonymous_session_is_never_resumed() {
    let house = House::ruled(|rules| rules.remember_for(Duration::from_secs(40 * DAY)));
    let browser = house.browser();
    browser.post("/cart/pen").await;
    house.seconds(DAY);

    assert_eq!(browser.body("/data").await, "cart= count=0 theme=- note=");
    assert_eq!(house.store.calls().resume, 0);
}

#[tokio::test]
async fn a_dormant_session_counts_for_the_limit_and_can_be_evicted() {
    let house = House::ruled(|rules| rules.per_user(cloakroom::store::Limit::keep_newest(1)));
    let laptop = remembered(&house).await;
    house.seconds(DAY);

    let phone = house.user("ada").await;

    assert_eq!(laptop.body("/who").await, "nobody");
    assert_eq!(laptop.body("/why").await, "evicted by system");
    assert_eq!(phone.body("/who").await, "ada password");
}
