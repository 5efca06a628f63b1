//! What was found, for people: 80 columns.

use super::case::{Case, Kind, Problem};
use super::diagnosis::{Diagnosis, Fate, Findings, LINES_MOST, Why};
use super::json::outcome;
use cloakroom_audit::masked_line;
use cloakroom_cookie::browser::{Family, Outcome, StoredCookie};
use std::fmt::Write as _;

/// The last column that is written to.
const WIDTH: usize = 80;

pub(super) fn write(problem: &Problem, findings: &Findings) -> String {
    let mut text = String::new();
    if let Some(words) = nothing(problem) {
        wrapped(&mut text, "", &words, 0);
        return text;
    }
    if let Some(responses) = problem.responses {
        let _ = writeln!(text, "{responses} responses, {} Set-Cookie lines.", problem.cases.len());
    }
    // Of a recording, only what needs a word gets one; a line that was asked about always does.
    let is_shown = |found: &&Diagnosis| {
        problem.responses.is_none() || problem.only.is_some() || !found.is_well()
    };
    let shown: Vec<_> = findings.cookies.iter().filter(is_shown).collect();
    let well: Vec<_> = findings.cookies.iter().filter(|found| !is_shown(found)).collect();
    for (index, found) in shown.iter().enumerate() {
        if index > 0 || problem.responses.is_some() {
            text.push('\n');
        }
        one(&mut text, found);
    }
    remarks(&mut text, &well, findings);
    text
}

fn remarks(text: &mut String, well: &[&Diagnosis], findings: &Findings) {
    if !well.is_empty() {
        let mut names: Vec<_> = well.iter().map(|found| named(&found.case)).collect();
        names.dedup();
        let words = format!(
            "Every browser keeps these as they are written: {}. `--cookie NAME` tells when one of \
             them is sent.",
            names.join(", ")
        );
        text.push('\n');
        wrapped(text, "", &words, 0);
    }
    if findings.repeated > 0 {
        let _ = writeln!(text, "\n{} lines repeat others of the same page.", findings.repeated);
    }
    if findings.left_out > 0 {
        let left = findings.left_out;
        let words =
            format!("{left} lines were left out: {LINES_MOST} are looked at. Try `--cookie NAME`.");
        let _ = writeln!(text, "\n{words}");
    }
}

/// What to say where no line is left to look at.
fn nothing(problem: &Problem) -> Option<String> {
    if !problem.cases.is_empty() {
        return None;
    }
    let responses = problem.responses.unwrap_or_default();
    Some(match &problem.only {
        Some((name, others)) if !others.is_empty() => {
            let others: Vec<_> = others.iter().map(|name| shown_name(name)).collect();
            let (name, others) = (shown_name(name), others.join(", "));
            format!("No line sets a cookie named {name}. These are set: {others}.")
        }
        Some(_) | None => format!(
            "None of the {responses} responses has a Set-Cookie line: no browser can have refused it, \
             since the server did not send it. Look whether the program gets to the place that sets \
             the cookie, and whether a proxy or a cache drops the line."
        ),
    })
}

fn named(case: &Case) -> String {
    shown_name(&case.name())
}

/// A name of a server, without what a terminal would take for its own.
fn shown_name(name: &str) -> String {
    if name.is_empty() {
        return "(no name)".to_owned();
    }
    let shown = name.chars().take(80);
    shown.map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '.' }).collect()
}

fn one(text: &mut String, found: &Diagnosis) {
    wrapped(text, "", &heading(&found.case), 2);
    wrapped(text, "  ", &format!("Set-Cookie: {}", masked_line(&found.case.line)), 4);
    text.push('\n');
    for fate in &found.families {
        let begin = format!("  {:<14}", fate.family.as_str());
        wrapped(text, &begin, &fate_in_words(fate), begin.len());
    }
    reasons(text, found);
    if found.families.iter().any(|fate| fate.verdict.is_stored()) {
        deliveries(text, found);
    }
}

fn heading(case: &Case) -> String {
    let origin = &case.origin;
    let how = match (origin.kind, &origin.from) {
        (Kind::Script, None) => "set by a script".to_owned(),
        (Kind::Script, Some(from)) => format!("set by a script in a frame on {from}"),
        (Kind::Navigation, None) => format!("{} by its user", origin.method),
        (Kind::Navigation, Some(from)) => format!("{} by a link or form on {from}", origin.method),
        (Kind::Embedded, Some(from)) => format!("{} embedded in {from}", origin.method),
        (Kind::Fetch, Some(from)) => format!("{} by fetch() on {from}", origin.method),
        (Kind::FetchInclude, Some(from)) => {
            format!("{} by fetch() with credentials on {from}", origin.method)
        }
        (Kind::Embedded | Kind::Fetch | Kind::FetchInclude, None) => origin.method.clone(),
    };
    format!("{} from {} ({how})", named(case), case.shown)
}

fn fate_in_words(fate: &Fate) -> String {
    let word = outcome(fate.verdict.outcome());
    match fate.verdict.cookie().filter(|_| fate.verdict.is_stored()) {
        Some(cookie) => format!("{word}: {}", stored(cookie, fate.at)),
        None if fate.verdict.outcome() == Outcome::Deleted => "deletes the cookie".to_owned(),
        None => word.to_owned(),
    }
}

