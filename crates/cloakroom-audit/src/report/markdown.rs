//! The report for pull requests and wikis: Markdown.

use super::escape::{fenced, markdown as text, upper};
use super::moment::{readable, readable_of};
use super::terminal::{since_sentence, verdict};
use super::{Report, Reported, Standard, coverage};
use crate::finding::Severity;
use std::fmt::Write as _;

impl Report {
    /// The report as Markdown.
    ///
    /// ```
    /// use cloakroom_audit::{Facts, Report};
    ///
    /// let facts = Facts { target: "https://shop.example/".to_owned(), ..Facts::default() };
    /// let page = Report::of_answers(Vec::new(), facts).to_markdown();
    /// assert!(page.starts_with("# Audit of https&#58;//shop.example/\n"));
    /// ```
    pub fn to_markdown(&self) -> String {
        let mut page = format!("# Audit of {}\n\n", text(&self.target));
        let sentence = text(&verdict(self));
        // What is written goes into a string, which cannot fail.
        let _ = writeln!(page, "**{}.**\n", upper(&sentence));
        let _ = writeln!(
            page,
            "cloakroom {}, {}, {} requests.",
            super::VERSION,
            readable(self.begun),
            self.requests
        );
        if let Some(why) = self.stopped() {
            let _ = writeln!(page, "\n**It is not complete: {}.**", text(why));
        }
        page.push_str(&table(self));
        page.push_str(&since(self));
        for severity in Severity::ALL {
            page.push_str(&of_severity(self, severity));
        }
        page.push_str(&set_aside(self));
        page.push_str(&not_tested(self));
        Standard::ALL.iter().for_each(|standard| page.push_str(&covered(self, *standard)));
        page
    }
}

fn table(report: &Report) -> String {
    let rows: String = report
        .counting()
        .map(|found| {
            let (finding, rule) = (&found.finding, found.rule);
            format!(
                "| {} | {} {} | {} | {} |\n",
                finding.severity,
                rule.id,
                rule.title,
                text(&finding.subject),
                text(&finding.seen)
            )
        })
        .collect();
    match rows.as_str() {
        "" => String::new(),
        rows => format!("\n| severity | rule | about | seen |\n|---|---|---|---|\n{rows}"),
    }
}

fn since(report: &Report) -> String {
    let Some(since) = report.compared() else { return String::new() };
    let mut part = format!(
        "\n## Since {}\n\n{}.\n",
        text(&readable_of(&since.ended)),
        upper(&since_sentence(report, since))
    );
    if let Some(other) = &since.other_target {
        let _ =
            writeln!(part, "\nThe last report is about {}: nothing can be compared.", text(other));
    }
    for (word, found) in [("gone", &since.gone), ("not decided this time", &since.unknown)] {
        for old in found {
            let (rule, subject) = (text(&old.rule), text(&old.subject));
            let _ = writeln!(part, "- {word}: {} {rule} {subject}", old.severity);
        }
    }
    part
}

fn of_severity(report: &Report, severity: Severity) -> String {
    let found: Vec<&Reported> =
        report.counting().filter(|found| found.finding.severity == severity).collect();
    match found.as_slice() {
        [] => String::new(),
        found => {
            let parts: String = found.iter().map(|found| one(found)).collect();
            format!("\n## {} ({})\n{parts}", upper(severity.as_str()), found.len())
        }
    }
}

fn one(found: &Reported) -> String {
    let (finding, rule) = (&found.finding, found.rule);
    let mut part = format!("\n### {} {}: {}\n\n", rule.id, rule.title, text(&finding.subject));
    let _ = writeln!(part, "{}.\n", upper(&text(&finding.seen)));
    let mut points = vec![
        format!("Expected: {}", text(&finding.expected)),
        format!("Why: {}", text(rule.why)),
        format!(
            "Confidence: {}, places: {}, id: {}",
            finding.confidence.as_str(),
            finding.places,
            found.id
        ),
        format!("Source: {}", text(rule.source)),
    ];
    points.extend(found.standing.sentence().map(|sentence| text(&sentence)));
    points.extend(found.change.map(|change| text(&change.to_string())));
    points.iter().for_each(|point| part.push_str(&format!("- {point}\n")));
    if let Some(proof) = finding.evidence.first() {
        let request = format!("{} -> {}", proof.request, proof.status);
        let replay = format!("$ {}", proof.replay);
        let _ = write!(part, "\n{}", fenced(&[&request, &proof.seen, &replay]));
    }
    part
}

fn set_aside(report: &Report) -> String {
    let aside: String = report
        .findings
        .iter()
        .filter(|found| !found.standing.counts())
        .map(|found| {
            let standing = found.standing.sentence().unwrap_or_default();
            let subject = text(&found.finding.subject);
            format!(
                "- {} {} {subject}: {}\n",
                found.finding.severity,
                found.rule.id,
                text(&standing)
            )
        })
        .collect();
    if aside.is_empty() { aside } else { format!("\n## Not counted\n\n{aside}") }
}

fn not_tested(report: &Report) -> String {
    let mut part = String::new();
    for (why, rules) in report.not_decided() {
        let ids: Vec<&str> = rules.iter().map(|rule| rule.id).collect();
        let _ = writeln!(part, "- {}: {}", ids.join(", "), text(why));
    }
    report.notes.iter().for_each(|note| part.push_str(&format!("- {}\n", text(note))));
    if part.is_empty() { part } else { format!("\n## Not decided, and why\n\n{part}") }
}

fn covered(report: &Report, standard: Standard) -> String {
    let rows: String = coverage()
        .iter()
        .filter(|row| row.standard == standard)
        .map(|row| {
            let left = row.tested.left().unwrap_or_default();
            let rules = row.tested.rules().join(", ");
            let answer = report.covers(row).as_str();
            format!("| {} | {} | {answer} | {rules} | {left} |\n", row.id, text(row.text))
        })
        .collect();
    format!(
        "\n## {}\n\n| row | demand | answer | rules | not tested |\n|---|---|---|---|---|\n{rows}",
        standard.as_str()
    )
}
