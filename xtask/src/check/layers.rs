//! Which crate of the workspace may depend on which: the arrows of the design, as a table.

use super::Verdict;
use crate::repository::{Dependency, Package, Repository};

/// Which crates of the workspace a crate may use.
#[derive(Debug)]
enum Inside {
    Any,
    Only(&'static [&'static str]),
}

/// Which crates from the registry a crate may use directly, outside of its tests.
#[derive(Debug)]
enum Outside {
    Any,
    Only(&'static [&'static str]),
}

#[derive(Debug)]
struct Layer {
    name: &'static str,
    inside: Inside,
    outside: Outside,
}

/// One row per crate. A new crate gets its row here before it gets its first line of code.
const LAYERS: &[Layer] = &[
    layer("cloakroom-store", &[]).only(&["serde", "serde_json"]),
    layer("cloakroom-cookie", &[]).only(&["httpdate", "psl", "url"]),
    layer("cloakroom-derive", &[]),
    layer("cloakroom-audit", &["cloakroom-cookie"]),
    layer("cloakroom-conformance", &["cloakroom-store"]),
    layer("cloakroom-memory", &["cloakroom-store"]),
    layer("cloakroom-sqlite", &["cloakroom-store"]),
    layer("cloakroom-redis", &["cloakroom-store"]),
    layer("cloakroom-postgres", &["cloakroom-store"]),
    layer(
        "cloakroom",
        &[
            "cloakroom-store",
            "cloakroom-cookie",
            "cloakroom-derive",
            "cloakroom-memory",
            "cloakroom-postgres",
            "cloakroom-redis",
            "cloakroom-sqlite",
        ],
    ),
    layer("cloakroom-cli", &["cloakroom-audit", "cloakroom-cookie"]),
    layer("bad", &["cloakroom", "cloakroom-audit", "shop"]),
    layer("shop", &["cloakroom"]),
    layer("tally", &["cloakroom"]),
    Layer { name: "cloakroom-journeys", inside: Inside::Any, outside: Outside::Any },
    layer("xtask", &[]),
];

/// What tests and examples of any crate may use as well.
const FOR_TESTS: &[&str] = &["cloakroom-conformance", "cloakroom-journeys", "cloakroom-memory"];

/// Compares every manifest of the workspace with the table.
pub(super) fn run(here: &Repository) -> Result<Verdict, String> {
    Ok(Verdict::from_findings(&findings(&here.members()?.packages)))
}

const fn layer(name: &'static str, inside: &'static [&'static str]) -> Layer {
    Layer { name, inside: Inside::Only(inside), outside: Outside::Any }
}

impl Layer {
    const fn only(self, outside: &'static [&'static str]) -> Self {
        Self { name: self.name, inside: self.inside, outside: Outside::Only(outside) }
    }

    fn may_use(&self, dependency: &Dependency, is_member: bool) -> bool {
        let for_tests = dependency.kind.as_deref() == Some("dev");
        let name = dependency.name.as_str();
        match (is_member, &self.inside, &self.outside) {
            (true, Inside::Any, _) | (false, _, Outside::Any) => true,
            (true, Inside::Only(names), _) => {
                names.contains(&name) || (for_tests && FOR_TESTS.contains(&name))
            }
            (false, _, Outside::Only(names)) => names.contains(&name) || for_tests,
        }
    }
}

fn findings(members: &[Package]) -> Vec<String> {
    members.iter().flat_map(|member| of_member(member, members)).collect()
}

fn of_member(member: &Package, members: &[Package]) -> Vec<String> {
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == member.name) else {
        return vec![format!(
            "{} is in no layer: add a row that says what it may use to LAYERS in xtask/src/check/layers.rs",
            member.name
        )];
    };
    let is_member = |name: &str| members.iter().any(|other| other.name == name);
    let forbidden =
        |dependency: &&Dependency| !layer.may_use(dependency, is_member(&dependency.name));
    member
        .dependencies
        .iter()
        .filter(forbidden)
        .map(|found| sentence(&member.name, found))
        .collect()
}

fn sentence(member: &str, dependency: &Dependency) -> String {
    let kind = match dependency.kind.as_deref() {
        None => "",
        Some("dev") => " in its tests",
        Some(_) => " in its build script",
    };
    format!(
        "{member} may not use {}{kind}: see LAYERS in xtask/src/check/layers.rs",
        dependency.name
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependency = |&(name, kind): &(&str, Option<&str>)| Dependency {
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
            registry: None,
        };
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            license: None,
            source: None,
            manifest_path: PathBuf::new(),
            rust_version: None,
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    #[test]
    fn arrows_of_the_table_are_allowed() {
        let members = [
            package("cloakroom-store", &[("serde", None), ("cloakroom-conformance", Some("dev"))]),
            package("cloakroom-conformance", &[("cloakroom-store", None), ("tokio", None)]),
            package("cloakroom-cookie", &[("psl", None), ("proptest", Some("dev"))]),
            package("cloakroom-journeys", &[("cloakroom-store", None), ("tokio", None)]),
        ];

        assert_eq!(findings(&members), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_that_is_not_in_the_table_is_named() {
        let members = [
            package("cloakroom-store", &[("cloakroom-conformance", None), ("tokio", None)]),
            package("cloakroom-conformance", &[]),
            package("cloakroom-sqlite", &[("cloakroom-store", Some("build"))]),
            package("xtask", &[("cloakroom-sqlite", Some("dev"))]),
        ];

        let found = findings(&members);

        assert_eq!(found.len(), 3, "{found:#?}");
        assert!(found.iter().any(|text| text.starts_with("cloakroom-store may not use tokio:")));
        assert!(
            found.iter().any(|text| text.starts_with("xtask may not use cloakroom-sqlite in its"))
        );
    }

    #[test]
    fn a_crate_without_a_row_is_told_where_to_get_one() {
        let found = findings(&[package("cloakroom-new", &[])]);

        assert!(
            matches!(found.as_slice(), [text] if text.contains("LAYERS in xtask/src/check/layers.rs"))
        );
    }
}
