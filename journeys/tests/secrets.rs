//! The shop at its most talkative: no ticket and no password of its users is in what it prints,
//! answers and stores.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

#[allow(unreachable_pub, reason = "the tests of the laws search with it as well")]
#[path = "../../crates/cloakroom/tests/laws/support/secrets.rs"]
mod known;

use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::http::{self, Response, set_cookie_value};
use cloakroom_journeys::process::{Ready, Server};
use cloakroom_journeys::program;
use known::Secrets;
use rusqlite::Connection;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::Duration;

const COOKIE: &str = "__Host-Http-session";
const PASSWORD: &str = "Tr0ub4dor & <3 \"horses\"";
const OTHER_PASSWORD: &str = "correct horse battery & staple";
const WRONG_PASSWORD: &str = "purple monkey & dishwasher";

#[test]
fn no_ticket_and_no_password_is_printed_answered_or_stored() {
    let mut shop = Shop::open();
    let (mut ada, mut eve) = (Browser::default(), Browser::default());

    shops_and_signs_in(&mut shop, &mut ada);
    uses_two_browsers(&mut shop, &mut ada, &mut eve);
    sends_what_no_browser_sends(&mut shop, &ada, &eve);
    shop.look_into_the_files();
    meets_a_busy_and_a_broken_store(&mut shop, &mut ada, &mut eve);
    signs_out(&mut shop, &mut ada);
    shop.look_into_the_files();
    shop.end();

    let log = shop.server.output();
    for word in [
        "event=\"signed_in\"",
        "event=\"gate_refused\"",
        "event=\"too_many_tickets\"",
        "event=\"ambiguous_tickets\"",
        "event=\"store_failed\"",
        "\"cookie\": Sensitive",
        "\"set-cookie\": Sensitive",
    ] {
        assert!(log.contains(word), "{word} in {log}");
    }
    assert!(shop.secrets.tickets() >= 11, "{} tickets", shop.secrets.tickets());
    assert!(shop.stored.len() > 100_000, "{} bytes stored", shop.stored.len());
    shop.secrets.assert_absent("the log", log.as_bytes());
    shop.secrets.assert_absent("an answer", &shop.answers);
    shop.secrets.assert_absent_from_store("the files", &shop.stored);
    for place in [log.as_bytes(), &shop.answers, &shop.stored] {
        shop.secrets.assert_would_be_found(place);
    }
}

fn shops_and_signs_in(shop: &mut Shop, ada: &mut Browser) {
    assert_eq!(shop.get(ada, "/"), 200);
    assert_eq!(shop.post(ada, "/cart/add", &[("product", "hat")]), 303);
    assert_eq!(shop.post(ada, "/sign-up", &named("ada", PASSWORD)), 303);
    assert_eq!(shop.post(ada, "/sign-in", &named("ada", WRONG_PASSWORD)), 422);
    assert_eq!(shop.post(ada, "/sign-in", &named("nobody", WRONG_PASSWORD)), 422);
    assert_eq!(shop.post(ada, "/sign-up", &named("ada", OTHER_PASSWORD)), 422);
    // A form that lacks a field, and one whose field is no choice.
    assert_eq!(shop.post(ada, "/sign-in", &[("password", PASSWORD)]), 422);
    assert_eq!(shop.post(ada, "/preferences", &[("theme", WRONG_PASSWORD)]), 422);
    assert_eq!(shop.post(ada, "/sign-in", &named("ada", PASSWORD)), 303);
    let parallel: Vec<_> = (0..20)
        .map(|_| {
            let (address, ada) = (shop.server.address(), ada.clone());
            thread::spawn(move || ask(address, "POST", "/cart/add", &ada.headers(), "product=hat"))
        })
        .collect();
    for one in parallel {
        shop.take(&one.join().unwrap());
    }
}

