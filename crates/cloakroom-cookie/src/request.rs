//! Cookies that came: the `Cookie` header of a request.

use std::fmt;
use std::iter::FusedIterator;

/// The octets of `Cookie` headers that [`values_of`] reads in one request: 64 KiB.
///
/// Browsers have no limit of their own (twelve large cookies were seen to arrive as one header of
/// 47 KB, and a site may hold 180 cookies), while everybody who may set a cookie for a parent domain
/// decides how much every later request costs. 64 KiB lets through what honest browsers send and
/// bounds the rest.
pub const COOKIE_HEADER_READ: usize = 64 * 1024;

/// A cookie as it came in a request: a name and a value, both as raw octets.
///
/// A browser sends no attributes back, so none can be asked for here, and anybody may have written
/// either part: neither needs to be UTF-8 or to follow the grammar. `Debug` leaves the value out,
/// because it may be a session token.
///
/// ```
/// let pair = cloakroom_cookie::pairs(b"id=\"7\"").next().unwrap();
/// assert_eq!(pair.name(), b"id");
/// assert_eq!(pair.value(), b"\"7\"");
/// assert_eq!(format!("{pair:?}"), "Pair { name: \"id\", value: <redacted> }");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pair<'h> {
    name: &'h [u8],
    value: &'h [u8],
}

impl<'h> Pair<'h> {
    /// The name: never empty, case-sensitive, without blanks around it.
    pub const fn name(&self) -> &'h [u8] {
        self.name
    }

    /// The value: possibly empty, without blanks around it, with its quotes if it has any.
    ///
    /// Quotes are part of the value (RFC 6265bis section 4.1.1).
    pub const fn value(&self) -> &'h [u8] {
        self.value
    }

    fn parse(part: &'h [u8]) -> Option<Self> {
        let (name, value) = split_at_octet(part, b'=')?;
        let name = trim_blanks(name);
        (!name.is_empty()).then(|| Self { name, value: trim_blanks(value) })
    }
}

impl fmt::Debug for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("name", &format_args!("\"{}\"", self.name.escape_ascii()))
            .field("value", &format_args!("<redacted>"))
            .finish()
    }
}

/// Splits one `Cookie` header value into its pairs, in the order in which they were sent.
///
/// It never fails and never allocates. A part without `=` or with nothing before it is skipped alone,
/// so that a broken cookie of another application hides none of its neighbours. Blanks (space and
/// tab) around names and values are dropped; the first `=` ends the name; nothing is decoded, and
/// nothing is refused for its octets ([`is_cookie_octets`] judges them). A name that was sent twice
/// comes twice: which of them counts is for the caller to decide, since the order carries no meaning
/// (RFC 6265bis section 4.2.2).
///
/// ```
/// let header = b"a=1; broken; =nameless; a=2=3; b=";
/// let pairs: Vec<_> = cloakroom_cookie::pairs(header).map(|p| (p.name(), p.value())).collect();
/// assert_eq!(pairs, [(&b"a"[..], &b"1"[..]), (b"a", b"2=3"), (b"b", b"")]);
/// ```
pub fn pairs(header: &[u8]) -> impl Clone + FusedIterator<Item = Pair<'_>> {
    Parts { rest: Some(header) }.filter_map(Pair::parse)
}

/// The values of every cookie called `name`, over all `Cookie` headers of one request.
///
/// HTTP/2 and HTTP/3 may split the header into several; pass all of them, in their order. Names
/// compare case-sensitively. At most [`COOKIE_HEADER_READ`] octets are read: a pair that does not end
/// within them is not seen at all, because its beginning is a value that nobody sent.
///
/// ```
/// let headers: [&[u8]; 2] = [b"id=1; ID=2", b"id=3"];
/// let ids: Vec<&[u8]> = cloakroom_cookie::values_of(headers, "id").collect();
/// assert_eq!(ids, [b"1", b"3"]);
/// ```
pub fn values_of<'h>(
    headers: impl IntoIterator<Item = &'h [u8]>,
    name: &str,
) -> impl Iterator<Item = &'h [u8]> {
    headers
        .into_iter()
        .scan(COOKIE_HEADER_READ, |budget, header| readable(header, budget))
        .flat_map(pairs)
        .filter(|pair| pair.name == name.as_bytes())
        .map(|pair| pair.value)
}

/// Whether every octet may stand in a cookie value that a server writes.
///
/// These are the visible ASCII characters without `"`, `,`, `;` and `\` (`cookie-octet` in RFC 6265bis
/// section 4.1.1). Empty input qualifies; a quoted value does not.
///
/// ```
/// assert!(cloakroom_cookie::is_cookie_octets(b"dGlja2V0-_="));
/// assert!(!cloakroom_cookie::is_cookie_octets(b"two words"));
/// ```
pub fn is_cookie_octets(value: &[u8]) -> bool {
    value.iter().copied().all(is_cookie_octet)
}

pub(crate) const fn is_cookie_octet(octet: u8) -> bool {
    octet.is_ascii_graphic() && !matches!(octet, b'"' | b',' | b';' | b'\\')
}

/// What of `header` lies within the budget; `None` once the budget is used up.
fn readable<'h>(header: &'h [u8], budget: &mut usize) -> Option<&'h [u8]> {
    if *budget == 0 {
        return None;
    }
    match header.split_at_checked(*budget) {
        Some((within, beyond)) if !beyond.is_empty() => {
            *budget = 0;
            let end = within.iter().rposition(|&octet| octet == b';').unwrap_or(0);
            within.get(..end)
        }
        Some(_) | None => {
            *budget = budget.saturating_sub(header.len());
            Some(header)
        }
    }
}

/// The stretches of a header between its semicolons.
#[derive(Clone)]
struct Parts<'h> {
    rest: Option<&'h [u8]>,
}

impl<'h> Iterator for Parts<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        let rest = self.rest?;
        let (part, rest) = match split_at_octet(rest, b';') {
            Some((part, rest)) => (part, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        Some(part)
    }
}

impl FusedIterator for Parts<'_> {}

pub(crate) fn split_at_octet(bytes: &[u8], octet: u8) -> Option<(&[u8], &[u8])> {
    let at = position_of(octet, bytes)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// The first position of an octet, eight octets at a time.
///
/// In a word without the octet every byte of `word ^ pattern` is non-zero, and subtracting one from
/// each byte borrows from no high bit that was clear. The lowest high bit that does appear belongs to
/// the first match; only bits above it can be false.
fn position_of(octet: u8, bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let differing = u64::from_le_bytes(*word) ^ (ONES * u64::from(octet));
        let equal = differing.wrapping_sub(ONES) & !differing & HIGHS;
        if equal != 0 {
            return Some(index * 8 + equal.trailing_zeros() as usize / 8);
        }
    }
    let within = tail.iter().position(|&b| b == octet)?;
    Some(bytes.len() - tail.len() + within)
}

pub(crate) fn trim_blanks(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
