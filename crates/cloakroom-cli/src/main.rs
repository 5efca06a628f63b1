//! The `cloakroom` command: what is wrong with the cookies and sessions of a site.
//!
//! Arguments come in here and text goes out; what is in between is `cloakroom-audit`.

mod audit;
mod client;
mod clock;
mod doctor;
mod driver;
mod explain;
mod input;
mod outcome;

use clap::{Parser, Subcommand};
use outcome::Outcome;
use std::io::Write as _;
use std::process::ExitCode;

/// Audits the cookies and sessions of any site.
#[derive(Debug, Parser)]
#[command(name = "cloakroom", version, after_help = outcome::CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Finds what is wrong with a site's cookies and sessions.
    Audit(Box<audit::Arguments>),
    /// Tells what each browser does with a cookie, and why.
    Doctor(doctor::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
    };
    match outcome {
        Ok(outcome) => outcome.code(),
        Err(message) => {
            // Where even this cannot be written, nobody is left to tell.
            let _ = writeln!(std::io::stderr(), "error: {message}");
            Outcome::BadInput.code()
        }
    }
}
