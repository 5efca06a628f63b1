//! What an audit came to: values, from which each format is written.
//!
//! A [`Report`] is made once and holds nothing that may not be printed: whatever goes in is cleaned at
//! the one door, so that a format has to escape its own marks and nothing else.

mod changes;
mod cleaning;
mod coverage;
mod escape;
mod html;
mod json;
mod junit;
mod look;
mod markdown;
mod moment;
mod sarif;
mod saved;
mod sources;
mod standing;
mod suppressions;
mod terminal;

pub use changes::{Since, Trend};
pub use coverage::{Coverage, Requirement, Standard, Tested, coverage};
pub use json::SCHEMA;
pub use look::{Detail, Format, Look};
pub use moment::{Day, NoDay};
pub use saved::{SAVED_MAX, Saved, SavedError, SavedFinding};
pub use standing::Standing;
pub use suppressions::{SUPPRESSIONS_MAX, Suppression, SuppressionError, Suppressions};

use crate::finding::{Answer, Evidence, Finding, Severity};
use crate::mask::shown_url;
use crate::observed::Observed;
use crate::rule::Rule;
use crate::rules::RULES;
use cleaning::Cleaning;
use std::collections::BTreeMap;
use std::fmt;

/// The release that writes the report.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// From here on a finding makes an audit fail, if nobody says otherwise: what is below is a layer that
/// is missing, or good to know.
pub const FAIL_ON: Severity = Severity::Medium;

/// What the person who asked knows about the asking.
///
/// `Debug` shows no secrets.
#[derive(Clone, Default)]
pub struct Facts {
    /// The address that was audited, or the name of a recording. It is shown masked.
    pub target: String,
    /// When it began, in seconds since the Unix epoch.
    pub begun: u64,
    /// When it ended, in seconds since the Unix epoch.
    pub ended: u64,
    /// How many requests were made; 0 for a recording.
    pub requests: usize,
    /// What was left out, and why: one sentence each, without a full stop.
    pub notes: Vec<String>,
    /// Why it ended before it was done, if it did.
    pub stopped: Option<String>,
    /// Where the login script is, for viewers that want a file to point at.
    pub script: Option<String>,
    /// Passwords and the like that were used, and that no report may show.
    pub secrets: Vec<String>,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("target", &shown_target(&self.target))
            .field("requests", &self.requests)
            .field("notes", &self.notes.len())
            .finish_non_exhaustive()
    }
}

/// A rule and what it came to.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The rule.
    pub rule: &'static Rule,
    /// What it came to.
    pub answer: Answer,
}

/// A finding as reports list it.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The rule that is broken.
    pub rule: &'static Rule,
    /// Names the finding within the report, and in later ones too while it is about the same thing.
    pub id: String,
    /// Names the finding for baselines and suppressions: see [`Finding::fingerprint`].
    pub fingerprint: String,
    /// What was found.
    pub finding: Finding,
    /// Whether it counts.
    pub standing: Standing,
    /// How it compares with the last audit, if there is one to compare with.
    pub change: Option<Trend>,
}

/// What an audit came to.
///
/// ```
/// use cloakroom_audit::{Declared, Exchange, Facts, Look, Observed, Report, Severity};
///
/// let mut page = Exchange::new("GET", "https://shop.example/", 200, 1_790_000_000)?;
/// page.response.push("Set-Cookie", "session=q8Zr31LkP0vTn5YxBm2Wgk; Path=/; HttpOnly");
/// let observed = Observed::new(vec![page], Declared::default());
/// let facts = Facts { target: "https://shop.example/".to_owned(), requests: 1, ..Facts::default() };
///
/// let report = Report::new(&observed, facts);
/// assert_eq!(report.worst(), Some(Severity::High));
/// assert!(!report.is_clean(Severity::Low));
/// assert!(report.to_text(&Look::default()).contains("C01  Cookie without Secure"));
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    target: String,
    host: String,
    begun: u64,
    ended: u64,
    requests: usize,
    notes: Vec<String>,
    stopped: Option<String>,
    script: Option<String>,
    fail_on: Severity,
    judged: Vec<Judged>,
    findings: Vec<Reported>,
    since: Option<Since>,
}

