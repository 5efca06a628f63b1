//! The real curl against a server of this test, and what is read of its output.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong fails the test")]

use cloakroom_audit::{Exchange, read_curl};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

/// Answers on a free port of the loopback interface until the test ends.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(answer(&stream))));
    address
}

fn answer(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or(Ok(String::new()))?;
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let (status, fields, body) = match first.split(' ').nth(1) {
        Some("/login") => {
            ("303 See Other", "Location: /home\r\nSet-Cookie: id=1; Path=/\r\n", "go")
        }
        Some(_) | None => ("200 OK", "Set-Cookie: seen=2\r\n", "hello"),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
    )?;
    stream.shutdown(std::net::Shutdown::Write)?;
    // A connection with unread input is reset, and the answer may be lost with it.
    stream.read_to_end(&mut Vec::new()).map(drop)
}

/// What curl writes to both of its outputs.
fn curl(arguments: &[&str], address: &str) -> Vec<u8> {
    let mut command = Command::new("sh");
    command.args(["-c", "exec curl --noproxy '*' -m 20 \"$@\" 2>&1", "curl"]);
    let output = command.args(arguments).arg(format!("{address}/login")).output().unwrap();
    assert!(
        output.status.success(),
        "curl has to be installed (apt-get install curl): {}",
        String::from_utf8_lossy(&output.stdout)
    );
    output.stdout
}

#[test]
fn what_curl_prints_of_a_redirect_is_read_in_each_of_its_forms() {
    let address = server();
    for (arguments, method) in [
        (&["-siL"][..], "GET"),
        (&["-svL"], "GET"),
        (&["-vL"], "GET"),
        (&["-sviL"], "GET"),
        (&["-svL", "-d", "user=a"], "POST"),
    ] {
        let output = curl(arguments, &address);

        let recording = read_curl(&output, Some(&format!("{address}/login")), 0).unwrap();

        let told: Vec<_> = recording.exchanges.iter().map(row).collect();
        let first = (method, format!("{address}/login"), 303, "id=1; Path=/".to_owned());
        let second = ("GET", format!("{address}/home"), 200, "seen=2".to_owned());
        assert_eq!(told, [first, second], "{arguments:?}");
        assert_eq!(recording.exchanges[1].body(), b"hello", "{arguments:?}");
    }
}

fn row(exchange: &Exchange) -> (&str, String, u16, String) {
    let cookie = exchange.response.text("set-cookie").unwrap_or_default().into_owned();
    (exchange.method(), exchange.url().to_owned(), exchange.status(), cookie)
}
