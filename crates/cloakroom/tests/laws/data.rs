//! Data that evolves: two versions of a service on one store never turn sessions into errors.

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::{get, post};
use cloakroom::{Error, Result, Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};
use tower::ServiceExt as _;

use crate::support::*;

/// The first version of a service's data.
#[derive(Debug, Default, PartialEq, SessionData)]
struct V1 {
    name: String,
    size: u32,
    #[data(on_login = keep)]
    cart: Vec<String>,
    gone: Option<String>,
}

/// One that was text before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Size {
    wide: u32,
    high: u32,
}

impl From<u32> for Size {
    fn from(wide: u32) -> Self {
        Self { wide, high: wide }
    }
}

/// The second version.
#[derive(Debug, Default, PartialEq, SessionData)]
struct V2 {
    #[data(rename = "name")]
    full_name: String,
    #[data(from = u32)]
    size: Size,
    #[data(on_login = keep)]
    cart: Vec<String>,
    #[data(on_login = keep)]
    added: Option<u32>,
}

/// Both versions of the service on one store.
struct Both {
    house: House,
    one: Router,
    two: Router,
}

fn built<T: SessionData>(house: &House, routes: Router) -> Router {
    let sessions = Sessions::<T>::builder(house.store.clone())
        .dangerous_sessions_end_with_the_process()
        .clock(house.clock.clone())
        .build()
        .unwrap();
    routes.layer(sessions.layer())
}

impl Both {
    fn new() -> Self {
        let house = House::shop();
        let one = Router::new()
            .route("/show", get(async |s: Session<V1>| format!("{:?}", s.data())))
            .route(
                "/work",
                post(async |mut s: Session<V1>| {
                    s.edit(|data| data.gone = Some("v1".into()))?;
                    s.update(|data| data.cart.push("one".into())).await
                }),
            )
            .route("/size", post(async |mut s: Session<V1>| s.update(|data| data.size += 1).await))
            .route("/name", post(async |mut s: Session<V1>| s.set("name", &"Ada")))
            .route("/login", post(async |mut s: Session<V1>| s.login("ada").await));
        let two = Router::new()
            .route("/show", get(async |s: Session<V2>| format!("{:?}", s.data())))
            .route(
                "/work",
                post(async |mut s: Session<V2>| {
                    s.edit(|data| data.added = Some(data.added.unwrap_or_default() + 1))?;
                    s.update(|data| data.cart.push("two".into())).await
                }),
            )
            .route(
                "/size",
                post(async |mut s: Session<V2>| s.update(|data| data.size.high += 1).await),
            );
        let (one, two) = (built::<V1>(&house, one), built::<V2>(&house, two));
        Self { house, one, two }
    }

    async fn send(&self, router: &Router, browser: &Browser, method: &str, path: &str) -> Reply {
        let request = browser.request(method.parse().unwrap(), path);
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        let reply = Reply { status: parts.status, headers: parts.headers, body };
        assert_eq!(reply.status, StatusCode::OK, "{method} {path}: {}", reply.body);
        browser.keep(&reply);
        reply
    }
}

#[tokio::test]
async fn two_versions_of_a_service_alternate_without_loss() {
    let both = Both::new();
    let browser = both.house.browser();
    both.send(&both.one, &browser, "POST", "/login").await;
    both.send(&both.one, &browser, "POST", "/name").await;

    for _ in 0..100 {
        both.send(&both.one, &browser, "POST", "/work").await;
        both.send(&both.two, &browser, "POST", "/work").await;
    }

    let record = &both.house.sessions.list("ada").await.unwrap()[0];
    let cart: Vec<String> = serde_json::from_str(record.fields().get("cart").unwrap()).unwrap();
    assert_eq!(cart.len(), 200);
    assert_eq!(record.fields().get("added"), Some("100"));
    assert_eq!(record.fields().get("gone"), Some("\"v1\""), "unknown fields survive");
    assert_eq!(record.fields().get("name"), Some("\"Ada\""));
    let two = both.send(&both.two, &browser, "GET", "/show").await.body;
    assert!(two.contains("full_name: \"Ada\""), "{two}");
}

