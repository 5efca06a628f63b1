//! Cookies that do not arrive: C15 to C17.

use crate::exchange::Probe;
use crate::finding::{Answer, Evidence, Severity};
use crate::flaw::{Findings, Flaw, each_line, every, not_decided, nothing_to_look_at};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use cloakroom_cookie::browser::Reason;
use cloakroom_cookie::{ATTRIBUTE_VALUE_MAX, NAME_AND_VALUE_MAX};
use std::collections::BTreeMap;

/// What many servers read of a Cookie header, and of all headers together.
const HEADER_MOST: usize = 8 * 1024;
/// From here on there is little left for anybody else on the host.
const HEADER_MUCH: usize = 4 * 1024;
/// What every browser keeps for a host (RFC 6265bis section 6.1).
const COOKIES_MOST: usize = 50;

pub(super) const DEAD: Rule = Rule {
    id: "C15",
    title: "Domain that browsers refuse or correct",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "A Domain is the host or a parent of it, registered by you, without a dot in front.",
    why: "Browsers refuse the cookie without a word, so that a sign-in or a sign-out does not happen.",
    how: "The line is judged as the standard's browser would if it came over TLS, with the public suffix list.",
    source: "RFC 6265bis section 5.7 steps 8 to 10",
    remedies: remedies::DOMAIN,
    judge: dead,
};

fn dead(observed: &Observed) -> Answer {
    each_line(observed, every, |line, exchange| {
        line.value_of("domain")?;
        let refused =
            [Reason::DomainNotAscii, Reason::DomainIsPublicSuffix, Reason::DomainDoesNotCover];
        let changed = [Reason::DomainLeadingDot, Reason::DomainEmpty, Reason::DomainIsOwnSuffix];
        let reasons = line.reasons_over_tls(exchange);
        if let Some(reason) = reasons.iter().find(|reason| refused.contains(reason)) {
            let seen = format!("browsers refuse the cookie: {reason}");
            return Some(Flaw::new(Severity::Medium, seen, reason.remedy()));
        }
        let reason = reasons.iter().find(|reason| changed.contains(reason))?;
        Some(Flaw::new(Severity::Low, reason.sentence(), reason.remedy()))
    })
}

pub(super) const TOO_LARGE: Rule = Rule {
    id: "C16",
    title: "Cookie over the size limits",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "Name and value have 4096 octets together at most, and each attribute 1024.",
    why: "Browsers drop the cookie or the attribute without a word, typically for the users with the most data.",
    how: "The octets of each Set-Cookie line are counted.",
    source: "RFC 6265bis section 5.6 steps 5 and 6; ASVS 5.0 3.3.5",
    remedies: remedies::SIZE,
    judge: too_large,
};

fn too_large(observed: &Observed) -> Answer {
    each_line(observed, every, |line, _| {
        let pair = line.name.as_deref().unwrap_or_default().len() + line.value.len();
        let values = line.attributes.iter().filter_map(|attribute| attribute.value.as_deref());
        let attribute = values.map(<[u8]>::len).max().unwrap_or_default();
        if pair > NAME_AND_VALUE_MAX {
            let seen = format!("name and value have {pair} octets: browsers refuse the cookie");
            Some(Flaw::new(Severity::Medium, seen, "at most 4096 octets"))
        } else if attribute > ATTRIBUTE_VALUE_MAX {
            let seen = format!("an attribute has {attribute} octets: browsers ignore it");
            Some(Flaw::new(Severity::Medium, seen, "at most 1024 octets"))
        } else {
            None
        }
    })
}

pub(super) const HEADER: Rule = Rule {
    id: "C17",
    title: "Cookie header too large",
    severity: Severity::Low,
    needs: Needs::Responses,
    what: "All cookies of the site together stay under 4 KiB and under 50 in number.",
    why: "Servers answer large headers with an error until the user deletes cookies; browsers drop the oldest, which is often the session.",
    how: "Names and values of all cookies are added up as a browser would send them, and seen Cookie headers are measured.",
    source: "RFC 6265bis sections 4.2.1 and 6.1",
    remedies: remedies::SIZE,
    judge: header,
};

fn header(observed: &Observed) -> Answer {
    let mut cookies: BTreeMap<String, usize> = BTreeMap::new();
    for line in observed.setting() {
        let size = line.name_text().len() + line.value.len() + "=; ".len();
        let known = cookies.entry(line.name_text()).or_default();
        *known = size.max(*known);
    }
    // What was planted no browser sends.
    let own = observed.exchanges().iter().filter(|exchange| exchange.probe != Probe::Hostile);
    let sent = own.map(|exchange| exchange.request.all("cookie").map(<[u8]>::len).sum::<usize>());
    let size = cookies.values().sum::<usize>().max(sent.max().unwrap_or_default());
    let Some((line, exchange)) = observed
        .setting()
        .max_by_key(|line| line.raw.len())
        .and_then(|line| Some((line, observed.exchange_of(line)?)))
    else {
        return not_decided(nothing_to_look_at(observed));
    };
    let mut findings = Findings::default();
    let mut add = |severity, seen: String, expected: &str| {
        let flaw = Flaw::new(severity, seen, expected);
        findings.add(flaw.about("all cookies".to_owned(), Evidence::of_line(exchange, &line.raw)));
    };
    if size > HEADER_MOST {
        add(
            Severity::Low,
            format!("a browser sends {size} octets of cookies"),
            "under 4096 octets",
        );
    } else if size > HEADER_MUCH {
        add(
            Severity::Info,
            format!("a browser sends {size} octets of cookies"),
            "under 4096 octets",
        );
    }
    if cookies.len() > COOKIES_MOST {
        add(Severity::Low, format!("there are {} cookies", cookies.len()), "50 cookies at most");
    }
    findings.answer(format!("{} cookies, {size} octets", cookies.len()))
}
