//! What the jar of `cloakroom-cookie` says about the same experiments.

use crate::world::listed;
use cloakroom_cookie::browser::{
    Address, Browser, Jar, Page, Request, StoredCookie, ThirdParty, Verdict,
};
use std::time::Duration;

const NOW: u64 = 1_790_000_000;

/// How a page causes a request.
pub(crate) type Way = fn(Address, &Page) -> Request;

pub(crate) fn at(address: &str) -> Address {
    Address::parse(address).unwrap()
}

pub(crate) fn top(address: &str) -> Page {
    Page::top(at(address))
}

/// An empty browser in which third-party cookies are allowed.
pub(crate) fn jar() -> Jar {
    jar_with(ThirdParty::Allowed)
}

pub(crate) fn jar_with(third_party: ThirdParty) -> Jar {
    Jar::new(Browser::chromium().third_party(third_party), NOW)
}

/// Opens a page that sets these cookies.
pub(crate) fn set<L: AsRef<[u8]>>(jar: &mut Jar, address: &str, lines: &[L]) {
    for line in lines {
        let _ = jar.receive(&Request::typed(at(address)), line.as_ref());
    }
}

/// What the browser sends when somebody types this address.
pub(crate) fn sent(jar: &mut Jar, address: &str) -> String {
    carried(jar, &Request::typed(at(address)))
}

pub(crate) fn carried(jar: &mut Jar, request: &Request) -> String {
    String::from_utf8(jar.header(request)).unwrap()
}

/// `kept`, or `refused` with Chromium's names of the reasons.
pub(crate) fn verdict(address: &str, line: &str) -> String {
    let verdict = jar().receive(&Request::typed(at(address)), line.as_bytes());
    if verdict.is_stored() {
        return "kept".to_owned();
    }
    format!("refused: {}", devtools(&verdict))
}

pub(crate) fn devtools(verdict: &Verdict) -> String {
    let mut names: Vec<_> =
        verdict.reasons().iter().filter_map(|reason| reason.devtools()).collect();
    names.dedup();
    names.join(", ")
}

/// The origins at which an empty jar keeps something after `act`.
pub(crate) fn kept_at(origins: &[&'static str], act: impl Fn(&mut Jar, &str)) -> String {
    let kept = |origin: &&'static str| {
        let mut jar = jar();
        act(&mut jar, origin);
        jar.cookies().len() > 0
    };
    listed(&origins.iter().copied().filter(kept).collect::<Vec<_>>())
}

/// The places that get `x=1`.
pub(crate) fn sent_to(
    jar: &mut Jar,
    places: &[&'static str],
    address: impl Fn(&str) -> String,
) -> String {
    let gets = |place: &&'static str| sent(jar, &address(place)) == "x=1";
    listed(&places.iter().copied().filter(gets).collect::<Vec<_>>())
}

/// The cookie of this name.
pub(crate) fn cookie<'j>(jar: &'j Jar, name: &str) -> Option<&'j StoredCookie> {
    jar.cookies().find(|cookie| cookie.name() == name.as_bytes())
}

/// How long the only cookie still lives, in days.
pub(crate) fn lifetime(line: &str) -> String {
    let mut jar = jar();
    set(&mut jar, "https://a.test", &[line]);
    match cookie(&jar, "x").map(StoredCookie::expires) {
        None => "gone".to_owned(),
        Some(None) => "until the browser ends".to_owned(),
        Some(Some(end)) => {
            format!("{:.2} days", Duration::from_secs(end - NOW).as_secs_f64() / 86_400.0)
        }
    }
}

/// What is left of a cookie after a second response.
pub(crate) fn after(address: &str, line: &str, second: &str, deletion: &str) -> &'static str {
    let mut jar = jar();
    set(&mut jar, address, &[line]);
    let Some(before) = jar.cookies().next().cloned() else { return "never kept" };
    set(&mut jar, second, &[deletion]);
    let rest = jar.cookies().find(|cookie| cookie.name() == before.name());
    match rest {
        None => "gone",
        Some(cookie) if cookie.value() == before.value() => "stays",
        Some(_) => "another value",
    }
}
