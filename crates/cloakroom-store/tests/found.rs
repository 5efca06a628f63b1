//! What fuzzing found worth keeping, held to the promises of its targets in `fuzz/checks`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what breaks a promise fails the test")]

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/checks/fields_json.rs"]
mod fields_json;
#[path = "../../../fuzz/checks/ops_apply.rs"]
mod ops_apply;

/// What runs of the target found worth keeping.
fn found(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz/found");
    let files = fs::read_dir(folder.join(target)).unwrap();
    let inputs: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() >= 10, "{target}: {} inputs", inputs.len());
    inputs
}

#[test]
fn texts_that_were_found_are_corrupt_or_come_back() {
    for input in found("fields_json") {
        // The target is given texts alone.
        if let Ok(text) = std::str::from_utf8(&input) {
            fields_json::holds(text);
        }
    }
}

#[test]
fn changes_that_were_found_come_out_as_in_a_plain_map() {
    for input in found("ops_apply") {
        // The target is given texts alone.
        if let Ok(text) = std::str::from_utf8(&input) {
            ops_apply::holds(text);
        }
    }
}
