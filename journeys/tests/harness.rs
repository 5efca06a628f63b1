//! The harness itself, used on a tiny site of its own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use cloakroom_journeys::chrome::{Browser, Context, Options};
use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::http::{self, Connection, set_cookie_value};
use cloakroom_journeys::nginx::Nginx;
use cloakroom_journeys::postgres::Postgres;
use cloakroom_journeys::process::{Ready, Server, free_port};
use cloakroom_journeys::program;
use cloakroom_journeys::proxy::{Network, Proxy};
use cloakroom_journeys::redis::{Cluster, Redis, Sentinels};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A site on a thread: it greets whom its session cookie names, and signs in and out.
fn tiny_site() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || while serve(stream.as_ref().unwrap()).is_some() {});
        }
    });
    address
}

fn serve(stream: &TcpStream) -> Option<()> {
    let (mut reader, mut head) = (BufReader::new(stream), String::new());
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
    }
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    };
    let mut body = vec![0; field("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    let answer = match head.split_whitespace().nth(1)? {
        "/" => page(&format!(
            "<h1>Hello, {}!</h1><form method=post action=/login><input name=user value=nobody>\
             <button type=button>No</button><button>Enter</button></form>\
             <form id=keys method=post action=/login><input name=user></form>\
             <p style='margin-top:2000px'><a id=far href=/scheme>Scheme</a></p>\
             <script>document.title = 'scripted'</script>",
            field("cookie").rsplit('=').next().unwrap_or_default()
        )),
        "/login" => format!(
            "HTTP/1.1 303 See Other\r\nLocation: /\r\nContent-Length: 0\r\nSet-Cookie: \
             __Host-Http-session={}; Path=/; Secure; HttpOnly; SameSite=Lax\r\n\r\n",
            body.rsplit('=').next().unwrap_or_default()
        ),
        "/scheme" => {
            page(&["x-forwarded-proto", "host", "upgrade", "connection"].map(field).join(" "))
        }
        "/bad-cookie" => {
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nSet-Cookie: __Host-x=1\r\n\r\n".into()
        }
        "/hop" => page("<script>location.replace('/')</script>"),
        "/chunks" => "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\
             \r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n"
            .into(),
        _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into(),
    };
    { stream }.write_all(answer.as_bytes()).ok()
}

fn page(content: &str) -> String {
    let page = format!("<!doctype html><title>plain</title>{content}");
    let length = page.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{page}")
}

#[test]
fn a_browser_signs_in_over_tls_and_on_localhost() {
    let site = tiny_site();
    let front = Nginx::tls_front(site.port(), "shop.test").unwrap();
    let browser = Browser::launch(&Options::new().trust(front.key_hash())).unwrap();
    let [alice, bob] = [(); 2].map(|()| browser.context().unwrap());

    signs_in_over_tls(&alice, &front);
    another_context_is_another_person(&bob, &front);
    keeps_prefixed_cookies_on_localhost(&bob, site);
    reads_and_waits(&alice, &front);
    refusals_are_told(&alice, &front, site);
    works_without_scripts(&browser.context().unwrap(), &front);
    takes_pictures(&alice, &front);
}

fn signs_in_over_tls(alice: &Context, front: &Nginx) {
    let page = alice.page().unwrap();

    let first = page.goto(&front.url("/")).unwrap();
    page.fill("input[name=user]", "alice").unwrap();
    let second = page.submit("form").unwrap();

    assert_eq!((first.status, second.status), (Some(200), Some(200)));
    assert_eq!(second.url, front.url("/"));
    assert_eq!(page.text("h1").unwrap(), "Hello, alice!");
    let cookie = alice.cookie("__Host-Http-session").unwrap().unwrap();
    assert_eq!((cookie.value.as_str(), cookie.domain.as_str()), ("alice", "shop.test"));
    assert_eq!((cookie.path.as_str(), cookie.same_site.as_deref()), ("/", Some("Lax")));
    assert!(cookie.secure && cookie.http_only && cookie.session && cookie.expires.is_none());
    assert_eq!(page.cookies().unwrap(), [cookie]);

    let third = page.click("#far").unwrap();
    assert_eq!(page.text("body").unwrap(), format!("https shop.test:{} close", front.port()));
    assert_eq!(third.url, front.url("/scheme"));
    let back = page.back().unwrap();
    assert!(back.restored && back.url == front.url("/") && back.status.is_none());
    assert_eq!(page.reload().unwrap().status, Some(200));
    assert_eq!(page.text("h1").unwrap(), "Hello, alice!");
}

