//! Any changes of any fields, beside a plain map: both hold the same in the end.
#![no_main]

#[path = "../checks/ops_apply.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|text: &str| check::holds(text));
