//! The laws, through HTTP: every test sends requests to an axum service and looks at what a browser
//! and a store see of them.
#![cfg(all(feature = "axum", feature = "memory", feature = "derive"))]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

mod anonymous;
mod circuit;
mod composing;
mod data;
mod devices;
mod fresh;
mod gate;
mod guesses;
mod handles;
mod headers;
mod identity;
mod interleavings;
mod model;
mod newest;
mod outage;
mod outcomes;
mod policy;
mod processes;
mod reading;
mod remembered;
mod renewal;
mod routing;
mod secrets;
mod sizes;
mod timeouts;
mod traced;
mod twins;
