//! The report for whoever sits in front of a terminal.

use super::{Detail, Seen};
use cloakroom_audit::{Answer, Finding, Rule, Severity};
use std::fmt::Write as _;
use std::io::IsTerminal as _;

/// The report as text.
pub(super) fn report(seen: &Seen, detail: Detail) -> String {
    let ink = Ink::of_the_terminal();
    let mut text = String::new();
    if detail > Detail::Findings {
        seen.done.iter().for_each(|line| push(&mut text, line));
        push(&mut text, &cookies(seen));
        text.push('\n');
    }
    if let Some(stopped) = &seen.stopped {
        push(&mut text, &format!("{} {}\n", ink.bold("Not finished:"), stopped.why));
    }
    let findings = seen.audit.findings();
    for severity in Severity::ALL {
        let of_it = findings.iter().filter(|(_, finding)| finding.severity == severity);
        let of_it: Vec<_> = of_it.collect();
        if !of_it.is_empty() {
            push(&mut text, &ink.severity(severity));
            of_it.iter().for_each(|(rule, finding)| one(&mut text, ink, rule, finding));
        }
    }
    if detail > Detail::Findings {
        others(&mut text, seen, detail);
        push(&mut text, &summary(seen));
    }
    text
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn cookies(seen: &Seen) -> String {
    let names = seen.audit.observed.cookie_names();
    match names.as_slice() {
        [] => "no cookies".to_owned(),
        names => format!("cookies: {}", names.join(", ")),
    }
}

fn one(text: &mut String, ink: Ink, rule: &Rule, finding: &Finding) {
    let Finding { subject, seen, expected, confidence, places, .. } = finding;
    let _ = writeln!(text, "  {} {}", ink.bold(rule.id), rule.title);
    let places = if *places == 1 { String::new() } else { format!(", {places} places") };
    let _ = writeln!(text, "    {subject}: {seen} ({}{places})", confidence.as_str());
    let _ = writeln!(text, "    expected: {expected}");
    if let Some(evidence) = finding.evidence.first() {
        let _ = writeln!(text, "    {} -> {}", evidence.request, evidence.status);
        let _ = writeln!(text, "    {}", evidence.seen);
        let _ = writeln!(text, "    again: {}", evidence.replay);
    }
    text.push('\n');
}

/// What is no finding.
fn others(text: &mut String, seen: &Seen, detail: Detail) {
    if detail < Detail::Everything {
        return;
    }
    for (rule, answer) in &seen.audit.answers {
        match answer {
            Answer::Holds { looked_at } => {
                let _ = writeln!(text, "holds        {} {} ({looked_at})", rule.id, rule.title);
            }
            Answer::NotDecided { why } => {
                let _ = writeln!(text, "not decided  {} {}: {why}", rule.id, rule.title);
            }
            Answer::Broken(_) => {}
        }
    }
    text.push('\n');
    seen.left.iter().for_each(|line| push(text, line));
    if !seen.left.is_empty() {
        text.push('\n');
    }
}

fn summary(seen: &Seen) -> String {
    let findings = seen.audit.findings();
    let counted = Severity::ALL.into_iter().filter_map(|severity| {
        let count = findings.iter().filter(|(_, finding)| finding.severity == severity).count();
        (count > 0).then(|| format!("{count} {severity}"))
    });
    let counted: Vec<String> = counted.collect();
    let found = if counted.is_empty() { "nothing found".to_owned() } else { counted.join(", ") };
    let answered = |wanted: &str| {
        seen.audit.answers.iter().filter(|(_, answer)| answer.as_str() == wanted).count()
    };
    let (holds, undecided) = (answered("holds"), answered("not decided"));
    format!("{found}; {holds} rules hold, {undecided} are not decided (-v says why)")
}

/// Colours, where they can be seen.
#[derive(Clone, Copy)]
struct Ink {
    is_on: bool,
}

impl Ink {
    /// On for a terminal, unless `NO_COLOR` says otherwise.
    fn of_the_terminal() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self { is_on: !refused && !dumb && std::io::stdout().is_terminal() }
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn severity(self, severity: Severity) -> String {
        let code = match severity {
            Severity::Critical => "1;97;41",
            Severity::High => "1;31",
            Severity::Medium => "1;33",
            Severity::Low => "1;36",
            Severity::Info => "1",
        };
        self.with(code, &severity.as_str().to_uppercase())
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.is_on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
