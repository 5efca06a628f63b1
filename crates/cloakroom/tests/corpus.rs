//! Whole requests with hostile headers from `testdata/fuzz`: the only error is the gate's, nobody
//! is signed in by one, and no ticket that a browser made up is ever a session's.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use std::fs;
use std::path::Path;

use cloakroom::{ErrorKind, ManualClock, MemoryStore, Session, SessionData, Sessions};
use http::header::{COOKIE, HOST, HeaderName, ORIGIN, REFERER, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

#[derive(Clone, Debug, Default, PartialEq, SessionData)]
struct Shop {
    count: u32,
}

const NAME: &str = "__Host-Http-session";
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What the files of `folder` hold, as far as a header can.
fn corpus(folder: &str) -> Vec<(String, HeaderValue)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .map(|path| (path.file_name().unwrap().display().to_string(), fs::read(&path).unwrap()))
        .map(|(file, bytes)| (file, as_header(bytes)))
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

/// An HTTP server lets no control characters through; a blank stands for each here.
fn as_header(mut bytes: Vec<u8>) -> HeaderValue {
    for byte in &mut bytes {
        if byte.is_ascii_control() && *byte != b'\t' {
            *byte = b' ';
        }
    }
    HeaderValue::from_bytes(&bytes).unwrap()
}

fn service() -> (Sessions<Shop>, MemoryStore) {
    let store = MemoryStore::new();
    let sessions = Sessions::builder(store.clone())
        .dangerous_sessions_end_with_the_process()
        .clock(ManualClock::at_secs(1_790_000_000))
        .build();
    (sessions.unwrap(), store)
}

fn own_page() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("shop.example"));
    headers.insert(SITE, HeaderValue::from_static("same-origin"));
    headers
}

/// What a request came to: none if the gate refused it.
async fn answer(
    sessions: &Sessions<Shop>,
    method: &Method,
    mut headers: HeaderMap,
    changes: bool,
) -> Option<(Session<Shop>, Option<String>)> {
    let scope = match sessions.open(method, &Uri::from_static("/cart"), &mut headers) {
        Ok(scope) => scope,
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Refusal(_)), "{error}");
            assert!(error.status().is_client_error());
            return None;
        }
    };
    let mut session = scope.session().await.unwrap();
    if changes {
        session.update(|shop| shop.count += 1).await.unwrap();
    }
    let mut headers = HeaderMap::new();
    assert!(scope.close(StatusCode::OK, &mut headers).await.is_none());
    let cookie = headers.get(SET_COOKIE).map(|line| line.to_str().unwrap());
    let ticket = cookie.and_then(|line| line.split([';', '=']).nth(1)).map(str::to_owned);
    Some((session, ticket))
}

/// Nobody, and nothing was stored; a change begins a session under a ticket of our own.
async fn is_never_adopted(cookies: &HeaderValue, file: &str) {
    let (sessions, _) = service();
    let mut headers = own_page();
    headers.insert(COOKIE, cookies.clone());

    let read = answer(&sessions, &Method::GET, headers.clone(), false).await;
    let (session, ticket) = read.unwrap();
    assert!(session.user().is_none() && ticket.is_none(), "{file}");
    assert_eq!(sessions.count().await.unwrap().sessions, 0, "{file}");

    let written = answer(&sessions, &Method::POST, headers, true).await;
    let (_, ticket) = written.unwrap();
    let ticket = ticket.unwrap();
    assert_eq!(sessions.count().await.unwrap().sessions, 1, "{file}");
    let sent = cookies.as_bytes();
    assert!(!sent.windows(ticket.len()).any(|part| part == ticket.as_bytes()), "{file}");
}

#[tokio::test]
async fn a_hostile_cookie_header_is_never_adopted_and_never_an_error() {
    for (file, cookies) in corpus("cookie_header") {
        is_never_adopted(&cookies, &file).await;
    }
}

#[tokio::test]
async fn a_hostile_ticket_is_never_adopted_and_never_an_error() {
    for (file, ticket) in corpus("ticket") {
        let line = [NAME.as_bytes(), b"=", ticket.as_bytes()].concat();

        is_never_adopted(&HeaderValue::from_bytes(&line).unwrap(), &file).await;
    }
}

#[tokio::test]
async fn a_hostile_neighbour_hides_no_ticket() {
    let (sessions, _) = service();
    let begun = answer(&sessions, &Method::POST, own_page(), true).await;
    let ticket = begun.unwrap().1.unwrap();

    for (file, cookies) in corpus("cookie_header") {
        let mut headers = own_page();
        headers.append(COOKIE, format!("{NAME}={ticket}").parse().unwrap());
        headers.append(COOKIE, cookies.clone());

        let (session, _) = answer(&sessions, &Method::GET, headers, false).await.unwrap();

        // More than four tickets are nobody's.
        let is_planted = file == "cookies-200-of-one-name";
        assert_eq!(session.data().count, u32::from(!is_planted), "{file}");
    }
}

#[tokio::test]
async fn a_hostile_origin_is_the_gates_affair_alone() {
    let files: Vec<_> =
        ["origin", "ticket", "cookie_header"].into_iter().flat_map(corpus).collect();
    let (sessions, _) = service();
    let begun = answer(&sessions, &Method::POST, own_page(), true).await;
    let cookie: HeaderValue = format!("{NAME}={}", begun.unwrap().1.unwrap()).parse().unwrap();
    let mut passed = Vec::new();

    for (file, value) in &files {
        for header in [ORIGIN, REFERER, SITE, HOST] {
            let mut headers = own_page();
            headers.remove(SITE);
            headers.insert(COOKIE, cookie.clone());
            headers.insert(header.clone(), value.clone());
            for method in [Method::POST, Method::DELETE] {
                let answered = answer(&sessions, &method, headers.clone(), true).await;
                if answered.is_some() {
                    passed.push((header.as_str().to_owned(), file.as_str()));
                }
            }
            // A page may be read from anywhere.
            assert!(answer(&sessions, &Method::GET, headers, false).await.is_some(), "{file}");
        }
    }

    passed.sort();
    passed.dedup();
    let passed: Vec<_> = passed.iter().map(|(header, file)| (header.as_str(), *file)).collect();
    let wanted = [
        ("origin", "ours"),
        ("origin", "ours-with-port"),
        ("referer", "ours"),
        ("referer", "ours-with-port"),
        ("referer", "path"),
        ("sec-fetch-site", "none"),
        ("sec-fetch-site", "same-origin"),
    ];
    assert_eq!(passed, wanted, "of {} values", files.len());
}
