//! `cargo xtask check`: what must hold beside the tests.

mod laws;
mod layers;
mod lexer;
mod licences;
mod msrv;
mod mutants;
mod size;
mod spdx;
mod sqlx_graph;
mod toolchain;
mod words;

use std::time::Duration;

use crate::repository::Repository;

/// One named check.
pub(crate) struct Check {
    /// What is typed after `cargo xtask check`.
    pub(crate) name: &'static str,
    /// One line of help.
    pub(crate) about: &'static str,
    run: fn(&Repository) -> Result<Verdict, String>,
}

/// Every check, in the order in which they run: the quick ones first.
pub(crate) const CHECKS: &[Check] = &[
    Check { name: "fmt", about: "the sources are formatted", run: toolchain::fmt },
    Check { name: "layers", about: "crates depend on what they may depend on", run: layers::run },
    Check { name: "size", about: "no file over 400 lines, no function over 60", run: size::run },
    Check {
        name: "words",
        about: "no forbidden name, mark or letter in a source",
        run: words::run,
    },
    Check { name: "laws", about: "docs/laws.md and the mutants are complete", run: laws::run },
    Check { name: "mutants", about: "every mutant still fits the sources", run: mutants::run },
    Check {
        name: "licences",
        about: "licences and sources of all dependencies",
        run: licences::run,
    },
    Check { name: "deny", about: "cargo-deny, where it is installed", run: licences::deny },
    Check {
        name: "sqlx-graph",
        about: "cloakroom-sqlite and sqlx fit together",
        run: sqlx_graph::run,
    },
    Check { name: "clippy", about: "no lint fires, in tests neither", run: toolchain::clippy },
    Check {
        name: "docs",
        about: "the documentation builds without a warning",
        run: toolchain::docs,
    },
    Check { name: "msrv", about: "the oldest promised Rust compiles it", run: msrv::run },
];

/// What a check came to.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    /// With the number of findings or another short reason; the findings themselves are printed before.
    Failed(String),
    /// With the reason. Never taken for a pass.
    NotRun(String),
}

impl Verdict {
    /// Prints what was found; anything found is a failure.
    fn from_findings(findings: &[String]) -> Self {
        for finding in findings {
            println!("{finding}");
        }
        match findings.len() {
            0 => Self::Passed,
            1 => Self::Failed("1 finding".to_owned()),
            several => Self::Failed(format!("{several} findings")),
        }
    }

    fn from_success(success: bool) -> Self {
        if success { Self::Passed } else { Self::Failed("see its output above".to_owned()) }
    }
}

struct Row {
    name: &'static str,
    verdict: Verdict,
    took: Duration,
}

/// Runs the chosen checks, or all when none is chosen, and prints the table of verdicts; an error if one failed.
pub(crate) fn run(here: &Repository, chosen: &[String]) -> Result<(), String> {
    let wanted = |check: &Check| chosen.is_empty() || chosen.iter().any(|name| name == check.name);
    let rows: Vec<Row> = CHECKS.iter().map(|check| row(check, here, wanted(check))).collect();
    println!();
    for row in &rows {
        println!("{}", line(row));
    }
    println!("{}", totals(&rows));
    match rows.iter().any(|row| matches!(row.verdict, Verdict::Failed(_))) {
        true => Err("a check failed".to_owned()),
        false => Ok(()),
    }
}

#[allow(clippy::disallowed_methods, reason = "how long a check took is read from the real clock")]
fn row(check: &Check, here: &Repository, wanted: bool) -> Row {
    if !wanted {
        let verdict = Verdict::NotRun("it was not asked for".to_owned());
        return Row { name: check.name, verdict, took: Duration::ZERO };
    }
    println!("== {}", check.name);
    let began = std::time::Instant::now();
    let verdict = (check.run)(here).unwrap_or_else(|sentence| {
        println!("{sentence}");
        Verdict::Failed("it could not be carried out".to_owned())
    });
    Row { name: check.name, verdict, took: began.elapsed() }
}

fn line(row: &Row) -> String {
    let (word, why) = match &row.verdict {
        Verdict::Passed => ("passed", ""),
        Verdict::Failed(why) => ("FAILED", why.as_str()),
        Verdict::NotRun(why) => ("not run", why.as_str()),
    };
    let seconds = format!("{:.1} s", row.took.as_secs_f64());
    format!("{:<11} {word:<8} {seconds:>8}  {why}", row.name).trim_end().to_owned()
}

fn totals(rows: &[Row]) -> String {
    let (mut passed, mut failed, mut not_run) = (0, 0, 0);
    for row in rows {
        match row.verdict {
            Verdict::Passed => passed += 1,
            Verdict::Failed(_) => failed += 1,
            Verdict::NotRun(_) => not_run += 1,
        }
    }
    format!("{passed} passed, {failed} failed, {not_run} not run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_run_is_counted_apart() {
        let row = |verdict| Row { name: "any", verdict, took: Duration::from_millis(1_500) };
        let rows = [
            row(Verdict::Passed),
            row(Verdict::Failed("2 findings".to_owned())),
            row(Verdict::NotRun("no compiler".to_owned())),
        ];

        let lines: Vec<String> = rows.iter().map(line).collect();

        assert_eq!(totals(&rows), "1 passed, 1 failed, 1 not run");
        assert_eq!(
            lines,
            [
                "any         passed      1.5 s",
                "any         FAILED      1.5 s  2 findings",
                "any         not run     1.5 s  no compiler",
            ]
        );
    }
}
