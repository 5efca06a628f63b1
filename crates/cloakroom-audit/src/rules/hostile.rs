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
    how: "The page that sets the session is asked with planted values: too long, of strange octets, broken quotes, twins, broken neighbours, very many. A status of 500 and more, or the planted mark in the answer, is a finding.",
    source: "OWASP Session Management Cheat Sheet, treat the session ID as user input; CWE-20",
    remedies: remedies::HOSTILE,
    judge: malformed,
};

fn malformed(observed: &Observed) -> Answer {
    let asked: Vec<&Exchange> = observed.probed(Probe::Hostile).map(|(_, found)| found).collect();
    if asked.is_empty() {
        return not_decided("no page sets a session cookie, or the site may not be asked");
    }
    let fine = |exchange: &&Exchange| exchange.probe == Probe::Visit && exchange.status() < 500;
    let mut findings = Findings::default();
    for exchange in &asked {
        // The same page must have been fine before: a page that is always broken is another matter.
        let before = observed.exchanges().iter().filter(fine);
        let was_fine = before.into_iter().any(|visit| visit.url() == exchange.url());
        let sent: usize = exchange.request.all("cookie").map(<[u8]>::len).sum();
        let sent = format!("a planted Cookie header of {sent} octets");
        if exchange.status() >= 500 && was_fine {
            let seen = format!("{sent} gives status {}", exchange.status());
            findings.add(found(exchange, seen, "the page as a stranger sees it"));
        } else if is_echoed(exchange) {
            let seen = format!("{sent} comes back in the answer");
            findings.add(found(exchange, seen, "an answer without it"));
        }
    }
    findings.answer(format!("{} planted cookies", asked.len()))
}

fn found(exchange: &Exchange, seen: String, expected: &str) -> crate::finding::Finding {
    let evidence = Evidence::new(exchange, format!("status {}", exchange.status()));
    let subject = crate::mask::shown_url(exchange.url());
    Flaw::new(Severity::Medium, seen, expected).about(subject, evidence)
}

fn is_echoed(exchange: &Exchange) -> bool {
    let holds = |text: &[u8]| crate::text::contains(text, MARK.as_bytes());
    holds(exchange.body()) || exchange.response.iter().any(|(_, value)| holds(value))
}
