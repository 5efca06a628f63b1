//! How a Set-Cookie line is written: C11 to C14.

use crate::exchange::Exchange;
use crate::finding::{Answer, Evidence, Severity};
use crate::flaw::{Findings, Flaw, each_line, every, not_decided, nothing_to_look_at};
use crate::line::{Attribute, Line};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};
use std::collections::BTreeSet;

/// How far Expires and Max-Age may be apart: clocks differ, and programs round to days.
const SAME_END: i64 = 86_400;

pub(super) const ONCE: Rule = Rule {
    id: "C11",
    title: "Cookie set twice in one response",
    severity: Severity::Medium,
    needs: Needs::Responses,
    what: "A response sets a cookie name at most once.",
    why: "Which of the two stays is not the same everywhere, so that a sign-out or a new session may be lost.",
    how: "The names of all Set-Cookie lines of a response are compared.",
    source: "RFC 6265bis section 4.1.1",
    remedies: remedies::GRAMMAR,
    judge: once,
};

fn once(observed: &Observed) -> Answer {
    if observed.lines().is_empty() {
        return not_decided(nothing_to_look_at(observed));
    }
    let mut findings = Findings::default();
    let mut seen: BTreeSet<(usize, String)> = BTreeSet::new();
    for line in observed.lines() {
        let Some(exchange) = observed.exchange_of(line) else { continue };
        if !seen.insert((line.exchange, line.name_text())) {
            let flaw = Flaw::new(
                Severity::Medium,
                "one response has two Set-Cookie lines for it",
                "one Set-Cookie line for each name",
            );
            findings.add(flaw.about(line.shown_name(), Evidence::of_line(exchange, &line.raw)));
        }
    }
    findings.answer(format!("{} Set-Cookie lines", observed.lines().len()))
}

pub(super) const ATTRIBUTES: Rule = Rule {
    id: "C12",
    title: "Attribute repeated or unknown",
    severity: Severity::Low,
    needs: Needs::Responses,
    what: "Each attribute stands in a line once, and browsers know it.",
    why: "Of two the last counts, which is seldom the one that was meant; a misspelt attribute protects nothing.",
    how: "The names of the attributes of each Set-Cookie line are compared with one another and with those that browsers know.",
    source: "RFC 6265bis sections 4.1.1 and 5.7",
    remedies: remedies::GRAMMAR,
    judge: attributes,
};

const KNOWN: [&str; 9] = [
    "expires",
    "max-age",
    "domain",
    "path",
    "secure",
    "httponly",
    "samesite",
    "partitioned",
    "priority",
];

fn attributes(observed: &Observed) -> Answer {
    each_line(observed, every, |line, _| {
        let mut names: Vec<&str> =
            line.attributes.iter().map(|found| found.name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        });
        if let Some(name) = twice {
            let seen = format!("{} stands there more than once", shown(name));
            return Some(Flaw::new(Severity::Low, seen, "each attribute once"));
        }
        let unknown = names.iter().find(|name| !KNOWN.contains(name))?;
        let seen = format!("no browser knows the attribute {}", shown(unknown));
        Some(Flaw::new(Severity::Low, seen, "attributes that browsers know"))
    })
}

fn shown(attribute: &str) -> String {
    format!("`{}`", crate::mask::printable_line(attribute.as_bytes(), 40))
}

pub(super) const OCTETS: Rule = Rule {
    id: "C13",
    title: "Name or value outside of the grammar",
    severity: Severity::Low,
    needs: Needs::Responses,
    what: "A name is a token, and a value holds no blank, quote, comma, semicolon, backslash or octet beyond ASCII.",
    why: "Servers and browsers read such a cookie differently; one that is cut short or dropped may sign somebody out, or in as somebody else.",
    how: "Each octet of name and value is compared with the grammar; one pair of quotes around the value is allowed.",
    source: "RFC 6265bis section 4.1.1",
    remedies: remedies::GRAMMAR,
    judge: octets,
};