fn another_context_is_another_person(bob: &Context, front: &Nginx) {
    let page = bob.page().unwrap();
    page.goto(&front.url("/")).unwrap();
    assert_eq!(page.text("h1").unwrap(), "Hello, !");
    assert_eq!(bob.cookies().unwrap(), []);
}

fn keeps_prefixed_cookies_on_localhost(bob: &Context, site: SocketAddr) {
    let page = bob.page().unwrap();
    page.goto(&format!("http://localhost:{}/", site.port())).unwrap();
    page.fill("#keys input", "bob").unwrap();
    page.submit("#keys").unwrap();
    assert_eq!(page.text("h1").unwrap(), "Hello, bob!");
    let cookie = bob.cookie("__Host-Http-session").unwrap().unwrap();
    assert!(cookie.secure && cookie.http_only && cookie.domain == "localhost");
    bob.clear_cookies().unwrap();
    let planted = json!({ "name": "theme", "value": "dark", "url": page.url().unwrap() });
    bob.set_cookie(&planted).unwrap();
    assert_eq!(bob.cookies().unwrap().len(), 1);
}

fn reads_and_waits(alice: &Context, front: &Nginx) {
    let page = alice.page().unwrap();
    assert_eq!(page.goto(&front.url("/hop")).unwrap().url, front.url("/"));
    assert_eq!(page.eval("Promise.resolve({ sum: 1 + 2 })").unwrap(), json!({ "sum": 3 }));
    let thrown = page.eval("null.nothing").unwrap_err().to_string();
    assert!(thrown.contains("TypeError"), "{thrown}");
    assert!(page.eval("Promise.reject('no')").unwrap_err().to_string().contains("no"));
    for (failure, sentence) in [
        (page.text("#nowhere").unwrap_err(), "no element matches #nowhere on"),
        (page.fill("h1", "text").unwrap_err(), "h1 takes no text on"),
        (page.press("title").unwrap_err(), "title has no size on"),
    ] {
        assert_eq!(failure.to_string(), format!("{sentence} {}", front.url("/")));
    }
    assert!(page.has("form").unwrap() && !page.has("table").unwrap());

    page.eval("setTimeout(() => location.assign('/scheme'), 50), 0").unwrap();
    page.wait_for("document.body?.innerText.startsWith('https')", 20 * SECOND).unwrap();
    let vain = page.wait_for("false", SECOND / 10).unwrap_err().to_string();
    assert_eq!(vain, "waited 0.1 s in vain for `false` in the page");
    page.eval("setTimeout(() => { throw new Error('late') }, 0), 0").unwrap();
    let mark = page.mark();
    page.eval("console.log('done')").unwrap();
    page.wait_for_event(mark, "Runtime.consoleAPICalled", |_| Some(())).unwrap();
    assert!(page.complaints().iter().any(|text| text.contains("late")), "{:?}", page.complaints());
}

fn refusals_are_told(alice: &Context, front: &Nginx, site: SocketAddr) {
    let page = alice.page().unwrap();
    assert_eq!(page.goto(&front.url("/bad-cookie")).unwrap().status, Some(403));
    let blocked = page.blocked_cookies();
    assert_eq!(blocked.len(), 1);
    assert_eq!(
        (blocked[0].cookie.as_str(), &blocked[0].reasons[..]),
        ("__Host-x=1", &["InvalidPrefix".to_owned()][..])
    );
    page.goto(&format!("http://shop.test:{}/", site.port())).unwrap();
    assert_eq!(page.text("h1").unwrap(), "Hello, !");
    let withheld = page.withheld_cookies();
    assert!(withheld.iter().any(|one| one.reasons.contains(&"SecureOnly".into())), "{withheld:?}");
    let closed = format!("http://shop.test:{}/", free_port().unwrap());
    let failure = page.goto(&closed).unwrap_err().to_string();
    assert_eq!(failure, format!("cannot reach {closed} (net::ERR_CONNECTION_REFUSED)"));
    let failure = page.goto("http://elsewhere.example/").unwrap_err().to_string();
    assert!(failure.contains("ERR_NAME_NOT_RESOLVED"), "{failure}");
}

