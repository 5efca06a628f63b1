//! Hostile texts from `testdata/fuzz/fields`, as a store may hand them to a record.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use std::fs;
use std::path::Path;

use cloakroom_store::{FIELD_NAME_MAX, Field, Fields, Ops, StoreErrorKind};

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz/fields");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().display().to_string(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Corrupt, or fields that come back from their own text.
fn is_read(file: &str, text: &str) -> bool {
    let fields = match Fields::from_json(text) {
        Ok(fields) => fields,
        Err(error) => {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{file}: {error}");
            return false;
        }
    };
    let again = Fields::from_json(fields.as_json()).unwrap();
    assert_eq!((again.as_json(), again.len()), (fields.as_json(), fields.len()), "{file}");
    assert!(again == fields, "{file}");

    let names: Vec<&str> = fields.iter().map(|(name, _)| name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{file}: {names:?}");
    for (name, value) in fields.iter() {
        assert!((1..=FIELD_NAME_MAX).contains(&name.len()), "{file}");
        assert_eq!(fields.get(name), Some(value), "{file}");
        assert!(text.contains(value), "{file}: a value is kept to the letter");
        let mut ops = Ops::new();
        ops.set_json(Field::new(name.to_owned()).unwrap(), value).unwrap();
        assert_eq!(ops.len(), 1, "{file}: what was stored can be stored");
    }
    true
}

#[test]
fn a_hostile_text_is_corrupt_or_comes_back_to_the_letter() {
    let files = corpus();
    let mut accepted = 0;

    for (file, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        let is_accepted = is_read(file, &text);
        println!("{file}: {}", if is_accepted { "read" } else { "corrupt" });
        accepted += u32::from(is_accepted);
    }

    assert!(files.len() >= 48 && accepted >= 15, "{accepted} of {}", files.len());
}

#[test]
fn every_beginning_of_a_hostile_text_is_corrupt_or_comes_back() {
    for (file, bytes) in corpus().iter().filter(|(_, bytes)| bytes.len() < 1_000) {
        let text = String::from_utf8_lossy(bytes);
        for (end, _) in text.char_indices() {
            is_read(file, &text[..end]);
        }
    }
}

#[test]
fn a_hostile_value_is_refused_or_stored_to_the_letter() {
    for (file, bytes) in corpus() {
        let text = String::from_utf8_lossy(&bytes);
        let mut ops = Ops::new();

        match ops.set_json(Field::from_static("value"), &text) {
            Ok(()) => match Fields::default().apply(&ops) {
                Ok(fields) => assert_eq!(fields.get("value"), Some(text.trim()), "{file}"),
                Err(error) => assert_eq!(error.kind(), StoreErrorKind::Refused, "{file}"),
            },
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Refused, "{file}");
                assert!(ops.is_empty(), "{file}");
            }
        }
    }
}
