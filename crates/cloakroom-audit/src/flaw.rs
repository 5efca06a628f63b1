//! From what is wrong with single lines to findings about cookies.

use crate::exchange::Exchange;
use crate::finding::{Answer, Confidence, EVIDENCE_SHOWN, Evidence, Finding, Severity};
use crate::line::Line;
use crate::observed::Observed;
use crate::role::Role;

/// What is wrong in one place.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) seen: String,
    pub(crate) expected: String,
}

impl Flaw {
    pub(crate) fn new(severity: Severity, seen: impl Into<String>, expected: &str) -> Self {
        Self {
            severity,
            confidence: Confidence::Certain,
            seen: seen.into(),
            expected: expected.to_owned(),
        }
    }

    pub(crate) const fn sure(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// At full severity for a session, a step lower for any other cookie.
    pub(crate) fn for_role(severity: Severity, line: &Line, seen: &str, expected: &str) -> Self {
        match line.role {
            Role::Session => Self::new(severity, seen, expected).sure(Confidence::Likely),
            Role::FormToken | Role::Tracking | Role::Preference | Role::Other => {
                Self::new(severity.lower(), seen, expected)
            }
        }
    }

    pub(crate) fn about(self, subject: String, evidence: Evidence) -> Finding {
        Finding {
            severity: self.severity,
            confidence: self.confidence,
            subject,
            seen: self.seen,
            expected: self.expected,
            evidence: vec![evidence],
            places: 1,
        }
    }
}

/// Findings about things that may be seen in many places: one for each thing.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// The worst of what is said about a subject stays; proof of it is kept for a few places.
    pub(crate) fn add(&mut self, finding: Finding) {
        let Some(known) = self.0.iter_mut().find(|known| known.subject == finding.subject) else {
            self.0.push(finding);
            return;
        };
        known.places += finding.places;
        if finding.severity > known.severity {
            let places = known.places;
            *known = Finding { places, ..finding };
        } else if known.evidence.len() < EVIDENCE_SHOWN && known.seen == finding.seen {
            known.evidence.extend(finding.evidence);
        }
    }

    /// What a rule says that looked at `looked_at`.
    pub(crate) fn answer(self, looked_at: impl Into<String>) -> Answer {
        if self.0.is_empty() {
            Answer::Holds { looked_at: looked_at.into() }
        } else {
            Answer::Broken(self.0)
        }
    }
}

/// Why a rule cannot say anything.
pub(crate) fn not_decided(why: impl Into<String>) -> Answer {
    Answer::NotDecided { why: why.into() }
}

/// Asks every line that sets a cookie.
pub(crate) fn each_line(
    observed: &Observed,
    belongs: impl Fn(&Line) -> bool,
    judge: impl Fn(&Line, &Exchange) -> Option<Flaw>,
) -> Answer {
    let mut findings = Findings::default();
    let mut names: Vec<String> = Vec::new();
    for line in observed.setting().filter(|line| belongs(line)) {
        let Some(exchange) = observed.exchange_of(line) else { continue };
        if !names.contains(&line.shown_name()) {
            names.push(line.shown_name());
        }
        if let Some(flaw) = judge(line, exchange) {
            findings.add(flaw.about(line.shown_name(), Evidence::of_line(exchange, &line.raw)));
        }
    }
    match names.as_slice() {
        [] => not_decided(nothing_to_look_at(observed)),
        [_] => findings.answer("1 cookie"),
        several => findings.answer(format!("{} cookies", several.len())),
    }
}

/// Every cookie.
pub(crate) const fn every(_: &Line) -> bool {
    true
}

/// Cookies that are a session.
pub(crate) fn sessions(line: &Line) -> bool {
    line.role == Role::Session
}

/// Why a rule about cookies has none to look at.
pub(crate) fn nothing_to_look_at(observed: &Observed) -> &'static str {
    if observed.exchanges().is_empty() {
        "no response was seen"
    } else if observed.setting().next().is_none() {
        "no cookie was set"
    } else {
        "no cookie of this kind was set: name the session's cookie if it is one of them"
    }
}
