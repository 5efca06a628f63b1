//! Any text as stored fields: corrupt, or fields that come back from their own text.
#![no_main]

#[path = "../checks/fields_json.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|text: &str| check::holds(text));
