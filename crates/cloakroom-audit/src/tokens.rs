//! What a value gives away: how many there could be at most, and whether it is data in disguise.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

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

/// What can be read in a value that ought to be opaque.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Readable {
    /// How it is packed.
    pub(crate) form: &'static str,
    /// Names of what is inside; never its values.
    pub(crate) names: Vec<String>,
}

/// Takes a value out of its wrapping, as far as anybody can without a key.
pub(crate) fn readable(value: &[u8]) -> Option<Readable> {
    let text = unescaped(value)?;
    jwt(&text).or_else(|| bare_json(&text)).or_else(|| packed(&text)).or_else(|| plain(&text))
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

fn jwt(text: &str) -> Option<Readable> {
    let [header, claims, _] = text.split('.').collect::<Vec<_>>().try_into().ok()?;
    let header = json_of(header)?;
    header.get("alg")?;
    Some(Readable { form: "a JSON web token", names: names_of(&json_of(claims)?) })
}

fn bare_json(text: &str) -> Option<Readable> {
    let value: Value = serde_json::from_str(text).ok()?;
    let is_data = value.is_object() || value.is_array();
    is_data.then(|| Readable { form: "JSON", names: names_of(&value) })
}

/// Something that a signature may follow, in base64.
fn packed(text: &str) -> Option<Readable> {
    let first = text.split(['.', '|', ':']).find(|part| !part.is_empty())?;
    let first = first.split("--").next()?;
    [first, text].into_iter().find_map(|part| {
        let octets = decoded(part)?;
        if let Some(value) = json_in(&octets) {
            return Some(Readable { form: "JSON in base64", names: names_of(&value) });
        }
        serialised(&octets).map(|form| Readable { form, names: Vec::new() })
    })
}

/// A JSON object or array.
fn json_in(octets: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(octets).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

/// Objects that a program wrote down, by the octets they begin with.
fn serialised(octets: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 6] = [
        (&[0xac, 0xed, 0x00, 0x05], "a serialised Java object"),
        (&[0x80, 0x04, 0x95], "a pickled Python object"),
        (&[0x80, 0x05, 0x95], "a pickled Python object"),
        (&[0x04, 0x08, b'{'], "a marshalled Ruby object"),
        (b"a:", "a serialised PHP array"),
        (b"O:", "a serialised PHP object"),
    ];
    let php = |begin: &[u8]| !begin.ends_with(b":") || octets.contains(&b'{');
    known
        .into_iter()
        .find(|(begin, _)| octets.starts_with(begin) && php(begin))
        .map(|(_, form)| form)
}

/// An address of mail, or fields one after another.
fn plain(text: &str) -> Option<Readable> {
    if let Some((before, after)) = text.split_once('@')
        && !before.is_empty()
        && after.contains('.')
        && !text.contains(['/', ' '])
    {
        return Some(Readable { form: "an address of mail", names: Vec::new() });
    }
    let php = serialised(text.as_bytes()).map(|form| Readable { form, names: Vec::new() });
    php.or_else(|| {
        // `7|0a1b..`: a user's number in front of a signature.
        let (before, after) = text.split_once('|')?;
        let number = !before.is_empty()
            && before.len() < 12
            && before.bytes().all(|octet| octet.is_ascii_digit());
        (number && after.len() >= 32)
            .then(|| Readable { form: "a number and a signature", names: Vec::new() })
    })
}

fn json_of(part: &str) -> Option<Value> {
    json_in(&decoded(part)?)
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

fn names_of(value: &Value) -> Vec<String> {
    let Some(object) = value.as_object() else { return Vec::new() };
    object.keys().take(12).map(|name| crate::mask::printable_line(name.as_bytes(), 40)).collect()
}

#[cfg(test)]
#[path = "tokens/tests.rs"]
mod tests;
