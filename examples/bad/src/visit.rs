//! Who asks: from the cookies of a request to a session.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::http::header::{COOKIE, HOST};

use crate::cookies;
use crate::site::Site;
use crate::switches::Bad;
use crate::table::{ABSOLUTE, GRACE, IDLE, REMEMBERED, Session, Table};
use crate::tokens;

/// More tokens in one request are not looked up.
const TOKENS_MOST: usize = 4;
/// No token is longer, and none is a number of anything else.
const TOKEN_LONGEST: usize = 2048;

/// What is known of whoever sent a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visit {
    /// The token of the live session, and the session.
    pub(crate) found: Option<(String, Session)>,
    /// Whether it may have been sent before a sign-in of which it knows nothing.
    pub(crate) is_late: bool,
    /// Whether the session began with this request.
    pub(crate) is_new: bool,
    /// A token that opens nothing.
    pub(crate) planted: Option<String>,
    /// Whether any cookie came.
    pub(crate) has_cookies: bool,
    /// What else the cookies say, by name.
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) is_encrypted: bool,
    /// Whether the server cannot go on after reading a cookie.
    pub(crate) is_stumbling: bool,
    /// Where the browser thinks that it is, such as `https://bad.test`.
    pub(crate) origin: String,
}

impl Visit {
    /// Reads a request: what is known without looking anything up, and the values of session cookies.
    pub(crate) fn read(site: &Site, request: &Request) -> (Self, Vec<String>) {
        let is_encrypted = is_encrypted(site, request);
        let mut visit = Self {
            is_encrypted,
            origin: origin(site, request, is_encrypted),
            has_cookies: request.headers().contains_key(COOKIE),
            ..Self::default()
        };
        let names = [cookies::session_name(site), cookies::SECOND.to_owned()];
        let mut values: Vec<String> = Vec::new();
        for (name, value) in pairs(site, request) {
            if !names.contains(&name) {
                visit.cookies.insert(name, value);
            } else if !values.contains(&value) {
                values.push(value);
            }
        }
        if site.switches.has(Bad::F07) {
            values.extend(request.uri().query().into_iter().flat_map(values_of));
        }
        if site.switches.has(Bad::S04) {
            values.truncate(1);
        }
        visit.is_stumbling =
            site.switches.has(Bad::S06) && values.iter().any(|value| !is_well_formed(value));
        (visit, values)
    }

    /// Looks the session up. Two live sessions are as good as none: either may be planted.
    pub(crate) async fn look_up(&mut self, site: &Site, values: &[String]) {
        let mut found: Vec<(String, Session)> = Vec::new();
        for value in values.iter().filter(|value| value.len() <= TOKEN_LONGEST).take(TOKENS_MOST) {
            let Some(token) = tokens::read(site, value).await else { continue };
            match live(site, &token) {
                Some((token, session)) => {
                    if !found.iter().any(|(known, _)| *known == token) {
                        found.push((token, session));
                    }
                }
                None => {
                    self.is_late |= site.table().replaced.contains(&token);
                    self.planted = Some(token);
                }
            }
        }
        let is_one = match found.as_slice() {
            [_] => true,
            // The second cookie is one more way into the same account.
            [(_, one), (_, other)] => one.user == other.user && site.switches.has(Bad::O02),
            _ => false,
        };
        self.found = found.into_iter().next().filter(|_| is_one);
    }

    pub(crate) fn user(&self) -> Option<&str> {
        self.found.as_ref()?.1.user.as_deref()
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        self.found.as_ref().map(|(_, session)| session)
    }
}

/// The live session of a token; using it keeps it alive.
fn live(site: &Site, token: &str) -> Option<(String, Session)> {
    let now = site.now();
    let mut table = site.table();
    let token = forwarded(&table, token, now);
    let session = table.sessions.get_mut(&token)?;
    if is_over(site, session, now) {
        table.sessions.remove(&token);
        return None;
    }
    session.seen = now;
    let session = session.clone();
    Some((token, session))
}

/// Where a renewed token leads, as long as requests under way may still bring it.
fn forwarded(table: &Table, token: &str, now: u64) -> String {
    let renewed = table.sessions.get(token).and_then(|session| session.renewed.clone());
    match renewed {
        Some((next, at)) if now <= at + GRACE => next,
        Some(_) => String::new(),
        None => token.to_owned(),
    }
}

fn is_over(site: &Site, session: &Session, now: u64) -> bool {
    let has = |bad| site.switches.has(bad) || site.switches.has(Bad::T03);
    let (idle, absolute) = match session.is_remembered {
        true => (REMEMBERED, REMEMBERED),
        false => (IDLE, ABSOLUTE),
    };
    let is_idle = now > session.seen + idle && !has(Bad::T01);
    let is_old = now > session.began + absolute && !has(Bad::T02);
    is_idle || is_old
}

/// Whether browsers came over https: a proxy says so, or an absolute address does.
fn is_encrypted(site: &Site, request: &Request) -> bool {
    let forwarded = request.headers().get("x-forwarded-proto");
    let scheme = forwarded.and_then(|value| value.to_str().ok());
    let scheme = scheme.or_else(|| request.uri().scheme_str());
    scheme.map_or_else(|| site.is_behind_https(), |scheme| scheme == "https")
}

fn origin(site: &Site, request: &Request, is_encrypted: bool) -> String {
    if let Some(origin) = &site.origin {
        return origin.to_string();
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(|host| host.as_str()));
    let scheme = if is_encrypted { "https" } else { "http" };
    format!("{scheme}://{}", host.unwrap_or_default())
}

/// Every pair of every Cookie field; what is no pair hides no other.
fn pairs(site: &Site, request: &Request) -> Vec<(String, String)> {
    let fields = request.headers().get_all(COOKIE).iter();
    let texts = fields.map(|field| String::from_utf8_lossy(field.as_bytes()).into_owned());
    let split = |text: String| -> Vec<(String, String)> {
        let pairs = text.split(';').map(|pair| pair.trim().split_once('='));
        let pairs = pairs.map(|pair| Some((pair?.0.to_owned(), pair?.1.to_owned())));
        if site.switches.has(Bad::S05) {
            let is_fine = |pair: &Option<(String, String)>| pair.as_ref().is_some_and(is_plain);
            return pairs.take_while(is_fine).flatten().collect();
        }
        pairs.flatten().collect()
    };
    texts.flat_map(split).collect()
}

/// Whether a reader that is not careful goes on behind this pair.
fn is_plain((name, value): &(String, String)) -> bool {
    let text = |text: &str| text.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'"');
    !name.is_empty() && text(name) && text(value)
}

fn values_of(query: &str) -> impl Iterator<Item = String> {
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned())
}

fn is_well_formed(value: &str) -> bool {
    let of_a_token = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.,".contains(&octet);
    !value.is_empty() && value.len() <= TOKEN_LONGEST && value.bytes().all(of_a_token)
}
