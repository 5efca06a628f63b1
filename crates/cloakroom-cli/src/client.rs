//! The program's own HTTP client: one request, one answer, in bounded time and memory.
//!
//! A library for applications helps where an auditor must not: it follows redirects, keeps cookies, undoes
//! encodings and refuses answers that browsers take. Here are connections of `hyper` and nothing else.

mod connect;
mod roots;

pub(crate) use roots::trusted;

use crate::{clock, driver};
use cloakroom_audit::{Ask, Drive, Driven, Fetch, Headers, Heard, ROBOTS_MAX, Silence};
use connect::Connection;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::http::HeaderMap;
use hyper::http::header::HOST;
use rustls::ClientConfig;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use url::{Position, Url};

/// A connection that is not there by then does not come: 5 s, after three lost packets of a handshake.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// An answer that is not there by then is none: 20 s, which is what people wait at most.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// Octets that are read of a body: a `robots.txt` is the longest text that counts as a whole.
const BODY_LIMIT: usize = ROBOTS_MAX + 1;
/// Connections that are kept open to one origin: one visitor asks after the other, few at once.
const IDLE_MOST: usize = 4;

/// How long the client waits, and whom it trusts.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// For a connection, with its handshake.
    pub(crate) connect: Duration,
    /// For an answer, from the request's first octet to the body's last one that is kept.
    pub(crate) answer: Duration,
    /// Octets of a body; what comes behind them is not read.
    pub(crate) body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: CONNECT_LIMIT, answer: ANSWER_LIMIT, body: BODY_LIMIT }
    }
}

/// Asks, and keeps connections for the next request.
pub(crate) struct Client {
    limits: Limits,
    tls: Arc<ClientConfig>,
    idle: Mutex<HashMap<String, Vec<Connection>>>,
}

impl Client {
    pub(crate) fn new(limits: Limits, tls: Arc<ClientConfig>) -> Self {
        Self { limits, tls, idle: Mutex::default() }
    }

    async fn ask(&self, ask: &Ask) -> Result<Heard, Silence> {
        let url = Url::parse(&ask.url).map_err(|error| Silence::OutOfScope(error.to_string()))?;
        let origin = url.origin().ascii_serialization();
        // The other end may close a kept connection in the moment of asking, and nobody knows then whether
        // the request arrived. Only what may be asked twice is asked on one.
        let may_repeat = matches!(ask.method.as_str(), "GET" | "HEAD");
        if may_repeat && let Some(kept) = self.kept(&origin) {
            match self.ask_on(kept, ask, &url).await {
                Err(Silence::Broken(_)) => {}
                answer => return answer,
            }
        }
        let fresh = Connection::open(&url, self.limits.connect, &self.tls).await?;
        self.ask_on(fresh, ask, &url).await
    }

    async fn ask_on(&self, mut on: Connection, ask: &Ask, url: &Url) -> Result<Heard, Silence> {
        let until = Instant::now() + self.limits.answer;
        let request = request(ask, url)?;
        let asking = async {
            on.sender.ready().await?;
            on.sender.send_request(request).await
        };
        let late =
            |_| Silence::TooLate(format!("{} s for the head", self.limits.answer.as_secs_f32()));
        let response = timeout_at(until, asking).await.map_err(late)?;
        let (head, body) = response.map_err(|error| broken(&error))?.into_parts();
        let (body, is_cut) = self.read(body, until).await;
        if !is_cut {
            self.keep(url.origin().ascii_serialization(), on);
        }
        Ok(Heard { status: head.status.as_u16(), headers: fields(&head.headers), body, is_cut })
    }

    /// The body up to the limit of octets or of time; what came until then is an answer too.
    async fn read(&self, mut body: Incoming, until: Instant) -> (Vec<u8>, bool) {
        let mut read = Vec::new();
        loop {
            let Ok(frame) = timeout_at(until, body.frame()).await else { return (read, true) };
            let data = match frame {
                None => return (read, false),
                Some(Err(_)) => return (read, true),
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            let left = self.limits.body.saturating_sub(read.len());
            read.extend_from_slice(data.get(..left).unwrap_or(&data));
            if read.len() >= self.limits.body {
                return (read, true);
            }
        }
    }

    fn kept(&self, origin: &str) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(origin)?;
        std::iter::from_fn(|| kept.pop()).find(|connection| connection.sender.is_ready())
    }

    fn keep(&self, origin: String, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.entry(origin).or_default();
        if kept.len() < IDLE_MOST && !connection.sender.is_closed() {
            kept.push(connection);
        }
    }
}

impl Fetch for Client {
    async fn fetch(&self, ask: &Ask) -> Result<Heard, Silence> {
        self.ask(ask).await
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn now(&self) -> Duration {
        clock::now()
    }

    async fn drive(&self, drive: &Drive) -> Result<Vec<Driven>, Silence> {
        driver::sign_in(self, drive).await
    }
}

/// The request as it goes out: the caller's fields, and `Host`. `hyper` adds the length of a body.
fn request(ask: &Ask, url: &Url) -> Result<Request<Full<Bytes>>, Silence> {
    let path = &url[Position::BeforePath..Position::AfterQuery];
    let mut building = Request::builder().method(ask.method.as_str()).uri(path);
    if ask.headers.all("host").next().is_none() {
        building = building.header(HOST, &url[Position::BeforeHost..Position::AfterPort]);
    }
    for (name, value) in ask.headers.iter() {
        building = building.header(name, value);
    }
    let request = building.body(Full::new(Bytes::from(ask.body.clone())));
    request.map_err(|error| Silence::OutOfScope(format!("it cannot be sent: {error}")))
}

fn broken(error: &hyper::Error) -> Silence {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(because) = cause {
        text.push_str(": ");
        text.push_str(&because.to_string());
        cause = because.source();
    }
    Silence::Broken(text)
}

fn fields(of: &HeaderMap) -> Headers {
    let mut headers = Headers::default();
    of.iter().for_each(|(name, value)| headers.push(name.as_str(), value.as_bytes()));
    headers
}
