//! `curl -v`: requests behind `>`, responses behind `<`, curl's own words behind `*`, and bodies in
//! between.

use super::head::{Head, field, head_of, line_of, status};
use super::{Answered, Found, after};
use std::collections::BTreeMap;
use std::mem::take;

/// Whether the text holds the head of a response behind `<`.
pub(super) fn is_spoken(mut text: &[u8]) -> bool {
    while !text.is_empty() {
        let (line, rest) = line_of(text);
        if matches!(part(line), Part::Heard(line) if status(line).is_some()) {
            return true;
        }
        text = rest;
    }
    false
}

pub(super) fn read(mut text: &[u8], url: Option<&str>, found: &mut Found) {
    let mut reader = Reader { url: url.map(str::to_owned), ..Reader::default() };
    while !text.is_empty() {
        let (line, rest) = line_of(text);
        let (whole, _) = text.split_at(text.len() - rest.len());
        match part(line) {
            Part::Said(words) => reader.said(&String::from_utf8_lossy(words)),
            Part::Asked(line) => reader.asked(line, found),
            Part::Heard(line) => reader.heard(line, found),
            Part::Own => {}
            Part::Body => reader.body(line, whole),
        }
        text = rest;
    }
    reader.finish(found);
}

/// What a line is by its beginning.
enum Part<'t> {
    Said(&'t [u8]),
    Asked(&'t [u8]),
    Heard(&'t [u8]),
    /// `{ [5 bytes data]`, and the meter of progress.
    Own,
    Body,
}

fn part(line: &[u8]) -> Part<'_> {
    let (meter, line) = meter_and_rest(line);
    let behind = |mark: &[u8; 2]| {
        // An editor may have taken the blank away that ends a head.
        if line == mark.trim_ascii_end() { Some(&b""[..]) } else { line.strip_prefix(mark) }
    };
    if let Some(words) = behind(b"* ") {
        Part::Said(words)
    } else if let Some(line) = behind(b"> ") {
        Part::Asked(line)
    } else if let Some(line) = behind(b"< ") {
        Part::Heard(line)
    } else if is_own(line) || (meter && line.is_empty()) {
        Part::Own
    } else {
        Part::Body
    }
}

/// `{ [5 bytes data]`, and the two lines above the meter.
fn is_own(line: &[u8]) -> bool {
    let is_count = matches!(line, [b'{' | b'}', b' ', b'[', ..]) && line.ends_with(b"bytes data]");
    is_count || METER_HEADS.iter().any(|head| line.starts_with(head))
}

const METER_HEADS: [&[u8]; 2] =
    [b"  % Total    % Received", b"                                 Dload"];
/// A meter has 79 characters, more with large numbers.
const METER_LEAST: usize = 70;

/// Whether the line begins with the progress that curl writes over itself, and what stands behind it:
/// curl goes on in the same line.
fn meter_and_rest(line: &[u8]) -> (bool, &[u8]) {
    let Some(start) = line.iter().rposition(|octet| *octet == b'\r') else { return (false, line) };
    let meter = line.get(start + 1..).unwrap_or_default();
    let of_meter = |octet: &u8| octet.is_ascii_digit() || b" -:.kMGTP".contains(octet);
    let end = meter.iter().position(|octet| !of_meter(octet)).unwrap_or(meter.len());
    if end < METER_LEAST { (false, line) } else { (true, meter.get(end..).unwrap_or_default()) }
}

/// The request and the response that are being read, and what curl said of the next ones.
#[derive(Default)]
struct Reader<'t> {
    /// The address that was named first, then those that redirects lead to.
    url: Option<String>,
    /// Where the next request goes, in curl's words.
    told: Option<String>,
    /// Whether the connection that was opened last has TLS.
    tls: Option<bool>,
    /// Which hosts were seen with TLS, since curl says nothing when it uses a connection again.
    hosts: BTreeMap<String, bool>,
    request: Option<Request<'t>>,
    response: Option<Head<'t>>,
    is_in_head: bool,
    /// With `-i` as well, the head stands there twice.
    is_doubled: bool,
    body: Vec<u8>,
}

struct Request<'t> {
    method: &'t str,
    target: &'t str,
    version: &'t str,
    fields: Vec<(&'t str, &'t [u8])>,
    told: Option<String>,
    tls: Option<bool>,
}

impl<'t> Reader<'t> {
    fn said(&mut self, words: &str) {
        let words = words.trim_start();
        if let Some(url) = between(words, "Issue another request to this URL: '", "'") {
            self.told = Some(url.to_owned());
        } else if words.starts_with("Trying ") {
            self.tls = Some(false);
        } else if says_tls(words) {
            self.tls = Some(true);
        }
    }

