//! What the command takes, and what it gives.

use crate::command::{audit, end, start};
use crate::server::{Asked, Server, nothing, page, read};
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

const TOKEN: &str = "q8Zr31LkP0vTn5YxBm2Wgk";
static MINTED: AtomicUsize = AtomicUsize::new(0);

/// A shop whose session travels in clear.
fn shop(asked: &Asked) -> Vec<u8> {
    match asked.path.as_str() {
        "/" if asked.head.to_ascii_lowercase().contains("\r\ncookie:") => {
            page("", "<a href=/cart>")
        }
        "/" => {
            let number = MINTED.fetch_add(1, Ordering::SeqCst);
            let line = format!("Set-Cookie: sessionid={TOKEN}{number:04}; Path=/; HttpOnly\r\n");
            page(&line, "<a href=/cart>")
        }

        "/cart" => page("", "1 coat"),
        _ => nothing(),
    }
}

/// A file of this test alone.
fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}

#[test]
fn a_site_is_audited_and_no_secret_is_printed() {
    let server = Server::of(shop);

    let ended = audit(&[&server.url(), "--verbose"]);

    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.contains("C01  Cookie without Secure"), "{}", ended.out);
    assert!(!ended.out.contains(TOKEN) && !ended.out.contains('\u{1b}'), "{}", ended.out);
    assert!(ended.err.is_empty(), "no progress where nobody watches: {}", ended.err);
}

#[test]
fn the_code_follows_the_severity_that_counts() {
    let server = Server::of(shop);
    let code = |severity| audit(&[&server.url(), "--samples", "0", "--fail-on", severity]).code;

    assert_eq!((code("high"), code("critical")), (Some(1), Some(0)));
}

#[test]
fn every_format_is_printed_and_written() {
    let server = Server::of(shop);
    let (html, json) = (file("report.html"), file("report.json"));
    let (to_html, to_json) =
        (format!("html={}", html.display()), format!("json={}", json.display()));

    let ended =
        audit(&[&server.url(), "--format", "sarif", "--save", &to_html, "--save", &to_json]);
    let since = json.to_str().unwrap();
    let again = audit(&[&server.url(), "--baseline", since, "--since", since]);

    assert!(ended.out.contains("\"2.1.0\""), "{}", ended.out);
    assert!(fs::read_to_string(&html).unwrap().starts_with("<!DOCTYPE html>"));
    assert_eq!(again.code, Some(0), "what is known does not count: {}", again.out);
    fs::remove_file(html).unwrap();
    fs::remove_file(json).unwrap();
}

#[test]
fn a_recording_is_audited_without_a_site() {
    let har = file("recording.har");
    let text = r#"{"log": {"entries": [{"startedDateTime": "2026-11-23T10:00:00Z",
        "request": {"method": "GET", "url": "https://shop.example/", "headers": []},
        "response": {"status": 200, "headers": [{"name": "Set-Cookie", "value": "sid=short"}]}}]}}"#;
    fs::write(&har, text).unwrap();

    let ended = audit(&["--har", har.to_str().unwrap()]);

    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.contains("C01"), "{}", ended.out);
    fs::remove_file(har).unwrap();
}

#[test]
fn what_cannot_be_used_is_told_before_anybody_is_asked() {
    let server = Server::of(shop);
    let url = server.url();
    let bad = file("bad.json");
    fs::write(&bad, "{").unwrap();
    let bad = bad.to_str().unwrap();
    for (arguments, word) in [
        (vec!["https://shop.example/"], "--i-may-test-this"),
        (vec![&url, "--scope", "https://shop.example/"], "--i-may-test-this"),
        (vec![&url, "--plain", "http://shop.example/"], "--i-may-test-this"),
        (vec!["ftp://127.0.0.1/"], "ftp://127.0.0.1/"),
        (vec![&url, "--rate", "0"], "--rate 0"),
        (vec![&url, "--rate", "NaN"], "--rate NaN"),
        (vec![&url, "--timeout=-1"], "--timeout"),
        (vec![&url, "--timeout", "1e-12"], "--timeout"),
        (vec![&url, "--stop-after", "inf"], "--stop-after"),
        (vec![&url, "--pages", "100001"], "--pages"),
        (vec![&url, "--ca-file", "/nowhere"], "/nowhere"),
        (vec![&url, "--ca-file", bad], "there is none"),
        (vec![&url, "--baseline", bad], "bad.json"),
        (vec![&url, "--since", "/nowhere"], "/nowhere"),
        (vec![&url, "--suppressions", bad], "bad.json"),
        (vec![&url, "--fail-on", "awful"], "awful"),
        (vec![&url, "--format", "poem"], "poem"),
        (vec![&url, "--save", "html"], "FORMAT=FILE"),
        (vec![&url, "--save", "html=/nowhere/report.html"], "there is no folder /nowhere"),
        (vec![&url, "--save", "html=/tmp"], "it is a folder"),
        (vec!["--har", bad], "bad.json"),
        (vec!["--har", "/nowhere"], "/nowhere"),
        (vec![], "required"),
    ] {
        let ended = audit(&arguments);

        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.err.contains(word), "{arguments:?}: {}", ended.err);
    }
    assert_eq!(server.connections(), 0);
    fs::remove_file(bad).unwrap();
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    let server = Server::of(shop);

    let ended = audit(&[&server.url(), "--samples", "0", "--save", "json=/dev/full"]);

    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("/dev/full cannot be written"), "{}", ended.err);
    assert!(ended.out.contains("C01"), "the report is printed nevertheless");
}

#[test]
fn the_help_tells_what_the_codes_mean() {
    let ended = audit(&["--help"]);

    assert_eq!(ended.code, Some(0));
    for word in ["  0    done", "  1  ", "  2  ", "  3  ", "  130  interrupted"] {
        assert!(ended.out.contains(word), "{word}: {}", ended.out);
    }
}

#[test]
fn an_interruption_gives_the_report_so_far() {
    let (reached, wait) = mpsc::channel();
    let server = Server::raw(move |mut stream| match read(&mut stream) {
        Some(asked) if asked.path == "/cart" => {
            let _ = reached.send(());
            // Nothing comes, so that only the interruption can end it.
            read(&mut stream);
        }
        Some(asked) => drop(stream.write_all(&shop(&asked))),
        None => {}
    });

    let child = start(&[&server.url(), "--timeout", "50"]);
    wait.recv().unwrap();
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let ended = end(child);

    assert!(killed.success());
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(ended.out.contains("C01") && ended.out.contains("interrupted"), "{}", ended.out);
}

#[test]
fn the_clock_gives_the_report_so_far() {
    let server = Server::raw(|mut stream| match read(&mut stream) {
        Some(asked) if asked.path == "/cart" => drop(read(&mut stream)),
        Some(asked) => drop(stream.write_all(&page("", &format!("<a href=/cart>{}", asked.path)))),
        None => {}
    });

    let ended = audit(&[&server.url(), "--timeout", "50", "--stop-after", "0.5"]);

    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.out.contains("the time was up"), "{}", ended.out);
}

#[test]
fn a_site_that_moved_is_not_called_clean() {
    let server = Server::of(|_| {
        b"HTTP/1.1 301 Moved\r\nLocation: https://www.shop.example/\r\nConnection: close\r\n\
          Content-Length: 0\r\n\r\n"
            .to_vec()
    });

    let ended = audit(&[&server.url()]);

    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.out.contains("sends everybody to https://www.shop.example/"), "{}", ended.out);
}
