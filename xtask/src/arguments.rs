//! What may be typed after `cargo xtask`.

use crate::check;
use crate::faults::{self, FaultPlan};
use crate::fuzz::{self, FuzzPlan};

/// One run of xtask.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Print the help text.
    Help,
    /// Run the tests.
    Test(TestPlan),
    /// Run the named checks, or all of them when none is named.
    Check(Vec<String>),
    /// Break defences and see who notices.
    Mutants(MutantPlan),
    /// Give one parser random input.
    Fuzz(FuzzPlan),
    /// Break every engine under load and write down what came of it.
    Faults(FaultPlan),
    /// Write the page of the laws, or only compare it.
    Laws {
        /// Compare, do not write.
        check: bool,
    },
}

/// How the tests are run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestPlan {
    /// Install missing packages without asking.
    pub(crate) yes: bool,
    /// Run the long variants of tests too.
    pub(crate) long: bool,
    /// Never install; missing packages end the run.
    pub(crate) no_install: bool,
    /// Only tests whose name contains this.
    pub(crate) filter: Option<String>,
}

/// Which mutants are tried.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct MutantPlan {
    /// Only those called so; all when none is named.
    pub(crate) names: Vec<String>,
    /// Only so many, drawn at random.
    pub(crate) sample: Option<usize>,
    /// What the sample is drawn from, instead of chance.
    pub(crate) seed: Option<u64>,
    /// Show them, try none.
    pub(crate) list: bool,
}

/// Reads the arguments after the program's name; the error says what is wrong with them.
pub(crate) fn parse(given: &[String]) -> Result<Action, String> {
    let Some((command, rest)) = given.split_first() else {
        return Err("a command is missing".to_owned());
    };
    match command.as_str() {
        "test" => test_plan(rest).map(Action::Test),
        "check" => checks(rest).map(Action::Check),
        "mutants" => mutant_plan(rest).map(Action::Mutants),
        "fuzz" => fuzz::plan(rest).map(Action::Fuzz),
        "faults" => faults::plan(rest).map(Action::Faults),
        "laws" => laws(rest),
        "help" | "--help" | "-h" if rest.is_empty() => Ok(Action::Help),
        "help" | "--help" | "-h" => Err("help takes no arguments".to_owned()),
        unknown => Err(format!("unknown command `{unknown}`")),
    }
}

/// The help text, with one line for every check.
pub(crate) fn help() -> String {
    let mut text = String::from(HELP);
    for check in check::CHECKS {
        text.push_str(&format!("  {:<12} {}\n", check.name, check.about));
    }
    text
}

const HELP: &str = "\
Usage: cargo xtask <command>

Commands:
  test [--yes] [--long] [--no-install] [filter]
             install what the tests need, then run every test of the workspace
  check [name...]
             run the named checks, or all of them
  mutants [--list] [--sample number [--seed seed]] [name...]
             break one defence at a time in a copy, and see that its test notices
  fuzz target [seconds]
             give a parser random input, for a minute or as long as is said (needs cargo-fuzz)
  faults [--long] [--seed seed] [--engine name]...
             break every engine under load, or those that are named, and write docs/operate/faults.md
  laws [--check]
             write docs/laws.md, or say whether it is up to date
  help       print this text

Options of test:
  --yes         install missing packages without asking (so does the variable CI)
  --no-install  never install; a missing package ends the run
  --long        set CLOAKROOM_LONG=1, which lets tests run their long variants
  filter        only tests whose name contains this text

Options of mutants:
  --list        show them and stop
  --sample      so many, drawn at random; the seed is printed
  --seed        draws the sample of this seed again
  name          only mutants of this name or law, such as L04; all when none is named

Exit status: 0 all is well, 1 something failed, 2 wrong arguments.

Checks:
";

fn test_plan(given: &[String]) -> Result<TestPlan, String> {
    let mut plan = TestPlan::default();
    for argument in given {
        match argument.as_str() {
            "--yes" => plan.yes = true,
            "--long" => plan.long = true,
            "--no-install" => plan.no_install = true,
            option if option.starts_with('-') => {
                return Err(format!("test has no option `{option}`"));
            }
            filter if plan.filter.is_none() => plan.filter = Some(filter.to_owned()),
            second => return Err(format!("test takes one filter, `{second}` is a second one")),
        }
    }
    if plan.yes && plan.no_install {
        return Err("--yes and --no-install contradict each other".to_owned());
    }
    Ok(plan)
}

fn mutant_plan(given: &[String]) -> Result<MutantPlan, String> {
    let mut plan = MutantPlan::default();
    let mut arguments = given.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => plan.list = true,
            "--sample" => plan.sample = Some(number("--sample", arguments.next())?),
            "--seed" => plan.seed = Some(number("--seed", arguments.next())?),
            option if option.starts_with('-') => {
                return Err(format!("mutants has no option `{option}`"));
            }
            name => plan.names.push(name.to_owned()),
        }
    }
    match (plan.sample, plan.seed) {
        (Some(0), _) => Err("a sample of 0 tries nothing".to_owned()),
        (None, Some(_)) => Err("--seed needs --sample".to_owned()),
        (Some(_), _) | (None, None) => Ok(plan),
    }
}

fn number<T: std::str::FromStr>(option: &str, value: Option<&String>) -> Result<T, String> {
    let number = value.and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("{option} needs a number"))
}

fn laws(given: &[String]) -> Result<Action, String> {
    match given {
        [] => Ok(Action::Laws { check: false }),
        [only] if only == "--check" => Ok(Action::Laws { check: true }),
        [other, ..] => Err(format!("laws has no option `{other}`")),
    }
}

fn checks(given: &[String]) -> Result<Vec<String>, String> {
    match given.iter().find(|name| !check::CHECKS.iter().any(|check| check.name == **name)) {
        Some(unknown) => Err(format!("there is no check `{unknown}`")),
        None => Ok(given.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Action, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    #[test]
    fn options_of_test_come_in_any_order() {
        let plan = TestPlan {
            yes: true,
            long: true,
            no_install: false,
            filter: Some("rotate".to_owned()),
        };

        assert_eq!(parsed("test rotate --long --yes"), Ok(Action::Test(plan)));
    }

    #[test]
    fn mutants_are_chosen_by_name_or_by_chance() {
        let plan = MutantPlan {
            names: vec!["L04".to_owned()],
            sample: Some(6),
            seed: Some(7),
            list: false,
        };

        assert_eq!(parsed("mutants --sample 6 L04 --seed 7"), Ok(Action::Mutants(plan)));
    }

    #[test]
    fn what_is_not_understood_is_refused_and_named() {
        for (line, named) in [
            ("", "missing"),
            ("tets", "tets"),
            ("test --fast", "--fast"),
            ("test one two", "two"),
            ("test --yes --no-install", "contradict"),
            ("mutants --sample", "number"),
            ("mutants --sample many", "number"),
            ("mutants --sample 0", "nothing"),
            ("mutants --seed 7", "--sample"),
            ("mutants --all", "--all"),
            ("laws --write", "--write"),
            ("faults --all", "--all"),
            ("check fmt spelling", "spelling"),
            ("help me", "no arguments"),
        ] {
            let refused = parsed(line);

            assert!(
                refused.as_ref().is_err_and(|text| text.contains(named)),
                "{line}: {refused:?}"
            );
        }
    }

    #[test]
    fn the_help_names_every_check() {
        let text = help();

        assert!(check::CHECKS.iter().all(|check| text.contains(check.name)));
    }
}
