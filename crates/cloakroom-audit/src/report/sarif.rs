//! The report for viewers of code: SARIF 2.1.0.

use super::escape::upper;
use super::moment::timestamp;
use super::terminal::places;
use super::{Report, Reported, Standing, Trend, sources};
use crate::finding::{Answer, Confidence, Evidence, Severity};
use crate::rule::Rule;
use serde_json::{Map, Value, json};
use url::Url;

/// Under this name the fingerprint stands; a change in how it is made would take the next number.
const FINGERPRINT: &str = "cloakroom/v1";

impl Report {
    /// The report as SARIF 2.1.0, with the requests and responses as evidence.
    ///
    /// ```
    /// use cloakroom_audit::{Facts, Report};
    ///
    /// let report = Report::of_answers(Vec::new(), Facts::default());
    /// assert!(report.to_sarif().contains("\"version\": \"2.1.0\""));
    /// ```
    pub fn to_sarif(&self) -> String {
        let log = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [run(self)],
        });
        format!("{log:#}\n")
    }
}

fn run(report: &Report) -> Value {
    let rules: Vec<Value> = report.judged.iter().map(|judged| row(judged.rule)).collect();
    json!({
        "tool": { "driver": {
            "name": "cloakroom",
            "version": super::VERSION,
            "semanticVersion": super::VERSION,
            "rules": rules,
        } },
        "automationDetails": { "id": format!("cloakroom/{}/", report.host) },
        "invocations": [{
            "executionSuccessful": report.stopped.is_none() && report.saw_something(),
            "startTimeUtc": timestamp(report.begun),
            "endTimeUtc": timestamp(report.ended),
            "toolExecutionNotifications": notifications(report),
        }],
        "results": report.findings.iter().map(|found| result(report, found)).collect::<Vec<_>>(),
    })
}

fn row(rule: &Rule) -> Value {
    let remedies: String = rule
        .remedies
        .all()
        .iter()
        .map(|(framework, remedy)| format!("- {framework}: {remedy}\n"))
        .collect();
    let text = format!(
        "{}\n\n{}\n\nHow it is tested: {}\n\nHow to mend it:\n\n{remedies}\nSource: {}",
        rule.what, rule.why, rule.how, rule.source
    );
    let mut row = json!({
        "id": rule.id,
        "name": name_of(rule.title),
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.what },
        "help": { "text": text, "markdown": text },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": {
            "tags": ["security", "cookies"],
            "security-severity": points(rule.severity),
        },
    });
    if let (Some(page), Some(row)) = (sources::page(rule.source), row.as_object_mut()) {
        row.insert("helpUri".to_owned(), page.into());
    }
    row
}

/// A title as an identifier: `CookieWithoutSecure`.
fn name_of(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter_map(|word| {
            let mut letters = word.chars();
            let first = letters.next()?.to_ascii_uppercase();
            Some(format!("{first}{}", letters.as_str()))
        })
        .collect()
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The scale of CVSS, by which viewers sort.
const fn points(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.0",
    }
}

/// What was not decided, and the notes.
fn notifications(report: &Report) -> Vec<Value> {
    let mut all = Vec::new();
    if let Some(why) = &report.stopped {
        all.push(
            json!({ "level": "error", "message": { "text": format!("not complete: {why}") } }),
        );
    }
    for (index, judged) in report.judged.iter().enumerate() {
        if let Answer::NotDecided { why } = &judged.answer {
            all.push(json!({
                "level": "note",
                "message": { "text": format!("{} is not decided: {why}", judged.rule.id) },
                "associatedRule": { "id": judged.rule.id, "index": index },
            }));
        }
    }
    all.extend(
        report.notes.iter().map(|note| json!({ "level": "note", "message": { "text": note } })),
    );
    all
}

