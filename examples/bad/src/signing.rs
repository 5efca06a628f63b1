//! What changes a session: signing in and out, proving who one is, filling a cart.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::cookies;
use crate::site::Site;
use crate::switches::Bad;
use crate::table::Session;
use crate::tokens::{self, For};
use crate::visit::Visit;

/// Between reading a cart and writing it, where that is two things.
const MOMENT: Duration = Duration::from_millis(50);
/// How long a report takes.
const WORK: Duration = Duration::from_millis(1500);

/// The session of whoever proved to be this user takes the place of the visitor's.
pub(crate) fn sign_in(site: &Site, visit: &Visit, user: &str, remember: bool) -> Response {
    let has = |bad| site.switches.has(bad);
    let token = token_at_sign_in(site, visit, user);
    let mut session = Session::of(Some(user), site.now());
    session.is_remembered = remember;
    let mut table = site.table();
    session.sign_in = table.count();
    if !has(Bad::M01) {
        table.make_room(user);
    }
    match &visit.found {
        // Both tokens are the user's now.
        Some((old, _)) if has(Bad::F03) => table.insert(old, session.clone()),
        Some((old, before)) if has(Bad::F06) => {
            let led = Session { led_to: Some(token.clone()), ..before.clone() };
            table.insert(old, led);
        }
        Some((old, _)) => {
            table.sessions.remove(old);
            table.replaced.insert(old.clone());
        }
        None => {}
    }
    table.insert(&token, session.clone());
    drop(table);

    let to = if has(Bad::U01) { format!("/account?sid={token}") } else { "/account".to_owned() };
    let mut response = Redirect::to(&to).into_response();
    let headers = response.headers_mut();
    cookies::set_session(site, headers, &token, &session);
    cookies::set_extras(site, headers);
    if has(Bad::O02) {
        let second = tokens::mint(site, For::Renewal);
        session.sign_in = site.table().count();
        site.table().insert(&second, session.clone());
        cookies::set_second(headers, &tokens::write(site, &second, &session));
    }
    response
}

fn token_at_sign_in(site: &Site, visit: &Visit, user: &str) -> String {
    let kept = visit.found.as_ref().filter(|_| site.switches.has(Bad::F01));
    let kept = kept.map(|(token, _)| token.clone());
    let planted = visit.planted.clone().filter(|_| site.switches.has(Bad::F02));
    kept.or(planted).unwrap_or_else(|| tokens::mint(site, For::SignIn(user)))
}

/// A new token for the same session; the old one works on for requests under way.
pub(crate) fn step_up(site: &Site, visit: &Visit) -> Response {
    let mut response = Redirect::to("/account").into_response();
    let Some((old, mut session)) = visit.found.clone() else { return response };
    session.is_fresh = true;
    if site.switches.has(Bad::F05) {
        site.table().insert(&old, session);
        return response;
    }
    let token = tokens::mint(site, For::Renewal);
    let mut table = site.table();
    let forwarder = Session { renewed: Some((token.clone(), site.now())), ..session.clone() };
    table.insert(&old, forwarder);
    table.insert(&token, session.clone());
    drop(table);
    cookies::set_session(site, response.headers_mut(), &token, &session);
    response
}

/// Whoever knew the old password is out: other sessions end, and this one gets a new token.
pub(crate) fn credentials_changed(site: &Site, visit: &Visit) -> Response {
    let mut response = Redirect::to("/account").into_response();
    let Some((old, session)) = visit.found.clone() else { return response };
    let mut table = site.table();
    if let Some(user) = session.user.as_deref().filter(|_| !site.switches.has(Bad::O07)) {
        table.end_others(user, session.sign_in);
    }
    drop(table);
    let token = tokens::mint(site, For::Renewal);
    let mut table = site.table();
    table.sessions.remove(&old);
    table.insert(&token, session.clone());
    drop(table);
    cookies::set_session(site, response.headers_mut(), &token, &session);
    response
}

/// Ends the session on the server, and takes the cookie away.
pub(crate) fn sign_out(site: &Site, visit: &Visit) -> Response {
    let has = |bad| site.switches.has(bad);
    let mut response = Redirect::to("/").into_response();
    if let Some((token, session)) = visit.found.as_ref().filter(|_| !has(Bad::O01)) {
        let mut table = site.table();
        table.end_line(token);
        if !has(Bad::O03) {
            table.end_sign_in(session.sign_in);
        }
    }
    let headers = response.headers_mut();
    if !has(Bad::O04) {
        cookies::delete_session(site, headers);
    }
    if !has(Bad::O06) {
        let everything_kept = HeaderValue::from_static("\"cache\", \"storage\"");
        headers.insert(HeaderName::from_static("clear-site-data"), everything_kept);
    }
    response
}

/// One more in the cart; a stranger gets a session for it.
pub(crate) async fn add(site: &Site, visit: &Visit) -> Response {
    let mut response = Redirect::to("/cart").into_response();
    let Some((token, _)) = &visit.found else {
        let session = Session { items: 1, ..Session::of(None, site.now()) };
        let token = tokens::mint(site, For::Stranger);
        site.table().insert(&token, session.clone());
        cookies::set_session(site, response.headers_mut(), &token, &session);
        return response;
    };
    let before = visit.session().map_or(0, |session| session.items);
    if site.switches.has(Bad::S01) {
        tokio::time::sleep(MOMENT).await;
    }
    if let Some(session) = site.table().sessions.get_mut(token) {
        session.items = if site.switches.has(Bad::S01) { before } else { session.items } + 1;
    }
    response
}

/// Works for a while, and then keeps in the session that it is done.
pub(crate) async fn report(site: &Site, visit: &Visit) -> Response {
    let Some((token, session)) = visit.found.clone().filter(|_| visit.user().is_some()) else {
        return Redirect::to("/login").into_response();
    };
    tokio::time::sleep(WORK).await;
    let mut table = site.table();
    if site.switches.has(Bad::S02) {
        table.insert(&token, Session { reports: session.reports + 1, ..session });
    } else if let Some(session) = table.sessions.get_mut(&token) {
        session.reports += 1;
    }
    drop(table);
    Redirect::to("/account").into_response()
}

/// One more token for the session, beside the one that came.
pub(crate) fn renew_in_passing(site: &Site, token: &str, session: &Session) -> String {
    let renewed = tokens::mint(site, For::Renewal);
    let next = Session { parent: Some(token.to_owned()), ..session.clone() };
    site.table().insert(&renewed, next);
    renewed
}
