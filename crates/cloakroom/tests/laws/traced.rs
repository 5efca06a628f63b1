//! L11: what trace layers print around and inside of ours, and what panics, errors and pages say.

use axum::Router;
use axum::extract::Request;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::routing::{get, post};
use cloakroom::axum::{LazySession, SignedIn};
use cloakroom::store::{By, Reason};
use cloakroom::{Error, Scope, Session, View};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::trace::{DefaultMakeSpan, DefaultOnRequest, DefaultOnResponse, TraceLayer};
use tracing::Level;

use crate::support::*;

/// What a user has in a session is not for logs either.
const NOTE: &str = "The code of <my> door is \"4711\" & a key";

/// Prints all headers of requests and responses.
fn trace() -> TraceLayer<SharedClassifier<ServerErrorsAsFailures>> {
    TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::TRACE).include_headers(true))
        .on_request(DefaultOnRequest::new().level(Level::TRACE))
        .on_response(DefaultOnResponse::new().level(Level::TRACE).include_headers(true))
}

/// A service that prints whatever it can get hold of.
fn talkative() -> Router {
    routes()
        .route("/panic/session", post(async |s: Session<Shop>| panicking(format!("{s:?}"))))
        .route("/panic/headers", post(async |headers: HeaderMap| panicking(format!("{headers:?}"))))
        .route("/panic/request", post(async |request: Request| panicking(format!("{request:?}"))))
        .route("/panic/scope", post(panic_with_the_scope))
        .route("/panic/login", post(panic_in_the_midst_of_a_login))
        .route("/errors", get(errors).post(errors))
        .route("/note", post(async |mut s: Session<Shop>| s.edit(|data| data.note = NOTE.into())))
        .route("/live", post(live))
        .route("/user", get(async |user: SignedIn<Shop>| format!("{user:?}")))
        .route("/lazy-print", get(async |lazy: LazySession<Shop>| format!("{lazy:?}")))
        .route("/view-print", get(async |view: View<Shop>| format!("{view:?}")))
        .layer(trace())
}

fn panicking(what: String) -> StatusCode {
    tracing::trace!("about to panic with {what}");
    std::panic::panic_any(what)
}

async fn panic_with_the_scope(mut s: Session<Shop>, request: Request) -> StatusCode {
    s.edit(|data| data.count += 1).unwrap();
    panicking(format!("{:?} {:?}", request.extensions().get::<Scope<Shop>>(), s.record()))
}

async fn panic_in_the_midst_of_a_login(mut s: Session<Shop>) -> StatusCode {
    s.login("eve").await.unwrap();
    let before = format!("{s:?} {:?}", s.devices().await);
    panicking(before + &format!("{:?}", s.login("eve")))
}

async fn errors(mut s: Session<Shop>) -> String {
    let errors: [Result<(), Error>; 3] = [
        s.set("note", &"x".repeat(20_000)),
        s.set("@reserved", &1),
        s.step_up(cloakroom::store::Factors::TOTP).await,
    ];
    errors.iter().map(|error| format!("{error:?}")).collect()
}

async fn live(mut s: Session<Shop>) -> String {
    let live = s.live().await;
    tracing::trace!(?live, session = ?s, identity = ?s.identity());
    format!("{live:?}")
}

/// Around the layer: what prints, and a panic that prints the response.
fn around(router: Router) -> Router {
    panics(router).layer(trace()).layer(SetSensitiveRequestHeadersLayer::new([COOKIE]))
}

/// Catches panics, and panics with the response if it is asked to.
fn panics(router: Router) -> Router {
    let panics = async |request: Request, next: Next| {
        let wanted = request.headers().contains_key("x-panic-with-the-response");
        let response = next.run(request).await;
        assert!(!wanted, "{response:?}");
        response
    };
    router.layer(from_fn(panics)).layer(CatchPanicLayer::new())
}

/// All that came out, and the secrets that must not be in it.
struct Search {
    secrets: Secrets,
    pages: String,
}

