//! How much a session holds: what does not fit is said, and nothing is half-written.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use cloakroom::Session;

use crate::support::*;

#[tokio::test]
async fn data_that_does_not_fit_is_413_and_nothing_is_half_written() {
    let grow = async |mut s: Session<Shop>, Path((how, bytes)): Path<(String, usize)>| {
        let text = "x".repeat(bytes);
        match how.as_str() {
            "edit" => {
                s.edit(|data| data.count += 1)?;
                s.edit(move |data| data.note.clone_from(&text))
            }
            "set" => s.set("count", &1).and_then(|()| s.set("note", &text)),
            "update" => {
                s.update(|data| {
                    data.count += 1;
                    data.note.clone_from(&text);
                })
                .await
            }
            _ => unreachable!(),
        }
    };
    let house = House::new(routes().route("/grow/{how}/{bytes}", post(grow)));

    for who in ["visitor", "user"] {
        for how in ["edit", "set", "update"] {
            let browser = house.browser();
            if who == "user" {
                browser.post("/login/ada").await;
            }
            let reply = browser.post(&format!("/grow/{how}/{}", 16 * 1024)).await;

            assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE, "{how} of a {who}");
            assert_eq!(reply.header("session-error"), Some("refused"));
            assert!(!browser.body("/data").await.contains('x'), "{how} of a {who}");
            let fits = browser.post(&format!("/grow/{how}/{}", 16 * 1024 - 2)).await;
            assert_eq!(fits.status, StatusCode::OK, "{how} of a {who}");
        }
    }
}

#[tokio::test]
async fn a_field_too_many_is_413_and_the_others_stay() {
    let house = House::shop();
    let browser = house.user("ada").await;

    for n in 0..128 {
        assert_eq!(browser.post(&format!("/set/f{n}/x")).await.status, StatusCode::OK);
    }
    let reply = browser.post("/set/one_more/x").await;

    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(browser.post("/set/f7/y").await.status, StatusCode::OK);
}
