//! The repository: its folder, its Rust sources and what cargo knows about it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::process;

/// A checkout of the project.
#[derive(Debug)]
pub(crate) struct Repository {
    /// The folder of the workspace's manifest.
    pub(crate) root: PathBuf,
}

/// One Rust source file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Path below the repository's root.
    pub(crate) path: PathBuf,
    /// The whole text.
    pub(crate) text: String,
}

/// What `cargo metadata` says, as far as the checks read it.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
}

/// A crate of the workspace or one that it depends on.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// SPDX expression; old crates separate alternatives with a slash.
    pub(crate) license: Option<String>,
    /// `None` for a crate in a folder.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) rust_version: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One row of a manifest's dependency tables.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal one, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// `None` for the default registry, a folder or a git repository.
    pub(crate) registry: Option<String>,
}

impl Repository {
    /// The workspace around the current folder.
    pub(crate) fn find() -> Result<Self, String> {
        let here =
            std::env::current_dir().map_err(|error| format!("no current folder: {error}"))?;
        let asked = ["locate-project", "--workspace", "--message-format", "plain"];
        let manifest = process::read(&mut process::cargo(&asked, &here))?;
        match Path::new(manifest.trim()).parent() {
            Some(root) => Ok(Self { root: root.to_owned() }),
            None => Err(format!("cargo gave no manifest but `{}`", manifest.trim())),
        }
    }

    /// The crates of the workspace alone.
    pub(crate) fn members(&self) -> Result<Metadata, String> {
        self.metadata(&["--no-deps"])
    }

    /// The crates of the workspace and all that they can depend on, on any platform.
    pub(crate) fn everything(&self) -> Result<Metadata, String> {
        self.metadata(&["--all-features"])
    }

    /// Every Rust source below the given folders, in the order of their paths; built files are left out.
    pub(crate) fn sources(&self, folders: &[&str]) -> Result<Vec<Source>, String> {
        let mut found = Vec::new();
        for folder in folders.iter().map(|name| self.root.join(name)).filter(|path| path.is_dir()) {
            self.collect(&folder, &mut found)?;
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    fn metadata(&self, more: &[&str]) -> Result<Metadata, String> {
        let arguments = [&["metadata", "--format-version", "1"], more].concat();
        let text = process::read(&mut process::cargo(&arguments, &self.root))?;
        serde_json::from_str(&text)
            .map_err(|error| format!("cargo metadata is not as expected: {error}"))
    }

    fn collect(&self, folder: &Path, found: &mut Vec<Source>) -> Result<(), String> {
        let unreadable = |error| format!("{} cannot be read: {error}", folder.display());
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                self.collect(&path, found)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(self.source(&path)?);
            }
        }
        Ok(())
    }

    fn source(&self, path: &Path) -> Result<Source, String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Ok(Source { path: path.strip_prefix(&self.root).unwrap_or(path).to_owned(), text })
    }
}
