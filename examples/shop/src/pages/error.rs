//! What goes wrong, in the shop's own design.

use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use cloakroom::axum::LazySession;
use maud::html;

use super::page;
use crate::data::Shop;

pub(crate) async fn not_found() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// Gives errors without a page one. The session is loaded only if it has to be shown.
pub(crate) async fn dress(session: LazySession<Shop>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let Some((title, text)) = words(&response) else { return response };
    let Ok(session) = session.load().await else { return response };
    let content = html! {
        div.narrow #error {
            h1 { (title) }
            p { (text) }
            p { a.button href="/" { "Back to the shop" } }
        }
    };
    // What else the response says, such as the methods that are allowed, stays.
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    parts.headers.insert(CONTENT_TYPE, html);
    Response::from_parts(parts, page(&session, title, &content).into_response().into_body())
}

fn words(response: &Response) -> Option<(&'static str, &'static str)> {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind.is_some_and(|kind| kind.starts_with(b"text/html")) {
        return None;
    }
    Some(match response.status() {
        StatusCode::FORBIDDEN => ("Staff only", "This door is for the people who work here."),
        StatusCode::NOT_FOUND => ("Not here", "Nothing hangs on this hook."),
        StatusCode::METHOD_NOT_ALLOWED => ("Not this way", "This page cannot be asked like that."),
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => {
            ("That did not work", "We did not understand what was sent. Please try again.")
        }
        StatusCode::INTERNAL_SERVER_ERROR => {
            ("Our mistake", "Something went wrong, and we have written it down.")
        }
        _ => return None,
    })
}
