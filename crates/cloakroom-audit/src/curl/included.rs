//! `curl -i` and `curl -I`: heads and bodies, one after the other, and no requests.

use super::head::{Head, head_of, line_of, status};
use super::{Answered, Found, after};

pub(super) fn read(text: &[u8], url: Option<&str>, found: &mut Found) {
    let mut url = url.map(str::to_owned);
    let mut rest = from_next_head(text);
    while let Some((head, behind)) = head_of(rest) {
        let (body, next) = split(&head, behind);
        rest = from_next_head(next);
        if head.is_interim() {
            continue;
        }
        found.keep(&Answered { method: "GET", url: url.as_deref(), asked: &[], head: &head, body });
        if let Some(next) = url.as_deref().and_then(|url| after(url, &head)) {
            url = Some(next);
        }
    }
}

/// Where the body ends. `Content-Length` counts only if a response or nothing stands there: what curl
/// prints may be unpacked, or left out after a redirect.
fn split<'t>(head: &Head<'_>, text: &'t [u8]) -> (&'t [u8], &'t [u8]) {
    let length = head.first("content-length").and_then(|length| std::str::from_utf8(length).ok());
    let length = length.and_then(|length| length.parse::<usize>().ok());
    if let Some((body, next)) = length.and_then(|length| text.split_at_checked(length))
        && (next.is_empty() || begins_with_head(next))
    {
        return (body, next);
    }
    if head.is_interim() {
        return (b"", text);
    }
    let next = from_next_head(text);
    text.split_at(text.len() - next.len())
}

fn begins_with_head(text: &[u8]) -> bool {
    status(line_of(text).0).is_some()
}

/// From the next line on that is a status line; empty if there is none.
fn from_next_head(mut text: &[u8]) -> &[u8] {
    while !text.is_empty() && !begins_with_head(text) {
        text = line_of(text).1;
    }
    text
}
