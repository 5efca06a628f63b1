//! What happens around every handler: who asks, whether they may, and what the answer says of itself.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, ORIGIN, REFERRER_POLICY,
    SET_COOKIE, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::site::Site;
use crate::switches::Bad;
use crate::table::Session;
use crate::tokens::{self, For};
use crate::visit::Visit;
use crate::{cookies, gate, pages, signing};

const CONTENT_POLICY: &str = "default-src 'none'; form-action 'self'; base-uri 'none'";
const NO_FRAMES: &str = "default-src 'none'; form-action 'self'; base-uri 'none'; \
                         frame-ancestors 'none'";
/// Where strangers are given a session, if they are.
const PAGES: [&str; 5] = ["/", "/about", "/news", "/login", "/cart"];
/// Two years, in seconds.
const STRICT: &str = "max-age=63072000; includeSubDomains";

/// The one layer.
pub(crate) async fn around(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let (mut visit, values) = Visit::read(&site, &request);
    visit.look_up(&site, &values).await;
    if site.is_behind_https() && !visit.is_encrypted && !site.switches.has(Bad::H01) {
        return to_https(&site, &visit, &request);
    }
    if *request.method() == Method::GET && PAGES.contains(&request.uri().path()) {
        receive(&site, &mut visit);
    }
    let (is_get, asker) =
        (*request.method() == Method::GET, request.headers().get(ORIGIN).cloned());
    let mut response = if visit.is_stumbling {
        (StatusCode::INTERNAL_SERVER_ERROR, "The token could not be read.").into_response()
    } else if gate::admits(&site, &visit, &request) {
        request.extensions_mut().insert(visit.clone());
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, pages::refused()).into_response()
    };
    let is_page = is_get && response.status() == StatusCode::OK && is_html(response.headers());
    if is_page {
        greet(&site, &visit, response.headers_mut());
    }
    if is_get {
        give_in_passing(&site, &visit, response.headers_mut());
    }
    if site.switches.has(Bad::S07) && visit.user().is_some() {
        cookies::set_longer(&visit, response.headers_mut());
    }
    dress(&site, &visit, response.headers_mut());
    if let Some(asker) = asker.filter(|_| site.switches.has(Bad::X08)) {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, asker);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response
}

/// Nothing is answered in clear but where to go instead.
fn to_https(site: &Site, visit: &Visit, request: &Request) -> Response {
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if let Ok(location) = HeaderValue::from_str(&format!("{}{path}", visit.origin)) {
        response.headers_mut().insert(LOCATION, location);
    }
    cookies::set_over_plain(site, response.headers_mut());
    response
}

/// Gives a stranger a session before the page is made, so that its forms go with it.
fn receive(site: &Site, visit: &mut Visit) {
    let is_late = visit.is_late && !site.switches.has(Bad::S03);
    if !site.switches.has(Bad::G03) || visit.found.is_some() || is_late {
        return;
    }
    let session = Session::of(None, site.now());
    let token = tokens::mint(site, For::Stranger);
    site.table().insert(&token, session.clone());
    visit.found = Some((token, session));
    visit.is_new = true;
}

/// What pages set that nobody asked for.
fn greet(site: &Site, visit: &Visit, headers: &mut HeaderMap) {
    if site.switches.has(Bad::G01) && !visit.has_cookies {
        cookies::set_tracker(headers);
    }
    let Some((token, session)) = &visit.found else { return };
    if visit.is_new && !headers.contains_key(SET_COOKIE) {
        cookies::set_session(site, headers, token, session);
    }
    if site.switches.has(Bad::X06) {
        cookies::set_form(headers, &session.form_token);
    }
}

/// Tokens that are given in passing, to whoever has one already.
fn give_in_passing(site: &Site, visit: &Visit, headers: &mut HeaderMap) {
    let Some((token, session)) = &visit.found else { return };
    if site.switches.has(Bad::O03) && session.user.is_some() {
        let renewed = signing::renew_in_passing(site, token, session);
        cookies::set_session(site, headers, &renewed, session);
    }
    if let Some((token, session)) = led_over(site, session) {
        cookies::set_session(site, headers, &token, &session);
    }
}

/// The session of whoever signed in with this stranger's token.
fn led_over(site: &Site, session: &Session) -> Option<(String, Session)> {
    let next = session.led_to.clone()?;
    let session = site.table().sessions.get(&next).cloned()?;
    Some((next, session))
}

fn dress(site: &Site, visit: &Visit, headers: &mut HeaderMap) {
    let has = |bad| site.switches.has(bad);
    let (is_users, sets) = (visit.user().is_some(), headers.contains_key(SET_COOKIE));
    let may_be_kept = (has(Bad::H02) && sets) || (has(Bad::H03) && is_users && !sets);
    let may_be_framed = has(Bad::H06) && is_users;
    let mut say = |applies: bool, name: HeaderName, value: &'static str| {
        if applies {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    say(!may_be_kept, CACHE_CONTROL, "no-store");
    let policy = if may_be_framed { CONTENT_POLICY } else { NO_FRAMES };
    say(true, CONTENT_SECURITY_POLICY, policy);
    say(!may_be_framed, X_FRAME_OPTIONS, "DENY");
    say(true, X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(true, REFERRER_POLICY, "same-origin");
    say(visit.is_encrypted && !has(Bad::H04), STRICT_TRANSPORT_SECURITY, STRICT);
}

fn is_html(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}