/// `shop.example alone, path /, for 30 days, Secure`.
fn stored(cookie: &StoredCookie, now: u64) -> String {
    let host = match cookie.is_host_only() {
        true => format!("{} alone", cookie.domain()),
        false => format!("{} and below", cookie.domain()),
    };
    let path = String::from_utf8_lossy(cookie.path()).into_owned();
    let mut parts = vec![host, format!("path {}", shown_name(&path))];
    parts.push(match cookie.expires() {
        Some(end) => format!("for {}", lasting(end.saturating_sub(now))),
        None => "until the browser is closed".to_owned(),
    });
    let marks = [(cookie.is_secure(), "Secure"), (cookie.is_http_only(), "HttpOnly")];
    parts.extend(marks.iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| (*mark).to_owned()));
    parts.extend(cookie.same_site().map(|same_site| format!("SameSite={}", same_site.as_str())));
    if let Some(partition) = cookie.partition() {
        parts.push(format!("kept apart for {}", partition.site()));
    }
    parts.join(", ")
}

/// The largest unit of which there are two at least.
fn lasting(seconds: u64) -> String {
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let found = units.iter().find(|(unit, _)| seconds >= 2 * unit);
    match found {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => format!("{seconds} seconds"),
    }
}

fn reasons(text: &mut String, found: &Diagnosis) {
    let mut all: Vec<_> =
        found.families.iter().flat_map(|fate| fate.verdict.reasons()).copied().collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return;
    }
    text.push_str("\n  Why\n");
    for reason in all {
        let has = |fate: &&Fate| fate.verdict.reasons().contains(&reason);
        let families: Vec<_> =
            found.families.iter().filter(has).map(|fate| fate.family.as_str()).collect();
        let who = match families.len() == Family::ALL.len() {
            true => "everywhere".to_owned(),
            false => families.join(", "),
        };
        let why = Why::Browser(reason);
        wrapped(text, "    ", &format!("{} ({who})", why.sentence()), 4);
        wrapped(text, "      remedy: ", why.remedy(), 14);
        wrapped(text, "      source: ", &source(why), 14);
    }
}

fn source(why: Why) -> String {
    match why.devtools() {
        Some(name) => format!("{}; Chromium's tools say {name}", why.source()),
        None => why.source().to_owned(),
    }
}

/// Each situation in a row, with numbers for the reasons below.
fn deliveries(text: &mut String, found: &Diagnosis) {
    let mut notes: Vec<Why> = Vec::new();
    let _ = writeln!(text, "\n  {:<39}standard Chromium Firefox  Safari", "Is it sent?");
    let rows = rows(found);
    for (label, cells) in rows {
        let _ = write!(text, "    {label:<37}");
        let cells: Vec<_> = cells.iter().map(|cell| noted(*cell, &mut notes)).collect();
        let line: String = cells.iter().map(|cell| format!("{cell:<9}")).collect();
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for (index, why) in notes.iter().enumerate() {
        let begin = format!("  {:>3}  ", index + 1);
        let words = format!("{}: {} ({})", why.sentence(), why.remedy(), why.source());
        wrapped(text, &begin, &words, 7);
    }
}

type Row<'f> = (&'f str, Vec<Option<&'f [Why]>>);

/// A row that says nothing new about the two minutes after a cookie was set is left out.
fn rows(found: &Diagnosis) -> Vec<Row<'_>> {
    let mut rows: Vec<(&str, Row<'_>)> = Vec::new();
    for (index, situation) in found.situations.iter().enumerate() {
        let cells: Vec<_> =
            found.families.iter().map(|fate| fate.sent.get(index).map(Vec::as_slice)).collect();
        let before = rows.last();
        let is_same = before.is_some_and(|(_, (_, before))| *before == cells);
        if situation.code != "cross-site-form-later" || !is_same {
            rows.push((situation.code, (situation.label, cells)));
        }
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

fn noted(cell: Option<&[Why]>, notes: &mut Vec<Why>) -> String {
    let Some(withheld) = cell else { return "-".to_owned() };
    if withheld.is_empty() {
        return "yes".to_owned();
    }
    let numbers: Vec<_> = withheld.iter().map(|why| number(*why, notes).to_string()).collect();
    let shown = numbers.iter().take(2).cloned().collect::<Vec<_>>().join(",");
    let more = if numbers.len() > 2 { "+" } else { "" };
    format!("no {shown}{more}")
}

fn number(why: Why, notes: &mut Vec<Why>) -> usize {
    if let Some(known) = notes.iter().position(|note| *note == why) {
        return known + 1;
    }
    notes.push(why);
    notes.len()
}

/// Words behind `begin`, in lines that stand below each other at `indent`.
fn wrapped(text: &mut String, begin: &str, words: &str, indent: usize) {
    let mut line = begin.to_owned();
    let mut is_empty = true;
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        if !is_empty && line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = " ".repeat(indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

#[cfg(test)]
mod tests;
