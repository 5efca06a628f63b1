//! `cargo xtask faults`: breaks every engine under load and writes down what came of it.

use std::fs;
use std::path::Path;

use crate::process;
use crate::repository::Repository;

/// The page, whose tables stand behind [`MARK`].
const PAGE: &str = "docs/operate/faults.md";

/// What is above it was written by somebody, what is below by this command.
const MARK: &str = "<!-- written by `cargo xtask faults` -->\n";

/// The tables in the order of the page, as the journey names their files.
const ENGINES: [&str; 6] = [
    "sqlite",
    "redis",
    "redis-with-sentinels",
    "redis-with-sentinels-and-confirmed-writes",
    "redis-cluster",
    "postgresql",
];

/// How much is broken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FaultPlan {
    /// Twenty rounds of each fault instead of two.
    pub(crate) long: bool,
    /// What the visitors' choices are drawn from, instead of chance.
    pub(crate) seed: Option<u64>,
}

/// Reads the arguments after `faults`.
pub(crate) fn plan(given: &[String]) -> Result<FaultPlan, String> {
    let mut plan = FaultPlan::default();
    let mut arguments = given.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--long" => plan.long = true,
            "--seed" => {
                let seed = arguments.next().and_then(|seed| seed.parse().ok());
                plan.seed = Some(seed.ok_or("--seed needs a number")?);
            }
            other => return Err(format!("faults has no option `{other}`")),
        }
    }
    Ok(plan)
}

/// Runs the journey; the page is written anew if every round was as declared.
pub(crate) fn run(here: &Repository, plan: &FaultPlan) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("cloakroom-faults-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("no folder for tables: {error}"))?;
    let done = journey(here, plan, &folder).and_then(|()| write(here, &folder));
    // What stays behind there is a pity and no failure.
    drop(fs::remove_dir_all(&folder));
    done
}

fn journey(here: &Repository, plan: &FaultPlan, folder: &Path) -> Result<(), String> {
    let arguments = ["test", "--package", "cloakroom-journeys", "--test", "faults"];
    let mut command = process::cargo(&arguments, &here.root);
    // One engine at a time: they share the processor with their own load.
    command.args(["--", "--nocapture", "--test-threads=1"]).env("CLOAKROOM_FAULTS", folder);
    if plan.long {
        command.env("CLOAKROOM_LONG", "1");
    }
    if let Some(seed) = plan.seed {
        command.env("CLOAKROOM_SEED", seed.to_string());
    }
    match process::run(&mut command)? {
        true => Ok(()),
        false => Err("not every round was as declared: the page stays as it was".to_owned()),
    }
}

fn write(here: &Repository, folder: &Path) -> Result<(), String> {
    let page = here.root.join(PAGE);
    let old = fs::read_to_string(&page).map_err(|error| format!("{PAGE}: {error}"))?;
    let mut text = head_of(&old)?.to_owned();
    for engine in ENGINES {
        let table = fs::read_to_string(folder.join(format!("{engine}.md")));
        text.push('\n');
        text.push_str(&table.map_err(|error| format!("no table of {engine}: {error}"))?);
    }
    fs::write(&page, text).map_err(|error| format!("{PAGE}: {error}"))
}

fn head_of(page: &str) -> Result<&str, String> {
    let end = page.find(MARK).map(|at| at + MARK.len());
    end.and_then(|end| page.get(..end)).ok_or_else(|| format!("{PAGE} lost the line {MARK}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(line: &str) -> Result<FaultPlan, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        plan(&words)
    }

    #[test]
    fn rounds_and_seed_are_chosen_and_nothing_else() {
        assert_eq!(planned(""), Ok(FaultPlan::default()));
        assert_eq!(planned("--seed 7 --long"), Ok(FaultPlan { long: true, seed: Some(7) }));
        for (line, named) in [("--seed", "number"), ("--seed x", "number"), ("redis", "redis")] {
            assert!(planned(line).is_err_and(|text| text.contains(named)), "{line}");
        }
    }

    #[test]
    fn the_page_has_a_place_for_every_table() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = fs::read_to_string(root.join(PAGE)).unwrap();

        let tables = page.strip_prefix(head_of(&page).unwrap()).unwrap();

        assert_eq!(tables.matches("\n## ").count(), ENGINES.len());
    }
}
