//! What a server makes of cookies that it did not set: I05.

use crate::exchange::{Exchange, Probe};
use crate::finding::{Answer, Evidence, Severity};
use crate::flaw::{Findings, Flaw, not_decided};
use crate::observed::Observed;
use crate::remedies;
use crate::rule::{Needs, Rule};

/// Stands in every planted value, so that it is known when it comes back.
pub const MARK: &str = "cloakroomPlanted7f3a";

pub(super) const MALFORMED: Rule = Rule {
    id: "I05",
    title: "Malformed cookie breaks the page or comes back",
    severity: Severity::Medium,
    needs: Needs::Requests,
    what: "A cookie that the server did not set is like none: no error, and never repeated.",
    why: "An error tells what parses the cookie and lets any page on the site lock a visitor out; an echo is a way to inject.",
    how: "The start page and pages that set a session are asked with planted values: too long, of strange octets, broken quotes, twins, broken neighbours, very many. A status of 500 and more, or the planted mark in the answer, is a finding; an error counts only if it comes again, and never without the planted cookie.",
    source: "OWASP Session Management Cheat Sheet, treat the session ID as user input; CWE-20",
    remedies: remedies::HOSTILE,
    judge: malformed,
};

/// The octets of a planted header that a replay shows: all short ones, and none of 180 cookies.
const SHOWN_MOST: usize = 200;

fn malformed(observed: &Observed) -> Answer {
    let asked: Vec<(usize, &Exchange)> = observed.probed(Probe::Hostile).collect();
    if asked.is_empty() {
        return not_decided("nothing was planted: the site may not be asked, or no page was seen");
    }
    let mut findings = Findings::default();
    let mut unclear = 0_usize;
    for (at, exchange) in &asked {
        let sent: usize = exchange.request.all("cookie").map(<[u8]>::len).sum();
        let sent = format!("a planted Cookie header of {sent} octets");
        let is_error = exchange.status() >= 500;
        if is_error && breaks_alone(observed, *at, exchange) {
            let seen = format!("{sent} gives status {}", exchange.status());
            findings.add(found(exchange, seen, "the page as a stranger sees it"));
        } else if is_echoed(exchange) {
            let seen = format!("{sent} comes back in the answer");
            findings.add(found(exchange, seen, "an answer without it"));
        } else if is_error {
            unclear += 1;
        }
    }
    if unclear == asked.len() {
        return not_decided(
            "the page was answered with an error, and not because of planted cookies alone",
        );
    }
    findings.answer(format!("{} planted cookies", asked.len() - unclear))
}

/// Whether this cookie breaks a page that is fine for everybody else: it failed whenever it was asked, and
/// more than once; all others never, before and after. A page that is broken now and then, or for everybody,
/// is another matter.
fn breaks_alone(observed: &Observed, at: usize, hostile: &Exchange) -> bool {
    let sent = |exchange: &Exchange| exchange.request.words("cookie");
    let same_page =
        || observed.exchanges().iter().enumerate().filter(|(_, one)| one.url() == hostile.url());
    let planted =
        same_page().filter(|(_, one)| one.probe == Probe::Hostile && sent(one) == sent(hostile));
    let others = same_page().filter(|(_, one)| one.probe != Probe::Hostile);
    let is_error = |one: &Exchange| one.status() >= 500;
    planted.clone().count() > 1
        && planted.clone().all(|(_, one)| is_error(one))
        && others.clone().all(|(_, one)| !is_error(one))
        && others.clone().any(|(place, _)| place < at)
        && others.clone().any(|(place, _)| place > at)
}

fn found(exchange: &Exchange, seen: String, expected: &str) -> crate::finding::Finding {
    let mut evidence = Evidence::new(exchange, format!("status {}", exchange.status()));
    if let Some(replay) = replay(exchange) {
        evidence.replay = replay;
    }
    let subject = crate::mask::shown_url(exchange.url());
    Flaw::new(Severity::Medium, seen, expected).about(subject, evidence)
}

/// What was planted is no secret, and without its octets a replay shows nothing. A long header is named
/// and not shown.
fn replay(exchange: &Exchange) -> Option<String> {
    let [planted] = exchange.request.all("cookie").collect::<Vec<_>>().try_into().ok()?;
    let plain = |octet: &u8| matches!(octet, b' '..=b'~') && !b"'\\!".contains(octet);
    let shown = |octet: &u8| match plain(octet) {
        true => char::from(*octet).to_string(),
        false => format!("\\x{octet:02x}"),
    };
    let header: String = planted.iter().map(shown).collect();
    let url = crate::mask::shown_url(exchange.url()).replace('\'', "%27");
    (planted.len() <= SHOWN_MOST).then(|| format!("curl -si -H $'Cookie: {header}' '{url}'"))
}

fn is_echoed(exchange: &Exchange) -> bool {
    let holds = |text: &[u8]| crate::text::contains(text, MARK.as_bytes());
    holds(exchange.body()) || exchange.response.iter().any(|(_, value)| holds(value))
}
