//! `cloakroom audit`.

mod live;
mod progress;
mod recorded;
mod stop;
mod terminal;

use crate::explain::explain;
use crate::outcome::Outcome;
use cloakroom_audit::{Audit, Declared, Severity};
use std::io::Write as _;
use std::path::PathBuf;

/// What `cloakroom audit` takes.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["url", "har", "curl", "explain"])))]
pub(crate) struct Arguments {
    /// The site: an address of its start page. Only its own origin is asked.
    #[arg(conflicts_with_all = ["har", "explain"])]
    url: Option<String>,
    /// Reads a recording of a browser instead of asking a site.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["curl", "explain"])]
    har: Option<PathBuf>,
    /// Reads what `curl -i` or `curl -v` printed instead of asking a site; `-` is the standard input. For
    /// `curl -i` the address says what was asked.
    #[arg(long, value_name = "FILE", conflicts_with = "explain")]
    curl: Option<PathBuf>,
    /// Tells what a rule demands, why, how it is tested and how to mend it: C01, for example.
    #[arg(long, value_name = "RULE")]
    explain: Option<String>,
    #[command(flatten)]
    asking: live::Asking,
    /// A cookie that is a session, where its name does not tell. May be given several times.
    #[arg(long, value_name = "NAME")]
    session_cookie: Vec<String>,
    /// A cookie that the site cannot do without, so that nobody need agree to it. May be given several times.
    #[arg(long, value_name = "NAME")]
    necessary: Vec<String>,
    /// The least severity that makes the command end with 1: info, low, medium, high or critical.
    #[arg(long, value_name = "SEVERITY", default_value = "medium", value_parser = severity)]
    fail_on: Severity,
    /// Prints findings alone.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Prints what held, what was not decided and why, and what was not visited.
    #[arg(short, long)]
    verbose: bool,
}

/// Runs it.
///
/// # Errors
///
/// A sentence if what was given cannot be used.
pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, String> {
    if let Some(id) = &arguments.explain {
        print(&explain(id)?)?;
        return Ok(Outcome::Done);
    }
    let declared = arguments.declared();
    let seen = match (&arguments.har, &arguments.curl, &arguments.url) {
        (Some(file), _, _) => recorded::har(file, declared)?,
        (None, Some(file), url) => recorded::curl(file, url.as_deref(), declared)?,
        (None, None, Some(url)) => live::ask(url, &arguments.asking, declared, arguments.quiet)?,
        (None, None, None) => {
            return Err("give the address of a site, or a recording".to_owned());
        }
    };
    print(&terminal::report(&seen, arguments.detail()))?;
    Ok(outcome(&seen, arguments.fail_on))
}

/// What was seen, and how that came about.
#[derive(Debug)]
struct Seen {
    audit: Audit,
    /// Sentences about what was done.
    done: Vec<String>,
    /// Sentences about what was not, for those who want to know.
    left: Vec<String>,
    /// Why it ended before its end.
    stopped: Option<Stopped>,
}

#[derive(Debug)]
struct Stopped {
    why: String,
    by_hand: bool,
}

/// How much a person wants to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    Findings,
    Usual,
    Everything,
}

impl Arguments {
    fn declared(&self) -> Declared {
        Declared { sessions: self.session_cookie.clone(), necessary: self.necessary.clone() }
    }

    const fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Findings,
            (false, true) => Detail::Everything,
            (false, false) => Detail::Usual,
        }
    }
}

fn outcome(seen: &Seen, fail_on: Severity) -> Outcome {
    let is_broken = seen.audit.worst().is_some_and(|worst| worst >= fail_on);
    match &seen.stopped {
        Some(Stopped { by_hand: true, .. }) => Outcome::Interrupted,
        Some(_) | None if is_broken => Outcome::Findings,
        Some(_) => Outcome::Unfinished,
        None => Outcome::Done,
    }
}

fn print(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads the first lines only has what they wanted.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| format!("the report cannot be written: {error}")),
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    let unknown = || format!("{text:?} is none of info, low, medium, high and critical");
    Severity::from_name(text).ok_or_else(unknown)
}
