//! `cargo xtask test`: every test of the workspace.

mod tally;

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::arguments::TestPlan;
use crate::repository::Repository;
use crate::{packages, process};
use tally::{Runner, Tally};

/// What cargo-nextest ends with when the tests did not even build.
const NEXTEST_BUILD_FAILED: i32 = 101;

/// Optimised, and with every assertion that ordinary test builds have.
const LONG_PROFILE: &str = "long";

/// Its hundreds of tests share a cluster of six servers within one process, and nextest would start
/// one for each test.
const SHARING: &str = "cloakroom-redis";

/// So do the scripted requests on each of these engines, in the crate `cloakroom`: they are run with
/// the features of the whole workspace.
const SHARING_TESTS: [&str; 6] =
    ["--test", "requests_redis", "--test", "requests_redis_cluster", "--test", "requests_postgres"];
const ALL_BUT_THEM: &str = "not binary(=requests_redis) and not \
    binary(=requests_redis_cluster) and not binary(=requests_postgres)";

/// How long output may still trickle in after its runner has ended.
const PATIENCE: Duration = Duration::from_secs(3);

/// The tests that try orders of a store's own steps. They take locks that let them choose who goes
/// on, so they are a build of their own.
const SCHEDULES: [&str; 6] =
    ["test", "--package", "cloakroom-memory", "--lib", "--no-fail-fast", "schedules::"];
const SCHEDULES_FLAG: &str = "--cfg shuttle";

/// Runs all tests that the plan asks for; an error when anything is missing or fails.
pub(crate) fn run(here: &Repository, plan: &TestPlan) -> Result<(), String> {
    packages::ensure(here, plan)?;
    let mut outcomes =
        if process::answers(&mut process::cargo(&["nextest", "--version"], &here.root)) {
            with_nextest(here, plan)?
        } else {
            println!("cargo-nextest: not installed, so cargo's own runner is used");
            let arguments = ["test", "--workspace", "--no-fail-fast"];
            vec![observe(Runner::Cargo, &mut command(here, plan, &arguments))?]
        };
    if wants_schedules(plan) {
        outcomes.push(observe(Runner::Cargo, &mut schedules(here, plan))?);
    }
    if let Some(total) = outcomes.iter().map(|outcome| outcome.tally).sum::<Option<Tally>>() {
        println!("{total}");
    }
    match outcomes.iter().all(|outcome| outcome.code == Some(0)) {
        true => Ok(()),
        false => Err("the tests failed".to_owned()),
    }
}

/// How one runner ended.
struct Outcome {
    code: Option<i32>,
    /// `None` when the runner said nothing that could be counted, or spoke to the terminal directly.
    tally: Option<Tally>,
}

/// nextest knows no doc tests, so cargo runs those.
fn with_nextest(here: &Repository, plan: &TestPlan) -> Result<Vec<Outcome>, String> {
    let mut arguments = vec!["nextest", "run", "--workspace", "--no-fail-fast"];
    arguments.extend(["--exclude", SHARING, "--filterset", ALL_BUT_THEM]);
    if plan.filter.is_some() {
        // The filter may name nothing but doc tests; nextest says so in a warning.
        arguments.push("--no-tests=warn");
    }
    let ordinary = observe(Runner::Nextest, &mut command(here, plan, &arguments))?;
    if ordinary.code == Some(NEXTEST_BUILD_FAILED) {
        println!("doc tests: not run, because the build failed");
        return Ok(vec![ordinary]);
    }
    let sharing = ["test", "--package", SHARING, "--lib", "--tests", "--no-fail-fast"];
    let requests = [&["test", "--workspace", "--no-fail-fast"][..], &SHARING_TESTS].concat();
    let doc = ["test", "--workspace", "--doc", "--no-fail-fast"];
    let cargo = |arguments: &[&str]| observe(Runner::Cargo, &mut command(here, plan, arguments));
    Ok(vec![ordinary, cargo(&sharing)?, cargo(&requests)?, cargo(&doc)?])
}