fn result(report: &Report, found: &Reported) -> Value {
    let finding = &found.finding;
    let index = report.judged.iter().position(|judged| judged.rule.id == found.rule.id);
    let text = format!(
        "{}: {}. Expected: {}. {}.",
        finding.subject,
        finding.seen,
        finding.expected,
        upper(&places(finding.places))
    );
    let mut result = json!({
        "ruleId": found.rule.id,
        "ruleIndex": index,
        "level": level(finding.severity),
        "kind": "fail",
        "message": { "text": text },
        "locations": [location(report, found)],
        "partialFingerprints": { FINGERPRINT: found.fingerprint },
        "rank": rank(finding.confidence),
        "properties": {
            "id": found.id,
            "severity": finding.severity.as_str(),
            "security-severity": points(finding.severity),
            "confidence": finding.confidence.as_str(),
            "replay": finding.evidence.iter().map(|proof| proof.replay.as_str()).collect::<Vec<_>>(),
        },
        "suppressions": suppressions(&found.standing),
    });
    if let Some(result) = result.as_object_mut() {
        if let Some(state) = state(found) {
            result.insert("baselineState".to_owned(), state.into());
        }
        if let Some(proof) = finding.evidence.first() {
            result.insert("webRequest".to_owned(), request(proof));
            result.insert("webResponse".to_owned(), response(proof));
        }
    }
    result
}

const fn rank(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::Certain => 100.0,
        Confidence::Likely => 70.0,
        Confidence::Possible => 40.0,
    }
}

/// Viewers want a file of the repository to point at: the login script is one. Otherwise host and path
/// are written like one, since some refuse addresses; the whole address stands in the request.
fn location(report: &Report, found: &Reported) -> Value {
    let logical = json!([{ "name": found.finding.subject, "kind": "resource" }]);
    let address = found.finding.evidence.first().map(|proof| parts(proof).1);
    let uri = match (&report.script, address) {
        (Some(script), _) => path(script),
        (None, Some(address)) => like_a_file(address),
        (None, None) => like_a_file(&report.target),
    };
    json!({
        "physicalLocation": { "artifactLocation": { "uri": uri }, "region": { "startLine": 1 } },
        "logicalLocations": logical,
    })
}

fn like_a_file(address: &str) -> String {
    let parsed = Url::parse(address).ok();
    let place = parsed.as_ref().and_then(|url| Some(format!("{}{}", url.host_str()?, url.path())));
    path(place.as_deref().unwrap_or(address).trim_matches('/'))
}

/// A path as a relative reference.
fn path(text: &str) -> String {
    let segments = text.split(['/', '\\']).map(|part| {
        url::form_urlencoded::byte_serialize(part.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Method and address of the request.
fn parts(proof: &Evidence) -> (&str, &str) {
    proof.request.split_once(' ').unwrap_or(("GET", &proof.request))
}

fn request(proof: &Evidence) -> Value {
    let (method, target) = parts(proof);
    json!({ "method": method, "target": target })
}

fn response(proof: &Evidence) -> Value {
    let mut headers = Map::new();
    if let Some((name, value)) = proof.seen.split_once(": ").filter(|(name, _)| is_field(name)) {
        headers.insert(name.to_owned(), value.into());
    }
    json!({ "statusCode": proof.status, "headers": headers })
}

fn is_field(name: &str) -> bool {
    name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
}

fn suppressions(standing: &Standing) -> Value {
    match standing {
        Standing::Suppressed { reason, until } => json!([{
            "kind": "external",
            "status": "accepted",
            "justification": format!("{reason} (until {until})"),
        }]),
        Standing::Known => json!([{
            "kind": "external",
            "status": "accepted",
            "justification": "known from the baseline",
        }]),
        Standing::Open | Standing::Worse { .. } | Standing::Expired { .. } => json!([]),
    }
}

fn state(found: &Reported) -> Option<&'static str> {
    match (&found.standing, found.change) {
        (Standing::Worse { .. }, _) | (_, Some(Trend::Severity { .. })) => Some("updated"),
        (Standing::Known, _) | (_, Some(Trend::Still)) => Some("unchanged"),
        (_, Some(Trend::New)) => Some("new"),
        (_, None) => None,
    }
}