impl Search {
    async fn send(&mut self, browser: &Browser, how: &str, headers: &[(&'static str, &str)]) {
        let (method, path) = how.split_once(' ').unwrap();
        let reply = browser.send_with(method.parse().unwrap(), path, headers).await;
        self.take(&reply);
    }

    fn take(&mut self, reply: &Reply) {
        if let Some(ticket) = reply.ticket().filter(|ticket| !ticket.is_empty()) {
            self.secrets.add_ticket(&ticket);
        }
        self.pages += &format!("{} {:?} {}\n", reply.status, reply.headers, reply.body);
        let others = reply.headers.iter().filter(|(name, _)| *name != "set-cookie");
        others.for_each(|(name, value)| self.pages += &format!("{name}: {}\n", text(value)));
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

const WALK: [&str; 39] = [
    "GET /who",
    "POST /add",
    "POST /cart/pen",
    "GET /lazy-print",
    "GET /view-print",
    "GET /user",
    "POST /login/ada",
    "GET /user",
    "GET /lazy-print",
    "GET /view-print",
    "POST /note",
    "POST /live",
    "POST /edit",
    "POST /panic/session",
    "POST /panic/headers",
    "POST /panic/request",
    "POST /panic/scope",
    "POST /add",
    "POST /rotate",
    "GET /count",
    "POST /step-up",
    "GET /fresh",
    "POST /errors",
    "POST /panic/login",
    "POST /login/eve",
    "POST /remember/bea",
    "POST /login-as/cyd/staff",
    "GET /roles",
    "POST /fail/500",
    "POST /fail/404",
    "POST /set/@bad/x",
    "POST /set/cart/not-a-list",
    "GET /data",
    "POST /end-others",
    "HEAD /who",
    "GET /nowhere",
    "POST /logout",
    "GET /why",
    "POST /add",
];

async fn walk(house: &House, search: &mut Search) -> Vec<Browser> {
    let [browser, other, unlucky] = [(); 3].map(|()| house.browser());
    for how in WALK {
        search.send(&browser, how, &[]).await;
    }
    for how in ["POST /login/ada", "POST /add"] {
        search.send(&other, how, &[]).await;
    }
    for how in ["POST /login/ada", "POST /rotate", "POST /login/eve"] {
        search.send(&unlucky, how, &[]).await;
        search.send(&unlucky, how, &[("x-panic-with-the-response", "1")]).await;
    }
    let parallel: Vec<_> = (0..20).map(|_| other.start(Method::POST, "/add")).collect();
    for reply in parallel {
        search.take(&reply.await.unwrap());
    }
    // The renewal is due, and the old ticket comes once more.
    let old = other.thief();
    house.seconds(HOUR / 4);
    for how in ["GET /who", "POST /add"] {
        search.send(&other, how, &[]).await;
        search.send(&old, how, &[]).await;
    }
    vec![browser, other]
}

async fn go_wrong(house: &House, search: &mut Search, browsers: &[Browser]) {
    let [one, other] = browsers else { panic!("two browsers") };
    let tickets = [one, other].map(|browser| browser.ticket().unwrap());
    let [first, second] = tickets.each_ref().map(String::as_str);
    let cookies = [
        format!("{NAME}={first}; {NAME}={second}"),
        format!("{NAME}={first}; {NAME}={second}; {NAME}={}", &first[..21]),
        format!("{NAME}={first}AAAA"),
        format!("{NAME}=\"{first}\""),
        format!("{NAME} = {first} ; ; =; x"),
        format!("{NAME}={first}; junk={}", "j".repeat(70_000)),
        format!("junk={}; {NAME}={first}", "j".repeat(70_000)),
        (0..6).map(|n| format!("{NAME}={n}{}; ", &first[1..])).collect(),
    ];
    for cookie in &cookies {
        for how in ["GET /who", "POST /add", "POST /panic/headers"] {
            search.send(&one.thief(), how, &[("cookie", cookie)]).await;
        }
    }
    for (name, value) in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")] {
        search.send(one, "POST /add", &[(name, value)]).await;
    }
    house.store.set_away(true);
    for how in ["GET /who", "GET /view", "POST /add", "POST /login/ada", "POST /logout"] {
        search.send(other, how, &[]).await;
    }
    house.store.set_away(false);
    house.sessions.revoke_user("ada", Reason::Revoked, By::SYSTEM).await.unwrap();
    house.sessions.revoke_user("eve", Reason::Revoked, By::SYSTEM).await.unwrap();
    for browser in browsers {
        search.send(browser, "GET /why", &[]).await;
        search.send(browser, "POST /login/ada", &[]).await;
    }
    house.seconds(DAY);
    search.send(one, "GET /why", &[]).await;
    search.pages += &format!("{:?} {:?}", house.sessions, house.sessions.layer());
    house.sessions.shutdown(PATIENCE).await;
    search.send(other, "GET /who", &[]).await;
}

#[tokio::test]
async fn nothing_that_is_printed_around_and_inside_of_the_layer_has_a_secret_in_any_form() {
    nothing_is_printed(around).await;
}

/// Nobody in front has marked anything.
#[tokio::test]
async fn nothing_that_is_printed_inside_of_the_layer_has_a_secret_in_any_form() {
    nothing_is_printed(panics).await;
}

async fn nothing_is_printed(around: fn(Router) -> Router) {
    let events = Events::listen();
    let rules = |rules: cloakroom::Builder<Shop>| {
        rules.renew_every(std::time::Duration::from_secs(HOUR / 4))
    };
    let house = House::with(talkative(), rules).inside(around);
    let mut search = Search { secrets: Secrets::default(), pages: String::new() };
    search.secrets.add_text(NOTE);

    let browsers = walk(&house, &mut search).await;
    go_wrong(&house, &mut search, &browsers).await;

    let (told, Search { secrets, pages }) = (events.text(), search);
    for name in ["signed_in", "renewed", "gate_refused", "ambiguous_tickets", "too_many_tickets"] {
        assert!(told.contains(&format!("event=\"{name}\"")), "{name}");
    }
    for word in ["Service panicked: Session", "\"cookie\": Sensitive", "\"set-cookie\": Sensitive"]
    {
        assert!(told.contains(word), "{word}");
    }
    assert!(secrets.tickets() >= 14, "{} tickets", secrets.tickets());
    secrets.assert_absent("the log", told.as_bytes());
    secrets.assert_absent("an answer", pages.as_bytes());
    let keys: Vec<u8> = house.store.keys().iter().flat_map(|key| *key.as_bytes()).collect();
    secrets.assert_absent_from_store("a key", &keys);
    secrets.assert_would_be_found(told.as_bytes());
    secrets.assert_would_be_found(pages.as_bytes());
}

/// Why `docs/threat-model.md` asks for marking in front of a trace layer that is around ours, and
/// that the search finds what such a layer prints.
#[tokio::test]
async fn a_trace_layer_around_ours_prints_cookies_that_nobody_marked_before_it() {
    let events = Events::listen();
    let house = House::shop().inside(|router| router.layer(trace()));
    let browser = house.user("ada").await;
    let signing_in = events.text();

    browser.get("/who").await;

    let (ticket, told) = (browser.ticket().unwrap(), events.text());
    assert!(told.contains(&ticket), "{told}");
    assert!(!signing_in.contains(&ticket), "{signing_in}");
}

#[tokio::test]
async fn a_refused_request_has_its_cookies_marked_as_well() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let refuse = |site: &str| {
        let (mut parts, _) = browser.request(Method::POST, "/add").into_parts();
        parts.headers.insert("sec-fetch-site", site.parse().unwrap());
        let opened = house.sessions.open(&parts.method, &parts.uri, &mut parts.headers);
        assert!(opened.is_err(), "{opened:?}");
        parts.headers
    };

    let by_the_gate = refuse("cross-site");
    house.sessions.shutdown(PATIENCE).await;
    let at_the_end = refuse("same-origin");

    for headers in [by_the_gate, at_the_end] {
        assert!(headers.get_all("cookie").iter().all(HeaderValue::is_sensitive));
    }
}
