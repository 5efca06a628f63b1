//! Any text as stored fields: corrupt, or fields that come back from their own text.

use cloakroom_store::{Fields, StoreErrorKind};

pub(crate) fn holds(text: &str) {
    let fields = match Fields::from_json(text) {
        Ok(fields) => fields,
        Err(error) => {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt);
            return;
        }
    };
    let again = Fields::from_json(fields.as_json()).expect("our own text");
    assert_eq!(again.as_json(), fields.as_json());
    assert!(again == fields);
    for (name, value) in fields.iter() {
        assert_eq!(fields.get(name), Some(value));
        assert!(text.contains(value));
    }
}
