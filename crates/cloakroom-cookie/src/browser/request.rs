//! Who asks for what: pages, and the requests that they or their user cause.

use super::address::Address;
use super::family::Traits;
use super::stored::Partition;

/// A document in a browser: in a tab of its own, or framed by others.
///
/// ```
/// use cloakroom_cookie::browser::{Address, Page};
///
/// let shop = Page::top(Address::parse("https://shop.example/")?);
/// let widget = shop.frame(Address::parse("https://pay.example/widget")?);
/// assert_eq!(widget.top_level().host(), "shop.example");
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    address: Address,
    /// From the top down.
    ancestors: Vec<Address>,
}

impl Page {
    /// The document of a tab or window.
    pub const fn top(address: Address) -> Self {
        Self { address, ancestors: Vec::new() }
    }

    /// A document in a frame of this one.
    pub fn frame(&self, address: Address) -> Self {
        let mut ancestors = self.ancestors.clone();
        ancestors.push(self.address.clone());
        Self { address, ancestors }
    }

    /// Its own address.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The address in the address bar.
    pub fn top_level(&self) -> &Address {
        self.ancestors.first().unwrap_or(&self.address)
    }

    /// Whether every document from the top down to this one is of the same site as `address`: the
    /// "site for cookies" (RFC 6265bis section 5.2.1).
    fn is_all_of(&self, address: &Address, schemeful: bool) -> bool {
        let mut chain = self.ancestors.iter().chain([&self.address]);
        chain.all(|document| document.site().is_same(address.site(), schemeful))
    }

    /// The place of what this page asks of `address` (CHIPS section 2.2).
    fn partition_for(&self, address: &Address, opaque: bool) -> Partition {
        let site = self.top_level().site().clone();
        Partition::new(site, opaque || !self.is_all_of(address, true))
    }
}

/// Whether a request may carry cookies, as `fetch` says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credentials {
    /// Wherever it goes: what navigations, frames, images and scripts do.
    #[default]
    Include,
    /// To the origin of the page only: what `fetch` does when nothing is said.
    SameOrigin,
    /// Never.
    Omit,
}

/// One request of a browser, with what decides about its cookies.
///
/// ```
/// use cloakroom_cookie::browser::{Address, Page, Request};
///
/// let shop = Address::parse("https://shop.example/pay")?;
/// let news = Page::top(Address::parse("https://news.example/")?);
/// // The address bar, a link and a form on a page of another site, and an image there.
/// let _typed = Request::typed(shop.clone());
/// let _link = Request::navigation(shop.clone(), &news);
/// let _form = Request::navigation(shop.clone(), &news).method("POST");
/// let _image = Request::embedded(shop, &news);
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    address: Address,
    page: Option<Page>,
    embedded: bool,
    safe: bool,
    redirects: Vec<Address>,
    credentials: Credentials,
    opaque: bool,
}

impl Request {
    /// A navigation that the person started: the address bar, a bookmark, another program.
    pub const fn typed(address: Address) -> Self {
        Self {
            address,
            page: None,
            embedded: false,
            safe: true,
            redirects: Vec::new(),
            credentials: Credentials::Include,
            opaque: false,
        }
    }

    /// A navigation of a whole tab that a page started: a link, a form, a script, a new window.
    pub fn navigation(address: Address, page: &Page) -> Self {
        Self { page: Some(page.clone()), ..Self::typed(address) }
    }

    /// What a page loads into itself: a frame, a form's answer in a frame, an image, a `fetch`.
    pub fn embedded(address: Address, page: &Page) -> Self {
        Self { embedded: true, ..Self::navigation(address, page) }
    }

    /// With this method. `GET`, `HEAD`, `OPTIONS` and `TRACE` are safe, in upper case.
    pub fn method(mut self, method: &str) -> Self {
        self.safe = matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
        self
    }

    /// After redirects by these addresses, in their order.
    pub fn redirected_by(mut self, hops: impl IntoIterator<Item = Address>) -> Self {
        self.redirects = hops.into_iter().collect();
        self
    }

    /// With or without cookies, as `fetch` says it.
    pub const fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Started by a sandboxed page or a `data:` address, which is of no site.
    pub const fn from_nowhere(mut self) -> Self {
        self.opaque = true;
        self
    }

    /// Where it goes.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// What lies between the person and this request.
    pub(super) fn place(&self, traits: &Traits) -> Place<'_> {
        Place {
            address: &self.address,
            reach: self.reach(traits),
            first_party: self.is_first_party(traits.schemeful),
            partition: match &self.page {
                Some(page) if self.embedded => page.partition_for(&self.address, self.opaque),
                Some(_) | None => Partition::new(self.address.site().clone(), false),
            },
            script: false,
            credentials: self.has_credentials(),
        }
    }

    fn reach(&self, traits: &Traits) -> Reach {
        let same = |other: &Address| other.site().is_same(self.address.site(), traits.schemeful);
        let by_same = self.page.as_ref().is_none_or(|page| same(page.address()));
        let detour = traits.minds_redirects && !self.redirects.iter().all(same);
        let own = self.is_first_party(traits.schemeful) && by_same && !self.opaque && !detour;
        match (own, self.embedded) {
            (true, _) => Reach::Strict,
            // `Lax` spares whole tabs alone.
            (false, true) => Reach::CrossSite,
            (false, false) if self.safe => Reach::Lax,
            (false, false) => Reach::LaxUnsafe,
        }
    }

    /// A tab's own document is always first-party; the rest if everything around it is of its site,
    /// which what comes from nowhere is not.
    fn is_first_party(&self, schemeful: bool) -> bool {
        match &self.page {
            Some(page) if self.embedded => !self.opaque && page.is_all_of(&self.address, schemeful),
            Some(_) | None => true,
        }
    }

    fn has_credentials(&self) -> bool {
        match (self.credentials, &self.page) {
            (Credentials::Include, _) | (Credentials::SameOrigin, None) => true,
            (Credentials::SameOrigin, Some(page)) => {
                !self.opaque && page.address().is_same_origin(&self.address)
            }
            (Credentials::Omit, _) => false,
        }
    }
}

/// The strictest cookies that a request reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    CrossSite,
    /// A navigation by another site, with `POST` say.
    LaxUnsafe,
    Lax,
    Strict,
}

/// Where a cookie is set or asked for.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) address: &'a Address,
    pub(super) reach: Reach,
    pub(super) first_party: bool,
    pub(super) partition: Partition,
    /// `document.cookie`, which the standard calls a "non-HTTP" API.
    pub(super) script: bool,
    pub(super) credentials: bool,
}

impl<'a> Place<'a> {
    /// A script of this page.
    pub(super) fn of_script(page: &'a Page, traits: &Traits) -> Self {
        let first_party = page.is_all_of(page.address(), traits.schemeful);
        Self {
            address: page.address(),
            reach: if first_party { Reach::Strict } else { Reach::CrossSite },
            first_party,
            partition: page.partition_for(page.address(), false),
            script: true,
            credentials: true,
        }
    }

    /// Whether the browser counts the connection as secure.
    pub(super) fn is_secure(&self, traits: &Traits) -> bool {
        self.address.is_encrypted() || (traits.trusts_loopback && self.address.is_loopback())
    }
}
