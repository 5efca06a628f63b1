//! One mutant: what it breaks, who has to notice, and the change itself.

/// A patch with a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mutant {
    /// The file's name without its ending.
    pub(crate) name: String,
    /// The law that it breaks; a mutant of the threat model alone has none.
    pub(crate) law: Option<u8>,
    /// What is wrong with it, in a sentence without its full stop.
    pub(crate) breaks: String,
    /// The row of the threat model that it belongs to.
    pub(crate) row: Option<String>,
    /// The tests that have to fail, each of them.
    pub(crate) tests: Vec<Test>,
    /// The files that it changes.
    pub(crate) files: Vec<String>,
    /// Header and diff.
    pub(crate) text: String,
}

/// One test, as cargo finds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Test {
    /// What cargo is told, so that it builds one test program.
    pub(crate) arguments: Vec<String>,
    /// The test's name in that program.
    pub(crate) name: String,
}

impl Mutant {
    /// Reads a patch; the error says what its header lacks.
    pub(crate) fn read(name: &str, text: &str) -> Result<Self, String> {
        let wrong = |what: String| format!("mutant {name}: {what}");
        let (header, diff) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut mutant = Self {
            name: name.to_owned(),
            law: None,
            breaks: String::new(),
            row: None,
            tests: Vec::new(),
            files: files_of(diff),
            text: text.to_owned(),
        };
        for line in header.lines() {
            mutant.take(line).map_err(wrong)?;
        }
        match mutant.missing() {
            Some(what) => Err(wrong(what.to_owned())),
            None => Ok(mutant),
        }
    }

    /// Whether it is meant by this name: its own, or the beginning of it, such as `L04`.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }

    /// What is built for it: mutants that are alike in this stand together.
    pub(crate) fn place(&self) -> (Option<&str>, &[Test], &str) {
        let package = self.files.first().and_then(|file| file.split("/src/").next());
        (package, &self.tests, &self.name)
    }

    /// The law as people write it.
    pub(crate) fn law_name(&self) -> String {
        self.law.map_or_else(|| "-".to_owned(), |law| format!("L{law}"))
    }

    /// One line of a list.
    pub(crate) fn line(&self) -> String {
        format!("{:<44} {:<4} {}", self.name, self.law_name(), self.breaks)
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let (key, value) = line.split_once(": ").ok_or_else(|| format!("`{line}` is no header"))?;
        match key {
            "law" => self.law = Some(law(value)?),
            "breaks" => self.breaks = value.trim().to_owned(),
            "row" => self.row = Some(value.trim().to_owned()),
            "test" => self.tests.push(Test::read(value)?),
            unknown => return Err(format!("`{unknown}` is no header")),
        }
        Ok(())
    }

    fn missing(&self) -> Option<&'static str> {
        let prefix = self.law.map_or_else(|| "T-".to_owned(), |law| format!("L{law:02}-"));
        if !self.name.starts_with(&prefix) {
            Some("its name begins with its law (`L04-`), or with `T-` if it has none")
        } else if self.breaks.is_empty() {
            Some("no `breaks:` says what it breaks")
        } else if self.tests.is_empty() {
            Some("no `test:` says who has to notice")
        } else if self.law.is_none() && self.row.is_none() {
            Some("neither `law:` nor `row:` says where it belongs")
        } else if self.files.is_empty() {
            Some("it changes nothing: after the header come an empty line and the diff")
        } else {
            None
        }
    }
}

impl Test {
    fn read(text: &str) -> Result<Self, String> {
        let mut arguments: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let name = arguments.pop().unwrap_or_default();
        let programs =
            arguments.iter().filter(|word| matches!(word.as_str(), "--lib" | "--bin" | "--test"));
        if programs.count() != 1 || !arguments.iter().any(|word| word == "-p") {
            return Err(format!("`{text}` names no package, or not exactly one test program"));
        }
        Ok(Self { arguments, name })
    }
}

fn law(text: &str) -> Result<u8, String> {
    let number = text.trim().strip_prefix('L').and_then(|digits| digits.parse().ok());
    number.filter(|law| (1..=12).contains(law)).ok_or_else(|| format!("there is no law `{text}`"))
}

fn files_of(diff: &str) -> Vec<String> {
    let files = diff.lines().filter_map(|line| line.strip_prefix("+++ b/"));
    files.map(|path| path.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str =
        "--- a/crates/a/src/lib.rs\n+++ b/crates/a/src/lib.rs\n@@ -1 +1 @@\n-a\n+b\n";

    fn read(name: &str, header: &str) -> Result<Mutant, String> {
        Mutant::read(name, &format!("{header}\n\n{DIFF}"))
    }

    #[test]
    fn a_header_says_what_is_broken_and_who_has_to_notice() {
        let header = "law: L3\nbreaks: the old token lives on\nrow: fixation\n\
                      test: -p a --features x,y --test laws one::two\ntest: -p a --lib three";

        let mutant = read("L03-old-token", header).unwrap();

        assert_eq!((mutant.law, mutant.row.as_deref()), (Some(3), Some("fixation")));
        assert_eq!(mutant.breaks, "the old token lives on");
        assert_eq!(mutant.files, ["crates/a/src/lib.rs"]);
        assert_eq!(mutant.tests.len(), 2);
        assert_eq!(mutant.tests[0].arguments, ["-p", "a", "--features", "x,y", "--test", "laws"]);
        assert_eq!(mutant.tests[0].name, "one::two");
        assert_eq!(mutant.place().0, Some("crates/a"));
    }

    #[test]
    fn a_mutant_is_called_by_its_name_or_by_its_law() {
        let mutant = read("L03-old-token", "law: L3\nbreaks: x\ntest: -p a --lib t").unwrap();

        assert!(mutant.is_called("L03") && mutant.is_called("L03-old-token"));
        assert!(!mutant.is_called("L0") && !mutant.is_called("L03-old-tok"));
    }

    #[test]
    fn what_a_header_lacks_is_named() {
        let test = "test: -p a --lib t";
        for (name, header, word) in [
            ("L03-x", format!("breaks: x\n{test}"), "its law"),
            ("L04-x", format!("law: L3\nbreaks: x\n{test}"), "its law"),
            ("L13-x", format!("law: L13\nbreaks: x\n{test}"), "no law `L13`"),
            ("T-x", format!("breaks: x\n{test}"), "row:"),
            ("T-x", format!("row: a\n{test}"), "breaks:"),
            ("T-x", "row: a\nbreaks: x".to_owned(), "test:"),
            ("T-x", "row: a\nbreaks: x\ntest: -p a t".to_owned(), "test program"),
            ("T-x", "row: a\nbreaks: x\ntest: -p a --lib --test b t".to_owned(), "test program"),
            ("T-x", format!("row: a\nbraeks: x\n{test}"), "`braeks`"),
            ("T-x", format!("row: a\nbreaks: x\n{test}\nmore"), "`more`"),
        ] {
            let refused = read(name, &header);

            assert!(refused.as_ref().is_err_and(|text| text.contains(word)), "{refused:?}");
        }
        let bare = Mutant::read("T-x", &format!("row: a\nbreaks: x\n{test}\n"));
        assert!(bare.is_err_and(|text| text.contains("changes nothing")));
    }
}
