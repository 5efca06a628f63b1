//! Every developer command of cloakroom: `cargo xtask help` lists them.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command's answer is what it prints; nothing links against this program"
)]

mod arguments;
mod check;
mod faults;
mod fuzz;
mod mutants;
mod packages;
mod process;
mod repository;
mod test;

use std::process::ExitCode;

use arguments::Action;
use repository::Repository;

/// Wrong arguments are told apart from work that failed.
const WRONG_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    match arguments::parse(&given) {
        Ok(Action::Help) => {
            print!("{}", arguments::help());
            ExitCode::SUCCESS
        }
        Ok(Action::Test(plan)) => {
            finish(Repository::find().and_then(|here| test::run(&here, &plan)))
        }
        Ok(Action::Check(chosen)) => {
            finish(Repository::find().and_then(|here| check::run(&here, &chosen)))
        }
        Ok(Action::Mutants(plan)) => {
            finish(Repository::find().and_then(|here| mutants::run(&here, &plan)))
        }
        Ok(Action::Fuzz(plan)) => {
            finish(Repository::find().and_then(|here| fuzz::run(&here, &plan)))
        }
        Ok(Action::Faults(plan)) => {
            finish(Repository::find().and_then(|here| faults::run(&here, &plan)))
        }
        Ok(Action::Laws { check }) => {
            finish(Repository::find().and_then(|here| mutants::laws::run(&here, check)))
        }
        Err(mistake) => {
            eprintln!("{mistake}\n\n{}", arguments::help());
            ExitCode::from(WRONG_ARGUMENTS)
        }
    }
}

fn finish(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}
