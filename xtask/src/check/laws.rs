//! The page of the laws says what the clauses, the tests and the mutants say.

use super::Verdict;
use crate::mutants::laws;
use crate::repository::Repository;

/// Compares the page, and looks for laws and threats without mutants.
pub(super) fn run(here: &Repository) -> Result<Verdict, String> {
    Ok(Verdict::from_findings(&laws::findings(here)?))
}