fn octets(observed: &Observed) -> Answer {
    each_line(observed, every, |line, _| {
        let expected = "a token for a name, and base64url in the value";
        let flaw = |seen: String| Some(Flaw::new(Severity::Low, seen, expected));
        let Some(name) = line.name.as_deref().filter(|name| !name.is_empty()) else {
            return flaw("the cookie has no name".to_owned());
        };
        if let Some(at) = name.iter().position(|octet| !is_token_octet(*octet)) {
            return flaw(format!("octet {} of the name is outside of the grammar", at + 1));
        }
        let value = match line.value.as_slice() {
            [b'"', inner @ .., b'"'] => inner,
            value => value,
        };
        let at = value.iter().position(|octet| !cloakroom_cookie::is_cookie_octets(&[*octet]))?;
        flaw(format!("octet {} of the value is outside of the grammar", at + 1))
    })
}

/// RFC 9110 section 5.6.2.
const fn is_token_octet(octet: u8) -> bool {
    matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
        || octet.is_ascii_alphanumeric()
}

pub(super) const TIMES: Rule = Rule {
    id: "C14",
    title: "Times or lines that are read in several ways",
    severity: Severity::Low,
    needs: Needs::Responses,
    what: "Expires is an HTTP date, Max-Age is digits, both say the same, and each cookie has a line of its own.",
    why: "What one reader takes for an end another takes for none: a cookie outlives its session or dies at once.",
    how: "Dates are read and written again; the two ends are compared with a day's grace; a comma with a name and `=` behind it is a folded line.",
    source: "RFC 6265bis sections 3, 4.1.1 and 4.1.2.2; RFC 9110 section 5.6.7",
    remedies: remedies::GRAMMAR,
    judge: times,
};

fn times(observed: &Observed) -> Answer {
    if observed.lines().is_empty() {
        return not_decided(nothing_to_look_at(observed));
    }
    let mut findings = Findings::default();
    for line in observed.lines() {
        let Some(exchange) = observed.exchange_of(line) else { continue };
        if let Some((seen, expected)) = misread(line, exchange) {
            let flaw = Flaw::new(Severity::Low, seen, expected);
            findings.add(flaw.about(line.shown_name(), Evidence::of_line(exchange, &line.raw)));
        }
    }
    findings.answer(format!("{} Set-Cookie lines", observed.lines().len()))
}

fn misread(line: &Line, exchange: &Exchange) -> Option<(&'static str, &'static str)> {
    if line.attributes.iter().any(is_folded) {
        return Some(("two cookies are folded into one line", "a Set-Cookie line for each cookie"));
    }
    if line.value_of("expires").is_some_and(|date| !is_http_date(date)) {
        return Some(("Expires is no HTTP date", "a date such as `Sun, 06 Nov 1994 08:49:37 GMT`"));
    }
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if line.value_of("max-age").is_some_and(|seconds| !is_number(seconds)) {
        return Some(("Max-Age is not written in digits alone", "a whole number of seconds"));
    }
    let (seconds, end) = (line.max_age()?, line.expires()?);
    let now = i64::try_from(exchange.at()).unwrap_or(i64::MAX);
    let (both_over, apart) =
        (seconds <= 0 && end <= now, now.saturating_add(seconds).saturating_sub(end).abs());
    (!both_over && apart > SAME_END)
        .then_some(("Expires and Max-Age give ends more than a day apart", "one end, said once"))
}

fn is_http_date(date: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(date) else { return false };
    httpdate::parse_http_date(text).is_ok_and(|read| httpdate::fmt_http_date(read) == text)
}

/// A comma, and behind it what begins a cookie.
fn is_folded(attribute: &Attribute) -> bool {
    let value = attribute.value.as_deref().unwrap_or_default();
    value.split(|octet| *octet == b',').skip(1).any(|rest| {
        let rest = rest.trim_ascii_start();
        let name = rest.iter().take_while(|octet| is_token_octet(**octet)).count();
        name > 0 && rest.get(name) == Some(&b'=')
    })
}
