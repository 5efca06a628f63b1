//! The browser's side of a cookie: what becomes of a `Set-Cookie` line, and why.
//!
//! [`Browser::judge`] tells for one line whether a browser stores it, stores it changed, or refuses
//! it, each time with the [`Reason`], its remedy and its source. A [`Jar`] keeps what was stored and
//! tells what each [`Request`] carries. [`Jar::explain`] says why a cookie is *not* sent.
//!
//! ```
//! use cloakroom_cookie::browser::{Address, Browser, Jar, Page, Reason, Request};
//!
//! let login = Address::parse("https://shop.example/login")?;
//! let now = 1_790_000_000;
//! let verdict = Browser::chromium().judge(b"__Host-id=7; Secure", &login, now);
//! assert_eq!(
//!     verdict.to_string(),
//!     "refused: a `__Host-` name needs Path=/ written out \
//!      (RFC 6265bis section 5.7 step 21): add Path=/",
//! );
//!
//! let mut jar = Jar::new(Browser::chromium(), now);
//! let _ = jar.receive(&Request::typed(login.clone()), b"__Host-id=7; Secure; Path=/");
//! let news = Page::top(Address::parse("https://news.example/")?);
//! let fetch = Request::embedded(login, &news);
//! assert_eq!(jar.header(&fetch), b"");
//! assert_eq!(jar.explain(&fetch)[0].withheld, [Reason::UnsetCrossSite]);
//! # Ok::<(), cloakroom_cookie::browser::AddressError>(())
//! ```
//!
//! # Families
//!
//! | | standard | Chromium | Firefox | Safari |
//! |---|---|---|---|---|
//! | no `SameSite` counts as | `Lax` | `Lax`, looser for 2 minutes | unrestricted | unrestricted |
//! | `SameSite=None` needs `Secure` | yes | yes | yes | no |
//! | `http` and `https` are two sites | yes | yes | no | no |
//! | a detour over another site counts | no | no | yes | no |
//! | `Secure` cookies on `http://localhost` | no | yes | yes | no |
//! | `__Http-`, `__Host-Http-` | yes | yes | yes | only as `__Host-` |
//! | third-party cookies | allowed | allowed | separated | blocked |
//! | cookies of a script live at most | 400 days | 400 days | 400 days | 7 days |
//! | TAB inside a name, a value or an attribute | kept | refused | kept, but for `Path` | kept |
//! | a `Domain` of one dot | ignored | refused | refused | ignored |
//! | an IP address as its own `Domain` | a `Domain` | ignored | ignored | a `Domain` |
//! | a value without a name, with a `=` in it | kept | refused | kept | kept |
//! | `Max-Age=+60` | ignored | 60 seconds | ignored | ignored |
//! | `Expires` | as written | its own way | as written | as written |
//! | an `Expires` or `Max-Age` that cannot be read hides an earlier one | no | yes | yes | no |
//! | a `Domain` beyond ASCII | refused | counts as its A-labels | refused | refused |
//! | a `Domain` above the host's site (`kawasaki.jp`) | kept | refused | refused | kept |
//! | a cookie set again with another value | keeps its age | is new | keeps its age | keeps its age |
//! | cookies of one domain or site | 50, per domain | 180, then 150 | 180, then 150 | not documented |
//! | cookies of a site in one partition | like others | 180, and 10 KiB | like others | like others |
//! | cookies in all | 3000 | 3300, then 3000 | 3000 | not documented, 3000 here |
//!
//! The column of Chromium is checked against Chromium itself. Those of Firefox and Safari rest on
//! documentation and sources.
//!
//! # Where the sources err or differ
//!
//! The standard is RFC 6265bis in draft 22. From the layered cookies draft (02) come the two `Http-`
//! prefixes alone: its algorithms, followed to the letter, would refuse every `__Http-` cookie that
//! is right (its test of `HttpOnly` is inverted), let the path `/foo` cover `/foobar`, let `Expires`
//! win over an earlier `Max-Age`, and drop a cookie that replaces one with equal attributes but
//! another value. Here `Http-` needs `HttpOnly`, `/foo` does not cover `/foobar`, `Max-Age` wins
//! wherever it stands, and the new value replaces the old one; each of the four has its test.
//!
//! An empty last `Domain` leaves the cookie to its host, as in draft 22, where older tests have it
//! refused. A `Path` beyond ASCII is kept, as in draft 22 and in Chromium, where newer tests have the
//! line refused.
//!
//! # Limits
//!
//! Addresses are read by the `url` crate, since a host may need IDNA and an IPv4 address has many
//! spellings; Chromium alone writes a `|` in a path as `%7C`. Browsers reckon `Expires` from the clock
//! of the server if its answer has a `Date`; a [`Jar`] has one clock. Firefox reads dates by rules of
//! its own that are not modelled, and like the standard here. The public suffix list is the one that
//! the `psl` crate was built with. Chromium spares cookies used within 30 days when there are too many
//! in all; a [`Jar`] does not, so that it stays within its bound.

mod address;
mod date;
mod evict;
mod family;
mod jar;
mod judge;
mod line;
mod reason;
mod request;
mod stored;
mod text;
mod verdict;

pub use address::{ADDRESS_MAX, Address, AddressError, Site};
pub use date::cookie_date;
pub use family::{Family, ThirdParty};
pub use jar::{Delivery, Jar};
pub use judge::Browser;
pub use reason::{Effect, Reason};
pub use request::{Credentials, Page, Request};
pub use stored::{Partition, Priority, StoredCookie};
pub use text::{JAR_TEXT_MAX, JarTextError};
pub use verdict::{Outcome, Verdict};
