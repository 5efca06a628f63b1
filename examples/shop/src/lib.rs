//! A small shop that shows how sessions are used: one file per feature.
//!
//! Start with `app.rs`, which has the rules of the sessions and all routes, and go on with the
//! feature that you came for; the `README.md` beside this crate says which file shows what.

mod account;
mod accounts;
mod app;
mod cart;
mod catalog;
mod checkout;
mod data;
mod failure;
mod log;
mod next;
mod pages;
mod passwords;
mod preferences;
mod sign_in;
mod staff;

pub use app::{App, OpenError};
