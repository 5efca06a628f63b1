//! L3 and L4: privilege changes the token, and what has ended stays so.

use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::post;
use cloakroom::store::{By, Factors};
use cloakroom::{Error, Session};

use crate::support::*;

#[tokio::test]
async fn a_login_gives_a_new_ticket_and_a_new_id() {
    let house = House::shop();
    let browser = house.browser();
    browser.post("/ensure").await;
    let (before, planted) = (browser.ticket(), browser.thief());
    let anonymous = browser.body("/id").await;

    browser.post("/login/ada").await;

    assert_ne!(browser.ticket(), before);
    assert_ne!(browser.body("/id").await, anonymous);
    assert_eq!(browser.body("/who").await, "ada password");
    assert_eq!(planted.body("/who").await, "nobody", "a planted ticket gains nothing");
    assert_eq!(planted.body("/why").await, "replaced by holder");
    assert_eq!(house.sessions.count().await.unwrap().sessions, 1);
}

#[tokio::test]
async fn declared_fields_go_along_at_a_login_and_others_start_anew() {
    let house = House::shop();
    let browser = house.browser();
    for path in ["/cart/pen", "/add", "/theme/dark", "/set/note/private", "/set/extra/x"] {
        browser.post(path).await;
    }

    browser.post("/login/ada").await;

    assert_eq!(browser.body("/data").await, "cart=pen count=0 theme=dark note=");
    let records = house.sessions.list("ada").await.unwrap();
    assert_eq!(records[0].fields().get("extra"), None);
}

#[tokio::test]
async fn edits_that_wait_land_before_a_login_takes_them_along() {
    let edits = async |mut s: Session<Shop>| {
        s.edit(|data| data.cart.push("pen".into()))?;
        s.edit(|data| data.note = "before".into())?;
        s.login("ada").await?;
        assert_eq!(s.data().cart, ["pen"]);
        s.edit(|data| data.note = "after".into())
    };
    let house = House::new(routes().route("/edits", post(edits)));
    let browser = house.browser();

    browser.post("/edits").await;

    assert_eq!(browser.body("/data").await, "cart=pen count=0 theme=- note=after");
    assert_eq!(browser.body("/who").await, "ada password");
}

#[tokio::test]
async fn another_users_fields_never_go_along() {
    let house = House::shop();
    let browser = house.user("ada").await;
    for path in ["/cart/pen", "/theme/dark", "/set/note/private"] {
        browser.post(path).await;
    }

    browser.post("/login/eve").await;

    assert_eq!(browser.body("/data").await, "cart= count=0 theme=- note=");
    assert_eq!(house.sessions.list("ada").await.unwrap().len(), 0, "her session is over");
}

#[tokio::test]
async fn a_login_of_the_same_user_is_a_new_session_with_what_is_declared() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let before = browser.thief();
    browser.post("/cart/pen").await;
    browser.post("/set/note/private").await;

    browser.post("/login/ada").await;

    assert_eq!(browser.body("/data").await, "cart=pen count=0 theme=- note=");
    assert_eq!(before.body("/who").await, "nobody");
}

#[tokio::test]
async fn the_old_ticket_is_dead_for_commits_under_way() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let hold = house.store.hold_back_commits();
    let write = browser.start(Method::POST, "/set/note/late");
    hold.until(1).await;

    let login = browser.post("/login/ada").await;
    hold.release();
    let write = write.await.unwrap();

    assert_eq!((login.status, write.status), (StatusCode::OK, StatusCode::CONFLICT));
    assert_eq!(write.header("session-error"), Some("replaced"));
    assert_eq!(write.ticket(), None);
    assert!(!browser.body("/data").await.contains("late"));
}

#[tokio::test]
async fn a_logout_while_a_slow_write_runs_stays_a_logout() {
    for path in ["/add", "/edit", "/set/note/late", "/cart/pen"] {
        let house = House::shop();
        let browser = house.user("ada").await;
        let thief = browser.thief();
        let hold = house.store.hold_back_commits();
        let write = browser.start(Method::POST, path);
        hold.until(1).await;

        let logout = browser.post("/logout").await;
        assert_eq!(logout.ticket().as_deref(), Some(""));
        hold.release();
        let write = write.await.unwrap();
        browser.keep(&write);

        assert_eq!(write.status, StatusCode::CONFLICT, "{path}");
        assert_eq!(write.header("session-error"), Some("logout"), "{path}");
        assert_eq!(browser.ticket(), None, "{path}");
        assert_eq!(thief.body("/who").await, "nobody");
        assert_eq!(house.sessions.count().await.unwrap().sessions, 0);
    }
}

