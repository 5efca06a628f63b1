//! What a browser does with one line: the rules as a table, before any jar is asked.

use super::address::{Address, registrable};
use super::family::{Family, ThirdParty, Traits, Unset};
use super::line::Line;
use super::reason::Reason;
use super::request::{Page, Place, Request};
use super::stored::StoredCookie;
use super::verdict::Verdict;
use crate::{MAX_AGE, Prefix, SameSite, is_public_suffix};
use url::Host;

/// A browser as far as cookies tell: a [`Family`], and what it does with third parties.
///
/// ```
/// use cloakroom_cookie::browser::{Address, Browser};
///
/// let address = Address::parse("https://shop.example/")?;
/// let line = b"id=1; SameSite=None";
/// assert_eq!(
///     Browser::chromium().judge(line, &address, 1_790_000_000).to_string(),
///     "refused: SameSite=None needs Secure (RFC 6265bis section 5.7 step 19): \
///      add Secure, or say SameSite=Lax",
/// );
/// assert_eq!(Browser::safari().judge(line, &address, 1_790_000_000).to_string(), "stored");
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Browser {
    family: Family,
    third_party: ThirdParty,
}

impl Browser {
    /// A browser of this family with its default settings.
    pub const fn of(family: Family) -> Self {
        Self { family, third_party: family.traits().third_party }
    }

    /// Chrome, Edge and their relatives. Third-party cookies are allowed.
    pub const fn chromium() -> Self {
        Self::of(Family::Chromium)
    }

    /// Firefox. Third-party cookies are separated by the embedding site.
    pub const fn firefox() -> Self {
        Self::of(Family::Firefox)
    }

    /// Safari. Third-party cookies are blocked.
    pub const fn safari() -> Self {
        Self::of(Family::Safari)
    }

    /// What the standards say.
    pub const fn standard() -> Self {
        Self::of(Family::Standard)
    }

    /// With another setting for third-party cookies.
    pub const fn third_party(mut self, third_party: ThirdParty) -> Self {
        self.third_party = third_party;
        self
    }

    /// The family.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// What becomes of a `Set-Cookie` line that comes with the page at `address`, opened by its user
    /// in an empty browser.
    ///
    /// `now` is in seconds since the Unix epoch. Whatever depends on other cookies takes a
    /// [`Jar`](super::Jar).
    pub fn judge(&self, line: &[u8], address: &Address, now: u64) -> Verdict {
        self.judge_response(&Request::typed(address.clone()), line, now)
    }

    /// What becomes of a `Set-Cookie` line in the response to `request`.
    ///
    /// ```
    /// use cloakroom_cookie::browser::{Address, Browser, Page, Reason, Request};
    ///
    /// let news = Page::top(Address::parse("https://news.example/")?);
    /// let image = Request::embedded(Address::parse("https://ads.example/1.png")?, &news);
    /// let verdict = Browser::chromium().judge_response(&image, b"id=1; Secure", 0);
    /// assert_eq!(verdict.reasons(), [Reason::SameSiteSetCrossSite]);
    /// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
    /// ```
    pub fn judge_response(&self, request: &Request, line: &[u8], now: u64) -> Verdict {
        self.judged(&request.place(self.traits()), line, now).into_verdict()
    }

    /// What becomes of a line that a script of `page` gives to `document.cookie`.
    ///
    /// ```
    /// use cloakroom_cookie::browser::{Address, Browser, Page, Reason};
    ///
    /// let page = Page::top(Address::parse("https://shop.example/")?);
    /// let verdict = Browser::chromium().judge_script(&page, b"id=1; HttpOnly", 0);
    /// assert_eq!(verdict.reasons(), [Reason::HttpOnlyFromScript]);
    /// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
    /// ```
    pub fn judge_script(&self, page: &Page, line: &[u8], now: u64) -> Verdict {
        self.judged(&Place::of_script(page, self.traits()), line, now).into_verdict()
    }

    pub(super) const fn traits(&self) -> &'static Traits {
        self.family.traits()
    }

    /// Whether cookies without a partition are left out of a place.
    pub(super) const fn leaves_out(&self, place: &Place<'_>) -> bool {
        !place.first_party
            && match self.third_party {
                ThirdParty::Allowed => false,
                ThirdParty::Blocked | ThirdParty::Separated => true,
            }
    }

    pub(super) fn judged(&self, place: &Place<'_>, line: &[u8], now: u64) -> Judged {
        match Line::read(line, self.traits()) {
            Err(reason) => Judged { cookie: None, refusals: vec![reason], notes: Vec::new() },
            Ok(line) => Candidate::new(self, place, &line, now).judged(),
        }
    }
}

/// A line after every rule that needs no jar.
#[derive(Debug)]
pub(super) struct Judged {
    /// What would be stored; `None` for a line that is none.
    pub(super) cookie: Option<StoredCookie>,
    pub(super) refusals: Vec<Reason>,
    pub(super) notes: Vec<Reason>,
}

