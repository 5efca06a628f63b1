//! What became of each mutant when it was last tried, as it is kept from run to run.
//!
//! One line for each: its name, the word of its verdict, and a digest of the patch that was tried.
//! A patch that has changed since has no result until it is tried again.

use std::collections::BTreeMap;
use std::fs;

use super::patch::Mutant;
use super::verdict::Tried;
use crate::repository::Repository;

/// Where they are, below the root.
pub(super) const RESULTS: &str = "testdata/mutants/results.txt";

/// The last verdict on each mutant, with the digest of its patch, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Results(BTreeMap<String, (String, String)>);

impl Results {
    /// Those of earlier runs; none if there was no run.
    pub(super) fn read(here: &Repository) -> Self {
        Self::parse(&fs::read_to_string(here.root.join(RESULTS)).unwrap_or_default())
    }

    /// A line of another form is as good as none.
    pub(super) fn parse(text: &str) -> Self {
        let words = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let rows = words.filter_map(|words| match words.as_slice() {
            [name, word, digest] => {
                Some(((*name).to_owned(), ((*word).to_owned(), (*digest).to_owned())))
            }
            _ => None,
        });
        Self(rows.collect())
    }

    /// The word of the last verdict on this patch.
    pub(super) fn of(&self, mutant: &Mutant) -> &str {
        match self.0.get(&mutant.name) {
            Some((word, digest)) if *digest == digest_of(&mutant.text) => word,
            Some(_) | None => "not run",
        }
    }

    /// Takes over what was tried now, and forgets mutants that are no more.
    pub(super) fn renew(&mut self, tried: &[Tried], all: &[Mutant]) {
        self.0.retain(|name, _| all.iter().any(|mutant| mutant.name == *name));
        for Tried { mutant, verdict, .. } in tried {
            let row = (verdict.word().to_owned(), digest_of(&mutant.text));
            self.0.insert(mutant.name.clone(), row);
        }
    }

    /// Keeps them for later.
    pub(super) fn write(&self, here: &Repository) -> Result<(), String> {
        fs::write(here.root.join(RESULTS), self.text())
            .map_err(|error| format!("{RESULTS} cannot be written: {error}"))
    }

    /// Ordered by name, without anything that differs between equal runs.
    fn text(&self) -> String {
        let line = |(name, (word, digest)): (&String, &(String, String))| {
            format!("{name} {word} {digest}\n")
        };
        self.0.iter().map(line).collect()
    }
}

/// 64 bits of FNV-1a: they tell one patch from another, and nobody gains by making two alike.
fn digest_of(text: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::verdict::Verdict;
    use super::*;

    fn mutant(name: &str, changes: &str) -> Mutant {
        let text = format!("law: L3\nbreaks: x\ntest: -p a --lib t\n\n+++ b/{changes}\n");
        Mutant::read(name, &text).unwrap()
    }

    fn tried(mutant: &Mutant, verdict: Verdict) -> Tried {
        Tried { mutant: mutant.clone(), verdict, took: Duration::ZERO }
    }

    #[test]
    fn a_result_is_of_the_patch_that_was_tried_and_of_no_other() {
        let (before, changed) = (mutant("L03-a", "one"), mutant("L03-a", "two"));
        let mut results = Results::default();

        results.renew(&[tried(&before, Verdict::Killed)], std::slice::from_ref(&before));

        let kept = Results::parse(&results.text());
        assert_eq!(kept, results);
        assert_eq!((kept.of(&before), kept.of(&changed)), ("killed", "not run"));
        assert_eq!(Results::parse("L03-a killed\n").of(&before), "not run", "of which patch?");
    }

    #[test]
    fn a_run_of_some_leaves_the_results_of_the_others() {
        let all = [mutant("L03-a", "a"), mutant("L03-b", "b")];
        let mut results = Results::default();
        let gone = mutant("L03-c", "c");
        results.renew(&[tried(&all[0], Verdict::Killed), tried(&gone, Verdict::Killed)], &all);

        results.renew(&[tried(&all[1], Verdict::Hung)], &all);

        assert_eq!((results.of(&all[0]), results.of(&all[1])), ("killed", "killed-by-timeout"));
        assert_eq!(results.of(&gone), "not run");
        assert_eq!(digest_of("a"), "af63dc4c8601ec8c", "as it was published for this text");
    }
}
