//! The gate: which unsafe requests pass, seen from where they come from.

use axum::http::{Method, StatusCode};

use crate::support::*;

type Headers = &'static [(&'static str, &'static str)];

/// Sends with these headers, and no `Sec-Fetch-Site` of its own.
async fn sent(browser: &Browser, method: Method, path: &str, headers: Headers) -> Reply {
    let mut request = browser.request(method, path);
    request.headers_mut().remove("sec-fetch-site");
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    browser.house.send(request).await
}

const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
const SITE: (&str, &str) = ("sec-fetch-site", "same-site");
const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");
const EVIL: (&str, &str) = ("origin", "https://evil.example");
const OURS: (&str, &str) = ("origin", "https://shop.example");
const PAY: (&str, &str) = ("origin", "https://pay.example");

#[tokio::test]
async fn the_verdicts_on_requests_with_a_ticket() {
    let house = House::ruled(|rules| {
        rules.trusted_origin("https://pay.example").exempt("/set", "it is signed by the sender")
    });
    let browser = house.user("ada").await;
    let (yes, no) = (StatusCode::OK, StatusCode::FORBIDDEN);
    let rows: &[(Method, &str, Headers, StatusCode, &str)] = &[
        (Method::POST, "/edit", &[SAME], yes, ""),
        (Method::POST, "/edit", &[("sec-fetch-site", "none")], yes, ""),
        (Method::POST, "/edit", &[CROSS], no, "cross-site"),
        (Method::POST, "/edit", &[SITE], no, "cross-site"),
        (Method::POST, "/edit", &[CROSS, PAY], yes, ""),
        (Method::POST, "/edit", &[CROSS, EVIL], no, "cross-site"),
        (Method::POST, "/edit", &[CROSS, OURS], no, "cross-site"),
        (Method::POST, "/edit", &[CROSS, PAY, EVIL], no, "cross-site"),
        (Method::POST, "/edit", &[OURS], yes, ""),
        (Method::POST, "/edit", &[PAY], yes, ""),
        (Method::POST, "/edit", &[EVIL], no, "foreign-origin"),
        (Method::POST, "/edit", &[("origin", "null")], no, "foreign-origin"),
        (Method::POST, "/edit", &[("origin", "http://shop.example")], no, "foreign-origin"),
        (
            Method::POST,
            "/edit",
            &[("origin", "https://shop.example.evil.example")],
            no,
            "foreign-origin",
        ),
        (Method::POST, "/edit", &[("origin", "https://shop.example:8443")], no, "foreign-origin"),
        (Method::POST, "/edit", &[("referer", "https://shop.example/x?y")], yes, ""),
        (
            Method::POST,
            "/edit",
            &[("referer", "https://evil.example/shop.example")],
            no,
            "foreign-origin",
        ),
        (
            Method::POST,
            "/edit",
            &[("referer", "https://shop.example@evil.example/")],
            no,
            "foreign-origin",
        ),
        (Method::POST, "/edit", &[("referer", "about:blank")], no, "foreign-origin"),
        (Method::POST, "/edit", &[], no, "no-origin"),
        (Method::POST, "/set/note/x", &[CROSS, EVIL], yes, ""),
        (Method::POST, "/set", &[CROSS, EVIL], StatusCode::NOT_FOUND, ""),
        (Method::POST, "/settings", &[CROSS, EVIL], no, "cross-site"),
        (Method::POST, "/nowhere", &[CROSS], no, "cross-site"),
        (Method::PUT, "/edit", &[CROSS], no, "cross-site"),
        (Method::DELETE, "/edit", &[CROSS], no, "cross-site"),
        (Method::PATCH, "/edit", &[CROSS], no, "cross-site"),
        (Method::from_bytes(b"PURGE").unwrap(), "/edit", &[CROSS], no, "cross-site"),
        (Method::GET, "/who", &[CROSS, EVIL], yes, ""),
        (Method::HEAD, "/who", &[CROSS, EVIL], yes, ""),
        (Method::OPTIONS, "/edit", &[CROSS, EVIL], StatusCode::METHOD_NOT_ALLOWED, ""),
        (Method::GET, "/who", &[CROSS, EVIL, ("upgrade", "websocket")], no, "cross-site"),
        (Method::GET, "/who", &[EVIL, ("upgrade", "websocket")], no, "foreign-origin"),
        (Method::GET, "/who", &[OURS, ("upgrade", "websocket")], yes, ""),
        (Method::GET, "/who", &[SAME, ("upgrade", "websocket")], yes, ""),
        (Method::GET, "/who", &[("upgrade", "websocket")], no, "no-origin"),
        (Method::GET, "/who", &[EVIL, ("upgrade", "h2c, WebSocket")], no, "foreign-origin"),
        (Method::GET, "/who", &[("upgrade", "h2c")], yes, ""),
    ];

    for (method, path, headers, status, code) in rows {
        let reply = sent(&browser, method.clone(), path, headers).await;

        let what = format!("{method} {path} {headers:?}");
        assert_eq!(reply.status, *status, "{what}");
        assert_eq!(reply.header("session-error").unwrap_or(""), *code, "{what}");
        assert_eq!(reply.ticket(), None, "{what}");
    }
}

