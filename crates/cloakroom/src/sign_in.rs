//! What a visitor gets where only signed-in users, or users of a role, may go.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Response, StatusCode, Uri};

use crate::policy::SignIn;

/// The answer to a visitor who has to sign in first.
pub(crate) fn please(sign_in: &SignIn, method: &Method, uri: &Uri) -> Response<String> {
    match sign_in {
        SignIn::Unauthorized => {
            let mut response = answer(StatusCode::UNAUTHORIZED, "Please sign in.\n");
            let scheme = HeaderValue::from_static("Cookie realm=\"sign in\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
            response
        }
        SignIn::Redirect(path) => {
            let mut response = answer(StatusCode::SEE_OTHER, "Please sign in.\n");
            if let Ok(location) = HeaderValue::from_str(&with_next(path, method, uri)) {
                response.headers_mut().insert(LOCATION, location);
            }
            response
        }
    }
}

/// The answer to a user who lacks a role.
#[cfg(feature = "axum")]
pub(crate) fn forbidden() -> Response<String> {
    answer(StatusCode::FORBIDDEN, "You may not do this.\n")
}

fn answer(status: StatusCode, body: &str) -> Response<String> {
    let mut response = Response::new(body.to_owned());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Only a page can be gone back to, so only GET says where the visitor wanted to go.
fn with_next(path: &str, method: &Method, uri: &Uri) -> String {
    let wanted = uri.path_and_query().map(http::uri::PathAndQuery::as_str);
    match (method, wanted) {
        (&Method::GET, Some(wanted)) => {
            let joint = if path.contains('?') { '&' } else { '?' };
            format!("{path}{joint}next={}", percent_encoded(wanted))
        }
        (_, Some(_) | None) => path.to_owned(),
    }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_page_travels_encoded_and_only_for_get() {
        let sign_in = SignIn::Redirect("/login".into());
        let uri = Uri::from_static("/account?tab=a&x=%0d%0a");

        let get = please(&sign_in, &Method::GET, &uri);
        let post = please(&sign_in, &Method::POST, &uri);

        assert_eq!(get.headers()[LOCATION], "/login?next=/account%3Ftab%3Da%26x%3D%250d%250a");
        assert_eq!(
            (get.status(), post.headers()[LOCATION].to_str().unwrap()),
            (StatusCode::SEE_OTHER, "/login")
        );
    }
}
