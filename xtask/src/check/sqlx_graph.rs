//! Two crates that bring SQLite into one program must agree on the library behind it.

use std::fs;
use std::path::{Path, PathBuf};

use super::Verdict;
use crate::process;
use crate::repository::{Package, Repository};

/// What cargo lets into a program only once, since it is a C library.
const SHARED: &str = "libsqlite3-sys";

/// Resolves `cloakroom-sqlite` together with sqlx, as an application that uses both would.
pub(super) fn run(here: &Repository) -> Result<Verdict, String> {
    let members = here.members()?.packages;
    let member = members.iter().find(|package| package.name == "cloakroom-sqlite");
    let member = member.ok_or("the workspace has no crate cloakroom-sqlite")?;
    let scratch = Scratch::new()?;
    scratch.write("src/lib.rs", "")?;
    scratch.write("Cargo.toml", &manifest(member))?;
    let mut command = process::cargo(&["generate-lockfile", "--quiet"], &scratch.folder);
    // The newest release is what a user gets, whatever Rust it asks for: nothing is compiled here.
    command.env("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "allow");
    if let Err(message) = process::read(&mut command) {
        println!("{message}");
        return Ok(Verdict::Failed("cloakroom-sqlite and sqlx do not resolve together".to_owned()));
    }
    Ok(verdict(&scratch.read("Cargo.lock")?))
}

fn verdict(lock: &str) -> Verdict {
    match (versions(lock).as_slice(), users(lock)) {
        ([one], 2..) => {
            println!("cloakroom-sqlite and sqlx share {SHARED} {one}");
            Verdict::Passed
        }
        ([_] | [], _) => Verdict::Failed(format!("not both use {SHARED}, so this proves nothing")),
        (several, _) => Verdict::Failed(format!("{SHARED} is there as {}", several.join(" and "))),
    }
}

fn manifest(member: &Package) -> String {
    let folder =
        member.manifest_path.parent().unwrap_or_else(|| Path::new("")).display().to_string();
    format!(
        "[package]\nname = \"scratch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         cloakroom-sqlite = {{ path = {folder:?} }}\n\
         sqlx = {{ version = \"0.9\", default-features = false, features = [\"sqlite\", \"runtime-tokio\"] }}\n"
    )
}

/// The versions of the shared library in a lock file.
fn versions(lock: &str) -> Vec<String> {
    let name = format!("name = \"{SHARED}\"");
    let lines: Vec<&str> = lock.lines().collect();
    let pairs = lines.windows(2).filter_map(|pair| match pair {
        [first, second] if *first == name => second.strip_prefix("version = "),
        _ => None,
    });
    pairs.map(|version| version.trim_matches('"').to_owned()).collect()
}

/// How many crates in a lock file depend on the shared library.
fn users(lock: &str) -> usize {
    let row = format!("\"{SHARED}\",");
    lock.lines().filter(|line| line.trim() == row).count()
}

/// A folder that is gone when we are done.
struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self, String> {
        let name = format!("cloakroom-sqlx-graph-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(folder.join("src"))
            .map_err(|error| format!("{} cannot be created: {error}", folder.display()))?;
        Ok(Self { folder })
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        fs::write(self.folder.join(name), text)
            .map_err(|error| format!("{name} cannot be written: {error}"))
    }

    fn read(&self, name: &str) -> Result<String, String> {
        fs::read_to_string(self.folder.join(name))
            .map_err(|error| format!("{name} cannot be read: {error}"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder left in the system's temporary place is no reason to fail.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(versions: &[&str], users: usize) -> String {
        let mut text = String::new();
        for version in versions {
            text.push_str(&format!(
                "[[package]]\nname = \"{SHARED}\"\nversion = \"{version}\"\n\n"
            ));
        }
        for user in 0..users {
            text.push_str(&format!(
                "[[package]]\nname = \"user{user}\"\nversion = \"1.0.0\"\ndependencies = [\n \"{SHARED}\",\n]\n\n"
            ));
        }
        text
    }

    #[test]
    fn one_library_with_two_users_is_shared() {
        assert_eq!(verdict(&lock(&["0.37.0"], 2)), Verdict::Passed);
    }

    #[test]
    fn two_libraries_or_a_single_user_are_a_failure() {
        for (lock, said) in [
            (lock(&["0.37.0", "0.40.0"], 2), "0.37.0 and 0.40.0"),
            (lock(&["0.37.0"], 1), "proves nothing"),
            (lock(&[], 0), "proves nothing"),
        ] {
            let found = verdict(&lock);

            assert!(matches!(&found, Verdict::Failed(why) if why.contains(said)), "{found:?}");
        }
    }
}
