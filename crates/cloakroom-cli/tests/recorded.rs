//! `cloakroom audit` of what curl printed.
#![allow(clippy::unwrap_used, reason = "what goes wrong fails the test")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

const TOKEN: &str = "q8Zr31LkP0vTn5YxBm2W";

fn audit(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command.arg("audit").args(arguments).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn the_output_of_curl_is_judged_like_any_other_recording() {
    let included = format!("HTTP/1.1 200 OK\r\nSet-Cookie: session={TOKEN}; Path=/\r\n\r\nhello");
    let spoken = format!(
        "> GET / HTTP/2\n> Host: shop.example\n>\n< HTTP/2 200 \n< set-cookie: session={TOKEN}\n<\n"
    );

    let with_address = audit(&["https://shop.example/", "--curl", "-"], &included);
    let without = audit(&["--curl", "-"], &spoken);

    for output in [with_address, without] {
        let report = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{report}");
        assert!(report.contains("C01") && !report.contains(TOKEN), "{report}");
    }
}

#[test]
fn what_curl_cannot_have_printed_is_refused() {
    for (arguments, input, said) in [
        (&["--curl", "-"][..], "HTTP/1.1 200 OK\n\n", "name it before `--curl`"),
        (&["--curl", "-"], "<html>", "ask again with `curl -si` or `curl -sv`"),
        (&["--curl", "/does/not/exist"], "", "/does/not/exist cannot be read"),
        (&["--curl", "-", "--har", "x"], "", "cannot be used with"),
    ] {
        let output = audit(arguments, input);

        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
}
