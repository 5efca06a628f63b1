//! HTTP cookies that cannot be written wrong: parsing, attributes and prefixes, without I/O.
//!
//! A cookie travels in two directions, and each has its own types. What **came** in a `Cookie`
//! header is a [`Pair`]: a name and a value, nothing else, and nothing about it can be trusted. What
//! **goes** out is a [`SetCookie`], and the only way to one is a [`CookieDefinition`]: a checked,
//! immutable description from which the cookie is both set and deleted, so that the two always match.
//!
//! ```
//! use cloakroom_cookie::{CookieDefinition, CookieName, Lives, SameSite, values_of};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Once, at start-up: contradictions are refused here, with the reason and the remedy.
//! let theme = CookieDefinition::builder(CookieName::host("theme")?)
//!     .same_site(SameSite::Strict)
//!     .lives(Lives::For(Duration::from_secs(86_400)))
//!     .build()?;
//!
//! // In a response. Time is an argument: seconds since the Unix epoch.
//! let dark = theme.set("dark", 784_111_777)?;
//! assert_eq!(
//!     dark.into_string(),
//!     "__Host-theme=dark; Path=/; Max-Age=86400; Expires=Mon, 07 Nov 1994 08:49:37 GMT; \
//!      Secure; HttpOnly; SameSite=Strict",
//! );
//! assert_eq!(
//!     theme.delete().into_string(),
//!     "__Host-theme=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; \
//!      Secure; HttpOnly; SameSite=Strict",
//! );
//!
//! // In a request: the header may be split, cookies may repeat, and neighbours may be broken.
//! let headers: [&[u8]; 2] = [b"broken; __Host-theme=dark", b"lang=en"];
//! let themes: Vec<&[u8]> = values_of(headers, "__Host-theme").collect();
//! assert_eq!(themes, [b"dark"]);
//! # Ok(())
//! # }
//! ```
//!
//! # What is safe without asking
//!
//! A definition that says nothing gives `Path=/; Secure; HttpOnly; SameSite=Lax`, no `Domain`, and a
//! cookie that ends with the browser session. A prefix in the name adds what browsers demand of it:
//!
//! | constructor | name on the wire | what browsers demand |
//! |---|---|---|
//! | [`CookieName::plain`] | `x` | nothing |
//! | [`CookieName::secure`] | `__Secure-x` | `Secure` |
//! | [`CookieName::host`] | `__Host-x` | `Secure`, `Path=/`, no `Domain` |
//! | [`CookieName::http`] | `__Http-x` | `Secure`, `HttpOnly`, set by a response and not by a script |
//! | [`CookieName::host_http`] | `__Host-Http-x` | all of these |
//!
//! What is legal but weaker is allowed and named by [`CookieDefinition::weaknesses`], for a report.
//!
//! # Secrets
//!
//! Cookie values are often session tokens. [`Pair`] and [`SetCookie`] have no `Display`, and their
//! `Debug` leaves the value out; the text of a [`SetCookie`] is only given to who asks for it by name.
//!
//! # Features
//!
//! - `public-suffix` (off): refuse a `Domain` under which strangers register names (`co.uk`,
//!   `github.io`), and offer `is_public_suffix`.
//! - `browser` (off): the module `browser`, which tells what a browser does with a `Set-Cookie` line
//!   and why, and a jar with a clock. Implies `public-suffix`.
//!
//! # Sources
//!
//! RFC 6265bis (draft 22) for syntax, limits, `__Secure-` and `__Host-`; the Layered Cookies draft for
//! `__Http-` and `__Host-Http-`; the CHIPS draft for `Partitioned`.

#[cfg(feature = "browser")]
pub mod browser;
mod contradiction;
mod definition;
mod domain;
mod name;
mod request;
mod set_cookie;
mod weakness;

pub use contradiction::Contradiction;
pub use definition::{
    ATTRIBUTE_VALUE_MAX, CookieDefinition, CookieDefinitionBuilder, Lives, MAX_AGE, SameSite,
};
#[cfg(feature = "public-suffix")]
pub use domain::is_public_suffix;
pub use name::{CookieName, NameError, Prefix};
pub use request::{COOKIE_HEADER_READ, Pair, is_cookie_octets, pairs, values_of};
pub use set_cookie::{NAME_AND_VALUE_MAX, SetCookie, ValueError};
pub use weakness::Weakness;

/// The page for people, compiled and run.
#[cfg(all(doctest, feature = "browser"))]
#[doc = include_str!("../../../docs/guide/why-is-my-cookie-not-stored.md")]
mod page {}
