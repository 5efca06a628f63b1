//! The shop, request by request, as browsers see it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

mod cart;
mod devices;
mod doors;
mod staff;
mod visitor;
