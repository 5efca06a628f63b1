//! Sites that never answer, answer for ever, or answer nonsense: the command ends by itself with a code
//! that says so, in bounded memory, and accuses nobody of what was not seen.

use crate::command::{Ended, audit};
use crate::server::{Asked, Server, nothing, page, read};
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Short waits, few pages, and everything as JSON.
fn json(url: &str, more: &[&str]) -> (Option<i32>, serde_json::Value) {
    let mut arguments = vec![url, "--samples", "2", "--format", "json"];
    arguments.extend(more);
    if !more.contains(&"--timeout") {
        arguments.extend(["--timeout", "0.5"]);
    }
    let Ended { code, out, err } = audit(&arguments);
    let report = serde_json::from_str(&out);
    (code, report.unwrap_or_else(|error| panic!("{error}: {out:?} {err:?}")))
}

/// The rules that are broken.
fn broken(report: &serde_json::Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let mut rules: Vec<String> =
        findings.iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

fn robots(asked: &Asked) -> bool {
    asked.path == "/robots.txt"
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let (code, report) = json(&format!("http://{free}/"), &[]);

    assert_eq!((code, broken(&report)), (Some(3), vec![]));
    assert!(report.to_string().contains("connection refused"), "{report}");
}

#[test]
fn it_never_answers() {
    let server = Server::raw(|mut stream| {
        read(&mut stream);
        read(&mut stream);
    });

    let (code, report) = json(&server.url(), &[]);

    assert_eq!((code, broken(&report)), (Some(3), vec![]));
    assert!(report.to_string().contains("no answer in time"), "{report}");
}

#[test]
fn it_drips_for_ever() {
    let server = Server::raw(|mut stream| {
        read(&mut stream);
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: sid=1\r\n\r\n";
        let _ = stream.write_all(head);
        while stream.write_all(b"<a href=/next>").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });

    let (code, report) = json(&server.url(), &["--pages", "3", "--ignore-robots", "--no-planting"]);

    assert_eq!(code, Some(1), "what came before the time was up is an answer: {report}");
    assert!(broken(&report).contains(&"C01".to_owned()), "{report}");
}

#[test]
fn its_head_drips_for_ever() {
    let server = Server::raw(|mut stream| {
        read(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-More: x\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });

    let (code, report) = json(&server.url(), &[]);

    assert_eq!((code, broken(&report)), (Some(3), vec![]));
}

#[test]
fn it_answers_ten_gigabytes() {
    let server = Server::raw(|mut stream| {
        read(&mut stream);
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 10737418240\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        let chunk = vec![b'x'; 1 << 20];
        for _ in 0..10 * 1024 {
            if stream.write_all(&chunk).is_err() {
                return;
            }
        }
    });

    let (code, report) = json(&server.url(), &["--timeout", "30"]);

    assert_eq!((code, broken(&report)), (Some(0), vec![]));
}

#[test]
fn it_redirects_for_ever() {
    let count = AtomicUsize::new(0);
    let server = Server::of(move |_| {
        let next = count.fetch_add(1, Ordering::SeqCst);
        format!("HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /{next}\r\nContent-Length: 0\r\n\r\n")
            .into_bytes()
    });

    let (code, report) = json(&server.url(), &[]);

    assert_eq!((code, broken(&report)), (Some(0), vec![]));
    assert!(server.connections() < 100, "{}", server.connections());
    assert!(report.to_string().contains("enough redirects led to it"), "{report}");
}

#[test]
fn it_closes_without_an_answer() {
    let server = Server::raw(|mut stream| {
        read(&mut stream);
    });

    let (code, report) = json(&server.url(), &[]);

    assert_eq!((code, broken(&report)), (Some(3), vec![]));
    assert!(report.to_string().contains("a broken answer"), "{report}");
}

#[test]
fn it_speaks_something_else() {
    for greeting in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]] {
        let server = Server::of(move |_| greeting.to_vec());

        let (code, report) = json(&server.url(), &[]);

        assert_eq!((code, broken(&report)), (Some(3), vec![]), "{greeting:?}");
    }
}

#[test]
fn its_head_has_no_end() {
    let server = Server::of(|_| {
        let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
        (0..100_000).for_each(|n| head.extend(format!("X-{n}: x\r\n").bytes()));
        head.extend(b"\r\n");
        head
    });

    let (code, report) = json(&server.url(), &[]);

    assert_eq!((code, broken(&report)), (Some(3), vec![]));
}

#[test]
fn a_head_with_hundreds_of_fields_is_read() {
    let server = Server::of(|asked| match robots(asked) {
        true => nothing(),
        false => {
            let fields: String =
                (0..300).map(|n| format!("Set-Cookie: c{n}=1; Path=/\r\n")).collect();
            page(&fields, "")
        }
    });

    let (code, report) = json(&server.url(), &[]);

    assert_eq!(code, Some(1));
    assert!(broken(&report).contains(&"C17".to_owned()), "{report}");
}

#[test]
fn broken_fields_hide_no_other() {
    let server = Server::of(|asked| match robots(asked) {
        true => nothing(),
        false => page(
            "no field at all\r\nSet-Cookie : sid=0123456789abcdef0123; Path=/\r\n\
             Bad\u{1}Name: x\r\nSet-Cookie: other=1;\r\n Expires=never\r\nSet-Cookie: \r\n",
            "",
        ),
    });

    let (code, report) = json(&server.url(), &["--verbose"]);

    assert_eq!(code, Some(1));
    let text = report.to_string();
    assert!(
        text.contains("\"subject\":\"sid\"") && text.contains("\"subject\":\"other\""),
        "{text}"
    );
    assert!(!text.contains("0123456789abcdef0123"), "{text}");
}

#[test]
fn it_says_something_else_each_time() {
    let count = AtomicUsize::new(0);
    let server =
        Server::of(move |asked| match (robots(asked), count.fetch_add(1, Ordering::SeqCst) % 4) {
            (true, _) => nothing(),
            (false, 0) => page("", "<a href=/a></a><a href=/b></a><a href=/c></a><a href=/d></a>"),
            (false, 1) => {
                b"HTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_vec()
            }
            (false, 2) => b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal".to_vec(),
            (false, _) => Vec::new(),
        });

    let (code, report) = json(&server.url(), &[]);

    assert!(matches!(code, Some(0 | 3)), "{code:?} {report}");
    assert_eq!(broken(&report), Vec::<String>::new());
}

#[test]
fn it_says_yes_to_everything() {
    let server = Server::of(|_| page("", "yes"));

    let (code, report) = json(&server.url(), &[]);

    assert_eq!((code, broken(&report)), (Some(0), vec![]));
    let decided = report["rules"].as_array().unwrap().iter();
    let c01 = decided.clone().find(|rule| rule["id"] == "C01").unwrap();
    assert_eq!(c01["answer"], "not decided", "no cookie was set: {c01}");
}

#[test]
fn it_goes_away_midway() {
    let count = AtomicUsize::new(0);
    let server = Server::raw(move |mut stream| {
        if count.fetch_add(1, Ordering::SeqCst) < 4 && read(&mut stream).is_some() {
            let links: String = (0..50).map(|n| format!("<a href=/{n}></a>")).collect();
            let _ = stream.write_all(&page("Set-Cookie: sid=0123456789abcdef0123\r\n", &links));
        }
    });

    let (code, report) = json(&server.url(), &["--ignore-robots"]);

    assert_eq!(code, Some(1), "what was found before counts");
    assert!(report["stopped"].is_string(), "{report}");
    assert!(!broken(&report).contains(&"I05".to_owned()), "{report}");
}
