//! Any octets as a `Set-Cookie` line in every family: an accepted cookie says itself again, and a jar
//! comes back from its text.
#![no_main]

#[path = "../checks/browser_line.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|line: &[u8]| check::holds(line));
