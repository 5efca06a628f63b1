//! `cargo xtask laws`: the page that says what holds and what proves it, made from the proofs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::patch::Mutant;
use super::results::Results;
use super::{FOLDER, read_all};
use crate::repository::Repository;

/// The page.
const PAGE: &str = "docs/laws.md";
const CLAUSES: &str = "crates/cloakroom-conformance/src/clauses.rs";
const TESTS: &str = "crates/cloakroom/tests/laws";
const THREATS: &str = "docs/threat-model.md";
/// How many ways to break a law are tried at least.
const MUTANTS_LEAST: usize = 2;

struct Law {
    number: u8,
    name: &'static str,
    short: &'static str,
}

const LAWS: [Law; 12] = [
    law(
        1,
        "Only the server mints",
        "A ticket that we did not mint is like no ticket: never adopted, never echoed, never an error. Of two live sessions in one request neither counts.",
    ),
    law(
        2,
        "A leaked store opens nothing",
        "Stores see a digest of the token, and the public session id is another random value.",
    ),
    law(
        3,
        "Privilege changes the token",
        "A login or a change of user is a new session whose old key is dead at once; a renewal lets the old key forward for a short, capped grace.",
    ),
    law(4, "Ended stays ended", "No late write, touch, rotation or sweep brings a session back."),
    law(
        5,
        "No acknowledged write is lost",
        "Parallel changes of one session compose; what is not committed is not acknowledged.",
    ),
    law(
        6,
        "Reading is free",
        "A handler that does not ask costs no store call, one that reads costs one, and nothing is created by reading.",
    ),
    law(
        7,
        "Two clocks, both on the server",
        "Idle and absolute timeout are decided by the deadlines in the record; activity never moves the absolute one.",
    ),
    law(
        8,
        "An outage logs nobody out",
        "The store away means a bounded wait and 503, never a cleared cookie or a blank record.",
    ),
    law(
        9,
        "The newest answer owns the cookie",
        "A response sets the cookie only for an identity change that it committed and that is still the newest.",
    ),
    law(
        10,
        "Every ending has a reason",
        "Why a session ended is told for a day to the holder of its ticket; the memory of it is bounded.",
    ),
    law(11, "Secrets do not print", "No token reaches a log, an error or a page."),
    law(
        12,
        "Contradictions do not start",
        "A policy that browsers or standards refuse fails at build, with the reason and the remedy.",
    ),
];

const fn law(number: u8, name: &'static str, short: &'static str) -> Law {
    Law { number, name, short }
}

/// Writes the page, or says whether it is as it should be.
pub(crate) fn run(here: &Repository, check: bool) -> Result<(), String> {
    if check {
        let findings = findings(here)?;
        return if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) };
    }
    fs::write(here.root.join(PAGE), Proofs::read(here)?.page())
        .map_err(|error| format!("{PAGE} cannot be written: {error}"))
}

/// What is missing: a page that is not up to date, a law or a threat without its mutants.
pub(crate) fn findings(here: &Repository) -> Result<Vec<String>, String> {
    let proofs = Proofs::read(here)?;
    let mut findings = gaps(&proofs.mutants, &rows(&read(here, THREATS)?));
    if fs::read_to_string(here.root.join(PAGE)).ok() != Some(proofs.page()) {
        findings.push(format!("{PAGE} is not up to date: `cargo xtask laws` writes it"));
    }
    Ok(findings)
}

/// Everything that the page is made from.
struct Proofs {
    /// The clauses of each group, in their order.
    clauses: Vec<(String, Vec<String>)>,
    /// The modules of tests through HTTP, with the laws that they say they are about.
    modules: BTreeMap<String, BTreeSet<u8>>,
    mutants: Vec<Mutant>,
    /// The verdict on each mutant when it was last run.
    results: Results,
}

impl Proofs {
    fn read(here: &Repository) -> Result<Self, String> {
        let mut mutants = read_all(here)?;
        mutants.sort_by(|one, other| one.name.cmp(&other.name));
        let mut modules = BTreeMap::new();
        for source in here.sources(&[TESTS])? {
            let module = source.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let is_module = source.path.parent().is_some_and(|folder| folder.ends_with("laws"));
            if is_module && module != "main" {
                modules.insert(module, laws_of(&source.text));
            }
        }
        for (module, law) in mutants.iter().flat_map(noticed_in) {
            modules.entry(module).or_default().insert(law);
        }
        let results = Results::read(here);
        Ok(Self { clauses: clauses(&read(here, CLAUSES)?), modules, mutants, results })
    }

