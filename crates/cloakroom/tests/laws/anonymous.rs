//! L1: only the server mints, and reading creates nothing.

use axum::http::{Method, StatusCode};

use crate::support::*;

const FORGED: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// Everything that is not a live ticket, by name.
async fn strangers(house: &House) -> Vec<(&'static str, String)> {
    let ended = house.user("ada").await;
    let logged_out = ended.ticket().unwrap();
    ended.post("/logout").await;
    let replaced = house.user("bea").await;
    let before = replaced.ticket().unwrap();
    replaced.post("/login/eve").await;
    vec![
        ("forged", FORGED.to_owned()),
        ("half", logged_out[..11].to_owned()),
        ("too long", format!("{logged_out}AA")),
        ("routed", "AAAAAAAAAAAAAAAAAAAAAAAA".to_owned()),
        ("padded", format!("{FORGED}==")),
        ("empty", String::new()),
        ("a path", "../../../etc/passwd".to_owned()),
        ("markup", "<script>alert(1)</script>".to_owned()),
        ("stray bits", "AAAAAAAAAAAAAAAAAAAAAB".to_owned()),
        ("signed out", logged_out),
        ("replaced", before),
    ]
}

#[tokio::test]
async fn a_ticket_that_opens_nothing_is_answered_like_none() {
    let house = House::shop();
    let strangers = strangers(&house).await;

    for path in ["/plain", "/lazy", "/who", "/view", "/data"] {
        let none = house.browser().get(path).await;
        assert_eq!(none.ticket(), None, "{path}");
        for (name, ticket) in &strangers {
            let browser = house.browser();
            browser.set_ticket(Some(ticket.clone()));

            let reply = browser.get(path).await;

            assert_eq!(reply.seen(), none.seen(), "{name} on {path}");
        }
    }
}

#[tokio::test]
async fn a_ticket_that_opens_nothing_is_never_adopted_or_echoed() {
    let house = House::shop();

    for (name, ticket) in strangers(&house).await {
        for path in ["/ensure", "/login/ada"] {
            let browser = house.browser();
            browser.set_ticket(Some(ticket.clone()));

            let reply = browser.post(path).await;

            let text = format!("{:?} {}", reply.seen(), reply.body);
            assert!(ticket.is_empty() || !text.contains(&ticket), "{name}: {text}");
            if let Some(minted) = reply.ticket() {
                assert_eq!(minted.len(), 22, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn reading_creates_nothing() {
    let house = House::shop();

    for path in ["/plain", "/lazy", "/who", "/view", "/data", "/why", "/count"] {
        for method in [Method::GET, Method::HEAD] {
            house.browser().send(method, path).await;
        }
    }

    assert_eq!(house.store.calls(), Calls::default());
    assert_eq!(house.sessions.count().await.unwrap().sessions, 0);
}

#[tokio::test]
async fn the_first_write_mints_a_ticket_of_22_characters() {
    for path in ["/add", "/edit", "/set/note/x", "/ensure", "/cart/pen"] {
        let house = House::shop();
        let browser = house.browser();

        let reply = browser.post(path).await;

        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert_eq!(reply.ticket().unwrap().len(), 22, "{path}");
        let calls = Calls { create: 1, ..Calls::default() };
        assert_eq!(house.store.calls(), calls, "{path}");
        assert_eq!(house.sessions.count().await.unwrap().sessions, 1);
    }
}

#[tokio::test]
async fn a_write_that_leaves_the_defaults_creates_nothing() {
    let house = House::with(
        routes().route(
            "/same",
            axum::routing::post(async |mut s: cloakroom::Session<Shop>| {
                s.update(|data| data.count += 0).await
            }),
        ),
        |rules| rules,
    );

    let reply = house.browser().post("/same").await;

    assert_eq!((reply.status, reply.ticket()), (StatusCode::OK, None));
    assert_eq!(house.store.calls(), Calls::default());
}

#[tokio::test]
async fn tickets_differ_and_the_store_never_sees_one() {
    let house = House::shop();
    let mut tickets = std::collections::BTreeSet::new();

    for _ in 0..200 {
        let browser = house.browser();
        tickets.insert(browser.post("/ensure").await.ticket().unwrap());
        tickets.insert(browser.post("/login/ada").await.ticket().unwrap());
        browser.get("/who").await;
    }

    assert_eq!(tickets.len(), 400);
    let keys = house.store.keys();
    assert!(keys.len() >= 800);
    for ticket in tickets {
        let raw = decoded(&ticket);
        let holds = |key: &cloakroom::store::Key| key.as_bytes().windows(16).any(|w| w == raw);
        assert!(!keys.iter().any(holds));
    }
}

#[tokio::test]
async fn ensure_lets_the_parallel_first_writes_of_a_page_share_one_session() {
    let house = House::shop();
    let browser = house.browser();

    browser.get("/ensure").await;
    let writes: Vec<_> = (0..20).map(|_| browser.start(Method::POST, "/add")).collect();
    for write in writes {
        assert_eq!(write.await.unwrap().ticket(), None);
    }

    assert_eq!(browser.body("/count").await, "20");
    assert_eq!(house.sessions.count().await.unwrap().sessions, 1);
}
