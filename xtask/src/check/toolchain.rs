//! The checks that the Rust toolchain brings: format, lints, documentation.

use super::Verdict;
use crate::process;
use crate::repository::Repository;

/// `cargo fmt` finds nothing to change.
pub(super) fn fmt(here: &Repository) -> Result<Verdict, String> {
    component(here, "fmt", "rustfmt", &["fmt", "--all", "--check"])
}

/// clippy and rustc find nothing, in tests neither.
pub(super) fn clippy(here: &Repository) -> Result<Verdict, String> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    component(here, "clippy", "clippy", &arguments)
}

/// The documentation builds without a warning, such as a link that leads nowhere.
pub(super) fn docs(here: &Repository) -> Result<Verdict, String> {
    let mut command = process::cargo(&["doc", "--workspace", "--no-deps"], &here.root);
    process::run(command.env("RUSTDOCFLAGS", "-D warnings")).map(Verdict::from_success)
}

fn component(
    here: &Repository,
    subcommand: &str,
    component: &str,
    arguments: &[&str],
) -> Result<Verdict, String> {
    if !process::answers(&mut process::cargo(&[subcommand, "--version"], &here.root)) {
        let why =
            format!("{component} is not installed; `rustup component add {component}` adds it");
        return Ok(Verdict::NotRun(why));
    }
    process::run(&mut process::cargo(arguments, &here.root)).map(Verdict::from_success)
}
