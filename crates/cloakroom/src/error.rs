//! What can go wrong for a handler, and what to answer then.

use std::error::Error as StdError;
use std::fmt;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use crate::gate::Refusal;
use crate::store::{Ended, Record, StoreError, StoreErrorKind};

/// The result of everything that a handler asks of its session.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller can do about an [`Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store is away. Answer 503; nobody is signed out by it.
    Unavailable,
    /// The session ended while the handler ran; nothing was written. Answer 409.
    Gone(Option<Ended>),
    /// The ticket was renewed by another request; send the request again with the newest one.
    Stale,
    /// Only a signed-in user can do this.
    NotSignedIn,
    /// Others changed the session faster, again and again; nothing was written.
    Contended,
    /// The user has as many sessions as the policy allows. The sessions are in the list, so that
    /// the user can choose one to end.
    LimitReached(Vec<Record>),
    /// The session would hold more than it may, or the value has no JSON form; nothing was written.
    Refused,
    /// What is stored cannot be read.
    Corrupt,
    /// The response's head has left: nothing can be committed with it any more. Use `live` for
    /// streams, sockets and background work.
    Closed,
    /// The route lies outside of the session layer.
    NoLayer,
    /// The gate refused the request.
    Refusal(Refusal),
}

/// Why a session could not do what it was asked.
///
/// As a response it is what the outcome table says: 409, 413, 503, and so on, with the reason's
/// code in a header and no detail that would help an attacker.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    /// The operator has been told of what is behind it.
    is_told: bool,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), is_told: false }
    }

    pub(crate) fn gone(ended: Option<Ended>) -> Self {
        Self::new(ErrorKind::Gone(ended), "the session ended while the request ran")
    }

    pub(crate) fn stale() -> Self {
        Self::new(ErrorKind::Stale, "the ticket was renewed by another request: send it again")
    }

    pub(crate) fn not_signed_in() -> Self {
        Self::new(ErrorKind::NotSignedIn, "only a signed-in user can prove another factor")
    }

    pub(crate) fn closed() -> Self {
        Self::new(
            ErrorKind::Closed,
            "the response has left, so this change could not be part of it: use a live handle",
        )
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    pub(crate) fn told_already(self) -> Self {
        Self { is_told: true, ..self }
    }

    pub(crate) const fn is_told(&self) -> bool {
        self.is_told
    }

    /// What the caller can do.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The status that answers it.
    ///
    /// ```
    /// use cloakroom::{Error, store::StoreError};
    ///
    /// assert_eq!(Error::from(StoreError::unavailable("disk is full")).status(), 503);
    /// ```
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.kind {
            ErrorKind::Unavailable | ErrorKind::Contended | ErrorKind::Corrupt => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ErrorKind::Gone(_) | ErrorKind::Stale | ErrorKind::LimitReached(_) => {
                StatusCode::CONFLICT
            }
            ErrorKind::NotSignedIn => StatusCode::UNAUTHORIZED,
            ErrorKind::Refused => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::Closed | ErrorKind::NoLayer => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorKind::Refusal(Refusal::PlainHttp) => StatusCode::MISDIRECTED_REQUEST,
            ErrorKind::Refusal(_) => StatusCode::FORBIDDEN,
        }
    }

    /// The stable word for logs and clients.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.kind {
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Gone(Some(ended)) => ended.reason.code(),
            ErrorKind::Gone(None) => "gone",
            ErrorKind::Stale => "stale",
            ErrorKind::NotSignedIn => "not-signed-in",
            ErrorKind::Contended => "contended",
            ErrorKind::LimitReached(_) => "limit-reached",
            ErrorKind::Refused => "refused",
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::Closed => "closed",
            ErrorKind::NoLayer => "no-layer",
            ErrorKind::Refusal(refusal) => refusal.code(),
        }
    }

    /// The answer to a client, for adapters. `handler_ran` is for an unsafe request whose handler
    /// ran: if the store is away, nobody knows what it did, and it must not be sent again unasked.
    #[must_use]
    pub fn to_response(&self, handler_ran: bool) -> Response<String> {
        let is_open =
            matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Contended | ErrorKind::Corrupt);
        let unknown_outcome = handler_ran && is_open;
        let may_retry = self.status() == StatusCode::SERVICE_UNAVAILABLE
            && self.kind != ErrorKind::Corrupt
            && !unknown_outcome;
        let body = if unknown_outcome {
            "The service could not store what this request did. It may or may not have happened: \
             look before you send it again.\n"
        } else {
            self.advice()
        };
        let mut response = Response::new(body.to_owned());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert("session-error", HeaderValue::from_static(self.code()));
        if may_retry {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    const fn advice(&self) -> &'static str {
        match self.kind {
            ErrorKind::Unavailable | ErrorKind::Contended => {
                "The service cannot reach its sessions just now. You are still signed in.\n"
            }
            ErrorKind::Corrupt => "This session cannot be read. The operator has been told.\n",
            ErrorKind::Gone(_) => "Your session ended while this was on its way.\n",
            ErrorKind::NotSignedIn => "Please sign in.\n",
            ErrorKind::Stale => "This page was a moment too old. Please send it again.\n",
            ErrorKind::LimitReached(_) => "You are signed in on too many devices.\n",
            ErrorKind::Refused => "This is more than a session can hold.\n",
            ErrorKind::Closed | ErrorKind::NoLayer => "The service is not set up correctly.\n",
            ErrorKind::Refusal(Refusal::PlainHttp) => {
                "This service keeps sessions without TLS on this machine only.\n"
            }
            ErrorKind::Refusal(_) => {
                "This request seems to come from another site, so it was not carried out.\n"
            }
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind() {
            StoreErrorKind::Corrupt => ErrorKind::Corrupt,
            StoreErrorKind::Refused => ErrorKind::Refused,
            StoreErrorKind::Unavailable | _ => ErrorKind::Unavailable,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(ErrorKind::Refusal(refusal), "the gate refused a request")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message)
    }
}

impl StdError for Error {}
