//! cloakroom as people meet it: a real browser, a real reverse proxy, a process that is killed.
//!
//! The tests of this crate start a server as its own [process](process::Server), put a real
//! [nginx](nginx::Nginx) with TLS in front of it, and use it through a real headless
//! [Chromium](chrome::Browser) or byte by byte through [HTTP](http). Everything stays on the
//! loopback interface and inside [temporary folders](folder::Folder), every wait is bounded, and
//! whatever fails says in one sentence what was being waited for: see [`Failure`].
//!
//! ```no_run
//! use cloakroom_journeys::chrome::{Browser, Options};
//! use cloakroom_journeys::nginx::Nginx;
//! use cloakroom_journeys::process::{Ready, Server};
//! use cloakroom_journeys::program;
//! use std::process::Command;
//!
//! let shop = Command::new(program::build("shop")?);
//! let shop = Server::spawn(shop, Ready::printed_address())?;
//! let front = Nginx::tls_front(shop.port(), "shop.test")?;
//!
//! let browser = Browser::launch(&Options::new().trust(front.key_hash()))?;
//! let alice = browser.context()?;
//! let page = alice.page()?;
//! page.goto(&front.url("/login"))?;
//! page.fill("input[name=user]", "alice")?;
//! page.submit("form")?;
//! assert_eq!(page.text("h1")?, "Welcome, alice");
//! assert!(alice.cookie("__Host-Http-session")?.is_some_and(|cookie| cookie.http_only));
//! # Ok::<(), cloakroom_journeys::Failure>(())
//! ```

pub mod certificate;
pub mod chrome;
pub mod deadline;
mod failure;
pub mod folder;
pub mod haproxy;
pub mod http;
pub mod nginx;
mod output;
pub mod postgres;
pub mod process;
pub mod program;
pub mod proxy;
pub mod redis;
pub mod targets;
mod watched;

pub use failure::Failure;
