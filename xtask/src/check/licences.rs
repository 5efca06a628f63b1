//! Licences and sources of everything that the workspace depends on, against the list in `deny.toml`.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::{Verdict, spdx};
use crate::process;
use crate::repository::{Package, Repository};

/// Compares what cargo knows of every dependency, on every platform, with `deny.toml`.
pub(super) fn run(here: &Repository) -> Result<Verdict, String> {
    let file = here.root.join("deny.toml");
    let text =
        fs::read_to_string(&file).map_err(|error| format!("deny.toml cannot be read: {error}"))?;
    let policy: Policy = toml::from_str(&text).map_err(|error| format!("deny.toml: {error}"))?;
    let packages = here.everything()?.packages;
    println!("{} crates, licences and sources from cargo metadata", packages.len());
    Ok(Verdict::from_findings(&findings(&packages, &policy.licenses, &here.root)))
}

/// cargo-deny takes minutes to build, so it is used only where it is.
pub(super) fn deny(here: &Repository) -> Result<Verdict, String> {
    if !process::answers(&mut process::cargo(&["deny", "--version"], &here.root)) {
        println!(
            "cargo-deny: not installed, licences and sources were checked from cargo metadata; \
             advisories and bans were not run"
        );
        return Ok(Verdict::NotRun(
            "cargo-deny is not installed; the row `licences` is our own part".to_owned(),
        ));
    }
    println!("advisories: not run, their database is not on every machine");
    let arguments = ["deny", "check", "licenses", "bans", "sources"];
    process::run(&mut process::cargo(&arguments, &here.root)).map(Verdict::from_success)
}

/// The parts of `deny.toml` that we read.
#[derive(Debug, Deserialize)]
struct Policy {
    licenses: Licences,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

/// Licences that one crate may have beyond the list.
#[derive(Debug, Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

impl Licences {
    fn allows(&self, package: &str, licence: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|each| each == licence);
        let excepted = |each: &Exception| each.name == package && listed(&each.allow);
        listed(&self.allow) || self.exceptions.iter().any(excepted)
    }
}

fn findings(packages: &[Package], licences: &Licences, root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let reasons = [licence(package, licences), source(package, root), registries(package)];
        let name = format!("{} {}", package.name, package.version);
        found.extend(reasons.into_iter().flatten().map(|reason| format!("{name}: {reason}")));
    }
    found
}

fn licence(package: &Package, licences: &Licences) -> Option<String> {
    let Some(expression) = &package.license else {
        return Some("declares no licence expression".to_owned());
    };
    match spdx::is_met(expression, &|name| licences.allows(&package.name, name)) {
        Ok(true) => None,
        Ok(false) => Some(format!("`{expression}` is not allowed by deny.toml")),
        Err(sentence) => Some(sentence),
    }
}

/// A crate comes from a registry or from a folder of this repository.
fn source(package: &Package, root: &Path) -> Option<String> {
    match &package.source {
        Some(source) if source.starts_with("registry+") => None,
        Some(source) => Some(format!("comes from `{source}`, which is not the default registry")),
        None if package.manifest_path.starts_with(root) => None,
        None => Some("comes from a folder outside of the repository".to_owned()),
    }
}

/// A manifest names a registry only if it is another than the default one.
fn registries(package: &Package) -> Option<String> {
    let foreign = package.dependencies.iter().find(|dependency| dependency.registry.is_some())?;
    Some(format!("takes {} from a registry that is not the default one", foreign.name))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::repository::Dependency;

    fn package(license: Option<&str>, source: Option<&str>) -> Package {
        Package {
            name: "leaf".to_owned(),
            version: "1.2.3".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
            manifest_path: PathBuf::from("/repository/leaf/Cargo.toml"),
            rust_version: None,
            dependencies: Vec::new(),
        }
    }

    fn reasons(package: Package) -> Vec<String> {
        let text =
            "[licenses]\nallow = ['MIT']\nexceptions = [{ crate = 'leaf', allow = ['MPL-2.0'] }]";
        let policy: Policy = toml::from_str(text).expect("a policy");
        findings(&[package], &policy.licenses, Path::new("/repository"))
    }

    #[test]
    fn the_list_and_the_exceptions_of_a_crate_are_allowed() {
        for expression in ["MIT", "MIT AND MPL-2.0", "GPL-3.0-only OR MIT"] {
            assert_eq!(
                reasons(package(Some(expression), None)),
                Vec::<String>::new(),
                "{expression}"
            );
        }
    }

    #[test]
    fn everything_else_is_a_finding_that_names_the_crate() {
        let mut elsewhere = package(Some("MIT"), Some("registry+any"));
        elsewhere.dependencies.push(Dependency {
            name: "twig".to_owned(),
            kind: None,
            registry: Some("another".to_owned()),
        });
        let mut outside = package(Some("MIT"), None);
        outside.manifest_path = PathBuf::from("/elsewhere/Cargo.toml");
        for found in [
            reasons(package(Some("GPL-3.0-only"), None)),
            reasons(package(None, None)),
            reasons(package(Some("MIT OR"), None)),
            reasons(package(Some("MIT"), Some("git+any"))),
            reasons(elsewhere),
            reasons(outside),
        ] {
            assert!(
                matches!(found.as_slice(), [one] if one.starts_with("leaf 1.2.3: ")),
                "{found:?}"
            );
        }
    }
}
