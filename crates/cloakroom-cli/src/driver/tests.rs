//! The real browser against a server of these tests.

use super::*;
use crate::client::{Limits, trusted};
use cloakroom_audit::Sign;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// The form is made by a script, and so is the request that it sends: nothing of it is in the page.
const PAGE: &str = r#"<!doctype html><div id="app"></div><script>
setTimeout(() => {
  document.getElementById("app").innerHTML =
    '<form><input name="user"><input name="word" type="password"><button>Go</button></form>';
  document.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [user, word] = [...document.querySelectorAll("input")].map((field) => field.value);
    await fetch("/api/login", {method: "POST", headers: {"X-Proof": "by-script"},
      body: JSON.stringify({user, word, planted: document.cookie})});
    document.title = "in";
  });
}, 200);
</script>"#;

const COOKIES: &str = "Set-Cookie: id=token-1; Path=/; HttpOnly; SameSite=Lax\r\n\
    Set-Cookie: kept=1; Path=/; Max-Age=3600\r\n";

fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || drop(answer(&stream)));
        }
    });
    address
}

fn answer(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let head = head.to_ascii_lowercase();
    let length = head.split_once("content-length: ").and_then(|(_, rest)| rest.split_once("\r\n"));
    let mut body = vec![0; length.and_then(|(length, _)| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let is_right =
        body.contains("\"ada\"") && body.contains("\"a \\\"b\\\"\"") && body.contains("before=1");
    let (status, fields, page) = if head.starts_with("get /login ") {
        ("200 OK", "Content-Type: text/html\r\n", PAGE)
    } else if head.starts_with("post /api/login ") && head.contains("x-proof") && is_right {
        ("200 OK", COOKIES, "{}")
    } else if head.starts_with("get /me ") && head.contains("id=token-1") {
        ("200 OK", "", "hello ada")
    } else {
        ("401 Unauthorized", "", "who?")
    };
    let length = page.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{page}"
    )?;
    stream.shutdown(std::net::Shutdown::Write)?;
    stream.read_to_end(&mut Vec::new()).map(drop)
}

fn drive(address: &str, password: &str) -> Drive {
    let before = Driven { url: format!("{address}/"), line: b"before=1; Path=/".to_vec() };
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Drive {
        page: format!("{address}/login"),
        fields: vec![field("user", "ada"), field("word", password)],
        hosts: vec!["127.0.0.1".to_owned()],
        cookies: vec![before],
        whoami: Ask::get(&format!("{address}/me")),
        signed_in: Sign { contains: Some("hello".to_owned()), ..Sign::default() },
    }
}

fn driven(drive: &Drive) -> Result<Vec<Driven>, Silence> {
    let client = Client::new(Limits::default(), trusted(None).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(sign_in(&client, drive))
}

#[test]
fn a_login_that_a_script_makes_is_done_by_a_browser_and_all_cookies_come_back() {
    let address = server();

    let held = driven(&drive(&address, "a \"b\"")).unwrap();

    let mut jar = Jar::new(Browser::chromium(), crate::clock::now().as_secs());
    held.iter().for_each(|cookie| cookie.put_into(&mut jar));
    let cookie = |name: &[u8]| jar.cookies().find(|cookie| cookie.name() == name).cloned().unwrap();
    let (id, kept) = (cookie(b"id"), cookie(b"kept"));
    assert_eq!((id.value(), id.is_http_only(), id.expires()), (&b"token-1"[..], true, None));
    assert_eq!(id.same_site(), Some(cloakroom_cookie::SameSite::Lax));
    assert!(kept.expires().is_some_and(|end| end > jar.now() + 3_000), "{kept:?}");
    assert!(!format!("{held:?}").contains("token-1"));
}

#[test]
fn a_field_that_is_not_there_is_named_and_its_value_is_not() {
    let address = server();
    let mut drive = drive(&address, "a secret");
    drive.fields = vec![("nick".to_owned(), "a secret".to_owned())];

    let silence = driven(&drive).unwrap_err().to_string();

    assert!(
        silence.contains("shows no field \"nick\"") && !silence.contains("secret"),
        "{silence}"
    );
}
