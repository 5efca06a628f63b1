//! Data in the disguise of a token.

use super::{decoded, is_token_like, unescaped};
use serde_json::Value;

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
    if let Some(inside) = of_tornado(&text) {
        return readable(&inside);
    }
    jwt(&text).or_else(|| bare_json(&text)).or_else(|| packed(&text)).or_else(|| plain(&text))
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
        let form = serialised(&octets).or_else(|| compressed(text, &octets))?;
        Some(Readable { form, names: Vec::new() })
    })
}

/// Data that was made smaller, which takes no key to undo: with the dot in front of it by which Flask and
/// Django know it, or as a gzip file.
fn compressed(text: &str, octets: &[u8]) -> Option<&'static str> {
    let zlib = text.starts_with('.') && matches!(octets, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..]);
    let gzip = octets.starts_with(&[0x1f, 0x8b, 0x08]);
    (zlib || gzip).then_some("compressed data in base64")
}

/// What the secure cookies of Tornado hold: `2|1:0|10:time|4:name|8:base64|signature`. Its numbers are
/// lengths and a version, and what counts is in the fifth part.
fn of_tornado(text: &str) -> Option<Vec<u8>> {
    let parts: Vec<&str> = text.split('|').collect();
    let ["2", _, _, _, value, _] = parts.as_slice() else { return None };
    let (length, value) = value.split_once(':')?;
    (length.parse() == Ok(value.len())).then(|| decoded(value)).flatten()
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
    php.or_else(|| Some(Readable { form: signed(text)?, names: Vec::new() }))
}

/// `7|0a1b..` or `ada|1790000000|0a1b..`: a user in front of a signature.
fn signed(text: &str) -> Option<&'static str> {
    let (before, after) = text.split_once('|')?;
    let is_number = !before.is_empty() && before.bytes().all(|octet| octet.is_ascii_digit());
    if is_number && before.len() < 12 && after.len() >= 32 {
        return Some("a number and a signature");
    }
    let last = after.rsplit('|').next()?;
    let is_digest = last.len() >= 32 && last.bytes().all(|octet| octet.is_ascii_hexdigit());
    let is_name = !before.is_empty() && before.len() < 64 && !is_token_like(before.as_bytes());
    (is_digest && is_name).then_some("a name and a signature")
}

fn json_of(part: &str) -> Option<Value> {
    json_in(&decoded(part)?)
}

fn names_of(value: &Value) -> Vec<String> {
    let Some(object) = value.as_object() else { return Vec::new() };
    object.keys().take(12).map(|name| crate::mask::printable_line(name.as_bytes(), 40)).collect()
}
