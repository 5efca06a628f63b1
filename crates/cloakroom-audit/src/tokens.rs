//! What a value gives away: how many there could be at most, and whether it is data in disguise.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

mod readable;

pub(crate) use readable::readable;

/// A value of fewer octets is no token: 12 characters of hexadecimal hold 48 bits.
const TOKEN_SHORTEST: usize = 12;
/// No more of a value is decoded: a cookie has 4096 octets at most.
const DECODED_MOST: usize = 8192;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// Whether a value looks as if it had been drawn at random.
pub(crate) fn is_token_like(value: &[u8]) -> bool {
    let of_a_token = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.~+/=%|:".contains(octet);
    let digits = value.iter().filter(|octet| octet.is_ascii_digit()).count();
    let upper = value.iter().filter(|octet| octet.is_ascii_uppercase()).count();
    value.len() >= TOKEN_SHORTEST && value.iter().all(of_a_token) && digits + upper >= 3
}

/// The characters that a value seems to be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alphabet {
    pub(crate) name: &'static str,
    pub(crate) size: u16,
}

/// The smallest usual alphabet that has all of these octets.
pub(crate) fn alphabet_of<'v>(values: impl IntoIterator<Item = &'v [u8]>) -> Alphabet {
    let mut octets: Vec<u8> = values.into_iter().flatten().copied().collect();
    octets.sort_unstable();
    octets.dedup();
    let all = |belongs: fn(&u8) -> bool| octets.iter().all(belongs);
    let (name, size) = if all(|octet| octet.is_ascii_digit()) {
        ("decimal digits", 10)
    } else if all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
        || all(|octet| matches!(octet, b'0'..=b'9' | b'A'..=b'F'))
    {
        ("hexadecimal", 16)
    } else if all(u8::is_ascii_lowercase) || all(u8::is_ascii_uppercase) {
        ("letters of one case", 26)
    } else if all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit())
        || all(|octet| octet.is_ascii_uppercase() || octet.is_ascii_digit())
    {
        ("letters of one case and digits", 36)
    } else if all(|octet| octet.is_ascii_alphanumeric() || b"-_+/=".contains(octet)) {
        ("base64", 64)
    } else {
        ("printable characters", 94)
    };
    Alphabet { name, size }
}

/// An upper bound of the bits in a value: no value of its form can have more.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bound {
    pub(crate) bits: f64,
    pub(crate) form: String,
}

/// The bound of a value by its length and alphabet, or by its form where that is known.
pub(crate) fn bound_of(value: &[u8], alphabet: Alphabet) -> Bound {
    if let Some(version) = uuid_version(value) {
        let bits = if version == '4' { 122.0 } else { 62.0 };
        return Bound { bits, form: format!("a UUID of version {version}") };
    }
    let padding = value.iter().rev().take_while(|octet| **octet == b'=').count();
    let length = value.len() - padding;
    let bits =
        f64::from(u32::try_from(length).unwrap_or(u32::MAX)) * f64::from(alphabet.size).log2();
    Bound { bits, form: format!("{length} characters of {} ({})", alphabet.name, alphabet.size) }
}

/// The version of a UUID in its usual form.
pub(crate) fn uuid_version(value: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(value).ok()?;
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let is_hex = groups.iter().all(|group| group.bytes().all(|octet| octet.is_ascii_hexdigit()));
    (lengths == [8, 4, 4, 4, 12] && is_hex).then_some(())?;
    groups.get(2)?.chars().next()
}

/// With `%xx` undone and without the quotes around it; `None` for what is no text or too long.
pub(crate) fn unescaped(value: &[u8]) -> Option<String> {
    if value.len() > DECODED_MOST {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?.trim_matches('"');
    let escaped = text.replace('+', "%2B");
    let undone = url::form_urlencoded::parse(escaped.as_bytes()).next();
    let text = undone.map_or_else(
        || text.to_owned(),
        |(name, rest)| {
            if rest.is_empty() && !text.contains('=') {
                name.into_owned()
            } else {
                format!("{name}={rest}")
            }
        },
    );
    Some(text)
}

/// Base64 in either alphabet, with padding or without.
pub(crate) fn decoded(part: &str) -> Option<Vec<u8>> {
    URL_SAFE
        .decode(part)
        .or_else(|_| STANDARD.decode(part))
        .ok()
        .filter(|octets| !octets.is_empty())
}

/// Standard base64 without its padding.
pub(crate) fn encoded_standard(octets: &[u8]) -> String {
    STANDARD.encode(octets).trim_end_matches('=').to_owned()
}

#[cfg(test)]
#[path = "tokens/tests.rs"]
mod tests;