fn command(here: &Repository, plan: &TestPlan, arguments: &[&str]) -> Command {
    let mut command = process::cargo(arguments, &here.root);
    if plan.long {
        let option = if arguments.contains(&"nextest") { "--cargo-profile" } else { "--profile" };
        command.args([option, LONG_PROFILE]).env("CLOAKROOM_LONG", "1");
    }
    command.args(&plan.filter);
    command
}

/// A filter that names none of them spares the build.
fn wants_schedules(plan: &TestPlan) -> bool {
    plan.filter.as_ref().is_none_or(|filter| filter.contains("schedules"))
}

fn schedules(here: &Repository, plan: &TestPlan) -> Command {
    let given = std::env::var("RUSTFLAGS").unwrap_or_default();
    let mut command = process::cargo(&SCHEDULES, &here.root);
    command.env("RUSTFLAGS", format!("{given} {SCHEDULES_FLAG}").trim_start());
    if plan.long {
        command.args(["--profile", LONG_PROFILE]).env("CLOAKROOM_LONG", "1");
    }
    command
}

/// Runs a test runner on our own output. On a terminal it keeps its colours and its progress bar; elsewhere its lines
/// pass through our hands, which gives us the numbers.
fn observe(runner: Runner, command: &mut Command) -> Result<Outcome, String> {
    process::show(command);
    if std::io::stdout().is_terminal() {
        let status = command.status().map_err(|error| process::cannot_start(command, &error))?;
        return Ok(Outcome { code: status.code(), tally: None });
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| process::cannot_start(command, &error))?;
    let counted = listen(runner, &mut child);
    let status = child.wait().map_err(|error| process::cannot_start(command, &error))?;
    Ok(Outcome { code: status.code(), tally: collect(&counted) })
}

fn listen(runner: Runner, child: &mut Child) -> Receiver<Tally> {
    let (sender, counted) = mpsc::channel();
    let errors = sender.clone();
    if let Some(from) = child.stderr.take() {
        thread::spawn(move || pass(runner, from, std::io::stderr(), &errors));
    }
    if let Some(from) = child.stdout.take() {
        thread::spawn(move || pass(runner, from, std::io::stdout(), &sender));
    }
    counted
}

/// Hands every line on and counts what the runner's closing lines say.
fn pass(runner: Runner, from: impl Read, mut to: impl Write, counted: &Sender<Tally>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        // Whoever reads us may be gone; the tests still run to their end.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        if let Some(tally) = tally::of_line(runner, &String::from_utf8_lossy(&line)) {
            // Nobody counts after the patience below.
            let _ = counted.send(tally);
        }
        line.clear();
    }
}

/// The runner has ended, so its output has too, unless something that a test started still holds it.
fn collect(counted: &Receiver<Tally>) -> Option<Tally> {
    let mut total: Option<Tally> = None;
    loop {
        match counted.recv_timeout(PATIENCE) {
            Ok(tally) => total = Some(total.unwrap_or_default().plus(tally)),
            Err(RecvTimeoutError::Disconnected) => return total,
            Err(RecvTimeoutError::Timeout) => {
                println!("a process that a test started is still running");
                return total;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_spares_the_build_of_schedules_unless_it_names_them() {
        let filtered = |filter: Option<&str>| {
            let filter = filter.map(str::to_owned);
            wants_schedules(&TestPlan { filter, ..TestPlan::default() })
        };

        assert!(filtered(None) && filtered(Some("schedules")));
        assert!(!filtered(Some("rotate")));
    }

    #[test]
    fn schedules_are_built_with_their_flag_and_are_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let here = Repository { root: root.clone() };

        let command = schedules(&here, &TestPlan { long: true, ..TestPlan::default() });

        let set = |name: &str| {
            let found = command.get_envs().find(|(known, _)| *known == name);
            found.and_then(|(_, value)| value).map(|value| value.to_string_lossy().into_owned())
        };
        assert!(set("RUSTFLAGS").is_some_and(|flags| flags.ends_with("--cfg shuttle")));
        assert_eq!(set("CLOAKROOM_LONG").as_deref(), Some("1"));
        let library = std::fs::read_to_string(root.join("crates/cloakroom-memory/src/lib.rs"));
        assert!(library.unwrap().contains("#[cfg(all(test, shuttle))]\nmod schedules;"));
    }
}
