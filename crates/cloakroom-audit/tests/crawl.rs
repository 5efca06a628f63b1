//! A crawl and its probes on sites that answer from a function.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use cloakroom_audit::{
    Answer, Ask, CrawlPlan, Crawled, Declared, Doing, Exchange, Fetch, Headers, Heard, Observed,
    PAGES, Pace, Probe, ProbePlan, RULES, Rule, Silence, Site, Unvisited, crawl, probe, rule,
};
use std::cell::{Cell, RefCell};
use std::time::Duration;

const SHOP: &str = "https://shop.example/";

/// A site: what it says to a path, a `Cookie` field and the number of the request.
struct Pages<A> {
    answer: A,
    clock: Cell<Duration>,
    asked: RefCell<Vec<String>>,
}

impl<A: Fn(&str, &str, usize) -> Result<Heard, Silence>> Pages<A> {
    fn new(answer: A) -> Self {
        Self { answer, clock: Cell::default(), asked: RefCell::default() }
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.borrow().iter().filter(|asked| *asked == path).count()
    }
}

impl<A: Fn(&str, &str, usize) -> Result<Heard, Silence>> Fetch for Pages<A> {
    async fn fetch(&self, ask: &Ask) -> Result<Heard, Silence> {
        assert_eq!(ask.method, "GET", "a visit changes nothing");
        let path = ask.url.strip_prefix("https://shop.example").unwrap_or(&ask.url).to_owned();
        let cookie = ask.headers.text("cookie").unwrap_or_default().into_owned();
        self.asked.borrow_mut().push(path.clone());
        let number = self.asked.borrow().len();
        (self.answer)(&path, &cookie, number)
    }

    async fn pause(&self, time: Duration) {
        self.clock.set(self.clock.get() + time);
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1_790_000_000) + self.clock.get()
    }
}

fn heard(status: u16, fields: &[(&str, &str)], body: &str) -> Result<Heard, Silence> {
    let mut headers = Headers::default();
    fields.iter().for_each(|(name, value)| headers.push(name, *value));
    Ok(Heard { status, headers, body: body.as_bytes().to_vec(), is_cut: false })
}

fn page(body: &str) -> Result<Heard, Silence> {
    heard(200, &[("Content-Type", "text/html")], body)
}

fn nothing() -> Result<Heard, Silence> {
    heard(404, &[], "")
}

fn gone() -> Result<Heard, Silence> {
    Err(Silence::TooLate("1 s".to_owned()))
}

fn site<A>(pages: &Pages<A>) -> Site<&Pages<A>>
where
    A: Fn(&str, &str, usize) -> Result<Heard, Silence>,
{
    Site::new(pages, SHOP, Pace { gap: Duration::ZERO, most: 5_000 }).unwrap()
}

const fn unwatched(_: &Doing) {}

async fn crawled<A>(pages: &Pages<A>, plan: CrawlPlan) -> Result<Crawled, Silence>
where
    A: Fn(&str, &str, usize) -> Result<Heard, Silence>,
{
    crawl(&site(pages), plan, &unwatched).await
}

/// Everything that can be asked without signing in.
async fn audited<A>(pages: &Pages<A>, plan: &ProbePlan) -> Observed
where
    A: Fn(&str, &str, usize) -> Result<Heard, Silence>,
{
    let site = site(pages);
    let _ = crawl(&site, CrawlPlan::default(), &unwatched).await;
    let _ = probe(&site, plan, &Declared::default(), &unwatched).await;
    Observed::new(site.exchanges(), Declared::default())
}

fn answer(observed: &Observed, id: &str) -> Answer {
    rule(id).unwrap().judge(observed)
}

#[tokio::test]
async fn links_frames_redirects_and_forms_that_are_not_posted_are_visited() {
    let pages = Pages::new(|path, _, _| match path {
        "/" => page(
            "<base href=/in/><a href=one></a><iframe src=two></iframe><form action=three></form>\
             <form method=post action=buy></form><a href=https://other.example/></a>\
             <script src=/app.js></script><a href=mailto:a@b></a>",
        ),
        "/in/one" => heard(302, &[("Location", "/moved")], ""),
        "/in/two" | "/in/three" | "/moved" | "/app.js" => page(""),
        _ => nothing(),
    });

    let crawled = crawled(&pages, CrawlPlan::default()).await.unwrap();

    for path in ["/", "/in/one", "/in/two", "/in/three", "/moved", "/app.js"] {
        assert_eq!(pages.asked(path), 1, "{path}");
    }
    assert_eq!((crawled.visited, crawled.elsewhere), (5, 2));
    assert_eq!(crawled.skipped[&Unvisited::Posted].named, ["https://shop.example/in/buy"]);
    assert_eq!(pages.asked.borrow().len(), 7, "robots.txt, five pages and a script");
}

