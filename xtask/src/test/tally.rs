//! The numbers in the closing lines of the two test runners.

use std::fmt;

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Whose closing lines are read. Either shows the other's inside the output of a failed test.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Runner {
    Cargo,
    Nextest,
}

/// The numbers of a closing line; `None` for any other line.
pub(crate) fn of_line(runner: Runner, line: &str) -> Option<Tally> {
    let counts = match runner {
        Runner::Cargo => line.strip_prefix("test result: ")?.split_once(". ")?.1,
        Runner::Nextest => nextest_counts(line)?,
    };
    let mut tally = Tally::default();
    for part in without_parentheses(counts).split([',', ';']) {
        tally.count(part);
    }
    Some(tally)
}

impl Tally {
    fn count(&mut self, part: &str) {
        let Some((number, what)) = part.trim().split_once(' ') else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        match what.trim() {
            "passed" => self.passed += number,
            "failed" | "timed out" | "exec failed" => self.failed += number,
            "skipped" | "ignored" => self.skipped += number,
            // Left out of the run by the filter, or no test at all ("measured").
            _ => {}
        }
    }

    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), Self::plus)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(out, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

fn nextest_counts(line: &str) -> Option<&str> {
    let summary = line.trim().strip_prefix("Summary ")?;
    ["tests run: ", "test run: "].iter().find_map(|mark| Some(summary.split_once(mark)?.1))
}

/// nextest explains its numbers in parentheses: `9 passed (1 slow, 1 flaky)`.
fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            other if depth == 0 => kept.push(other),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Option<Tally> {
        Some(Tally { passed, failed, skipped })
    }

    #[test]
    fn both_runners_closing_lines_are_counted() {
        let cargo = "test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.05s";
        let nextest = "     Summary [   1.2s] 14/15 tests run: 9 passed (1 slow, 1 leaky), 4 failed, 1 timed out, 2 skipped";
        let single = "     Summary [   0.0s] 1 test run: 1 passed, 0 skipped";

        assert_eq!(of_line(Runner::Cargo, cargo), tally(3, 2, 1));
        assert_eq!(of_line(Runner::Nextest, nextest), tally(9, 5, 2));
        assert_eq!(of_line(Runner::Nextest, single), tally(1, 0, 0));
    }

    #[test]
    fn other_lines_are_not_counted() {
        for line in ["", "running 3 tests", "3 passed; 0 failed", "test result::of ... ok"] {
            assert_eq!(of_line(Runner::Cargo, line), None, "{line}");
            assert_eq!(of_line(Runner::Nextest, line), None, "{line}");
        }
    }

    #[test]
    fn a_failed_tests_own_closing_line_is_not_counted_again() {
        let inner = "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured";

        assert_eq!(of_line(Runner::Nextest, inner.trim()), None);
        assert_eq!(of_line(Runner::Cargo, inner), None);
    }

    #[test]
    fn a_runner_without_numbers_leaves_the_total_unknown() {
        assert_eq!([tally(1, 0, 0), None].into_iter().sum::<Option<Tally>>(), None);
        assert_eq!(
            [tally(1, 0, 0), tally(2, 1, 0)].into_iter().sum::<Option<Tally>>(),
            tally(3, 1, 0)
        );
    }
}
