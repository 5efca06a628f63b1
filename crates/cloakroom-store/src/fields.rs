//! The data of a session: named fields, each a piece of JSON text.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::StoreError;
use crate::ops::{Op, Ops};

/// The longest field name in bytes.
pub const FIELD_NAME_MAX: usize = 64;

/// The longest value of one field, in bytes of JSON text: 16 KiB. More belongs in a table of the
/// application, with its id in the session.
pub const FIELD_MAX: usize = 16 * 1024;

/// The most data one session holds, in bytes of its JSON object: 64 KiB, so that loading a session
/// stays cheap and one client cannot fill a store.
pub const SESSION_MAX: usize = 64 * 1024;

/// The most fields one session holds.
pub const FIELDS_MAX: usize = 128;

/// The name of one field: 1 to [`FIELD_NAME_MAX`] ASCII letters, digits, `_`, `-` or `.`; names
/// that begin with `@` are the session system's own.
///
/// ```
/// use cloakroom_store::Field;
///
/// assert_eq!(Field::new("cart".to_owned()).unwrap(), Field::from_static("cart"));
/// assert!(Field::new("a \"quoted\" name").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(Cow<'static, str>);

impl Field {
    /// The field of this name.
    ///
    /// # Errors
    ///
    /// Refused if the name has another shape than the one described above.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self, StoreError> {
        let name = name.into();
        if is_field_name(&name) {
            Ok(Self(name))
        } else {
            Err(StoreError::refused(
                "a field name is 1 to 64 ASCII letters, digits, '_', '-' or '.'",
            ))
        }
    }

    /// The field of a name that is known when compiling.
    ///
    /// # Panics
    ///
    /// If the name has another shape than the one described above; in a constant this is a
    /// compile error.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        assert!(is_field_name(name), "a field name is 1 to 64 ASCII letters, digits, _ - or .");
        Self(Cow::Borrowed(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.0)
    }
}

#[allow(clippy::indexing_slicing, reason = "the bound is the loop's condition")]
const fn is_field_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > FIELD_NAME_MAX || bytes[0] == b'@' && bytes.len() == 1 {
        return false;
    }
    let mut at = if bytes[0] == b'@' { 1 } else { 0 };
    while at < bytes.len() {
        if !(bytes[at].is_ascii_alphanumeric() || matches!(bytes[at], b'_' | b'-' | b'.')) {
            return false;
        }
        at += 1;
    }
    true
}

/// All fields of a session: one JSON object, and where each value stands in it.
///
/// Values come back exactly as they were written, and reading one field parses one field. The
/// names are sorted, so equal fields have equal text.
///
/// ```
/// use cloakroom_store::{Field, Fields, Ops};
///
/// let mut ops = Ops::new();
/// ops.set(Field::from_static("theme"), &"dark").unwrap();
/// let fields = Fields::default().apply(&ops).unwrap();
/// assert_eq!(fields.get("theme"), Some("\"dark\""));
/// assert_eq!(fields.as_json(), r#"{"theme":"dark"}"#);
/// ```
#[derive(Clone)]
pub struct Fields {
    json: Box<str>,
    spans: Box<[Span]>,
}

#[derive(Clone)]
struct Span {
    name: Range<u32>,
    value: Range<u32>,
}

