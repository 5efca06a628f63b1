//! Routers, audited in this process.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use cloakroom_audit::{CrawlPlan, FAIL_ON, ProbePlan, audit};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A session for everybody who comes without one, with these attributes.
fn service(attributes: &'static str) -> Router {
    let minted = Arc::new(AtomicU64::new(1));
    let home = move |request: Request| {
        let known = request.headers().contains_key(COOKIE);
        // Far enough apart that no token rises with the one before.
        let seed = minted.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let token = format!("{seed:016x}{:016x}", seed.rotate_left(17).wrapping_mul(seed | 1));
        async move {
            let page = Html("<a href=/cart></a><a href=/logout></a><a href=/stream></a>");
            if known {
                return page.into_response();
            }
            let line = format!("__Host-Http-shop={token}; {attributes}");
            ([(SET_COOKIE, line.as_str()), (CACHE_CONTROL, "no-store")], page).into_response()
        }
    };
    Router::new().route("/", get(home)).route("/cart", get(|| async { "1 coat" }))
}

const GOOD: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

#[tokio::test]
async fn a_good_service_is_clean() {
    let report = audit(service(GOOD)).session_cookie("__Host-Http-shop").await;

    report.assert_clean();
    assert!(report.saw_something() && report.stopped().is_none());
    assert_eq!(report.of_rule("G03").count(), 1, "a session for everybody is good to know");
}

#[tokio::test]
#[should_panic(expected = "C01  Cookie without Secure")]
async fn a_bad_service_ends_the_test_with_the_list() {
    audit(service("Path=/; HttpOnly; SameSite=Lax")).await.assert_clean();
}

#[tokio::test]
async fn what_stands_in_front_of_a_router_is_not_decided() {
    let report = audit(service(GOOD)).await;

    let reasons = report.not_decided();
    let hsts = reasons.iter().find(|(why, _)| why.starts_with("a router has no transport"));
    assert_eq!(hsts.map(|(_, rules)| rules.len()), Some(1));
}

#[tokio::test]
async fn the_host_that_is_given_is_the_one_that_handlers_see() {
    let router = Router::new().route(
        "/in",
        get(|request: Request| async move {
            let host = request.headers().get("host").cloned();
            let is_named = host.is_some_and(|host| host == "shop.example:8443");
            let line = if is_named { "shop=1; Domain=other.example" } else { "shop=1" };
            ([(SET_COOKIE, line)], request.uri().to_string())
        }),
    );

    let report = audit(router).at("https://shop.example:8443/in").await;

    assert_eq!(report.of_rule("C15").count(), 1, "the Domain does not cover the host");
    assert_eq!(report.host(), "shop.example");
}

#[tokio::test]
async fn an_answer_that_never_ends_is_cut() {
    struct Endless;
    impl http_body::Body for Endless {
        type Data = axum::body::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
            std::task::Poll::Ready(Some(Ok(http_body::Frame::data(vec![b'x'; 65_536].into()))))
        }
    }
    let streaming =
        service(GOOD).route("/stream", get(|| async { Response::new(Body::new(Endless)) }));

    audit(streaming).await.assert_clean();
}

#[tokio::test]
async fn a_service_of_one_kind_of_body_is_audited_with_it() {
    let layered =
        axum::middleware::from_fn(|request: Request, next: axum::middleware::Next| async {
            next.run(request).await
        });
    let service = tower_layer::Layer::layer(&layered, service(GOOD));

    let report = audit(service).with_body::<Body>().await;

    assert!(report.is_clean(FAIL_ON), "{report:?}");
}

#[tokio::test]
async fn how_far_it_goes_is_said_before() {
    let none = ProbePlan { samples: 0, plants: false, plain: None };
    let one = CrawlPlan { pages: 1, ..CrawlPlan::default() };

    let report = audit(service(GOOD)).crawl(one).probes(none).await;

    assert!(
        report
            .judged()
            .iter()
            .any(|judged| judged.rule.id == "I05" && judged.answer.as_str() == "not decided")
    );
}

#[tokio::test]
async fn an_address_that_is_none_is_told_and_never_clean() {
    let report = audit(service(GOOD)).at("nowhere").await;

    assert!(report.stopped().is_some() && !report.is_clean(FAIL_ON));
}
