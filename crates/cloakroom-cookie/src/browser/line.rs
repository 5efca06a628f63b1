//! A `Set-Cookie` line, taken apart (RFC 6265bis section 5.6).

use super::family::Traits;
use super::reason::Reason;
use super::stored::Priority;
use crate::request::{split_at_octet, trim_blanks};
use crate::{ATTRIBUTE_VALUE_MAX, NAME_AND_VALUE_MAX, SameSite};

/// What a line says, before anybody asks where it came from.
#[derive(Debug, Default)]
pub(super) struct Line<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    pub(super) max_age: Option<i64>,
    pub(super) expires: Option<i64>,
    /// Without its leading dot; empty like an absent one.
    pub(super) domain: &'a [u8],
    /// `Domain` as it stands there.
    pub(super) domain_text: &'a [u8],
    /// The last `Path`; inside it `None` for one that is not absolute.
    pub(super) path: Option<Option<&'a [u8]>>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
    pub(super) partitioned: bool,
    pub(super) priority: Priority,
    /// What was read otherwise than it stands there.
    pub(super) notes: Vec<Reason>,
}

impl<'a> Line<'a> {
    /// Takes a line apart, or says why it is none.
    pub(super) fn read(line: &'a [u8], traits: &Traits) -> Result<Self, Reason> {
        if line.iter().any(|&octet| octet != b'\t' && octet.is_ascii_control()) {
            return Err(Reason::ControlCharacter);
        }
        let mut parts = line.split(|&octet| octet == b';');
        // The first part of a line, even of an empty one, is always there.
        let pair = parts.next().unwrap_or_default();
        let (name, value) = split_at_octet(pair, b'=').unwrap_or((b"", pair));
        let mut read =
            Self { name: trim_blanks(name), value: trim_blanks(value), ..Self::default() };
        if traits.refuses_tab && has_inner_tab(line) {
            return Err(Reason::ControlCharacter);
        }
        if read.name.len() + read.value.len() > NAME_AND_VALUE_MAX {
            return Err(Reason::NameAndValueTooLong);
        }
        if read.name.is_empty() && read.value.is_empty() {
            return Err(Reason::NothingToStore);
        }
        let mut seen = Vec::new();
        for part in parts {
            read.attribute(part, traits, &mut seen);
        }
        let path = read.path.flatten().unwrap_or_default();
        if traits.refuses_tab_in_path && path.contains(&b'\t') {
            return Err(Reason::ControlCharacter);
        }
        if read.max_age.is_some() && read.expires.is_some() {
            read.note(Reason::ExpiresOverruled);
        }
        Ok(read)
    }

    fn attribute(&mut self, part: &'a [u8], traits: &Traits, seen: &mut Vec<Attribute>) {
        let (name, value) = split_at_octet(part, b'=').unwrap_or((part, b""));
        let (name, value) = (trim_blanks(name), trim_blanks(value));
        if name.is_empty() && value.is_empty() {
            return;
        }
        if value.len() > ATTRIBUTE_VALUE_MAX {
            return self.note(Reason::AttributeTooLong);
        }
        let Some(attribute) = Attribute::of(name, traits) else {
            return self.note(Reason::AttributeUnknown);
        };
        if seen.contains(&attribute) {
            self.note(Reason::AttributeRepeated);
        }
        seen.push(attribute);
        self.take(attribute, value, traits);
    }

    fn take(&mut self, attribute: Attribute, value: &'a [u8], traits: &Traits) {
        match attribute {
            Attribute::Expires => {
                let read = (traits.date)(value);
                self.expires = self.latest(self.expires, read, Reason::ExpiresUnreadable, traits);
            }
            Attribute::MaxAge => {
                let read = seconds(value, traits);
                self.max_age = self.latest(self.max_age, read, Reason::MaxAgeUnreadable, traits);
            }
            Attribute::Domain => self.take_domain(value),
            Attribute::Path => {
                let absolute = value.starts_with(b"/");
                self.path = Some(absolute.then_some(value));
                if !absolute {
                    self.note(Reason::PathNotAbsolute);
                }
            }
            Attribute::Secure => self.secure = true,
            Attribute::HttpOnly => self.http_only = true,
            Attribute::SameSite => {
                self.same_site = same_site(value);
                if self.same_site.is_none() {
                    self.note(Reason::SameSiteUnknown);
                }
            }
            Attribute::Partitioned => self.partitioned = true,
            Attribute::Priority => self.priority = priority(value),
        }
    }

    fn take_domain(&mut self, value: &'a [u8]) {
        self.domain_text = value;
        let (dot, domain) = match value {
            [b'.', domain @ ..] => (true, domain),
            domain => (false, domain),
        };
        self.domain = domain;
        if domain.is_empty() {
            self.note(Reason::DomainEmpty);
        } else if dot {
            self.note(Reason::DomainLeadingDot);
        }
    }

    /// What counts after one more attribute of a kind whose values may be unreadable.
    fn latest(
        &mut self,
        before: Option<i64>,
        read: Option<i64>,
        unreadable: Reason,
        traits: &Traits,
    ) -> Option<i64> {
        if read.is_none() {
            self.note(unreadable);
        }
        if traits.last_hides { read } else { read.or(before) }
    }

    fn note(&mut self, reason: Reason) {
        if !self.notes.contains(&reason) {
            self.notes.push(reason);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    Expires,
    MaxAge,
    Domain,
    Path,
    Secure,
    HttpOnly,
    SameSite,
    Partitioned,
    Priority,
}

impl Attribute {
    fn of(name: &[u8], traits: &Traits) -> Option<Self> {
        let known: [(&[u8], Self); 9] = [
            (b"expires", Self::Expires),
            (b"max-age", Self::MaxAge),
            (b"domain", Self::Domain),
            (b"path", Self::Path),
            (b"secure", Self::Secure),
            (b"httponly", Self::HttpOnly),
            (b"samesite", Self::SameSite),
            (b"partitioned", Self::Partitioned),
            (b"priority", Self::Priority),
        ];
        let found = known.into_iter().find(|(text, _)| name.eq_ignore_ascii_case(text));
        let attribute = found.map(|(_, attribute)| attribute)?;
        (attribute != Self::Priority || traits.priorities).then_some(attribute)
    }
}

/// Whether a TAB stands anywhere but around a name or a value.
fn has_inner_tab(line: &[u8]) -> bool {
    let pieces =
        line.split(|&octet| octet == b';').flat_map(|part| match split_at_octet(part, b'=') {
            Some((name, value)) => [name, value],
            None => [part, b""],
        });
    pieces.map(trim_blanks).any(|piece| piece.contains(&b'\t'))
}

/// `Max-Age` (RFC 6265bis section 5.6.2). A number beyond 64 bits is as large as one can be.
fn seconds(value: &[u8], traits: &Traits) -> Option<i64> {
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] if traits.reads_plus => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0_i64, |number, digit| {
        number.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    Some(if negative { -number } else { number })
}

fn same_site(value: &[u8]) -> Option<SameSite> {
    [SameSite::Strict, SameSite::Lax, SameSite::None]
        .into_iter()
        .find(|known| value.eq_ignore_ascii_case(known.as_str().as_bytes()))
}

fn priority(value: &[u8]) -> Priority {
    let known = Priority::ALL.into_iter();
    let mut found = known.filter(|known| value.eq_ignore_ascii_case(known.as_str().as_bytes()));
    found.next().unwrap_or_default()
}
