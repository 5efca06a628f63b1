//! A visitor on a site that answers from a table.

use cloakroom_audit::{Ask, Fetch, Headers, Heard, Pace, Probe, REDIRECTS_MOST, Silence, Site};
use std::cell::{Cell, RefCell};
use std::time::Duration;

const SHOP: &str = "https://shop.example/";

type Fields = Vec<(&'static str, &'static str)>;

/// Answers by the path, with a clock that pauses move.
#[derive(Default)]
struct Table {
    answers: Vec<(&'static str, u16, Fields)>,
    clock: Cell<Duration>,
    heard: RefCell<Vec<Ask>>,
}

impl Table {
    fn with(
        mut self,
        path: &'static str,
        status: u16,
        fields: &[(&'static str, &'static str)],
    ) -> Self {
        self.answers.push((path, status, fields.to_vec()));
        self
    }

    fn field(&self, request: usize, name: &str) -> Option<String> {
        let heard = self.heard.borrow();
        heard.get(request)?.headers.text(name).map(std::borrow::Cow::into_owned)
    }
}

impl Fetch for Table {
    async fn fetch(&self, ask: &Ask) -> Result<Heard, Silence> {
        self.heard.borrow_mut().push(ask.clone());
        let path = ask.url.strip_prefix("https://shop.example").unwrap_or(&ask.url);
        let (_, status, fields) = self
            .answers
            .iter()
            .find(|(known, _, _)| *known == path)
            .ok_or_else(|| Silence::Unreachable("nobody there".to_owned()))?;
        let mut headers = Headers::default();
        for (name, value) in fields {
            headers.push(name, *value);
        }
        Ok(Heard { status: *status, headers, body: Vec::new(), is_cut: false })
    }

    async fn pause(&self, time: Duration) {
        self.clock.set(self.clock.get() + time);
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1_790_000_000) + self.clock.get()
    }
}

fn pace(most: usize) -> Pace {
    Pace { gap: Duration::from_millis(100), most }
}

#[tokio::test]
async fn cookies_come_back_as_a_browser_sends_them() {
    let table = Table::default()
        .with("/", 200, &[("Set-Cookie", "id=7; Path=/cart"), ("Set-Cookie", "__Host-x=1; Path=/")])
        .with("/cart", 200, &[]);
    let site = Site::new(&table, SHOP, pace(9)).unwrap();
    let mut visitor = site.visitor();

    visitor.go(&Ask::get(SHOP)).await.unwrap();
    visitor.go(&Ask::get("https://shop.example/cart")).await.unwrap();
    visitor.go(&Ask::get(SHOP)).await.unwrap();

    assert_eq!(table.field(1, "cookie").as_deref(), Some("id=7"));
    assert_eq!(table.field(2, "cookie"), None, "a cookie that browsers refuse is not sent");
}

#[tokio::test]
async fn a_redirected_form_becomes_a_get_and_keeps_its_new_cookie() {
    let table = Table::default()
        .with("/login", 302, &[("Location", "/home"), ("Set-Cookie", "id=7; Path=/")])
        .with("/home", 200, &[]);
    let site = Site::new(&table, SHOP, pace(9)).unwrap();

    let hops = site
        .visitor()
        .follow(&Ask::form("https://shop.example/login", &[("user", "ada")]))
        .await
        .unwrap();

    let told: Vec<_> = hops.iter().map(|hop| (hop.method().to_owned(), hop.status())).collect();
    assert_eq!(told, [("POST".to_owned(), 302), ("GET".to_owned(), 200)]);
    assert_eq!(table.field(0, "origin").as_deref(), Some("https://shop.example"));
    assert_eq!(table.field(1, "cookie").as_deref(), Some("id=7"));
    assert_eq!((table.field(1, "content-type"), table.field(1, "origin")), (None, None));
    assert!(table.heard.borrow()[1].body.is_empty());
}

#[tokio::test]
async fn redirects_end_after_as_many_as_browsers_follow() {
    let table = Table::default().with("/", 302, &[("Location", "/")]);
    let site = Site::new(&table, SHOP, pace(100)).unwrap();

    let hops = site.visitor().follow(&Ask::get(SHOP)).await.unwrap();

    assert_eq!(hops.len(), REDIRECTS_MOST + 1);
    assert_eq!(hops.last().map(cloakroom_audit::Exchange::status), Some(302));
}

#[tokio::test]
async fn nothing_outside_of_the_scope_is_asked() {
    let table = Table::default().with("/", 302, &[("Location", "https://other.example/")]);
    let site = Site::new(&table, SHOP, pace(9)).unwrap();

    let hops = site.visitor().follow(&Ask::get(SHOP)).await.unwrap();
    let other = site.visitor().go(&Ask::get("https://other.example/")).await;
    let plain = site.visitor().go(&Ask::get("http://shop.example/")).await;

    assert_eq!((hops.len(), table.heard.borrow().len()), (1, 1));
    assert!(matches!(other, Err(Silence::OutOfScope(_))), "{other:?}");
    assert!(matches!(plain, Err(Silence::OutOfScope(_))), "another scheme is another origin");
}

#[tokio::test]
async fn requests_wait_for_their_turn_and_end_at_their_number() {
    let table = Table::default().with("/", 200, &[]);
    let site = Site::new(&table, SHOP, pace(3)).unwrap();
    let mut visitor = site.visitor();

    for _ in 0..3 {
        visitor.go(&Ask::get(SHOP)).await.unwrap();
    }
    let fourth = visitor.go(&Ask::get(SHOP)).await;

    assert_eq!(table.clock.get(), Duration::from_millis(200), "two gaps between three requests");
    assert!(matches!(fourth, Err(Silence::Exhausted(_))), "{fourth:?}");
    assert_eq!((site.asked(), site.exchanges().len()), (3, 3));
}

#[tokio::test]
async fn a_tampered_cookie_is_sent_instead_of_the_one_in_the_jar() {
    let table = Table::default().with("/", 200, &[("Set-Cookie", "id=7"), ("Set-Cookie", "b=1")]);
    let site = Site::new(&table, SHOP, pace(9)).unwrap();
    let mut visitor = site.visitor();
    visitor.go(&Ask::get(SHOP)).await.unwrap();

    visitor.clone().with(b"id", b"planted").go(&Ask::get(SHOP)).await.unwrap();
    visitor.clone().without(b"id").go(&Ask::get(SHOP)).await.unwrap();
    visitor.go(&Ask::get(SHOP).header("Cookie", "raw")).await.unwrap();

    let sent: Vec<_> = (1..4).map(|at| table.field(at, "cookie").unwrap()).collect();
    assert_eq!(sent, ["b=1; id=planted", "b=1", "raw"]);
}

#[tokio::test]
async fn an_experiment_stays_out_of_the_log() {
    let table = Table::default().with("/", 200, &[]);
    let site = Site::new(&table, SHOP, pace(9)).unwrap();

    let exchange =
        site.visitor().because(Probe::Hostile).quietly().go(&Ask::get(SHOP)).await.unwrap();

    assert_eq!(exchange.probe, Probe::Hostile);
    assert_eq!((site.asked(), site.exchanges().len()), (1, 0));
}