#[tokio::test]
async fn a_logout_takes_declared_fields_into_an_anonymous_session() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let thief = browser.thief();
    for path in ["/cart/pen", "/theme/dark", "/set/note/private"] {
        browser.post(path).await;
    }

    let reply = browser.post("/logout").await;

    assert_eq!(reply.ticket().unwrap().len(), 22);
    assert_eq!(browser.body("/who").await, "nobody");
    assert_eq!(browser.body("/data").await, "cart= count=0 theme=dark note=");
    assert_eq!(thief.body("/why").await, "logout by holder");
}

#[tokio::test]
async fn a_logout_with_nothing_to_keep_deletes_the_cookie() {
    let house = House::shop();
    let browser = house.user("ada").await;
    browser.post("/cart/pen").await;

    let reply = browser.post("/logout").await;

    assert_eq!(reply.ticket().as_deref(), Some(""));
    assert!(reply.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(house.sessions.count().await.unwrap().sessions, 0);
}

#[tokio::test]
async fn a_logout_of_nobody_is_no_error_and_no_cookie() {
    let house = House::shop();
    let ended = house.user("ada").await;
    let old = ended.thief();
    ended.post("/logout").await;

    for browser in [house.browser(), old] {
        let reply = browser.post("/logout").await;

        assert_eq!((reply.status, reply.ticket()), (StatusCode::OK, None));
    }
}

#[tokio::test]
async fn a_login_after_the_old_session_ended_elsewhere_starts_from_default_data() {
    let relogin = async |mut s: Session<Shop>, axum::Extension(house): axum::Extension<House>| {
        for record in house.sessions.list("ada").await? {
            house.sessions.revoke(record.id(), By::SYSTEM).await?;
        }
        s.login("ada").await?;
        Ok::<_, Error>(format!("{:?}", s.data()))
    };
    let house = House::new(routes().route("/relogin", post(relogin)));
    let browser = house.user("ada").await;
    browser.post("/cart/pen").await;
    browser.post("/theme/dark").await;
    let mut request = browser.request(Method::POST, "/relogin");
    request.extensions_mut().insert(house.clone());

    let reply = house.send(request).await;
    browser.keep(&reply);

    assert_eq!(reply.body, format!("{:?}", Shop::default()));
    assert_eq!(browser.body("/data").await, "cart= count=0 theme=- note=");
    assert_eq!(browser.body("/who").await, "ada password");
}

#[tokio::test]
async fn a_client_that_hangs_up_cannot_tear_a_login() {
    let house = House::shop();
    let browser = house.browser();
    browser.post("/cart/pen").await;
    let hold = house.store.hold();

    let login = browser.start(Method::POST, "/login/ada");
    hold.until(1).await;
    login.abort();
    assert!(login.await.is_err());
    hold.release();

    let records = house.sessions.list("ada").await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].fields().get("cart"), Some(r#"["pen"]"#));
    assert_eq!(house.sessions.count().await.unwrap().sessions, 1);
}

#[tokio::test]
async fn a_step_up_is_a_new_ticket_of_the_same_session_with_new_clocks() {
    let house = House::shop();
    let browser = house.user("ada").await;
    browser.post("/set/note/kept").await;
    let before = house.sessions.list("ada").await.unwrap()[0].clone();
    let old = browser.thief();
    house.seconds(20 * MINUTE);

    let reply = browser.post("/step-up").await;

    assert_eq!(reply.ticket().unwrap().len(), 22);
    assert_eq!(browser.body("/who").await, "ada password+totp");
    assert_eq!(browser.body("/data").await, "cart= count=0 theme=- note=kept");
    let after = &house.sessions.list("ada").await.unwrap()[0];
    assert_eq!(after.id(), before.id());
    assert!(after.times().absolute_deadline > before.times().absolute_deadline);
    assert_eq!(old.body("/who").await, "ada password", "identity as before");
    assert!(after.identity().factors.contains(Factors::TOTP));
}

#[tokio::test]
async fn a_step_up_of_nobody_is_refused_and_changes_nothing() {
    let house = House::shop();
    let visitor = house.browser();
    visitor.post("/add").await;
    let ticket = visitor.ticket();

    for browser in [house.browser(), visitor.clone()] {
        let reply = browser.post("/step-up").await;

        assert!(reply.status.is_client_error(), "{reply:?}");
        assert_eq!(reply.ticket(), None);
        assert_ne!(reply.header("session-error"), Some("stale"), "sending again cannot help");
    }
    assert_eq!(visitor.ticket(), ticket);
}

#[tokio::test]
async fn a_user_id_that_is_none_signs_nobody_in() {
    let login = async |mut s: Session<Shop>, body: String| s.login(body).await;
    let house = House::new(routes().route("/login", post(login)));
    let browser = house.browser();

    for name in [String::new(), "a\nb".to_owned(), "u".repeat(256)] {
        let mut request = browser.request(Method::POST, "/login");
        *request.body_mut() = name.into();

        let reply = house.send(request).await;

        assert!(reply.status.is_client_error(), "{reply:?}");
        assert_eq!(reply.ticket(), None);
    }
    assert_eq!(house.store.calls(), Calls::default());
}

#[tokio::test]
async fn a_client_that_hangs_up_cannot_stop_a_logout() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let schedule = house.store.schedule();
    let logout = browser.start(Method::POST, "/logout");
    assert_eq!(schedule.waiting().await, 1, "the load");
    schedule.go(0);
    assert_eq!(schedule.waiting().await, 1, "the end, which the store has not seen yet");

    logout.abort();
    assert!(logout.await.is_err());
    schedule.go(0);
    schedule.waiting().await;
    house.store.unschedule();

    assert_eq!(browser.body("/who").await, "nobody");
}

