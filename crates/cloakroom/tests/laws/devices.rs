//! A user's sessions: how many there may be, the list of them, and ending one from another.

use axum::Router;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use cloakroom::axum::{SignedIn, WithRole};
use cloakroom::store::{By, Limit, Reason, SessionId};
use cloakroom::{Error, ErrorKind, Result, Role, Session, SignIn};

use crate::support::*;

struct Staff;

impl Role for Staff {
    const NAME: &'static str = "staff";
}

fn more() -> Router {
    let devices = async |s: Session<Shop>| {
        let mut lines = Vec::new();
        for device in s.devices().await? {
            let agent = device.record.client().user_agent.clone().unwrap_or_default();
            lines.push(format!("{agent}{}", if device.here { " here" } else { "" }));
        }
        lines.sort();
        Ok::<_, Error>(lines.join(", "))
    };
    let end = async |s: Session<Shop>, Path(id): Path<String>| {
        let id: SessionId = id.parse().map_err(Error::from)?;
        Ok::<_, Error>(s.end(id).await?.to_string())
    };
    let password = async |s: Session<Shop>| {
        Ok::<_, Error>(s.end_others_because(Reason::CredentialsChanged).await?.to_string())
    };
    routes()
        .route("/devices", get(devices))
        .route("/end/{id}", post(end))
        .route("/password", post(password))
        .route("/choose/{user}", post(choose))
        .route("/mine", get(async |s: SignedIn<Shop>| s.user.to_string()))
        .route("/maybe", get(async |s: Option<SignedIn<Shop>>| s.is_some().to_string()))
        .route("/staff", get(async |s: WithRole<Staff, Shop>| s.user.to_string()))
}

/// Signs in, or answers with the sessions that stand in the way.
async fn choose(mut s: Session<Shop>, Path(user): Path<String>) -> Result<Response> {
    let Err(error) = s.login(user).await else { return Ok(().into_response()) };
    if let ErrorKind::LimitReached(list) = error.kind() {
        return Ok((StatusCode::CONFLICT, list.len().to_string()).into_response());
    }
    Err(error)
}

#[tokio::test]
async fn the_newest_sessions_of_a_user_stay() {
    let house = House::with(more(), |rules| rules.per_user(Limit::keep_newest(3)));
    let mut browsers = Vec::new();
    for _ in 0..5 {
        house.seconds(1);
        browsers.push(house.user("ada").await);
    }
    let other = house.user("eve").await;

    let mut who = Vec::new();
    for browser in &browsers {
        who.push(browser.body("/who").await == "ada password");
    }

    assert_eq!(who, [false, false, true, true, true]);
    assert_eq!(browsers[0].body("/why").await, "evicted by system");
    assert_eq!(other.body("/who").await, "eve password");
}

#[tokio::test]
async fn signing_in_again_in_one_browser_evicts_nobody() {
    let house = House::with(more(), |rules| rules.per_user(Limit::keep_newest(2)));
    let (laptop, phone) = (house.user("ada").await, house.user("ada").await);

    for _ in 0..5 {
        house.seconds(1);
        laptop.post("/login/ada").await;
    }

    assert_eq!(phone.body("/who").await, "ada password");
}

