//! The program as it is started and asked.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by ending there"
)]

use std::net::SocketAddr;
use std::process::Command;

use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::http::{self, Response, set_cookie_value};
use cloakroom_journeys::process::{Ready, Server};
use serde_json::{Value, json};

const COOKIE: &str = "__Host-Http-session";

fn tally(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tally"));
    command.args(arguments);
    command
}

fn start(store: &str) -> Server {
    let command = tally(&["--addr", "127.0.0.1:0", "--store", store]);
    Server::spawn(command, Ready::printed_address()).unwrap()
}

fn ask(at: SocketAddr, method: &str, path: &str, ticket: &str, body: &Value) -> Response {
    let cookie = format!("{COOKIE}={ticket}");
    let headers: [(&str, &[u8]); 3] = [
        ("Cookie", cookie.as_bytes()),
        ("Sec-Fetch-Site", b"same-origin"),
        ("Content-Type", b"application/json"),
    ];
    http::request(at, method, path, &headers, body.to_string().as_bytes()).unwrap()
}

fn told(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn two_processes_on_one_file_count_together() {
    let folder = Folder::new("tally").unwrap();
    let store = format!("sqlite:{}", folder.join("tally.db").display());
    let (one, other) = (start(&store), start(&store));
    let none = Value::Null;

    let first = ask(one.address(), "POST", "/count", "", &none);
    let ticket = set_cookie_value(&first, COOKIE).unwrap();
    let signed_in = ask(other.address(), "POST", "/sign-in", &ticket, &json!({ "name": "ada" }));
    let ticket = set_cookie_value(&signed_in, COOKIE).unwrap();
    let second = ask(one.address(), "POST", "/count", &ticket, &none);
    let shown = ask(other.address(), "GET", "/", &ticket, &none);
    let signed_out = ask(one.address(), "POST", "/sign-out", &ticket, &none);
    let after = ask(other.address(), "GET", "/", &ticket, &none);

    assert_eq!(told(&first), json!({ "user": null, "count": 1 }));
    assert_eq!(signed_in.status, 204);
    assert_eq!(told(&second), json!({ "user": "ada", "count": 2 }));
    assert_eq!(told(&shown), told(&second));
    assert_eq!(signed_out.status, 204);
    assert_eq!(told(&after), json!({ "user": null, "count": 0 }));
}

#[test]
fn help_is_given_to_whoever_asks() {
    let done = tally(&["--help"]).output().unwrap();

    assert!(done.status.success() && done.stdout.starts_with(b"usage: tally"));
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    for (arguments, says) in [
        (&["--store"][..], "--store needs a value"),
        (&["--store", "tally.db"], "write sqlite:PATH"),
        (&["--addr", "0.0.0.0:80"], "is not this machine's own"),
        (&["--addr", "here"], "--addr needs IP:PORT"),
        (&["--port", "80"], "--port is not an argument"),
        (&["--port"], "--port is not an argument"),
    ] {
        let done = tally(arguments).output().unwrap();

        let problem = String::from_utf8(done.stderr).unwrap();
        assert!(problem.contains(says), "{problem}");
        assert_eq!(done.status.code(), Some(2));
    }
}