fn uses_two_browsers(shop: &mut Shop, ada: &mut Browser, eve: &mut Browser) {
    let remembered = [("name", "ada"), ("password", PASSWORD), ("remember", "true")];
    assert_eq!(shop.post(eve, "/sign-in", &remembered), 303);
    for path in ["/account", "/staff", "/cart", "/checkout", "/preferences", "/nowhere"] {
        shop.get(ada, path);
    }
    let change = [("old", PASSWORD), ("new", OTHER_PASSWORD)];
    assert_eq!(shop.post(ada, "/account/password", &[("old", WRONG_PASSWORD), change[1]]), 422);
    assert_eq!(shop.post(ada, "/account/password", &change), 303);
    assert_eq!(shop.post(ada, "/checkout", &[("password", OTHER_PASSWORD)]), 303);
    // More than a user may have: first Ada's own session is evicted, then the first of these.
    let mut others: [Browser; 5] = Default::default();
    for other in &mut others {
        assert_eq!(shop.post(other, "/sign-in", &named("ada", OTHER_PASSWORD)), 303);
    }
    assert_eq!(shop.get(ada, "/account"), 303);
    assert_eq!(shop.post(ada, "/sign-in", &named("ada", OTHER_PASSWORD)), 303);
    assert_eq!(shop.get(&mut others[0], "/account"), 303);
    // The password change has ended this one.
    assert_eq!(shop.get(eve, "/account"), 303);
    assert_eq!(shop.get(eve, "/sign-in"), 200);
    assert_eq!(shop.post(eve, "/sign-up", &named("eve", PASSWORD)), 303);
    assert_eq!(shop.post(eve, "/staff/end", &[("name", "ada")]), 403);
    assert_eq!(shop.post(eve, "/account/end-others", &[]), 303);
}

fn sends_what_no_browser_sends(shop: &mut Shop, ada: &Browser, eve: &Browser) {
    let (one, other) = (ada.ticket(), eve.ticket());
    let huge = "j".repeat(100_000);
    for cookie in [
        format!("{COOKIE}={one}; {COOKIE}={other}"),
        (0..6).map(|n| format!("{COOKIE}={n}{}; ", &one[1..])).collect(),
        format!("{COOKIE}={one}AAAA"),
        format!("{COOKIE}=\"{one}\"; =; ;; x"),
        format!("{COOKIE}={one}; junk={huge}"),
        format!("{COOKIE}={one}; {}", "junk=".repeat(200_000)),
    ] {
        for (method, path) in [("GET", "/"), ("GET", "/account"), ("POST", "/cart/clear")] {
            let own: (&str, &[u8]) = ("Sec-Fetch-Site", b"same-origin");
            // A server may close the connection on so large a head.
            let answer = http::request(
                shop.server.address(),
                method,
                path,
                &[("Cookie", cookie.as_bytes()), own],
                b"",
            );
            answer.iter().for_each(|answer| shop.take(answer));
        }
    }
    for site in ["cross-site", "same-site"] {
        let cookie = format!("{COOKIE}={one}");
        let headers = [("Cookie", cookie.as_bytes()), ("Sec-Fetch-Site", site.as_bytes())];
        let answer = ask(shop.server.address(), "POST", "/sign-out", &headers, "");
        assert_eq!(answer.status, 403);
        shop.take(&answer);
    }
}

fn meets_a_busy_and_a_broken_store(shop: &mut Shop, ada: &mut Browser, eve: &mut Browser) {
    let other = Connection::open(shop.folder.join("shop.db")).unwrap();
    other.busy_timeout(Duration::from_secs(20)).unwrap();

    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(shop.post(ada, "/cart/add", &[("product", "coat")]), 503);
    assert_eq!(shop.post(eve, "/sign-in", &named("eve", PASSWORD)), 503);
    other.execute_batch("ROLLBACK").unwrap();

    let broken = other.execute("UPDATE sessions SET data = '{\"cart\":' WHERE user = 'eve'", []);
    assert_eq!(broken.unwrap(), 1);
    assert_eq!(shop.get(eve, "/account"), 503);
    assert_eq!(shop.post(eve, "/cart/clear", &[]), 503);
}

fn signs_out(shop: &mut Shop, ada: &mut Browser) {
    let before = ada.clone();
    assert_eq!(shop.post(ada, "/sign-out", &[]), 303);
    assert_eq!(shop.get(&mut before.clone(), "/account"), 303);
    assert_eq!(shop.post(&mut before.clone(), "/cart/clear", &[]), 303);
}

