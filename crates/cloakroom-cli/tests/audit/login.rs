//! An audit with a login script.

use crate::command::{Ended, end};
use crate::server::{Asked, Server};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

const TOKEN: &str = "q8Zr31LkP0vTn5YxBm2Wgk";
const PASSWORD: &str = "only for this test";

/// Its token is the user's for ever: signing out deletes the cookie alone.
fn forgetful(asked: &Asked) -> Vec<u8> {
    let is_in = asked.head.contains(TOKEN);
    let is_post = asked.head.starts_with("POST");
    let answer = |head: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .into_bytes()
    };
    match asked.path.as_str() {
        "/login" if is_post => answer(
            &format!(
                "303 See Other\r\nLocation: /account\r\nSet-Cookie: sid={TOKEN}; Path=/; HttpOnly"
            ),
            "",
        ),
        "/logout" if is_post => {
            answer("303 See Other\r\nLocation: /login\r\nSet-Cookie: sid=; Path=/; Max-Age=0", "")
        }
        "/account" if is_in => answer("200 OK\r\nContent-Type: text/html", "Your account"),
        "/account" => answer("303 See Other\r\nLocation: /login", ""),
        _ => answer(
            "200 OK\r\nContent-Type: text/html",
            "<form method=post action=/login><input name=password></form>",
        ),
    }
}

fn audit(server: &Server, script: &str, password: Option<&str>) -> Ended {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::SeqCst);
    let name = format!("cloakroom-login-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("script.toml");
    std::fs::write(&file, script).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command
        .args([
            "audit",
            &server.url(),
            "--pages",
            "2",
            "--samples",
            "1",
            "--rate",
            "1000",
            "--login",
        ])
        .arg(&file);
    command
        .env_remove("AUDIT_PASSWORD")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(password) = password {
        command.env("AUDIT_PASSWORD", password);
    }
    let ended = end(command.spawn().unwrap());
    std::fs::remove_dir_all(&folder).unwrap();
    ended
}

fn script(origin: &str) -> String {
    format!(
        "origin = '{}'\n[secrets]\npassword = 'env:AUDIT_PASSWORD'\n\
         [login]\npath = '/login'\nform = {{ password = '{{password}}' }}\n\
         [whoami]\npath = '/account'\nsigned_in = {{ status = 200 }}\nsigned_out = {{ status = 303 }}\n\
         [logout]\npath = '/logout'\nmethod = 'POST'\n",
        origin.trim_end_matches('/')
    )
}

#[test]
fn a_session_that_outlives_signing_out_is_found_and_no_secret_told() {
    let server = Server::of(forgetful);

    let ended = audit(&server, &script(&server.url()), Some(PASSWORD));

    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.contains("O01"), "{}", ended.out);
    assert!(!ended.out.contains(TOKEN) && !ended.out.contains(PASSWORD), "{}", ended.out);
}

#[test]
fn an_audit_whose_script_signs_nobody_in_is_not_complete() {
    let server = Server::of(forgetful);
    let script = script(&server.url()).replace("path = '/login'", "path = '/elsewhere'");

    let ended = audit(&server, &script, Some(PASSWORD));

    assert_eq!(ended.code, Some(3), "{ended:?}");
    let said =
        "It is not complete: the script does not sign in: the signed-in browser looks signed out";
    assert!(ended.out.contains(said), "{ended:?}");
}

#[test]
fn a_script_that_cannot_be_used_is_told_before_anything_is_asked() {
    let server = Server::of(forgetful);
    for (text, password, told) in [
        (script(&server.url()), None, "line 3: the environment variable AUDIT_PASSWORD is not set"),
        (script("https://other.example"), Some(PASSWORD), "is for https://other.example/"),
        ("origin = 5".to_owned(), Some(PASSWORD), "line 1: "),
    ] {
        let ended = audit(&server, &text, password);

        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains(told), "{}", ended.err);
        assert_eq!(server.connections(), 0);
    }
}
