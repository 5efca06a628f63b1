//! The report for programs. `docs/audit-report.schema.json` describes it; [`Saved`](super::Saved) reads it.

use super::moment::timestamp;
use super::{Judged, Report, Reported, SavedFinding, Since, Standing, Trend, coverage};
use crate::finding::{Answer, Evidence};
use serde::Serialize;
use std::collections::BTreeMap;

/// The form of the report. A reader of this number reads every report of this number: fields may be
/// added to it, and none is taken away or changes its meaning.
pub const SCHEMA: u64 = 1;

impl Report {
    /// The report as JSON, over several lines and with a line feed at its end.
    ///
    /// ```
    /// use cloakroom_audit::{Facts, Report};
    ///
    /// let report = Report::of_answers(Vec::new(), Facts::default());
    /// assert!(report.to_json().starts_with("{\n  \"schema\": 1,"));
    /// ```
    pub fn to_json(&self) -> String {
        // Nothing in it can fail: the keys are texts, and there are no numbers that JSON lacks.
        let mut text = serde_json::to_string_pretty(&document(self)).unwrap_or_default();
        text.push('\n');
        text
    }
}

#[derive(Serialize)]
struct Document<'r> {
    schema: u64,
    tool: Tool,
    target: &'r str,
    host: &'r str,
    begun: String,
    ended: String,
    requests: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'r str>,
    notes: &'r [String],
    summary: Summary,
    findings: Vec<OneFinding<'r>>,
    rules: Vec<OneRule<'r>>,
    not_decided: Vec<Reason<'r>>,
    coverage: Vec<Row<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Compared<'r>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Summary {
    fail_on: &'static str,
    clean: bool,
    worst: Option<&'static str>,
    counting: BTreeMap<&'static str, usize>,
    known: usize,
    suppressed: usize,
    rules: RuleCounts,
}

#[derive(Serialize)]
struct RuleCounts {
    holds: usize,
    broken: usize,
    not_decided: usize,
}

#[derive(Serialize)]
struct OneFinding<'r> {
    id: &'r str,
    fingerprint: &'r str,
    rule: &'static str,
    title: &'static str,
    severity: &'static str,
    confidence: &'static str,
    subject: &'r str,
    seen: &'r str,
    expected: &'r str,
    places: usize,
    source: &'static str,
    standing: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppression: Option<Suppressed<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity_was: Option<&'static str>,
    evidence: Vec<Proof<'r>>,
}

#[derive(Serialize)]
struct Suppressed<'r> {
    reason: &'r str,
    until: String,
}

#[derive(Serialize)]
struct Proof<'r> {
    request: &'r str,
    status: u16,
    seen: &'r str,
    replay: &'r str,
}

#[derive(Serialize)]
struct OneRule<'r> {
    id: &'static str,
    title: &'static str,
    severity: &'static str,
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    looked_at: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'r str>,
    findings: Vec<&'r str>,
}

#[derive(Serialize)]
struct Reason<'r> {
    why: &'r str,
    rules: Vec<&'static str>,
}

#[derive(Serialize)]
struct Row<'r> {
    standard: &'static str,
    id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<u8>,
    text: &'static str,
    rules: &'r [&'static str],
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_tested: Option<&'static str>,
}

#[derive(Serialize)]
struct Compared<'r> {
    ended: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_target: Option<&'r str>,
    gone: Vec<Earlier<'r>>,
    unknown: Vec<Earlier<'r>>,
}

#[derive(Serialize)]
struct Earlier<'r> {
    id: &'r str,
    fingerprint: &'r str,
    rule: &'r str,
    severity: &'static str,
    subject: &'r str,
    seen: &'r str,
}

fn document(report: &Report) -> Document<'_> {
    let reasons = report.not_decided().into_iter();
    Document {
        schema: SCHEMA,
        tool: Tool { name: "cloakroom", version: super::VERSION },
        target: &report.target,
        host: &report.host,
        begun: timestamp(report.begun),
        ended: timestamp(report.ended),
        requests: report.requests,
        stopped: report.stopped(),
        notes: &report.notes,
        summary: summary(report),
        findings: report.findings.iter().map(one_finding).collect(),
        rules: report.judged.iter().map(|judged| one_rule(report, judged)).collect(),
        not_decided: reasons
            .map(|(why, rules)| Reason { why, rules: rules.iter().map(|rule| rule.id).collect() })
            .collect(),
        coverage: rows(report),
        since: report.since.as_ref().map(compared),
    }
}

