//! The report for the test pages of build servers: JUnit's XML.

use super::escape::markup;
use super::moment::timestamp;
use super::{Judged, Report, Reported};
use crate::finding::Answer;

impl Report {
    /// The report as JUnit XML: one test case for each rule.
    ///
    /// A rule fails if one of its findings does (see [`Report::fail_on`]), and is skipped, with the
    /// reason, if it is not decided. What else was found stands in the output of its case.
    pub fn to_junit(&self) -> String {
        let cases: String = self.judged.iter().map(|judged| case(self, judged)).collect();
        let tally = self.tally();
        let failures = self.judged.iter().filter(|judged| failing(self, judged).next().is_some());
        let counts = format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
            self.judged.len() + usize::from(self.stopped.is_some()),
            failures.count(),
            u8::from(self.stopped.is_some()),
            tally.not_decided,
            self.ended.saturating_sub(self.begun),
        );
        let name = markup(&format!("cloakroom audit of {}", self.target));
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cloakroom\" {counts}>\n  \
             <testsuite name=\"{name}\" timestamp=\"{}\" hostname=\"{}\" {counts}>\n{cases}{}{}  \
             </testsuite>\n</testsuites>\n",
            timestamp(self.begun).trim_end_matches('Z'),
            markup(&self.host),
            stopped(self),
            output("    ", &self.notes),
        )
    }
}

fn failing<'r>(report: &'r Report, judged: &Judged) -> impl Iterator<Item = &'r Reported> {
    let id = judged.rule.id;
    report.failing().filter(move |found| found.rule.id == id)
}

fn case(report: &Report, judged: &Judged) -> String {
    let rule = judged.rule;
    let family = rule.id.get(..1).unwrap_or_default();
    let head = format!(
        "    <testcase classname=\"cloakroom.{family}\" name=\"{} {}\" time=\"0\"",
        rule.id,
        markup(rule.title)
    );
    let body = match &judged.answer {
        Answer::Holds { .. } => String::new(),
        Answer::NotDecided { why } => format!("      <skipped message=\"{}\"/>\n", markup(why)),
        Answer::Broken(_) => broken(report, judged),
    };
    match body.as_str() {
        "" => format!("{head}/>\n"),
        body => format!("{head}>\n{body}    </testcase>\n"),
    }
}

fn broken(report: &Report, judged: &Judged) -> String {
    let found: Vec<&Reported> = failing(report, judged).collect();
    let rest: Vec<String> = report
        .of_rule(judged.rule.id)
        .filter(|other| found.iter().all(|failing| failing.id != other.id))
        .map(lines)
        .collect();
    let failure = match found.iter().map(|found| found.finding.severity).max() {
        None => String::new(),
        Some(worst) => {
            let subjects: Vec<&str> =
                found.iter().map(|found| found.finding.subject.as_str()).collect();
            let text: Vec<String> = found.iter().map(|found| lines(found)).collect();
            format!(
                "      <failure type=\"{worst}\" message=\"{}\">{}</failure>\n",
                markup(&format!("{}: {}", judged.rule.title, subjects.join(", "))),
                markup(&text.join("\n\n"))
            )
        }
    };
    format!("{failure}{}", output("      ", &rest))
}

fn lines(found: &Reported) -> String {
    let finding = &found.finding;
    let mut lines = vec![
        format!("{} {} ({}): {}", found.id, finding.subject, finding.severity, finding.seen),
        format!("expected: {}", finding.expected),
    ];
    lines.extend(found.standing.sentence());
    for proof in &finding.evidence {
        lines.push(format!("{} -> {}: {}", proof.request, proof.status, proof.seen));
        lines.push(format!("$ {}", proof.replay));
    }
    lines.join("\n")
}

/// An audit that was not done is an error: what it did not look at may be broken.
fn stopped(report: &Report) -> String {
    report.stopped().map_or_else(String::new, |why| {
        let why = markup(why);
        format!(
            "    <testcase classname=\"cloakroom\" name=\"the audit was done\" time=\"0\">\n      \
             <error type=\"stopped\" message=\"{why}\"/>\n    </testcase>\n"
        )
    })
}

fn output(indent: &str, texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        texts => format!("{indent}<system-out>{}</system-out>\n", markup(&texts.join("\n\n"))),
    }
}
