//! A browser on a site: it keeps cookies as browsers do, and can be made to send others.

use crate::ask::{Ask, Fetch, Silence};
use crate::exchange::{Exchange, Headers, Probe};
use crate::site::Site;
use cloakroom_cookie::browser::{Address, Browser, Jar, Page, Request, Verdict};
use std::fmt;
use std::time::Duration;
use url::Url;

/// A visitor follows this many redirects, as the fetch standard does.
pub const REDIRECTS_MOST: usize = 20;

/// A browser on a [`Site`]. Its clone is a second one that holds the same cookies.
///
/// Cookies are kept and sent as Chromium does it: a cookie that no browser keeps is not sent back
/// either. What is sent can be tampered with: see [`without`](Self::without) and [`with`](Self::with).
pub struct Visitor<'s, F> {
    site: &'s Site<F>,
    jar: Jar,
    tampered: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    probe: Probe,
    /// Where the last navigation ended: what a browser names as the page that asks.
    page: Option<Address>,
    keeps_log: bool,
}

impl<'s, F: Fetch> Visitor<'s, F> {
    pub(crate) fn new(site: &'s Site<F>) -> Self {
        let jar = Jar::new(Browser::chromium(), site.fetch().now().as_secs());
        Self { site, jar, tampered: Vec::new(), probe: Probe::Visit, page: None, keeps_log: true }
    }

    /// With this reason for its requests.
    #[must_use]
    pub const fn because(mut self, probe: Probe) -> Self {
        self.probe = probe;
        self
    }

    /// Its exchanges stay out of the site's log: they are an experiment, and no ordinary visit.
    #[must_use]
    pub const fn quietly(mut self) -> Self {
        self.keeps_log = false;
        self
    }

    /// The site.
    pub const fn site(&self) -> &'s Site<F> {
        self.site
    }

    /// Its cookies.
    pub const fn jar(&self) -> &Jar {
        &self.jar
    }

    /// Its cookies, to be changed.
    pub const fn jar_mut(&mut self) -> &mut Jar {
        &mut self.jar
    }

    /// Never sends the cookie of this name, whatever the jar holds.
    #[must_use]
    pub fn without(mut self, name: &[u8]) -> Self {
        self.tampered.push((name.to_vec(), None));
        self
    }

    /// Sends this value for the name, whatever the jar holds.
    #[must_use]
    pub fn with(mut self, name: &[u8], value: &[u8]) -> Self {
        self.tampered.push((name.to_vec(), Some(value.to_vec())));
        self
    }

    /// Asks once, with the cookies that a browser would send, and keeps the cookies that come.
    ///
    /// A `Cookie` field of the request stays as it is and nothing is added to it. Browsers say more about
    /// a request than cookies; this adds what sites decide by: `Origin` and `Sec-Fetch-*` where the request
    /// has none, as for a form or link on a page of the same origin.
    ///
    /// # Errors
    ///
    /// [`Silence`], as from [`Site::ask`].
    pub async fn go(&mut self, ask: &Ask) -> Result<Exchange, Silence> {
        let outside = || Silence::OutOfScope("no web address".to_owned());
        let address = Address::parse(&ask.url).map_err(|_| outside())?;
        let request = self.request(&address, &ask.method);
        self.wind(self.site.fetch().now());
        let mut sent = ask.clone();
        self.dress(&mut sent, &request, &address);
        let answer = if self.keeps_log {
            self.site.ask(&sent, self.probe).await
        } else {
            self.site.ask_quietly(&sent, self.probe).await
        };
        let exchange = answer?;
        let _ = self.take_in(&request, &exchange);
        if !is_redirect(exchange.status()) {
            self.page = Some(address);
        }
        Ok(exchange)
    }

    /// Asks, and follows redirects within the scope: at most [`REDIRECTS_MOST`]. Gives every exchange; the
    /// last one is where it ended, which is a redirect if it leads out of the scope or on and on.
    ///
    /// # Errors
    ///
    /// [`Silence`], as from [`Site::ask`].
    pub async fn follow(&mut self, ask: &Ask) -> Result<Vec<Exchange>, Silence> {
        let mut hops = vec![self.go(ask).await?];
        let mut asked = ask.clone();
        while hops.len() <= REDIRECTS_MOST
            && let Some(next) = hops.last().and_then(|last| redirected(&asked, last))
            && Address::parse(&next.url).is_ok_and(|address| self.site.is_in_scope(&address))
        {
            hops.push(self.go(&next).await?);
            asked = next;
        }
        Ok(hops)
    }

    /// What its cookies are for this address, as a `Cookie` field, tampering included; empty if none.
    pub fn cookies_for(&mut self, address: &Address) -> Vec<u8> {
        let request = self.request(address, "GET");
        self.cookie_field(&request)
    }

    fn request(&self, address: &Address, method: &str) -> Request {
        match &self.page {
            Some(page) => {
                Request::navigation(address.clone(), &Page::top(page.clone())).method(method)
            }
            None => Request::typed(address.clone()).method(method),
        }
    }

    /// Moves the jar's clock to the site's.
    fn wind(&mut self, now: Duration) {
        let passed = now.as_secs().saturating_sub(self.jar.now());
        self.jar.advance(Duration::from_secs(passed));
    }

    fn cookie_field(&mut self, request: &Request) -> Vec<u8> {
        let field = self.jar.header(request);
        // Reports and scripts know names as text, which octets beyond UTF-8 are not.
        let is_tampered = |name: &[u8]| {
            let text = String::from_utf8_lossy(name);
            self.tampered.iter().any(|(known, _)| known == name || known == text.as_bytes())
        };
        let kept = cloakroom_cookie::pairs(&field).filter(|pair| !is_tampered(pair.name()));
        let mut parts: Vec<Vec<u8>> = kept.map(|pair| joined(pair.name(), pair.value())).collect();
        let added = self.tampered.iter();
        parts.extend(added.filter_map(|(name, value)| Some(joined(name, value.as_deref()?))));
        if self.tampered.is_empty() { field } else { parts.join(&b"; "[..]) }
    }

    fn dress(&mut self, ask: &mut Ask, request: &Request, address: &Address) {
        let has = |headers: &Headers, name: &str| headers.all(name).next().is_some();
        if !has(&ask.headers, "cookie") {
            let field = self.cookie_field(request);
            if !field.is_empty() {
                ask.headers.push("cookie", field);
            }
        }
        let is_safe = matches!(ask.method.as_str(), "GET" | "HEAD");
        if !is_safe && !has(&ask.headers, "origin") && !has(&ask.headers, "sec-fetch-site") {
            ask.headers.push("origin", origin(address));
            ask.headers.push("sec-fetch-site", "same-origin");
            if !has(&ask.headers, "referer")
                && let Some(page) = &self.page
            {
                ask.headers.push("referer", page.to_string());
            }
        }
    }

    /// Keeps the cookies of an answer to a request that it did not send itself.
    pub(crate) fn hear(&mut self, answer: &Exchange) {
        if let Ok(address) = Address::parse(answer.url()) {
            let request = self.request(&address, "GET");
            let _ = self.take_in(&request, answer);
        }
    }

    fn take_in(&mut self, request: &Request, exchange: &Exchange) -> Vec<Verdict> {
        let lines = exchange.response.all("set-cookie");
        let verdicts = lines.map(|line| self.jar.receive(request, line)).collect();
        if exchange.response.words("clear-site-data").contains("cookies") {
            self.jar.clear_site_data(request.address());
        }
        verdicts
    }
}

