//! Visiting a site's own pages, as somebody does who follows every link and changes nothing.

use crate::ask::{Ask, Fetch, Silence};
use crate::exchange::{Exchange, Probe};
use crate::frontier::{CrawlPlan, Frontier, Skipped, Target, Unvisited};
use crate::markup::{self, BASE, SCRIPT};
use crate::mask::shown_url;
use crate::robots::Robots;
use crate::site::Site;
use crate::visitor::Visitor;
use cloakroom_cookie::browser::Address;
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// Scripts that are read: what keeps tokens stands in the first ones.
const SCRIPTS_MOST: usize = 20;
/// A site that gives no answer to so many requests in a row is gone.
pub(crate) const SILENT_MOST: usize = 3;
/// Redirects that `robots.txt` may have (RFC 9309 section 2.3.1.2).
const ROBOTS_HOPS: usize = 5;

/// What is being asked, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doing {
    /// Which pages robots are to leave alone.
    Robots,
    /// A page of the crawl.
    Visit {
        /// Which one, from 1.
        number: usize,
        /// How many at most.
        most: usize,
        /// Its address, masked.
        page: String,
    },
    /// A page again, without cookies.
    Stranger {
        /// Which time, from 1.
        number: usize,
        /// How many at most.
        most: usize,
    },
    /// A page with cookies that the site did not set.
    Hostile {
        /// Which one, from 1.
        number: usize,
        /// How many at most.
        most: usize,
    },
    /// The host over plain http.
    Plain,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Robots => f.write_str("reading robots.txt"),
            Self::Visit { number, most, page } => {
                write!(f, "page {number} of {most} at most: {page}")
            }
            Self::Stranger { number, most } => write!(f, "stranger {number} of {most}"),
            Self::Hostile { number, most } => write!(f, "planted cookie {number} of {most}"),
            Self::Plain => f.write_str("asking over plain http"),
        }
    }
}

/// Told before each request what it is for.
pub type Watch<'w> = &'w dyn Fn(&Doing);

/// What a crawl came to; what was heard is in the site's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crawled {
    /// Pages that gave an answer.
    pub visited: usize,
    /// What was not visited, by reason.
    pub skipped: BTreeMap<Unvisited, Skipped>,
    /// Links that lead elsewhere, which nobody follows.
    pub elsewhere: usize,
    /// Where the first page sends everybody, if that may not be asked.
    pub moved: Option<String>,
    /// Why it ended before its end.
    pub stopped: Option<Silence>,
}

/// Visits the pages of a site: those within its scope that links, frames, forms that are not posted and
/// redirects lead to from the start, with `GET` and nothing else.
///
/// It ends: see [`CrawlPlan`]. A site that does not answer any more ends it too, and is told.
///
/// # Errors
///
/// [`Silence`] if the first page gives no answer.
pub async fn crawl<F: Fetch>(
    site: &Site<F>,
    plan: CrawlPlan,
    watch: Watch<'_>,
) -> Result<Crawled, Silence> {
    let start = Url::parse(site.start()).map_err(|_| Silence::OutOfScope("no address".into()))?;
    let robots = if plan.heeds_robots {
        watch(&Doing::Robots);
        robots(site, &start).await?
    } else {
        Robots::default()
    };
    let mut crawl = Crawl::new(site, plan, robots, watch);
    crawl.frontier.begin(&start);
    crawl.run().await?;
    crawl.read_scripts().await;
    Ok(crawl.finish())
}

/// What the site asks robots to leave alone. No file means nothing; a file that cannot be had, everything.
async fn robots<F: Fetch>(site: &Site<F>, start: &Url) -> Result<Robots, Silence> {
    let Ok(mut url) = start.join("/robots.txt") else { return Ok(Robots::default()) };
    for _ in 0..=ROBOTS_HOPS {
        let heard = match site.hear(&Ask::page(url.as_str())).await {
            Ok(heard) => heard,
            // Elsewhere nobody may be asked, and a site that is away says so on its first page.
            Err(Silence::OutOfScope(_)) => return Ok(Robots::default()),
            Err(silence @ (Silence::Unreachable(_) | Silence::Exhausted(_))) => {
                return Err(silence);
            }
            Err(Silence::TooLate(_) | Silence::Broken(_)) => return Ok(Robots::closed()),
        };
        match heard.status {
            200..=299 => return Ok(Robots::read(&heard.body)),
            300..=399 => {}
            500..=599 => return Ok(Robots::closed()),
            _ => return Ok(Robots::default()),
        }
        let next = heard.headers.text("location").and_then(|to| url.join(&to).ok());
        let Some(next) = next else { return Ok(Robots::default()) };
        url = next;
    }
    Ok(Robots::default())
}