#[tokio::test]
async fn a_session_beyond_the_limit_is_refused_with_the_list() {
    let house = House::with(more(), |rules| rules.per_user(Limit::refuse_beyond(2)));
    let (first, second) = (house.user("ada").await, house.user("ada").await);
    let third = house.browser();
    third.post("/cart/pen").await;
    let ticket = third.ticket();

    let refused = third.post("/login/ada").await;
    let listed = third.post("/choose/ada").await;

    assert_eq!((refused.status, refused.ticket()), (StatusCode::CONFLICT, None));
    assert_eq!(refused.header("session-error"), Some("limit-reached"));
    assert_eq!((listed.status, listed.body.as_str()), (StatusCode::CONFLICT, "2"));
    assert_eq!(third.ticket(), ticket);
    assert_eq!(third.body("/data").await, "cart=pen count=0 theme=- note=");
    assert_eq!(second.body("/who").await, "ada password");
    first.post("/logout").await;
    assert_eq!(third.post("/login/ada").await.status, StatusCode::OK);
    assert_eq!(third.body("/data").await, "cart=pen count=0 theme=- note=");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_logins_do_not_pass_the_limit() {
    for limit in [Limit::keep_newest(3), Limit::refuse_beyond(3)] {
        let house = House::with(more(), |rules| rules.per_user(limit));
        let logins: Vec<_> =
            (0..30).map(|_| house.browser().start(Method::POST, "/login/ada")).collect();
        for login in logins {
            login.await.unwrap();
        }

        assert_eq!(house.sessions.list("ada").await.unwrap().len(), 3, "{limit:?}");
    }
}

#[tokio::test]
async fn a_user_sees_their_devices_and_ends_one() {
    let house = House::new(more());
    let (laptop, phone, eve) =
        (house.user("ada").await, house.user("ada").await, house.user("eve").await);
    let id = |browser: &Browser| {
        let browser = browser.clone();
        async move {
            let text = browser.body("/id").await;
            text.trim_start_matches("Some(SessionId(").trim_end_matches("))").to_owned()
        }
    };

    let list = laptop.body("/devices").await;
    assert_eq!(list.matches("Browser/").count(), 2, "{list}");
    assert_eq!(list.matches(" here").count(), 1, "{list}");

    let foreign = laptop.post(&format!("/end/{}", id(&eve).await)).await;
    assert_eq!(foreign.body, "false");
    assert_eq!(eve.body("/who").await, "eve password");

    let ended = laptop.post(&format!("/end/{}", id(&phone).await)).await;
    assert_eq!(ended.body, "true");
    assert_eq!(phone.body("/why").await, "revoked by user");
    assert_eq!(laptop.body("/who").await, "ada password");
    assert_eq!(house.browser().body("/devices").await, "");
}

#[tokio::test]
async fn a_user_ends_all_others_and_they_learn_why() {
    let house = House::new(more());
    let here = house.user("ada").await;
    let (others, eve) =
        ([house.user("ada").await, house.user("ada").await], house.user("eve").await);

    let reply = here.post("/password").await;

    assert_eq!(reply.body, "2");
    for other in others {
        assert_eq!(other.body("/who").await, "nobody");
        assert_eq!(other.body("/why").await, "credentials-changed by user");
    }
    assert_eq!(here.body("/who").await, "ada password");
    assert_eq!(eve.body("/who").await, "eve password");
    assert_eq!(house.browser().post("/end-others").await.body, "0");
}

#[tokio::test]
async fn a_role_holds_from_the_next_request_on_in_every_session() {
    let house = House::new(more());
    let (one, two) = (house.user("ada").await, house.browser());
    two.post("/login-as/ada/staff").await;
    assert_eq!(one.get("/staff").await.status, StatusCode::FORBIDDEN);
    assert_eq!(two.body("/staff").await, "ada");

    assert_eq!(house.sessions.set_roles("ada", &["staff", "buyer"]).await.unwrap(), 2);
    assert_eq!(
        (one.body("/staff").await, one.body("/roles").await),
        ("ada".into(), "staff+buyer".into())
    );
    assert_eq!(house.sessions.set_roles("ada", &["buyer"]).await.unwrap(), 2);

    for browser in [&one, &two] {
        assert_eq!(browser.get("/staff").await.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.body("/roles").await, "buyer");
    }
}

#[tokio::test]
async fn roles_go_nowhere_but_with_their_user() {
    let house = House::new(more());
    let browser = house.browser();
    browser.post("/login-as/ada/staff").await;
    browser.post("/theme/dark").await;

    browser.post("/rotate").await;
    assert_eq!(browser.body("/roles").await, "staff", "a renewal keeps them");
    browser.post("/logout").await;
    assert_eq!(browser.body("/data").await, "cart= count=0 theme=dark note=");
    assert_eq!(browser.body("/roles").await, "");
    browser.post("/login/ada").await;
    assert_eq!(browser.body("/roles").await, "", "they are given at sign-in");
    browser.post("/login-as/ada/staff").await;
    browser.post("/login/eve").await;

    assert_eq!(browser.body("/roles").await, "");
}

#[tokio::test]
async fn a_visitor_cannot_write_roles_as_data() {
    let house = House::new(more());
    let browser = house.user("ada").await;

    let reply = browser.post("/set/@roles/staff").await;

    assert!(reply.status.is_client_error());
    assert_eq!(browser.get("/staff").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn who_has_to_sign_in_is_told_so() {
    let plain = House::new(more());
    let sent = House::with(more(), |rules| rules.sign_in(SignIn::Redirect("/login".into())));
    let (visitor, user) = (plain.browser(), plain.user("ada").await);

    let reply = visitor.get("/mine").await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(reply.header("www-authenticate").is_some());
    assert_eq!(user.body("/mine").await, "ada");
    assert_eq!(visitor.get("/staff").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        (visitor.body("/maybe").await, user.body("/maybe").await),
        ("false".into(), "true".into())
    );

    let reply = sent.browser().get("/mine?x=1").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(reply.header("location"), Some("/login?next=/mine%3Fx%3D1"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn an_operator_revokes_and_the_user_learns_by_whom() {
    let house = House::new(more());
    let browser = house.user("ada").await;
    let id = house.sessions.list("ada").await.unwrap()[0].id();

    assert!(house.sessions.revoke(id, By::new("staff 17").unwrap()).await.unwrap());
    assert!(!house.sessions.revoke(id, By::new("staff 17").unwrap()).await.unwrap());

    assert_eq!(browser.body("/why").await, "revoked by staff 17");
    house.seconds(DAY);
    assert_eq!(browser.body("/why").await, "-", "reasons are kept for a day");
}

#[tokio::test]
async fn an_eviction_is_an_event_with_its_reason() {
    let house = House::with(more(), |rules| rules.per_user(Limit::keep_newest(1)));
    let first = house.user("ada").await;
    let id = first.body("/id").await;
    let events = Events::listen();

    house.user("ada").await;

    let told = events.text();
    let line = told.lines().find(|line| line.contains("evicted")).unwrap_or_default();
    assert!(
        line.contains(id.trim_start_matches("Some(SessionId(").trim_end_matches("))")),
        "{told}"
    );
}
