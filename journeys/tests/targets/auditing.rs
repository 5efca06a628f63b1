//! The auditor, over real HTTP.

use cloakroom_audit::{
    Answer, Ask, CrawlPlan, DEPTH, Declared, Fetch, Headers, Heard, Observed, Pace, ProbePlan,
    RULES, Script, Silence, Site, crawl, play, probe,
};
use cloakroom_journeys::targets::{OTHER_USER, PASSWORD, Target, USER};
use cloakroom_journeys::{Failure, http};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

/// Pages that are visited: enough to meet what the targets show to strangers.
const PAGES: usize = 10;

/// What the auditor comes to about a target when it signs in with this script.
pub(crate) fn audit(target: &Target, start: &str, script: &str) -> Vec<(&'static str, Answer)> {
    let script = script.replace("@ORIGIN@", &target.url(""));
    ask(target, start, Some(&Script::read(&script, variable).unwrap()))
}

/// What it comes to as a stranger.
pub(crate) fn visit(target: &Target, start: &str) -> Vec<(&'static str, Answer)> {
    ask(target, start, None)
}

fn ask(target: &Target, start: &str, script: Option<&Script>) -> Vec<(&'static str, Answer)> {
    let pace = Pace { gap: Duration::ZERO, most: 10_000 };
    let site = Site::new(Wire(target.address()), &target.url(start), pace).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let observed = runtime.block_on(async {
        let declared = Declared::default();
        let plan =
            CrawlPlan { pages: PAGES, depth: DEPTH, leave_out: Vec::new(), heeds_robots: false };
        crawl(&site, plan, &|_| ()).await.unwrap();
        probe(&site, &ProbePlan::default(), &declared, &|_| ()).await.unwrap();
        let scenes = match script {
            Some(script) => play(&site, script, None, |_| ()).await,
            None => Vec::new(),
        };
        Observed::new(site.exchanges(), declared).with_scenes(scenes)
    });
    RULES.iter().map(|rule| (rule.id, rule.judge(&observed))).collect()
}

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "TARGET_NAME" => USER,
        "TARGET_OTHER_NAME" => OTHER_USER,
        "TARGET_PASSWORD" => PASSWORD,
        "TARGET_NEW_PASSWORD" => "another-horse-battery-8",
        _ => return None,
    };
    Some(value.to_owned())
}

/// Asks the server at one address.
struct Wire(SocketAddr);

impl Fetch for Wire {
    async fn fetch(&self, ask: &Ask) -> Result<Heard, Silence> {
        let (address, ask) = (self.0, ask.clone());
        // Requests at the same time are part of what is tried.
        let sent = tokio::task::spawn_blocking(move || send(address, &ask)).await;
        let response = sent.unwrap().map_err(|failure| Silence::Broken(failure.to_string()))?;
        let mut headers = Headers::default();
        for (name, value) in response.headers {
            headers.push(&name, value);
        }
        Ok(Heard { status: response.status, headers, body: response.body, is_cut: false })
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    #[allow(clippy::disallowed_methods, reason = "real servers put the real time into cookies")]
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
    }
}

fn send(address: SocketAddr, ask: &Ask) -> Result<http::Response, Failure> {
    let (_, rest) = ask.url.split_once("://").unwrap();
    let path = rest.find(['/', '?']).map_or("/", |at| &rest[at..]);
    let path = path.split('#').next().unwrap();
    let headers: Vec<(&str, &[u8])> = ask.headers.iter().collect();
    http::request(address, &ask.method, path, &headers, &ask.body)
}