#[tokio::test]
async fn nothing_that_ends_something_is_visited_and_the_report_says_so() {
    let pages = Pages::new(|path, _, _| match path {
        "/" => page("<a href=/logout></a><a href='/items?do=delete&amp;id=1'></a>"),
        _ => nothing(),
    });

    let crawled = crawled(&pages, CrawlPlan::default()).await.unwrap();

    assert_eq!(pages.asked("/logout"), 0);
    assert_eq!(crawled.skipped[&Unvisited::Destructive].count, 2);
}

#[tokio::test]
async fn robots_are_heeded_also_when_their_file_is_elsewhere_or_broken() {
    let rules = "User-agent: *\nDisallow: /private";
    for (status, body, location, visits) in [
        (200, rules, "", 0),
        (404, rules, "", 1),
        (503, "", "", 0),
        (302, "", "/robots2.txt", 0),
        (302, "", "/robots.txt", 1),
        (302, "", "https://other.example/robots.txt", 1),
    ] {
        let pages = Pages::new(move |path, _, _| match path {
            "/robots.txt" => heard(status, &[("Location", location)], body),
            "/robots2.txt" => heard(200, &[], rules),
            "/" => page("<a href=/private/x></a>"),
            _ => nothing(),
        });

        crawled(&pages, CrawlPlan::default()).await.unwrap();

        assert_eq!(pages.asked("/private/x"), visits, "{status} {location}");
        assert_eq!(pages.asked("/"), 1, "the page that a person names is visited");
    }
}

#[tokio::test]
async fn a_site_without_end_is_visited_up_to_the_limit() {
    let pages = Pages::new(|path, _, number| match path {
        "/robots.txt" => nothing(),
        _ => page(&format!("<a href=/{number}a></a><a href=/{number}b></a>")),
    });

    let crawled =
        crawled(&pages, CrawlPlan { depth: 1_000, ..CrawlPlan::default() }).await.unwrap();

    assert_eq!(crawled.visited, PAGES);
    assert_eq!(pages.asked.borrow().len(), PAGES + 1);
    assert!(crawled.skipped[&Unvisited::Enough].count > 0);
}

#[tokio::test]
async fn redirects_for_ever_end() {
    let pages = Pages::new(|_, _, number| heard(302, &[("Location", &format!("/{number}"))], ""));

    let crawled = crawled(&pages, CrawlPlan::default()).await.unwrap();

    assert!(crawled.visited < 20, "{crawled:?}");
    assert_eq!(crawled.skipped[&Unvisited::Redirects].count, 1);
}

#[tokio::test]
async fn a_site_that_moved_is_named_and_not_followed() {
    let pages = Pages::new(|path, _, _| match path {
        "/robots.txt" => nothing(),
        _ => heard(301, &[("Location", "https://www.shop.example/?token=x")], ""),
    });

    let crawled = crawled(&pages, CrawlPlan::default()).await.unwrap();

    assert_eq!(crawled.moved.as_deref(), Some("https://www.shop.example/?token=***"));
    assert_eq!(pages.asked.borrow().len(), 2);
}

#[tokio::test]
async fn a_site_that_goes_away_is_left_alone_after_three_silences() {
    let links: String = (0..50).map(|n| format!("<a href=/{n}></a>")).collect();
    let pages = Pages::new(|path, _, _| match path {
        "/robots.txt" => nothing(),
        "/" => page(&links),
        _ => gone(),
    });

    let crawled = crawled(&pages, CrawlPlan::default()).await.unwrap();

    assert_eq!((crawled.visited, pages.asked.borrow().len()), (1, 5));
    assert!(matches!(crawled.stopped, Some(Silence::TooLate(_))));
}

