//! What was found, for programs.

use super::case::Problem;
use super::diagnosis::{Diagnosis, Fate, Findings, Why};
use cloakroom_audit::masked_line;
use cloakroom_cookie::browser::{Outcome, StoredCookie};
use serde_json::{Value, json};

/// Grows when a field changes its meaning.
const SCHEMA: &str = "cloakroom-doctor 1";

pub(super) fn write(problem: &Problem, findings: &Findings) -> String {
    let cookies: Vec<_> = findings.cookies.iter().map(cookie).collect();
    let document = json!({
        "schema": SCHEMA,
        "responses": problem.responses,
        "repeated": findings.repeated,
        "left_out": findings.left_out,
        "cookies": cookies,
    });
    format!("{document:#}\n")
}

fn cookie(found: &Diagnosis) -> Value {
    let origin = &found.case.origin;
    let browsers: Vec<_> = found.families.iter().map(|fate| browser(found, fate)).collect();
    json!({
        "name": found.case.name(),
        "line": masked_line(&found.case.line),
        "url": found.case.shown,
        "from": origin.from.as_ref().map(ToString::to_string),
        "as": origin.kind.as_str(),
        "method": origin.method,
        "browsers": browsers,
    })
}

fn browser(found: &Diagnosis, fate: &Fate) -> Value {
    let reasons = fate.verdict.reasons().iter().map(|reason| why(Why::Browser(*reason)));
    let sent = found.situations.iter().zip(&fate.sent).map(|(situation, withheld)| {
        let reasons: Vec<_> = withheld.iter().map(|reason| why(*reason)).collect();
        json!({
            "situation": situation.code,
            "label": situation.label,
            "sent": withheld.is_empty(),
            "reasons": reasons,
        })
    });
    json!({
        "family": fate.family.as_str(),
        "outcome": outcome(fate.verdict.outcome()),
        "reasons": reasons.collect::<Vec<_>>(),
        "stored": fate.verdict.cookie().filter(|_| fate.verdict.is_stored()).map(stored),
        "sent": sent.collect::<Vec<_>>(),
    })
}

fn stored(cookie: &StoredCookie) -> Value {
    json!({
        "domain": cookie.domain(),
        "host_only": cookie.is_host_only(),
        "path": String::from_utf8_lossy(cookie.path()),
        "expires": cookie.expires(),
        "secure": cookie.is_secure(),
        "http_only": cookie.is_http_only(),
        "same_site": cookie.same_site().map(cloakroom_cookie::SameSite::as_str),
        "partitioned": cookie.partition().is_some(),
    })
}

fn why(reason: Why) -> Value {
    json!({
        "code": reason.code(),
        "sentence": reason.sentence(),
        "remedy": reason.remedy(),
        "source": reason.source(),
        "devtools": reason.devtools(),
    })
}

/// A word for an outcome.
pub(super) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Stored => "stored",
        Outcome::Changed => "changed",
        Outcome::Deleted => "deletes",
        Outcome::Refused => "refused",
        _ => "unknown",
    }
}
