//! L11: secrets do not print.

use axum::Router;
use axum::http::{HeaderMap, Method};
use axum::routing::{get, post};
use cloakroom::axum::{LazySession, SignedIn};
use cloakroom::store::By;
use cloakroom::{Session, View};

use crate::support::*;

/// Prints everything that a handler can get hold of.
fn talkative() -> Router {
    let prints = async |request: axum::extract::Request| {
        let (mut parts, _) = request.into_parts();
        let mut text = format!("{parts:?} {:?}", parts.extensions.get::<cloakroom::Scope<Shop>>());
        use axum::extract::FromRequestParts as _;
        text += &format!("{:?}", Session::<Shop>::from_request_parts(&mut parts, &()).await);
        text += &format!("{:?}", View::<Shop>::from_request_parts(&mut parts, &()).await);
        text += &format!("{:?}", LazySession::<Shop>::from_request_parts(&mut parts, &()).await);
        let user = <SignedIn<Shop> as axum::extract::FromRequestParts<()>>::from_request_parts(
            &mut parts,
            &(),
        );
        text += &format!("{:?}", user.await);
        let mut session = Session::<Shop>::from_request_parts(&mut parts, &()).await.unwrap();
        text += &format!("{:?} {:?}", session.record(), session.identity());
        text += &format!("{:?}", session.login("ada"));
        text += &format!("{:?}", session.live().await);
        text
    };
    routes().route("/print", get(prints).post(prints)).route(
        "/headers",
        post(async |headers: HeaderMap| {
            tracing::info!(?headers);
            format!("{headers:?}")
        }),
    )
}

#[tokio::test]
async fn no_ticket_reaches_a_log_or_a_page() {
    let events = Events::listen();
    let house = House::new(talkative());
    let browser = house.browser();
    let mut tickets = Vec::new();
    let mut pages = String::new();

    for (n, path) in [
        "/ensure",
        "/print",
        "/edit",
        "/login/ada",
        "/print",
        "/headers",
        "/add",
        "/rotate",
        "/print",
        "/step-up",
        "/remember/ada",
        "/fail/500",
        "/set/@bad/x",
        "/login/eve",
        "/logout",
        "/add",
        "/print",
        "/nowhere",
    ]
    .into_iter()
    .enumerate()
    {
        let method = if n % 7 == 6 { Method::GET } else { Method::POST };
        let reply = browser.send(method, path).await;
        pages += &format!("{} {:?} {}", reply.status, reply.headers, reply.body);
        tickets.extend(browser.ticket());
    }
    house.store.set_away(true);
    for path in ["/who", "/view"] {
        pages += &format!("{:?}", browser.get(path).await);
    }
    house.store.set_away(false);
    let twins = house.user("bea").await;
    tickets.extend(twins.ticket());
    let both = format!("{NAME}={}; {NAME}={}", twins.ticket().unwrap(), browser.ticket().unwrap());
    pages += &browser.send_with(Method::POST, "/print", &[("cookie", &both)]).await.body;
    pages +=
        &browser.send_with(Method::POST, "/edit", &[("sec-fetch-site", "cross-site")]).await.body;
    house.sessions.revoke_user("bea", cloakroom::store::Reason::Revoked, By::SYSTEM).await.unwrap();
    pages += &twins.post("/edit").await.body;
    pages += &format!("{:?} {:?}", house.sessions, house.sessions.layer());

    let told = events.text();
    tickets.sort();
    tickets.dedup();
    assert!(tickets.len() >= 6, "{} tickets", tickets.len());
    assert!(told.contains("signed_in"), "{told}");
    assert!(pages.len() > 5_000, "{pages}");
    for ticket in tickets {
        assert!(!told.contains(&ticket), "a ticket in the log");
        assert!(!pages.contains(&ticket), "a ticket in a page");
        assert!(!pages.contains(&ticket[..16]), "most of a ticket in a page");
    }
}

#[tokio::test]
async fn an_error_page_tells_nothing_of_the_inside() {
    let house = House::shop();
    let browser = house.user("ada").await;
    house.store.set_away(true);

    let reply = browser.get("/who").await;

    for word in ["test", "store", "took", "ada", "memory", "Error"] {
        assert!(!reply.body.contains(word), "{}", reply.body);
    }
}

#[tokio::test]
async fn a_session_id_has_nothing_of_its_ticket() {
    let house = House::shop();
    let browser = house.browser();
    for path in ["/ensure", "/login/ada", "/rotate", "/login/eve", "/step-up"] {
        browser.post(path).await;
        let ticket = decoded(&browser.ticket().unwrap());
        let id = browser.body("/id").await;
        let bytes: cloakroom::store::SessionId =
            id.trim_start_matches("Some(SessionId(").trim_end_matches("))").parse().unwrap();

        let keys = house.store.keys();
        for part in ticket.windows(4) {
            let holds = |all: &[u8]| all.windows(4).any(|window| window == part);
            assert!(!holds(bytes.as_bytes()), "{path}: {id}");
            assert!(!keys.iter().any(|key| holds(key.as_bytes())), "{path}");
        }
        for part in bytes.as_bytes()[2..].windows(4) {
            let holds = |key: &cloakroom::store::Key| key.as_bytes().windows(4).any(|w| w == part);
            assert!(!keys.iter().any(holds), "{path}: {id}");
        }
    }
}