#[tokio::test]
async fn a_refused_request_reaches_neither_handler_nor_store() {
    let house = House::shop();
    let browser = house.user("ada").await;
    let events = Events::listen();

    let reply = sent(&browser, Method::POST, "/edit", &[CROSS]).await;

    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(house.store.calls(), Calls::default());
    assert_eq!(events.count("gate_refused"), 1);
    assert_eq!(browser.body("/count").await, "0");
}

#[tokio::test]
async fn a_login_form_on_another_site_signs_nobody_in() {
    let house = House::shop();
    let browser = house.browser();

    for headers in [&[CROSS][..], &[SITE], &[EVIL], &[("origin", "null")]] {
        let mut request = browser.request(Method::POST, "/login/attacker");
        request.headers_mut().remove("sec-fetch-site");
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let reply = house.send(request).await;
        assert_eq!((reply.status, reply.ticket()), (StatusCode::FORBIDDEN, None), "{headers:?}");
    }
    let command_line = sent(&browser, Method::POST, "/login/ada", &[]).await;
    assert_eq!(command_line.status, StatusCode::OK, "no ticket, and no browser sent it");
}

#[tokio::test]
async fn a_proxy_that_changes_the_host_needs_the_own_origin_declared() {
    let origins: [(Option<&str>, StatusCode); 2] =
        [(None, StatusCode::FORBIDDEN), (Some("https://shop.example"), StatusCode::OK)];
    for (own, status) in origins {
        let house = House::ruled(|rules| match own {
            Some(own) => rules.own_origin(own),
            None => rules,
        });
        let browser = house.user("ada").await;
        let mut request = browser.request(Method::POST, "/edit");
        request.headers_mut().remove("sec-fetch-site");
        request.headers_mut().insert("host", "backend:8080".parse().unwrap());
        request.headers_mut().insert("origin", "https://shop.example".parse().unwrap());
        request.headers_mut().insert("x-forwarded-host", "shop.example".parse().unwrap());

        assert_eq!(house.send(request).await.status, status, "{own:?}");
    }
}

#[tokio::test]
async fn a_plain_http_cookie_is_for_this_machine_only() {
    let house = House::ruled(cloakroom::Builder::dangerous_plain_http_cookie);
    let browser = house.browser();
    for (host, status) in [
        ("localhost:3000", StatusCode::OK),
        ("127.0.0.1", StatusCode::OK),
        ("[::1]:3000", StatusCode::OK),
        ("shop.example", StatusCode::MISDIRECTED_REQUEST),
        ("localhost.evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("127.0.0.1.evil.example", StatusCode::MISDIRECTED_REQUEST),
    ] {
        let mut request = browser.request(Method::POST, "/ensure");
        request.headers_mut().insert("host", host.parse().unwrap());

        let reply = house.send(request).await;

        assert_eq!(reply.status, status, "{host}");
        if status == StatusCode::OK {
            let line = reply.header("set-cookie").unwrap();
            assert!(line.starts_with("session=") && !line.contains("Secure"), "{line}");
            assert!(line.contains("HttpOnly") && line.contains("SameSite=Lax"), "{line}");
        }
    }
}
