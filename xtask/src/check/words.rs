//! Words that a source does not contain.

use std::path::Path;

use super::Verdict;
use super::lexer::{Comment, Token, mask, tokens};
use crate::repository::{Repository, Source};

/// Names under which anything would find a place.
const MODULES: [&str; 8] =
    ["common", "helper", "helpers", "misc", "prelude", "types", "util", "utils"];
/// Marks of work that is not done.
const NOTES: [&str; 3] = ["FIXME", "TODO", "XXX"];
/// Code that is not meant to stay, token by token.
const UNFINISHED: [(&[&str], &str); 4] = [
    (&["todo", "!"], "todo!"),
    (&["unimplemented", "!"], "unimplemented!"),
    (&["dbg", "!"], "dbg!"),
    (&["#", "[", "ignore"], "#[ignore]"),
];

const FOLDERS: [&str; 6] = ["bench", "crates", "examples", "fuzz", "journeys", "xtask"];

/// Reads every source, tests too.
pub(super) fn run(here: &Repository) -> Result<Verdict, String> {
    let sources = here.sources(&FOLDERS)?;
    println!("{} sources read", sources.len());
    Ok(Verdict::from_findings(&sources.iter().flat_map(findings).collect::<Vec<_>>()))
}

fn findings(source: &Source) -> Vec<String> {
    let masked = mask(&source.text);
    let tokens = tokens(&masked.code);
    let mut found = module_names(&source.path, &tokens);
    found.extend(foreign_letters(&source.text));
    found.extend(notes(&masked.comments));
    found.extend(unfinished(&tokens));
    found.sort();
    found
        .into_iter()
        .map(|(line, what)| format!("{}:{line} {what}", source.path.display()))
        .collect()
}

/// A line and what is wrong with it.
type Finding = (usize, String);

fn module_names(path: &Path, tokens: &[Token<'_>]) -> Vec<Finding> {
    let module = path.with_extension("");
    let from_path = module.iter().filter_map(|part| part.to_str()).map(|name| (1, name));
    let declared = tokens.windows(2).filter_map(|pair| match pair {
        [keyword, name] if keyword.text == "mod" => Some((name.line, name.text)),
        _ => None,
    });
    let forbidden = from_path.chain(declared).filter(|(_, name)| MODULES.contains(name));
    forbidden
        .map(|(line, name)| (line, format!("`{name}` says nothing about what is inside")))
        .collect()
}

fn foreign_letters(text: &str) -> Vec<Finding> {
    let lines = text.lines().zip(1..);
    let foreign =
        lines.filter_map(|(line, number)| Some((number, line.chars().find(|c| !c.is_ascii())?)));
    foreign.map(|(number, c)| (number, format!("U+{:04X} is not ASCII", u32::from(c)))).collect()
}

fn notes(comments: &[Comment]) -> Vec<Finding> {
    let mut found = Vec::new();
    for comment in comments {
        let mut words = comment.text.split(|c: char| !c.is_alphanumeric());
        if let Some(note) = words.find(|word| NOTES.contains(word)) {
            found.push((comment.line, format!("a {note} is an open end")));
        }
    }
    found
}

fn unfinished(tokens: &[Token<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (marks, name) in UNFINISHED {
        for window in tokens.windows(marks.len()) {
            if let [first, ..] = window
                && window.iter().map(|token| token.text).eq(marks.iter().copied())
            {
                found.push((first.line, format!("{name} does not stay")));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        findings(&Source { path: PathBuf::from(path), text: text.to_owned() })
    }

    #[test]
    fn each_forbidden_thing_is_found_on_its_line() {
        for (text, said) in [
            ("\nmod utils;", "a.rs:2 `utils` says"),
            ("pub(crate) mod types {}", "a.rs:1 `types` says"),
            ("fn f() { \"caf\u{e9}\"; }", "a.rs:1 U+00E9"),
            ("// TODO: later", "a.rs:1 a TODO"),
            ("/* a\nFIXME\n*/", "a.rs:2 a FIXME"),
            ("fn f() { todo!() }", "a.rs:1 todo!"),
            ("fn f() { unimplemented! () }", "a.rs:1 unimplemented!"),
            ("fn f() { dbg!(1); }", "a.rs:1 dbg!"),
            ("#[test]\n#[ignore = \"slow\"]\nfn f() {}", "a.rs:2 #[ignore]"),
        ] {
            let found = found("a.rs", text);

            let as_said = matches!(found.as_slice(), [one] if one.starts_with(said));
            assert!(as_said, "{text}: {found:?}");
        }
    }

    #[test]
    fn forbidden_names_are_found_in_paths() {
        assert_eq!(found("crates/a/tests/common/mod.rs", "").len(), 1);
        assert_eq!(found("crates/a/src/prelude.rs", "").len(), 1);
    }

    #[test]
    fn strings_and_longer_words_are_not_findings() {
        let text =
            "// TODOS, prelude\nmod typeset;\nfn todo() { \"todo!() // TODO\"; ignore(); }\n";

        assert_eq!(found("crates/a/src/lib.rs", text), Vec::<String>::new());
    }
}
