//! The report as one page: nothing is fetched, nothing runs.

mod findings;
mod tables;

use super::escape::{markup, upper};
use super::moment::{readable, span};
use super::terminal::verdict;
use super::{Report, Standard};
use crate::finding::{Confidence, Severity};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("html/style.css");

impl Report {
    /// The report as one HTML page without scripts and without anything from elsewhere, for narrow and
    /// wide windows, light and dark.
    ///
    /// Its policy allows the one style sheet in it by its digest, and nothing else: should a text of a
    /// server ever get through, it neither runs nor fetches.
    ///
    /// ```
    /// use cloakroom_audit::{Facts, Report};
    ///
    /// let page = Report::of_answers(Vec::new(), Facts::default()).to_html();
    /// assert!(page.contains("default-src 'none'"));
    /// ```
    pub fn to_html(&self) -> String {
        let target = markup(&self.target);
        let digest = STANDARD.encode(Sha256::digest(STYLE));
        let parts = [
            head(self),
            summary(self),
            contents(self),
            findings::all(self),
            tables::set_aside(self),
            tables::since(self),
            tables::not_decided(self),
            tables::holding(self),
            Standard::ALL.map(|standard| tables::covered(self, standard)).concat(),
        ];
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"referrer\" content=\"no-referrer\"/>\n\
             <title>Audit of {target}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{}\
             <footer>Written by cloakroom {}. Values of cookies are masked: the first four characters, \
             the length and the begin of a digest.</footer>\n</main>\n</body>\n</html>\n",
            parts.concat(),
            super::VERSION
        )
    }
}

fn head(report: &Report) -> String {
    let took = span(report.ended.saturating_sub(report.begun));
    let asked = match report.requests {
        0 => "no request of its own".to_owned(),
        1 => format!("1 request in {took}"),
        several => format!("{several} requests in {took}"),
    };
    format!(
        "<h1>Audit of {}</h1>\n<p class=\"faint\">{}, {asked}</p>\n",
        markup(&report.target),
        readable(report.begun)
    )
}

/// What somebody needs to know who reads nothing else.
fn summary(report: &Report) -> String {
    let class = match (report.saw_something(), report.is_clean(report.fail_on)) {
        (false, _) => "is-open",
        (true, true) => "is-good",
        (true, false) => "is-bad",
    };
    let stopped = report.stopped().map_or_else(String::new, |why| {
        format!("<p><b>The audit is not complete: {}.</b></p>", markup(why))
    });
    let counts: String = report
        .by_severity()
        .into_iter()
        .map(|(severity, count)| {
            let zero = if count == 0 { " zero" } else { "" };
            format!("<li class=\"{severity}{zero}\"><b>{count}</b>{severity}</li>\n")
        })
        .collect();
    format!(
        "<div class=\"verdict {class}\"><strong>{}</strong><p>{}.</p>{stopped}</div>\n\
         <ul class=\"counts\">\n{counts}</ul>\n{}",
        meaning(report),
        markup(&upper(&verdict(report))),
        first(report)
    )
}

/// The verdict in words that need no knowledge of cookies.
const fn meaning_of(worst: Option<Severity>) -> &'static str {
    match worst {
        Some(Severity::Critical) => "Somebody else can take over the session of a signed-in user.",
        Some(Severity::High) => {
            "Somebody else can take over the session of a signed-in user under circumstances that occur."
        }
        Some(Severity::Medium) => {
            "Defences are missing that an attacker with another foothold would use."
        }
        Some(Severity::Low) => "Layers of defence are missing; none of them opens a session alone.",
        Some(Severity::Info) => "Nothing has to be mended; some things are good to know.",
        None => "Nothing was found in what was looked at.",
    }
}

fn meaning(report: &Report) -> String {
    if !report.saw_something() {
        return "Nothing could be looked at: this report proves nothing.".to_owned();
    }
    let worst = report.worst();
    let of_the_worst = report.counting().filter(|found| Some(found.finding.severity) == worst);
    let is_sure =
        of_the_worst.map(|found| found.finding.confidence).max() == Some(Confidence::Certain);
    match (worst, is_sure) {
        (Some(_), false) => {
            format!("{} This rests on a guess: the findings say on which.", meaning_of(worst))
        }
        (Some(_), true) | (None, _) => meaning_of(worst).to_owned(),
    }
}

/// What to mend first: the worst rules, each once.
fn first(report: &Report) -> String {
    let mut rules: Vec<(&str, &str, &str)> = Vec::new();
    for found in report.failing() {
        let row = (found.rule.id, found.rule.title, found.rule.why);
        if !rules.contains(&row) {
            rules.push(row);
        }
    }
    let rows: String = rules
        .iter()
        .take(FIRST)
        .map(|(id, title, why)| {
            format!("<li><b>{}</b> ({id}): {}</li>\n", markup(title), markup(why))
        })
        .collect();
    match rows.as_str() {
        "" => String::new(),
        rows => format!("<h2>What to mend first</h2>\n<ul class=\"plain\">\n{rows}</ul>\n"),
    }
}

/// How many rules stand under what to mend first.
const FIRST: usize = 3;

fn contents(report: &Report) -> String {
    let mut links: Vec<(&str, String)> = Vec::new();
    if !report.findings.is_empty() {
        links.push(("findings", format!("Findings ({})", report.counting().count())));
    }
    if report.findings.iter().any(|found| !found.standing.counts()) {
        links.push(("aside", "Not counted".to_owned()));
    }
    if report.since.is_some() {
        links.push(("since", "Since last time".to_owned()));
    }
    let tally = report.tally();
    links.push(("not-decided", format!("Not tested ({})", tally.not_decided)));
    links.push(("holds", format!("Holds ({})", tally.holds)));
    links.push(("standards", "Standards".to_owned()));
    let rows: String =
        links.iter().map(|(to, name)| format!("<li><a href=\"#{to}\">{name}</a></li>\n")).collect();
    format!("<nav><ul>\n{rows}</ul></nav>\n")
}
