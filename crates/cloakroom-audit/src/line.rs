//! A `Set-Cookie` line as the rules look at it: what stands there, not what a browser makes of it.

use crate::exchange::Exchange;
use crate::role::Role;
use cloakroom_cookie::browser::{Address, Browser, Reason, cookie_date};

/// One attribute as it was written.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// In lower case.
    pub(crate) name: String,
    /// Without the blanks around it; `None` without `=`.
    pub(crate) value: Option<Vec<u8>>,
}

/// A line, and where it was seen.
#[derive(Clone)]
pub(crate) struct Line {
    /// The index of its exchange.
    pub(crate) exchange: usize,
    pub(crate) raw: Vec<u8>,
    /// `None` where there is no `=` before the first `;`.
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) value: Vec<u8>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) role: Role,
    /// Whether it takes a cookie away instead of setting one.
    pub(crate) deletes: bool,
    /// Seconds that it asks for; `None` for a browser session.
    pub(crate) lifetime: Option<u64>,
}

impl Line {
    pub(crate) fn read(exchange: usize, raw: &[u8], at: u64) -> Self {
        let mut parts = raw.split(|octet| *octet == b';');
        let pair = parts.next().unwrap_or_default();
        let (name, value) = match pair.iter().position(|octet| *octet == b'=') {
            Some(equals) => {
                let (name, value) = pair.split_at(equals);
                (Some(name.trim_ascii().to_vec()), value.get(1..).unwrap_or_default())
            }
            None => (None, pair),
        };
        let mut line = Self {
            exchange,
            raw: raw.to_vec(),
            name,
            value: value.trim_ascii().to_vec(),
            attributes: parts.filter_map(attribute).collect(),
            role: Role::Other,
            deletes: false,
            lifetime: None,
        };
        let left = line.seconds_left(at);
        line.deletes = left.is_some_and(|seconds| seconds <= 0);
        line.lifetime = left.and_then(|seconds| u64::try_from(seconds).ok());
        line
    }

    /// The name for reports.
    pub(crate) fn shown_name(&self) -> String {
        match &self.name {
            Some(name) if !name.is_empty() => crate::mask::printable_line(name, 80),
            Some(_) | None => "(no name)".to_owned(),
        }
    }

    /// The name as text, empty where there is none.
    pub(crate) fn name_text(&self) -> String {
        String::from_utf8_lossy(self.name.as_deref().unwrap_or_default()).into_owned()
    }

    pub(crate) fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|found| found.name == attribute)
    }

    /// The last value of an attribute: the one that counts.
    pub(crate) fn value_of(&self, attribute: &str) -> Option<&[u8]> {
        let mut found = self.attributes.iter().rev().filter(|found| found.name == attribute);
        found.next().map(|found| found.value.as_deref().unwrap_or_default())
    }

    pub(crate) fn text_of(&self, attribute: &str) -> Option<String> {
        self.value_of(attribute).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    pub(crate) fn same_site_is(&self, wanted: &str) -> bool {
        self.value_of("samesite").is_some_and(|value| value.eq_ignore_ascii_case(wanted.as_bytes()))
    }

    /// `Max-Age` if it is a number.
    pub(crate) fn max_age(&self) -> Option<i64> {
        std::str::from_utf8(self.value_of("max-age")?).ok()?.parse().ok()
    }

    /// `Expires` if it is a date, in seconds since the Unix epoch.
    pub(crate) fn expires(&self) -> Option<i64> {
        cookie_date(self.value_of("expires")?)
    }

    fn seconds_left(&self, at: u64) -> Option<i64> {
        let at = i64::try_from(at).unwrap_or(i64::MAX);
        self.max_age().or_else(|| self.expires().map(|end| end.saturating_sub(at)))
    }

    /// Why the standard's browser would refuse it or change it if it came over TLS: what is said
    /// about the transport has a rule of its own.
    pub(crate) fn reasons_over_tls(&self, exchange: &Exchange) -> Vec<Reason> {
        let secure = exchange.url().replacen("http://", "https://", 1);
        let address = Address::parse(&secure).unwrap_or_else(|_| exchange.address().clone());
        Browser::standard().judge(&self.raw, &address, exchange.at()).reasons().to_vec()
    }
}

fn attribute(part: &[u8]) -> Option<Attribute> {
    let (name, value) = match part.iter().position(|octet| *octet == b'=') {
        Some(equals) => {
            let (name, value) = part.split_at(equals);
            (name, Some(value.get(1..).unwrap_or_default().trim_ascii().to_vec()))
        }
        None => (part, None),
    };
    let name = String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase();
    (!name.is_empty() || value.is_some()).then_some(Attribute { name, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_as_it_stands_there() {
        let line = Line::read(0, b" id = 7 ; Path=/;; HttpOnly; path=/a; Max-Age=60", 0);

        assert_eq!((line.shown_name().as_str(), line.value.as_slice()), ("id", b"7".as_slice()));
        assert_eq!(line.attributes.len(), 4);
        assert_eq!(line.text_of("path").as_deref(), Some("/a"));
        assert_eq!((line.lifetime, line.deletes), (Some(60), false));
    }

    #[test]
    fn a_line_that_is_over_deletes() {
        for raw in ["a=; Max-Age=0", "a=; Max-Age=-1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
        {
            assert!(Line::read(0, raw.as_bytes(), 1_790_000_000).deletes, "{raw}");
        }
        assert!(!Line::read(0, b"a=1", 1_790_000_000).deletes);
    }

    #[test]
    fn what_has_no_equals_sign_has_no_name() {
        let line = Line::read(0, b"secret; Path=/", 0);

        assert_eq!((line.name, line.value.as_slice()), (None, b"secret".as_slice()));
    }
}
