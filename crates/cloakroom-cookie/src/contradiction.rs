//! What a cookie definition cannot say.

use crate::definition::{ATTRIBUTE_VALUE_MAX, MAX_AGE};
use crate::name::Prefix;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why a cookie definition was refused: one variant for each contradiction.
///
/// `Display` gives the reason and the remedy. Everything here is a programming or configuration
/// mistake; no input of a request can cause it.
///
/// ```
/// use cloakroom_cookie::{Contradiction, CookieDefinition, CookieName, Prefix};
///
/// let name = CookieName::host("id")?;
/// let refused = CookieDefinition::builder(name).domain("example.com").build().unwrap_err();
/// assert_eq!(refused, Contradiction::PrefixWithDomain { prefix: Prefix::Host });
/// assert_eq!(
///     refused.to_string(),
///     "browsers drop a `__Host-` cookie with a Domain: leave the domain out, or take \
///      `CookieName::secure` for a cookie shared with subdomains",
/// );
/// # Ok::<(), cloakroom_cookie::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contradiction {
    /// A prefixed name without `Secure`.
    PrefixWithoutSecure {
        /// The prefix of the name.
        prefix: Prefix,
    },
    /// An `__Http-` or `__Host-Http-` name without `HttpOnly`.
    PrefixReadableByScripts {
        /// The prefix of the name.
        prefix: Prefix,
    },
    /// A `__Host-` or `__Host-Http-` name with a `Domain`.
    PrefixWithDomain {
        /// The prefix of the name.
        prefix: Prefix,
    },
    /// A `__Host-` or `__Host-Http-` name with another `Path` than `/`.
    PrefixWithPath {
        /// The prefix of the name.
        prefix: Prefix,
    },
    /// `SameSite=None` without `Secure`.
    SameSiteNoneWithoutSecure,
    /// `Partitioned` without `Secure`.
    PartitionedWithoutSecure,
    /// A lifetime beyond [`MAX_AGE`](crate::MAX_AGE).
    LivesTooLong {
        /// The lifetime that was asked for.
        lifetime: Duration,
    },
    /// A lifetime of less than one second, which would delete the cookie.
    LivesTooShort,
    /// An IP address as `Domain`.
    DomainIsIpAddress {
        /// The domain that was given.
        domain: String,
    },
    /// A `Domain` with a dot before it.
    DomainLeadingDot {
        /// The domain that was given.
        domain: String,
    },
    /// A `Domain` with characters beyond ASCII.
    DomainNotAscii {
        /// The domain that was given.
        domain: String,
    },
    /// A `Domain` that is not a host name for another reason.
    DomainNotHostName {
        /// The domain that was given.
        domain: String,
    },
    /// A `Domain` of one label, such as `localhost` or `com`.
    DomainSingleLabel {
        /// The domain that was given.
        domain: String,
    },
    /// A `Domain` under which strangers register names. Found with the feature `public-suffix` only.
    DomainIsPublicSuffix {
        /// The domain that was given.
        domain: String,
    },
    /// A `Path` that does not begin with `/`.
    PathNotAbsolute {
        /// The path that was given.
        path: String,
    },
    /// An octet that cannot stand in a `Path`.
    PathOctet {
        /// Where it stands, in octets from the start of the path.
        at: usize,
    },
    /// A `Path` beyond [`ATTRIBUTE_VALUE_MAX`](crate::ATTRIBUTE_VALUE_MAX).
    PathTooLong {
        /// Its length in octets.
        length: usize,
    },
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_reason(f)?;
        write!(f, ": {}", self.remedy())
    }
}

impl Error for Contradiction {}

