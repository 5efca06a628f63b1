//! Which browser, and what it does otherwise than its neighbours.

use super::date::{chromium_date, cookie_date};
use std::fmt;

/// A family of browsers that share an engine, or the standard as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// RFC 6265bis, with the prefixes of the layered cookies draft and `Partitioned`.
    Standard,
    /// Chrome, Edge, Opera, Brave and others: seen with version 156.
    Chromium,
    /// Firefox 143 and newer.
    Firefox,
    /// Safari 26 and everything else on iOS.
    Safari,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 4] = [Self::Standard, Self::Chromium, Self::Firefox, Self::Safari];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "the standard",
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::Safari => "Safari",
        }
    }

    pub(super) const fn traits(self) -> &'static Traits {
        match self {
            Self::Standard => &STANDARD,
            Self::Chromium => &CHROMIUM,
            Self::Firefox => &FIREFOX,
            Self::Safari => &SAFARI,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a browser does with cookies of a request that a page of another site embeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ThirdParty {
    /// They are stored and sent.
    Allowed,
    /// They are neither stored nor sent, unless they are `Partitioned`.
    Blocked,
    /// Each embedding site gives them a jar of its own, as if all were `Partitioned`.
    Separated,
}

/// What a cookie without `SameSite` counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unset {
    /// `Lax`.
    Lax,
    /// `Lax`, but for unsafe navigations within [`GRACE`] of its creation.
    LaxAfterGrace,
    /// No restriction.
    Unrestricted,
}

/// How long "Lax-allowing-unsafe" lasts (RFC 6265bis section 5.6.7.2): 2 minutes.
pub(super) const GRACE: u64 = 120;

/// Whose cookies are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// Those with one domain field.
    ByDomain,
    /// Those of one registrable domain.
    BySite,
}

/// How many cookies are kept. Beyond `most`, all but `rest` go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) counted: Counted,
    pub(super) most: usize,
    pub(super) rest: usize,
    pub(super) most_in_all: usize,
    pub(super) rest_in_all: usize,
    /// What one partition of one site holds; `None` if it is counted like everything else.
    pub(super) partition: Option<Room>,
}

/// How much is kept, without regard to `Secure` and priorities.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) cookies: usize,
    /// Octets of names and values.
    pub(super) octets: usize,
}

/// Where the families differ: one column of the table each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits {
    /// A TAB anywhere but beside a separator refuses the line.
    pub(super) refuses_tab: bool,
    /// A TAB inside a `Path` refuses the line.
    pub(super) refuses_tab_in_path: bool,
    /// A value without a name that holds a `=` is refused.
    pub(super) refuses_nameless_equals: bool,
    /// `Secure` cookies live on `http://localhost`.
    pub(super) trusts_loopback: bool,
    /// `http` and `https` are two sites.
    pub(super) schemeful: bool,
    /// A detour over another site makes a request cross-site.
    pub(super) minds_redirects: bool,
    pub(super) unset: Unset,
    pub(super) none_needs_secure: bool,
    /// `__Http-` and `__Host-Http-`.
    pub(super) http_prefixes: bool,
    /// `Priority=Low`, `Medium` and `High`.
    pub(super) priorities: bool,
    /// A cookie whose value changes counts as new.
    pub(super) change_renews: bool,
    /// An attribute that cannot be read hides an earlier one that could.
    pub(super) last_hides: bool,
    /// `Max-Age=+1` is a number.
    pub(super) reads_plus: bool,
    /// How `Expires` is read.
    pub(super) date: fn(&[u8]) -> Option<i64>,
    /// A `Domain` beyond ASCII counts as its A-labels.
    pub(super) maps_domain: bool,
    /// A `Domain` may not lie above the host's own site: `kawasaki.jp` is no public suffix, and every name
    /// directly under it is one.
    pub(super) keeps_to_site: bool,
    /// A domain directly under which every name is a public suffix is one itself.
    pub(super) extends_wildcards: bool,
    /// A `Domain` of one dot is a domain, and covers no host.
    pub(super) dot_is_domain: bool,
    /// A `Domain` that is the host's own IP address counts as absent.
    pub(super) ip_is_host: bool,
    /// What a prefix asks is asked of the text of the line (`Path=/`, no `Domain` but the host's own
    /// IP address) and of the connection; otherwise only what comes out of the line counts.
    pub(super) reads_text: bool,
    /// Seconds that a cookie of a script lives at most.
    pub(super) script_age: Option<u64>,
    pub(super) third_party: ThirdParty,
    pub(super) limits: Limits,
}

const STANDARD: Traits = Traits {
    refuses_tab: false,
    refuses_tab_in_path: false,
    refuses_nameless_equals: false,
    trusts_loopback: false,
    schemeful: true,
    minds_redirects: false,
    unset: Unset::Lax,
    none_needs_secure: true,
    http_prefixes: true,
    priorities: false,
    change_renews: false,
    last_hides: false,
    reads_plus: false,
    date: cookie_date,
    maps_domain: false,
    keeps_to_site: false,
    extends_wildcards: false,
    dot_is_domain: false,
    ip_is_host: false,
    reads_text: false,
    script_age: None,
    third_party: ThirdParty::Allowed,
    limits: Limits {
        counted: Counted::ByDomain,
        most: 50,
        rest: 50,
        most_in_all: 3000,
        rest_in_all: 3000,
        partition: None,
    },
};

const CHROMIUM: Traits = Traits {
    refuses_tab: true,
    refuses_nameless_equals: true,
    trusts_loopback: true,
    unset: Unset::LaxAfterGrace,
    priorities: true,
    change_renews: true,
    last_hides: true,
    reads_plus: true,
    date: chromium_date,
    maps_domain: true,
    keeps_to_site: true,
    extends_wildcards: true,
    dot_is_domain: true,
    ip_is_host: true,
    reads_text: true,
    limits: Limits {
        counted: Counted::BySite,
        most: 180,
        rest: 150,
        most_in_all: 3300,
        rest_in_all: 3000,
        partition: Some(Room { cookies: 180, octets: 10 * 1024 }),
    },
    ..STANDARD
};

const FIREFOX: Traits = Traits {
    trusts_loopback: true,
    schemeful: false,
    minds_redirects: true,
    refuses_tab_in_path: true,
    last_hides: true,
    keeps_to_site: true,
    dot_is_domain: true,
    ip_is_host: true,
    unset: Unset::Unrestricted,
    third_party: ThirdParty::Separated,
    limits: Limits { counted: Counted::BySite, most: 180, rest: 150, ..STANDARD.limits },
    ..STANDARD
};

const SAFARI: Traits = Traits {
    schemeful: false,
    unset: Unset::Unrestricted,
    none_needs_secure: false,
    http_prefixes: false,
    script_age: Some(7 * 86_400),
    third_party: ThirdParty::Blocked,
    // No limit per site is documented.
    limits: Limits { most: 3000, rest: 3000, ..STANDARD.limits },
    ..STANDARD
};
