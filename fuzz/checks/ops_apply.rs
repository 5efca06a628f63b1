//! Any changes of any fields, beside a plain map: both hold the same in the end.

use std::collections::BTreeMap;

use cloakroom_store::{FIELDS_MAX, Field, Fields, Ops, StoreErrorKind};

/// Each line is one change: the name, and after a blank the JSON text. A line that is only a name
/// removes the field, an empty one ends a commit.
fn changes(text: &str) -> impl Iterator<Item = Option<(Field, Option<&str>)>> {
    text.split('\n').filter_map(|line| {
        if line.is_empty() {
            return Some(None);
        }
        let (name, value) = match line.split_once(' ') {
            Some((name, value)) => (name, Some(value)),
            None => (line, None),
        };
        Some(Some((Field::new(name.to_owned()).ok()?, value)))
    })
}

pub(crate) fn holds(text: &str) {
    let (mut fields, mut plain) = (Fields::default(), BTreeMap::new());
    let (mut ops, mut after) = (Ops::new(), plain.clone());
    for change in changes(text).chain([None]) {
        match change {
            Some((field, Some(value))) => {
                if ops.set_json(field.clone(), value).is_ok() {
                    after.insert(field.as_str().to_owned(), value.trim().to_owned());
                }
            }
            Some((field, None)) => {
                after.remove(field.as_str());
                ops.unset(field);
            }
            None => {
                match fields.apply(&ops) {
                    Ok(applied) => (fields, plain) = (applied, after),
                    Err(error) => assert_eq!(error.kind(), StoreErrorKind::Refused),
                }
                ops = Ops::new();
                after = plain.clone();
            }
        }
    }
    let held = plain.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    assert!(fields.iter().eq(held));
    assert!(fields.len() <= FIELDS_MAX);
    let again = Fields::from_json(fields.as_json()).expect("our own text");
    assert_eq!(again.as_json(), fields.as_json());
}