impl Contradiction {
    fn write_reason(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PrefixWithoutSecure { prefix } => {
                write!(f, "browsers drop a `{prefix}` cookie without Secure")
            }
            Self::PrefixReadableByScripts { prefix } => {
                write!(f, "browsers drop a `{prefix}` cookie without HttpOnly")
            }
            Self::PrefixWithDomain { prefix } => {
                write!(f, "browsers drop a `{prefix}` cookie with a Domain")
            }
            Self::PrefixWithPath { prefix } => {
                write!(f, "browsers drop a `{prefix}` cookie with another Path than `/`")
            }
            Self::SameSiteNoneWithoutSecure => {
                f.write_str("browsers drop a SameSite=None cookie without Secure")
            }
            Self::PartitionedWithoutSecure => {
                f.write_str("browsers drop a Partitioned cookie without Secure")
            }
            Self::LivesTooLong { lifetime } => {
                let (asked, most) = (lifetime.as_secs(), MAX_AGE.as_secs());
                write!(f, "a lifetime of {asked} s exceeds the {most} s (400 days) browsers allow")
            }
            Self::LivesTooShort => f.write_str("a lifetime below one second deletes the cookie"),
            Self::DomainIsIpAddress { domain } => {
                write!(f, "the domain `{domain}` is an IP address, which has no subdomains")
            }
            Self::DomainLeadingDot { domain } => {
                write!(f, "the domain `{domain}` begins with a dot, which browsers ignore")
            }
            Self::DomainNotAscii { domain } => {
                write!(f, "the domain `{domain}` is not ASCII, and browsers compare A-labels")
            }
            Self::DomainNotHostName { domain } => {
                write!(f, "the domain `{domain}` is not a host name")
            }
            Self::DomainSingleLabel { domain } => {
                write!(f, "the domain `{domain}` has one label, and browsers refuse to share it")
            }
            Self::DomainIsPublicSuffix { domain } => {
                write!(f, "strangers register names under `{domain}`, and browsers refuse it")
            }
            Self::PathNotAbsolute { path } => {
                write!(f, "browsers ignore the path `{path}`, which does not begin with `/`")
            }
            Self::PathOctet { at } => write!(f, "octet {at} of the path cannot stand in a Path"),
            Self::PathTooLong { length } => {
                write!(f, "browsers ignore a Path over {ATTRIBUTE_VALUE_MAX} octets, not {length}")
            }
        }
    }

    const fn remedy(&self) -> &'static str {
        match self {
            Self::PrefixWithoutSecure { .. } => {
                "keep Secure, which browsers accept on http://localhost too, or take \
                 `CookieName::plain`"
            }
            Self::PrefixReadableByScripts { .. } => {
                "keep HttpOnly, or take `CookieName::host` for a cookie that scripts read"
            }
            Self::PrefixWithDomain { .. } => {
                "leave the domain out, or take `CookieName::secure` for a cookie shared with \
                 subdomains"
            }
            Self::PrefixWithPath { .. } => {
                "leave the path out, or take `CookieName::secure` for a cookie of one path"
            }
            Self::SameSiteNoneWithoutSecure => "keep Secure, or choose SameSite=Lax or Strict",
            Self::PartitionedWithoutSecure => "keep Secure, or leave the partition out",
            Self::LivesTooLong { .. } => "choose at most `MAX_AGE`, and set the cookie anew in use",
            Self::LivesTooShort => "choose at least one second, or call `delete` to remove it",
            Self::DomainIsIpAddress { .. } => {
                "leave the domain out; the cookie then belongs to the address"
            }
            Self::DomainLeadingDot { .. } => "write it without the dot; subdomains are included",
            Self::DomainNotAscii { .. } => "write it in its `xn--` form",
            Self::DomainNotHostName { .. } => {
                "write labels of 1 to 63 letters, digits and inner hyphens, joined by single dots, \
                 at most 253 octets in all"
            }
            Self::DomainSingleLabel { .. } => {
                "leave the domain out, or use a name with subdomains, such as `app.localhost`"
            }
            Self::DomainIsPublicSuffix { .. } => {
                "leave the domain out, or write the domain registered under it"
            }
            Self::PathNotAbsolute { .. } => "write the path from the root of the host",
            Self::PathOctet { .. } => {
                "percent-encode everything but visible ASCII, and `;`, as in a URL"
            }
            Self::PathTooLong { .. } => "choose a shorter path that covers it",
        }
    }
}
