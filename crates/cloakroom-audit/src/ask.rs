//! What is asked of a site, and the door through which it is asked.

use crate::drive::{Drive, Driven};
use crate::exchange::Headers;
use crate::mask::shown_url;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Says in the logs of the site who asks.
const USER_AGENT: &str = concat!("cloakroom-audit/", env!("CARGO_PKG_VERSION"));
/// Sites choose between a page and data by this.
const ACCEPT: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// One request to be made.
///
/// ```
/// use cloakroom_audit::Ask;
///
/// let login = Ask::form("https://shop.example/login", &[("user", "ada"), ("password", "a&b")]);
/// assert_eq!((login.method.as_str(), login.body.as_slice()), ("POST", &b"user=ada&password=a%26b"[..]));
/// ```
///
/// `Debug` shows no secrets: no values of fields, no query, no body.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask {
    /// The method, as it is sent.
    pub method: String,
    /// The absolute address.
    pub url: String,
    /// The fields of the request. A [`Fetch`] adds what the protocol demands (`Host`, the length of the
    /// body) and nothing else.
    pub headers: Headers,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
}

impl Ask {
    /// A request without fields and body.
    pub fn new(method: &str, url: &str) -> Self {
        let (method, url) = (method.to_owned(), url.to_owned());
        Self { method, url, headers: Headers::default(), body: Vec::new() }
    }

    /// A `GET`.
    pub fn get(url: &str) -> Self {
        Self::new("GET", url)
    }

    /// A `GET` of a page, with what sites expect of whoever looks at pages: who asks, and for what.
    ///
    /// ```
    /// let ask = cloakroom_audit::Ask::page("https://shop.example/");
    /// assert_eq!(ask.headers.words("accept"), "text/html,application/xhtml+xml,*/*;q=0.8");
    /// ```
    pub fn page(url: &str) -> Self {
        Self::get(url).header("User-Agent", USER_AGENT).header("Accept", ACCEPT)
    }

    /// A `POST` of a form as browsers write it (`application/x-www-form-urlencoded`).
    pub fn form(url: &str, fields: &[(&str, &str)]) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields {
            body.append_pair(name, value);
        }
        let ask =
            Self::new("POST", url).header("Content-Type", "application/x-www-form-urlencoded");
        Self { body: body.finish().into_bytes(), ..ask }
    }

    /// With this field beside the others.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("method", &self.method)
            .field("url", &shown_url(&self.url))
            .field("headers", &self.headers)
            .field("body", &format_args!("{} octets", self.body.len()))
            .finish()
    }
}

/// What came back.
///
/// `Debug` shows no secrets: no values of fields, no body.
#[derive(Clone, PartialEq, Eq)]
pub struct Heard {
    /// The response's status.
    pub status: u16,
    /// The fields of the response.
    pub headers: Headers,
    /// What was read of the body: [`BODY_KEPT`](crate::BODY_KEPT) octets are enough for every rule.
    pub body: Vec<u8>,
    /// Whether the body went on.
    pub is_cut: bool,
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heard")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &format_args!("{} octets", self.body.len()))
            .field("is_cut", &self.is_cut)
            .finish()
    }
}

/// Why no response came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Silence {
    /// There was no connection: no such host, nobody listening, a certificate that is not trusted.
    Unreachable(String),
    /// Nothing, or not all of it, came within the time that was given.
    TooLate(String),
    /// What came was no HTTP, or the connection broke.
    Broken(String),
    /// It was not asked: the address is outside of what may be asked.
    OutOfScope(String),
    /// It was not asked: so many requests were made already.
    Exhausted(String),
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(what) => write!(f, "no connection: {what}"),
            Self::TooLate(what) => write!(f, "no answer in time: {what}"),
            Self::Broken(what) => write!(f, "a broken answer: {what}"),
            Self::OutOfScope(what) => write!(f, "not asked, out of scope: {what}"),
            Self::Exhausted(what) => write!(f, "not asked any more: {what}"),
        }
    }
}

impl Error for Silence {}

/// A way to ask: HTTP over a network, or a router in the same process.
///
/// It follows no redirect, keeps no cookie and adds none, and returns after a bounded time, with a bounded
/// body. Futures need not be `Send`: an audit runs on one thread.
pub trait Fetch {
    /// Asks once.
    ///
    /// # Errors
    ///
    /// [`Silence`] if no response came.
    fn fetch(&self, ask: &Ask) -> impl Future<Output = Result<Heard, Silence>>;

    /// Waits.
    fn pause(&self, time: Duration) -> impl Future<Output = ()>;

    /// The time since the Unix epoch: the only clock of an audit.
    fn now(&self) -> Duration;

    /// Has a real browser sign in, and gives every cookie that it holds then. Left out, there is none.
    ///
    /// # Errors
    ///
    /// [`Silence`] if there is no browser or the user is not recognised in time.
    fn drive(&self, drive: &Drive) -> impl Future<Output = Result<Vec<Driven>, Silence>> {
        let page = shown_url(&drive.page);
        async move { Err(Silence::Unreachable(format!("no browser opens {page}"))) }
    }
}

impl<F: Fetch> Fetch for &F {
    fn fetch(&self, ask: &Ask) -> impl Future<Output = Result<Heard, Silence>> {
        (**self).fetch(ask)
    }

    fn pause(&self, time: Duration) -> impl Future<Output = ()> {
        (**self).pause(time)
    }

    fn now(&self) -> Duration {
        (**self).now()
    }

    fn drive(&self, drive: &Drive) -> impl Future<Output = Result<Vec<Driven>, Silence>> {
        (**self).drive(drive)
    }
}