fn works_without_scripts(carol: &Context, front: &Nginx) {
    let page = carol.page().unwrap();
    page.disable_javascript().unwrap();
    page.goto(&front.url("/")).unwrap();
    assert_eq!(page.text("title").unwrap(), "plain");
    page.fill("input[name=user]", "carol").unwrap();
    page.submit("form").unwrap();
    assert_eq!(page.text("h1").unwrap(), "Hello, carol!");
}

fn takes_pictures(alice: &Context, front: &Nginx) {
    let folder = Folder::new("pictures").unwrap();
    let page = alice.page().unwrap();
    page.goto(&front.url("/")).unwrap();
    for (name, dark) in [("light.png", false), ("dark.png", true)] {
        let path = folder.join(name);
        page.screenshot(&path, 390, 844, dark).unwrap();
        let picture = std::fs::read(path).unwrap();
        assert!(picture.starts_with(b"\x89PNG"));
        let size = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
        assert_eq!(size(16), 390);
        assert!(size(20) > 2000, "the whole page and not only the window");
    }
}

#[test]
fn a_missing_browser_is_one_clear_sentence() {
    let failure = Browser::launch(&Options::new().binary("/nowhere/chromium")).unwrap_err();
    assert_eq!(failure.to_string(), "chromium is not installed: `cargo xtask test` installs it");
    assert!(program::find("no-such-program").is_err());
}

#[test]
fn a_package_without_program_cannot_be_started() {
    let failure = program::build("cloakroom-journeys").unwrap_err();
    assert_eq!(failure.to_string(), "the package cloakroom-journeys has no program");
    let failure = program::build("no-such-package").unwrap_err().to_string();
    assert!(failure.contains("no-such-package"), "{failure}");
}

#[test]
fn a_plain_front_passes_requests_on_and_answers_for_an_absent_server() {
    let site = tiny_site();
    let front = Nginx::plain_front(site.port(), "shop.test").unwrap();
    let headers: &[(&str, &[u8])] =
        &[("Host", b"shop.test:81"), ("Connection", b"upgrade"), ("Upgrade", b"websocket")];

    let answer = http::request(front.address(), "GET", "/scheme", headers, b"").unwrap();

    assert!(answer.text().ends_with("http shop.test:81 websocket upgrade"), "{answer:?}");
    assert_eq!(front.key_hash(), "");
    let absent = free_port().unwrap();
    let front = Nginx::plain_front(absent, "shop.test").unwrap();
    assert_eq!(http::request(front.address(), "GET", "/", &[], b"").unwrap().status, 502);
    front.wait_for_output("Connection refused", 20 * SECOND).unwrap();
}

#[test]
fn raw_requests_are_sent_as_written_and_answers_read_whole() {
    let site = tiny_site();

    let mut connection = Connection::open(site).unwrap();
    let first = connection.request("POST", "/login", &[], b"user=dave").unwrap();
    let second = connection.request("GET", "/chunks", &[], b"").unwrap();
    let third = connection.request("GET", "/", &[("Cookie", b"s=\x00\xff=erin")], b"");

    assert_eq!((first.status, first.header("location").as_deref()), (303, Some("/")));
    assert_eq!(set_cookie_value(&first, "__Host-Http-session").as_deref(), Some("dave"));
    assert_eq!(set_cookie_value(&first, "session"), None);
    assert_eq!(second.text(), "abc0123456789");
    assert!(third.is_err(), "the tiny site does not survive bytes outside of UTF-8");
    assert_eq!(http::request(site, "GET", "/nowhere", &[], b"").unwrap().status, 404);
    assert!(http::exchange(site, b"\xff\r\n").unwrap().is_empty());
}

#[test]
fn a_server_is_awaited_read_asked_to_end_and_killed() {
    let address = tiny_site();
    let script = |rest: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("echo listening on http://{address}/; {rest}")]);
        command
    };

    let mut polite =
        Server::spawn(script("echo up >&2; exec sleep 60"), Ready::printed_address()).unwrap();
    polite.wait_for_output("up\n", 20 * SECOND).unwrap();
    polite.terminate().unwrap();
    let status = polite.wait(20 * SECOND).unwrap();
    let mut hard = Server::spawn(script("exec sleep 60"), Ready::Address(address)).unwrap();
    hard.kill_hard().unwrap();

    assert_eq!(polite.address(), address);
    assert!(polite.output().contains("listening"));
    assert!(polite.terminate().is_err());
    assert!(!status.success());
    assert!(hard.exit_status().unwrap().is_some());
    let early = Server::spawn(script("echo no space >&2; exit 3"), Ready::Line(|_| None));
    assert!(early.unwrap_err().to_string().contains("no space"));
    assert!(Server::spawn(Command::new("/nowhere"), Ready::Address(address)).is_err());
}

