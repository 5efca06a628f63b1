//! `cloakroom audit`.

use crate::explain::explain;
use crate::outcome::Outcome;
use std::io::Write as _;

/// What `cloakroom audit` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Tells what a rule demands, why, how it is tested and how to mend it: C01, for example.
    #[arg(long, value_name = "RULE", required = true)]
    explain: Option<String>,
}

/// Runs it.
///
/// # Errors
///
/// A sentence if what was given cannot be used.
pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, String> {
    if let Some(id) = &arguments.explain {
        let text = explain(id)?;
        std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    }
    Ok(Outcome::Done)
}
