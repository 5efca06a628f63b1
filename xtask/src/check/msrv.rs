//! The oldest Rust that the manifests promise.

use std::process::Command;

use super::Verdict;
use crate::process;
use crate::repository::{Package, Repository};

/// Compiles the workspace with the promised Rust, where that toolchain is installed.
pub(super) fn run(here: &Repository) -> Result<Verdict, String> {
    let version = promised(&here.members()?.packages)?;
    let installed = process::read(Command::new("rustup").args(["toolchain", "list"]));
    let Some(toolchain) =
        installed.ok().as_deref().and_then(|list| matching(list, &version)).map(str::to_owned)
    else {
        let why = format!(
            "toolchain {version} is not installed; the row `clippy`, with its incompatible_msrv lint, stands in for it"
        );
        return Ok(Verdict::NotRun(why));
    };
    let mut command = Command::new("rustup");
    command.args(["run", &toolchain, "cargo", "check", "--workspace"]).current_dir(&here.root);
    process::run(&mut command).map(Verdict::from_success)
}

/// The one version that all crates of the workspace promise.
fn promised(members: &[Package]) -> Result<String, String> {
    let mut versions: Vec<&str> = Vec::new();
    for member in members {
        let version = member.rust_version.as_deref();
        versions.push(version.ok_or_else(|| format!("{} promises no rust-version", member.name))?);
    }
    versions.sort_unstable();
    versions.dedup();
    match versions.as_slice() {
        [one] => Ok((*one).to_owned()),
        several => Err(format!("the crates promise different versions: {}", several.join(", "))),
    }
}

/// The first toolchain of rustup's list that is of this version.
fn matching<'a>(list: &'a str, version: &str) -> Option<&'a str> {
    list.lines().filter_map(|line| line.split_whitespace().next()).find(|name| {
        name.strip_prefix(version)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_toolchain_of_the_same_minor_version_matches() {
        let list =
            "stable-x86_64-unknown-linux-gnu (active, default)\n1.8.0-x86_64\n1.89.0-x86_64\n";

        assert_eq!(matching(list, "1.89"), Some("1.89.0-x86_64"));
        assert_eq!(matching(list, "1.88"), None);
        assert_eq!(matching(list, "1.8"), Some("1.8.0-x86_64"));
    }
}
