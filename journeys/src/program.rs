//! Programs: those of the system, and those of this workspace.

use crate::Failure;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where the program `name` is: on `PATH` or in one of the system's usual folders.
///
/// # Errors
///
/// When it is not there, with one sentence that names the remedy.
pub fn find(name: &str) -> Result<PathBuf, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/bin", "/usr/sbin", "/usr/local/bin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(usual)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| not_installed(name))
}

/// Builds a package of this workspace and gives the path of its program.
///
/// A journey never tests yesterday's server: what is up to date costs cargo a moment, and what is
/// not is built.
///
/// # Errors
///
/// When the package does not build (the text holds the compiler's words) or has no program.
pub fn build(package: &str) -> Result<PathBuf, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["build", "--quiet", "--message-format=json-render-diagnostics"]);
    let messages = run(command.args(["--package", package]))?;
    String::from_utf8_lossy(&messages)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| program_in(&message))
        .ok_or_else(|| Failure::new(format!("the package {package} has no program")))
}

fn program_in(message: &Value) -> Option<PathBuf> {
    let is_program = message.pointer("/target/kind/0")?.as_str()? == "bin";
    let path = message.get("executable")?.as_str()?;
    is_program.then(|| PathBuf::from(path))
}

pub(crate) fn not_installed(name: &str) -> Failure {
    Failure::new(format!("{name} is not installed: `cargo xtask test` installs it"))
}

/// Runs a command to its end and gives its standard output.
pub(crate) fn run(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.stdin(Stdio::null()).output().map_err(Failure::when(&name))?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    Err(Failure::new(format!("{name}: {}", String::from_utf8_lossy(&done.stderr).trim())))
}
