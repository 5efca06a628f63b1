//! The findings that count, rule by rule, each with its evidence.

use crate::finding::{Evidence, Severity};
use crate::report::escape::{markup, upper};
use crate::report::terminal::places;
use crate::report::{Report, Reported, Trend, sources};
use crate::rule::Rule;

pub(super) fn all(report: &Report) -> String {
    let articles: String = Severity::ALL.map(|severity| of_severity(report, severity)).concat();
    match articles.as_str() {
        "" => String::new(),
        articles => format!("<h2 id=\"findings\">Findings</h2>\n{articles}"),
    }
}

/// One article for each rule that has findings of this severity.
fn of_severity(report: &Report, severity: Severity) -> String {
    let found: Vec<&Reported> =
        report.counting().filter(|found| found.finding.severity == severity).collect();
    let mut articles = String::new();
    let mut shown: Vec<&str> = Vec::new();
    for one in &found {
        if !shown.contains(&one.rule.id) {
            shown.push(one.rule.id);
            let same = found.iter().filter(|other| other.rule.id == one.rule.id);
            articles.push_str(&article(one.rule, severity, &same.copied().collect::<Vec<_>>()));
        }
    }
    articles
}

fn article(rule: &Rule, severity: Severity, found: &[&Reported]) -> String {
    let sections: String = found.iter().map(|found| section(found)).collect();
    format!(
        "<article>\n<header><h3>{} {}</h3><span class=\"chip {severity}\">{severity}</span></header>\n\
         <p>{}</p>\n{}{sections}</article>\n",
        rule.id,
        markup(rule.title),
        markup(rule.why),
        remedies(rule),
    )
}

fn section(found: &Reported) -> String {
    let finding = &found.finding;
    let places = places(finding.places);
    format!(
        "<section id=\"{id}\">\n<h4>{}{}</h4>\n<p>{}.</p>\n<dl>\n<dt>Expected</dt><dd>{}</dd>\n{}\
         <dt>How sure</dt><dd>{}, {places}</dd>\n\
         <dt>Name</dt><dd><code>{id}</code>, fingerprint <code>{}</code></dd>\n</dl>\n{}</section>\n",
        markup(&finding.subject),
        change(found),
        markup(&upper(&finding.seen)),
        markup(&finding.expected),
        standing(found),
        finding.confidence.as_str(),
        markup(&found.fingerprint),
        proofs(&finding.evidence),
        id = markup(&found.id),
    )
}

fn change(found: &Reported) -> String {
    match found.change {
        Some(change @ (Trend::New | Trend::Severity { .. })) => {
            format!(" <span class=\"chip grey\">{change}</span>")
        }
        Some(Trend::Still) | None => String::new(),
    }
}

fn standing(found: &Reported) -> String {
    let sentence = found.standing.sentence();
    sentence.map_or_else(String::new, |text| {
        format!("<dt>Note</dt><dd>{}</dd>\n", markup(&upper(&text)))
    })
}

/// The first proof is open to see, the others on request.
fn proofs(evidence: &[Evidence]) -> String {
    let Some((first, rest)) = evidence.split_first() else { return String::new() };
    let more: String = rest.iter().map(proof).collect();
    match rest.len() {
        0 => proof(first),
        count => {
            format!("{}<details><summary>{count} more</summary>\n{more}</details>\n", proof(first))
        }
    }
}

fn proof(evidence: &Evidence) -> String {
    format!(
        "<pre>{} -&gt; {}\n{}\n\n$ {}</pre>\n",
        markup(&evidence.request),
        evidence.status,
        markup(&evidence.seen),
        markup(&evidence.replay)
    )
}

fn remedies(rule: &Rule) -> String {
    let rows: String = rule
        .remedies
        .all()
        .iter()
        .map(|(framework, remedy)| {
            format!("<tr><td class=\"key\">{framework}</td><td>{}</td></tr>\n", coded(remedy))
        })
        .collect();
    format!(
        "<details><summary>How to mend it</summary>\n<table class=\"stack\"><tbody>\n{rows}</tbody></table>\n\
         <p>{}</p>\n<p>How it is tested: {}</p>\n<p>Source: {}</p></details>\n",
        markup(rule.what),
        markup(rule.how),
        source(rule)
    )
}

fn source(rule: &Rule) -> String {
    let text = markup(rule.source);
    match sources::page(rule.source) {
        Some(page) => {
            format!("<a href=\"{}\" rel=\"noreferrer noopener\">{text}</a>", markup(&page))
        }
        None => text,
    }
}

/// What stands between backticks is code.
fn coded(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(index, part)| match index % 2 {
        0 => markup(part),
        _ => format!("<code>{}</code>", markup(part)),
    });
    parts.collect()
}