struct Crawl<'s, F> {
    visitor: Visitor<'s, F>,
    pages: usize,
    frontier: Frontier,
    scripts: Vec<Url>,
    watch: Watch<'s>,
    crawled: Crawled,
}

impl<'s, F: Fetch> Crawl<'s, F> {
    fn new(site: &'s Site<F>, plan: CrawlPlan, robots: Robots, watch: Watch<'s>) -> Self {
        Self {
            visitor: site.visitor().because(Probe::Visit),
            pages: plan.pages,
            frontier: Frontier::new(plan, robots),
            scripts: Vec::new(),
            watch,
            crawled: Crawled::default(),
        }
    }

    async fn run(&mut self) -> Result<(), Silence> {
        let mut silent = 0;
        let mut asked = 0;
        while asked < self.pages
            && let Some(target) = self.frontier.next()
        {
            asked += 1;
            (self.watch)(&Doing::Visit {
                number: asked,
                most: self.pages,
                page: shown_url(target.url.as_str()),
            });
            match self.visitor.go(&Ask::page(target.url.as_str())).await {
                Ok(exchange) => {
                    silent = 0;
                    self.crawled.visited += 1;
                    self.take_in(&target, &exchange);
                }
                Err(silence) if self.crawled.visited == 0 => return Err(silence),
                Err(silence) => {
                    silent += 1;
                    if silent >= SILENT_MOST || matches!(silence, Silence::Exhausted(_)) {
                        self.crawled.stopped = Some(silence);
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes where an answer leads.
    fn take_in(&mut self, from: &Target, exchange: &Exchange) {
        let url = &from.url;
        let location = exchange.response.text("location");
        if let Some(to) = location.and_then(|to| url.join(&to).ok()) {
            if self.crawled.visited == 1 && !self.is_own(&to) {
                self.crawled.moved = Some(shown_url(to.as_str()));
            }
            self.offer(Target { url: to, depth: from.depth, hops: from.hops + 1 });
        }
        if !exchange.is_html() {
            return;
        }
        let links = markup::links(exchange.body());
        let base = links.iter().find(|link| link.place == BASE);
        let base = base.and_then(|link| url.join(&link.to).ok()).unwrap_or_else(|| url.clone());
        for link in links.iter().filter(|link| link.place != BASE) {
            let Ok(to) = base.join(&link.to) else { continue };
            if link.place == SCRIPT {
                self.offer_script(to);
            } else if link.is_posted && self.is_own(&to) {
                self.frontier.skip_once(Unvisited::Posted, &to);
            } else {
                self.offer(Target { url: to, depth: from.depth + 1, hops: 0 });
            }
        }
    }

    fn offer(&mut self, target: Target) {
        if self.is_own(&target.url) {
            self.frontier.offer(target);
        } else {
            self.crawled.elsewhere += 1;
        }
    }

    fn offer_script(&mut self, url: Url) {
        let is_new = !self.scripts.contains(&url);
        if is_new
            && self.scripts.len() < SCRIPTS_MOST
            && self.frontier.may(&url)
            && self.is_own(&url)
        {
            self.scripts.push(url);
        }
    }

    fn is_own(&self, url: &Url) -> bool {
        let address = Address::parse(url.as_str());
        address.is_ok_and(|address| self.visitor.site().is_in_scope(&address))
    }

    /// Reads scripts after the pages, for what they keep in a browser.
    async fn read_scripts(&mut self) {
        if self.crawled.stopped.is_some() {
            return;
        }
        for url in std::mem::take(&mut self.scripts) {
            if let Err(silence) = self.visitor.go(&Ask::page(url.as_str())).await {
                // One script that does not come would cost its time twenty times over.
                self.crawled.stopped = matches!(silence, Silence::Exhausted(_)).then_some(silence);
                return;
            }
        }
    }

    fn finish(self) -> Crawled {
        Crawled { skipped: self.frontier.finish(), ..self.crawled }
    }
}
