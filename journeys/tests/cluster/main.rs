//! The shop in several processes: `examples/cluster` as its page says, and proxies that keep each
//! visitor at one process.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what went wrong by ending there, and prints what it saw"
)]

mod affinity;
mod round_robin;
mod visitor;
