//! Every rule against the application with its switch on, and off, and against the shop.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

mod audited;
mod inside;
mod page;

use std::collections::BTreeSet;
use std::path::Path;

use bad::{Row, Switches};
use cloakroom_audit::Severity;

use audited::Cell;
use page::Matrix;

/// Rules about which nothing can be said where all is well, and why.
const OPEN: [(&str, &str); 1] = [("X06", "no cookie goes with the form token")];

/// One test, since all of it rests on the same hundred audits.
#[test]
fn each_rule_is_broken_with_its_switch_on_and_holds_with_it_off_and_in_the_shop() {
    let matrix = Matrix::find();

    let wrong =
        [with_it_on(&matrix), with_it_off(&matrix), in_the_shop(&matrix), on_paper(&matrix)];

    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_switch() {
    let switched: BTreeSet<&str> = bad::ROWS.iter().map(|row| row.id).collect();

    let rules = cloakroom_audit::RULES.iter().map(|rule| rule.id);
    let without: Vec<&str> = rules.filter(|id| !switched.contains(id)).collect();

    assert_eq!(without, Vec::<&str>::new());
}

/// Its own rule, and those that its row names: neither more nor less.
fn with_it_on(matrix: &Matrix) -> Vec<String> {
    let wrong = matrix.on.iter().filter_map(|(row, answers)| {
        let found: BTreeSet<&str> = answers.broken().map(|(id, _)| id).collect();
        let (expected, cell) = (expected(row), answers.cells.get(row.id));
        let differs = found != expected;
        differs.then(|| format!("{} on: {found:?}, not {expected:?}; {cell:?}", row.id))
    });
    wrong.collect()
}

fn with_it_off(matrix: &Matrix) -> Vec<String> {
    let wrong = matrix.on.iter().filter_map(|(row, _)| {
        let cell = matrix.off(row).cells.get(row.id);
        let open = OPEN.iter().find(|(id, _)| *id == row.id);
        let expected = open.map_or(Cell::Holds, |(_, why)| Cell::NotDecided((*why).to_owned()));
        (cell != Some(&expected)).then(|| format!("{} off: {cell:?}", row.id))
    });
    wrong.collect()
}

/// Neither errors nor warnings: what is only good to know may be said.
fn in_the_shop(matrix: &Matrix) -> Vec<String> {
    let worst = matrix.shop.broken().map(|(_, severity)| severity).max();
    let is_fine = worst < Some(Severity::Low);
    if is_fine { Vec::new() } else { vec![format!("the shop:\n{}", matrix.shop.findings)] }
}

fn on_paper(matrix: &Matrix) -> Vec<String> {
    let written = matrix.page();
    if written == include_str!("../../../../docs/audit-matrix.md") {
        return Vec::new();
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("audit-matrix.md");
    std::fs::write(&place, &written).unwrap();
    let place = place.display();
    vec![format!("docs/audit-matrix.md says something else: compare with {place}, and copy it")]
}

/// The rules that a row breaks: its own, and those of what it needs, with what goes along.
fn expected(row: &Row) -> BTreeSet<&'static str> {
    let switches = Switches::of([row.bad]);
    let ids = switches.rows().flat_map(|row| row.along.iter().map(|(id, _)| *id).chain([row.id]));
    ids.collect()
}
