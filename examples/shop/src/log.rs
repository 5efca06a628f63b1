//! Requests in the log, with their headers and without the tickets that are in them.

use axum::Router;
use axum::http::header::COOKIE;
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer};

/// Prints requests and responses from level DEBUG on. What is around the sessions' layer sees a
/// request before that has marked its cookies as sensitive, so they are marked out here.
pub(crate) fn around(router: Router) -> Router {
    let trace = TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().include_headers(true))
        .on_response(DefaultOnResponse::new().include_headers(true));
    router.layer(trace).layer(SetSensitiveRequestHeadersLayer::new([COOKIE]))
}
