//! The promises of the README on the store that is its default: one SQLite file, real threads.
#![cfg(all(feature = "axum", feature = "sqlite"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by ending there"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use cloakroom::{Result, Session, SessionData, Sessions, SqliteStore};
use http_body_util::BodyExt as _;
use tokio::sync::Notify;
use tower::ServiceExt as _;

#[derive(Default, SessionData)]
struct Shop {
    count: u64,
    cart: Vec<String>,
}

/// The same service a release later: one field is new, one is gone, one has another type.
#[derive(Default, SessionData)]
struct NextShop {
    #[data(from = u64)]
    count: Count,
    theme: Option<String>,
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Count {
    clicks: u64,
}

impl From<u64> for Count {
    fn from(clicks: u64) -> Self {
        Self { clicks }
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cloakroom-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    async fn sessions<T: SessionData>(&self) -> Sessions<T> {
        let store = SqliteStore::open(self.0.join("sessions.db")).await.unwrap();
        Sessions::builder(store).several_processes().build().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

async fn send(
    app: &Router,
    method: &str,
    path: &str,
    ticket: &str,
) -> (StatusCode, String, String) {
    let mut request = Request::builder().method(method).uri(path);
    if !ticket.is_empty() {
        request = request.header("cookie", format!("__Host-Http-session={ticket}"));
    }
    let request = request.header("sec-fetch-site", "same-origin").body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let set = response.headers().get("set-cookie").map(|line| line.to_str().unwrap().to_owned());
    let ticket = set.map_or_else(String::new, |line| line[20..42].to_owned());
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, ticket, String::from_utf8_lossy(&body).into_owned())
}

async fn increment(mut s: Session<Shop>) -> Result<String> {
    Ok(s.update(|shop| {
        shop.count += 1;
        shop.count
    })
    .await?
    .to_string())
}

async fn set_field(mut s: Session<Shop>, Path(name): Path<String>) -> Result<()> {
    s.set(&name, &name)
}

async fn fields(s: Session<Shop>) -> String {
    s.record().map(|record| record.fields().as_json().to_owned()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_changes_of_one_session_all_land() {
    let folder = Folder::new("parallel");
    // Two services on one file, as two processes have it: each with its own queue.
    let apps = [folder.sessions::<Shop>().await, folder.sessions().await].map(|sessions| {
        Router::new()
            .route("/increment", post(increment))
            .route("/set/{name}", post(set_field))
            .route("/fields", get(fields))
            .layer(sessions.layer())
    });
    let (_, ticket, _) = send(&apps[0], "POST", "/increment", "").await;

    let mut requests = tokio::task::JoinSet::new();
    for number in 0..150 {
        let (app, ticket) = (apps[number % 2].clone(), ticket.clone());
        let path = match number {
            0..100 => "/increment".to_owned(),
            _ => format!("/set/field{}", number - 100),
        };
        requests.spawn(async move { send(&app, "POST", &path, &ticket).await });
    }
    let answers = requests.join_all().await;

    assert!(answers.iter().all(|(status, ..)| *status == StatusCode::OK));
    let counts: BTreeSet<u64> = answers.iter().filter_map(|(.., body)| body.parse().ok()).collect();
    assert_eq!(counts, (2..=101).collect(), "each answer is the number that landed");
    let (.., json) = send(&apps[0], "GET", "/fields", &ticket).await;
    let stored: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(stored["count"], 101);
    assert!((0..50).all(|n| stored[format!("field{n}")] == format!("field{n}")), "{json}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_writer_does_not_bring_a_session_back() {
    let folder = Folder::new("slow");
    let sessions = folder.sessions::<Shop>().await;
    let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at_work, gate) = (Arc::clone(&entered), Arc::clone(&go));
    let slow = async move |mut s: Session<Shop>| {
        at_work.notify_one();
        gate.notified().await;
        s.update(|shop| shop.cart.push("hat".into())).await
    };
    let app = Router::new()
        .route("/login", post(async |mut s: Session<Shop>| s.login("ada").await))
        .route("/logout", post(async |s: Session<Shop>| s.logout().await))
        .route("/who", get(async |s: Session<Shop>| format!("{:?}", s.user())))
        .route("/slow", post(slow))
        .layer(sessions.layer());
    let (_, ticket, _) = send(&app, "POST", "/login", "").await;

    let writer = tokio::spawn({
        let (app, ticket) = (app.clone(), ticket.clone());
        async move { send(&app, "POST", "/slow", &ticket).await }
    });
    entered.notified().await;
    let (status, ..) = send(&app, "POST", "/logout", &ticket).await;
    assert_eq!(status, StatusCode::OK);
    go.notify_one();

    let (status, set, _) = writer.await.unwrap();
    assert_eq!((status, set.as_str()), (StatusCode::CONFLICT, ""));
    assert_eq!(send(&app, "GET", "/who", &ticket).await.2, "None");
    assert_eq!(sessions.count().await.unwrap().sessions, 0);
}

#[tokio::test]
async fn two_versions_of_the_data_alternate_on_one_file() {
    let folder = Folder::new("versions");
    let old = Router::new()
        .route("/click", post(increment))
        .route("/fields", get(fields))
        .route(
            "/add",
            post(async |mut s: Session<Shop>| s.update(|shop| shop.cart.push("hat".into())).await),
        )
        .layer(folder.sessions::<Shop>().await.layer());
    let new = Router::new()
        .route("/clicks", get(async |s: Session<NextShop>| s.data().count.clicks.to_string()))
        .route(
            "/theme",
            post(async |mut s: Session<NextShop>| {
                s.update(|shop| {
                    shop.theme = Some(format!("{:?}a", shop.theme.as_ref().map(String::len)))
                })
                .await
            }),
        )
        .layer(folder.sessions::<NextShop>().await.layer());
    let (_, ticket, _) = send(&old, "POST", "/click", "").await;

    for round in 0..50 {
        assert_eq!(send(&new, "POST", "/theme", &ticket).await.0, StatusCode::OK);
        assert_eq!(send(&old, "POST", "/add", &ticket).await.0, StatusCode::OK);
        assert_eq!(send(&old, "POST", "/click", &ticket).await.2, (round + 2).to_string());
        assert_eq!(send(&new, "GET", "/clicks", &ticket).await.2, (round + 2).to_string());
    }

    let (.., json) = send(&old, "GET", "/fields", &ticket).await;
    let stored: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((stored["cart"].as_array().unwrap().len(), &stored["count"]), (50, &51.into()));
    assert!(stored["theme"].is_string());
}