fn named<'a>(name: &'a str, password: &'a str) -> [(&'a str, &'a str); 2] {
    [("name", name), ("password", password)]
}

/// A browser with one cookie.
#[derive(Clone, Default)]
struct Browser {
    cookie: String,
}

impl Browser {
    fn ticket(&self) -> &str {
        self.cookie.split_once('=').unwrap().1
    }

    fn headers(&self) -> [(&str, &[u8]); 3] {
        let form: &[u8] = b"application/x-www-form-urlencoded";
        [
            ("Content-Type", form),
            ("Sec-Fetch-Site", b"same-origin"),
            ("Cookie", self.cookie.as_bytes()),
        ]
    }
}

/// A shop that prints all it can, and everything that came out of it.
struct Shop {
    server: Server,
    folder: Folder,
    secrets: Secrets,
    answers: Vec<u8>,
    stored: Vec<u8>,
}

impl Shop {
    fn open() -> Self {
        let folder = Folder::new("secrets").unwrap();
        let mut command = Command::new(program::build("shop").unwrap());
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        let store = format!("sqlite:{}", folder.join("shop.db").display());
        command.args(["--addr", "127.0.0.1:0", "--store", &store]);
        let server = Server::spawn(command, Ready::printed_address()).unwrap();
        let mut secrets = Secrets::default();
        for password in [PASSWORD, OTHER_PASSWORD, WRONG_PASSWORD] {
            secrets.add_text(password);
        }
        Self { server, folder, secrets, answers: Vec::new(), stored: Vec::new() }
    }

    fn get(&mut self, browser: &mut Browser, path: &str) -> u16 {
        self.send(browser, "GET", path, "")
    }

    fn post(&mut self, browser: &mut Browser, path: &str, form: &[(&str, &str)]) -> u16 {
        let pairs = form.iter().map(|(name, value)| format!("{name}={}", for_a_form(value)));
        self.send(browser, "POST", path, &pairs.collect::<Vec<_>>().join("&"))
    }

    fn send(&mut self, browser: &mut Browser, method: &str, path: &str, body: &str) -> u16 {
        let answer = ask(self.server.address(), method, path, &browser.headers(), body);
        if let Some(ticket) = set_cookie_value(&answer, COOKIE) {
            browser.cookie = format!("{COOKIE}={ticket}");
        }
        self.take(&answer);
        answer.status
    }

    /// Everything in an answer but the cookie that is meant to have the ticket.
    fn take(&mut self, answer: &Response) {
        if let Some(ticket) = set_cookie_value(answer, COOKIE).filter(|ticket| !ticket.is_empty()) {
            self.secrets.add_ticket(&ticket);
        }
        for (name, value) in &answer.headers {
            let ours = name.eq_ignore_ascii_case("Set-Cookie")
                && value.starts_with(format!("{COOKIE}=").as_bytes());
            if !ours {
                self.answers.extend([name.as_bytes(), b": ", value, b"\n"].concat());
            }
        }
        self.answers.extend(&answer.body);
    }

    /// The database, its log and its index, as they are on the disk while the shop runs.
    fn look_into_the_files(&mut self) {
        let mut names = Vec::new();
        for file in fs::read_dir(self.folder.path()).unwrap() {
            let file = file.unwrap();
            names.push(file.file_name().into_string().unwrap());
            self.stored.extend(fs::read(file.path()).unwrap());
        }
        for name in ["shop.db", "shop.db-wal", "shop.db-shm", "shop.db.accounts"] {
            assert!(names.iter().any(|found| found == name), "{name} in {names:?}");
        }
    }

    fn end(&mut self) {
        self.server.terminate().unwrap();
        assert!(self.server.wait(Duration::from_secs(20)).unwrap().success());
        for file in fs::read_dir(self.folder.path()).unwrap() {
            self.stored.extend(fs::read(file.unwrap().path()).unwrap());
        }
    }
}

fn ask(
    shop: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &[u8])],
    body: &str,
) -> Response {
    http::request(shop, method, path, headers, body.as_bytes()).unwrap()
}

fn for_a_form(text: &str) -> String {
    let letter = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}
