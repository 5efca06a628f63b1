//! The README shows what really travels: its service runs here, and its transcript is compared.
//!
//! `CLOAKROOM_BLESS=1 cargo test -p cloakroom --features axum,sqlite --test readme` writes it anew.
#![cfg(all(feature = "axum", feature = "sqlite"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by ending there"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

// The service, line for line as in the README.
include!("readme/service.in");

async fn service(file: &Path) -> Router {
    let sessions =
        Sessions::<Shop>::builder(SqliteStore::open(file).await.unwrap()).build().unwrap();
    Router::new()
        .route("/", get(cart))
        .route("/add", post(add))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .layer(sessions.layer())
}

const README: &str = include_str!("../../../README.md");
const BEGIN: &str = "<!-- transcript: begin -->\n";
const END: &str = "<!-- transcript: end -->\n";

#[test]
fn the_readme_shows_the_service_that_runs_here() {
    let (_, rest) = README.split_once("```rust,no_run\n").unwrap();
    let (shown, _) = rest.split_once("#[tokio::main]").unwrap();

    assert_eq!(shown.trim(), include_str!("readme/service.in").trim());
}

#[tokio::test]
async fn the_readme_shows_what_travels() {
    let folder = std::env::temp_dir().join(format!("cloakroom-readme-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = service(&folder.join("sessions.db")).await;
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let told = tokio::task::spawn_blocking(move || transcript(address)).await.unwrap();

    server.abort();
    std::fs::remove_dir_all(&folder).unwrap();
    let shown = README.split_once(BEGIN).unwrap().1.split_once(END).unwrap().0;
    if std::env::var_os("CLOAKROOM_BLESS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
        std::fs::write(path, README.replace(&format!("{BEGIN}{shown}"), &format!("{BEGIN}{told}")))
            .unwrap();
    } else {
        assert_eq!(shown, told);
    }
}

/// Six requests of one browser. Tickets are random, so each is shown under a made-up one.
fn transcript(address: SocketAddr) -> String {
    let mut jar = Jar { address, ticket: None, names: Vec::new() };
    let steps = [
        ("curl -i -X POST localhost:3000/add", "POST /add", ""),
        ("curl -i -X POST -b $TICKET -H $OURS localhost:3000/add", "POST /add", ""),
        (
            "curl -i -X POST -b $TICKET -H $OURS localhost:3000/login -d name=ada",
            "POST /login",
            "name=ada",
        ),
        ("curl -i -b $TICKET localhost:3000/", "GET /", ""),
        ("curl -i -X POST -b $TICKET localhost:3000/logout", "POST /logout", ""),
        ("curl -i -X POST -b $TICKET -H $OURS localhost:3000/logout", "POST /logout", ""),
    ];
    let told: Vec<String> = steps
        .into_iter()
        .map(|(shown, line, body)| {
            format!("$ {shown}\n{}", jar.send(line, body, shown.contains("$OURS")))
        })
        .collect();
    format!("```text\n{}```\n", told.join("\n"))
}

struct Jar {
    address: SocketAddr,
    ticket: Option<String>,
    names: Vec<String>,
}

impl Jar {
    fn send(&mut self, line: &str, body: &str, ours: bool) -> String {
        let site = if ours { "sec-fetch-site: same-origin\r\n" } else { "" };
        let cookie = self.ticket.as_ref().map(|ticket| format!("cookie: {ticket}\r\n"));
        let request = format!(
            "{line} HTTP/1.1\r\nhost: localhost:3000\r\n{site}{}\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            cookie.unwrap_or_default(),
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        self.keep(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines: Vec<&str> = head
            .lines()
            .filter(|line| !line.starts_with("date:") && !line.starts_with("connection:"))
            .collect();
        lines[1..].sort_unstable();
        let blank = if body.is_empty() { "" } else { "\n\n" };
        self.masked(&format!("{}{blank}{body}\n", lines.join("\n")))
    }

    fn keep(&mut self, answer: &str) {
        let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        if let Some(pair) = set.and_then(|line| line.split(';').next()) {
            self.ticket = Some(pair.to_owned());
            let ticket = pair.split_once('=').unwrap().1;
            if !ticket.is_empty() {
                self.names.push(ticket.to_owned());
            }
        }
    }

    fn masked(&self, text: &str) -> String {
        const SHOWN: [&str; 2] = ["q0XvQy3v1o0n3R8m2k5b9g", "Zk7tYp2LwE6sB1cUjH4xNA"];
        let pairs = self.names.iter().zip(SHOWN);
        pairs.fold(text.to_owned(), |text, (ticket, shown)| text.replace(ticket, shown))
    }
}