#[test]
fn a_postgres_server_keeps_its_data_when_it_is_killed_and_started_again() {
    let mut postgres = Postgres::start(&["max_connections=20"]).unwrap();
    postgres.sql("create table coats (owner text); insert into coats values ('alice')").unwrap();

    postgres.kill_hard().unwrap();
    let down = postgres.sql("select 1");
    postgres.run().unwrap();
    let after_a_crash = postgres.sql("select owner from coats").unwrap();
    postgres.stop().unwrap();
    postgres.run().unwrap();

    assert!(down.is_err());
    assert_eq!(after_a_crash, "alice");
    assert_eq!(postgres.sql("select owner from coats").unwrap(), "alice");
    assert_eq!(postgres.sql("show max_connections").unwrap(), "20");
}

#[test]
fn a_network_delays_cuts_halves_and_garbles() {
    let proxy = Proxy::start(echo()).unwrap();
    let ask = |stream: &mut TcpStream| {
        let mut answer = [0; 4];
        stream.set_read_timeout(Some(SECOND)).unwrap();
        stream.write_all(b"ping").and_then(|()| stream.read_exact(&mut answer)).map(|()| answer)
    };
    let connect = || TcpStream::connect(proxy.address()).unwrap();

    let mut first = connect();
    assert_eq!(ask(&mut first).unwrap(), *b"ping");
    proxy.set(Network::Slow(Duration::from_millis(10)));
    assert_eq!(ask(&mut first).unwrap(), *b"ping");
    proxy.set(Network::Garbage(7));
    assert_ne!(ask(&mut first).unwrap(), *b"ping");
    proxy.set(Network::Cut);
    assert!(ask(&mut first).is_err());
    assert!(ask(&mut connect()).is_err());
    proxy.set(Network::Healthy);
    let mut second = connect();
    assert_eq!(ask(&mut second).unwrap(), *b"ping");

    proxy.set(Network::HalfOpen);
    second.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    second.write_all(b"pong").unwrap();
    assert!(second.read_exact(&mut [0; 4]).is_err());
    proxy.set(Network::Healthy);
    let mut late = [0; 4];
    second.set_read_timeout(Some(SECOND)).unwrap();
    second.read_exact(&mut late).unwrap();
    assert_eq!(late, *b"pong");
    assert_eq!(proxy.accepted(), 3);
}

/// A server that says what it hears.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut buffer = [0; 64];
                while let Ok(length @ 1..) = { &stream }.read(&mut buffer) {
                    if { &stream }.write_all(&buffer[..length]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

#[test]
fn a_redis_server_keeps_what_it_was_told_to_keep() {
    let mut redis = Redis::start(&[("appendonly", "yes"), ("appendfsync", "always")]).unwrap();
    redis.cli(&["set", "coat", "alice"]).unwrap();

    redis.kill_hard().unwrap();
    let down = redis.cli(&["get", "coat"]);
    redis.run().unwrap();

    assert!(down.is_err());
    assert_eq!(redis.cli(&["get", "coat"]).unwrap(), "alice");
    assert!(redis.cli(&["no-such-command"]).is_err());
}

#[test]
fn sentinels_put_the_replica_in_the_place_of_a_killed_primary() {
    let mut trio = Sentinels::start(&[]).unwrap();
    let before = trio.primary().unwrap();
    trio.server_at(before).unwrap().cli(&["set", "coat", "alice"]).unwrap();
    trio.server_at(before).unwrap().cli(&["wait", "1", "1000"]).unwrap();

    trio.server_at(before).unwrap().kill_hard().unwrap();
    let after = trio.wait_for_failover(before).unwrap();

    assert_eq!(trio.server_at(after).unwrap().cli(&["get", "coat"]).unwrap(), "alice");
}

#[test]
fn a_cluster_moves_slots_and_survives_a_killed_primary() {
    let mut cluster = Cluster::start(&[]).unwrap();
    let first = cluster.owner_of(0).unwrap();

    cluster.reshard(0, 1).unwrap();
    let moved = cluster.owner_of(0).unwrap();
    cluster.primary_of(0).unwrap().kill_hard().unwrap();
    let after = cluster.wait_for_failover(0, moved).unwrap();

    assert_ne!(moved, first);
    assert_ne!(after, moved);
}
