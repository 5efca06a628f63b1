//! Sessions under plain hyper: the whole adapter is `serve` and `answer`, on nothing but
//! `Sessions::open`, `Scope::session` and `Scope::close`.
#![cfg(all(feature = "memory", feature = "derive"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use cloakroom::{MemoryStore, Scope, SessionData, Sessions};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[derive(Default, SessionData)]
struct Counter {
    count: u32,
}

type Page = Response<Full<Bytes>>;

/// The service's own part: a handler from a session to a page.
async fn handle(request: &Request<Incoming>, scope: &Scope<Counter>) -> cloakroom::Result<Page> {
    let mut session = scope.session().await?;
    let body = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => {
            let user = session.user().map_or_else(|| "nobody".into(), |user| user.to_string());
            format!("{user} {}", session.data().count)
        }
        (&Method::POST, "/add") => {
            session.edit(|data| data.count += 1)?;
            session.data().count.to_string()
        }
        (&Method::POST, "/login") => {
            session.login("ada").await?;
            "in".into()
        }
        (&Method::POST, "/too-much") => {
            session.set("blob", &"x".repeat(20_000))?;
            "stored".into()
        }
        (&Method::POST, "/logout") => {
            session.logout().await?;
            "out".into()
        }
        _ => "?".into(),
    };
    Ok(Response::new(body.into()))
}

/// The adapter.
async fn answer(
    sessions: Sessions<Counter>,
    request: Request<Incoming>,
) -> Result<Page, Infallible> {
    let (mut parts, body) = request.into_parts();
    let scope = match sessions.open(&parts.method, &parts.uri, &mut parts.headers) {
        Ok(scope) => scope,
        Err(error) => return Ok(error.to_response(false).map(Into::into)),
    };
    let safe = parts.method.is_safe();
    let request = Request::from_parts(parts, body);
    let response = match handle(&request, &scope).await {
        Ok(response) => response,
        Err(error) => error.to_response(!safe).map(Into::into),
    };
    let (mut parts, body) = response.into_parts();
    Ok(match scope.close(parts.status, &mut parts.headers).await {
        None => Response::from_parts(parts, body),
        Some(instead) => instead.map(Into::into),
    })
}

async fn serve(sessions: Sessions<Counter>, listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let sessions = sessions.clone();
        let service = service_fn(move |request| answer(sessions.clone(), request));
        let http = hyper::server::conn::http1::Builder::new();
        tokio::spawn(async move { http.serve_connection(TokioIo::new(stream), service).await });
    }
}

/// A client that keeps one cookie.
struct Client {
    address: SocketAddr,
    cookie: Option<String>,
}

impl Client {
    /// Sends one request on a connection of its own, and gives the status and the body.
    fn send(&mut self, method: &str, path: &str, site: &str) -> (StatusCode, String) {
        let cookie = self.cookie.as_ref().map_or_else(String::new, |c| format!("Cookie: {c}\r\n"));
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Sec-Fetch-Site: {site}\r\nContent-Length: 0\r\n{cookie}\r\n"
        );
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        for line in head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let pair = line.split(';').next().unwrap().to_owned();
            self.cookie = (!pair.ends_with('=')).then_some(pair);
        }
        (head[9..12].parse().unwrap(), body.to_owned())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_of_plain_hyper_signs_in_edits_and_signs_out() {
    let sessions = Sessions::<Counter>::builder(MemoryStore::new())
        .dangerous_sessions_end_with_the_process()
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve(sessions.clone(), listener));

    let answers = tokio::task::spawn_blocking(move || {
        let mut client = Client { address, cookie: None };
        let steps = [
            ("GET", "/", "none"),
            ("POST", "/add", "same-origin"),
            ("POST", "/add", "same-origin"),
            ("POST", "/login", "same-origin"),
            ("GET", "/", "none"),
            ("POST", "/add", "same-origin"),
            ("POST", "/add", "cross-site"),
            ("GET", "/", "none"),
            ("POST", "/too-much", "same-origin"),
            ("POST", "/logout", "same-origin"),
            ("GET", "/", "none"),
        ];
        steps.map(|(method, path, site)| client.send(method, path, site).1)
    });

    let refused = "This request seems to come from another site, so it was not carried out.\n";
    let too_much = "This is more than a session can hold.\n";
    let expected =
        ["nobody 0", "1", "2", "in", "ada 0", "1", refused, "ada 1", too_much, "out", "nobody 0"];
    assert_eq!(answers.await.unwrap(), expected);
    assert_eq!(sessions.count().await.unwrap().sessions, 0);
    server.abort();
}
