//! How long things are kept, and by whom: H02, T05.

use crate::exchange::Exchange;
use crate::finding::{Answer, Severity};
use crate::flaw::{Flaw, each_line, every, sessions};
use crate::observed::Observed;
use crate::remedies;
use crate::role::Role;
use crate::rule::{Needs, Rule};
use cloakroom_cookie::MAX_AGE;

/// 30 days: the longest that a person may stay signed in (NIST SP 800-63B-4 section 2.1.3).
const SESSION_MOST: u64 = 30 * 24 * 60 * 60;

pub(super) const NO_STORE: Rule = Rule {
    id: "H02",
    title: "Session that caches may keep",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "A response that sets a session cookie says Cache-Control: no-store.",
    why: "Set-Cookie does not stop a cache: it hands one visitor's session to the next.",
    how: "Cache-Control is read where a session cookie is set. A sign that the response came out of a cache makes it critical.",
    source: "ASVS 5.0 14.3.2; OWASP Session Management Cheat Sheet; CWE-525",
    remedies: remedies::NO_STORE,
    judge: no_store,
};

fn no_store(observed: &Observed) -> Answer {
    each_line(observed, sessions, |_, exchange| {
        if exchange.response.words("cache-control").contains("no-store") {
            return None;
        }
        let expected = "Cache-Control: no-store";
        Some(match came_from_cache(exchange) {
            true => Flaw::new(Severity::Critical, "a cache handed the session out", expected),
            false => Flaw::new(Severity::Medium, "caches may keep the response", expected),
        })
    })
}

fn came_from_cache(exchange: &Exchange) -> bool {
    let fields = ["x-cache", "x-cache-status", "cf-cache-status", "x-proxy-cache"];
    let hit = fields.iter().any(|field| exchange.response.words(field).contains("hit"));
    let age = exchange.response.text("age").and_then(|age| age.trim().parse::<u64>().ok());
    hit || age.is_some_and(|age| age > 0)
}

pub(super) const LIFETIME: Rule = Rule {
    id: "T05",
    title: "Cookie that lives too long",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "A session cookie asks for 30 days at most, and no cookie for more than 400.",
    why: "A stolen or forgotten session stays open; browsers cut what is over 400 days, so that nothing may rest on it.",
    how: "Max-Age, or else Expires, of each Set-Cookie line is read.",
    source: "RFC 6265bis section 5.5; NIST SP 800-63B-4 section 2.1.3",
    remedies: remedies::LIFETIME,
    judge: lifetime,
};

fn lifetime(observed: &Observed) -> Answer {
    each_line(observed, every, |line, _| {
        let seconds = line.lifetime?;
        let days = seconds / 86_400;
        if line.role == Role::Session && seconds > SESSION_MOST {
            let seen = format!("the session asks for {days} days");
            Some(Flaw::new(Severity::Medium, seen, "30 days at most"))
        } else if seconds > MAX_AGE.as_secs() {
            let seen = format!("the cookie asks for {days} days, and browsers give 400");
            Some(Flaw::new(Severity::Info, seen, "400 days at most"))
        } else {
            None
        }
    })
}