impl Judged {
    pub(super) fn into_verdict(self) -> Verdict {
        match self.cookie {
            Some(cookie) if self.refusals.is_empty() => Verdict::accepted(cookie, self.notes),
            Some(_) | None => Verdict::refused(self.refusals),
        }
    }
}

/// What the rules look at.
struct Candidate<'a> {
    line: &'a Line<'a>,
    place: &'a Place<'a>,
    traits: &'static Traits,
    third_party: ThirdParty,
    prefix: Option<Prefix>,
    scope: Result<Scope, Reason>,
    cookie: StoredCookie,
    notes: Vec<Reason>,
}

/// The hosts that a cookie is for.
struct Scope {
    domain: String,
    host_only: bool,
    note: Option<Reason>,
}

type Rule = (Reason, fn(&Candidate<'_>) -> bool);

/// Every refusal that needs no jar, and when it applies. The syntax has been read before, and the
/// domain refuses with a reason of its own.
const RULES: [Rule; 14] = [
    (Reason::SecureFromPlainHttp, |c| {
        c.line.secure && !c.is_secure() && !(c.traits.reads_text && c.prefix.is_some())
    }),
    (Reason::HttpOnlyFromScript, |c| c.line.http_only && c.place.script),
    (Reason::SameSiteSetCrossSite, |c| !c.place.first_party && c.is_restricted()),
    (Reason::SameSiteNoneWithoutSecure, |c| {
        c.traits.none_needs_secure && !c.line.secure && c.line.same_site == Some(SameSite::None)
    }),
    (Reason::PrefixWithoutSecure, |c| c.prefix.is_some() && !c.line.secure),
    (Reason::PrefixFromPlainHttp, |c| c.traits.reads_text && c.prefix.is_some() && !c.is_secure()),
    (Reason::HostPrefixWithDomain, |c| c.is_host_prefixed() && !c.is_bound_to_host()),
    (Reason::HostPrefixWithoutRootPath, |c| c.is_host_prefixed() && !c.says_root_path()),
    (Reason::HttpPrefixWithoutHttpOnly, |c| c.is_http_prefixed() && !c.line.http_only),
    (Reason::HttpPrefixFromScript, |c| c.is_http_prefixed() && c.place.script),
    (Reason::NamelessWithPrefix, |c| {
        c.line.name.is_empty() && prefix_of(c.line.value, c.traits).is_some()
    }),
    (Reason::NamelessWithEquals, |c| {
        c.traits.refuses_nameless_equals && c.line.name.is_empty() && c.line.value.contains(&b'=')
    }),
    (Reason::PartitionedWithoutSecure, |c| c.line.partitioned && !c.line.secure),
    (Reason::CredentialsRefused, |c| !c.place.credentials),
];

impl<'a> Candidate<'a> {
    fn new(browser: &Browser, place: &'a Place<'a>, line: &'a Line<'a>, now: u64) -> Self {
        let traits = browser.traits();
        let scope = scope(line, place.address, traits);
        let mut notes = line.notes.clone();
        let expires = end(line, now, place.script, traits, &mut notes);
        let separated = !line.partitioned
            && browser.leaves_out(place)
            && browser.third_party == ThirdParty::Separated;
        notes.extend(scope.as_ref().ok().and_then(|scope| scope.note));
        notes.extend(separated.then_some(Reason::SeparatedByBrowser));
        let (domain, host_only) = match &scope {
            Ok(scope) => (scope.domain.clone(), scope.host_only),
            Err(_) => (place.address.host().to_owned(), true),
        };
        let path = line.path.flatten().unwrap_or_else(|| place.address.default_path().as_bytes());
        let cookie = StoredCookie {
            name: line.name.to_vec(),
            value: line.value.to_vec(),
            domain,
            host_only,
            path: path.to_vec(),
            created: now,
            used: now,
            expires,
            secure: line.secure,
            http_only: line.http_only,
            same_site: line.same_site,
            partition: (line.partitioned || separated).then(|| place.partition.clone()),
            asked_partition: line.partitioned,
            priority: line.priority,
        };
        let prefix = prefix_of(line.name, traits);
        let third_party = browser.third_party;
        Self { line, place, traits, third_party, prefix, scope, cookie, notes }
    }

    fn judged(self) -> Judged {
        let by_rule = RULES.iter().filter(|(_, applies)| applies(&self)).map(|(reason, _)| *reason);
        let by_domain = self.scope.as_ref().err().copied();
        let mut refusals: Vec<_> = by_rule.chain(by_domain).collect();
        refusals.extend(self.is_blocked().then_some(Reason::ThirdPartyRefused));
        refusals.sort_unstable();
        let Self { cookie, mut notes, .. } = self;
        notes.sort_unstable();
        Judged { cookie: Some(cookie), refusals, notes }
    }

    fn is_blocked(&self) -> bool {
        let blocks = match self.third_party {
            ThirdParty::Blocked => true,
            ThirdParty::Allowed | ThirdParty::Separated => false,
        };
        blocks && !self.place.first_party && !self.line.partitioned
    }

    fn is_secure(&self) -> bool {
        self.place.is_secure(self.traits)
    }

    fn is_restricted(&self) -> bool {
        match self.line.same_site {
            Some(SameSite::Strict | SameSite::Lax) => true,
            Some(SameSite::None) => false,
            None => self.traits.unset != Unset::Unrestricted,
        }
    }

    fn is_host_prefixed(&self) -> bool {
        self.prefix.is_some_and(Prefix::binds_to_host)
    }

    fn is_http_prefixed(&self) -> bool {
        self.prefix.is_some_and(Prefix::hides_from_scripts)
    }

    fn is_bound_to_host(&self) -> bool {
        let own_address = || {
            let address = self.place.address;
            address.is_ip() && self.line.domain_text == address.host().as_bytes()
        };
        if self.traits.reads_text {
            self.line.domain_text.is_empty() || own_address()
        } else {
            self.cookie.host_only && self.scope.is_ok()
        }
    }

    fn says_root_path(&self) -> bool {
        match self.line.path {
            None => false,
            Some(path) if self.traits.reads_text => path == Some(b"/"),
            Some(_) => self.cookie.path == b"/",
        }
    }
}

/// The prefix that this family knows, compared without regard to case.
fn prefix_of(name: &[u8], traits: &Traits) -> Option<Prefix> {
    match Prefix::of_octets(name)? {
        Prefix::Http if !traits.http_prefixes => None,
        Prefix::HostHttp if !traits.http_prefixes => Some(Prefix::Host),
        known @ (Prefix::Secure | Prefix::Host | Prefix::Http | Prefix::HostHttp) => Some(known),
    }
}

/// RFC 6265bis section 5.7, steps 7 to 10.
fn scope(line: &Line<'_>, address: &Address, traits: &Traits) -> Result<Scope, Reason> {
    let host = address.host();
    let own = |host_only, note| Scope { domain: host.to_owned(), host_only, note };
    if line.domain.is_empty() {
        let says_dot = traits.dot_is_domain && !line.domain_text.is_empty();
        return if says_dot { Err(Reason::DomainDoesNotCover) } else { Ok(own(true, None)) };
    }
    let domain = canonical(line.domain, traits).ok_or(Reason::DomainNotAscii)?;
    if address.is_ip() && domain == host {
        return Ok(own(traits.ip_is_host, None));
    }
    let is_wide = traits.extends_wildcards && is_public_suffix(&format!("*.{domain}"));
    match (is_wide || is_public_suffix(&domain), domain == host) {
        (true, true) => Ok(own(true, Some(Reason::DomainIsOwnSuffix))),
        (true, false) => Err(Reason::DomainIsPublicSuffix),
        (false, _) if !address.domain_matches(&domain) => Err(Reason::DomainDoesNotCover),
        (false, _) if traits.keeps_to_site && registrable(&domain) != address.site().domain() => {
            Err(Reason::DomainIsPublicSuffix)
        }
        (false, _) => Ok(Scope { domain, host_only: false, note: None }),
    }
}

/// In lower case, and in ASCII.
fn canonical(domain: &[u8], traits: &Traits) -> Option<String> {
    let text = std::str::from_utf8(domain).ok()?;
    if text.is_ascii() {
        return Some(text.to_ascii_lowercase());
    }
    // Reading a host would decode what is written with a percent sign, which no browser does here.
    let is_mapped = traits.maps_domain && !text.contains('%');
    match Host::parse(text).ok().filter(|_| is_mapped)? {
        Host::Domain(name) => Some(name.strip_prefix('.').unwrap_or(&name).to_owned()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// When the cookie ends (RFC 6265bis section 5.7 step 6), with second 0 for one that is over.
fn end(
    line: &Line<'_>,
    now: u64,
    script: bool,
    traits: &Traits,
    notes: &mut Vec<Reason>,
) -> Option<u64> {
    let start = i64::try_from(now).unwrap_or(i64::MAX);
    let age = match (line.max_age, line.expires) {
        (Some(age), _) => age,
        (None, Some(date)) => date.saturating_sub(start),
        (None, None) => return None,
    };
    let age = u64::try_from(age).unwrap_or_default();
    if age == 0 {
        return Some(0);
    }
    let script_age = traits.script_age.filter(|_| script);
    let (limit, reason) = script_age
        .map_or((MAX_AGE.as_secs(), Reason::AgeCapped), |age| (age, Reason::ScriptAgeCapped));
    if age > limit {
        notes.push(reason);
    }
    Some(now.saturating_add(age.min(limit)))
}
