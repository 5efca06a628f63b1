//! All the cookies of one browser, and its clock.

use super::address::Address;
use super::evict::make_room;
use super::family::{GRACE, Traits, Unset};
use super::judge::Browser;
use super::reason::Reason;
use super::request::{Page, Place, Reach, Request};
use super::stored::StoredCookie;
use super::verdict::Verdict;
use crate::SameSite;
use std::fmt;
use std::time::Duration;

/// The cookies of one browser, with a clock that stands still until it is moved.
///
/// It holds what its [family](super::Family) would hold: at most 3300 cookies of at most 4096 octets
/// and a path, and fewer for one site. What is over is gone at once.
///
/// ```
/// use cloakroom_cookie::browser::{Address, Browser, Jar, Page, Request};
/// use std::time::Duration;
///
/// let mut jar = Jar::new(Browser::chromium(), 1_790_000_000);
/// let login = Request::typed(Address::parse("https://shop.example/login")?);
/// let verdict = jar.receive(&login, b"__Host-id=7; Path=/; Secure; HttpOnly; Max-Age=60");
/// assert!(verdict.is_stored());
///
/// let shop = Address::parse("https://shop.example/cart")?;
/// assert_eq!(jar.header(&Request::typed(shop.clone())), b"__Host-id=7");
///
/// // A form on another site: the cookie has no SameSite, and its two minutes are over later.
/// let news = Page::top(Address::parse("https://news.example/")?);
/// let form = Request::navigation(shop, &news).method("POST");
/// assert_eq!(jar.header(&form), b"__Host-id=7");
///
/// jar.advance(Duration::from_secs(60));
/// assert_eq!(jar.cookies().count(), 0);
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Jar {
    browser: Browser,
    now: u64,
    /// In the order of creation, which decides between equals.
    cookies: Vec<StoredCookie>,
}

/// A cookie of the site that a request goes to, and what keeps it from being sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery<'j> {
    /// The cookie.
    pub cookie: &'j StoredCookie,
    /// Why it is not sent; empty if it is.
    pub withheld: Vec<Reason>,
}

impl Jar {
    /// An empty jar at the time `now`, in seconds since the Unix epoch.
    pub const fn new(browser: Browser, now: u64) -> Self {
        Self { browser, now, cookies: Vec::new() }
    }

    pub(super) fn with(browser: Browser, now: u64, cookies: Vec<StoredCookie>) -> Self {
        let mut jar = Self { browser, now, cookies };
        jar.expire();
        jar
    }

    /// The browser.
    pub const fn browser(&self) -> &Browser {
        &self.browser
    }

    /// The time on the clock, in seconds since the Unix epoch.
    pub const fn now(&self) -> u64 {
        self.now
    }

    /// Moves the clock on. Cookies whose time is over then are gone.
    pub fn advance(&mut self, by: Duration) {
        self.now = self.now.saturating_add(by.as_secs());
        self.expire();
    }

    /// Every cookie, in the order in which they were set.
    pub fn cookies(&self) -> impl ExactSizeIterator<Item = &StoredCookie> {
        self.cookies.iter()
    }

    /// Takes one `Set-Cookie` line of the response to `request`.
    pub fn receive(&mut self, request: &Request, line: &[u8]) -> Verdict {
        self.store(&request.place(self.browser.traits()), line)
    }

    /// Takes what a script of `page` gives to `document.cookie`.
    pub fn set_by_script(&mut self, page: &Page, line: &[u8]) -> Verdict {
        self.store(&Place::of_script(page, self.browser.traits()), line)
    }

    /// The `Cookie` header that `request` carries; empty if it carries none.
    ///
    /// Cookies with longer paths come first, then those that were set first (RFC 6265bis section
    /// 5.8.3). The ones that are sent count as used now, which decides who goes when there are too many.
    pub fn header(&mut self, request: &Request) -> Vec<u8> {
        self.retrieve(&request.place(self.browser.traits()))
    }

    /// What a script of `page` reads from `document.cookie`, as octets.
    pub fn read_by_script(&mut self, page: &Page) -> Vec<u8> {
        self.retrieve(&Place::of_script(page, self.browser.traits()))
    }