impl Report {
    /// Asks every rule about what was seen.
    pub fn new(observed: &Observed, facts: Facts) -> Self {
        Self::leaving_out(observed, facts, &[])
    }

    /// The same without judging some rules, by their ids and each with its reason.
    pub(crate) fn leaving_out(observed: &Observed, facts: Facts, left: &[(&str, &str)]) -> Self {
        let why = |rule: &Rule| left.iter().find(|(id, _)| *id == rule.id).map(|(_, why)| *why);
        let answer = |rule: &'static Rule| match why(rule) {
            Some(why) => (rule, Answer::NotDecided { why: why.to_owned() }),
            None => (rule, rule.judge(observed)),
        };
        let answers = RULES.iter().map(answer).collect();
        let cleaning = Cleaning::of(observed, &facts.secrets);
        let host = observed.address().map(|address| address.to_string());
        Self::assembled(answers, facts, host, &cleaning)
    }

    /// A report of answers that were given elsewhere.
    pub fn of_answers(answers: Vec<(&'static Rule, Answer)>, facts: Facts) -> Self {
        let cleaning = Cleaning::of_secrets(&facts.secrets);
        Self::assembled(answers, facts, None, &cleaning)
    }

    fn assembled(
        answers: Vec<(&'static Rule, Answer)>,
        facts: Facts,
        host: Option<String>,
        cleaning: &Cleaning,
    ) -> Self {
        let host = cleaning.clean(&host_of(&host.unwrap_or_else(|| facts.target.clone())));
        let mut findings: Vec<Reported> = answers
            .iter()
            .flat_map(|(rule, answer)| reported(rule, answer, &host, cleaning))
            .collect();
        findings.sort_by_key(|found| {
            std::cmp::Reverse((found.finding.severity, found.finding.confidence))
        });
        name_each(&mut findings);
        let clean = |text: String| cleaning.clean(&text);
        Self {
            target: cleaning.clean(&shown_target(&facts.target)),
            host,
            begun: facts.begun,
            ended: facts.ended,
            requests: facts.requests,
            notes: facts.notes.into_iter().map(clean).collect(),
            stopped: facts.stopped.map(clean),
            script: facts.script.map(clean),
            fail_on: FAIL_ON,
            judged: answers
                .into_iter()
                .map(|(rule, answer)| Judged { rule, answer: cleaning.answer(answer) })
                .collect(),
            findings,
            since: None,
        }
    }

    /// From which severity on a finding makes the audit fail; [`FAIL_ON`] until it is said.
    #[must_use]
    pub const fn fail_on(mut self, severity: Severity) -> Self {
        self.fail_on = severity;
        self
    }

    /// The address that was audited, masked.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The host by which findings are named.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What was left out, and why.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Why the audit ended before it was done, if it did.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// Where the login script is, if there is one.
    pub fn script(&self) -> Option<&str> {
        self.script.as_deref()
    }

    /// What became of the findings of the last audit, if there is one to compare with.
    pub const fn compared(&self) -> Option<&Since> {
        self.since.as_ref()
    }

    /// Every rule with its answer, in the order of the list.
    pub fn judged(&self) -> &[Judged] {
        &self.judged
    }

    /// Every finding, the worst first.
    pub fn findings(&self) -> &[Reported] {
        &self.findings
    }

    /// The findings that count: neither known nor suppressed.
    pub fn counting(&self) -> impl Iterator<Item = &Reported> {
        self.findings.iter().filter(|found| found.standing.counts())
    }

    /// The findings that make the audit fail.
    pub fn failing(&self) -> impl Iterator<Item = &Reported> {
        self.counting().filter(|found| found.finding.severity >= self.fail_on)
    }

    /// The worst severity among the findings that count.
    pub fn worst(&self) -> Option<Severity> {
        self.counting().map(|found| found.finding.severity).max()
    }

    /// Whether any rule could decide. An audit that saw nothing is not clean.
    pub fn saw_something(&self) -> bool {
        self.judged.iter().any(|judged| !matches!(judged.answer, Answer::NotDecided { .. }))
    }

    /// Whether something was seen, and no finding of this severity or a worse one counts.
    pub fn is_clean(&self, fail_on: Severity) -> bool {
        self.saw_something() && self.worst().is_none_or(|worst| worst < fail_on)
    }

    /// Ends a test that audits a router.
    ///
    /// # Panics
    ///
    /// With the report as text if it is not clean: see [`Report::is_clean`], from the severity that
    /// [`Report::fail_on`] says.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.is_clean(self.fail_on), "\n{}", self.to_text(&Look::default()));
    }

    /// What was not decided: each reason once, with the rules that it keeps from deciding.
    pub fn not_decided(&self) -> Vec<(&str, Vec<&'static Rule>)> {
        let mut reasons: Vec<(&str, Vec<&'static Rule>)> = Vec::new();
        for judged in &self.judged {
            let Answer::NotDecided { why } = &judged.answer else { continue };
            match reasons.iter_mut().find(|(known, _)| known == why) {
                Some((_, rules)) => rules.push(judged.rule),
                None => reasons.push((why, vec![judged.rule])),
            }
        }
        reasons
    }

    /// How many rules hold, are broken, are not decided.
    pub fn tally(&self) -> Tally {
        let count =
            |name| self.judged.iter().filter(|judged| judged.answer.as_str() == name).count();
        Tally { holds: count("holds"), broken: count("broken"), not_decided: count("not decided") }
    }

    /// The findings of a rule.
    pub fn of_rule<'r>(&'r self, id: &'r str) -> impl Iterator<Item = &'r Reported> {
        self.findings.iter().filter(move |found| found.rule.id == id)
    }

    /// How many findings that count there are of each severity, the worst first, none left out.
    pub fn by_severity(&self) -> [(Severity, usize); 5] {
        let count =
            |severity| self.counting().filter(|found| found.finding.severity == severity).count();
        Severity::ALL.map(|severity| (severity, count(severity)))
    }

    /// The report in this format; `look` is for [`Format::Terminal`].
    pub fn write(&self, format: Format, look: &Look) -> String {
        match format {
            Format::Terminal => self.to_text(look),
            Format::Json => self.to_json(),
            Format::Sarif => self.to_sarif(),
            Format::Junit => self.to_junit(),
            Format::Html => self.to_html(),
            Format::Markdown => self.to_markdown(),
        }
    }
}

/// How many rules came to which answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Nothing is wrong.
    pub holds: usize,
    /// Something is.
    pub broken: usize,
    /// It cannot be said.
    pub not_decided: usize,
}

