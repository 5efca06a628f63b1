//! What may be printed of a secret.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use url::Url;

/// From this length on, the first characters of a value are shown: 16.
///
/// Four of sixteen characters leave a token as unguessable as it was; of six they would leave nothing.
pub const SHOWN_FROM: usize = 16;
const SHOWN: usize = 4;
/// Octets of the digest that are shown: enough to see that two values are the same one.
const DIGEST_SHOWN: usize = 4;

/// Words in the name of a parameter whose value is a secret at any length.
const SECRET_PARAMETERS: [&str; 12] = [
    "token", "sess", "sid", "auth", "passw", "pwd", "secret", "key", "code", "jwt", "ticket", "sig",
];

/// A value as reports show it: where it begins, how long it is, and a digest to compare by.
///
/// Short values are not shown at all, nor digested: trying all of them would undo a digest.
///
/// ```
/// use cloakroom_audit::masked;
///
/// assert_eq!(masked(b"secret"), "*** (6 octets)");
/// assert_eq!(masked(b"0123456789abcdef0123"), "0123*** (20 octets, sha256 1bd8fd47)");
/// ```
pub fn masked(value: &[u8]) -> String {
    let length = value.len();
    if length < SHOWN_FROM {
        return if length == 0 { String::new() } else { format!("*** ({length} octets)") };
    }
    let begin: String = value.iter().take(SHOWN).map(|octet| printable(*octet)).collect();
    format!("{begin}*** ({length} octets, sha256 {})", short_digest(value))
}

/// The first octets of a digest in hexadecimal.
pub(crate) fn short_digest(value: &[u8]) -> String {
    hex(Sha256::digest(value).get(..DIGEST_SHOWN).unwrap_or_default())
}

pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

fn printable(octet: u8) -> char {
    if octet.is_ascii_graphic() { char::from(octet) } else { '.' }
}

/// Text of a server on one line: what is not printable ASCII becomes a dot, what is long is cut.
pub(crate) fn printable_line(text: &[u8], longest: usize) -> String {
    let shown = text.iter().take(longest);
    let line: String =
        shown.map(|octet| if *octet == b' ' { ' ' } else { printable(*octet) }).collect();
    if text.len() > longest { format!("{line}...") } else { line }
}

/// A `Set-Cookie` line with its value masked.
///
/// ```
/// use cloakroom_audit::masked_line;
///
/// assert_eq!(masked_line(b"id=secret; Path=/"), "id=*** (6 octets); Path=/");
/// ```
pub fn masked_line(line: &[u8]) -> String {
    let end = line.iter().position(|octet| *octet == b';').unwrap_or(line.len());
    let (pair, attributes) = line.split_at(end);
    let attributes: Vec<String> =
        attributes.split(|octet| *octet == b';').map(shown_attribute).collect();
    let attributes = printable_line(attributes.join(";").as_bytes(), LINE_SHOWN);
    match pair.iter().position(|octet| *octet == b'=') {
        Some(equals) => {
            let (name, value) = pair.split_at(equals);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            format!("{}={}{attributes}", printable_line(name, LINE_SHOWN), masked(value))
        }
        None => format!("{}{attributes}", masked(pair)),
    }
}

/// Attributes whose values say nothing about anybody.
const PUBLIC_ATTRIBUTES: [&str; 6] =
    ["expires", "max-age", "domain", "samesite", "priority", "partitioned"];

/// An attribute of a line. Whatever is not known as one may be a value that stands in the wrong place.
fn shown_attribute(attribute: &[u8]) -> String {
    let text = String::from_utf8_lossy(attribute);
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.trim())),
        None => (text.as_ref(), None),
    };
    let known = name.trim().to_ascii_lowercase();
    match value {
        None => shown_word(name),
        Some(_) if PUBLIC_ATTRIBUTES.contains(&known.as_str()) => text.into_owned(),
        Some(path) if known == "path" => {
            let segments: Vec<String> = path.split('/').map(shown_segment).collect();
            format!("{name}={}", segments.join("/"))
        }
        Some(value) => format!("{}={}", shown_word(name), masked(value.as_bytes())),
    }
}

/// Longer pieces of a server's text are cut in reports.
const LINE_SHOWN: usize = 300;