#[tokio::test]
async fn an_identity_call_while_a_renewal_is_due_is_the_only_rotation() {
    for path in ["/login/ada", "/login/eve", "/step-up", "/rotate"] {
        let house = House::ruled(|rules| rules.renew_every(std::time::Duration::from_secs(HOUR)));
        let browser = house.user("ada").await;
        for _ in 0..3 {
            house.seconds(18 * MINUTE);
            browser.get("/who").await;
        }
        house.seconds(10 * MINUTE);
        house.store.calls();

        let reply = browser.post(path).await;

        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert!(reply.ticket().is_some_and(|ticket| !ticket.is_empty()), "{path}");
        assert_eq!(house.store.calls().rotate, 1, "{path}");
        assert_ne!(browser.body("/who").await, "nobody", "{path}");
    }
}

#[tokio::test]
async fn a_logout_while_a_renewal_is_due_begins_nothing() {
    let house = House::ruled(|rules| rules.renew_every(std::time::Duration::from_secs(HOUR)));
    let browser = house.user("ada").await;
    for _ in 0..3 {
        house.seconds(18 * MINUTE);
        browser.get("/who").await;
    }
    house.seconds(10 * MINUTE);

    let reply = browser.post("/logout").await;

    assert_eq!(reply.ticket().as_deref(), Some(""), "it deletes the cookie and sets none");
    assert_eq!(house.sessions.count().await.unwrap().sessions, 0);
}

/// Nothing of it goes along with a logout.
#[derive(Default, cloakroom::SessionData)]
struct Plain {
    note: String,
}

#[tokio::test]
async fn an_edit_before_a_logout_begins_no_session_after_it() {
    let builder = cloakroom::Sessions::<Plain>::builder(cloakroom::MemoryStore::new());
    let sessions = builder.dangerous_sessions_end_with_the_process().build().unwrap();
    let open =
        |headers: &mut HeaderMap| sessions.open(&Method::POST, &"/".parse().unwrap(), headers);
    let (scope, mut answer) = (open(&mut HeaderMap::new()).unwrap(), HeaderMap::new());
    scope.session().await.unwrap().login("ada").await.unwrap();
    scope.close(StatusCode::OK, &mut answer).await;
    let line = answer["set-cookie"].to_str().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("cookie", line.split(';').next().unwrap().parse().unwrap());
    headers.insert("sec-fetch-site", "same-origin".parse().unwrap());

    let (scope, mut answer) = (open(&mut headers).unwrap(), HeaderMap::new());
    let mut s = scope.session().await.unwrap();
    s.edit(|data| data.note.push('x')).unwrap();
    s.logout().await.unwrap();
    let instead = scope.close(StatusCode::OK, &mut answer).await;

    assert!(instead.is_none());
    assert!(answer["set-cookie"].to_str().unwrap().contains("Max-Age=0"), "{answer:?}");
    assert_eq!(sessions.count().await.unwrap().sessions, 0);
}
