//! Several processes that keep sessions near: what one ends, the others refuse.
//!
//! Each round signs a visitor in, has every process read the session until it is kept there, ends
//! it in one of them and asks the others until they refuse it. How long that took is printed.
//! `CLOAKROOM_LONG` makes 1,000 rounds of 100.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending there")]
#![allow(clippy::print_stdout, reason = "a measurement is read by people")]

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use cloakroom_journeys::deadline::Stopwatch;
use cloakroom_journeys::http::{Connection, set_cookie_value};
use cloakroom_journeys::postgres::Postgres;
use cloakroom_journeys::process::{Ready, Server};
use cloakroom_journeys::program;
use cloakroom_journeys::redis::Redis;

const COOKIE: &str = "__Host-Http-session";

/// When the last process must have refused.
const WITHIN: Duration = Duration::from_secs(1);

/// The service asks for it.
const DURABLE: [(&str, &str); 1] = [("appendonly", "yes")];

fn rounds() -> usize {
    if std::env::var_os("CLOAKROOM_LONG").is_some() { 1_000 } else { 100 }
}

fn start(store: &str) -> Server {
    let mut command = Command::new(program::build("tally").unwrap());
    command.args(["--addr", "127.0.0.1:0", "--store", store, "--near"]);
    Server::spawn(command, Ready::printed_address()).unwrap()
}

/// A connection that is used again and again, so that no time goes into opening one.
struct Client(Connection);

impl Client {
    fn open(address: SocketAddr) -> Self {
        Self(Connection::open(address).unwrap())
    }

    fn ask(
        &mut self,
        method: &str,
        path: &str,
        ticket: &str,
        body: &str,
    ) -> (String, Option<String>) {
        let cookie = format!("{COOKIE}={ticket}");
        let headers: [(&str, &[u8]); 3] = [
            ("Cookie", cookie.as_bytes()),
            ("Sec-Fetch-Site", b"same-origin"),
            ("Content-Type", b"application/json"),
        ];
        let response = self.0.request(method, path, &headers, body.as_bytes()).unwrap();
        assert!(response.status < 300, "{method} {path}: {}", response.status);
        (response.text(), set_cookie_value(&response, COOKIE))
    }

    fn sees_ada(&mut self, ticket: &str) -> bool {
        self.ask("GET", "/", ticket, "").0.contains("ada")
    }
}

/// How long after the answer to a sign-out the last of the other processes refused, round by
/// round.
fn delays(processes: &[Server]) -> Vec<Duration> {
    let open = || processes.iter().map(|server| Client::open(server.address()));
    let mut clients: Vec<_> = open().collect();
    let round = |number: usize| {
        let ender = number % clients.len();
        let (_, ticket) =
            clients.get_mut(ender).unwrap().ask("POST", "/sign-in", "", r#"{"name":"ada"}"#);
        let ticket = ticket.unwrap();
        for client in &mut clients {
            assert!((0..3).all(|_| client.sees_ada(&ticket)), "every process knows the session");
        }
        clients.get_mut(ender).unwrap().ask("POST", "/sign-out", &ticket, "");
        let since = Stopwatch::start();
        for client in &mut clients {
            while client.sees_ada(&ticket) {
                assert!(since.elapsed() < WITHIN, "served for longer than {WITHIN:?}");
            }
        }
        let took = since.elapsed();
        assert!(!clients.iter_mut().any(|client| client.sees_ada(&ticket)), "it came back");
        took
    };
    (0..rounds()).map(round).collect()
}

fn report(engine: &str, mut delays: Vec<Duration>) {
    delays.sort_unstable();
    let at = |share: usize| delays.get((delays.len() - 1) * share / 100).copied().unwrap();
    let (count, half, most, worst) = (delays.len(), at(50), at(99), at(100));
    println!(
        "{engine}: refused after {half:.1?} (p50), {most:.1?} (p99), {worst:.1?} (worst of {count})"
    );
}

#[test]
fn a_session_that_ends_in_one_process_is_refused_in_all_of_them_over_redis() {
    let redis = Redis::start(&DURABLE).unwrap();
    let processes = [(); 3].map(|()| start(&redis.url()));

    report("Redis", delays(&processes));
}

#[test]
fn a_session_that_ends_in_one_process_is_refused_in_all_of_them_over_postgresql() {
    let postgres = Postgres::start(&[]).unwrap();
    let processes = [(); 3].map(|()| start(&postgres.url()));

    report("PostgreSQL", delays(&processes));
}

#[test]
fn a_session_that_ends_in_one_process_is_refused_in_all_of_them_over_one_file() {
    let folder = cloakroom_journeys::folder::Folder::new("near").unwrap();
    let store = format!("sqlite:{}", folder.join("sessions.db").display());
    let processes = [(); 3].map(|()| start(&store));

    report("SQLite", delays(&processes));
}

#[test]
fn reading_a_session_again_sends_redis_nothing() {
    let redis = Redis::start(&DURABLE).unwrap();
    let service = start(&redis.url());
    let mut client = Client::open(service.address());
    let (_, ticket) = client.ask("POST", "/sign-in", "", r#"{"name":"ada"}"#);
    let ticket = ticket.unwrap();
    assert!((0..3).all(|_| client.sees_ada(&ticket)));
    redis.cli(&["config", "resetstat"]).unwrap();

    assert!((0..100).all(|_| client.sees_ada(&ticket)));

    let told = redis.cli(&["info", "commandstats"]).unwrap();
    // A sweep comes by now and then, with scripts of its own; sessions are read by `GET` alone.
    let is_read =
        |line: &&str| line.starts_with("cmdstat_get:") || line.starts_with("cmdstat_mget:");
    let reads: Vec<_> = told.lines().filter(is_read).collect();
    assert!(reads.is_empty(), "{reads:?}");
}