impl<F> Clone for Visitor<'_, F> {
    fn clone(&self) -> Self {
        Self {
            site: self.site,
            jar: self.jar.clone(),
            tampered: self.tampered.clone(),
            probe: self.probe,
            page: self.page.clone(),
            keeps_log: self.keeps_log,
        }
    }
}

impl<F> fmt::Debug for Visitor<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor")
            .field("site", &self.site)
            .field("cookies", &self.jar.cookies().len())
            .field("probe", &self.probe)
            .finish_non_exhaustive()
    }
}

/// The origin of an address, as the `Origin` field says it.
///
/// ```
/// use cloakroom_audit::origin;
/// use cloakroom_cookie::browser::Address;
///
/// assert_eq!(origin(&Address::parse("https://shop.example:443/cart")?), "https://shop.example");
/// assert_eq!(origin(&Address::parse("http://localhost:3000/")?), "http://localhost:3000");
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
pub fn origin(address: &Address) -> String {
    let url = Url::parse(&address.to_string());
    url.map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

fn joined(name: &[u8], value: &[u8]) -> Vec<u8> {
    [name, value].join(&b'=')
}

const fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// What a browser asks after this answer. After 303, and after 301 and 302 to a `POST`, it asks with `GET`
/// and without the body (fetch standard, HTTP-redirect fetch).
fn redirected(asked: &Ask, answer: &Exchange) -> Option<Ask> {
    let status = answer.status();
    if !is_redirect(status) {
        return None;
    }
    let location = answer.response.text("location")?;
    let url = Url::parse(answer.url()).ok()?.join(&location).ok()?;
    let becomes_get = match status {
        303 => asked.method != "HEAD",
        301 | 302 => asked.method == "POST",
        _ => false,
    };
    let mut next = Ask { url: url.into(), ..asked.clone() };
    // Where it comes from is said anew: for the page and the method that the next request has.
    for name in ["origin", "referer", "sec-fetch-site"] {
        next.headers.remove(name);
    }
    if becomes_get {
        next.method = "GET".to_owned();
        next.body = Vec::new();
        next.headers.remove("content-type");
    }
    Some(next)
}
