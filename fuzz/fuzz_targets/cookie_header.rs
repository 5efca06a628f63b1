//! Any octets as a `Cookie` header: every pair has the form that is promised, and a neighbour hides
//! nothing.
#![no_main]

#[path = "../checks/cookie_header.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|header: &[u8]| check::holds(header));
