//! The program: its arguments, its ports and its end.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

fn shop(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = shop(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// A folder that goes away with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("shop-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn store(&self) -> String {
        format!("sqlite:{}", self.0.join("shop.db").display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A running program, which ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn help_is_printed_and_mistakes_are_explained() {
    let (code, out, _) = run(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("--addr HOST:PORT") && out.contains("PATH.accounts"));

    let (code, out, problem) = run(&["--port", "80"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(problem.starts_with("shop: --port is not an argument of the shop\n\nusage: "));
}

#[test]
fn a_port_in_use_is_named_with_the_remedy() {
    let folder = Folder::new("port");
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();

    let (code, out, problem) = run(&["--addr", &address, "--store", &folder.store()]);

    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(problem.contains(&format!("{address} is in use: end the program")), "{problem}");
    assert!(problem.contains("or choose another port with --addr localhost:"), "{problem}");
}

#[test]
fn files_that_cannot_be_opened_are_named() {
    let folder = Folder::new("files");
    let nowhere = folder.0.join("missing").join("shop.db");

    let (code, _, problem) =
        run(&["--addr", "127.0.0.1:0", "--store", &format!("sqlite:{}", nowhere.display())]);

    assert_eq!(code, Some(1));
    assert!(problem.contains(nowhere.to_str().unwrap()), "{problem}");
}

#[test]
fn localhost_is_served_on_every_loopback_of_the_machine() {
    let folder = Folder::new("localhost");
    let mut command = shop(&["--addr", "localhost:0", "--store", &folder.store()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut shop = Running(child);

    let mut line = String::new();
    BufReader::new(shop.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim_end().strip_prefix("listening on http://localhost:").unwrap();
    let port: u16 = port.strip_suffix('/').unwrap().parse().unwrap();

    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    if TcpListener::bind("[::1]:0").is_ok() {
        assert!(TcpStream::connect(("::1", port)).is_ok());
    }
}
