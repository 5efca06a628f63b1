//! The copy of the repository in which things are broken. The working tree is only read.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process;
use crate::repository::Repository;

/// A copy of every file that git tracks or would offer to.
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
}

/// A mutant is in the tree until it is taken back.
#[must_use = "the tree stays broken until it is taken back"]
pub(crate) struct Applied {
    before: Vec<(PathBuf, Vec<u8>)>,
}

impl Tree {
    /// Makes the copy, or brings an older one up to date. Files that are equal are left alone, so
    /// that cargo builds only what has changed.
    pub(crate) fn copy(here: &Repository, root: &Path) -> Result<Self, String> {
        let listed = listed(here)?;
        fs::create_dir_all(root).map_err(|error| cannot("made", root, &error))?;
        for name in &listed {
            refresh(&here.root.join(name), &root.join(name))?;
        }
        remove_others(root, root, &listed)?;
        let root = root.canonicalize().map_err(|error| cannot("found", root, &error))?;
        Ok(Self { root })
    }

    /// Applies a patch that changes `files`; the error says why it no longer fits.
    pub(crate) fn apply(&self, patch: &str, files: &[String]) -> Result<Applied, String> {
        let mut before = Vec::new();
        for name in files {
            let path = self.root.join(name);
            let bytes = fs::read(&path).map_err(|_| format!("{name} is not there any more"))?;
            before.push((path, bytes));
        }
        match self.git_apply(&[], patch)? {
            None => Ok(Applied { before }),
            Some(why) => Err(why),
        }
    }

    /// Why a patch would not apply, with nothing changed.
    pub(crate) fn misfit(&self, patch: &str) -> Result<Option<String>, String> {
        self.git_apply(&["--check"], patch)
    }

    /// `None` if it fits, else what git says.
    fn git_apply(&self, options: &[&str], patch: &str) -> Result<Option<String>, String> {
        self.try_git_apply(options, patch).map_err(|error| format!("git apply: {error}"))
    }

    fn try_git_apply(&self, options: &[&str], patch: &str) -> std::io::Result<Option<String>> {
        let mut command = Command::new("git");
        // A container often runs as somebody else than who made the checkout.
        command.args(["-c", "safe.directory=*", "apply", "--whitespace=nowarn"]);
        command.args(options).arg("-").current_dir(&self.root);
        // The copy may lie inside of a repository, whose files are not meant.
        command.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
        if let Some(above) = self.root.parent() {
            command.env("GIT_CEILING_DIRECTORIES", above);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut to) = child.stdin.take() {
            to.write_all(patch.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        Ok((!output.status.success()).then_some(said))
    }
}

impl Applied {
    /// Puts every file back as it was.
    pub(crate) fn take_back(self) -> Result<(), String> {
        for (path, bytes) in self.before {
            fs::write(&path, bytes).map_err(|error| cannot("written", &path, &error))?;
        }
        Ok(())
    }
}

/// The files of the working tree: tracked, or new and not ignored.
fn listed(here: &Repository) -> Result<BTreeSet<PathBuf>, String> {
    let mut command = Command::new("git");
    // A container often runs as somebody else than who made the checkout.
    command.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"]);
    command.arg("--exclude-standard");
    let text = process::read(command.current_dir(&here.root))
        .map_err(|why| format!("mutants need a git checkout, to know what to copy: {why}"))?;
    let names = text.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    Ok(names.filter(|name| here.root.join(name).is_file()).collect())
}

fn refresh(from: &Path, to: &Path) -> Result<(), String> {
    let wanted = fs::read(from).map_err(|error| cannot("read", from, &error))?;
    if fs::read(to).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| cannot("made", folder, &error))?;
    }
    fs::write(to, wanted).map_err(|error| cannot("written", to, &error))
}

/// What a file that is gone from the repository left in the copy.
fn remove_others(root: &Path, folder: &Path, listed: &BTreeSet<PathBuf>) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|error| cannot("read", folder, &error))? {
        let path = entry.map_err(|error| cannot("read", folder, &error))?.path();
        let name = path.strip_prefix(root).unwrap_or(&path);
        if path.is_dir() {
            remove_others(root, &path, listed)?;
        } else if !listed.contains(name) {
            fs::remove_file(&path).map_err(|error| cannot("removed", &path, &error))?;
        }
    }
    Ok(())
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be {what}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str =
        "breaks: x\n\n--- a/src/a.txt\n+++ b/src/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n";

    fn tree(name: &str, text: &str) -> Tree {
        let folder = format!("cloakroom-mutants-{}-{name}", std::process::id());
        let root = std::env::temp_dir().join(folder);
        fs::create_dir_all(root.join("src")).unwrap();
        fs::write(root.join("src/a.txt"), text).unwrap();
        Tree { root: root.canonicalize().unwrap() }
    }

    #[test]
    fn a_patch_is_applied_and_taken_back() {
        let tree = tree("fits", "one\ntwo\n");
        let file = tree.root.join("src/a.txt");

        assert_eq!(tree.misfit(PATCH), Ok(None));
        let applied = tree.apply(PATCH, &["src/a.txt".to_owned()]).unwrap();
        let broken = fs::read_to_string(&file).unwrap();
        applied.take_back().unwrap();

        assert_eq!(broken, "one\nthree\n");
        assert_eq!(fs::read_to_string(&file).unwrap(), "one\ntwo\n");
        fs::remove_dir_all(&tree.root).unwrap();
    }

    #[test]
    fn a_patch_that_no_longer_fits_is_told_and_changes_nothing() {
        let tree = tree("stale", "one\ntwo and a half\n");

        assert!(tree.misfit(PATCH).unwrap().is_some_and(|why| why.contains("src/a.txt")));
        let stale = tree.apply(PATCH, &["src/a.txt".to_owned()]);
        let gone = tree.apply(PATCH, &["src/b.txt".to_owned()]);

        assert!(stale.is_err_and(|why| why.contains("src/a.txt")));
        assert!(gone.is_err_and(|why| why.contains("src/b.txt is not there")));
        let left = fs::read_to_string(tree.root.join("src/a.txt")).unwrap();
        assert_eq!(left, "one\ntwo and a half\n");
        fs::remove_dir_all(&tree.root).unwrap();
    }
}