#[tokio::test]
async fn a_site_that_never_answers_is_an_error() {
    let pages = Pages::new(|_, _, _| gone());

    let answer = crawled(&pages, CrawlPlan::default()).await;

    assert!(matches!(answer, Err(Silence::TooLate(_))), "{answer:?}");
    assert_eq!(pages.asked.borrow().len(), 2, "robots.txt and the start");
}

/// A shop with a session for everybody who has none.
fn shop(path: &str, cookie: &str, number: usize) -> Result<Heard, Silence> {
    match path {
        "/" if cookie.contains("sid=") => page("hello again"),
        "/" => {
            let token = format!("sid={:032x}; Secure", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            heard(200, &[("Content-Type", "text/html"), ("Set-Cookie", &token)], "hello")
        }
        _ => nothing(),
    }
}

#[tokio::test]
async fn strangers_are_given_as_many_sessions_as_were_asked_for() {
    for samples in [20, 50] {
        let pages = Pages::new(shop);
        let plan = ProbePlan { samples, plants: false, plain: None };

        let observed = audited(&pages, &plan).await;

        let strangers = observed.exchanges().iter();
        let strangers = strangers.filter(|exchange| exchange.probe == Probe::Stranger);
        assert_eq!(strangers.clone().count(), samples);
        assert!(strangers.into_iter().all(Exchange::is_first_visit));
        assert!(!matches!(answer(&observed, "I02"), Answer::NotDecided { .. }));
    }
}

#[tokio::test]
async fn planted_cookies_reach_the_site_as_they_were_written() {
    let pages = Pages::new(|path, cookie, number| match path {
        "/" if cookie.contains("planted179=") => heard(500, &[], "too many"),
        _ => shop(path, cookie, number),
    });

    let observed = audited(&pages, &ProbePlan::default()).await;

    let answer = answer(&observed, "I05");
    assert_eq!(answer.findings().len(), 1, "{answer:?}");
    assert!(answer.findings()[0].seen.contains("gives status 500"), "{answer:?}");
}

#[tokio::test]
async fn a_site_that_fails_while_it_is_asked_is_not_blamed_for_planted_cookies() {
    for failure in [heard(503, &[], ""), gone()] {
        let pages = Pages::new(|path, cookie, number| match number {
            0..=24 => shop(path, cookie, number),
            _ => failure.clone(),
        });

        let observed = audited(&pages, &ProbePlan::default()).await;

        let answer = answer(&observed, "I05");
        assert!(!matches!(answer, Answer::Broken(_)), "{answer:?}");
        assert!(pages.asked.borrow().len() < 35, "it is left alone");
    }
}

#[tokio::test]
async fn a_site_that_says_yes_to_everything_breaks_nothing_that_it_was_not_asked_for() {
    let pages = Pages::new(|_, _, _| heard(200, &[("Content-Type", "text/plain")], "ok"));

    let observed = audited(&pages, &ProbePlan::default()).await;

    let is_broken = |rule: &&Rule| matches!(rule.judge(&observed), Answer::Broken(_));
    let broken: Vec<_> = RULES.iter().filter(is_broken).map(|rule| rule.id).collect();
    assert_eq!(broken, ["H04"], "no header says that it is to be asked over TLS");
    assert!(matches!(answer(&observed, "C01"), Answer::NotDecided { .. }));
}

#[tokio::test]
async fn plain_http_is_asked_where_it_may_be() {
    let pages = Pages::new(|path, cookie, number| match path {
        "http://shop.example/" => heard(200, &[("Set-Cookie", "sid=1")], ""),
        _ => shop(path, cookie, number),
    });
    let plan = ProbePlan { plain: Some("http://shop.example/".to_owned()), ..ProbePlan::default() };

    let mut site = site(&pages);
    site.allow("http://shop.example/").unwrap();
    probe(&site, &plan, &Declared::default(), &unwatched).await.unwrap();
    let elsewhere = audited(&pages, &plan).await;

    let observed = Observed::new(site.exchanges(), Declared::default());
    assert!(matches!(answer(&observed, "C10"), Answer::Broken(_)));
    assert!(matches!(answer(&elsewhere, "C10"), Answer::NotDecided { .. }));
}
