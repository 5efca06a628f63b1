//! The report for a person at a terminal.

use super::moment::{readable, readable_of, span};
use super::{Coverage, Detail, Look, Report, Reported, SavedFinding, Since, Trend, coverage};
use crate::finding::{Answer, Severity};
use crate::rule::Rule;

/// Sentences are not broken into narrower columns than these: 40.
pub(super) const WIDTH_LEAST: usize = 40;
/// Nor into wider ones, which nobody reads with ease: 120.
pub(super) const WIDTH_MOST: usize = 120;

/// How far what belongs to a finding stands in.
const DEEP: usize = 6;

impl Report {
    /// The report as text.
    ///
    /// ```
    /// use cloakroom_audit::{Detail, Facts, Look, Report};
    ///
    /// let report = Report::of_answers(Vec::new(), Facts::default());
    /// let quiet = Look { detail: Detail::Quiet, ..Look::default() };
    /// assert_eq!(report.to_text(&quiet), "nothing could be decided: no finding, and no proof of anything\n");
    /// ```
    pub fn to_text(&self, look: &Look) -> String {
        let mut page = Page::new(look);
        match look.detail {
            Detail::Quiet => page.short_findings(self),
            Detail::Normal => page.report(self, false),
            Detail::Verbose => page.report(self, true),
        }
        page.line(0, &verdict(self), end_style(self));
        page.text
    }
}

/// What a line looks like, as a terminal is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Bold,
    Faint,
    Good,
    Of(Severity),
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\u{1b}[1m",
            Self::Faint => "\u{1b}[2m",
            Self::Good => "\u{1b}[32m",
            Self::Of(Severity::Critical | Severity::High) => "\u{1b}[1;31m",
            Self::Of(Severity::Medium) => "\u{1b}[33m",
            Self::Of(Severity::Low) => "\u{1b}[36m",
            Self::Of(Severity::Info) => "\u{1b}[34m",
        }
    }
}

struct Page {
    text: String,
    colour: bool,
    width: usize,
}

