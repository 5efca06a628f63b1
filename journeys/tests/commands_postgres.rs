//! What a request costs a PostgreSQL server, as the server counts it: law L6 by its own statistics.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending there")]

use cloakroom_journeys::deadline::poll;
use cloakroom_journeys::http::{Connection, Response, set_cookie_value};
use cloakroom_journeys::postgres::Postgres;
use cloakroom_journeys::process::{Ready, Server};
use cloakroom_journeys::program;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

const COOKIE: &str = "__Host-Http-session";

/// The server counts the calls of functions only if it is told to. A verb that changes something is
/// the call of one.
const COUNTING: [&str; 2] = ["track_functions=all", "fsync=off"];

/// How often each kind of request is sent.
const TIMES: u64 = 100;

const LIMIT: Duration = Duration::from_secs(30);

/// How often the server did what: calls of the functions that verbs are, and all transactions, those
/// that only read included.
type Counts = BTreeMap<String, u64>;

/// A service while it runs.
struct Service(Server);

impl Service {
    fn start(postgres: &Postgres) -> Self {
        let mut command = Command::new(program::build("tally").unwrap());
        command.args(["--addr", "127.0.0.1:0", "--store", &postgres.url()]);
        Self(Server::spawn(command, Ready::printed_address()).unwrap())
    }

    fn ask(&self, method: &str, path: &str, ticket: &str, body: &str) -> Response {
        ask(self.0.address(), method, path, ticket, body)
    }

    fn sign_in(&self, ticket: &str, number: usize) -> Response {
        self.ask("POST", "/sign-in", ticket, &format!("{{\"name\":\"visitor {number}\"}}"))
    }

    /// A visitor who has counted once.
    fn visitor(&self) -> String {
        let counted = self.ask("POST", "/count", "", "");
        set_cookie_value(&counted, COOKIE).unwrap()
    }

    /// Ends in order. Connections tell the server what they did every now and then, and the rest
    /// when they end, before they are out of its list.
    fn end(mut self, postgres: &Postgres) {
        self.0.terminate().unwrap();
        self.0.wait(LIMIT).unwrap();
        let there = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cloakroom'";
        let gone = || (postgres.sql(there).unwrap() == "0").then_some(());
        poll("the end of all connections", LIMIT, gone).unwrap();
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

/// Tickets of visitors who have counted once.
fn visitors(postgres: &Postgres) -> Vec<String> {
    let service = Service::start(postgres);
    let tickets = (0..TIMES).map(|_| service.visitor()).collect();
    service.end(postgres);
    tickets
}

/// What the server did for each request of a service that was asked [`TIMES`] times.
///
/// Rounded: a service that starts looks at the tables and prepares its statements, the sweeper comes
/// by, and whoever reads the counts is counted. That is less than half a transaction for each.
fn cost(postgres: &Postgres, request: impl Fn(&Service, usize)) -> Counts {
    let before = counts(postgres);
    let service = Service::start(postgres);
    (0..TIMES).for_each(|number| request(&service, usize::try_from(number).unwrap()));
    service.end(postgres);
    let grown = counts(postgres).into_iter().map(|(what, count)| {
        let grown = count - before.get(&what).copied().unwrap_or_default();
        (what, (grown + TIMES / 2) / TIMES)
    });
    grown.filter(|(_, each)| *each > 0).collect()
}

fn counts(postgres: &Postgres) -> Counts {
    let told = postgres.sql(
        "SELECT funcname || '=' || calls FROM pg_stat_user_functions WHERE funcname IN \
         ('create_session', 'commit_session', 'touch_sessions', 'confirm', 'replace_session', \
         'renew_session', 'resume_session', 'end_session', 'end_all', 'amend') \
         UNION ALL SELECT 'transactions=' || xact_commit + xact_rollback FROM pg_stat_database \
         WHERE datname = current_database()",
    );
    let read = |line: &str| {
        let (what, count) = line.split_once('=').unwrap();
        (what.to_owned(), count.parse().unwrap())
    };
    told.unwrap().lines().map(read).collect()
}

fn these<const N: usize>(counts: [(&str, u64); N]) -> Counts {
    counts.map(|(what, count)| (what.to_owned(), count)).into()
}

#[test]
fn a_request_costs_postgresql_what_the_law_says() {
    let postgres = Postgres::start(&COUNTING).unwrap();
    let tickets = visitors(&postgres);
    let of = |number: usize| tickets.get(number).unwrap().as_str();

    let untouched = cost(&postgres, |service, number| {
        assert_eq!(service.ask("GET", "/none", of(number), "").status, 404);
    });
    let anonymous = cost(&postgres, |service, _| {
        assert_eq!(service.ask("GET", "/", "", "").status, 200);
    });
    let read = cost(&postgres, |service, number| {
        assert_eq!(service.ask("GET", "/", of(number), "").text(), r#"{"user":null,"count":1}"#);
    });
    let modified = cost(&postgres, |service, number| {
        assert_eq!(service.ask("POST", "/count", of(number), "").status, 200);
    });
    let signed_in = cost(&postgres, |service, number| {
        assert_eq!(service.sign_in("", number).status, 204);
    });
    let taken_along = cost(&postgres, |service, number| {
        assert_eq!(service.sign_in(of(number), number).status, 204);
    });

    assert_eq!(untouched, these([]));
    assert_eq!(anonymous, these([]));
    assert_eq!(read, these([("transactions", 1)]));
    assert_eq!(modified, these([("commit_session", 1), ("transactions", 1 + 1)]));
    assert_eq!(signed_in, these([("create_session", 1), ("transactions", 1)]));
    assert_eq!(taken_along, these([("replace_session", 1), ("transactions", 1 + 1)]));
}
