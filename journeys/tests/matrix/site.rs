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
/// the form of the page lead, and `redirect` where the browser is sent at once.
pub(crate) struct Site {
    port: u16,
    seen: Seen,
    tags: AtomicU64,
}

type Seen = Arc<Mutex<HashMap<String, String>>>;

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
        let look = || self.seen.lock().unwrap().remove(tag);
        poll(&format!("the request {tag}"), Duration::from_secs(20), look)
    }
}

/// The text as the value of a query parameter.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut query, byte| {
        if byte.is_ascii_alphanumeric() {
            query.push(char::from(byte));
        } else {
            write!(query, "%{byte:02X}").unwrap();
        }
        query
    })
}

fn decoded(query: &str) -> String {
    let mut pieces = query.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend(piece[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}

fn serve(stream: &TcpStream, seen: &Seen) -> Option<()> {
    let (mut reader, mut head) = (BufReader::new(stream), String::new());
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
    }
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    };
    let mut body = vec![0; field("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let target = head.split_whitespace().nth(1)?;
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let parameters: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let all = |wanted: &str| -> Vec<String> {
        let found = parameters.iter().filter(|(name, _)| *name == wanted);
        found.map(|(_, value)| decoded(value)).collect()
    };
    if let Some(tag) = all("tag").pop() {
        seen.lock().unwrap().insert(tag, field("cookie").to_owned());
    }
    let answer = answer(&all("c"), all("redirect").pop(), &all("to").pop().unwrap_or_default());
    { stream }.write_all(answer.as_bytes()).ok()
}

fn answer(cookies: &[String], redirect: Option<String>, to: &str) -> String {
    let mut headers = cookies.iter().fold(String::new(), |mut headers, line| {
        write!(headers, "Set-Cookie: {line}\r\n").unwrap();
        headers
    });
    let status = redirect.map_or("200 OK", |to| {
        write!(headers, "Location: {to}\r\n").unwrap();
        "303 See Other"
    });
    let page = format!(
        "<!doctype html><title>page</title><link rel=icon href='data:,'><body>\
         <p><a href='{to}'>link</a><form method=post action='{to}'><button>send</button></form>"
    );
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nCache-Control: no-store\r\n\
         Content-Length: {}\r\n{headers}\r\n{page}",
        page.len()
    )
}
