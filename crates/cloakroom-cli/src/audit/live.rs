//! An audit of a site that answers.

use super::progress::Progress;
use super::stop::{Stop, Stoppable};
use super::waiting::Waiting;
use super::{Seen, login};
use crate::client::{CONNECT_LIMIT, Client, Limits, trusted};
use crate::clock;
use cloakroom_audit::{
    CrawlPlan, Crawled, DEPTH, Declared, Facts, Fetch, Observed, PAGES, Pace, ProbePlan,
    SAMPLES_LEAST, Script, Silence, Site, Skipped, crawl, plain_address, probe,
    why_nobody_signed_in,
};
use cloakroom_cookie::browser::Address;
use std::path::PathBuf;
use std::time::Duration;

/// Requests to a public site in a second; a person with several tabs makes as many.
const RATE: f64 = 10.0;
/// On the own machine only its owner waits.
const RATE_AT_HOME: f64 = 100.0;
/// Fewer than one in a hundred seconds is no audit, more than a thousand in one is an attack.
const RATES: std::ops::RangeInclusive<f64> = 0.01..=1_000.0;
/// Half an hour: 200 pages that each take their whole time would last more than one.
const STOP_AFTER: f64 = 1_800.0;
/// Pages, levels and samples that somebody may ask for.
const COUNT_MOST: u64 = 100_000;
/// Requests without an answer that a report names.
const SILENCES_TOLD: usize = 20;
/// Requests of robots, scripts, strangers and planted cookies beside pages and samples.
const REQUESTS_BESIDE: usize = 1_000;

/// How a site is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Asking {
    /// Pages that are visited at most.
    #[arg(long, value_name = "COUNT", default_value_t = PAGES, value_parser = count)]
    pages: usize,
    /// Links between the start and a page at most.
    #[arg(long, value_name = "LINKS", default_value_t = DEPTH, value_parser = count)]
    depth: usize,
    /// Requests in a second at most [default: 10, and 100 on this machine].
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// Fresh visitors whose session cookies are compared: 20 show the worst, 200 more.
    #[arg(long, value_name = "COUNT", default_value_t = SAMPLES_LEAST, value_parser = count)]
    samples: usize,
    /// Another origin that belongs to the site and may be asked too. May be given several times.
    #[arg(long, value_name = "ORIGIN")]
    scope: Vec<String>,
    /// A path that is not visited, with everything below it. May be given several times.
    #[arg(long, value_name = "PATH")]
    leave_out: Vec<String>,
    /// Visits pages that robots.txt asks to leave alone, too.
    #[arg(long)]
    ignore_robots: bool,
    /// Plants no cookies to see what the site makes of them.
    #[arg(long)]
    no_planting: bool,
    /// Where the site answers over plain http, if not at port 80.
    #[arg(long, value_name = "ADDRESS")]
    plain: Option<String>,
    /// Certificates in PEM that are trusted beside those of the system.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Seconds that an answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0)]
    timeout: f64,
    /// Seconds after which nothing more is asked; the report tells what was seen until then.
    #[arg(long, value_name = "SECONDS", default_value_t = STOP_AFTER)]
    stop_after: f64,
    /// A login script: what only a user sees is tried as well. Its secrets come from the environment.
    #[arg(long, value_name = "FILE", requires = "url")]
    login: Option<PathBuf>,
    /// Says that you may test this site. Without it only this machine is asked.
    #[arg(long)]
    i_may_test_this: bool,
}

/// Asks the site at `url` whatever may be asked without signing in.
///
/// # Errors
///
/// A sentence if what was given cannot be used; nothing was asked then.
pub(super) fn ask(
    url: &str,
    asking: &Asking,
    waiting: &Waiting,
    declared: Declared,
    quiet: bool,
) -> Result<Seen, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no requests can be made: {error}"))?;
    let start = asking.address(url)?;
    let client = asking.client()?;
    let stop_after = seconds("--stop-after", asking.stop_after)? + waiting.extra();
    waiting.look()?;
    let script = asking.login.as_deref().map(|path| login::script(path, &start)).transpose()?;
    runtime.block_on(async {
        let mut site = asking.site(Stoppable::new(client, stop_after), &start)?;
        for also in script.iter().flat_map(Script::also) {
            let also = asking.address(also.as_str())?;
            site.allow(&also).map_err(|error| format!("{also}: {error}"))?;
        }
        let progress = Progress::new(quiet);
        let begun = clock::now();
        let talk = talk(&site, asking, &declared, &progress).await;
        let scenes = match &script {
            Some(script) => waiting.scenes(&site, script, &progress).await?,
            None => Vec::new(),
        };
        drop(progress);
        let mut seen = seen(&site, talk, declared, begun);
        seen.facts.stopped = seen.facts.stopped.take().or_else(|| why_nobody_signed_in(&scenes));
        seen.observed = seen.observed.with_scenes(scenes);
        if let (Some(script), Some(path)) = (&script, &asking.login) {
            seen.facts.script = Some(path.display().to_string());
            seen.facts.secrets = script.secrets().to_vec();
        }
        Ok(seen)
    })
}

/// What the visit came to, and why the rest did not come.
type Talk = (Crawled, Option<Silence>);