    fn page(&self) -> String {
        let mut page = String::from(HEAD);
        LAWS.iter().for_each(|law| page.push_str(&self.row(law)));
        LAWS.iter().for_each(|law| page.push_str(&self.section(law)));
        page.push_str("\n## Beyond the laws\n");
        for (group, clauses) in self.clauses.iter().filter(|(group, _)| number(group).is_none()) {
            page.push_str(&format!("\n{}:\n\n", sentence(group)));
            clauses.iter().for_each(|clause| page.push_str(&format!("- {clause}\n")));
        }
        let others = self.mutants.iter().filter(|mutant| mutant.law.is_none());
        page.push_str("\nMutants of the [threat model](threat-model.md) alone:\n\n");
        others.for_each(|mutant| page.push_str(&self.mutant(mutant)));
        page
    }

    fn row(&self, law: &Law) -> String {
        let Law { number, name, short } = law;
        let (modules, mutants) = (self.modules(*number).join(", "), self.mutants(*number));
        let clauses = self.clauses(*number).len();
        let clauses = if clauses == 0 { "-".to_owned() } else { clauses.to_string() };
        let killed = mutants.iter().filter(|mutant| self.result(mutant).starts_with("killed"));
        let (killed, all) = (killed.count(), mutants.len());
        let anchor =
            format!("l{number}-{}", name.to_lowercase().replace(' ', "-").replace(',', ""));
        format!(
            "| [L{number} {name}](#{anchor}) | {short} | {clauses} | {modules} | {all} | {killed} of {all} killed |\n"
        )
    }

    fn section(&self, law: &Law) -> String {
        let Law { number, name, short } = law;
        let mut text = format!("\n## L{number} {name}\n\n{short}\n");
        let clauses = self.clauses(*number);
        if !clauses.is_empty() {
            text.push_str("\nWhat every store proves:\n\n");
            clauses.iter().for_each(|clause| text.push_str(&format!("- {clause}\n")));
        }
        text.push_str("\nMutants:\n\n");
        self.mutants(*number).iter().for_each(|mutant| text.push_str(&self.mutant(mutant)));
        text
    }

    fn mutant(&self, mutant: &Mutant) -> String {
        let Mutant { name, breaks, .. } = mutant;
        format!("- [{name}](../{FOLDER}/{name}.patch): {breaks}. *{}*\n", self.result(mutant))
    }

    fn clauses(&self, law: u8) -> &[String] {
        let group = self.clauses.iter().find(|(group, _)| number(group) == Some(law));
        group.map(|(_, clauses)| clauses.as_slice()).unwrap_or_default()
    }

    fn modules(&self, law: u8) -> Vec<&str> {
        let about = self.modules.iter().filter(|(_, laws)| laws.contains(&law));
        about.map(|(module, _)| module.as_str()).collect()
    }

    fn mutants(&self, law: u8) -> Vec<&Mutant> {
        self.mutants.iter().filter(|mutant| mutant.law == Some(law)).collect()
    }

    fn result(&self, mutant: &Mutant) -> &str {
        self.results.of(mutant)
    }
}

const HEAD: &str = "\
# The laws

<!-- Written by `cargo xtask laws` from the clauses, the tests and the mutants; `cargo xtask check laws` compares. -->

What cloakroom promises, and what proves it. A *clause* is a test that every store passes
(`cloakroom-conformance`). *Tests through HTTP* are modules of `crates/cloakroom/tests/laws`. A *mutant* is a patch that
breaks the law on purpose; it is killed if the test that it names fails with it (`cargo xtask mutants`).

| law | in short | clauses | tests through HTTP | mutants | last result |
|---|---|---|---|---|---|
";

fn read(here: &Repository, path: &str) -> Result<String, String> {
    fs::read_to_string(here.root.join(path)).map_err(|error| format!("{path}: {error}"))
}

/// The groups of clauses and what each of them says: the list is a macro whose lines are either
/// `group {` or `theme::name,`.
fn clauses(source: &str) -> Vec<(String, Vec<String>)> {
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric())
    };
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for line in source.lines().map(str::trim) {
        if let Some(group) = line.strip_suffix(" {").filter(|group| is_word(group)) {
            groups.push((group.to_owned(), Vec::new()));
        } else if let Some((theme, name)) = line.strip_suffix(',').and_then(|l| l.split_once("::"))
            && is_word(theme)
            && is_word(name)
            && let Some((_, clauses)) = groups.last_mut()
        {
            clauses.push(name.replace('_', " "));
        }
    }
    groups.retain(|(_, clauses)| !clauses.is_empty());
    groups
}

/// The law of a group such as `l4_ended_stays_ended`.
fn number(group: &str) -> Option<u8> {
    group.strip_prefix('l')?.split('_').next()?.parse().ok()
}

