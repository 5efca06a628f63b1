//! Which requests may change something: those that the site's own pages send.

use axum::extract::Request;
use axum::http::header::{ORIGIN, REFERER};
use axum::http::{HeaderMap, HeaderName, Method};

use crate::cookies;
use crate::site::Site;
use crate::switches::Bad;
use crate::visit::Visit;

/// Whether the request comes from a page of the site itself, as far as its headers tell.
pub(crate) fn admits(site: &Site, visit: &Visit, request: &Request) -> bool {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_safe || is_forgotten(site, request.uri().path()) {
        return true;
    }
    let headers = request.headers();
    let fetched = text(headers, &HeaderName::from_static("sec-fetch-site"));
    let is_own_fetch = site.switches.has(Bad::X02)
        || fetched.is_none_or(|site| matches!(site, "same-origin" | "none"));
    is_own_fetch && is_own_origin(site, visit, headers, fetched.is_some())
}

/// Whether nobody thought of this address.
fn is_forgotten(site: &Site, path: &str) -> bool {
    match path {
        "/login" => site.switches.has(Bad::X07),
        "/cart/add" => site.switches.has(Bad::X01),
        _ => false,
    }
}

fn is_own_origin(site: &Site, visit: &Visit, headers: &HeaderMap, is_fetched: bool) -> bool {
    let own = visit.origin.as_str();
    let is_lax = site.switches.has(Bad::X03);
    if let Some(origin) = text(headers, &ORIGIN) {
        let host = own.split_once("://").map_or(own, |(_, host)| host);
        return origin == own || (is_lax && (origin == "null" || origin.contains(host)));
    }
    if let Some(referer) = text(headers, &REFERER) {
        return referer.strip_prefix(own).is_some_and(|path| path.starts_with('/'));
    }
    is_fetched || is_lax
}

/// Whether a form brought the token that goes with its session, where one is asked for.
pub(crate) fn is_right_token(site: &Site, visit: &Visit, path: &str, given: &str) -> bool {
    let has = |bad| site.switches.has(bad);
    let is_asked_for = !has(Bad::X02) && !has(Bad::X03) && !is_forgotten(site, path);
    let Some(session) = visit.session().filter(|_| is_asked_for) else { return true };
    let is_anybodys = has(Bad::X05) && site.table().form_tokens.contains(given);
    let is_doubled =
        has(Bad::X06) && visit.cookies.get(cookies::FORM).is_some_and(|cookie| cookie == given);
    given == session.form_token || is_anybodys || is_doubled
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
