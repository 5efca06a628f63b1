//! Hostile and strange inputs, held to the promises of the targets in `fuzz/checks`.
#![allow(clippy::unwrap_used, reason = "what breaks a promise fails the test")]

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/checks/curl_output.rs"]
mod curl_output;

fn seeds(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz").join(folder);
    let files = fs::read_dir(folder).unwrap();
    let inputs: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() >= 10, "{} inputs", inputs.len());
    inputs
}

#[test]
fn outputs_of_curl_are_read_wherever_they_are_cut() {
    for output in seeds("curl_output") {
        for end in 0..=output.len() {
            curl_output::holds(&output[..end]);
        }
    }
}