    fn asked(&mut self, line: &'t [u8], found: &mut Found) {
        if let Some(request) = request_line(line) {
            self.finish(found);
            let (told, tls) = (self.told.take(), self.tls.take());
            self.request = Some(Request { told, tls, ..request });
        } else if let (Some(request), Some(field)) = (&mut self.request, field(line)) {
            request.fields.push(field);
            if let (true, Some(tls)) = (field.0.eq_ignore_ascii_case("host"), request.tls) {
                self.hosts.insert(host_of(field.1), tls);
            }
        }
    }

    fn heard(&mut self, line: &'t [u8], found: &mut Found) {
        if let Some(status) = status(line) {
            if self.response.as_ref().is_some_and(|head| !head.is_interim()) {
                self.finish(found);
            }
            (self.response, self.is_in_head) = (Some(Head::new(status)), true);
        } else if line.is_empty() {
            self.is_in_head = false;
        } else if let (Some(head), true) = (&mut self.response, self.is_in_head) {
            head.take(line);
        }
    }

    fn body(&mut self, line: &[u8], whole: &[u8]) {
        if self.is_in_head {
            self.is_doubled = true;
        } else if self.is_doubled && line.is_empty() && self.body.is_empty() {
            self.is_doubled = false;
        } else if self.response.is_some() {
            self.body.extend_from_slice(whole);
        }
    }

    /// Keeps what was read, if it is a whole exchange.
    fn finish(&mut self, found: &mut Found) {
        let (request, body) = (self.request.take(), take(&mut self.body));
        (self.is_in_head, self.is_doubled) = (false, false);
        let Some(head) = self.response.take().filter(|head| !head.is_interim()) else { return };
        let method = request.as_ref().map_or("GET", |request| request.method);
        if method == "CONNECT" {
            return;
        }
        let url = self.url_of(request.as_ref());
        let asked = request.map(|request| request.fields).unwrap_or_default();
        found.keep(&Answered {
            method,
            url: url.as_deref(),
            asked: &asked,
            head: &head,
            body: without_heads(&body),
        });
        if let Some(url) = url {
            self.url = after(&url, &head).or(Some(url));
        }
    }

    fn url_of(&self, request: Option<&Request<'_>>) -> Option<String> {
        let Some(request) = request else { return self.url.clone() };
        if request.told.is_some() {
            return request.told.clone();
        }
        if request.target.starts_with("http://") || request.target.starts_with("https://") {
            return Some(request.target.to_owned());
        }
        let host = request.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let Some((_, host)) = host else { return self.url.clone() };
        let host = host_of(host);
        let scheme = if self.has_tls(request, &host)? { "https" } else { "http" };
        Some(format!("{scheme}://{host}{}", request.target))
    }

    /// Whether the request went over TLS, if anything says so.
    fn has_tls(&self, request: &Request<'_>, host: &str) -> Option<bool> {
        // Over plain http, curl speaks the newer versions only when it is told to.
        let newer = || matches!(request.version, "HTTP/2" | "HTTP/3").then_some(true);
        let named = || Some(self.url.as_deref()?.starts_with("https://"));
        self.hosts.get(host).copied().or_else(newer).or_else(named)
    }
}

fn says_tls(words: &str) -> bool {
    let signs = ["ALPN", "SSL connection", "TLSv1", "QUIC", "schannel"];
    signs.iter().any(|sign| words.starts_with(sign))
        || words.contains("existing https")
        || (words.starts_with("Connected to ") && words.contains(" port 443"))
}

fn host_of(value: &[u8]) -> String {
    String::from_utf8_lossy(value).to_ascii_lowercase()
}

/// `GET /path HTTP/1.1`.
fn request_line(line: &[u8]) -> Option<Request<'_>> {
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_method = !method.is_empty() && method.bytes().all(|octet| octet.is_ascii_uppercase());
    let is_request = is_method && version.starts_with("HTTP/") && words.next().is_none();
    let fields = Vec::new();
    is_request.then_some(Request { method, target, version, fields, told: None, tls: None })
}

/// With `-i` as well, curl may print all heads before the body.
fn without_heads(mut body: &[u8]) -> &[u8] {
    while let Some((_, rest)) = head_of(body) {
        body = rest;
    }
    body
}

fn between<'w>(words: &'w str, before: &str, behind: &str) -> Option<&'w str> {
    Some(words.strip_prefix(before)?.split_once(behind)?.0)
}
