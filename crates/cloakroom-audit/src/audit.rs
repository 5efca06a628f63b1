//! Every rule's answer to what was seen.

use crate::finding::{Answer, Finding, Severity};
use crate::observed::Observed;
use crate::rule::Rule;
use crate::rules::RULES;
use std::fmt::Write as _;

/// What was seen, and what every rule says to it.
///
/// ```
/// use cloakroom_audit::{Audit, Declared, Exchange, Observed, Severity};
///
/// let mut page = Exchange::new("GET", "https://shop.example/", 200, 1_790_000_000)?;
/// page.response.push("Set-Cookie", "session=q8Zr31LkP0vTn5YxBm2Wgk; Path=/; HttpOnly");
/// let audit = Audit::of(Observed::new(vec![page], Declared::default()));
/// assert_eq!(audit.worst(), Some(Severity::High));
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Audit {
    /// What was seen.
    pub observed: Observed,
    /// Each rule with its answer, in the order of [`RULES`].
    pub answers: Vec<(&'static Rule, Answer)>,
}

impl Audit {
    /// Asks every rule.
    pub fn of(observed: Observed) -> Self {
        let answers = RULES.iter().map(|rule| (rule, rule.judge(&observed))).collect();
        Self { observed, answers }
    }

    /// Every finding with its rule, the worst first.
    pub fn findings(&self) -> Vec<(&'static Rule, &Finding)> {
        let mut all: Vec<_> = self
            .answers
            .iter()
            .flat_map(|(rule, answer)| answer.findings().iter().map(|finding| (*rule, finding)))
            .collect();
        all.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
        all
    }

    /// The severity of the worst finding.
    pub fn worst(&self) -> Option<Severity> {
        self.findings().first().map(|(_, finding)| finding.severity)
    }

    /// The findings of this severity and above, one line for each; empty if there is none.
    pub fn list(&self, from: Severity) -> String {
        let mut text = String::new();
        for (rule, finding) in self.findings().into_iter().filter(|(_, one)| one.severity >= from) {
            let Finding { severity, subject, seen, expected, .. } = finding;
            let _ = writeln!(text, "{severity:<8} {} {}", rule.id, rule.title);
            let _ = writeln!(text, "         {subject}: {seen}; expected: {expected}");
            if let Some(evidence) = finding.evidence.first() {
                let _ = writeln!(text, "         {}: {}", evidence.request, evidence.seen);
            }
            let _ = writeln!(text, "         axum: {}", rule.remedies.axum);
        }
        text
    }
}
