//! What fuzzing found worth keeping, held to the promises of its targets in `fuzz/checks`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what breaks a promise fails the test")]
#![allow(clippy::indexing_slicing, reason = "numbers of what is never taken away")]

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/checks/request_script.rs"]
mod request_script;
#[path = "../../../fuzz/checks/ticket_request.rs"]
mod ticket_request;

/// What runs of the target found worth keeping.
fn found(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz/found");
    let files = fs::read_dir(folder.join(target)).unwrap();
    let inputs: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() >= 10, "{target}: {} inputs", inputs.len());
    inputs
}

#[test]
fn requests_that_were_found_are_refused_by_the_gate_or_nobodys() {
    found("ticket_request").iter().for_each(|input| ticket_request::holds(input));
}

#[test]
fn scripts_of_requests_that_were_found_come_out_as_the_model_says() {
    found("request_script").iter().for_each(|input| request_script::holds(input));
}
