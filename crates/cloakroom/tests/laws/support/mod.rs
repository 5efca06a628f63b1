//! A service, a browser that keeps cookies, and a store that counts.

mod events;
mod secrets;
mod shop;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use cloakroom::{Builder, ManualClock, SessionData, Sessions};
use http_body_util::BodyExt as _;
use tokio::sync::Notify;
use tower::ServiceExt as _;

pub use events::Events;
pub use secrets::Secrets;
pub use shop::routes;
pub use store::{Calls, TestStore};

pub const NAME: &str = "__Host-Http-session";
pub const MINUTE: u64 = 60;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;
/// Longer than any test takes.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// What the service of these tests keeps.
#[derive(Clone, Debug, Default, PartialEq, SessionData)]
pub struct Shop {
    #[data(on_login = keep)]
    pub cart: Vec<String>,
    pub count: u64,
    #[data(on_login = keep, on_logout = keep)]
    pub theme: Option<String>,
    pub note: String,
}

/// One second after the epoch would make every subtraction underflow unseen.
pub const START: u64 = 1_790_000_000;

/// A service under test.
#[derive(Clone)]
pub struct House {
    pub sessions: Sessions<Shop>,
    pub store: TestStore,
    pub clock: ManualClock,
    router: Router,
}

impl House {
    /// The small shop with the default rules.
    pub fn shop() -> Self {
        Self::new(routes())
    }

    /// The small shop with other rules.
    pub fn ruled(rules: impl FnOnce(Builder<Shop>) -> Builder<Shop>) -> Self {
        Self::with(routes(), rules)
    }

    /// The same with a store that may take its time: for tests of many threads, whose machine may be
    /// busy with others.
    pub fn patient(routes: Router) -> Self {
        Self::with(routes, |rules| rules.store_wait(PATIENCE))
    }

    /// A service with these routes and the default rules.
    pub fn new(routes: Router) -> Self {
        Self::with(routes, |rules| rules)
    }

    /// A service with these routes and other rules.
    pub fn with(routes: Router, rules: impl FnOnce(Builder<Shop>) -> Builder<Shop>) -> Self {
        let (store, clock) = (TestStore::default(), ManualClock::at_secs(START));
        Self::on(store, clock, |_| routes, rules)
    }

    /// A service whose routes need its sessions, on a given store.
    pub fn on(
        store: TestStore,
        clock: ManualClock,
        routes: impl FnOnce(&Sessions<Shop>) -> Router,
        rules: impl FnOnce(Builder<Shop>) -> Builder<Shop>,
    ) -> Self {
        let builder = Sessions::builder(store.clone())
            .dangerous_sessions_end_with_the_process()
            .clock(clock.clone());
        let sessions = rules(builder).build().unwrap();
        let router = routes(&sessions).layer(sessions.layer());
        Self { sessions, store, clock, router }
    }

    /// The same service with more around its layer.
    pub fn inside(mut self, around: impl FnOnce(Router) -> Router) -> Self {
        self.router = around(self.router);
        self
    }

    /// A browser that has never been here.
    pub fn browser(&self) -> Browser {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Browser { house: self.clone(), cookie: Arc::default(), agent: format!("Browser/{number}") }
    }

    /// A browser whose user is signed in, and whose calls are not counted.
    pub async fn user(&self, name: &str) -> Browser {
        let browser = self.browser();
        let reply = browser.post(&format!("/login/{name}")).await;
        assert_eq!(reply.status, StatusCode::OK);
        self.store.calls();
        browser
    }

    /// The service itself.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    pub fn seconds(&self, seconds: u64) {
        self.clock.advance(std::time::Duration::from_secs(seconds));
    }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The ticket that the response sets; an empty one deletes the cookie.
    pub fn ticket(&self) -> Option<String> {
        let lines = self.headers.get_all("set-cookie").iter();
        let pairs = lines.map(|line| line.to_str().unwrap().split(';').next().unwrap());
        let mut ours = pairs.filter_map(|pair| pair.strip_prefix("__Host-Http-session="));
        let ticket = ours.next()?.to_owned();
        assert!(ours.next().is_none(), "one Set-Cookie of ours at most");
        Some(ticket)
    }

    /// All that a client can tell two answers apart by.
    pub fn seen(&self) -> (StatusCode, Vec<(String, String)>, &str) {
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        (self.status, self.headers.iter().map(header).collect(), &self.body)
    }
}

