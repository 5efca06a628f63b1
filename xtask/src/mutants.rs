//! `cargo xtask mutants`: every defence is broken on purpose, and the test that guards it has to notice.
//!
//! A mutant is a patch in `testdata/mutants`. It is applied to a copy of the repository, the test
//! that it names is built and run there, and it is killed if that test fails.

pub(crate) mod laws;
mod patch;
mod results;
mod run;
mod sample;
mod tree;
mod verdict;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::arguments::MutantPlan;
use crate::repository::Repository;
use patch::{Mutant, Test};
use results::Results;
use run::Workshop;
use tree::Tree;
use verdict::{Tried, Verdict};

/// Where the patches are, below the root.
const FOLDER: &str = "testdata/mutants";

/// Kills the chosen mutants; an error if one of them lives.
pub(crate) fn run(here: &Repository, plan: &MutantPlan) -> Result<(), String> {
    let all = read_all(here)?;
    let chosen = chosen(all.clone(), plan)?;
    if plan.list {
        let mut lines: Vec<String> = chosen.iter().map(Mutant::line).collect();
        lines.sort();
        println!("{}", lines.join("\n"));
        return Ok(());
    }
    let folder = target_folder(here).join("mutants");
    let tree = Tree::copy(here, &folder.join("tree"))?;
    let workshop = Workshop::new(tree.root.clone(), folder.join("build"));
    let (unbroken, took) = timed(|| unbroken(&workshop, &chosen));
    unbroken?;
    println!("without a mutant every named test passes ({:.0} s)\n", took.as_secs_f64());
    println!("{}", verdict::head());
    let mut tried = Vec::new();
    for mutant in chosen {
        let (verdict, took) = timed(|| verdict_on(&tree, &workshop, &mutant));
        let one = Tried { mutant, verdict: verdict?, took };
        println!("{}", one.row());
        tried.push(one);
    }
    println!("\n{}", verdict::totals(&tried));
    let mut results = Results::read(here);
    results.renew(&tried, &all);
    results.write(here)?;
    match tried.iter().all(|one| one.verdict.is_dead()) {
        true => Ok(()),
        false => Err("a mutant lives: the promise it breaks has no test that notices".to_owned()),
    }
}

/// The mutants that no longer fit the working tree, each with what git says.
pub(crate) fn stale(here: &Repository) -> Result<Vec<String>, String> {
    let tree = Tree { root: here.root.clone() };
    let mut stale = Vec::new();
    for mutant in read_all(here)? {
        if let Some(why) = tree.misfit(&mutant.text)? {
            stale.push(format!("{FOLDER}/{}.patch does not apply: {why}", mutant.name));
        }
    }
    stale.sort();
    Ok(stale)
}

/// Every mutant, those that change the same crate and are seen by the same tests together, so that
/// each costs one small build.
fn read_all(here: &Repository) -> Result<Vec<Mutant>, String> {
    let folder = here.root.join(FOLDER);
    let unreadable = |error| format!("{FOLDER} cannot be read: {error}");
    let mut mutants = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).map_err(unreadable)?;
            mutants.push(Mutant::read(&name, &text)?);
        }
    }
    mutants.sort_by(|one, other| one.place().cmp(&other.place()));
    Ok(mutants)
}

fn chosen(mut mutants: Vec<Mutant>, plan: &MutantPlan) -> Result<Vec<Mutant>, String> {
    for name in &plan.names {
        if !mutants.iter().any(|mutant| mutant.is_called(name)) {
            return Err(format!("there is no mutant `{name}` in {FOLDER}"));
        }
    }
    if !plan.names.is_empty() {
        mutants.retain(|mutant| plan.names.iter().any(|name| mutant.is_called(name)));
    }
    let Some(number) = plan.sample else { return Ok(mutants) };
    let seed = plan.seed.unwrap_or_else(sample::seed);
    println!("a sample of {number}; `--seed {seed}` draws it again");
    Ok(sample::draw(mutants, number, seed))
}

/// A test that fails without a mutant says nothing about one.
fn unbroken(workshop: &Workshop, chosen: &[Mutant]) -> Result<(), String> {
    let mut runs: BTreeMap<&[String], Vec<&Test>> = BTreeMap::new();
    for test in chosen.iter().flat_map(|mutant| &mutant.tests) {
        runs.entry(&test.arguments).or_default().push(test);
    }
    let mut wrong = Vec::new();
    for (arguments, tests) in runs {
        let outcome = workshop.run(arguments, &tests)?;
        if let Some(said) = outcome.build_failure() {
            return Err(format!("the copy does not build without a mutant:\n{said}"));
        }
        wrong.extend(tests.iter().filter_map(|test| outcome.why_not_passed(test)));
    }
    wrong.sort();
    wrong.dedup();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn verdict_on(tree: &Tree, workshop: &Workshop, mutant: &Mutant) -> Result<Verdict, String> {
    let applied = match tree.apply(&mutant.text, &mutant.files) {
        Ok(applied) => applied,
        Err(why) => return Ok(Verdict::DoesNotApply(why)),
    };
    let mut verdict = Verdict::Killed;
    for test in &mutant.tests {
        verdict = verdict.and(workshop.run(&test.arguments, &[test])?.verdict(test));
        if !verdict.is_dead() {
            break;
        }
    }
    applied.take_back()?;
    Ok(verdict)
}

fn target_folder(here: &Repository) -> std::path::PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => here.root.join(folder),
        None => here.root.join("target"),
    }
}

#[allow(clippy::disallowed_methods, reason = "how long it took is read from the real clock")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = std::time::Instant::now();
    let done = work();
    (done, began.elapsed())
}
