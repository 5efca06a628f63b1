//! L1: whoever guesses a ticket learns nothing from the answer.

use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::support::*;

/// What a guesser could send instead of a ticket, by name: values of our cookie, as they stand in
/// one request. Some are made from the ticket of a live session, from its key and from its id.
async fn guesses(house: &House) -> Vec<(String, Vec<String>)> {
    let live = house.user("ada").await;
    let ticket = live.ticket().unwrap();
    let id = live.body("/id").await;
    let id: cloakroom::store::SessionId =
        id.trim_start_matches("Some(SessionId(").trim_end_matches("))").parse().unwrap();
    let key = *house.store.keys().last().unwrap();
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let unknown = || "x7Ff0c-_9Zk3mQ2bT5v8Wg".to_owned();
    let mut all: Vec<(String, Vec<String>)> = [
        ("unknown", unknown()),
        ("empty", String::new()),
        ("too short", ticket[..21].to_owned()),
        ("too long", format!("{ticket}A")),
        ("of another alphabet", format!("{}+/", &ticket[..20])),
        ("padded", format!("{ticket}==")),
        ("in quotes and broken", format!("\"{ticket}")),
        ("in capitals", ticket.to_uppercase()),
        ("reversed", ticket.chars().rev().collect()),
        ("the key", encoded(key.as_bytes())),
        ("the digest", encoded(&key.as_bytes()[2..])),
        ("the start of the digest", encoded(&key.as_bytes()[2..18])),
        ("the key as a token with a route", encoded(&key.as_bytes()[..18])),
        ("the id", encoded(id.as_bytes())),
        ("the id without its route", encoded(&id.as_bytes()[2..])),
        ("the id as text", id.to_string()),
    ]
    .into_iter()
    .map(|(name, guess)| (name.to_owned(), vec![guess]))
    .collect();
    let token = decoded(&ticket);
    for bit in 0..8 * token.len() {
        let mut other = token.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        all.push((format!("bit {bit} turned"), vec![encoded(&other)]));
    }
    for right in [4, 12, 20] {
        let guess = ticket[..right].to_owned() + &unknown()[right..];
        all.push((format!("the first {right} right"), vec![guess]));
    }
    let unknowns = |count: u8| (0..count).map(|n| encoded(&[n; 16])).collect();
    all.push(("four".to_owned(), unknowns(4)));
    all.push(("five".to_owned(), unknowns(5)));
    all.push(("ended".to_owned(), vec![ended(house).await]));
    all.retain(|(_, guesses)| guesses.iter().all(|guess| *guess != ticket));
    all
}

async fn ended(house: &House) -> String {
    let browser = house.user("bea").await;
    let ticket = browser.ticket().unwrap();
    browser.post("/logout").await;
    ticket
}

fn cookies(tickets: &[String]) -> String {
    tickets.iter().map(|ticket| format!("{NAME}={ticket}; ")).collect::<String>() + "a=b"
}

#[tokio::test]
async fn every_guess_gets_the_answer_that_no_ticket_gets() {
    let house = House::shop();
    let guesses = guesses(&house).await;
    assert!(guesses.len() >= 145, "{} guesses", guesses.len());
    let reads = ["/plain", "/lazy", "/who", "/view", "/data", "/roles", "/fresh", "/nowhere"];
    let writes = ["/rotate", "/step-up", "/logout", "/end-others", "/fail/500"];

    let of = |paths: &[&'static str], method: Method| {
        paths.iter().map(|path| (method.clone(), *path)).collect::<Vec<_>>()
    };
    let all = [of(&reads, Method::GET), of(&reads, Method::HEAD), of(&writes, Method::POST)];
    for (method, path) in all.concat() {
        let none = house.browser().send_with(method.clone(), path, &[("cookie", "a=b")]).await;
        for (name, tickets) in &guesses {
            let cookie = cookies(tickets);
            let reply =
                house.browser().send_with(method.clone(), path, &[("cookie", &cookie)]).await;

            assert_eq!(reply.seen(), none.seen(), "{name}: {method} {path}");
        }
    }
}

/// Only the holder of a ticket that we minted learns more: that a write came too late for its
/// session.
#[tokio::test]
async fn every_guess_that_writes_gets_a_new_session_like_anybody() {
    let house = House::shop();
    let mut guesses = guesses(&house).await;
    guesses.retain(|(name, _)| name != "ended");

    for path in ["/add", "/edit", "/ensure", "/login/eve", "/fail/404"] {
        let masked = |name: &str, reply: &Reply| {
            let ticket = reply.ticket().unwrap_or_else(|| panic!("{name}: {path} {reply:?}"));
            assert_eq!(decoded(&ticket).len(), 16);
            format!("{:?}", reply.seen()).replace(&ticket, "a ticket")
        };
        let none = house.browser().send_with(Method::POST, path, &[("cookie", "a=b")]).await;
        for (name, tickets) in &guesses {
            let cookie = cookies(tickets);
            let reply = house.browser().send_with(Method::POST, path, &[("cookie", &cookie)]).await;

            assert_eq!(masked(name, &reply), masked("none", &none), "{name}: {path}");
            assert!(!tickets.contains(&reply.ticket().unwrap()), "{name}: {path}");
        }
    }
}

/// The gate lets requests without origin pass if they have no ticket; one of ours' shape counts as
/// one, live or not, so that the gate is no place to try tickets.
#[tokio::test]
async fn the_gate_does_not_tell_a_live_ticket_from_a_guess() {
    let house = House::shop();
    let live = house.user("ada").await.ticket().unwrap();
    let send = async |ticket: &str| {
        let (mut parts, body) = house.browser().request(Method::POST, "/add").into_parts();
        parts.headers.remove("sec-fetch-site");
        parts.headers.insert("cookie", format!("{NAME}={ticket}").parse().unwrap());
        house.send(Request::from_parts(parts, body)).await
    };

    let answers =
        [send(&live).await, send("x7Ff0c-_9Zk3mQ2bT5v8Wg").await, send(&ended(&house).await).await];

    assert_eq!(answers[0].status, StatusCode::FORBIDDEN);
    assert_eq!(answers[1].seen(), answers[0].seen());
    assert_eq!(answers[2].seen(), answers[0].seen());
}
