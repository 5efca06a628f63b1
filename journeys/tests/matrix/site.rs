//! A site that sets whatever cookies its address asks for, and remembers which came back.

use cloakroom_journeys::Failure;
use cloakroom_journeys::deadline::poll;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The site answers under every path alike. In the query, each `c` is a `Set-Cookie` line, `tag`
/// the name under which the `Cookie` header of the request is remembered, `to` where the link and
/// the form of the page lead, `frame` what the page holds in a frame, and `redirect` where the browser is
/// sent at once.
pub(crate) struct Site {
    port: u16,
    seen: Seen,
    tags: AtomicU64,
}

type Seen = Arc<Mutex<HashMap<String, Vec<u8>>>>;

impl Site {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Seen::default();
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&shared);
                std::thread::spawn(move || while serve(&stream, &seen).is_some() {});
            }
        });
        Self { port, seen, tags: AtomicU64::new(0) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A tag that nobody has used yet.
    pub(crate) fn tag(&self) -> String {
        format!("t{}", self.tags.fetch_add(1, Ordering::Relaxed))
    }

    /// The `Cookie` header of the request with this tag, once it has come; empty without one.
    pub(crate) fn cookies_of(&self, tag: &str) -> Result<String, Failure> {
        Ok(String::from_utf8_lossy(&self.octets_of(tag)?).into_owned())
    }

    /// The same, octet by octet.
    pub(crate) fn octets_of(&self, tag: &str) -> Result<Vec<u8>, Failure> {
        let look = || self.seen.lock().unwrap().remove(tag);
        poll(&format!("the request {tag}"), Duration::from_secs(20), look)
    }
}

/// The octets as the value of a query parameter.
pub(crate) fn encoded(text: impl AsRef<[u8]>) -> String {
    text.as_ref().iter().fold(String::new(), |mut query, &byte| {
        if byte.is_ascii_alphanumeric() {
            query.push(char::from(byte));
        } else {
            write!(query, "%{byte:02X}").unwrap();
        }
        query
    })
}

fn decoded(query: &str) -> Vec<u8> {
    let mut pieces = query.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend(piece[2..].bytes());
    }
    bytes
}

fn serve(stream: &TcpStream, seen: &Seen) -> Option<()> {
    let (mut reader, mut head) = (BufReader::new(stream), Vec::new());
    while !head.ends_with(b"\r\n\r\n") {
        reader.read_until(b'\n', &mut head).ok().filter(|read| *read > 0)?;
    }
    let field = |name: &str| field(&head, name);
    let length = std::str::from_utf8(field("content-length")).ok()?;
    let mut body = vec![0; length.parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let first = std::str::from_utf8(head.split(|&octet| octet == b'\r').next()?).ok()?;
    let query = first.split_whitespace().nth(1)?.split_once('?').map_or("", |(_, query)| query);
    let parameters: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let all = |wanted: &str| -> Vec<Vec<u8>> {
        let found = parameters.iter().filter(|(name, _)| *name == wanted);
        found.map(|(_, value)| decoded(value)).collect()
    };
    let text = |wanted: &str| all(wanted).pop().and_then(|octets| String::from_utf8(octets).ok());
    if let Some(tag) = text("tag") {
        seen.lock().unwrap().insert(tag, field("cookie").to_vec());
    }
    let to = text("to").unwrap_or_default();
    let answer = answer(&all("c"), text("redirect"), &to, text("frame"));
    { stream }.write_all(&answer).ok()
}

/// The value of a header field, empty without one.
fn field<'h>(head: &'h [u8], name: &str) -> &'h [u8] {
    let lines = head.split(|&octet| octet == b'\n').map(|line| line.trim_ascii_end());
    let mut values = lines.filter_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        found.eq_ignore_ascii_case(name.as_bytes()).then(|| value.strip_prefix(b": ")).flatten()
    });
    values.next().unwrap_or_default()
}

fn answer(
    cookies: &[Vec<u8>],
    redirect: Option<String>,
    to: &str,
    frame: Option<String>,
) -> Vec<u8> {
    let status = if redirect.is_some() { "303 See Other" } else { "200 OK" };
    let frame = frame.map_or_else(String::new, |inner| format!("<iframe src='{inner}'></iframe>"));
    let page = format!(
        "<!doctype html><title>page</title><link rel=icon href='data:,'><body>\
         <p><a href='{to}'>link</a><form method=post action='{to}'><button>send</button></form>{frame}"
    );
    let mut head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nCache-Control: no-store\r\n\
         Content-Length: {}\r\n",
        page.len()
    );
    if let Some(to) = redirect {
        write!(head, "Location: {to}\r\n").unwrap();
    }
    let lines = cookies.iter().map(|line| [b"Set-Cookie: ", &line[..], b"\r\n"].concat());
    [head.into_bytes(), lines.collect::<Vec<_>>().concat(), b"\r\n".to_vec(), page.into_bytes()]
        .concat()
}
