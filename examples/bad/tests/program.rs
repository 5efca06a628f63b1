//! The program, and the auditor as a command, over real HTTP.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use std::process::{Command, Output};

use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::process::{Ready, Server};
use cloakroom_journeys::program;

/// What the script of the application asks for.
const SECRETS: [(&str, &str); 5] = [
    ("BAD_NAME", "ada"),
    ("BAD_PASSWORD", "analytical engine"),
    ("BAD_NEW_PASSWORD", "mill and store and barrel"),
    ("BAD_OTHER_NAME", "bea"),
    ("BAD_OTHER_PASSWORD", "difference engine"),
];

fn bad() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bad"))
}

/// Starts the application with these switches, and audits it with its login script.
fn audited(switches: &str) -> Output {
    let mut bad = bad();
    bad.args(["--addr", "127.0.0.1:0", "--bad", switches]);
    let bad = Server::spawn(bad, Ready::printed_address()).unwrap();
    let url = format!("http://{}", bad.address());
    let folder = Folder::new("bad").unwrap();
    let script = folder.join("login.toml");
    let text = include_str!("../login.toml");
    std::fs::write(&script, text.replace("http://127.0.0.1:8090", &url)).unwrap();

    let mut auditor = Command::new(program::build("cloakroom-cli").unwrap());
    auditor.args(["audit", &url, "--fail-on", "low", "--login"]).arg(&script).envs(SECRETS);
    auditor.output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn nothing_is_found_where_no_switch_is_on() {
    let output = audited("");

    assert_eq!(output.status.code(), Some(0), "{}\n{output:?}", told(&output));
}

#[test]
fn what_is_switched_on_is_found_and_told_and_fails_the_command() {
    let output = audited("C02,F01,O01,X04");

    let told = told(&output);
    assert_eq!(output.status.code(), Some(1), "{told}\n{output:?}");
    for rule in ["C02", "F01", "O01", "X04"] {
        assert!(told.contains(rule), "{rule}: {told}");
    }
    for (_, secret) in SECRETS.iter().filter(|(name, _)| name.ends_with("PASSWORD")) {
        assert!(!told.contains(secret), "{told}");
    }
}

#[test]
fn it_cannot_be_reached_from_elsewhere() {
    let output = bad().args(["--addr", "0.0.0.0:0"]).output().unwrap();

    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("stays on this machine"), "{told}");
}
