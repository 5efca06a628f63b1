//! `cloakroom audit` against sites that answer, and against sites that do what they like.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

mod bad_sites;
mod command;
mod login;
mod options;
mod server;
