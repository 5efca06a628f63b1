//! `cloakroom audit --login` and `--wait`, against a server of these tests with timeouts of seconds.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "what goes wrong fails the test, and the server's clock is the real one"
)]

use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PASSWORD: &str = "correct-horse-7";
const FORM: &str =
    "<form method=post action=/login><input name=user><input type=password name=word></form>";

/// How long sessions live here.
#[derive(Clone, Copy)]
struct Limits {
    idle: Duration,
    absolute: Duration,
}

#[derive(Clone)]
struct Site {
    limits: Limits,
    /// When each began, and when it was used last.
    sessions: Arc<Mutex<HashMap<String, (Instant, Instant)>>>,
}

impl Site {
    fn start(limits: Limits) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let site = Self { limits, sessions: Arc::default() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let site = site.clone();
                std::thread::spawn(move || drop(site.answer(&stream)));
            }
        });
        address
    }

    fn answer(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
        let head = head.to_ascii_lowercase();
        let length =
            head.split_once("content-length: ").and_then(|(_, rest)| rest.split_once("\r\n"));
        let mut body = vec![0; length.and_then(|(length, _)| length.parse().ok()).unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let (status, fields, page) = self.page(&head, &String::from_utf8_lossy(&body));
        let length = page.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/html\r\n\
             Content-Length: {length}\r\n{fields}\r\n{page}"
        )?;
        stream.shutdown(std::net::Shutdown::Write)?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }

    fn page(&self, head: &str, body: &str) -> (&'static str, String, &'static str) {
        let token = head.split_once("session=").map(|(_, rest)| rest.chars().take(24).collect());
        let token: String = token.unwrap_or_default();
        let mut sessions = self.sessions.lock().unwrap();
        if head.starts_with("post /login ") && body.contains(PASSWORD) {
            let fresh =
                format!("{:024x}", 0x9e37_79b9_7f4a_7c15_u128 * (sessions.len() as u128 + 77));
            sessions.insert(fresh.clone(), (Instant::now(), Instant::now()));
            let line = format!(
                "Location: /me\r\nSet-Cookie: session={fresh}; Path=/; HttpOnly; SameSite=Lax\r\n"
            );
            return ("303 See Other", line, "");
        }
        let limits = self.limits;
        let live = sessions.get_mut(&token).filter(|(began, used)| {
            began.elapsed() < limits.absolute && used.elapsed() < limits.idle
        });
        match live {
            Some((_, used)) if head.starts_with("get /me ") => {
                *used = Instant::now();
                ("200 OK", String::new(), "hello ada")
            }
            Some(_) | None if head.starts_with("get /me ") => {
                ("303 See Other", "Location: /login\r\n".to_owned(), "")
            }
            Some(_) | None => ("200 OK", String::new(), FORM),
        }
    }
}

/// A folder of its own with a login script for the site, which is gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, site: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("cloakroom-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let script = format!(
            "origin = '{site}'\n[secrets]\npassword = 'env:TEST_PASSWORD'\n\
             [login]\npage = '/login'\nform = {{ user = 'ada', word = '{{password}}' }}\n\
             [whoami]\npath = '/me'\nsigned_in = {{ status = 200, contains = 'hello' }}\n\
             signed_out = {{ status = 303, location = '/login' }}\n\
             [policy]\nidle = '4s'\nabsolute = '10s'\n"
        );
        std::fs::write(folder.join("login.toml"), script).unwrap();
        Self(folder)
    }

    fn command(&self, site: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
        command.args(["audit", site, "--login", "login.toml", "--format", "json"]).args(arguments);
        command.args(["--pages", "2", "--samples", "1", "--no-planting"]);
        command.current_dir(&self.0).env("TEST_PASSWORD", PASSWORD).stdin(Stdio::null());
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a rule came to, in a report in JSON.
fn answer(output: &Output, id: &str) -> String {
    let err = String::from_utf8_lossy(&output.stderr);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {err}"));
    let rules = report["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["id"] == id).unwrap();
    match rule["answer"].as_str().unwrap() {
        "not decided" => format!("not decided: {}", rule["why"]),
        decided => decided.to_owned(),
    }
}

const SOON: Limits = Limits { idle: Duration::from_secs(4), absolute: Duration::from_secs(10) };
const NEVER: Limits = Limits { idle: Duration::MAX, absolute: Duration::MAX };

#[test]
fn a_wait_tells_a_server_that_ends_its_sessions_from_one_that_does_not() {
    for (name, limits, expected) in [("soon", SOON, "holds"), ("never", NEVER, "broken")] {
        let site = Site::start(limits);
        let folder = Folder::new(name, &site);

        let output = folder.command(&site, &["--wait", "12s"]).output().unwrap();

        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            (answer(&output, "T01").as_str(), answer(&output, "T02").as_str()),
            (expected, expected),
            "{told}"
        );
        assert!(told.contains("idle probe after 5 s") && told.contains("is kept active"), "{told}");
        assert!(
            !told.contains(PASSWORD) && !String::from_utf8_lossy(&output.stdout).contains(PASSWORD)
        );
        assert!(!folder.0.join("cloakroom-wait.json").exists(), "sessions stay behind");
    }
}

#[test]
fn a_wait_that_is_interrupted_is_gone_on_with() {
    let site = Site::start(NEVER);
    let folder = Folder::new("interrupted", &site);
    let state = folder.0.join("cloakroom-wait.json");
    let mut command = folder.command(&site, &["--wait", "12s"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("absolute probe after") && err.read_line(&mut said).unwrap() > 0 {}

    let mode = std::fs::metadata(&state).unwrap().mode() & 0o777;
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    err.read_to_string(&mut said).unwrap();
    let ended = child.wait_with_output().unwrap();
    let resumed = folder.command(&site, &["--wait", "12s"]).output().unwrap();

    assert_eq!((mode, ended.status.code()), (0o600, Some(130)), "{said}");
    assert!(said.contains("the same command goes on"), "{said}");
    assert_eq!(answer(&resumed, "T01"), "broken");
    assert!(String::from_utf8_lossy(&resumed.stderr).contains("going on with the wait"));
    assert!(!state.exists());
}

#[test]
fn a_script_that_cannot_be_used_is_told_before_anybody_is_asked() {
    let site = Site::start(SOON);
    let folder = Folder::new("refused", &site);
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };

    let unset = run(folder.command(&site, &[]).env_remove("TEST_PASSWORD"));
    let foreign = run(&mut folder.command("http://127.0.0.1:9/", &[]));
    let no_time = run(&mut folder.command(&site, &["--wait", "soon"]));
    std::fs::write(folder.0.join("open.json"), "secret").unwrap();
    Command::new("chmod").args(["644", "open.json"]).current_dir(&folder.0).status().unwrap();
    let open = run(&mut folder.command(&site, &["--wait", "1s", "--state", "open.json"]));

    for ((code, told), said) in [
        (unset, "TEST_PASSWORD is not set"),
        (foreign, "is to be audited"),
        (no_time, "no time: a number with s, m, h or d"),
        (open, "others may read or change it"),
    ] {
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(said) && !told.contains("secret"), "{told}");
    }
}
