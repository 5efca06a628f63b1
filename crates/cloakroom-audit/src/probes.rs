//! Questions beside the ordinary visit: what strangers are given, what becomes of planted cookies, and what
//! goes out in clear. Nobody signs in, and every request is a `GET`.

use crate::ask::{Ask, Fetch, Silence};
use crate::crawl::{Doing, SILENT_MOST, Watch};
use crate::exchange::{Exchange, Probe};
use crate::line::Line;
use crate::observed::{Declared, Observed};
use crate::planted::planted;
use crate::role::Role;
use crate::rules::SAMPLES_LEAST;
use crate::site::Site;
use url::Url;

/// Pages that are asked again by strangers and with planted cookies: the start, and the first that set
/// cookies. Further ones are served by the same code.
const PAGES_MOST: usize = 3;
/// Cookies that values are planted for.
const NAMES_MOST: usize = 2;
/// Stands for the session's name where no cookie was set.
const NO_NAME: &str = "session";

/// What is asked beside the ordinary visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbePlan {
    /// Strangers that are given a session, to compare what they are given: at least [`SAMPLES_LEAST`] show
    /// anything, 200 show more. Each may cost the site a session.
    pub samples: usize,
    /// Whether cookies are planted.
    pub plants: bool,
    /// Where the host answers over plain http; see [`plain_address`].
    pub plain: Option<String>,
}

impl Default for ProbePlan {
    fn default() -> Self {
        Self { samples: SAMPLES_LEAST, plants: true, plain: None }
    }
}

/// Where a site over TLS would answer in clear: the same host at port 80. `None` if the site is not at the
/// usual port of TLS, since then nobody knows the other one.
///
/// ```
/// use cloakroom_audit::plain_address;
///
/// assert_eq!(plain_address("https://shop.example/a").as_deref(), Some("http://shop.example/a"));
/// assert_eq!(plain_address("https://localhost:8443/"), None);
/// ```
pub fn plain_address(start: &str) -> Option<String> {
    let mut url = Url::parse(start).ok()?;
    (url.scheme() == "https" && url.port().is_none()).then_some(())?;
    url.set_scheme("http").ok()?;
    Some(url.into())
}

/// Asks what an ordinary visit does not show; what is heard goes into the site's log.
///
/// It comes after the [`crawl`](crate::crawl), since it asks those pages again that set cookies then.
///
/// # Errors
///
/// [`Silence`] if the site does not answer any more; what was heard until then counts.
pub async fn probe<F: Fetch>(
    site: &Site<F>,
    plan: &ProbePlan,
    declared: &Declared,
    watch: Watch<'_>,
) -> Result<(), Silence> {
    let seen = seen(site, declared);
    let mut probes = Probes { site, watch, silent: 0 };
    probes.strangers(&seen.pages, plan.samples, declared).await?;
    if plan.plants {
        probes.plant(&seen).await?;
    }
    if let Some(plain) = &plan.plain {
        watch(&Doing::Plain);
        // That nobody answers there is how it should be.
        let _ = site.ask(&Ask::page(plain), Probe::Plain).await;
    }
    Ok(())
}

/// What the visit showed.
struct Seen {
    /// Pages worth asking again, those that set sessions first after the start.
    pages: Vec<String>,
    /// Names of cookies worth planting.
    names: Vec<String>,
}

fn seen<F: Fetch>(site: &Site<F>, declared: &Declared) -> Seen {
    let observed = observed(site, declared);
    let mut setting: Vec<&Line> = observed.setting().filter(|line| line.name.is_some()).collect();
    setting.sort_by_key(|line| (line.role, line.exchange));
    let gets = |exchange: &&Exchange| exchange.method() == "GET";
    let urls = setting.iter().filter_map(|line| observed.exchange_of(line)).filter(gets);
    let start = observed.exchanges().first();
    let pages = first(start.into_iter().chain(urls).map(|exchange| exchange.url()), PAGES_MOST);
    let mut names = first(names_of(&setting, Role::Session), NAMES_MOST);
    if names.is_empty() {
        let any = setting.iter().map(|line| line.name_text()).next();
        names.push(any.unwrap_or_else(|| NO_NAME.to_owned()));
    }
    Seen { pages, names }
}

