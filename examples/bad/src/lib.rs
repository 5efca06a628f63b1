//! An application that is wrong on purpose: one switch for each rule of the auditor.
//!
//! Without a switch nothing is wrong with it, as far as its author knows; its sessions are plain and its
//! own, as those of any site. Each [switch](Bad) breaks one defence, so that one rule fires.
//!
//! ```
//! use bad::{Bad, Switches};
//!
//! let router = bad::router(Switches::of([Bad::O01]));
//! # drop(router);
//! ```
//!
//! Never let it out of your machine: its program listens on loopback addresses alone.

mod around;
mod cookies;
mod entropy;
mod gate;
mod keys;
mod pages;
mod routes;
mod signing;
mod site;
mod switches;
mod table;
mod tokens;
mod visit;

pub use routes::router;
pub use site::Site;
pub use switches::{Bad, ROWS, Row, Switches, UnknownSwitch};
