//! The lines that set and delete cookies.

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::site::Site;
use crate::switches::Bad;
use crate::table::{REMEMBERED, Session};
use crate::tokens;
use crate::visit::Visit;

/// The cookie that signs in again where that is broken.
pub(crate) const SECOND: &str = "__Host-Http-login";
/// The form token where a cookie says what it is.
pub(crate) const FORM: &str = "__Host-csrf";
/// Grows where that is broken, up to a size that servers still read.
const LONGER: &str = "__Host-theme-of";
const LONGEST: usize = 3000;
/// What an honest cookie says beside its name and value.
const GOOD: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";
const DAY: u64 = 24 * 60 * 60;

/// What the session's cookie is called.
pub(crate) fn session_name(site: &Site) -> String {
    let has = |bad| site.switches.has(bad);
    let prefix = if has(Bad::C01) || has(Bad::C08) {
        ""
    } else if has(Bad::C05) {
        "__Secure-"
    } else if has(Bad::C02) {
        "__Host-"
    } else if has(Bad::C07) {
        "__host-http-"
    } else {
        "__Host-Http-"
    };
    let name = if has(Bad::I06) { "sessionid" } else { "session" };
    format!("{prefix}{name}")
}

/// Sets the session's cookie, and whatever else a sign-in sets where it is broken.
pub(crate) fn set_session(site: &Site, headers: &mut HeaderMap, token: &str, session: &Session) {
    let name = session_name(site);
    if site.switches.has(Bad::C11) {
        push(headers, &format!("{name}=; {}; Max-Age=0", attributes(site)));
    }
    let value = tokens::write(site, token, session);
    let mut line = format!("{name}={value}; {}", attributes(site));
    if let Some(seconds) = lifetime(site, session) {
        line.push_str(&format!("; Max-Age={seconds}"));
    }
    if site.switches.has(Bad::C14) {
        line.push_str("; Expires=tomorrow");
    }
    push(headers, &line);
}

/// What comes with a sign-in and should not.
pub(crate) fn set_extras(site: &Site, headers: &mut HeaderMap) {
    let secure = "Secure; HttpOnly; SameSite=Lax";
    if site.switches.has(Bad::C06) {
        push(headers, &format!("__Secure-theme=light; Path=/; {secure}"));
    }
    if site.switches.has(Bad::C15) {
        push(headers, &format!("__Secure-theme=light; Domain=; Path=/; {secure}"));
    }
    if site.switches.has(Bad::C16) {
        let path = "a".repeat(1024);
        push(headers, &format!("__Secure-theme=light; Path=/{path}; {secure}"));
    }
    if site.switches.has(Bad::C17) {
        for number in 1..=5 {
            let value = "x".repeat(1900);
            push(headers, &format!("__Host-theme{number}={value}; {GOOD}"));
        }
    }
    if site.switches.has(Bad::G02) {
        push(headers, &format!("__Host-Http-x=7; {GOOD}"));
    }
}

/// The same preference for a narrower path.
pub(crate) fn set_narrower(headers: &mut HeaderMap) {
    push(headers, "__Secure-theme=light; Path=/account; Secure; HttpOnly; SameSite=Lax");
}

pub(crate) fn set_second(headers: &mut HeaderMap, value: &str) {
    push(headers, &format!("{SECOND}={value}; {GOOD}"));
}

pub(crate) fn set_form(headers: &mut HeaderMap, value: &str) {
    push(headers, &format!("{FORM}={value}; {GOOD}"));
}

/// Says the same once more, and something behind it.
pub(crate) fn set_longer(visit: &Visit, headers: &mut HeaderMap) {
    let known = visit.cookies.get(LONGER).map_or("", String::as_str);
    if known.len() < LONGEST {
        push(headers, &format!("{LONGER}={known}{}; {GOOD}", "and-the-news-page-".repeat(2)));
    }
}

pub(crate) fn set_tracker(headers: &mut HeaderMap) {
    push(headers, &format!("__Host-_ga=GA1; {GOOD}"));
}

/// What stands in the redirect from plain http to https and should not.
pub(crate) fn set_over_plain(site: &Site, headers: &mut HeaderMap) {
    if site.switches.has(Bad::C18) {
        push(headers, &format!("{FORM}=0; {GOOD}"));
    } else if site.switches.has(Bad::C10) {
        push(headers, "csrf=0; Path=/; HttpOnly; SameSite=Lax");
    }
}

/// Deletes what a sign-in set.
pub(crate) fn delete_session(site: &Site, headers: &mut HeaderMap) {
    push(headers, &format!("{}=; {}; Max-Age=0", session_name(site), attributes(site)));
    if site.switches.has(Bad::O02) {
        push(headers, &format!("{SECOND}=; {GOOD}; Max-Age=0"));
    }
}

/// What the session's cookie says beside name, value and lifetime.
fn attributes(site: &Site) -> String {
    let has = |bad| site.switches.has(bad);
    let mut all = vec!["Path=/".to_owned()];
    let mut add = |is_there: bool, text: &str| {
        if is_there {
            all.push(text.to_owned());
        }
    };
    add(!has(Bad::C01), "Secure");
    add(!has(Bad::C02), "HttpOnly");
    add(has(Bad::C12), "HttpOnly");
    let same_site = if has(Bad::C04) { "SameSite=None" } else { "SameSite=Lax" };
    add(!has(Bad::C03), same_site);
    add(has(Bad::C05), &format!("Domain={}", host(site)));
    add(has(Bad::C09), "Partitioned");
    all.join("; ")
}

/// `None` for a cookie that ends with the browser.
fn lifetime(site: &Site, session: &Session) -> Option<u64> {
    session.user.as_ref()?;
    let rows = [
        (site.switches.has(Bad::T05), 60 * DAY),
        (site.switches.has(Bad::T04), DAY),
        (session.is_remembered, REMEMBERED),
    ];
    rows.into_iter().find(|(applies, _)| *applies).map(|(_, seconds)| seconds)
}

fn host(site: &Site) -> &str {
    let origin = site.origin.as_deref().unwrap_or("http://localhost");
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    host.split(':').next().unwrap_or(host)
}

fn push(headers: &mut HeaderMap, line: &str) {
    // Every line is made here, of visible ASCII.
    if let Ok(line) = HeaderValue::from_str(line) {
        headers.append(SET_COOKIE, line);
    }
}
