//! The matrix: rules in rows, applications in columns.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use bad::{ROWS, Row, Switches};
use cloakroom_audit::{RULES, Rule};

use crate::audited::{Answers, Cell, bad_with, shop};

const HEAD: &str = "\
# What the auditor finds where

<!-- Written by a test, which compares: `cargo test -p bad --test matrix`. -->

Each rule of the auditor against applications of which it is known what is wrong with them: `examples/bad` with the switch of the rule on,
and with it off; `examples/shop`, which keeps its sessions with cloakroom; and software that nobody here wrote. For that the tables in
`testdata/audit/targets` say what is right, with the fact that proves it, and `journeys/tests/targets` holds the auditor to them. A number
in brackets stands for a reason below.

";

/// What was found where.
pub(crate) struct Matrix {
    /// For each row whose rule exists, in the order of the rows.
    pub(crate) on: Vec<(Row, Answers)>,
    /// The same without their own switch, by what is on.
    off: Vec<(Switches, Answers)>,
    pub(crate) shop: Answers,
    targets: Vec<Target>,
}

/// What was recorded about software that nobody here wrote.
struct Target {
    name: String,
    cells: BTreeMap<String, &'static str>,
}

impl Matrix {
    /// Audits every application once, on all processors.
    pub(crate) fn find() -> Self {
        let rows: Vec<Row> = ROWS.to_vec();
        let mut without: Vec<Switches> = Vec::new();
        for row in &rows {
            let off = Switches::of(row.needs.iter().copied());
            if !without.contains(&off) {
                without.push(off);
            }
        }
        let on = rows.iter().map(|row| Switches::of([row.bad]));
        let all: Vec<Switches> = on.chain(without.iter().cloned()).collect();
        let mut found = side_by_side(&all);
        let off = without.into_iter().zip(found.split_off(rows.len())).collect();
        Self { on: rows.into_iter().zip(found).collect(), off, shop: shop(), targets: targets() }
    }

    /// What was found with all but the switch of this row.
    pub(crate) fn off(&self, row: &Row) -> &Answers {
        let wanted = Switches::of(row.needs.iter().copied());
        let found = self.off.iter().find(|(switches, _)| *switches == wanted);
        &found.unwrap().1
    }

    /// The page in Markdown.
    pub(crate) fn page(&self) -> String {
        let mut reasons: Vec<String> = Vec::new();
        let names: String =
            self.targets.iter().map(|target| format!(" {} |", target.name)).collect();
        let dashes = "---|".repeat(5 + self.targets.len());
        let mut table = format!("| rule | | switch on | switch off | shop |{names}\n|{dashes}\n");
        for Rule { id, title, .. } in &RULES {
            let row = ROWS.iter().find(|row| row.id == *id);
            let on = self.on.iter().find(|(row, _)| row.id == *id).map(|(_, answers)| answers);
            let off = row.map(|row| self.off(row));
            let inside = [on, off, Some(&self.shop)];
            let inside = inside.map(|answers| answers.and_then(|answers| answers.cells.get(id)));
            let targets = self
                .targets
                .iter()
                .map(|target| target.cells.get(*id).copied().unwrap_or("-").to_owned());
            let cells: Vec<String> =
                inside.into_iter().map(|cell| shown(cell, &mut reasons)).chain(targets).collect();
            let _ = writeln!(table, "| {id} | {title} | {} |", cells.join(" | "));
        }
        format!("{HEAD}{table}{}{}", self.together(), numbered(&reasons))
    }

    /// Which rules are broken together, and why.
    fn together(&self) -> String {
        let mut text = String::from(
            "\n## Switches that break more than one rule\n\n| switch | breaks | needs | and with it |\n|---|---|---|---|\n",
        );
        for (row, _) in
            self.on.iter().filter(|(row, _)| !row.along.is_empty() || !row.needs.is_empty())
        {
            let needs: Vec<&str> = row.needs.iter().map(|need| need.row().id).collect();
            let along: Vec<String> =
                row.along.iter().map(|(id, why)| format!("{id}: {why}")).collect();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                row.id,
                row.breaks,
                needs.join(", "),
                along.join("; ")
            );
        }
        text
    }
}

/// The tables in `testdata/audit/targets`: lines of a rule, its answer and the fact that proves it.
fn targets() -> Vec<Target> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/audit/targets");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|kind| kind == "txt")).collect();
    files.sort();
    let table = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        target(name, &std::fs::read_to_string(path).unwrap())
    };
    files.iter().map(table).collect()
}

fn target(name: String, table: &str) -> Target {
    let rows = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let cells = rows.map(|row| {
        let (id, rest) = row.split_once("  ").unwrap();
        (id.to_owned(), answer(rest))
    });
    Target { name, cells: cells.collect() }
}

/// The column says what the rule came to; the fact stands in the table of the target.
fn answer(rest: &str) -> &'static str {
    match rest.split_once("  ").map_or(rest, |(answer, _)| answer) {
        "holds" => "holds",
        "broken" => "**broken**",
        "not decided" => "not decided",
        other => panic!("no answer: {other}"),
    }
}

fn shown(cell: Option<&Cell>, reasons: &mut Vec<String>) -> String {
    match cell {
        None => "-".to_owned(),
        Some(Cell::Holds) => "holds".to_owned(),
        Some(Cell::Broken(severity)) => format!("**broken** ({severity})"),
        Some(Cell::NotDecided(why)) => {
            let at = reasons.iter().position(|known| known == why).unwrap_or_else(|| {
                reasons.push(why.clone());
                reasons.len() - 1
            });
            format!("not decided [{}]", at + 1)
        }
    }
}

fn numbered(reasons: &[String]) -> String {
    let rows = (1..).zip(reasons).map(|(number, why)| format!("{number}. {why}\n"));
    format!("\n## Why nothing was decided\n\n{}", rows.collect::<String>())
}

/// Audits as many at once as there are processors, and keeps their order.
fn side_by_side(all: &[Switches]) -> Vec<Answers> {
    let next = Mutex::new(0_usize);
    let found: Vec<OnceLock<Answers>> = all.iter().map(|_| OnceLock::new()).collect();
    let take = || {
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        *next += 1;
        all.iter().zip(&found).nth(*next - 1)
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((switches, place)) = take() {
                    let _ = place.set(bad_with(switches.clone()));
                }
            });
        }
    });
    found.into_iter().map(|answers| answers.into_inner().unwrap()).collect()
}
