//! What the auditor says of an application in this process.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Redirect};
use bad::{Bad, Switches};
use cloakroom::store::Timestamp;
use cloakroom_audit::{
    Answer, Ask, CallBack, CrawlPlan, Declared, Facts, Fetch as _, Look, Observed, Pace, ProbePlan,
    Report, Script, Severity, Site, crawl, open_sessions, plain_address, play, probe,
    visit_sessions,
};

use crate::inside::{Flowing, Inside};

const BAD: &str = "https://bad.test";
const SHOP: &str = "https://shop.test";
/// Longer than every session here may last, and than the longest-lived cookie of the applications that
/// T01 to T03 are about.
const WAIT: Duration = Duration::from_secs(26 * 60 * 60);
const SHOP_PASSWORD: &str = "correct horse battery";

/// What a rule came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Holds,
    Broken(Severity),
    /// Why.
    NotDecided(String),
}

/// What every rule came to, and the findings in words.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    pub(crate) cells: BTreeMap<&'static str, Cell>,
    pub(crate) findings: String,
}

impl Answers {
    fn of(observed: &Observed) -> Self {
        let cell = |answer: &Answer| match answer {
            Answer::Holds { .. } => Cell::Holds,
            Answer::Broken(findings) => {
                let worst = findings.iter().map(|finding| finding.severity).max();
                Cell::Broken(worst.unwrap_or(Severity::Info))
            }
            Answer::NotDecided { why } => Cell::NotDecided(why.clone()),
        };
        let rules = cloakroom_audit::RULES.iter();
        let cells = rules.map(|rule| (rule.id, cell(&rule.judge(observed)))).collect();
        let report = Report::new(observed, Facts::default());
        Self { cells, findings: report.to_text(&Look::default()) }
    }

    pub(crate) fn broken(&self) -> impl Iterator<Item = (&'static str, Severity)> {
        self.cells.iter().filter_map(|(id, cell)| match cell {
            Cell::Broken(severity) => Some((*id, *severity)),
            Cell::Holds | Cell::NotDecided(_) => None,
        })
    }
}

/// The bad application with these switches.
pub(crate) fn bad_with(switches: Switches) -> Answers {
    alone(async move {
        let script = include_str!("../../login.toml").replace("http://127.0.0.1:8090", BAD);
        let clock = Flowing::begin();
        let listens = switches.has(Bad::I04);
        let seconds = move || clock.since_1970().as_secs();
        let router = bad::Site::new(switches).at(BAD).clock(seconds).router();
        audit(Inside { router, clock }, BAD, &script, listens).await
    })
}

/// The shop, with one account that is no staff.
pub(crate) fn shop() -> Answers {
    alone(async {
        let folder = Folder::new();
        let clock = Flowing::begin();
        let accounts = folder.0.join("accounts");
        let store = "memory:".parse().unwrap();
        let app = shop::App::open(&store, &accounts, clock).await.unwrap();
        let inside = Inside { router: behind_tls(app.router()), clock };
        for name in ["staff", "ada", "bea"] {
            sign_up(&inside, name).await;
        }
        audit(inside, SHOP, include_str!("shop.toml"), false).await
    })
}

/// The shop as it stands in the guide: a proxy in front of it ends TLS, sends everybody there, and
/// says so.
fn behind_tls(router: Router) -> Router {
    router.layer(from_fn(|request: Request, next: Next| async move {
        if request.uri().scheme_str() == Some("http") {
            let to = request.uri().to_string().replacen("http://", "https://", 1);
            return Redirect::permanent(&to).into_response();
        }
        let mut response = next.run(request).await;
        let year = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, year);
        response
    }))
}

async fn sign_up(inside: &Inside, name: &str) {
    let site = Site::new(inside, SHOP, Pace { gap: Duration::ZERO, most: 10 }).unwrap();
    let form = [("name", name), ("password", SHOP_PASSWORD)];
    let made = site.visitor().go(&Ask::form(&format!("{SHOP}/sign-up"), &form)).await.unwrap();
    assert_eq!(made.status(), 303, "{name} has no account");
}

impl cloakroom::Clock for Flowing {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.since_1970().as_millis().try_into().unwrap())
    }
}

async fn audit(inside: Inside, origin: &str, script: &str, listens: bool) -> Answers {
    let script = Script::read(script, |name| Some(secret(name).to_owned())).unwrap();
    let mut site = Site::new(inside, origin, Pace { gap: Duration::ZERO, most: 10_000 }).unwrap();
    let plain = plain_address(site.start());
    site.allow(plain.as_deref().unwrap()).unwrap();
    let declared = Declared::default();

    crawl(&site, CrawlPlan::default(), &|_| ()).await.unwrap();
    let plan = ProbePlan { plain, ..ProbePlan::default() };
    probe(&site, &plan, &declared, &|_| ()).await.unwrap();
    let mut scenes = play(&site, &script, listens.then(call_back), |_| ()).await;
    let mut timeline = open_sessions(&site, &script, WAIT).await.unwrap();
    while let Some(at) = timeline.next() {
        let left = Duration::from_secs(at).saturating_sub(site.fetch().now());
        site.fetch().pause(left).await;
        visit_sessions(&site, &script, &mut timeline).await.unwrap();
    }
    scenes.extend(timeline.scenes());

    let observed = Observed::new(site.exchanges(), declared).with_scenes(scenes);
    Answers::of(&observed)
}

fn secret(name: &str) -> &'static str {
    match name {
        "BAD_NAME" | "SHOP_NAME" => "ada",
        "BAD_OTHER_NAME" | "SHOP_OTHER_NAME" => "bea",
        "BAD_PASSWORD" => "analytical engine",
        "BAD_OTHER_PASSWORD" => "difference engine",
        "SHOP_PASSWORD" => SHOP_PASSWORD,
        "BAD_NEW_PASSWORD" | "SHOP_NEW_PASSWORD" => "mill and store and barrel",
        other => panic!("no test has a value for {other}"),
    }
}

/// Somebody who is asked for a key, and notes it.
fn call_back() -> CallBack {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let was_asked = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&was_asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            asked.store(true, Ordering::SeqCst);
            drop(stream);
        }
    });
    CallBack { url, was_asked }
}

/// Runs on this thread, with a clock that jumps.
fn alone<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(work)
}

/// A folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("bad-matrix-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
