//! `cargo xtask fuzz`: random input for one parser, for a while.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process;
use crate::repository::Repository;

/// One target of the workspace in `fuzz`, and where its first inputs are.
#[derive(Debug)]
struct Target {
    name: &'static str,
    /// Folders of `testdata/fuzz`. Those in `found` hold what earlier runs found worth keeping, and
    /// are run by ordinary tests too.
    seeds: &'static [&'static str],
}

const TARGETS: [Target; 8] = [
    Target { name: "cookie_header", seeds: &["cookie_header", "found/cookie_header"] },
    Target { name: "ticket_request", seeds: &["ticket", "origin", "found/ticket_request"] },
    Target { name: "request_script", seeds: &["found/request_script"] },
    Target { name: "fields_json", seeds: &["fields", "found/fields_json"] },
    Target { name: "ops_apply", seeds: &["fields", "found/ops_apply"] },
    Target { name: "set_cookie", seeds: &["ticket", "found/set_cookie"] },
    Target { name: "browser_line", seeds: &["browser_line"] },
    Target { name: "curl_output", seeds: &["curl_output"] },
];

/// How long when nothing is said.
pub(crate) const SECONDS: u64 = 60;

/// Which parser, and for how many seconds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FuzzPlan {
    target: String,
    seconds: u64,
}

/// Reads the arguments after `fuzz`.
pub(crate) fn plan(given: &[String]) -> Result<FuzzPlan, String> {
    let (target, seconds) = match given {
        [target] => (target, SECONDS),
        [target, seconds] => match seconds.parse() {
            Ok(seconds) if seconds > 0 => (target, seconds),
            Ok(_) | Err(_) => return Err(format!("`{seconds}` is no number of seconds")),
        },
        [] => return Err(format!("fuzz needs a target: {}", names())),
        [_, _, third, ..] => return Err(format!("fuzz does not understand `{third}`")),
    };
    target_of(target)?;
    Ok(FuzzPlan { target: target.clone(), seconds })
}

/// Runs the target; an error if an input was found that breaks a promise, or if it cannot be run.
pub(crate) fn run(here: &Repository, plan: &FuzzPlan) -> Result<(), String> {
    let target = target_of(&plan.target)?;
    let folder = here.root.join("fuzz");
    if !process::answers(nightly(&["--version"], &folder).stdin(Stdio::null())) {
        return Err("there is no nightly toolchain: `rustup toolchain install nightly`".to_owned());
    }
    if !process::answers(&mut nightly(&["fuzz", "--version"], &folder)) {
        return Err("there is no cargo-fuzz: `cargo install cargo-fuzz`".to_owned());
    }
    let own = folder.join("corpus").join(target.name);
    fs::create_dir_all(&own).map_err(|error| format!("no folder for inputs: {error}"))?;
    let mut command = nightly(&["fuzz", "run", target.name], &folder);
    command.arg(own);
    command.args(target.seeds.iter().map(|seeds| here.root.join("testdata/fuzz").join(seeds)));
    command.args(["--", &format!("-max_total_time={}", plan.seconds), "-max_len=20000"]);
    match process::run(&mut command)? {
        true => Ok(()),
        false => Err(format!("`{}` broke; the input is in fuzz/artifacts", target.name)),
    }
}

/// The proxy of rustup chooses the toolchain: the cargo that started us has its own.
fn nightly(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.arg("+nightly").args(arguments).current_dir(folder).env_remove("RUSTUP_TOOLCHAIN");
    command
}

fn target_of(name: &str) -> Result<&'static Target, String> {
    let found = TARGETS.iter().find(|target| target.name == name);
    found.ok_or_else(|| format!("there is no target `{name}`, but {}", names()))
}

fn names() -> String {
    TARGETS.map(|target| target.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(line: &str) -> Result<FuzzPlan, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        plan(&words)
    }

    #[test]
    fn a_target_runs_for_a_minute_or_as_long_as_is_said() {
        let of = |seconds| Ok(FuzzPlan { target: "set_cookie".to_owned(), seconds });

        assert_eq!(planned("set_cookie"), of(60));
        assert_eq!(planned("set_cookie 5"), of(5));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, named) in [
            ("", "cookie_header"),
            ("set_cookies", "set_cookies"),
            ("set_cookie 0", "seconds"),
            ("set_cookie soon", "soon"),
            ("set_cookie 5 6", "6"),
        ] {
            assert!(planned(line).is_err_and(|text| text.contains(named)), "{line}");
        }
    }

    #[test]
    fn every_target_is_in_the_manifest_and_has_seeds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();

        for target in &TARGETS {
            assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{target:?}");
            for seeds in target.seeds {
                assert!(root.join("testdata/fuzz").join(seeds).is_dir(), "{target:?}");
            }
        }
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    }
}
