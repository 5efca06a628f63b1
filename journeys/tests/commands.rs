//! What a request costs a Redis server, as the server counts it: law L6 by its own statistics.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by ending there"
)]

use cloakroom_journeys::http::{Connection, Response, set_cookie_value};
use cloakroom_journeys::process::{Ready, Server};
use cloakroom_journeys::program;
use cloakroom_journeys::redis::{Cluster, Redis};
use std::net::SocketAddr;
use std::process::Command;

const COOKIE: &str = "__Host-Http-session";

/// The service asks for it.
const DURABLE: [(&str, &str); 1] = [("appendonly", "yes")];

/// How often each kind of request is sent.
const TIMES: u64 = 20;

/// What one kind of request came to, for each request.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    /// Commands that read, those of scripts included: a script that changes a session reads it first.
    reads: u64,
    scripts: u64,
}

/// The service on some servers.
struct Service<'a> {
    server: Server,
    nodes: Vec<&'a Redis>,
}

impl<'a> Service<'a> {
    fn start(url: &str, nodes: impl IntoIterator<Item = &'a Redis>) -> Self {
        let mut command = Command::new(program::build("tally").unwrap());
        command.args(["--addr", "127.0.0.1:0", "--store", url]);
        let server = Server::spawn(command, Ready::printed_address()).unwrap();
        Self { server, nodes: nodes.into_iter().collect() }
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// A visitor who has counted once.
    fn visitor(&self) -> String {
        let counted = ask(self.address(), "POST", "/count", "", "");
        set_cookie_value(&counted, COOKIE).unwrap()
    }

    /// Asks [`TIMES`] times, and has the servers count.
    fn cost(&self, mut request: impl FnMut(u64)) -> Cost {
        for node in &self.nodes {
            node.cli(&["config", "resetstat"]).unwrap();
        }
        (0..TIMES).for_each(&mut request);
        let told: Vec<_> =
            self.nodes.iter().map(|node| node.cli(&["info", "commandstats"]).unwrap()).collect();
        let calls = |name: &str| -> u64 {
            let lines = told.iter().flat_map(|text| text.lines());
            let counts = lines.filter_map(|line| {
                let rest = line.strip_prefix("cmdstat_")?.strip_prefix(name)?;
                rest.strip_prefix(":calls=")?.split(',').next()?.parse::<u64>().ok()
            });
            counts.sum()
        };
        // Rounded: the sweeper may come by, and a guest may be where the user will be.
        let each = |calls: u64| (calls + TIMES / 2) / TIMES;
        Cost {
            reads: each(calls("get") + calls("mget")),
            scripts: each(calls("evalsha") + calls("eval")),
        }
    }
}

fn ask(address: SocketAddr, method: &str, path: &str, ticket: &str, body: &str) -> Response {
    let cookie = format!("{COOKIE}={ticket}");
    let mut headers: Vec<(&str, &[u8])> =
        vec![("Sec-Fetch-Site", b"same-origin"), ("Content-Type", b"application/json")];
    if !ticket.is_empty() {
        headers.push(("Cookie", cookie.as_bytes()));
    }
    let mut connection = Connection::open(address).unwrap();
    connection.request(method, path, &headers, body.as_bytes()).unwrap()
}

/// Costs that are the same wherever the servers are.
fn reading_and_changing(service: &Service<'_>) {
    let (at, ticket) = (service.address(), service.visitor());

    let untouched = service.cost(|_| assert_eq!(ask(at, "GET", "/none", &ticket, "").status, 404));
    let anonymous = service.cost(|_| assert_eq!(ask(at, "GET", "/", "", "").status, 200));
    let read = service.cost(|_| assert_eq!(ask(at, "GET", "/", &ticket, "").status, 200));
    let modified = service.cost(|_| assert_eq!(ask(at, "POST", "/count", &ticket, "").status, 200));

    assert_eq!(untouched, Cost { reads: 0, scripts: 0 });
    assert_eq!(anonymous, Cost { reads: 0, scripts: 0 });
    assert_eq!(read, Cost { reads: 1, scripts: 0 });
    assert_eq!(modified, Cost { reads: 1 + 1, scripts: 1 });
}

/// Scripts for one login of a visitor who has a session.
fn scripts_of_a_login(service: &Service<'_>) -> u64 {
    let (at, tickets) = (service.address(), (0..TIMES).map(|_| service.visitor()));
    let tickets: Vec<_> = tickets.collect();
    let sign_in = |number: u64, ticket: &str| {
        let who = format!("{{\"name\":\"visitor {number}\"}}");
        assert_eq!(ask(at, "POST", "/sign-in", ticket, &who).status, 204);
    };
    // The first session of a route costs a command more, once.
    (0..TIMES).for_each(|number| sign_in(number, ""));
    service.cost(|number| sign_in(number, &tickets[usize::try_from(number).unwrap()])).scripts
}

#[test]
fn a_request_costs_what_the_law_says_on_one_server() {
    let redis = Redis::start(&DURABLE).unwrap();
    let service = Service::start(&redis.url(), [&redis]);

    reading_and_changing(&service);

    assert_eq!(scripts_of_a_login(&service), 1);
}

#[test]
fn a_request_costs_what_the_law_says_on_a_cluster() {
    let cluster = Cluster::start(&DURABLE).unwrap();
    let service = Service::start(&cluster.url(), cluster.nodes());

    reading_and_changing(&service);

    assert_eq!(scripts_of_a_login(&service), 2, "a guest and a user are on different routes");
}
