//! Exchanges out of what curl prints: `curl -i`, `curl -v`, with redirects and without.

mod head;
mod included;
mod spoken;

use crate::exchange::Exchange;
use crate::har::Recording;
use cloakroom_cookie::browser::{AddressError, cookie_date};
use head::Head;
use std::error::Error;
use std::fmt;
use url::Url;

/// The octets of curl's output that are read: 64 MiB, as many as of a HAR file.
pub const CURL_MAX: usize = 64 * 1024 * 1024;

/// The responses of one output that are read: 10,000. Further ones are counted as skipped.
///
/// A response may be 16 octets short, so that the octets alone would not bound what is kept.
pub const CURL_RESPONSES_MAX: usize = 10_000;

/// Why a text is no output of curl.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CurlError {
    /// It exceeds [`CURL_MAX`].
    TooLarge {
        /// Its length in octets.
        length: usize,
    },
    /// There is no response with its header fields in it.
    NoResponse,
    /// It does not say what was asked, and nobody else did.
    NoAddress,
    /// The address that was named is none.
    BadAddress(AddressError),
}

impl fmt::Display for CurlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { length } => write!(
                f,
                "the output of curl has {length} octets, and {CURL_MAX} are read: ask for fewer pages"
            ),
            Self::NoResponse => f.write_str(
                "no output of curl with header fields: there is no line like `HTTP/1.1 200 OK`; \
                 ask again with `curl -si` or `curl -sv`",
            ),
            Self::NoAddress => {
                f.write_str("the output of `curl -i` does not say which address was asked: name it")
            }
            Self::BadAddress(why) => write!(f, "the address that was asked: {why}"),
        }
    }
}

impl Error for CurlError {}

/// Reads what `curl -i`, `curl -I` or `curl -v` printed, for one address or several, with `-L` or
/// without.
///
/// `curl -i` prints no request: `url` says what was asked first. A redirect leads to its `Location`,
/// whatever else follows counts as the same address again, and the requests count as `GET` without
/// cookies. `curl -v` prints the requests, and `url` counts only where they do not say whether TLS was
/// used. The time of a response is its `Date`, or else `now`, in seconds since the Unix epoch.
///
/// Bodies are as exact as curl's output is: with `-v` they stand between curl's own lines, and a page
/// that holds such lines itself can pass for a response.
///
/// ```
/// let text = b"HTTP/1.1 302 Found\r\nLocation: /home\r\nSet-Cookie: a=1\r\n\r\n\
///     HTTP/1.1 200 OK\r\nSet-Cookie: b=2\r\n\r\n<h1>Hello</h1>";
/// let recording = cloakroom_audit::read_curl(text, Some("https://shop.example/login"), 0)?;
/// let urls: Vec<_> = recording.exchanges.iter().map(|exchange| exchange.url()).collect();
/// assert_eq!(urls, ["https://shop.example/login", "https://shop.example/home"]);
/// assert_eq!(recording.exchanges[1].body(), b"<h1>Hello</h1>");
/// # Ok::<(), cloakroom_audit::CurlError>(())
/// ```
///
/// # Errors
///
/// [`CurlError`] if the text is too large, holds no response, or nothing says what was asked.
pub fn read_curl(text: &[u8], url: Option<&str>, now: u64) -> Result<Recording, CurlError> {
    if text.len() > CURL_MAX {
        return Err(CurlError::TooLarge { length: text.len() });
    }
    if let Some(url) = url {
        Exchange::new("GET", url, 200, now).map_err(CurlError::BadAddress)?;
    }
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let mut found = Found { now, recording: Recording::default(), lacks_address: false };
    if spoken::is_spoken(text) {
        spoken::read(text, url, &mut found);
    } else {
        included::read(text, url, &mut found);
    }
    match (found.recording.exchanges.is_empty(), found.lacks_address) {
        (true, true) => Err(CurlError::NoAddress),
        (true, false) => Err(CurlError::NoResponse),
        (false, _) => Ok(found.recording),
    }
}

/// What was read so far.
struct Found {
    now: u64,
    recording: Recording,
    lacks_address: bool,
}

/// One response, and what is known of its request.
struct Answered<'t> {
    method: &'t str,
    url: Option<&'t str>,
    asked: &'t [(&'t str, &'t [u8])],
    head: &'t Head<'t>,
    body: &'t [u8],
}

impl Found {
    /// Keeps an exchange; what is none is counted.
    fn keep(&mut self, answered: &Answered<'_>) {
        let Some(url) = answered.url else {
            self.lacks_address = true;
            self.recording.skipped += 1;
            return;
        };
        match self.exchange(url, answered) {
            Some(exchange) if self.recording.exchanges.len() < CURL_RESPONSES_MAX => {
                self.recording.exchanges.push(exchange);
            }
            Some(_) | None => self.recording.skipped += 1,
        }
    }

    fn exchange(&self, url: &str, answered: &Answered<'_>) -> Option<Exchange> {
        let head = answered.head;
        let date = head.first("date").and_then(cookie_date);
        let at = date.and_then(|at| u64::try_from(at).ok()).unwrap_or(self.now);
        let mut exchange = Exchange::new(answered.method, url, head.status, at).ok()?;
        answered.asked.iter().for_each(|(name, value)| exchange.request.push(name, *value));
        head.fields.iter().for_each(|(name, value)| exchange.response.push(name, *value));
        exchange.keep_body(answered.body);
        Some(exchange)
    }
}

/// Where the next request of `curl -L` goes.
fn after(url: &str, head: &Head<'_>) -> Option<String> {
    if !matches!(head.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = String::from_utf8_lossy(head.first("location")?).into_owned();
    Some(Url::parse(url).ok()?.join(&location).ok()?.to_string())
}

#[cfg(test)]
mod tests;
