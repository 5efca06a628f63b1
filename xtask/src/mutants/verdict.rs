//! What the output of a test program means for a mutant.

use std::time::Duration;

use super::patch::{Mutant, Test};

/// What came of building and running a test program.
pub(crate) enum Outcome {
    /// It could not be built; with what the compiler said.
    NotBuilt(String),
    Ran(Program),
}

/// A test program that ran.
pub(crate) struct Program {
    /// Its standard output.
    pub(crate) text: String,
    pub(crate) succeeded: bool,
    /// It was ended because its time was over.
    pub(crate) hung: bool,
}

/// What became of one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passed,
    Failed,
    /// It began, and neither passed nor failed before its program ended.
    Unfinished,
    /// Its program ended before anything was heard of it.
    Unheard,
    /// The program has no test of this name.
    Unknown,
}

/// What became of a mutant. Only the first three are as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every test that it names failed.
    Killed,
    /// A test that it names ended its program: it began, and did not come to its end.
    Aborted,
    /// A test that it names did not end in time.
    Hung,
    /// This test passed.
    Survived(String),
    /// The program ended before this test began, which is no merit of it.
    NeverBegan(String),
    /// There is no test of this name.
    NoSuchTest(String),
    /// The compiler refuses it, which is no test's merit.
    DoesNotCompile(String),
    /// The sources have changed under it.
    DoesNotApply(String),
}

/// A mutant that was tried.
pub(crate) struct Tried {
    pub(crate) mutant: Mutant,
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
}

impl Outcome {
    /// What a mutant's run says.
    pub(crate) fn verdict(&self, test: &Test) -> Verdict {
        let program = match self {
            Self::NotBuilt(said) => return Verdict::DoesNotCompile(first_error(said)),
            Self::Ran(program) => program,
        };
        match program.fate(&test.name) {
            Fate::Failed => Verdict::Killed,
            Fate::Unfinished | Fate::Unheard if program.hung => Verdict::Hung,
            Fate::Unfinished => Verdict::Aborted,
            Fate::Unheard => Verdict::NeverBegan(test.name.clone()),
            Fate::Passed => Verdict::Survived(test.name.clone()),
            Fate::Unknown => Verdict::NoSuchTest(test.name.clone()),
        }
    }

    pub(crate) fn build_failure(&self) -> Option<&str> {
        match self {
            Self::NotBuilt(said) => Some(said),
            Self::Ran(_) => None,
        }
    }

    /// What is wrong with a test that has to pass. One that is not there is the mutant's fault, and
    /// told with it.
    pub(crate) fn why_not_passed(&self, test: &Test) -> Option<String> {
        let name = &test.name;
        let fate = match self {
            Self::NotBuilt(_) => Fate::Unfinished,
            Self::Ran(program) => program.fate(name),
        };
        match fate {
            Fate::Passed | Fate::Unknown => None,
            Fate::Failed => Some(format!("{name} fails without a mutant")),
            Fate::Unfinished | Fate::Unheard => {
                Some(format!("{name} does not end without a mutant"))
            }
        }
    }
}

impl Program {
    fn fate(&self, name: &str) -> Fate {
        let said = self.text.lines().find_map(|line| {
            let rest = line.strip_prefix("test ")?.strip_prefix(name)?;
            let (mark, word) = rest.split_once(" ... ")?;
            (mark.is_empty() || mark == " - should panic").then(|| word.trim())
        });
        match said {
            Some("ok") => Fate::Passed,
            Some(word) if word.starts_with("FAILED") => Fate::Failed,
            Some(_) => Fate::Unfinished,
            None if self.succeeded || self.ran_nothing() => Fate::Unknown,
            None => Fate::Unheard,
        }
    }

    fn ran_nothing(&self) -> bool {
        self.text.lines().any(|line| line == "running 0 tests")
    }
}

impl Verdict {
    /// Both tests have to notice: the worse verdict counts.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Killed, other) => other,
            (one, Self::Killed) => one,
            (Self::Aborted | Self::Hung, other) => other,
            (
                one @ (Self::Survived(_)
                | Self::NeverBegan(_)
                | Self::NoSuchTest(_)
                | Self::DoesNotCompile(_)
                | Self::DoesNotApply(_)),
                _,
            ) => one,
        }
    }

    pub(crate) const fn is_dead(&self) -> bool {
        match self {
            Self::Killed | Self::Aborted | Self::Hung => true,
            Self::Survived(_)
            | Self::NeverBegan(_)
            | Self::NoSuchTest(_)
            | Self::DoesNotCompile(_)
            | Self::DoesNotApply(_) => false,
        }
    }

    /// The word for tables and results.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Aborted => "killed-by-abort",
            Self::Hung => "killed-by-timeout",
            Self::Survived(_) => "SURVIVED",
            Self::NeverBegan(_) => "NEVER-BEGAN",
            Self::NoSuchTest(_) => "NO-SUCH-TEST",
            Self::DoesNotCompile(_) => "DOES-NOT-COMPILE",
            Self::DoesNotApply(_) => "DOES-NOT-APPLY",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Killed => String::new(),
            Self::Aborted => "the test ended its program".to_owned(),
            Self::Hung => "hung (killed by the time limit)".to_owned(),
            Self::Survived(test) => format!("{test} passes with it"),
            Self::NeverBegan(test) => format!("the program ended before {test} began"),
            Self::NoSuchTest(test) => format!("there is no test {test}"),
            Self::DoesNotCompile(why) => format!("does not compile: {why}"),
            Self::DoesNotApply(why) => {
                format!("the sources have changed, so that it no longer applies: {why}")
            }
        }
    }
}