impl Fields {
    /// The JSON text of one value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.spans.binary_search_by(|span| self.slice(&span.name).cmp(name)).ok()?;
        self.spans.get(at).map(|span| self.slice(&span.value))
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spans.iter().map(|span| (self.slice(&span.name), self.slice(&span.value)))
    }

    /// The number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// All fields as one JSON object, for stores and operators.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.json
    }

    /// The fields of a JSON object, with each value's text kept to the letter.
    ///
    /// # Errors
    ///
    /// Corrupt if it is not a JSON object or a name is not a [`Field`] name. The limits are not
    /// judged: what was stored under larger ones stays readable.
    pub fn from_json(json: impl Into<Box<str>>) -> Result<Self, StoreError> {
        let json = json.into();
        let spans = spans_of(&json)
            .map_err(|error| StoreError::corrupt("stored fields are no object").because(error))?;
        let named = |span: &Span| json.get(as_usize(&span.name)).is_some_and(is_field_name);
        if !spans.iter().all(named) {
            return Err(StoreError::corrupt("a stored field has a name that no field can have"));
        }
        let fields = Self { json, spans: spans.into() };
        Ok(if fields.is_sorted() { fields } else { fields.rebuilt() })
    }

    /// These fields after `ops`.
    ///
    /// # Errors
    ///
    /// Refused if a value, the number of fields or the whole would pass [`FIELD_MAX`],
    /// [`FIELDS_MAX`] or [`SESSION_MAX`]; then nothing is changed.
    pub fn apply(&self, ops: &Ops) -> Result<Self, StoreError> {
        if ops.is_empty() {
            return Ok(self.clone());
        }
        let mut entries: Vec<(&str, &str)> = self.iter().collect();
        for op in ops.iter() {
            let found = entries.binary_search_by(|(name, _)| (*name).cmp(op.name()));
            match (found, op) {
                (Ok(at), Op::Set(name, value)) => {
                    if let Some(entry) = entries.get_mut(at) {
                        *entry = (name, value);
                    }
                }
                (Err(at), Op::Set(name, value)) => entries.insert(at, (name, value)),
                (Ok(at), Op::Unset(_)) => drop(entries.remove(at)),
                (Err(_), Op::Unset(_)) => {}
            }
        }
        refuse_oversize(&entries)?;
        let fields = Self::compose(&entries);
        if fields.json.len() > SESSION_MAX {
            return Err(StoreError::refused(format!(
                "the session's data would be {} bytes, more than {SESSION_MAX}",
                fields.json.len()
            )));
        }
        Ok(fields)
    }

    /// Only the fields for which `keep` says yes.
    #[must_use]
    pub fn retain(&self, keep: impl Fn(&str) -> bool) -> Self {
        let kept: Vec<_> = self.iter().filter(|(name, _)| keep(name)).collect();
        if kept.len() == self.len() { self.clone() } else { Self::compose(&kept) }
    }

    fn compose(entries: &[(&str, &str)]) -> Self {
        let room: usize = entries.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut json = String::with_capacity(room + 2);
        let mut spans = Vec::with_capacity(entries.len());
        json.push('{');
        for (name, value) in entries {
            if json.len() > 1 {
                json.push(',');
            }
            json.push('"');
            let name = pushed(&mut json, name);
            json.push_str("\":");
            let value = pushed(&mut json, value);
            spans.push(Span { name, value });
        }
        json.push('}');
        Self { json: json.into(), spans: spans.into() }
    }

    fn is_sorted(&self) -> bool {
        self.spans.is_sorted_by(|a, b| self.slice(&a.name) < self.slice(&b.name))
    }

    /// Sorted; of a name that stands twice the last value counts, as JSON readers do.
    fn rebuilt(&self) -> Self {
        let entries: std::collections::BTreeMap<_, _> = self.iter().collect();
        Self::compose(&entries.into_iter().collect::<Vec<_>>())
    }

    fn slice(&self, range: &Range<u32>) -> &str {
        self.json.get(as_usize(range)).unwrap_or_default()
    }
}

impl Default for Fields {
    fn default() -> Self {
        Self { json: "{}".into(), spans: Box::default() }
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Fields {}

/// Names and sizes only: values are the users' private data.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.iter().map(|(name, value)| (name, value.len()));
        f.debug_map().entries(sizes).finish()
    }
}

fn refuse_oversize(entries: &[(&str, &str)]) -> Result<(), StoreError> {
    if entries.len() > FIELDS_MAX {
        let count = entries.len();
        return Err(StoreError::refused(format!(
            "the session would have {count} fields, more than {FIELDS_MAX}"
        )));
    }
    match entries.iter().find(|(_, value)| value.len() > FIELD_MAX) {
        Some((name, value)) => Err(StoreError::refused(format!(
            "field `{name}` would be {} bytes, more than {FIELD_MAX}",
            value.len()
        ))),
        None => Ok(()),
    }
}

fn pushed(json: &mut String, text: &str) -> Range<u32> {
    let start = as_u32(json.len());
    json.push_str(text);
    start..as_u32(json.len())
}

