//! Builds one test program in the copy and runs named tests of it, for a bounded time.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::patch::Test;
use super::verdict::{Outcome, Program};
use crate::process;

/// The longest that the named tests of one program may take. The longest of ours takes seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// A copy of the repository, and the folder where it is built.
pub(crate) struct Workshop {
    tree: PathBuf,
    build: PathBuf,
}

/// What cargo says about something that it built.
#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    executable: Option<PathBuf>,
    profile: Option<Profile>,
}

/// As what it was built: a command is built beside the tests that run it.
#[derive(Deserialize)]
struct Profile {
    test: bool,
}

impl Workshop {
    pub(crate) const fn new(tree: PathBuf, build: PathBuf) -> Self {
        Self { tree, build }
    }

    /// Builds the program that `arguments` name and runs these tests of it.
    pub(crate) fn run(&self, arguments: &[String], tests: &[&Test]) -> Result<Outcome, String> {
        match self.build(arguments)? {
            Ok(program) => run(&program, tests),
            Err(said) => Ok(Outcome::NotBuilt(said)),
        }
    }

    /// The inner error is what the compiler said.
    fn build(&self, arguments: &[String]) -> Result<Result<Built, String>, String> {
        let mut command = process::cargo(&["test", "--quiet", "--no-run"], &self.tree);
        command.arg("--message-format=json-render-diagnostics").args(arguments);
        command.env("CARGO_TARGET_DIR", &self.build);
        // One line differs from one build to the next, and nobody debugs a mutant.
        command.env("CARGO_INCREMENTAL", "1").env("CARGO_PROFILE_DEV_DEBUG", "false");
        let output = command.output().map_err(|error| process::cannot_start(&command, &error))?;
        if !output.status.success() {
            return Ok(Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let built = text.lines().filter_map(built).next_back();
        built.map(Ok).ok_or_else(|| format!("cargo built no test program of {arguments:?}"))
    }
}

struct Built {
    program: PathBuf,
    /// The folder of its crate, where cargo would run it.
    folder: PathBuf,
}

fn built(line: &str) -> Option<Built> {
    let message: Message = serde_json::from_str(line).ok()?;
    let folder = message.manifest_path?.parent()?.to_owned();
    let program = message.executable?;
    let is_test = message.profile.is_some_and(|profile| profile.test);
    (message.reason == "compiler-artifact" && is_test).then_some(Built { program, folder })
}

/// Without cargo in between, so that a program that hangs can be ended.
fn run(Built { program, folder }: &Built, tests: &[&Test]) -> Result<Outcome, String> {
    let mut command = command(program, folder);
    // A single thread says which test begins, before it can end the program.
    command.args((tests.len() == 1).then_some("--test-threads=1"));
    command.arg("--exact").args(tests.iter().map(|test| test.name.as_str()));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| process::cannot_start(&command, &error))?;
    let (sender, output) = mpsc::channel();
    let mut from = child.stdout.take().ok_or("a test program without an output")?;
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What could be read before it broke off is what there is to judge.
        let _ = from.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    let (text, hung) = match output.recv_timeout(LIMIT) {
        Ok(text) => (text, false),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            child.kill().map_err(|error| format!("a test that hangs cannot be ended: {error}"))?;
            (output.recv().unwrap_or_default(), true)
        }
    };
    let status = child.wait().map_err(|error| process::cannot_start(&command, &error))?;
    Ok(Outcome::Ran(Program { text, succeeded: status.success(), hung }))
}

/// What cargo would set and a test may ask for.
fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("CARGO_MANIFEST_DIR", folder);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_of_a_test_is_told_from_the_command_that_it_runs() {
        let line = |test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/a/Cargo.toml","executable":"/b/x","profile":{{"test":{test}}}}}"#
            )
        };

        assert_eq!(built(&line(true)).map(|built| built.folder), Some(PathBuf::from("/a")));
        assert!(built(&line(false)).is_none());
    }
}
