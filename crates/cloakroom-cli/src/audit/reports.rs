//! What becomes of an audit's report: the terminal, files, and the reports of earlier audits.

use super::Seen;
use crate::{clock, input};
use cloakroom_audit::{Detail, Format, Look, Report, Saved, Severity, Suppressions};
use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

/// Columns where nobody says how many there are.
const COLUMNS: usize = 100;

/// Which reports are wanted.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// What is printed: terminal, json, sarif, junit, html or markdown.
    #[arg(long, value_name = "FORMAT", default_value = "terminal", value_parser = format)]
    format: Format,
    /// Writes a report to a file as well: html=report.html, for example. May be given several times.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = file)]
    save: Vec<(Format, PathBuf)>,
    /// A report in JSON whose findings are known: they are shown, and do not count.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// A report in JSON of the last audit: tells what is new and what is gone.
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// A file in TOML of findings that are put off, each with a reason and a day.
    #[arg(long, value_name = "FILE")]
    suppressions: Option<PathBuf>,
    /// The least severity that makes the command end with 1: info, low, medium, high or critical.
    #[arg(long, value_name = "SEVERITY", default_value = "medium", value_parser = severity)]
    fail_on: Severity,
    /// Prints a line for each finding, and shows no progress.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Prints also why it matters, how to mend it, and what holds.
    #[arg(short, long)]
    verbose: bool,
}

impl Wanted {
    pub(super) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    const fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (false, true) => Detail::Verbose,
            (false, false) => Detail::Normal,
        }
    }
}

/// The same with the files that it names.
pub(super) struct Reports<'w> {
    wanted: &'w Wanted,
    baseline: Option<Saved>,
    last: Option<Saved>,
    suppressions: Option<Suppressions>,
}

impl<'w> Reports<'w> {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// A sentence with the file that cannot be used.
    pub(super) fn read(wanted: &'w Wanted) -> Result<Self, String> {
        wanted.save.iter().try_for_each(|(_, path)| can_be_saved(path))?;
        let suppressions = wanted.suppressions.as_deref().map(|path| {
            let text = text_of(path)?;
            Suppressions::read(&text).map_err(|error| format!("{}: {error}", path.display()))
        });
        Ok(Self {
            wanted,
            baseline: wanted.baseline.as_deref().map(saved).transpose()?,
            last: wanted.since.as_deref().map(saved).transpose()?,
            suppressions: suppressions.transpose()?,
        })
    }

    /// Judges what was seen, prints, and writes the files.
    ///
    /// # Errors
    ///
    /// A sentence with the file that cannot be written. Everything else is written nevertheless.
    pub(super) fn write(&self, seen: &Seen) -> Result<Report, String> {
        let report = self.report(seen);
        let mut problems: Vec<String> = Vec::new();
        for (format, path) in &self.wanted.save {
            let text = report.write(*format, &Look::default());
            if let Err(error) = fs::write(path, text) {
                problems.push(format!("{} cannot be written: {error}", path.display()));
            }
        }
        problems.extend(print(&report.write(self.wanted.format, &self.look())).err());
        if problems.is_empty() { Ok(report) } else { Err(problems.join("; ")) }
    }

    fn report(&self, seen: &Seen) -> Report {
        let mut report =
            Report::new(&seen.observed, seen.facts.clone()).fail_on(self.wanted.fail_on);
        if let Some(baseline) = &self.baseline {
            report = report.with_baseline(baseline);
        }
        if let Some(suppressions) = &self.suppressions {
            report = report.with_suppressions(suppressions, clock::now().as_secs());
        }
        match &self.last {
            Some(last) => report.since(last),
            None => report,
        }
    }

    fn look(&self) -> Look {
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = columns.unwrap_or(COLUMNS);
        Look { colour: has_colours(), width, detail: self.wanted.detail() }
    }
}

/// Prints; whoever reads the first lines only has what they wanted.
///
/// # Errors
///
/// A sentence if it cannot be written.
pub(super) fn print(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| format!("the report cannot be printed: {error}")),
    }
}

/// On a terminal that knows them, unless `NO_COLOR` says otherwise.
fn has_colours() -> bool {
    let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    !is_refused && !is_dumb && std::io::stdout().is_terminal()
}

/// An audit may take hours, and its report should have somewhere to go.
fn can_be_saved(path: &Path) -> Result<(), String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if path.is_dir() {
        return Err(format!("{} cannot be written: it is a folder", path.display()));
    }
    match folder {
        Some(folder) if !folder.is_dir() => Err(format!(
            "{} cannot be written: there is no folder {}",
            path.display(),
            folder.display()
        )),
        Some(_) | None => Ok(()),
    }
}

fn saved(path: &Path) -> Result<Saved, String> {
    let text = text_of(path)?;
    Saved::read(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn text_of(path: &Path) -> Result<String, String> {
    input::file(path).map(|octets| String::from_utf8_lossy(&octets).into_owned())
}

fn format(text: &str) -> Result<Format, String> {
    let unknown = || {
        let known = Format::ALL.map(Format::as_str).join(", ");
        format!("{text:?} is none of {known}")
    };
    Format::from_name(text).ok_or_else(unknown)
}

fn file(text: &str) -> Result<(Format, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("write it as FORMAT=FILE")?;
    if path.is_empty() {
        return Err("no file is named".to_owned());
    }
    Ok((format(name)?, PathBuf::from(path)))
}

fn severity(text: &str) -> Result<Severity, String> {
    let unknown = || {
        let known = Severity::ALL.map(Severity::as_str).join(", ");
        format!("{text:?} is none of {known}")
    };
    Severity::from_name(text).ok_or_else(unknown)
}
