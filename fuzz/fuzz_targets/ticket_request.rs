//! A whole request whose headers anybody wrote: the gate's refusal is the only error, and a visitor
//! without one of our tickets is nobody.
#![no_main]

#[path = "../checks/ticket_request.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::holds(input));
