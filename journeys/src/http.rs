//! HTTP/1.1 byte by byte, for tests that need to say exactly what is sent.
//!
//! Nothing is checked, escaped or remembered: broken headers go out as they are, and cookies are
//! the test's business.

use crate::Failure;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

/// Sends one request on a connection of its own and reads the whole response.
///
/// `Host`, `Connection: close` and, with a body or a method that expects one, `Content-Length` are
/// added unless given.
///
/// # Errors
///
/// When nobody accepts, the connection breaks before the end of the response, the response is not
/// HTTP, or nothing comes for 20 s.
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &[u8])],
    body: &[u8],
) -> Result<Response, Failure> {
    let mut with_close = headers.to_vec();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Connection")) {
        with_close.push(("Connection", b"close"));
    }
    Connection::open(address)?.request(method, path, &with_close, body)
}

/// Sends these bytes on a connection of its own and reads until the other side closes it.
///
/// # Errors
///
/// When nobody accepts, or the other side keeps the connection open for 20 s.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut connection = Connection::open(address)?;
    connection.send(bytes)?;
    let mut answer = Vec::new();
    connection.stream.read_to_end(&mut answer).map_err(Failure::when("no end of the answer"))?;
    Ok(answer)
}

/// The value that the response sets for the cookie `name`, as sent; `None` if it sets none.
///
/// An empty value is a value: that is how a cookie is cleared. The last line wins, as in a browser.
///
/// ```
/// use cloakroom_journeys::http::{Response, set_cookie_value};
/// let headers = vec![("set-cookie".to_owned(), b"theme=dark; Path=/".to_vec())];
/// let response = Response { status: 200, headers, body: Vec::new() };
/// assert_eq!(set_cookie_value(&response, "theme").as_deref(), Some("dark"));
/// assert_eq!(set_cookie_value(&response, "cart"), None);
/// ```
#[must_use]
pub fn set_cookie_value(response: &Response, name: &str) -> Option<String> {
    response.header_texts("Set-Cookie").rev().find_map(|line| {
        let pair = line.split(';').next()?;
        let (found, value) = pair.split_once('=')?;
        (found.trim() == name).then(|| value.trim().to_owned())
    })
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names as sent and values as bytes, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body without its transfer coding.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, in any case; bytes outside of UTF-8 are replaced.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.header_texts(name).next()
    }

    /// Every header of this name, in order.
    pub fn header_texts(&self, name: &str) -> impl DoubleEndedIterator<Item = String> {
        self.headers
            .iter()
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// The body as text; bytes outside of UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection that is kept open for many requests, one after the other.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    ///
    /// When nobody accepts.
    pub fn open(address: SocketAddr) -> Result<Self, Failure> {
        let prepare = |stream: TcpStream| {
            stream.set_read_timeout(Some(LIMIT))?;
            stream.set_write_timeout(Some(LIMIT))?;
            stream.set_nodelay(true)?;
            Ok(BufReader::new(stream))
        };
        let stream = TcpStream::connect_timeout(&address, LIMIT).and_then(prepare);
        let stream = stream.map_err(Failure::when(format!("cannot connect to {address}")))?;
        Ok(Self { address, stream })
    }

    /// Sends one request, as [`request`] does but without `Connection: close`, and reads its
    /// response. `Ok` means that the whole response has arrived: the server has acknowledged.
    ///
    /// # Errors
    ///
    /// When the connection breaks before the end of the response, the response is not HTTP, or
    /// nothing comes for 20 s. The connection is of no use afterwards.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &[u8])],
        body: &[u8],
    ) -> Result<Response, Failure> {
        self.send(&head(self.address, method, path, headers, body))?;
        self.send(body)?;
        self.receive(method).map_err(Failure::when(format!("{method} {path}")))
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stream.get_mut().write_all(bytes).map_err(Failure::when("cannot send"))
    }

    fn receive(&mut self, method: &str) -> Result<Response, Failure> {
        loop {
            let status = status_of(&self.line()?)?;
            let headers = self.headers()?;
            if matches!(status, 100 | 102..=199) {
                continue;
            }
            let mut response = Response { status, headers, body: Vec::new() };
            if method != "HEAD" && !matches!(status, 101 | 204 | 304) {
                response.body = self.body(&response)?;
            }
            return Ok(response);
        }
    }

    fn headers(&mut self) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(headers);
            }
            let mut halves = line.splitn(2, |byte| *byte == b':');
            let name = String::from_utf8_lossy(halves.next().unwrap_or_default()).into_owned();
            headers.push((name, halves.next().unwrap_or_default().trim_ascii().to_vec()));
        }
    }

    fn body(&mut self, response: &Response) -> Result<Vec<u8>, Failure> {
        if response.header("Transfer-Encoding").is_some_and(|how| how.contains("chunked")) {
            return self.chunks();
        }
        let mut body = Vec::new();
        match response.header("Content-Length").map(|length| length.parse()) {
            Some(length) => body = self.bytes(length.map_err(Failure::when("Content-Length"))?)?,
            None => drop(self.stream.read_to_end(&mut body).map_err(Failure::when("body"))?),
        }
        Ok(body)
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        loop {
            let line = String::from_utf8_lossy(&self.line()?).into_owned();
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length =
                usize::from_str_radix(digits, 16).map_err(Failure::when("chunk length"))?;
            if length == 0 {
                return self.headers().map(|_trailers| body);
            }
            body.extend(self.bytes(length)?);
            self.line()?;
        }
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).map_err(Failure::when("body"))?;
        Ok(bytes)
    }

    fn line(&mut self) -> Result<Vec<u8>, Failure> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).map_err(Failure::when("no answer"))?;
        if line.pop() != Some(b'\n') {
            return Err(Failure::new("the connection was closed before the end of the answer"));
        }
        line.pop_if(|last| *last == b'\r');
        Ok(line)
    }
}

fn head(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &[u8])],
    body: &[u8],
) -> Vec<u8> {
    let given = |name: &str| headers.iter().any(|(found, _)| found.eq_ignore_ascii_case(name));
    let expects_body = matches!(method, "POST" | "PUT" | "PATCH") || !body.is_empty();
    let mut head = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
    if !given("Host") {
        head.extend(format!("Host: {address}\r\n").into_bytes());
    }
    if expects_body && !given("Content-Length") && !given("Transfer-Encoding") {
        head.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
    }
    for (name, value) in headers {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    head
}

fn status_of(line: &[u8]) -> Result<u16, Failure> {
    let text = String::from_utf8_lossy(line);
    let code = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
    let status = code.and_then(|code| code.parse().ok());
    status.ok_or_else(|| Failure::new(format!("not a status line: {text:?}")))
}
