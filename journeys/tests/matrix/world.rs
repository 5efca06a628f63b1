//! One browser, one site, and the names under which the browser reaches it.

use crate::site::{Site, encoded};
use cloakroom_journeys::Failure;
use cloakroom_journeys::chrome::{Browser, Context, Options, Page};
use cloakroom_journeys::deadline::poll;
use cloakroom_journeys::nginx::Nginx;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One fact.
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) expected: String,
    pub(crate) observed: String,
    /// What the jar of `cloakroom-cookie` says.
    pub(crate) told: String,
}

impl Row {
    /// A row whose outcome is what was observed, or why nothing could be.
    pub(crate) fn new(
        case: impl Into<String>,
        expected: impl Into<String>,
        observed: Result<String, Failure>,
    ) -> Self {
        let observed = observed.unwrap_or_else(|failure| failure.to_string());
        Self { case: case.into(), expected: expected.into(), observed, told: String::new() }
    }

    /// With what the jar says.
    pub(crate) fn told(mut self, told: impl Into<String>) -> Self {
        self.told = told.into();
        self
    }
}

/// One jar and one tab.
pub(crate) struct Person {
    pub(crate) page: Page,
    pub(crate) context: Context,
}

pub(crate) struct World {
    // Making a person takes longer than most experiments.
    people: Mutex<Vec<Arc<Person>>>,
    pub(crate) browser: Browser,
    pub(crate) site: Site,
    pub(crate) front: Nginx,
}

impl World {
    pub(crate) fn new() -> Self {
        let site = Site::open();
        let front = Nginx::tls_front(site.port(), "a.test").unwrap();
        let options = Options::new().trust(front.key_hash()).allow_third_party_cookies();
        let browser = Browser::launch(&options).unwrap();
        Self { people: Mutex::default(), browser, site, front }
    }

    /// The address with the port it is served on: `https://` by nginx, `http://` by the site.
    pub(crate) fn url(&self, address: &str) -> String {
        let (scheme, rest) = address.split_once("://").unwrap();
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let port = if scheme == "https" { self.front.port() } else { self.site.port() };
        format!("{scheme}://{host}:{port}/{path}")
    }

    /// The address of a page that sets these cookies.
    pub(crate) fn setting<L: AsRef<[u8]>>(&self, address: &str, lines: &[L]) -> String {
        let query: Vec<_> = lines.iter().map(|line| format!("c={}", encoded(line))).collect();
        format!("{}?{}", self.url(address), query.join("&"))
    }

    /// An empty jar with one open page, which nobody else uses until it is dropped.
    pub(crate) fn person(&self) -> Result<Arc<Person>, Failure> {
        let mut people = self.people.lock().unwrap();
        if let Some(person) = people.iter().find(|person| Arc::strong_count(person) == 1) {
            person.context.clear_cookies()?;
            return Ok(Arc::clone(person));
        }
        let context = self.browser.context()?;
        let person = Arc::new(Person { page: context.page()?, context });
        people.push(Arc::clone(&person));
        Ok(person)
    }

    /// What the browser sends when somebody types this address.
    pub(crate) fn sent(&self, page: &Page, address: &str) -> Result<String, Failure> {
        let tag = self.site.tag();
        page.goto(&format!("{}?tag={tag}", self.url(address)))?;
        self.site.cookies_of(&tag)
    }

    /// What becomes of a cookie that a response at this address sets in an empty jar: `kept`, or
    /// `refused` with the browser's reasons.
    pub(crate) fn verdict(&self, address: &str, line: &str) -> Result<String, Failure> {
        // A new page knows no earlier refusals.
        let context = self.browser.context()?;
        let page = context.page()?;
        page.goto(&self.setting(address, &[line]))?;
        if !context.cookies()?.is_empty() {
            return Ok("kept".to_owned());
        }
        // The reasons are told apart from the load of the page, and may come later.
        let told = || page.blocked_cookies().pop();
        let blocked = poll("a reason", Duration::from_secs(20), told);
        Ok(blocked.map_or_else(
            |_none| "refused".into(),
            |one| format!("refused: {}", one.reasons.join(", ")),
        ))
    }

    /// Seconds since 1970 on the browser's clock.
    pub(crate) fn now(page: &Page) -> Result<u64, Failure> {
        Ok(page.eval("Math.floor(Date.now() / 1000)")?.as_u64().unwrap_or_default())
    }
}

/// The places as a list.
pub(crate) fn listed(places: &[&str]) -> String {
    if places.is_empty() { "nowhere".to_owned() } else { places.join(", ") }
}
