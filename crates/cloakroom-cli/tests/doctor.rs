//! `cloakroom doctor`, as people run it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what goes wrong fails the test"
)]

use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

const VALUE: &str = "q8Zr31LkP0vTn5YxBm2W";

fn doctor(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command.arg("doctor").args(arguments).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(arguments: &[&str], input: &str) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    serde_json::from_str(&text(&doctor(&arguments, input))).unwrap()
}

/// The outcome in each family, for the first cookie.
fn outcomes(found: &Value) -> Vec<String> {
    let browsers = found["cookies"][0]["browsers"].as_array().unwrap();
    browsers.iter().map(|browser| browser["outcome"].as_str().unwrap().to_owned()).collect()
}

/// Whether it is sent in this situation, in each family.
fn sent(found: &Value, code: &str) -> Vec<Option<bool>> {
    let of = |browser: &Value| {
        let rows = browser["sent"].as_array().unwrap().iter();
        rows.filter(|row| row["situation"] == code).map(|row| row["sent"].as_bool()).next()?
    };
    found["cookies"][0]["browsers"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn the_guide_shows_what_the_command_prints() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/why-is-my-cookie-not-stored.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let (_, from) = guide.split_once("```text\n$ ").expect("a transcript");
    let (transcript, _) = from.split_once("```").unwrap();
    let (command, expected) = transcript.split_once('\n').unwrap();

    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_cloakroom")).parent().unwrap();
    let output = Command::new("/bin/sh").args(["-c", command]).env("PATH", folder).output();

    assert_eq!(text(&output.unwrap()), expected);
}

#[test]
fn a_line_is_judged_by_every_family_and_no_line_is_wider_than_a_terminal() {
    let line = format!("Set-Cookie: __Host-id={VALUE}; Path=/; Domain=shop.example; Max-Age=x");

    let printed = text(&doctor(&["--url", "https://shop.example/a/b", "--line", &line], ""));

    assert!(
        printed.contains("a `__Host-` name does not go with a Domain (everywhere)"),
        "{printed}"
    );
    assert!(printed.contains("remedy: leave Domain out"), "{printed}");
    assert!(printed.lines().all(|line| line.len() <= 80), "{printed}");
    assert!(!printed.contains(VALUE), "{printed}");
}

#[test]
fn the_page_that_asks_decides_what_is_stored_and_sent() {
    let line = ["--url", "https://pay.example/widget", "--line", "id=1; Secure"];
    let framed = ["--from", "https://shop.example/", "--as", "embedded"];
    let none = "id=1; Secure; SameSite=None";

    let own = json(&line, "");
    let framed_lax = json(&[&line[..], &framed].concat(), "");
    let framed_none = json(&[&["--url", line[1], "--line", none][..], &framed].concat(), "");
    let script = json(&["--url", line[1], "--as", "script", "--line", "id=1; HttpOnly"], "");

    assert_eq!(outcomes(&own), ["stored"; 4]);
    assert_eq!(sent(&own, "cross-site-form"), [Some(false), Some(true), Some(true), Some(true)]);
    assert_eq!(
        sent(&own, "cross-site-form-later"),
        [Some(false), Some(false), Some(true), Some(true)]
    );
    assert_eq!(sent(&own, "reopened"), [Some(false); 4]);
    assert_eq!(sent(&own, "plain-http"), [Some(false); 4]);
    assert_eq!(outcomes(&framed_lax), ["refused", "refused", "changed", "refused"]);
    assert_eq!(outcomes(&framed_none), ["stored", "stored", "changed", "refused"]);
    assert_eq!(sent(&framed_none, "as-asked"), [Some(true), Some(true), Some(true), None]);
    assert_eq!(outcomes(&script), ["refused"; 4]);
}

#[test]
fn the_output_of_curl_is_read_from_the_standard_input() {
    let spoken = "*   Trying 127.0.0.1:80...\n> GET /a HTTP/1.1\n> Host: shop.example\n>\n\
        < HTTP/1.1 200 OK\n< Set-Cookie: id=1; Secure\n< Set-Cookie: seen=1\n<\n";
    let included = format!("HTTP/1.1 200 OK\r\nSet-Cookie: id={VALUE}; Secure\r\n\r\nhello");

    let heard = json(&[], spoken);
    let named = json(&["--url", "https://shop.example/"], &included);
    let one = text(&doctor(&["--cookie", "seen"], spoken));
    let overview = text(&doctor(&[], spoken));

    assert_eq!(
        (heard["responses"].as_u64(), outcomes(&heard)),
        (Some(1), vec!["refused".to_owned(); 4])
    );
    assert_eq!(outcomes(&named), ["stored"; 4]);
    assert!(!named.to_string().contains(VALUE));
    assert!(
        one.starts_with("1 responses, 1 Set-Cookie lines.\n\nseen from http://shop.example/a"),
        "{one}"
    );
    assert!(overview.contains("as they are written: seen."), "{overview}");
}

#[test]
fn a_recording_tells_which_page_asked() {
    let har = r#"{"log": {"entries": [{
        "startedDateTime": "2026-11-23T10:00:00.000Z",
        "request": {"method": "GET", "url": "https://pay.example/w", "headers": [
            {"name": "Referer", "value": "https://shop.example/"},
            {"name": "Sec-Fetch-Dest", "value": "iframe"}]},
        "response": {"status": 200, "headers": [{"name": "Set-Cookie", "value": "id=1; Secure"}]}
    }]}}"#;

    let found = json(&[], har);

    assert_eq!(found["cookies"][0]["from"], "https://shop.example/");
    assert_eq!(outcomes(&found), ["refused", "refused", "changed", "refused"]);
}

#[test]
fn a_cookie_that_nobody_set_is_told_from_one_that_was_refused() {
    let without = "< HTTP/1.1 200 OK\n<\n";
    let with = "< HTTP/1.1 200 OK\n< Set-Cookie: sid=1\n<\n";
    let url = ["--url", "https://shop.example/"];

    let none = text(&doctor(&url, without));
    let other = text(&doctor(&[&url[..], &["--cookie", "id"]].concat(), with));

    assert!(none.starts_with("None of the 1 responses has a Set-Cookie line"), "{none}");
    assert!(other.starts_with("No line sets a cookie named id. These are set: sid."), "{other}");
}

#[test]
fn input_that_cannot_be_used_ends_with_code_2_and_a_sentence() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    for (arguments, input, said) in [
        (&[][..], "", "the standard input is empty"),
        (&["--line", "id=1"], "", "which page sent the line? Say it with `--url`"),
        (&["--line", "id=1", "--url", "shop"], "", "--url: "),
        (&["--line", "id=1", "--url", "https://a.example/", "--from", "x"], "", "--from: "),
        (
            &["--line", "id=1", "--url", "https://a.example/", "--as", "fetch"],
            "",
            "say which with `--from`",
        ),
        (&["--har", "/does/not/exist"], "", "/does/not/exist cannot be read"),
        (&["--curl", folder], "", "cannot be read"),
        (&[], "{ secret", "the HAR file is no JSON: line 1"),
        (&[], "HTTP/1.1 200 OK\n\n", "name it with `--url`"),
        (&["--line", "a=1", "--har", "x"], "", "cannot be used with"),
    ] {
        let output = doctor(arguments, input);

        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(told.contains(said) && output.stdout.is_empty(), "{arguments:?}: {told}");
    }
}
