//! What travels in clear: C10, C18, H04.

use crate::exchange::{Exchange, Probe};
use crate::finding::{Answer, Evidence, Severity};
use crate::flaw::{Findings, Flaw, each_line, every, not_decided};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};

/// One year (ASVS 5.0 3.4.1).
const HSTS_LEAST: u64 = 31_536_000;

pub(super) const PLAIN: Rule = Rule {
    id: "C10",
    title: "Cookie set over plain http",
    severity: Severity::High,
    needs: Needs::Requests,
    what: "A response over plain http sets no cookie: it redirects to https and nothing else.",
    why: "Whoever sits on the network reads what is set there, and can set it instead.",
    how: "The host is asked once over plain http, without cookies. Plain http on the auditor's own machine alone decides nothing.",
    source: "NIST SP 800-63B-4 section 5.1; RFC 6265bis section 8.3; CWE-319",
    remedies: remedies::HSTS,
    judge: plain,
};

fn plain(observed: &Observed) -> Answer {
    let plain: Vec<&Exchange> =
        observed.exchanges().iter().filter(|exchange| is_plain(exchange)).collect();
    if plain.is_empty() {
        let local = observed.exchanges().iter().all(|exchange| !exchange.address().is_encrypted());
        return not_decided(match local {
            true => {
                "only plain http on this machine was seen: ask the site as its visitors reach it"
            }
            false => "the host was not asked over plain http, or does not answer there",
        });
    }
    let mut findings = Findings::default();
    for line in observed.setting() {
        let Some(exchange) = observed.exchange_of(line).filter(|exchange| is_plain(exchange))
        else {
            continue;
        };
        let seen = "it is set in clear";
        let flaw =
            Flaw::for_role(Severity::High, line, seen, "a redirect to https without cookies");
        findings.add(flaw.about(line.shown_name(), Evidence::of_line(exchange, &line.raw)));
    }
    findings.answer(format!("{} responses over plain http", plain.len()))
}

/// Plain http that visitors use: not the developer's own machine, unless it was asked on purpose.
fn is_plain(exchange: &Exchange) -> bool {
    let address = exchange.address();
    !address.is_encrypted() && (exchange.probe == Probe::Plain || !address.is_loopback())
}

pub(super) const SECURE_OVER_PLAIN: Rule = Rule {
    id: "C18",
    title: "Secure cookie over plain http",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "Secure cookies are set over TLS.",
    why: "Browsers refuse them from plain http. On localhost Chromium and Firefox make an exception, and Safari does not.",
    how: "Each Set-Cookie line with Secure that came over plain http is a finding: information on localhost, more elsewhere.",
    source: "RFC 6265bis section 5.7 step 13; WebKit bug 281149",
    remedies: remedies::HSTS,
    judge: secure_over_plain,
};

fn secure_over_plain(observed: &Observed) -> Answer {
    each_line(observed, every, |line, exchange| {
        let address = exchange.address();
        if address.is_encrypted() || !line.has("secure") {
            return None;
        }
        let (severity, seen) = match address.is_loopback() {
            true => (Severity::Info, "Safari does not keep it, here on this machine"),
            false => (Severity::Medium, "browsers refuse a Secure cookie from plain http"),
        };
        Some(Flaw::new(severity, seen, "the same over https"))
    })
}

pub(super) const HSTS: Rule = Rule {
    id: "H04",
    title: "No strict transport security",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "Every response over TLS has Strict-Transport-Security of at least a year.",
    why: "The first request of a visit may go out in clear, and can be kept there by whoever sits on the network.",
    how: "The header is read in every response over TLS; over plain http it means nothing.",
    source: "ASVS 5.0 3.4.1; RFC 6797 section 6.1",
    remedies: remedies::HSTS,
    judge: hsts,
};

fn hsts(observed: &Observed) -> Answer {
    let encrypted: Vec<&Exchange> =
        observed.exchanges().iter().filter(|exchange| exchange.address().is_encrypted()).collect();
    if encrypted.is_empty() {
        return not_decided("no response over TLS was seen");
    }
    let mut findings = Findings::default();
    for exchange in &encrypted {
        let header = exchange.response.text("strict-transport-security");
        let (seen, shown) = match header.as_deref().map(max_age) {
            Some(Some(seconds)) if seconds >= HSTS_LEAST => continue,
            Some(Some(seconds)) => (
                format!("the header holds for {seconds} seconds only"),
                format!("Strict-Transport-Security: max-age={seconds}"),
            ),
            Some(None) => ("the header has no max-age".to_owned(), "no max-age".to_owned()),
            None => ("the header is missing".to_owned(), "no Strict-Transport-Security".to_owned()),
        };
        let flaw = Flaw::new(Severity::Medium, seen, "Strict-Transport-Security: max-age=31536000");
        findings
            .add(flaw.about(exchange.address().host().to_owned(), Evidence::new(exchange, shown)));
    }
    findings.answer(format!("{} responses over TLS", encrypted.len()))
}

fn max_age(header: &str) -> Option<u64> {
    let mut directives = header.split([';', ',']).filter_map(|part| part.split_once('='));
    let found = directives.find(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"));
    found.and_then(|(_, value)| value.trim().trim_matches('"').parse().ok())
}