/// An address masked; whatever else it is, such as the name of a file, as it is.
fn shown_target(target: &str) -> String {
    match target.contains("://") {
        true => shown_url(target),
        false => target.to_owned(),
    }
}

/// The host of an address, without its port: cookies know none.
fn host_of(address: &str) -> String {
    let parsed = url::Url::parse(address).ok();
    let host = parsed.as_ref().and_then(|url| {
        let host = url.host_str()?;
        Some(host.to_owned())
    });
    host.unwrap_or_else(|| shown_target(address))
}

fn reported(
    rule: &'static Rule,
    answer: &Answer,
    host: &str,
    cleaning: &Cleaning,
) -> Vec<Reported> {
    let one = |finding: &Finding| Reported {
        rule,
        id: String::new(),
        fingerprint: finding.fingerprint(rule.id, host),
        finding: cleaning.finding(finding),
        standing: Standing::Open,
        change: None,
    };
    answer.findings().iter().map(one).collect()
}

/// The rule and the begin of the fingerprint; a number behind it if that is not one of its kind.
fn name_each(findings: &mut [Reported]) {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for found in findings {
        let short = found.fingerprint.get(..8).unwrap_or(&found.fingerprint);
        let id = format!("{}-{short}", found.rule.id);
        let times = known.entry(id.clone()).or_default();
        *times += 1;
        found.id = if *times == 1 { id } else { format!("{id}-{times}") };
    }
}

/// Every text that a finding holds.
fn texts_of(finding: &mut Finding) -> impl Iterator<Item = &mut String> {
    let Finding { subject, seen, expected, evidence, severity: _, confidence: _, places: _ } =
        finding;
    let proofs = evidence.iter_mut().flat_map(|proof: &mut Evidence| {
        let Evidence { request, seen, replay, status: _ } = proof;
        [request, seen, replay]
    });
    [subject, seen, expected].into_iter().chain(proofs)
}

#[cfg(test)]
mod tests;