async fn talk(
    site: &Site<Stoppable<Client>>,
    asking: &Asking,
    declared: &Declared,
    progress: &Progress,
) -> Talk {
    let watch = |doing: &cloakroom_audit::Doing| progress.says(&doing.to_string());
    let crawled = match crawl(site, asking.crawl_plan(), &watch).await {
        Ok(crawled) => crawled,
        Err(silence) => return (Crawled::default(), Some(silence)),
    };
    let stopped = match crawled.stopped.clone() {
        Some(silence) => Some(silence),
        None => probe(site, &asking.probe_plan(site.start()), declared, &watch).await.err(),
    };
    (crawled, stopped)
}

fn seen(
    site: &Site<Stoppable<Client>>,
    (crawled, silence): Talk,
    declared: Declared,
    begun: Duration,
) -> Seen {
    let stop = site.fetch().stopped();
    let moved = crawled.moved.as_ref();
    let moved =
        moved.map(|to| format!("the start page sends everybody to {to}: audit that instead"));
    let stopped = stop.map(|stop| stop.as_str().to_owned());
    let stopped = stopped.or_else(|| silence.map(|silence| silence.to_string())).or(moved);
    let facts = Facts {
        target: site.start().to_owned(),
        begun: begun.as_secs(),
        ended: site.fetch().now().as_secs(),
        requests: site.asked(),
        notes: notes(&crawled, &site.silences()),
        stopped,
        ..Facts::default()
    };
    let observed = Observed::new(site.exchanges(), declared);
    Seen { observed, facts, by_hand: stop == Some(Stop::ByHand) }
}

/// What was not asked or gave no answer, in a sentence for each reason.
fn notes(crawled: &Crawled, silences: &[(String, Silence)]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for (why, Skipped { count, named }) in &crawled.skipped {
        notes.push(format!("{count} not visited, since {}: {}", why.as_str(), list(named, *count)));
    }
    if crawled.elsewhere > 0 {
        notes.push(format!("{} links to elsewhere were not followed", crawled.elsewhere));
    }
    let told = silences.iter().take(SILENCES_TOLD);
    notes.extend(told.map(|(page, why)| format!("{page} gave no answer: {why}")));
    if silences.len() > SILENCES_TOLD {
        notes.push(format!("{} more gave no answer", silences.len() - SILENCES_TOLD));
    }
    notes
}

fn list(named: &[String], count: usize) -> String {
    let more = count.saturating_sub(named.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", named.join(", "))
}

impl Asking {
    /// The start page, if it may be asked.
    pub(super) fn address(&self, url: &str) -> Result<String, String> {
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        for url in [&url].into_iter().chain(&self.scope).chain(&self.plain) {
            let address = Address::parse(url).map_err(|error| format!("{url}: {error}"))?;
            if !address.is_loopback() && !self.i_may_test_this {
                return Err(format!(
                    "{} is not this machine: add --i-may-test-this if it is yours to test, or its owner agreed",
                    address.host()
                ));
            }
        }
        Ok(url)
    }

    pub(super) fn client(&self) -> Result<Client, String> {
        let answer = seconds("--timeout", self.timeout)?;
        let limits = Limits { connect: CONNECT_LIMIT.min(answer), answer, ..Limits::default() };
        let tls = trusted(self.ca_file.as_deref()).map_err(|error| error.to_string())?;
        Ok(Client::new(limits, tls))
    }

    pub(super) fn site<F: Fetch>(&self, fetch: F, start: &str) -> Result<Site<F>, String> {
        let gap = self.gap(start)?;
        let most = self.pages.saturating_add(self.samples).saturating_add(REQUESTS_BESIDE);
        let most = most.saturating_add(self.login.as_ref().map_or(0, |_| login::REQUESTS));
        let wrong = |error| format!("{start}: {error}");
        let mut site = Site::new(fetch, start, Pace { gap, most }).map_err(wrong)?;
        for origin in self.scope.iter().chain(&self.plain_of(start)) {
            site.allow(origin).map_err(|error| format!("{origin}: {error}"))?;
        }
        Ok(site)
    }

    fn gap(&self, start: &str) -> Result<Duration, String> {
        let at_home = Address::parse(start).is_ok_and(|address| address.is_loopback());
        let rate = self.rate.unwrap_or(if at_home { RATE_AT_HOME } else { RATE });
        if RATES.contains(&rate) {
            Ok(Duration::from_secs_f64(1.0 / rate))
        } else {
            Err(format!("--rate {rate}: between {} and {} in a second", RATES.start(), RATES.end()))
        }
    }

    fn plain_of(&self, start: &str) -> Option<String> {
        self.plain.clone().or_else(|| plain_address(start))
    }

    fn crawl_plan(&self) -> CrawlPlan {
        CrawlPlan {
            pages: self.pages,
            depth: self.depth,
            leave_out: self.leave_out.clone(),
            heeds_robots: !self.ignore_robots,
        }
    }

    fn probe_plan(&self, start: &str) -> ProbePlan {
        let plants = !self.no_planting;
        ProbePlan { samples: self.samples, plants, plain: self.plain_of(start) }
    }
}

fn seconds(option: &str, value: f64) -> Result<Duration, String> {
    let refused = || format!("{option} {value}: a number of seconds, more than 0");
    let duration = Duration::try_from_secs_f64(value).map_err(|_| refused())?;
    if duration.is_zero() { Err(refused()) } else { Ok(duration) }
}

fn count(text: &str) -> Result<usize, String> {
    let number = text.parse::<u64>().ok().filter(|number| *number <= COUNT_MOST);
    let number = number.and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| format!("a number up to {COUNT_MOST}"))
}
