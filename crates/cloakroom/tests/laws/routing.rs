//! One layer, wherever it stands: nested routers, several layers, streams and sockets.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::Message;
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use cloakroom::axum::SignedIn;
use cloakroom::{Error, Session, SessionData, Sessions, SignIn};
use tower::ServiceExt as _;

use crate::support::*;

/// The data of another application on the same host.
#[derive(Debug, Default, SessionData)]
struct Blog {
    drafts: u32,
}

fn blog() -> Sessions<Blog> {
    Sessions::builder(TestStore::default())
        .dangerous_sessions_end_with_the_process()
        .name("blog")
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_layer_around_nested_routers_reaches_all_of_them() {
    let inner =
        Router::new().route("/count", get(async |s: Session<Shop>| s.data().count.to_string()));
    let middle = Router::new().nest("/inner", inner).merge(routes());
    let house =
        House::new(Router::new().nest("/middle", middle).fallback(async |s: Session<Shop>| {
            (StatusCode::NOT_FOUND, s.data().count.to_string())
        }));
    let browser = house.browser();

    browser.post("/middle/add").await;

    assert_eq!(browser.body("/middle/inner/count").await, "1");
    assert_eq!(browser.body("/nowhere").await, "1");
}

#[tokio::test]
async fn the_wanted_page_is_named_in_full_in_nested_routers() {
    let inner = Router::new().route("/account", get(async |_: SignedIn<Shop>| "in"));
    let house = House::with(Router::new().nest("/app", inner), |rules| {
        rules.sign_in(SignIn::Redirect("/login".into()))
    });

    let reply = house.browser().get("/app/account?tab=1").await;

    assert_eq!(reply.header("location"), Some("/login?next=/app/account%3Ftab%3D1"));
}

#[tokio::test]
async fn an_exemption_is_a_path_of_the_whole_service() {
    let house = House::with(Router::new().nest("/app", routes()), |rules| {
        rules.exempt("/app/edit", "each request is signed")
    });
    let browser = house.browser();
    browser.post("/app/login/ada").await;
    let cross = [("sec-fetch-site", "cross-site")];

    let exempt = browser.send_with(Method::POST, "/app/edit", &cross).await;
    let other = browser.send_with(Method::POST, "/app/add", &cross).await;

    assert_eq!((exempt.status, other.status), (StatusCode::OK, StatusCode::FORBIDDEN));
}

#[tokio::test]
async fn two_layers_with_two_cookies_live_in_one_app() {
    let both = async |mut shop: Session<Shop>, mut blog: Session<Blog>| {
        shop.edit(|data| data.count += 1)?;
        blog.edit(|data| data.drafts += 10)?;
        Ok::<_, Error>(format!("{} {}", shop.data().count, blog.data().drafts))
    };
    let blog = blog();
    for blog_outside in [true, false] {
        let routes = Router::new()
            .route("/both", post(both))
            .route("/blog/out", post(async |s: Session<Blog>| s.logout().await))
            .route("/shop", get(async |s: Session<Shop>| s.data().count.to_string()));
        let (house, app) = if blog_outside {
            let house = House::new(routes);
            (house.clone(), house.router().layer(blog.layer()))
        } else {
            let house = House::new(routes.layer(blog.layer()));
            (house.clone(), house.router())
        };
        let mut cookies = std::collections::BTreeMap::new();
        for expected in ["1 10", "2 20", "3 30"] {
            let reply = send(&app, "POST", "/both", &cookies).await;
            assert_eq!(reply.1, expected);
            cookies.extend(reply.0);
        }

        let names: Vec<_> = cookies.keys().cloned().collect();
        assert_eq!(names, ["__Host-Http-blog", "__Host-Http-session"]);
        let out = send(&app, "POST", "/blog/out", &cookies).await;
        assert_eq!(
            out.0.into_iter().collect::<Vec<_>>(),
            [("__Host-Http-blog".into(), String::new())]
        );
        assert_eq!(send(&app, "GET", "/shop", &cookies).await.1, "3");
        drop(house);
    }
}

type Cookies = std::collections::BTreeMap<String, String>;

/// Sends with these cookies, and gives those that were set and the body.
async fn send(app: &Router, method: &str, path: &str, cookies: &Cookies) -> (Cookies, String) {
    let line: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "shop.example")
        .header("sec-fetch-site", "same-origin")
        .header("cookie", line.join("; "))
        .body(Body::empty())
        .unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let set = response.headers().get_all("set-cookie").iter().map(|line| {
        let pair = line.to_str().unwrap().split(';').next().unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    });
    let set = set.collect();
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    (set, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_layer_that_stands_there_twice_is_one() {
    let house = House::shop();
    let app = house.router().layer(house.sessions.layer());

    let (set, _) = send(&app, "POST", "/add", &Cookies::new()).await;
    let (_, count) = send(&app, "GET", "/count", &set).await;

    assert_eq!((set.len(), count.as_str()), (1, "1"));
    let calls = Calls { create: 1, load: 1, ..Calls::default() };
    assert_eq!(house.store.calls(), calls);
}

#[tokio::test]
async fn a_middleware_and_its_handler_share_the_session() {
    let counts = async |mut s: Session<Shop>,
                        request: axum::extract::Request,
                        next: axum::middleware::Next| {
        s.edit(|data| data.count += 1)?;
        let response = next.run(request).await;
        s.edit(|data| data.note.push('x'))?;
        Ok::<_, Error>(response)
    };
    let house = House::new(routes().layer(axum::middleware::from_fn(counts)));
    let browser = house.user("ada").await;
    house.store.calls();

    assert_eq!(browser.post("/add").await.body, "2");

    assert_eq!(house.store.calls(), Calls { load: 1, commit: 2, ..Calls::default() });
    assert_eq!(browser.body("/data").await, "cart= count=2 theme=- note=xx");
}

#[tokio::test]
async fn a_missing_layer_is_one_clear_message() {
    let events = Events::listen();
    for app in [routes(), routes().layer(blog().layer())] {
        for path in ["/who", "/view", "/lazy"] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();

            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            let told = events.text();
            assert_eq!(told.matches("event=\"no_layer\"").count(), 1, "{told}");
            assert!(told.contains("sessions.layer()") && told.contains("Shop"), "{told}");
        }
    }
}

#[tokio::test]
async fn a_layer_around_a_single_route_covers_that_route() {
    let (store, clock) = (TestStore::default(), cloakroom::ManualClock::at_secs(START));
    let sessions = Sessions::<Shop>::builder(store.clone())
        .dangerous_sessions_end_with_the_process()
        .clock(clock)
        .build()
        .unwrap();
    let app = Router::new()
        .route("/in", post(async |mut s: Session<Shop>| s.ensure().await).layer(sessions.layer()))
        .route("/out", post(async |_: Session<Shop>| ()));

    let (set, _) = send(&app, "POST", "/in", &Cookies::new()).await;
    let (none, _) = send(&app, "POST", "/out", &Cookies::new()).await;

    assert_eq!((set.len(), none.len()), (1, 0));
}

#[tokio::test]
async fn methods_without_a_handler_and_bodies_of_errors_pass_unchanged() {
    let house = House::shop();
    let browser = house.user("ada").await;

    let head = browser.send(Method::HEAD, "/who").await;
    let options = browser.send(Method::OPTIONS, "/who").await;
    let wrong = browser.send(Method::DELETE, "/who").await;
    let missing = browser.get("/nowhere").await;

    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(options.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.header("allow"), Some("GET,HEAD"));
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

/// A body in several parts.
struct Parts(Vec<&'static str>);

impl hyper::body::Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        let part = self.0.pop().map(|part| Bytes::from_static(part.as_bytes()));
        Poll::Ready(part.map(|part| Ok(hyper::body::Frame::data(part))))
    }
}

#[tokio::test]
async fn a_stream_has_its_head_before_its_body_and_edits_through_a_live_handle() {
    let pause = Pause::default();
    let waits = pause.clone();
    let stream = async move |mut s: Session<Shop>| {
        s.edit(|data| data.count += 1)?;
        let live = s.live().await?;
        tokio::spawn(async move {
            waits.here().await;
            assert!(s.edit(|data| data.count += 100).is_err());
            live.update(|data| data.count += 10).await.unwrap();
            waits.here().await;
        });
        Ok::<_, Error>(Response::new(Body::new(Parts(vec!["two", "one "]))))
    };
    let house = House::new(routes().route("/stream", get(stream)));
    let browser = house.browser();

    let reply = browser.get("/stream").await;
    pause.reached().await;
    pause.go();
    pause.reached().await;

    assert_eq!(reply.body, "one two");
    assert_eq!(reply.ticket().unwrap().len(), 22);
    assert_eq!(browser.body("/count").await, "11");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_is_opened_by_our_pages_only_and_edits_through_a_live_handle() {
    let socket =
        async |upgrade: WebSocketUpgrade, mut s: Session<Shop>| -> Result<Response, Error> {
            let live = s.live().await?;
            Ok(upgrade
                .on_upgrade(async move |mut socket| {
                    while let Some(Ok(Message::Text(text))) = socket.recv().await {
                        let text = text.to_string();
                        let count = live.update(|data| {
                            data.count += 1;
                            data.note.clone_from(&text);
                            data.count
                        });
                        let answer = match count.await {
                            Ok(count) => count.to_string(),
                            Err(error) => error.code().to_owned(),
                        };
                        if socket.send(Message::text(answer)).await.is_err() {
                            return;
                        }
                    }
                })
                .into_response())
        };
    let house = House::new(routes().route("/socket", any(socket)));
    let browser = house.user("ada").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, house.router()).into_future());
    let ticket = browser.ticket().unwrap();
    let open = move |site: &str| {
        let head = format!(
            "GET /socket HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-Fetch-Site: {site}\r\nCookie: {NAME}={ticket}\r\n\r\n"
        );
        async move { tokio::task::spawn_blocking(move || handshake(address, &head)).await.unwrap() }
    };

    let (refused, _) = open("cross-site").await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let (opened, socket) = open("same-origin").await;
    assert!(opened.starts_with("HTTP/1.1 101"), "{opened}");
    let (first, socket) = say(socket, "hello").await;
    let (second, socket) = say(socket, "again").await;
    assert_eq!((first.as_str(), second.as_str()), ("1", "2"));
    assert_eq!(browser.body("/data").await, "cart= count=2 theme=- note=again");
    browser.post("/logout").await;
    let (after, _) = say(socket, "late").await;

    assert_eq!(after, "logout");
    server.abort();
}

/// Sends the head of a request and reads that of the answer.
fn handshake(address: std::net::SocketAddr, head: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        answer.extend(byte);
    }
    (String::from_utf8(answer).unwrap(), stream)
}

/// Sends one short text through an open socket and reads one back (RFC 6455 section 5.2).
async fn say(mut socket: TcpStream, text: &'static str) -> (String, TcpStream) {
    let talk = move || {
        let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0];
        frame.extend(text.bytes());
        socket.write_all(&frame).unwrap();
        let mut head = [0; 2];
        socket.read_exact(&mut head).unwrap();
        let mut payload = vec![0; usize::from(head[1])];
        socket.read_exact(&mut payload).unwrap();
        (String::from_utf8(payload).unwrap(), socket)
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}