fn sentence(group: &str) -> String {
    let text = group.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The laws that a test module names before the colon of its first line: `//! L3 and L4: ..`.
fn laws_of(source: &str) -> BTreeSet<u8> {
    let first = source.lines().next().and_then(|line| line.strip_prefix("//! "));
    let named = first.and_then(|line| line.split_once(':')).map_or("", |(named, _)| named);
    let words = named.split([' ', ',']).filter_map(|word| word.strip_prefix('L'));
    words.filter_map(|digits| digits.parse().ok()).collect()
}

/// The modules of tests through HTTP that have to notice a mutant, with its law.
fn noticed_in(mutant: &Mutant) -> Vec<(String, u8)> {
    let Some(law) = mutant.law else { return Vec::new() };
    let through_http = mutant.tests.iter().filter(|test| test.arguments.ends_with(&in_laws()));
    let modules = through_http.filter_map(|test| test.name.split_once("::"));
    modules.map(|(module, _)| (module.to_owned(), law)).collect()
}

fn in_laws() -> [String; 2] {
    ["--test".to_owned(), "laws".to_owned()]
}

/// The rows of the threat model's table: where their first cell leads to.
fn rows(page: &str) -> BTreeSet<String> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| ["));
    let anchors = cells.filter_map(|rest| rest.split_once("](#")?.1.split_once(')'));
    anchors.map(|(anchor, _)| anchor.to_owned()).collect()
}

/// Laws with too few mutants, rows without any, and mutants of rows that are not there.
fn gaps(mutants: &[Mutant], rows: &BTreeSet<String>) -> Vec<String> {
    let mut gaps = Vec::new();
    for Law { number, name, .. } in &LAWS {
        let there = mutants.iter().filter(|mutant| mutant.law == Some(*number)).count();
        if there < MUTANTS_LEAST {
            gaps.push(format!("L{number} {name} has {there} mutants, it needs {MUTANTS_LEAST}"));
        }
    }
    let covered: BTreeSet<&str> =
        mutants.iter().filter_map(|mutant| mutant.row.as_deref()).collect();
    let bare = rows.iter().filter(|row| !covered.contains(row.as_str()));
    gaps.extend(bare.map(|row| format!("the row `{row}` of {THREATS} has no mutant")));
    let unknown = covered.iter().filter(|row| !rows.contains(**row));
    gaps.extend(unknown.map(|row| format!("{THREATS} has no row `{row}`, which a mutant names")));
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "macro_rules! every_clause {\n    ($then:ident) => {\n        $crate::$then! {\n            \
        l1_only_the_server_mints {\n                creation::a_first,\n            }\n            \
        operators_see {\n                users::a_second,\n                users::a_third,\n            }\n";

    #[test]
    fn clauses_are_read_in_their_groups() {
        let read = clauses(SOURCE);

        let groups = read.iter().map(|(group, clauses)| (group.as_str(), clauses.len()));
        assert_eq!(
            groups.collect::<Vec<_>>(),
            [("l1_only_the_server_mints", 1), ("operators_see", 2)]
        );
        assert_eq!(read[0].1, ["a first"]);
        assert_eq!((number(&read[0].0), number(&read[1].0)), (Some(1), None));
        assert_eq!(sentence(&read[1].0), "Operators see");
    }

    #[test]
    fn a_module_says_in_its_first_line_which_laws_it_is_about() {
        assert_eq!(laws_of("//! L3 and L4: privilege.\n"), BTreeSet::from([3, 4]));
        assert_eq!(laws_of("//! L12: contradictions.\n"), BTreeSet::from([12]));
        assert_eq!(laws_of("//! The gate: which requests pass L9.\n"), BTreeSet::new());
    }

    #[test]
    fn a_law_or_a_threat_without_mutants_is_a_gap() {
        let mutant = |name: &str, header: &str| {
            let text = format!("{header}\nbreaks: x\ntest: -p a --lib t\n\n+++ b/x\n");
            Mutant::read(name, &text).unwrap()
        };
        let mut mutants: Vec<Mutant> = (1..=12)
            .flat_map(|law| {
                ["a", "b"].map(|name| mutant(&format!("L{law:02}-{name}"), &format!("law: L{law}")))
            })
            .collect();
        mutants.push(mutant("T-x", "row: theft"));
        let page = "| attack | x |\n|---|---|\n| [Theft](#theft) | x |\n";
        assert_eq!(gaps(&mutants, &rows(page)), Vec::<String>::new());

        mutants.remove(0);
        mutants.push(mutant("T-y", "row: thirst"));
        let found = gaps(&mutants, &rows(&format!("{page}| [Log leak](#log-leak) | x |\n")));

        assert_eq!(found.len(), 3, "{found:?}");
        for word in ["L1 ", "log-leak", "thirst"] {
            assert!(found.iter().any(|gap| gap.contains(word)), "{found:?}");
        }
    }
}
