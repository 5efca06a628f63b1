//! Programs that Debian does not have: Python packages, each in an environment of its own below
//! `target/`, where they touch nothing else on the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process;

/// Debian's interpreter: the one that has its `venv` from a package.
const PYTHON: &str = "/usr/bin/python3";

/// Below the repository, and not below a target folder that a variable moves: tests look here.
const FOLDER: &str = "target/python";

/// One environment: a program, and the exact versions of everything in it.
pub(super) struct Environment {
    pub(super) name: &'static str,
    pub(super) needed_by: &'static str,
    /// Below the repository.
    pub(super) requirements: &'static str,
}

/// Every environment that the tests need.
pub(super) const ENVIRONMENTS: &[Environment] = &[Environment {
    name: "datasette",
    needed_by: "journeys: a target of the auditor",
    requirements: "testdata/journeys/datasette-requirements.txt",
}];

impl Environment {
    /// Whether it was installed to its end, from the versions of now.
    pub(super) fn is_there(&self, root: &Path) -> bool {
        let wanted = fs::read(root.join(self.requirements)).ok();
        wanted.is_some() && wanted == fs::read(self.receipt(root)).ok()
    }

    /// Makes it anew.
    pub(super) fn install(&self, root: &Path) -> Result<(), String> {
        let folder = self.folder(root);
        let requirements = root.join(self.requirements);
        let mut python = Command::new(PYTHON);
        python.args(["-m", "venv", "--clear"]).arg(&folder);
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--require-virtualenv", "--disable-pip-version-check"]);
        pip.arg("--requirement").arg(&requirements);
        for command in [&mut python, &mut pip] {
            if !process::run(command.stdin(Stdio::null()))? {
                return Err(format!("{} could not be installed", self.name));
            }
        }
        // Last, so that what was interrupted is begun again.
        let copied = fs::copy(&requirements, self.receipt(root));
        copied.map(drop).map_err(|error| format!("{}: {error}", self.receipt(root).display()))
    }

    fn folder(&self, root: &Path) -> PathBuf {
        root.join(FOLDER).join(self.name)
    }

    fn receipt(&self, root: &Path) -> PathBuf {
        self.folder(root).join("installed.txt")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_there_only_with_the_versions_of_now() {
        let root = std::env::temp_dir().join(format!("xtask-environment-{}", std::process::id()));
        let own = Environment { name: "own", needed_by: "", requirements: "wanted.txt" };
        fs::create_dir_all(own.folder(&root)).unwrap();

        let before = own.is_there(&root);
        fs::write(root.join("wanted.txt"), "own==1\n").unwrap();
        let interrupted = own.is_there(&root);
        fs::write(own.receipt(&root), "own==1\n").unwrap();
        let installed = own.is_there(&root);
        fs::write(root.join("wanted.txt"), "own==2\n").unwrap();
        let outdated = own.is_there(&root);
        fs::remove_dir_all(&root).unwrap();

        assert_eq!((before, interrupted, installed, outdated), (false, false, true, false));
    }

    #[test]
    fn every_version_is_pinned() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for environment in ENVIRONMENTS {
            let lines = fs::read_to_string(root.join(environment.requirements)).unwrap();

            assert!(lines.lines().all(|line| line.contains("==")), "{}", environment.name);
            assert!(lines.contains(&format!("{}==", environment.name)));
        }
    }
}
