//! What stands on a response: caching, `Vary`, and the cookie.

use axum::Extension;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use cloakroom::{Error, Session, View};

use crate::support::*;

#[tokio::test]
async fn the_cookie_is_written_exactly_so() {
    let house = House::shop();
    let browser = house.browser();

    let reply = browser.post("/ensure").await;

    let ticket = reply.ticket().unwrap();
    let exact = format!("{NAME}={ticket}; Path=/; Secure; HttpOnly; SameSite=Lax");
    assert_eq!(reply.header("set-cookie"), Some(exact.as_str()));
}

#[tokio::test]
async fn the_cookie_is_deleted_with_the_attributes_it_was_set_with() {
    let house = House::shop();
    let browser = house.user("ada").await;

    let reply = browser.post("/logout").await;

    let line = reply.header("set-cookie").unwrap();
    for part in ["Path=/", "Secure", "HttpOnly", "Max-Age=0"] {
        assert!(line.contains(part), "{line}");
    }
    assert!(line.starts_with("__Host-Http-session=;"), "{line}");
}

#[tokio::test]
async fn the_cookie_follows_the_policy() {
    type Rules = fn(cloakroom::Builder<Shop>) -> cloakroom::Builder<Shop>;
    let rows: [(Rules, &str, &[&str]); 4] = [
        (|rules| rules.name("shop"), "__Host-Http-shop=", &["SameSite=Lax"]),
        (cloakroom::Builder::same_site_strict, "__Host-Http-session=", &["SameSite=Strict"]),
        (cloakroom::Builder::embedded, "__Host-Http-session=", &["SameSite=None", "Partitioned"]),
        (
            |rules| rules.shared_domain("shop.example"),
            "__Secure-session=",
            &["Domain=shop.example"],
        ),
    ];
    for (rules, start, parts) in rows {
        let house = House::ruled(rules);

        let reply = house.browser().send_with(Method::POST, "/plain", &[]).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
        let request = house.browser().request(Method::POST, "/ensure");
        let reply = house.send(request).await;

        let line = reply.header("set-cookie").unwrap();
        assert!(line.starts_with(start), "{line}");
        for part in parts.iter().chain(&["Secure", "HttpOnly", "Path=/"]) {
            assert!(line.contains(part), "{line}");
        }
    }
}

#[tokio::test]
async fn secret_headers_are_marked_sensitive() {
    let house = House::new(routes().route(
        "/marked",
        get(async |headers: HeaderMap| {
            let all = headers.get_all("cookie").iter();
            format!(
                "{} {headers:?}",
                all.map(|value| value.is_sensitive().to_string()).collect::<String>()
            )
        }),
    ));
    let browser = house.browser();

    let set = browser.post("/login/ada").await;
    let seen = browser.body("/marked").await;

    assert!(set.headers.get("set-cookie").unwrap().is_sensitive());
    assert!(seen.starts_with("true "), "{seen}");
    assert!(!seen.contains(&browser.ticket().unwrap()), "{seen}");
    assert!(!format!("{:?}", set.headers).contains(&browser.ticket().unwrap()));
}

/// What a response says about caching: `Cache-Control` and `Vary`.
fn caching(reply: &Reply) -> (String, String) {
    let joined = |name| {
        let values = reply.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(" | ")
    };
    (joined("cache-control"), joined("vary"))
}

#[tokio::test]
async fn caching_follows_what_the_response_knows() {
    let own = async |Extension(kind): Extension<&'static str>, s: Session<Shop>| {
        let _ = s.user();
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", HeaderValue::from_static("public, max-age=60"));
        headers.insert("vary", HeaderValue::from_static("Accept-Encoding"));
        assert_eq!(kind, "own");
        (headers, "own")
    };
    let sets = async |mut s: Session<Shop>| {
        s.ensure().await?;
        let headers = [("cache-control", "public"), ("vary", "Accept")];
        Ok::<_, Error>((headers, "sets").into_response())
    };
    let house = House::new(
        routes().route("/own", get(own)).route("/sets", get(sets)).layer(Extension("own")),
    );
    let (visitor, user) = (house.browser(), house.user("ada").await);
    let rows: [(&Browser, &str, &str, &str); 9] = [
        (&visitor, "/plain", "", ""),
        (&user, "/plain", "", ""),
        (&visitor, "/who", "private, no-cache", "Cookie"),
        (&visitor, "/view", "private, no-cache", "Cookie"),
        (&user, "/who", "no-store", ""),
        (&user, "/view", "no-store", ""),
        (&visitor, "/own", "public, max-age=60", "Accept-Encoding | Cookie"),
        (&user, "/own", "public, max-age=60", "Accept-Encoding"),
        (&visitor, "/sets", "no-store", "Accept"),
    ];

    for (browser, path, control, vary) in rows {
        let reply = browser.get(path).await;
        assert_eq!(caching(&reply), (control.to_owned(), vary.to_owned()), "{path}");
    }
    let out = user.post("/logout").await;
    assert_eq!(caching(&out).0, "no-store");
}

#[tokio::test]
async fn what_a_handler_sets_itself_stays() {
    let own = async |mut s: Session<Shop>| {
        s.login("ada").await?;
        let mut headers = HeaderMap::new();
        for value in ["theme=dark; Path=/", "lang=en; Path=/"] {
            headers.append("set-cookie", HeaderValue::from_static(value));
        }
        headers.insert(HeaderName::from_static("x-own"), HeaderValue::from_static("1"));
        Ok::<_, Error>(headers)
    };
    let house = House::new(routes().route("/own", get(own)));

    let reply = house.browser().get("/own").await;

    let cookies: Vec<_> =
        reply.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 3);
    assert_eq!(cookies.iter().filter(|line| line.starts_with(NAME)).count(), 1);
    assert_eq!(reply.header("x-own"), Some("1"));
}

#[tokio::test]
async fn errors_and_redirects_of_handlers_carry_our_headers_too() {
    let fails = async |view: View<Shop>| {
        let _ = view.user();
        (StatusCode::NOT_FOUND, "no such page")
    };
    let house = House::new(routes().route("/missing", get(fails)));

    let visitor = house.browser().get("/missing").await;
    let user = house.user("ada").await.get("/missing").await;

    assert_eq!(caching(&visitor), ("private, no-cache".into(), "Cookie".into()));
    assert_eq!(caching(&user), ("no-store".into(), String::new()));
}