#[tokio::test]
async fn a_field_of_an_older_type_is_converted_and_stays_until_it_is_changed() {
    let both = Both::new();
    let browser = both.house.browser();
    both.send(&both.one, &browser, "POST", "/login").await;
    both.send(&both.one, &browser, "POST", "/size").await;
    let stored = async || {
        both.house.sessions.list("ada").await.unwrap()[0].fields().get("size").map(str::to_owned)
    };

    let shown = both.send(&both.two, &browser, "GET", "/show").await.body;
    assert!(shown.contains("Size { wide: 1, high: 1 }"), "{shown}");
    both.send(&both.two, &browser, "POST", "/work").await;
    assert_eq!(stored().await.as_deref(), Some("1"));
    both.send(&both.two, &browser, "POST", "/size").await;

    assert_eq!(stored().await.as_deref(), Some(r#"{"wide":1,"high":2}"#));
}

#[tokio::test]
async fn a_field_that_no_longer_decodes_is_its_default_with_an_event() {
    let both = Both::new();
    let browser = both.house.browser();
    both.send(&both.one, &browser, "POST", "/login").await;
    both.send(&both.two, &browser, "POST", "/size").await;
    let stored = async || {
        both.house.sessions.list("ada").await.unwrap()[0].fields().get("size").map(str::to_owned)
    };
    let events = Events::listen();

    let shown = both.send(&both.one, &browser, "GET", "/show").await.body;

    assert!(shown.contains("size: 0"), "{shown}");
    assert_eq!(events.count("field_misfit"), 1);
    both.send(&both.one, &browser, "POST", "/work").await;
    assert_eq!(stored().await.as_deref(), Some(r#"{"wide":0,"high":1}"#), "it stays");
    both.send(&both.one, &browser, "POST", "/size").await;
    assert_eq!(stored().await.as_deref(), Some("1"), "what is changed is written");
}

#[tokio::test]
async fn hostile_text_in_a_field_is_never_an_error() {
    let put = async |mut s: Session<Shop>, body: String| -> Result<()> {
        let value: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        for field in ["cart", "count", "theme", "note"] {
            s.set(field, &value)?;
        }
        Ok(())
    };
    let house = House::new(routes().route("/put", post(put)));
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for json in
        ["null", "true", "1e999", "-1", "\"\\u0000\"", "{}", "[[]]", "18446744073709551616", &deep]
    {
        let browser = house.user("ada").await;
        let mut request = browser.request(Method::POST, "/put");
        *request.body_mut() = json.to_owned().into();
        assert_eq!(house.send(request).await.status, StatusCode::OK, "{json}");

        for path in ["/data", "/who", "/view"] {
            assert_eq!(browser.get(path).await.status, StatusCode::OK, "{json}");
        }
        assert_eq!(browser.post("/add").await.status, StatusCode::OK, "{json}");
        assert_eq!(browser.post("/login/ada").await.status, StatusCode::OK, "{json}");
    }
}

#[tokio::test]
async fn one_field_is_read_by_name_whether_the_data_knows_it() {
    let untyped = async |mut s: Session<Shop>| {
        s.set("plugin.color", &"blue")?;
        s.set("note", &"typed")?;
        assert_eq!(s.data().note, "typed");
        assert_eq!(s.field::<String>("plugin.color").as_deref(), Some("blue"));
        assert_eq!(s.field::<u32>("plugin.color"), None);
        assert_eq!(s.field::<String>("nothing"), None);
        s.unset("note")?;
        assert_eq!(s.data().note, "");
        Ok::<_, Error>(())
    };
    let house = House::new(routes().route("/untyped", post(untyped)).route(
        "/color",
        get(async |s: Session<Shop>| s.field::<String>("plugin.color").unwrap_or_default()),
    ));
    let browser = house.browser();

    assert_eq!(browser.post("/untyped").await.status, StatusCode::OK);

    assert_eq!(browser.body("/color").await, "blue");
    for name in ["@roles", "", "a b", "a\"b", "\u{e9}"] {
        let bad = name.to_owned();
        let house = House::new(
            Router::new().route("/bad", post(async move |mut s: Session<Shop>| s.set(&bad, &1))),
        );
        assert!(house.browser().post("/bad").await.status.is_client_error(), "{name}");
    }
}
