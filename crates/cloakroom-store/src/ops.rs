use std::fmt;
use std::ops::Range;

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::error::StoreError;
use crate::fields::{Field, Fields};

/// One change of one field, as a store sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Op<'a> {
    /// The field takes this value, given as JSON text, whatever it was before.
    Set(&'a str, &'a str),
    /// The field is no longer there.
    Unset(&'a str),
}

impl<'a> Op<'a> {
    /// The name of the field.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        match self {
            Self::Set(name, _) | Self::Unset(name) => name,
        }
    }
}

/// The name and the size: values are the users' private data.
impl fmt::Debug for Op<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(name, value) => write!(f, "Set({name}, {} bytes)", value.len()),
            Self::Unset(name) => write!(f, "Unset({name})"),
        }
    }
}

/// Changes of a session's fields, in the order they were made. All values share one buffer.
///
/// ```
/// use cloakroom_store::{Field, Op, Ops};
///
/// let mut ops = Ops::new();
/// ops.set(Field::from_static("items"), &[1, 2]).unwrap();
/// ops.unset(Field::from_static("coupon"));
/// assert_eq!(ops.iter().collect::<Vec<_>>(), [Op::Set("items", "[1,2]"), Op::Unset("coupon")]);
/// ```
#[derive(Clone, Default)]
pub struct Ops {
    values: String,
    entries: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    field: Field,
    value: Option<Range<usize>>,
}

impl Ops {
    /// No change.
    #[must_use]
    pub const fn new() -> Self {
        Self { values: String::new(), entries: Vec::new() }
    }

    /// The field takes `value`.
    ///
    /// # Errors
    ///
    /// Refused if the value cannot be written as JSON, such as a map whose keys are not text;
    /// then the changes are as before.
    pub fn set(&mut self, field: Field, value: &impl Serialize) -> Result<(), StoreError> {
        let start = self.values.len();
        match write_json(&mut self.values, value) {
            Ok(()) => {
                self.entries.push(Entry { field, value: Some(start..self.values.len()) });
                Ok(())
            }
            Err(error) => {
                self.values.truncate(start);
                Err(StoreError::refused(format!("field `{field}` has no JSON form")).because(error))
            }
        }
    }

    /// The field takes the value that this JSON text says, kept to the letter but for white space
    /// around it.
    ///
    /// # Errors
    ///
    /// Refused if it is not JSON; then the changes are as before.
    pub fn set_json(&mut self, field: Field, json: &str) -> Result<(), StoreError> {
        serde_json::from_str::<IgnoredAny>(json).map_err(|error| {
            StoreError::refused(format!("the value of field `{field}` is not JSON")).because(error)
        })?;
        let start = self.values.len();
        self.values.push_str(json.trim());
        self.entries.push(Entry { field, value: Some(start..self.values.len()) });
        Ok(())
    }

    /// The field is removed.
    pub fn unset(&mut self, field: Field) {
        self.entries.push(Entry { field, value: None });
    }

    /// Takes the last change back if it sets its field to what `fields` already holds, or to what
    /// `before` says it was. Serialising first and comparing the text costs one pass over what did
    /// not change.
    pub fn drop_last_if_unchanged(
        &mut self,
        fields: &Fields,
        before: impl FnOnce() -> Option<Self>,
    ) {
        let Some(Op::Set(name, value)) = self.iter().next_back() else { return };
        let unchanged = fields.get(name) == Some(value)
            || before()
                .is_some_and(|before| before.iter().next_back() == Some(Op::Set(name, value)));
        if unchanged && let Some(Entry { value: Some(range), .. }) = self.entries.pop() {
            self.values.truncate(range.start);
        }
    }

    /// All changes of `later` after these.
    pub fn append(&mut self, later: &Self) {
        let shift = self.values.len();
        self.values.push_str(&later.values);
        self.entries.extend(later.entries.iter().map(|entry| Entry {
            field: entry.field.clone(),
            value: entry.value.as_ref().map(|value| value.start + shift..value.end + shift),
        }));
    }

    /// The changes in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Op<'_>> {
        self.entries.iter().map(|Entry { field, value }| match value {
            Some(range) => {
                Op::Set(field.as_str(), self.values.get(range.clone()).unwrap_or_default())
            }
            None => Op::Unset(field.as_str()),
        })
    }

    /// The number of changes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Debug for Ops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn write_json(text: &mut String, value: &impl Serialize) -> Result<(), serde_json::Error> {
    serde_json::to_writer(Pen(text), value)
}

/// Lets the serialiser, which writes bytes, write at the end of text.
struct Pen<'a>(&'a mut String);

impl std::io::Write for Pen<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(std::io::Error::other)?;
        self.0.push_str(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_json_form_changes_nothing() {
        let mut ops = Ops::new();
        ops.set(Field::from_static("a"), &1).unwrap();
        let bad = std::collections::BTreeMap::from([(vec![1u8], 2)]);

        assert!(ops.set(Field::from_static("b"), &bad).is_err());
        assert!(ops.set_json(Field::from_static("b"), "{not json").is_err());

        assert_eq!(ops.iter().collect::<Vec<_>>(), [Op::Set("a", "1")]);
    }

    #[test]
    fn an_unchanged_value_is_taken_back() {
        let mut first = Ops::new();
        first.set(Field::from_static("a"), &1).unwrap();
        let fields = Fields::default().apply(&first).unwrap();
        let mut ops = Ops::new();

        ops.set(Field::from_static("a"), &1).unwrap();
        ops.drop_last_if_unchanged(&fields, || None);
        assert!(ops.is_empty());

        ops.set(Field::from_static("a"), &2).unwrap();
        ops.drop_last_if_unchanged(&fields, || None);
        assert_eq!(ops.len(), 1);
    }

    #[test]
    fn text_with_every_kind_of_character_is_written() {
        let mut ops = Ops::new();
        let text = "\u{0}\n\"\\ \u{e9}\u{1f600}\u{2028}";

        ops.set(Field::from_static("a"), &text).unwrap();

        let fields = Fields::default().apply(&ops).unwrap();
        let back: String = serde_json::from_str(fields.get("a").unwrap()).unwrap();
        assert_eq!(back, text);
    }
}