/// Saturates: text beyond 4 GiB yields spans that [`Fields::slice`] finds empty.
fn as_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn as_usize(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

fn spans_of(json: &str) -> Result<Vec<Span>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let spans = reader.deserialize_map(SpanVisitor { json })?;
    reader.end()?;
    Ok(spans)
}

/// Finds where names and values stand in the text they were borrowed from.
struct SpanVisitor<'a> {
    json: &'a str,
}

impl SpanVisitor<'_> {
    fn span_of(&self, part: &str) -> Range<u32> {
        let start = part.as_ptr().addr().wrapping_sub(self.json.as_ptr().addr());
        as_u32(start)..as_u32(start.wrapping_add(part.len()))
    }
}

impl<'a> Visitor<'a> for SpanVisitor<'a> {
    type Value = Vec<Span>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object whose names need no escapes")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut spans = Vec::new();
        while let Some((name, value)) = map.next_entry::<&'a str, &'a RawValue>()? {
            spans.push(Span { name: self.span_of(name), value: self.span_of(value.get()) });
        }
        Ok(spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &'static str, json: &str) -> Ops {
        let mut ops = Ops::new();
        ops.set_json(Field::from_static(name), json).unwrap();
        ops
    }

    #[test]
    fn values_come_back_to_the_letter() {
        let text = r#"{"b" : 1.50e1, "a":{"x":[ 1, 2 ]}, "c": "\u00e9\"}"}"#;

        let fields = Fields::from_json(text).unwrap();

        assert_eq!(fields.get("b"), Some("1.50e1"));
        assert_eq!(fields.get("a"), Some(r#"{"x":[ 1, 2 ]}"#));
        assert_eq!(fields.get("c"), Some(r#""\u00e9\"}""#));
        assert_eq!(fields.get("d"), None);
        assert_eq!(Fields::from_json(fields.as_json()).unwrap(), fields);
    }

    #[test]
    fn broken_text_is_corrupt_and_never_a_panic() {
        for text in
            ["", "null", "[1]", "{", r#"{"a":}"#, r#"{"a":1}x"#, r#"{"a b":1}"#, r#"{"":1}"#]
        {
            let error = Fields::from_json(text).unwrap_err();
            assert_eq!(error.kind(), crate::StoreErrorKind::Corrupt, "{text}");
        }
    }

    #[test]
    fn sets_of_different_fields_compose_and_unset_removes() {
        let fields =
            Fields::default().apply(&set("b", "2")).unwrap().apply(&set("a", "1")).unwrap();
        let mut unset = Ops::new();
        unset.unset(Field::from_static("b"));

        assert_eq!(fields.as_json(), r#"{"a":1,"b":2}"#);
        assert_eq!(fields.apply(&unset).unwrap().as_json(), r#"{"a":1}"#);
    }

    #[test]
    fn the_limits_hold_at_their_edge() {
        let value = |len: usize| format!("\"{}\"", "x".repeat(len - 2));
        let fits = Fields::default().apply(&set("a", &value(FIELD_MAX)));
        let over = Fields::default().apply(&set("a", &value(FIELD_MAX + 1)));
        assert!(fits.is_ok() && over.is_err());

        let mut many = Ops::new();
        for n in 0..FIELDS_MAX {
            many.set(Field::new(format!("f{n}")).unwrap(), &n).unwrap();
        }
        let full = Fields::default().apply(&many).unwrap();
        assert!(full.apply(&set("one_more", "1")).is_err());
        assert!(full.apply(&set("f1", "2")).is_ok());

        let mut whole = Ops::new();
        for name in ["a", "b", "c"] {
            whole.set_json(Field::from_static(name), &value(FIELD_MAX)).unwrap();
        }
        let rest = SESSION_MAX - 3 * (FIELD_MAX + 5) - 5 - 1;
        whole.set_json(Field::from_static("d"), &value(rest)).unwrap();
        let fits = Fields::default().apply(&whole).unwrap();
        assert_eq!(fits.as_json().len(), SESSION_MAX);
        assert!(fits.apply(&set("d", &value(rest + 1))).is_err());
    }

    #[test]
    fn debug_shows_sizes_and_no_values() {
        let text = format!("{:?}", Fields::default().apply(&set("pin", "\"1234\"")).unwrap());

        assert_eq!(text, r#"{"pin": 6}"#);
    }
}
