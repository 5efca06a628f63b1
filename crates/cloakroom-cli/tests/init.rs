//! `cloakroom audit init`, against a server of these tests.
#![allow(clippy::unwrap_used, reason = "what goes wrong fails the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};

const FORM: &str = "<form method=post><input type=hidden name=csrf value=1>\
    <input name=user><input type=password name=word></form>";

/// A site on a free port of the loopback interface: `/`, `/in` with the form, `/account`.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().flatten().for_each(|one| drop(answer(&one))));
    address
}

fn answer(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or(Ok(String::new()))?;
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let html = "Content-Type: text/html\r\n";
    let (status, fields, body) = match first.split(' ').nth(1) {
        Some("/") => ("200 OK", html, "<a href=/login>Sign in</a>"),
        Some("/login") => ("200 OK", html, FORM),
        Some("/account") => ("303 See Other", "Location: /login\r\n", ""),
        Some(_) | None => ("404 Not Found", "", ""),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
    )?;
    stream.shutdown(std::net::Shutdown::Write)?;
    stream.read_to_end(&mut Vec::new()).map(drop)
}

/// A folder of its own, which is gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("cloakroom-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn init(folder: &Folder, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command.args(["audit", "init"]).args(arguments).current_dir(&folder.0).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_first_script_is_written_and_says_what_is_left_to_do() {
    let (folder, address) = (Folder::new("init"), server());

    let output = init(&folder, &[&address]);

    let script = std::fs::read_to_string(folder.0.join("login.toml")).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(
        script.contains("page = \"/login\"\nform = { user = \"{name}\", word = \"{password}\" }"),
        "{script}"
    );
    assert!(script.contains("path = \"/account\"\nsigned_in = { status = 200 }\nsigned_out = { status = 303, location = \"/login\" }"), "{script}");
    assert!(
        told(&output).contains("Set SITE_127_0_0_1_NAME and SITE_127_0_0_1_PASSWORD before"),
        "{}",
        told(&output)
    );
    assert!(told(&output).contains("[logout] is a guess"), "{}", told(&output));
}

#[test]
fn a_file_that_is_there_stays_as_it_is_without_force() {
    let (folder, address) = (Folder::new("init-force"), server());
    let file = folder.0.join("login.toml");
    std::fs::write(&file, "mine").unwrap();

    let refused = init(&folder, &[&address]);
    let kept = std::fs::read_to_string(&file).unwrap();
    let forced = init(&folder, &[&address, "--force"]);

    assert_eq!((refused.status.code(), kept.as_str()), (Some(2), "mine"));
    assert!(told(&refused).contains("`--force` writes over it"), "{}", told(&refused));
    assert_eq!(forced.status.code(), Some(0), "{}", told(&forced));
    assert!(std::fs::read_to_string(&file).unwrap().contains("[whoami]"));
}

#[test]
fn a_site_that_may_not_be_asked_or_has_no_login_writes_nothing() {
    let folder = Folder::new("init-none");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let public = init(&folder, &["https://shop.example/"]);
    let silent = init(&folder, &[&format!("http://{nobody}/")]);

    assert_eq!(public.status.code(), Some(2));
    assert!(told(&public).contains("--i-may-test-this"), "{}", told(&public));
    assert_eq!(silent.status.code(), Some(3), "{}", told(&silent));
    assert!(!folder.0.join("login.toml").exists());
}
