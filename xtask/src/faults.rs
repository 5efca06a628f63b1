//! `cargo xtask faults`: breaks every engine under load and writes down what came of it.

use std::fs;
use std::path::Path;

use crate::process;
use crate::repository::Repository;

/// The page, whose tables stand behind [`MARK`].
const PAGE: &str = "docs/operate/faults.md";

/// What is above it was written by somebody, what is below by this command.
const MARK: &str = "<!-- written by `cargo xtask faults` -->\n";

/// One table of the page, and the journey that writes it.
struct Table {
    /// As `--engine` names it and the journey its file.
    engine: &'static str,
    heading: &'static str,
    test: &'static str,
}

/// The tables in the order of the page.
const TABLES: [Table; 6] = [
    table("sqlite", "## SQLite", "sqlite_keeps_its_promises"),
    table("redis", "## Redis", "one_redis_keeps_its_promises"),
    table(
        "redis-with-sentinels",
        "## Redis with sentinels",
        "redis_with_sentinels_keeps_its_promises",
    ),
    table(
        "redis-with-sentinels-and-confirmed-writes",
        "## Redis with sentinels and confirmed writes",
        "redis_with_sentinels_that_waits_for_replicas_keeps_its_promises",
    ),
    table("redis-cluster", "## Redis cluster", "a_redis_cluster_keeps_its_promises"),
    table("postgresql", "## PostgreSQL", "postgres_keeps_its_promises"),
];

const fn table(engine: &'static str, heading: &'static str, test: &'static str) -> Table {
    Table { engine, heading, test }
}

/// How much is broken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FaultPlan {
    /// Twenty rounds of each fault instead of two.
    pub(crate) long: bool,
    /// What the visitors' choices are drawn from, instead of chance.
    pub(crate) seed: Option<u64>,
    /// These engines alone; the tables of the others stay. Empty means all.
    pub(crate) engines: Vec<&'static str>,
}

impl FaultPlan {
    fn tables(&self) -> impl Iterator<Item = &'static Table> {
        let is_asked = |engine| self.engines.is_empty() || self.engines.contains(&engine);
        TABLES.iter().filter(move |table| is_asked(table.engine))
    }
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
            "--engine" => plan.engines.push(engine(arguments.next())?),
            other => return Err(format!("faults has no option `{other}`")),
        }
    }
    Ok(plan)
}

fn engine(given: Option<&String>) -> Result<&'static str, String> {
    let known = TABLES.iter().map(|table| table.engine);
    let found = known.clone().find(|known| given.is_some_and(|given| given == known));
    found.ok_or_else(|| format!("--engine needs one of {}", known.collect::<Vec<_>>().join(", ")))
}

/// Runs the journey; the page is written anew if every round was as declared.
pub(crate) fn run(here: &Repository, plan: &FaultPlan) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("cloakroom-faults-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("no folder for tables: {error}"))?;
    let done = journey(here, plan, &folder).and_then(|()| write(here, plan, &folder));
    // What stays behind there is a pity and no failure.
    drop(fs::remove_dir_all(&folder));
    done
}

fn journey(here: &Repository, plan: &FaultPlan, folder: &Path) -> Result<(), String> {
    let arguments = ["test", "--package", "cloakroom-journeys", "--test", "faults"];
    let mut command = process::cargo(&arguments, &here.root);
    // One engine at a time: they share the processor with their own load.
    command.args(["--", "--nocapture", "--test-threads=1"]).env("CLOAKROOM_FAULTS", folder);
    if !plan.engines.is_empty() {
        command.arg("--exact").args(plan.tables().map(|table| table.test));
    }
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

fn write(here: &Repository, plan: &FaultPlan, folder: &Path) -> Result<(), String> {
    let page = here.root.join(PAGE);
    let mut text = fs::read_to_string(&page).map_err(|error| format!("{PAGE}: {error}"))?;
    for table in plan.tables() {
        let rows = fs::read_to_string(folder.join(format!("{}.md", table.engine)))
            .map_err(|error| format!("no table of {}: {error}", table.engine))?;
        text = replaced(&text, table, &rows)?;
    }
    fs::write(&page, text).map_err(|error| format!("{PAGE}: {error}"))
}

/// The page with the rows of one table anew.
fn replaced(page: &str, table: &Table, rows: &str) -> Result<String, String> {
    let head = head_of(page)?;
    let tables = page.strip_prefix(head).unwrap_or_default();
    let line = format!("{}\n", table.heading);
    let (before, behind) = tables
        .split_once(&line)
        .ok_or_else(|| format!("{PAGE} lost the line {}", table.heading))?;
    let after = behind.find("\n## ").and_then(|end| behind.get(end..)).unwrap_or_default();
    Ok(format!("{head}{before}{rows}{after}"))
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
        let engines = vec!["redis", "sqlite"];
        assert_eq!(
            planned("--seed 7 --long --engine redis --engine sqlite"),
            Ok(FaultPlan { long: true, seed: Some(7), engines })
        );
        for (line, named) in [
            ("--seed", "number"),
            ("--seed x", "number"),
            ("redis", "redis"),
            ("--engine", "redis-cluster"),
            ("--engine valkey", "postgresql"),
        ] {
            assert!(planned(line).is_err_and(|text| text.contains(named)), "{line}");
        }
    }

    #[test]
    fn every_table_of_the_page_can_be_written_anew_without_the_others() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = fs::read_to_string(root.join(PAGE)).unwrap();

        for table in &TABLES {
            let rows = format!("{}\n\nanew\n", table.heading);
            let written = replaced(&page, table, &rows).unwrap();

            assert!(written.contains(&rows), "{}", table.engine);
            for other in TABLES.iter().filter(|other| other.engine != table.engine) {
                let line = format!("{}\n\n| what happens", other.heading);
                assert!(written.contains(&line), "{} beside {}", other.engine, table.engine);
            }
        }
        assert_eq!(
            page.matches("\n## ").count() - head_of(&page).unwrap().matches("\n## ").count(),
            TABLES.len()
        );
    }
}