/// A browser with one cookie.
#[derive(Clone)]
pub struct Browser {
    pub house: House,
    cookie: Arc<std::sync::Mutex<Option<String>>>,
    agent: String,
}

impl Browser {
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path).await
    }

    pub async fn post(&self, path: &str) -> Reply {
        self.send(Method::POST, path).await
    }

    pub async fn send(&self, method: Method, path: &str) -> Reply {
        let reply = self.house.send(self.request(method, path)).await;
        self.keep(&reply);
        reply
    }

    /// What a GET of `path` shows, from a request that is not to change anything here.
    pub async fn body(&self, path: &str) -> String {
        self.get(path).await.body
    }

    /// Sends with one more header.
    pub async fn send_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Reply {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let reply = self.house.send(request).await;
        self.keep(&reply);
        reply
    }

    /// Sends now, and gives the answer when it comes; the browser does not take it in by itself.
    pub fn start(&self, method: Method, path: &str) -> tokio::task::JoinHandle<Reply> {
        let (house, request) = (self.house.clone(), self.request(method, path));
        tokio::spawn(async move { house.send(request).await })
    }

    /// The request as this browser would send it now, for tests that let it overtake another.
    pub fn request(&self, method: Method, path: &str) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "shop.example")
            .header("sec-fetch-site", "same-origin")
            .header("user-agent", &self.agent);
        if let Some(ticket) = self.ticket() {
            request = request.header("cookie", format!("a=b; {NAME}={ticket}"));
        }
        request.body(Body::empty()).unwrap()
    }

    /// Takes a response in, as it arrives.
    pub fn keep(&self, reply: &Reply) {
        if let Some(ticket) = reply.ticket() {
            self.set_ticket((!ticket.is_empty()).then_some(ticket));
        }
    }

    pub fn ticket(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    pub fn set_ticket(&self, ticket: Option<String>) {
        *self.cookie.lock().unwrap() = ticket;
    }

    /// The same browser, its cookie shared, in front of another process of the service.
    pub fn at(&self, house: &House) -> Self {
        Self { house: house.clone(), ..self.clone() }
    }

    /// Another browser that stole the ticket of this one.
    pub fn thief(&self) -> Self {
        Self { cookie: Arc::new(std::sync::Mutex::new(self.ticket())), ..self.clone() }
    }
}

/// A place where a handler says that it got there, and waits to be let go.
#[derive(Clone, Default)]
pub struct Pause(Arc<(Notify, Notify)>);

impl Pause {
    /// For the handler.
    pub async fn here(&self) {
        self.0.0.notify_one();
        self.0.1.notified().await;
    }

    /// For the test: waits until a handler is there.
    pub async fn reached(&self) {
        self.0.0.notified().await;
    }

    /// For the test: lets the handler go on.
    pub fn go(&self) {
        self.0.1.notify_one();
    }
}

/// A seed for random tests, printed so that a failure can be repeated with `LAWS_SEED`.
pub fn random() -> Random {
    let given = std::env::var("LAWS_SEED").ok().and_then(|seed| seed.parse().ok());
    let fresh = || {
        use std::hash::{BuildHasher as _, Hasher as _};
        std::collections::hash_map::RandomState::new().build_hasher().finish() | 1
    };
    let seed = given.unwrap_or_else(fresh);
    println!("LAWS_SEED={seed}");
    Random(seed)
}

/// Numbers that look random (xorshift).
pub struct Random(u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

/// The bytes behind base64url text.
pub fn decoded(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut len, mut bytes) = (0u32, 0, Vec::new());
    for letter in text.chars() {
        bits = bits << 6 | u32::try_from(ALPHABET.find(letter).unwrap()).unwrap();
        len += 6;
        if len >= 8 {
            len -= 8;
            bytes.push(u8::try_from(bits >> len & 0xff).unwrap());
        }
    }
    bytes
}
