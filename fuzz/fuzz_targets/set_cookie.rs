//! Any name and value that are accepted make one `Set-Cookie` line that says just that.
#![no_main]

#[path = "../checks/set_cookie.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: (&str, &str, &str, &str, u64)| check::holds(input));
