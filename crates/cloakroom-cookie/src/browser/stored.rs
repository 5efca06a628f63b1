//! A cookie as a browser keeps it.

use super::address::{Address, Site, domain_matches, path_matches};
use crate::SameSite;
use std::fmt;

/// Chromium's `Priority`: which cookies of a site go first when there are too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// First.
    Low,
    /// When nothing is said.
    #[default]
    Medium,
    /// Last.
    High,
}

impl Priority {
    pub(super) const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// As it stands in an attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}

/// The jar within the jar that a `Partitioned` cookie is kept in (CHIPS section 2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Partition {
    site: Site,
    cross_site_ancestor: bool,
}

impl Partition {
    pub(super) const fn new(site: Site, cross_site_ancestor: bool) -> Self {
        Self { site, cross_site_ancestor }
    }

    /// The site in the address bar.
    pub const fn site(&self) -> &Site {
        &self.site
    }

    /// Whether a document of another site lies between the address bar and the cookie's host.
    pub const fn has_cross_site_ancestor(&self) -> bool {
        self.cross_site_ancestor
    }
}

/// A cookie that was accepted.
///
/// Name, value and path are octets, as they came. The value may be a session token: `Debug` leaves it
/// out, and there is no `Display`.
///
/// ```
/// use cloakroom_cookie::browser::{Address, Browser};
///
/// let address = Address::parse("https://shop.example/pay/now")?;
/// let verdict = Browser::standard().judge(b"id=7; Max-Age=60; Secure", &address, 1_000);
/// let cookie = verdict.cookie().expect("accepted");
/// assert_eq!((cookie.name(), cookie.value(), cookie.path()), (&b"id"[..], &b"7"[..], &b"/pay"[..]));
/// assert_eq!((cookie.domain(), cookie.is_host_only()), ("shop.example", true));
/// assert_eq!((cookie.expires(), cookie.is_secure()), (Some(1_060), true));
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoredCookie {
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) domain: String,
    pub(super) host_only: bool,
    pub(super) path: Vec<u8>,
    pub(super) created: u64,
    pub(super) used: u64,
    pub(super) expires: Option<u64>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
    pub(super) partition: Option<Partition>,
    /// The line said `Partitioned`, or the browser separates by itself.
    pub(super) asked_partition: bool,
    pub(super) priority: Priority,
}

impl StoredCookie {
    /// The name; empty for a cookie without one.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The value.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The host it was set at, or its `Domain`: lower case, without a leading dot.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether it is sent to [`domain`](Self::domain) alone, and not to hosts below.
    pub const fn is_host_only(&self) -> bool {
        self.host_only
    }

    /// The path that requests have to be under.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// When it was set first, in seconds since the Unix epoch.
    pub const fn created(&self) -> u64 {
        self.created
    }

    /// When it was set or sent last, in seconds since the Unix epoch.
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// When it ends, in seconds since the Unix epoch; `None` with the browser's session.
    pub const fn expires(&self) -> Option<u64> {
        self.expires
    }

    /// Whether it has `Secure`.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether it has `HttpOnly`.
    pub const fn is_http_only(&self) -> bool {
        self.http_only
    }

    /// Its `SameSite`; `None` if the line said nothing that is known.
    pub const fn same_site(&self) -> Option<SameSite> {
        self.same_site
    }

    /// Where it is kept, if not in the jar of the whole browser.
    pub const fn partition(&self) -> Option<&Partition> {
        self.partition.as_ref()
    }

    /// Chromium's `Priority`.
    pub const fn priority(&self) -> Priority {
        self.priority
    }

    /// A `Set-Cookie` line from which a browser makes this cookie again, at the address where it was
    /// set and at the time `now`.
    ///
    /// The value is in it.
    ///
    /// ```
    /// use cloakroom_cookie::browser::{Address, Browser};
    ///
    /// let address = Address::parse("https://shop.example/pay/now")?;
    /// let verdict = Browser::standard().judge(b" id = 7 ;secure", &address, 1_000);
    /// let line = verdict.cookie().map(|cookie| cookie.to_line(1_000));
    /// assert_eq!(line.as_deref(), Some(&b"id=7; Path=/pay; Secure"[..]));
    /// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
    /// ```
    pub fn to_line(&self, now: u64) -> Vec<u8> {
        let mut line = [&self.name[..], b"=", &self.value].concat();
        // Only a path that came from an address can hold a semicolon, and comes from it again.
        if !self.path.contains(&b';') {
            line.extend([b"; Path=", &self.path[..]].concat());
        }
        if !self.host_only {
            line.extend([b"; Domain=", self.domain.as_bytes()].concat());
        }
        if let Some(expires) = self.expires {
            line.extend(format!("; Max-Age={}", expires.saturating_sub(now)).into_bytes());
        }
        for (present, text) in [
            (self.secure, "; Secure"),
            (self.http_only, "; HttpOnly"),
            (self.asked_partition, "; Partitioned"),
        ] {
            if present {
                line.extend(text.bytes());
            }
        }
        if let Some(same_site) = self.same_site {
            line.extend(format!("; SameSite={}", same_site.as_str()).into_bytes());
        }
        if self.priority != Priority::default() {
            line.extend(format!("; Priority={}", self.priority.as_str()).into_bytes());
        }
        line
    }

    /// Whether both are one cookie to a browser: the later one replaces the earlier one.
    pub(super) fn is_twin_of(&self, other: &Self) -> bool {
        self.name == other.name
            && self.domain == other.domain
            && self.host_only == other.host_only
            && self.path == other.path
            && self.partition == other.partition
    }

    pub(super) fn is_for_host(&self, address: &Address) -> bool {
        if self.host_only {
            self.domain == address.host()
        } else {
            address.domain_matches(&self.domain)
        }
    }

    pub(super) fn is_for_path(&self, address: &Address) -> bool {
        path_matches(address.path().as_bytes(), &self.path)
    }

    /// "Leave secure cookies alone" (RFC 6265bis section 5.7 step 16): whether this one is in the way
    /// of a new one that plain http sets.
    pub(super) fn guards_against(&self, new: &Self) -> bool {
        // An IP address has no domain below it, and no name ends like one.
        let covers = |one: &str, other: &str| domain_matches(one, false, other);
        self.secure
            && self.name == new.name
            && self.partition == new.partition
            && (covers(&self.domain, &new.domain) || covers(&new.domain, &self.domain))
            && path_matches(&new.path, &self.path)
    }

    pub(super) fn is_expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    pub(super) const fn octets(&self) -> usize {
        self.name.len() + self.value.len()
    }
}

impl fmt::Debug for StoredCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCookie")
            .field("name", &format_args!("\"{}\"", self.name.escape_ascii()))
            .field("value", &format_args!("<redacted>"))
            .field("domain", &self.domain)
            .field("host_only", &self.host_only)
            .field("path", &format_args!("\"{}\"", self.path.escape_ascii()))
            .field("expires", &self.expires)
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("same_site", &self.same_site)
            .field("partition", &self.partition)
            .finish_non_exhaustive()
    }
}
