//! Any octets as the output of curl: what is read stands there, and is bounded.
#![no_main]

#[path = "../checks/curl_output.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|text: &[u8]| check::holds(text));