fn summary(report: &Report) -> Summary {
    let standing = |name| {
        let all = report.findings.iter();
        all.filter(|found| found.standing.as_str() == name).count()
    };
    let tally = report.tally();
    Summary {
        fail_on: report.fail_on.as_str(),
        clean: report.is_clean(report.fail_on),
        worst: report.worst().map(crate::Severity::as_str),
        counting: report.by_severity().map(|(severity, count)| (severity.as_str(), count)).into(),
        known: standing("known"),
        suppressed: standing("suppressed"),
        rules: RuleCounts {
            holds: tally.holds,
            broken: tally.broken,
            not_decided: tally.not_decided,
        },
    }
}

fn one_finding(found: &Reported) -> OneFinding<'_> {
    let finding = &found.finding;
    OneFinding {
        id: &found.id,
        fingerprint: &found.fingerprint,
        rule: found.rule.id,
        title: found.rule.title,
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        subject: &finding.subject,
        seen: &finding.seen,
        expected: &finding.expected,
        places: finding.places,
        source: found.rule.source,
        standing: found.standing.as_str(),
        suppression: suppression(&found.standing),
        change: found.change.map(Trend::as_str),
        severity_was: severity_was(found),
        evidence: finding.evidence.iter().map(proof).collect(),
    }
}

/// How severe it was in the baseline or in the last audit, where that differs.
fn severity_was(found: &Reported) -> Option<&'static str> {
    match (&found.standing, found.change) {
        (Standing::Worse { was }, _) => Some(was.as_str()),
        (_, Some(Trend::Severity { was })) => Some(was.as_str()),
        (_, Some(Trend::New | Trend::Still) | None) => None,
    }
}

fn compared(since: &Since) -> Compared<'_> {
    Compared {
        ended: &since.ended,
        other_target: since.other_target.as_deref(),
        gone: since.gone.iter().map(earlier).collect(),
        unknown: since.unknown.iter().map(earlier).collect(),
    }
}

fn earlier(found: &SavedFinding) -> Earlier<'_> {
    let SavedFinding { id, fingerprint, rule, severity, subject, seen, was_suppressed: _ } = found;
    Earlier { id, fingerprint, rule, severity: severity.as_str(), subject, seen }
}

fn suppression(standing: &Standing) -> Option<Suppressed<'_>> {
    match standing {
        Standing::Suppressed { reason, until } | Standing::Expired { reason, until } => {
            Some(Suppressed { reason, until: until.to_string() })
        }
        Standing::Open | Standing::Known | Standing::Worse { .. } => None,
    }
}

fn proof(evidence: &Evidence) -> Proof<'_> {
    let Evidence { request, status, seen, replay } = evidence;
    Proof { request, status: *status, seen, replay }
}

fn one_rule<'r>(report: &'r Report, judged: &'r Judged) -> OneRule<'r> {
    let (looked_at, why) = match &judged.answer {
        Answer::Holds { looked_at } => (Some(looked_at.as_str()), None),
        Answer::NotDecided { why } => (None, Some(why.as_str())),
        Answer::Broken(_) => (None, None),
    };
    OneRule {
        id: judged.rule.id,
        title: judged.rule.title,
        severity: judged.rule.severity.as_str(),
        answer: judged.answer.as_str(),
        looked_at,
        why,
        findings: report.of_rule(judged.rule.id).map(|found| found.id.as_str()).collect(),
    }
}

fn rows(report: &Report) -> Vec<Row<'_>> {
    let one = |row: &'static super::Requirement| Row {
        standard: row.standard.as_str(),
        id: row.id,
        level: row.level,
        text: row.text,
        rules: row.tested.rules(),
        answer: report.covers(row).as_str(),
        not_tested: row.tested.left(),
    };
    coverage().iter().map(one).collect()
}