    /// For each cookie of the site that `request` goes to, whether it is sent or why not.
    ///
    /// ```
    /// use cloakroom_cookie::browser::{Address, Browser, Jar, Page, Reason, Request};
    ///
    /// let mut jar = Jar::new(Browser::chromium(), 0);
    /// let shop = Request::typed(Address::parse("https://shop.example/")?);
    /// let _ = jar.receive(&shop, b"id=1; Secure; SameSite=Strict");
    ///
    /// let plain = Request::typed(Address::parse("http://shop.example/")?);
    /// let why: Vec<_> = jar.explain(&plain).into_iter().map(|one| one.withheld).collect();
    /// assert_eq!(why, [[Reason::SecureToPlainHttp]]);
    /// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
    /// ```
    pub fn explain(&self, request: &Request) -> Vec<Delivery<'_>> {
        let place = request.place(self.browser.traits());
        let site = place.address.site().domain();
        // A domain above the site counts as well, where a family keeps one.
        let of_site = |cookie: &&StoredCookie| {
            super::address::registrable(&cookie.domain) == site || cookie.is_for_host(place.address)
        };
        let found = self.cookies.iter().filter(of_site);
        let deliveries =
            found.map(|cookie| Delivery { cookie, withheld: self.withheld(cookie, &place) });
        deliveries.collect()
    }

    /// The same for what a script of `page` sees.
    pub fn explain_script(&self, page: &Page) -> Vec<Delivery<'_>> {
        let place = Place::of_script(page, self.browser.traits());
        let cookies = self.cookies.iter().filter(|cookie| cookie.is_for_host(place.address));
        cookies.map(|cookie| Delivery { cookie, withheld: self.withheld(cookie, &place) }).collect()
    }

    /// Ends the browser's session: cookies without a lifetime of their own are gone.
    ///
    /// ```
    /// use cloakroom_cookie::browser::{Address, Browser, Jar, Request};
    ///
    /// let mut jar = Jar::new(Browser::standard(), 0);
    /// let shop = Request::typed(Address::parse("https://shop.example/")?);
    /// for line in ["session=1", "kept=1; Max-Age=60"] {
    ///     let _ = jar.receive(&shop, line.as_bytes());
    /// }
    /// jar.restart();
    /// assert_eq!(jar.header(&shop), b"kept=1");
    /// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
    /// ```
    pub fn restart(&mut self) {
        self.cookies.retain(|cookie| cookie.expires.is_some());
    }

    /// Does what `Clear-Site-Data: "cookies"` in a response from `address` does: every cookie of its
    /// registrable domain is gone. Nothing happens over a connection that is not secure.
    pub fn clear_site_data(&mut self, address: &Address) {
        let traits = self.browser.traits();
        let secure = address.is_encrypted() || (traits.trusts_loopback && address.is_loopback());
        let site = address.site().domain();
        self.cookies
            .retain(|cookie| !secure || super::address::registrable(&cookie.domain) != site);
    }

    fn expire(&mut self) {
        let now = self.now;
        self.cookies.retain(|cookie| !cookie.is_expired(now));
    }

    fn store(&mut self, place: &Place<'_>, line: &[u8]) -> Verdict {
        let mut judged = self.browser.judged(place, line, self.now);
        if let Some(cookie) = &judged.cookie {
            judged.refusals.extend(self.in_the_way(cookie, place));
            judged.refusals.sort_unstable();
        }
        let verdict = judged.into_verdict();
        let crowded_out = match verdict.cookie() {
            Some(cookie) => self.insert(cookie.clone()),
            None => Vec::new(),
        };
        verdict.with_crowded_out(crowded_out)
    }

    /// What the cookies that are there have against a new one.
    fn in_the_way(&self, new: &StoredCookie, place: &Place<'_>) -> Vec<Reason> {
        let plain = !new.secure && !place.is_secure(self.browser.traits());
        let guarded = plain && self.cookies.iter().any(|cookie| cookie.guards_against(new));
        let hidden = |cookie: &StoredCookie| cookie.http_only && cookie.is_twin_of(new);
        let hidden = place.script && self.cookies.iter().any(hidden);
        let found = [(guarded, Reason::OverwritesSecure), (hidden, Reason::OverwritesHttpOnly)];
        found.into_iter().filter_map(|(applies, reason)| applies.then_some(reason)).collect()
    }

    /// RFC 6265bis section 5.7, steps 23 and 24, and what has to go for it.
    fn insert(&mut self, mut cookie: StoredCookie) -> Vec<StoredCookie> {
        let twin = self.cookies.iter().position(|old| old.is_twin_of(&cookie));
        let over = cookie.is_expired(self.now);
        let renews = self.browser.traits().change_renews;
        match twin.map(|at| (at, self.cookies.remove(at))) {
            _ if over => return Vec::new(),
            Some((at, old)) if !renews || old.value == cookie.value => {
                cookie.created = old.created;
                self.cookies.insert(at, cookie.clone());
            }
            Some(_) | None => self.cookies.push(cookie.clone()),
        }
        make_room(&mut self.cookies, &cookie, &self.browser.traits().limits)
    }

    fn retrieve(&mut self, place: &Place<'_>) -> Vec<u8> {
        let sent: Vec<_> =
            self.cookies.iter().map(|cookie| self.withheld(cookie, place).is_empty()).collect();
        let now = self.now;
        let chosen = self.cookies.iter_mut().zip(sent).filter(|(_, sent)| *sent);
        let mut found: Vec<_> = chosen
            .map(|(cookie, _)| {
                cookie.used = now;
                &*cookie
            })
            .collect();
        found.sort_by_key(|cookie| (std::cmp::Reverse(cookie.path.len()), cookie.created));
        written(&found)
    }

    fn withheld(&self, cookie: &StoredCookie, place: &Place<'_>) -> Vec<Reason> {
        let asked = Asked {
            cookie,
            place,
            traits: self.browser.traits(),
            leaves_out: self.browser.leaves_out(place),
            age: self.now.saturating_sub(cookie.created),
        };
        let rules = WITHHOLDING.iter().filter(|(_, applies)| applies(&asked));
        rules.map(|(reason, _)| *reason).collect()
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jar")
            .field("browser", &self.browser)
            .field("now", &self.now)
            .field("cookies", &self.cookies)
            .finish()
    }
}

