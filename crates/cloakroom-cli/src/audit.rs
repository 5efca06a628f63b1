//! `cloakroom audit`.

mod init;
mod live;
mod login;
mod progress;
mod recorded;
mod reports;
mod state;
mod stop;
mod waiting;

use crate::explain::explain;
use crate::outcome::{CODES, Outcome};
use cloakroom_audit::{Declared, Facts, Observed, Report};
use reports::{Reports, Wanted, print};
use std::path::PathBuf;

/// What `cloakroom audit` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = CODES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["url", "har", "curl", "explain"])))]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
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
    #[command(flatten)]
    waiting: waiting::Waiting,
    /// A cookie that is a session, where its name does not tell. May be given several times.
    #[arg(long, value_name = "NAME")]
    session_cookie: Vec<String>,
    /// A cookie that the site cannot do without, so that nobody need agree to it. May be given several times.
    #[arg(long, value_name = "NAME")]
    necessary: Vec<String>,
    #[command(flatten)]
    wanted: Wanted,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// Writes a first login script by looking at the site's forms.
    Init(Box<init::Arguments>),
}

/// Runs it.
///
/// # Errors
///
/// A sentence if what was given cannot be used.
pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, String> {
    if let Some(Task::Init(arguments)) = &arguments.task {
        return init::run(arguments);
    }
    if let Some(id) = &arguments.explain {
        print(&explain(id)?)?;
        return Ok(Outcome::Done);
    }
    // A file that cannot be read is told before anybody is asked anything.
    let reports = Reports::read(&arguments.wanted)?;
    let declared = arguments.declared();
    let seen = match (&arguments.har, &arguments.curl, &arguments.url) {
        (Some(file), _, _) => recorded::har(file, declared)?,
        (None, Some(file), url) => recorded::curl(file, url.as_deref(), declared)?,
        (None, None, Some(url)) => {
            let quiet = arguments.wanted.is_quiet();
            live::ask(url, &arguments.asking, &arguments.waiting, declared, quiet)?
        }
        (None, None, None) => {
            return Err("give the address of a site, or a recording".to_owned());
        }
    };
    let report = reports.write(&seen)?;
    Ok(outcome(&report, seen.by_hand))
}

/// What was seen, and how that came about.
#[derive(Debug)]
struct Seen {
    observed: Observed,
    facts: Facts,
    /// Whether a person ended it.
    by_hand: bool,
}

impl Arguments {
    fn declared(&self) -> Declared {
        Declared { sessions: self.session_cookie.clone(), necessary: self.necessary.clone() }
    }
}

fn outcome(report: &Report, by_hand: bool) -> Outcome {
    if by_hand {
        Outcome::Interrupted
    } else if report.failing().next().is_some() {
        Outcome::Findings
    } else if report.stopped().is_some() || !report.saw_something() {
        Outcome::Unfinished
    } else {
        Outcome::Done
    }
}
