//! Any sequence of requests of two browsers, with any of the tickets that were ever handed out: nobody
//! becomes somebody else, what ended stays ended, and a ticket is handed out for a change alone.
#![no_main]

#[path = "../checks/request_script.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::holds(input));