/// What the rules about sending look at.
struct Asked<'a> {
    cookie: &'a StoredCookie,
    place: &'a Place<'a>,
    traits: &'static Traits,
    leaves_out: bool,
    age: u64,
}

type Rule = (Reason, fn(&Asked<'_>) -> bool);

/// Everything that keeps a cookie from being sent (RFC 6265bis section 5.8.3).
const WITHHOLDING: [Rule; 10] = [
    (Reason::OtherHost, |a| !a.cookie.is_for_host(a.place.address)),
    (Reason::OtherPath, |a| !a.cookie.is_for_path(a.place.address)),
    (Reason::SecureToPlainHttp, |a| a.cookie.secure && !a.place.is_secure(a.traits)),
    (Reason::HiddenFromScript, |a| a.cookie.http_only && a.place.script),
    (Reason::StrictCrossSite, |a| {
        a.cookie.same_site == Some(SameSite::Strict) && a.place.reach < Reach::Strict
    }),
    (Reason::LaxCrossSite, |a| {
        a.cookie.same_site == Some(SameSite::Lax) && a.place.reach < Reach::Lax
    }),
    (Reason::UnsetCrossSite, |a| a.cookie.same_site.is_none() && a.place.reach < a.unset_needs()),
    (Reason::OtherPartition, |a| {
        a.cookie.partition.as_ref().is_some_and(|partition| *partition != a.place.partition)
    }),
    (Reason::ThirdPartyWithheld, |a| a.leaves_out && a.cookie.partition.is_none()),
    (Reason::CredentialsOmitted, |a| !a.place.credentials),
];

impl Asked<'_> {
    /// What a request must reach for a cookie without `SameSite`.
    const fn unset_needs(&self) -> Reach {
        match self.traits.unset {
            Unset::Unrestricted => Reach::CrossSite,
            Unset::LaxAfterGrace if self.age <= GRACE => Reach::LaxUnsafe,
            Unset::Lax | Unset::LaxAfterGrace => Reach::Lax,
        }
    }
}

/// RFC 6265bis section 5.8.3, last step: a cookie without a name is its value alone.
fn written(cookies: &[&StoredCookie]) -> Vec<u8> {
    let pair = |cookie: &&StoredCookie| {
        let equals: &[u8] = if cookie.name.is_empty() { b"" } else { b"=" };
        [&cookie.name[..], equals, &cookie.value].concat()
    };
    cookies.iter().map(pair).collect::<Vec<_>>().join(&b"; "[..])
}