impl Page {
    fn new(look: &Look) -> Self {
        let width = look.width.clamp(WIDTH_LEAST, WIDTH_MOST);
        Self { text: String::new(), colour: look.colour, width }
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A line as it is, however long.
    fn line(&mut self, indent: usize, text: &str, style: Style) {
        let shown = self.styled(text, style);
        self.text.push_str(&format!("{:indent$}{shown}\n", ""));
    }

    /// Sentences, broken between words.
    fn wrapped(&mut self, indent: usize, text: &str, style: Style) {
        for line in broken(text, self.width.saturating_sub(indent)) {
            self.line(indent, &line, style);
        }
    }

    fn styled(&self, text: &str, style: Style) -> String {
        match (self.colour, style) {
            (false, _) | (true, Style::Plain) => text.to_owned(),
            (true, style) => format!("{}{text}\u{1b}[0m", style.code()),
        }
    }

    fn heading(&mut self, text: &str, style: Style) {
        self.blank();
        self.line(0, text, style);
    }

    fn short_findings(&mut self, report: &Report) {
        for found in report.counting() {
            let finding = &found.finding;
            let (severity, style) = (finding.severity, Style::Of(finding.severity));
            let severity = self.styled(&format!("{severity:<8}"), style);
            let (rule, subject, seen) = (found.rule.id, &finding.subject, &finding.seen);
            let trend = match found.change {
                Some(trend @ (Trend::New | Trend::Severity { .. })) => format!(" ({trend})"),
                Some(Trend::Still) | None => String::new(),
            };
            self.line(0, &format!("{severity} {rule} {subject}: {seen}{trend}"), Style::Plain);
        }
        if let Some(since) = &report.since {
            for SavedFinding { rule, subject, .. } in &since.gone {
                let gone = self.styled("gone    ", Style::Good);
                self.line(0, &format!("{gone} {rule} {subject}"), Style::Plain);
            }
            let ended = readable_of(&since.ended);
            self.line(
                0,
                &format!("since {ended}: {}", since_sentence(report, since)),
                Style::Plain,
            );
        }
    }

    fn report(&mut self, report: &Report, verbose: bool) {
        self.head(report);
        for severity in Severity::ALL {
            self.severity(report, severity, verbose);
        }
        self.set_aside(report);
        self.since(report);
        if verbose {
            self.holding(report);
            self.coverage(report);
        }
        self.not_decided(report);
        self.notes(report);
        self.blank();
    }

    fn head(&mut self, report: &Report) {
        let title = format!("cloakroom {} audited {}", super::VERSION, report.target);
        self.line(0, &title, Style::Bold);
        let took = span(report.ended.saturating_sub(report.begun));
        let asked = match report.requests {
            0 => "no request of its own".to_owned(),
            1 => format!("1 request in {took}"),
            several => format!("{several} requests in {took}"),
        };
        self.line(0, &format!("{}, {asked}", readable(report.begun)), Style::Faint);
        if let Some(why) = report.stopped() {
            self.wrapped(0, &format!("It is not complete: {why}"), Style::Of(Severity::Medium));
        }
    }

    /// The findings of a severity that count, rule by rule.
    fn severity(&mut self, report: &Report, severity: Severity, verbose: bool) {
        let found: Vec<&Reported> =
            report.counting().filter(|found| found.finding.severity == severity).collect();
        if found.is_empty() {
            return;
        }
        self.heading(
            &format!("{} ({})", severity.as_str().to_uppercase(), found.len()),
            Style::Of(severity),
        );
        let mut shown: Vec<&str> = Vec::new();
        for one in &found {
            if shown.contains(&one.rule.id) {
                continue;
            }
            shown.push(one.rule.id);
            self.blank();
            self.line(2, &format!("{}  {}", one.rule.id, one.rule.title), Style::Bold);
            if verbose {
                self.wrapped(DEEP, one.rule.why, Style::Plain);
            }
            for same in found.iter().filter(|other| other.rule.id == one.rule.id) {
                self.finding(same);
            }
            if verbose {
                self.remedies(one.rule);
            }
        }
    }

    fn finding(&mut self, found: &Reported) {
        let finding = &found.finding;
        let (subject, seen) = (&finding.subject, &finding.seen);
        let mut marks = vec![finding.confidence.as_str().to_owned()];
        marks.extend(found.change.map(|change| change.to_string()));
        let marks = marks.join(", ");
        self.wrapped(DEEP - 2, &format!("{subject}: {seen} ({marks})"), Style::Plain);
        self.wrapped(DEEP, &format!("expected: {}", finding.expected), Style::Plain);
        if let Some(standing) = found.standing.sentence() {
            self.wrapped(DEEP, &standing, Style::Of(Severity::Medium));
        }
        if let Some(proof) = finding.evidence.first() {
            self.line(DEEP, &format!("{} -> {}", proof.request, proof.status), Style::Faint);
            self.line(DEEP, &proof.seen, Style::Faint);
            self.line(DEEP, &format!("$ {}", proof.replay), Style::Faint);
        }
        self.line(DEEP, &format!("{}, {}", found.id, places(finding.places)), Style::Faint);
    }

    fn remedies(&mut self, rule: &Rule) {
        self.line(DEEP - 2, "How to mend it:", Style::Plain);
        for (framework, remedy) in rule.remedies.all() {
            self.wrapped(DEEP, &format!("{framework}: {remedy}"), Style::Plain);
        }
        self.wrapped(DEEP, &format!("Source: {}", rule.source), Style::Plain);
    }

    /// What is known or suppressed, a line each.
    fn set_aside(&mut self, report: &Report) {
        let aside: Vec<_> =
            report.findings.iter().filter(|found| !found.standing.counts()).collect();
        if aside.is_empty() {
            return;
        }
        self.heading(&format!("NOT COUNTED ({})", aside.len()), Style::Bold);
        for found in aside {
            let (severity, rule) = (found.finding.severity, found.rule.id);
            let subject = &found.finding.subject;
            let standing = found.standing.sentence().unwrap_or_default();
            self.wrapped(2, &format!("{severity} {rule} {subject}: {standing}"), Style::Plain);
        }
    }

    /// What became of the findings of the last audit.
    fn since(&mut self, report: &Report) {
        let Some(since) = &report.since else { return };
        self.heading(&format!("SINCE {}", readable_of(&since.ended)), Style::Bold);
        if let Some(other) = &since.other_target {
            let text = format!("The last report is about {other}: nothing can be compared");
            self.wrapped(2, &text, Style::Of(Severity::Medium));
        }
        self.wrapped(2, &since_sentence(report, since), Style::Plain);
        for (word, found, style) in
            [("gone", &since.gone, Style::Good), ("not known", &since.unknown, Style::Plain)]
        {
            for SavedFinding { rule, subject, severity, .. } in found {
                self.wrapped(2, &format!("{word}: {severity} {rule} {subject}"), style);
            }
        }
    }

    fn holding(&mut self, report: &Report) {
        self.heading(&format!("HOLDS ({})", report.tally().holds), Style::Good);
        for judged in &report.judged {
            if let Answer::Holds { looked_at } = &judged.answer {
                let (id, what) = (judged.rule.id, judged.rule.what);
                self.wrapped(2, &format!("{id}  {what} ({looked_at})"), Style::Plain);
            }
        }
    }

    fn coverage(&mut self, report: &Report) {
        self.heading("STANDARDS", Style::Bold);
        for row in coverage() {
            let answer = report.covers(row);
            let style = match answer {
                Coverage::Broken => Style::Of(Severity::High),
                Coverage::Holds => Style::Good,
                Coverage::Partly | Coverage::NotDecided | Coverage::NotTested => Style::Plain,
            };
            let (standard, id) = (row.standard.as_str(), row.id);
            self.wrapped(2, &format!("{standard} {id} {}: {}", answer.as_str(), row.text), style);
        }
    }

    fn not_decided(&mut self, report: &Report) {
        let reasons = report.not_decided();
        if reasons.is_empty() {
            return;
        }
        self.heading(&format!("NOT DECIDED ({})", report.tally().not_decided), Style::Bold);
        for (why, rules) in reasons {
            let ids: Vec<&str> = rules.iter().map(|rule| rule.id).collect();
            self.wrapped(2, &format!("{}: {why}", ids.join(", ")), Style::Plain);
        }
    }

    fn notes(&mut self, report: &Report) {
        if report.notes.is_empty() {
            return;
        }
        self.heading("NOTES", Style::Bold);
        for note in &report.notes {
            self.wrapped(2, note, Style::Plain);
        }
    }
}

fn end_style(report: &Report) -> Style {
    match (report.saw_something(), report.failing().map(|found| found.finding.severity).max()) {
        (false, _) => Style::Of(Severity::Medium),
        (true, Some(worst)) => Style::Of(worst),
        (true, None) => Style::Good,
    }
}

/// How many findings are new, still there, changed, gone.
pub(super) fn since_sentence(report: &Report, since: &Since) -> String {
    let count = |word| {
        let changes = report.findings.iter().filter_map(|found| found.change);
        changes.filter(|change| change.as_str() == word).count()
    };
    let same = count(Trend::Still.as_str());
    let (new, changed) = (count(Trend::New.as_str()), count("changed"));
    let (gone, unknown) = (since.gone.len(), since.unknown.len());
    format!(
        "{new} new, {same} still there, {changed} with another severity, {gone} gone, {unknown} not decided this time"
    )
}

/// The whole report in a sentence.
pub(super) fn verdict(report: &Report) -> String {
    if !report.saw_something() {
        return "nothing could be decided: no finding, and no proof of anything".to_owned();
    }
    let counts: Vec<String> = report
        .by_severity()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    let fails = match report.failing().count() {
        0 => format!("none at {} or worse", report.fail_on),
        count => format!("{count} at {} or worse", report.fail_on),
    };
    let found = match (report.counting().count(), report.findings.len()) {
        (0, 0) => "nothing was found".to_owned(),
        (0, aside) => format!("no finding counts, {aside} known or suppressed"),
        (1, _) => format!("1 finding: {} ({fails})", counts.join(", ")),
        (several, _) => format!("{several} findings: {} ({fails})", counts.join(", ")),
    };
    let tally = report.tally();
    format!(
        "{found}; of {} rules {} hold, {} are broken, {} are not decided",
        report.judged.len(),
        tally.holds,
        tally.broken,
        tally.not_decided
    )
}

/// In how many places something was seen.
pub(super) fn places(count: usize) -> String {
    match count {
        1 => "seen in 1 place".to_owned(),
        several => format!("seen in {several} places"),
    }
}

/// Lines of at most so many characters where words allow it.
pub(super) fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let fits = line.chars().count() + 1 + word.chars().count() <= width;
        if !line.is_empty() && !fits {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
