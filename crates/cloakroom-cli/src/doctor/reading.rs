//! Recordings and lines, from files and from the standard input.

use super::case::{Asked, Problem};
use cloakroom_audit::{CurlError, read_curl, read_har};

/// Lines on the standard input that are taken: a server that sets more is asked about with `--curl`.
const LINES_MOST: usize = 100;

pub(super) fn har(text: &[u8], now: u64) -> Result<Problem, String> {
    let text = std::str::from_utf8(text).map_err(|_| "the HAR file is no UTF-8".to_owned())?;
    let recording = read_har(text, now).map_err(|error| error.to_string())?;
    if recording.exchanges.is_empty() {
        return Err("the HAR file holds no request that was answered".to_owned());
    }
    Ok(Problem::of_exchanges(&recording.exchanges))
}

pub(super) fn curl(text: &[u8], url: Option<&str>, now: u64) -> Result<Problem, String> {
    let recording = read_curl(text, url, now).map_err(|error| {
        let remedy = if error == CurlError::NoAddress { " with `--url`" } else { "" };
        format!("{error}{remedy}")
    })?;
    Ok(Problem::of_exchanges(&recording.exchanges))
}

/// Whatever it is: a HAR file, the output of curl, or lines.
pub(super) fn any(text: &[u8], asked: &Asked<'_>, now: u64) -> Result<Problem, String> {
    let begin = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text).trim_ascii_start();
    if begin.is_empty() {
        return Err("the standard input is empty: give a Set-Cookie line, a HAR file, or what \
             `curl -sv` prints"
            .to_owned());
    }
    if begin.starts_with(b"{") {
        return har(text, now);
    }
    match curl(text, asked.url, now) {
        Ok(problem) => Ok(problem),
        Err(_) if !looks_like_curl(text) => lines(text, asked, now),
        Err(why) => Err(why),
    }
}

fn looks_like_curl(text: &[u8]) -> bool {
    let mut lines = text.split(|octet| *octet == b'\n');
    lines.any(|line| line.starts_with(b"HTTP/") || line.starts_with(b"< HTTP/"))
}

fn lines(text: &[u8], asked: &Asked<'_>, now: u64) -> Result<Problem, String> {
    let lines = text.split(|octet| *octet == b'\n');
    let lines: Vec<_> = lines.filter(|line| !line.trim_ascii().is_empty()).collect();
    if lines.len() > LINES_MOST {
        let number = lines.len();
        return Err(format!("the standard input has {number} lines, and {LINES_MOST} are read"));
    }
    Problem::of_lines(&lines, asked, now)
}
