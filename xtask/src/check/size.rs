//! The size budget: files and functions that fit on a screen.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Verdict;
use super::lexer::{Function, TestItem, functions, mask, test_items, tokens};
use crate::repository::{Repository, Source};

/// Lines of a file, without what only tests see.
const FILE_LIMIT: usize = 400;
/// Lines from a function's signature to its closing brace.
const FUNCTION_LIMIT: usize = 60;
/// How many of the longest are shown.
const SHOWN: usize = 5;

/// Where the budget holds: every `src` folder below these.
const FOLDERS: [&str; 4] = ["crates", "examples", "journeys", "xtask"];

/// Measures every source outside of the tests.
pub(super) fn run(here: &Repository) -> Result<Verdict, String> {
    let mut sources = here.sources(&FOLDERS)?;
    sources.retain(|source| source.path.iter().any(|part| part == "src"));
    let measured = measure(&sources);
    report("files", "file", &measured.files);
    report("functions", "function", &measured.functions);
    Ok(Verdict::from_findings(&measured.findings()))
}

/// One length and what has it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Length {
    lines: usize,
    what: String,
}

#[derive(Debug, Default)]
struct Measured {
    files: Vec<Length>,
    functions: Vec<Length>,
}

impl Measured {
    fn findings(&self) -> Vec<String> {
        let over = |all: &[Length], limit: usize| -> Vec<String> {
            let over = all.iter().filter(|each| each.lines > limit);
            over.map(|each| format!("{} has {} lines, {limit} are allowed", each.what, each.lines))
                .collect()
        };
        [over(&self.files, FILE_LIMIT), over(&self.functions, FUNCTION_LIMIT)].concat()
    }
}

struct File<'a> {
    path: &'a Path,
    lines: usize,
    functions: Vec<Function>,
    tests: Vec<TestItem>,
}

fn measure(sources: &[Source]) -> Measured {
    let files: Vec<File<'_>> = sources.iter().map(read).collect();
    let tests: BTreeSet<PathBuf> = files.iter().flat_map(test_folders).collect();
    let mut measured = Measured::default();
    for file in files.iter().filter(|file| !is_test_file(file.path, &tests)) {
        let path = file.path.display();
        measured.files.push(Length { lines: file.own_lines(), what: path.to_string() });
        measured.functions.extend(file.own_functions().map(|function| Length {
            lines: function.length,
            what: format!("{path}:{} {}", function.line, function.name),
        }));
    }
    measured
}

fn read(source: &Source) -> File<'_> {
    let code = mask(&source.text).code;
    let tokens = tokens(&code);
    File {
        path: &source.path,
        lines: source.text.lines().count(),
        functions: functions(&tokens),
        tests: test_items(&tokens),
    }
}

impl File<'_> {
    fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|item| item.covers(line))
    }

    fn own_lines(&self) -> usize {
        (1..=self.lines).filter(|line| !self.is_test(*line)).count()
    }

    fn own_functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.iter().filter(|function| !self.is_test(function.line))
    }
}

/// Paths, without `.rs`, of the modules that this file declares for tests only.
fn test_folders(file: &File<'_>) -> Vec<PathBuf> {
    let stem = file.path.file_stem().unwrap_or_default();
    let parent = file.path.parent().unwrap_or_else(|| Path::new(""));
    let folder = match stem.to_str() {
        Some("mod" | "lib" | "main") => parent.to_owned(),
        Some(_) | None => parent.join(stem),
    };
    file.tests
        .iter()
        .filter_map(|item| item.module.as_ref())
        .map(|name| folder.join(name))
        .collect()
}

fn is_test_file(path: &Path, tests: &BTreeSet<PathBuf>) -> bool {
    let module = path.with_extension("");
    module.ancestors().any(|part| tests.contains(part))
}

fn report(plural: &str, singular: &str, all: &[Length]) {
    let mut sorted: Vec<&Length> = all.iter().collect();
    sorted.sort_by(|one, other| other.cmp(one));
    let (median, tenth) = (percentile(&sorted, 50), percentile(&sorted, 90));
    println!(
        "{} {plural}: the median {singular} has {median} lines, nine in ten at most {tenth}",
        all.len()
    );
    for longest in sorted.iter().take(SHOWN) {
        println!("  {:>4}  {}", longest.lines, longest.what);
    }
}

/// The smallest length that this share of all does not exceed; `sorted` begins with the longest.
fn percentile(sorted: &[&Length], percent: usize) -> usize {
    let position = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.iter().rev().nth(position).map_or(0, |length| length.lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: PathBuf::from(path), text: text.to_owned() }
    }

    fn long_function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    ();\n".repeat(lines - 2))
    }

    #[test]
    fn the_limits_are_what_is_just_allowed() {
        let fits = measure(&[source("a/src/lib.rs", &long_function(60))]);
        let exceeds = measure(&[
            source("a/src/lib.rs", &long_function(61)),
            source("a/src/wide.rs", &"//\n".repeat(401)),
        ]);

        assert_eq!(fits.findings(), Vec::<String>::new());
        assert_eq!(
            exceeds.findings(),
            [
                "a/src/wide.rs has 401 lines, 400 are allowed",
                "a/src/lib.rs:1 long has 61 lines, 60 are allowed",
            ]
        );
    }

    #[test]
    fn tests_are_free_inside_a_file_and_in_files_of_their_own() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", long_function(500));
        let apart = long_function(500);

        let measured = measure(&[
            source("a/src/lib.rs", &format!("fn short() {{}}\n{tests}")),
            source("a/src/store.rs", "#[cfg(test)]\nmod tests;\n"),
            source("a/src/store/tests.rs", &apart),
            source("a/src/store/tests/model.rs", &apart),
        ]);

        assert_eq!(measured.findings(), Vec::<String>::new());
        assert_eq!(measured.files.len(), 2);
        assert_eq!(measured.functions.len(), 1);
    }

    #[test]
    fn percentiles_are_lengths_that_occur() {
        let lengths: Vec<Length> =
            (1..=10).rev().map(|lines| Length { lines, what: String::new() }).collect();
        let sorted: Vec<&Length> = lengths.iter().collect();

        assert_eq!((percentile(&sorted, 50), percentile(&sorted, 90)), (5, 9));
        assert_eq!(percentile(&[], 50), 0);
    }
}
