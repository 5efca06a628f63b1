//! What fuzzing found worth keeping, held to the promises of its targets in `fuzz/checks`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what breaks a promise fails the test")]

use std::fs;
use std::path::Path;

use arbitrary::{Arbitrary as _, Unstructured};

#[path = "../../../fuzz/checks/cookie_header.rs"]
mod cookie_header;
#[path = "../../../fuzz/checks/set_cookie.rs"]
mod set_cookie;

/// What runs of the target found worth keeping.
fn found(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz/found");
    let files = fs::read_dir(folder.join(target)).unwrap();
    let inputs: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() >= 10, "{target}: {} inputs", inputs.len());
    inputs
}

#[test]
fn headers_that_were_found_are_read_and_hide_no_neighbour() {
    found("cookie_header").iter().for_each(|header| cookie_header::holds(header));
}

#[test]
fn names_and_values_that_were_found_make_lines_that_say_just_that() {
    for input in found("set_cookie") {
        // As the target takes its input apart.
        if let Ok(parts) =
            <(&str, &str, &str, &str, u64)>::arbitrary_take_rest(Unstructured::new(&input))
        {
            set_cookie::holds(parts);
        }
    }
}