/// The head of the table.
pub(crate) fn head() -> String {
    format!("{:<44} {:<4} {:<17} {:>6}  test", "mutant", "law", "verdict", "s")
}

impl Tried {
    /// A row of the table, and what is wrong below it.
    pub(crate) fn row(&self) -> String {
        let Self { mutant, verdict, took } = self;
        let tests: Vec<&str> = mutant.tests.iter().map(|test| test.name.as_str()).collect();
        let (law, word) = (mutant.law_name(), verdict.word());
        let (seconds, tests) = (took.as_secs_f64(), tests.join(", "));
        let row = format!("{:<44} {law:<4} {word:<17} {seconds:>6.1}  {tests}", mutant.name);
        match verdict.sentence() {
            nothing if nothing.is_empty() => row,
            sentence => format!("{row}\n    {sentence}"),
        }
    }
}

/// The closing line.
pub(crate) fn totals(tried: &[Tried]) -> String {
    let count =
        |wanted: fn(&Verdict) -> bool| tried.iter().filter(|one| wanted(&one.verdict)).count();
    let seconds: f64 = tried.iter().map(|one| one.took.as_secs_f64()).sum();
    format!(
        "{} killed, {} by an abort, {} by the time limit, {} survived, {} could not be judged; {seconds:.0} s",
        count(|verdict| *verdict == Verdict::Killed),
        count(|verdict| *verdict == Verdict::Aborted),
        count(|verdict| *verdict == Verdict::Hung),
        count(|verdict| matches!(verdict, Verdict::Survived(_))),
        count(|verdict| {
            matches!(
                verdict,
                Verdict::NeverBegan(_)
                    | Verdict::NoSuchTest(_)
                    | Verdict::DoesNotCompile(_)
                    | Verdict::DoesNotApply(_)
            )
        }),
    )
}

/// The compiler's first sentence about what is wrong.
fn first_error(said: &str) -> String {
    let error = said.lines().find(|line| line.starts_with("error"));
    error.or_else(|| said.lines().next()).unwrap_or("the compiler said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str) -> Test {
        Test { arguments: vec!["-p".to_owned(), "a".to_owned()], name: name.to_owned() }
    }

    fn ran(text: &str, succeeded: bool, hung: bool) -> Outcome {
        Outcome::Ran(Program { text: text.to_owned(), succeeded, hung })
    }

    const FAILED: &str = "\nrunning 2 tests\ntest a::b ... FAILED\ntest a::c ... ok\n\nfailures:\n";

    #[test]
    fn only_a_test_that_ran_and_failed_kills() {
        let rows = [
            (ran(FAILED, false, false), "a::b", Verdict::Killed),
            (ran(FAILED, false, false), "a::c", Verdict::Survived("a::c".into())),
            (ran(FAILED, false, false), "a::d", Verdict::NeverBegan("a::d".into())),
            (ran("", false, false), "x", Verdict::NeverBegan("x".into())),
            (ran("running 1 test\n", false, false), "x", Verdict::NeverBegan("x".into())),
            (ran("running 0 tests\n", true, false), "a", Verdict::NoSuchTest("a".into())),
            (ran("running 1 test\ntest x - should panic ... ok\n", true, false), "x", {
                Verdict::Survived("x".into())
            }),
            (ran("running 1 test\n", false, true), "x", Verdict::Hung),
            (ran("running 1 test\ntest x ... ", false, false), "x", Verdict::Aborted),
            (
                Outcome::NotBuilt("warning: w\nerror[E0308]: mismatched types\n --> x".into()),
                "x",
                { Verdict::DoesNotCompile("error[E0308]: mismatched types".into()) },
            ),
        ];
        for (outcome, name, verdict) in rows {
            assert_eq!(outcome.verdict(&test(name)), verdict, "{name}");
        }
    }

    #[test]
    fn without_a_mutant_everything_but_a_pass_is_told() {
        let outcome = ran(FAILED, false, false);

        assert_eq!(outcome.why_not_passed(&test("a::c")), None);
        assert!(outcome.why_not_passed(&test("a::b")).is_some_and(|why| why.contains("fails")));
        let missing = ran("running 0 tests\n", true, false);
        assert_eq!(missing.why_not_passed(&test("a::e")), None, "the mutant is to blame");
    }

    #[test]
    fn every_named_test_has_to_notice() {
        let survived = || Verdict::Survived("a".into());

        assert_eq!(Verdict::Killed.and(Verdict::Killed), Verdict::Killed);
        assert_eq!(Verdict::Killed.and(Verdict::Hung), Verdict::Hung);
        assert_eq!(Verdict::Hung.and(survived()), survived());
        assert_eq!(Verdict::Aborted.and(survived()), survived());
        assert!(!Verdict::NeverBegan("a".into()).is_dead() && Verdict::Aborted.is_dead());
        assert_eq!(survived().and(Verdict::Killed), survived());
        assert!(!survived().is_dead());
    }

    #[test]
    fn the_closing_line_counts_every_kind() {
        let header = "law: L3\nbreaks: x\ntest: -p a --lib t\n\n+++ b/a\n";
        let tried: Vec<Tried> = [
            Verdict::Killed,
            Verdict::Aborted,
            Verdict::Hung,
            Verdict::Survived("t".into()),
            Verdict::NoSuchTest("t".into()),
        ]
        .into_iter()
        .enumerate()
        .map(|(n, verdict)| Tried {
            mutant: Mutant::read(&format!("L03-{}", 9 - n), header).unwrap(),
            verdict,
            took: Duration::from_secs(1),
        })
        .collect();

        let counted =
            "1 killed, 1 by an abort, 1 by the time limit, 1 survived, 1 could not be judged; 5 s";
        assert_eq!(totals(&tried), counted);
    }
}