fn names_of(setting: &[&Line], role: Role) -> Vec<String> {
    setting.iter().filter(|line| line.role == role).map(|line| line.name_text()).collect()
}

/// The first different ones.
fn first<T: Into<String>>(all: impl IntoIterator<Item = T>, most: usize) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for one in all.into_iter().map(Into::into) {
        if kept.len() < most && !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}

/// What was heard so far, without bodies.
fn observed<F: Fetch>(site: &Site<F>, declared: &Declared) -> Observed {
    let heads = site.look(|all| all.iter().map(Exchange::head).collect());
    Observed::new(heads, declared.clone())
}

struct Probes<'s, F> {
    site: &'s Site<F>,
    watch: Watch<'s>,
    /// Requests in a row without an answer.
    silent: usize,
}

impl<F: Fetch> Probes<'_, F> {
    /// Asks each page as a stranger, and the first one that gives a stranger a session again and again.
    async fn strangers(
        &mut self,
        pages: &[String],
        samples: usize,
        declared: &Declared,
    ) -> Result<(), Silence> {
        for (number, page) in (1..).zip(pages) {
            (self.watch)(&Doing::Stranger { number, most: pages.len() });
            self.stranger(page).await?;
        }
        let Some(giving) = self.page_that_gives(declared) else { return Ok(()) };
        for number in 2..=samples {
            (self.watch)(&Doing::Stranger { number, most: samples });
            let given = self.stranger(&giving).await?;
            if given.is_some_and(|exchange| exchange.response.all("set-cookie").next().is_none()) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The page on which a stranger was given a session.
    fn page_that_gives(&self, declared: &Declared) -> Option<String> {
        let observed = observed(self.site, declared);
        let mut lines =
            observed.setting_role(Role::Session).filter_map(|line| observed.exchange_of(line));
        lines.find(|exchange| exchange.probe == Probe::Stranger).map(|page| page.url().to_owned())
    }

    async fn stranger(&mut self, page: &str) -> Result<Option<Exchange>, Silence> {
        let asked = self.site.visitor().because(Probe::Stranger).go(&Ask::page(page)).await;
        self.heard(asked)
    }

    /// Plants cookies, and looks after each error whether it comes again, and the page is there for others.
    async fn plant(&mut self, seen: &Seen) -> Result<(), Silence> {
        let headers: Vec<_> = seen.names.iter().flat_map(|name| planted(name)).collect();
        let most = headers.len() * seen.pages.len();
        let mut number = 0;
        for page in &seen.pages {
            for plant in &headers {
                number += 1;
                (self.watch)(&Doing::Hostile { number, most });
                if !self.breaks(page, &plant.header).await? {
                    continue;
                }
                if self.is_down(page).await? {
                    return Ok(());
                }
                self.breaks(page, &plant.header).await?;
            }
            self.stranger(page).await?;
        }
        Ok(())
    }

    /// Whether the page does not bear a planted cookie.
    async fn breaks(&mut self, page: &str, header: &[u8]) -> Result<bool, Silence> {
        let ask = Ask::page(page).header("Cookie", header);
        let asked = self.site.visitor().because(Probe::Hostile).go(&ask).await;
        Ok(self.heard(asked)?.is_none_or(|exchange| exchange.status() >= 500))
    }

    /// Whether a stranger is not served either: whoever asks on makes it worse and learns nothing.
    async fn is_down(&mut self, page: &str) -> Result<bool, Silence> {
        let control = self.stranger(page).await?;
        Ok(control.is_none_or(|exchange| exchange.status() >= 500))
    }

    /// Lets single silences pass, which the site's log keeps, and ends with several in a row.
    fn heard(&mut self, asked: Result<Exchange, Silence>) -> Result<Option<Exchange>, Silence> {
        match asked {
            Ok(exchange) => {
                self.silent = 0;
                Ok(Some(exchange))
            }
            Err(silence) => {
                self.silent += 1;
                let is_over =
                    matches!(silence, Silence::Exhausted(_)) || self.silent >= SILENT_MOST;
                if is_over { Err(silence) } else { Ok(None) }
            }
        }
    }
}
