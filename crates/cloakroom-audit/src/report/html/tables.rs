//! What was not found, not tested, not counted: tables.

use crate::finding::Answer;
use crate::report::escape::{markup, upper};
use crate::report::moment::readable_of;
use crate::report::terminal::since_sentence;
use crate::report::{Coverage, Report, Requirement, SavedFinding, Standard, coverage};
use crate::rule::Rule;

fn table(head: &[&str], rows: &str) -> String {
    let head: String = head.iter().map(|name| format!("<th scope=\"col\">{name}</th>")).collect();
    format!(
        "<div class=\"sheet\"><table class=\"stack\"><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

pub(super) fn set_aside(report: &Report) -> String {
    let rows: String = report
        .findings
        .iter()
        .filter(|found| !found.standing.counts())
        .map(|found| {
            let severity = found.finding.severity;
            format!(
                "<tr><td class=\"key\">{} <span class=\"chip {severity}\">{severity}</span></td><td>{}</td><td>{}</td></tr>\n",
                found.rule.id,
                markup(&found.finding.subject),
                markup(&found.standing.sentence().unwrap_or_default())
            )
        })
        .collect();
    match rows.as_str() {
        "" => String::new(),
        rows => format!(
            "<h2 id=\"aside\">Not counted</h2>\n{}",
            table(&["rule", "about", "why it does not count"], rows)
        ),
    }
}

pub(super) fn since(report: &Report) -> String {
    let Some(since) = report.compared() else { return String::new() };
    let other = since.other_target.as_ref().map_or_else(String::new, |other| {
        format!(
            "<p><b>The last report is about {}: nothing can be compared.</b></p>\n",
            markup(other)
        )
    });
    let row = |word: &str, old: &SavedFinding| {
        format!(
            "<tr><td class=\"key\">{word}</td><td>{} {}</td><td>{}</td></tr>\n",
            markup(&old.rule),
            old.severity,
            markup(&old.subject)
        )
    };
    let gone = since.gone.iter().map(|old| row("gone", old));
    let unknown = since.unknown.iter().map(|old| row("not decided this time", old));
    let rows: String = gone.chain(unknown).collect();
    let rows = if rows.is_empty() { rows } else { table(&["what", "rule", "about"], &rows) };
    format!(
        "<h2 id=\"since\">Since {}</h2>\n{other}<p>{}.</p>\n{rows}",
        markup(&readable_of(&since.ended)),
        since_sentence(report, since)
    )
}

pub(super) fn not_decided(report: &Report) -> String {
    let rows: String = report
        .not_decided()
        .into_iter()
        .map(|(why, rules)| {
            format!("<tr><td>{}</td><td>{}</td></tr>\n", markup(&upper(why)), named(&rules))
        })
        .collect();
    let rows = match rows.as_str() {
        "" => "<p>Every rule could decide.</p>\n".to_owned(),
        rows => table(&["why", "what was not tested"], rows),
    };
    let notes: String =
        report.notes.iter().map(|note| format!("<li>{}</li>\n", markup(&upper(note)))).collect();
    let notes = match notes.as_str() {
        "" => String::new(),
        notes => format!("<ul class=\"plain\">\n{notes}</ul>\n"),
    };
    format!("<h2 id=\"not-decided\">What was not tested, and why</h2>\n{notes}{rows}")
}

/// More rules than these are folded away, so that a reason can be read past: 5.
const NAMED: usize = 5;

fn named(rules: &[&Rule]) -> String {
    let names: Vec<String> =
        rules.iter().map(|rule| format!("{} {}", rule.id, markup(rule.title))).collect();
    let names = names.join("<br/>");
    match rules.len() {
        0..=NAMED => names,
        count => format!("<details><summary>{count} rules</summary>{names}</details>"),
    }
}

pub(super) fn holding(report: &Report) -> String {
    let rows: String = report
        .judged
        .iter()
        .filter_map(|judged| match &judged.answer {
            Answer::Holds { looked_at } => Some((judged.rule, looked_at)),
            Answer::Broken(_) | Answer::NotDecided { .. } => None,
        })
        .map(|(rule, looked_at)| {
            format!(
                "<tr><td class=\"key\">{}</td><td>{}</td><td>{}</td></tr>\n",
                rule.id,
                markup(rule.what),
                markup(looked_at)
            )
        })
        .collect();
    let rows = match rows.as_str() {
        "" => "<p>No rule holds.</p>\n".to_owned(),
        rows => format!(
            "<details><summary>{} rules</summary>\n{}</details>\n",
            report.tally().holds,
            table(&["rule", "what holds", "looked at"], rows)
        ),
    };
    format!("<h2 id=\"holds\">What holds</h2>\n{rows}")
}

pub(super) fn covered(report: &Report, standard: Standard) -> String {
    let rows: String = coverage()
        .iter()
        .filter(|row| row.standard == standard)
        .map(|row| requirement(report, row))
        .collect();
    let anchor = match standard {
        Standard::Asvs5 => " id=\"standards\"",
        Standard::Nist63b4 => "",
    };
    let scope = match standard {
        Standard::Asvs5 => "the demands of V3 and V7 that cookies and sessions concern",
        Standard::Nist63b4 => "the demands of section 5",
    };
    format!(
        "<h2{anchor}>{}</h2>\n<p class=\"faint\">Covered here are {scope}, in our words. A row that holds is \
         one whose rules hold; it is no certificate.</p>\n{}",
        standard.as_str(),
        table(&["row", "demand", "answer", "rules", "not tested"], &rows)
    )
}

fn requirement(report: &Report, row: &Requirement) -> String {
    let answer = report.covers(row);
    let class = match answer {
        Coverage::Broken => "high",
        Coverage::Holds => "good",
        Coverage::Partly | Coverage::NotDecided | Coverage::NotTested => "grey",
    };
    let level = row.level.map_or_else(String::new, |level| format!(" (level {level})"));
    format!(
        "<tr><td class=\"key\">{}{level}</td><td>{}</td><td><span class=\"chip {class}\">{}</span></td><td>{}</td><td>{}</td></tr>\n",
        row.id,
        markup(row.text),
        answer.as_str(),
        row.tested.rules().join(", "),
        markup(row.tested.left().unwrap_or_default())
    )
}
