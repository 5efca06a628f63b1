//! What a definition may say, but had better not without a reason.

use crate::definition::{CookieDefinition, Lives, SameSite};
use crate::name::Prefix;
use std::fmt;

/// A choice that browsers allow and that makes a cookie weaker than it could be.
///
/// Weaknesses are statements for a report and not errors: each has honest uses. `Display` gives the
/// sentence.
///
/// ```
/// assert_eq!(
///     cloakroom_cookie::Weakness::SentToSubdomains.to_string(),
///     "Domain: the cookie is sent to every subdomain, also to one that somebody else runs",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Weakness {
    /// Without `Secure`.
    SentInTheClear,
    /// Without `HttpOnly`.
    ReadableByScripts,
    /// With `SameSite=None`.
    SentCrossSite,
    /// With a `Domain`.
    SentToSubdomains,
    /// With a name that is not `__Host-`.
    SettableFromSubdomains,
    /// With another `Path` than `/`.
    PathIsNoBoundary,
    /// With a lifetime of its own.
    OutlivesTheBrowser,
}

impl Weakness {
    pub(crate) fn of(definition: &CookieDefinition) -> Vec<Self> {
        let bound_to_host = definition.name().prefix().is_some_and(Prefix::binds_to_host);
        let cross_site = match definition.same_site() {
            SameSite::None => true,
            SameSite::Lax | SameSite::Strict => false,
        };
        let lasting = match definition.lives() {
            Lives::For(_) => true,
            Lives::Session => false,
        };
        [
            (!definition.is_secure(), Self::SentInTheClear),
            (!definition.is_http_only(), Self::ReadableByScripts),
            (cross_site, Self::SentCrossSite),
            (definition.domain().is_some(), Self::SentToSubdomains),
            (!bound_to_host, Self::SettableFromSubdomains),
            (definition.path() != "/", Self::PathIsNoBoundary),
            (lasting, Self::OutlivesTheBrowser),
        ]
        .into_iter()
        .filter_map(|(holds, weakness)| holds.then_some(weakness))
        .collect()
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SentInTheClear => {
                "no Secure: the cookie travels in the clear, and everybody on the way can read and \
                 replace it"
            }
            Self::ReadableByScripts => {
                "no HttpOnly: every script in the page can read the cookie, also an injected one"
            }
            Self::SentCrossSite => {
                "SameSite=None: the cookie is sent with requests that other sites start"
            }
            Self::SentToSubdomains => {
                "Domain: the cookie is sent to every subdomain, also to one that somebody else runs"
            }
            Self::SettableFromSubdomains => {
                "no `__Host-` name: a neighbouring subdomain can plant a cookie of the same name"
            }
            Self::PathIsNoBoundary => {
                "Path: a page under another path of the host can still reach the cookie"
            }
            Self::OutlivesTheBrowser => {
                "Max-Age: the cookie stays on the device after the browser is closed"
            }
        })
    }
}