/// An address as reports show it: credentials gone, values masked that are secrets or look like ones.
///
/// ```
/// use cloakroom_audit::shown_url;
///
/// assert_eq!(
///     shown_url("https://a.example/p;jsessionid=0123456789ABCDEF?page=2&token=x"),
///     "https://a.example/p;jsessionid=***?page=2&token=***",
/// );
/// ```
pub fn shown_url(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return "(no address)".to_owned() };
    let _ = parsed.set_password(None);
    let _ = parsed.set_username("");
    let path: Vec<String> = parsed.path().split('/').map(shown_segment).collect();
    let query = parsed.query().map(shown_query);
    let fragment = parsed.fragment().map(shown_query);
    let origin = parsed.origin().ascii_serialization();
    let mut shown = format!("{origin}{}", path.join("/"));
    for (mark, text) in [('?', query), ('#', fragment)] {
        if let Some(text) = text {
            shown.push(mark);
            shown.push_str(&text);
        }
    }
    shown
}

/// A segment keeps its name; its matrix parameters are masked like those of a query.
fn shown_segment(segment: &str) -> String {
    match segment.split_once(';') {
        Some((name, parameters)) => format!("{};{}", shown_word(name), shown_query(parameters)),
        None => shown_word(segment),
    }
}

fn shown_word(word: &str) -> String {
    if looks_secret(word.trim()) { "***".to_owned() } else { word.to_owned() }
}

fn shown_query(query: &str) -> String {
    let parts =
        query.split('&').map(|part| match part.split_once('=') {
            Some((name, value)) if is_secret_name(name) || looks_secret(value) => {
                if value.is_empty() { format!("{name}=") } else { format!("{name}=***") }
            }
            Some((name, value)) => format!("{name}={value}"),
            None => shown_word(part),
        });
    parts.collect::<Vec<_>>().join("&")
}

/// Whether a parameter of this name holds a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_PARAMETERS.iter().any(|word| name.contains(word))
}

/// Whether a text may be a token: long, of token characters, and not words.
pub(crate) fn looks_secret(text: &str) -> bool {
    let of_a_token =
        |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'%');
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let upper = text.bytes().skip(1).filter(u8::is_ascii_uppercase).count();
    text.len() >= SHOWN_FROM && text.bytes().all(of_a_token) && (digits >= 3 || upper >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_in_part_only_when_it_is_long_enough() {
        let short = masked(b"0123456789abcde");
        let long = masked(b"0123456789abcdef");

        assert_eq!(short, "*** (15 octets)");
        assert!(long.starts_with("0123*** (16 octets, sha256 "), "{long}");
    }

    #[test]
    fn no_part_of_an_address_gives_a_token_away() {
        let token = "q8Zr31LkP0vTn5Yx";
        for address in [
            format!("https://user:{token}@a.example/"),
            format!("https://a.example/?s={token}"),
            format!("https://a.example/?{token}"),
            format!("https://a.example/reset/{token}"),
            format!("https://a.example/x;s={token}"),
            format!("https://a.example/#access={token}"),
            "https://a.example/?password=hunter2".to_owned(),
        ] {
            let shown = shown_url(&address);

            assert!(!shown.contains(token) && !shown.contains("hunter2"), "{address}: {shown}");
        }
    }

    #[test]
    fn words_of_an_address_stay_readable() {
        let address = "https://a.example/articles/how-to-bake-sourdough-bread?page=2&sort=price";

        assert_eq!(shown_url(address), address);
    }

    #[test]
    fn a_value_that_stands_where_an_attribute_should_is_masked() {
        let token = "q8Zr31LkP0vTn5YxBm2Wgk";
        for line in [
            format!("a=1; note={token}; Path=/"),
            format!("a=1; {token}"),
            format!("a=1; {token}=1"),
            format!("a=1; Path=/reset/{token}/x"),
            "a=1; secret=short".to_owned(),
        ] {
            let shown = masked_line(line.as_bytes());

            assert!(!shown.contains(&token[4..]) && !shown.contains("short"), "{line}: {shown}");
        }
        let usual = "a=; Path=/cart; Domain=shop.example; Max-Age=60; Secure; SameSite=Lax";
        assert_eq!(masked_line(usual.as_bytes()), usual);
    }

    #[test]
    fn a_line_without_a_name_is_masked_whole() {
        assert_eq!(masked_line(b"secretsecretsecret; Path=/").split("***").next(), Some("secr"));
    }
}
