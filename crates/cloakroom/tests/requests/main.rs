//! Whole requests through the manager: in every order of their store calls, and at random with
//! clients that hang up and a store that fails.
//!
//! Nothing here waits for a real clock: the runtime's time stands still until nobody can go on.
//!
//! These modules know their store by what `place` says of it, and nothing else. This binary has the
//! store in the process; those beside it have the others. On each everything is tried twice: with
//! nothing before the store, and behind the near cache.
#![cfg(all(feature = "memory", feature = "derive"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "tests, which print what they tried and the seed that repeats it"
)]

mod place;
mod support;

mod composing;
mod endings;
mod limits;
mod newest;
mod privilege;
mod random;
