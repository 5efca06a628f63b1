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
use cloakroom_audit::{Severity, rule};

use audited::Cell;
use page::Matrix;

/// Rules that nothing can be said about where all is well, and why.
const OPEN: [(&str, &str); 1] = [("X06", "no cookie goes with the form token")];

#[test]
fn each_switch_breaks_its_rule_and_those_that_its_row_names() {
    let matrix = Matrix::get();
    let mut wrong = Vec::new();
    for (row, answers) in &matrix.on {
        let found: BTreeSet<&str> = answers.broken().map(|(id, _)| id).collect();
        let expected = expected(row);
        if found != expected {
            let cell = &answers.cells.get(row.id);
            wrong.push(format!("{}: {found:?} instead of {expected:?}; {cell:?}", row.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_rule_holds_where_its_switch_is_off() {
    let matrix = Matrix::get();
    let mut wrong = Vec::new();
    for row in bad::ROWS.iter().filter(|row| rule(row.id).is_some()) {
        let cell = matrix.off(row).cells.get(row.id);
        let open = OPEN.iter().find(|(id, _)| *id == row.id);
        let expected = open.map_or(Cell::Holds, |(_, why)| Cell::NotDecided((*why).to_owned()));
        if cell != Some(&expected) {
            wrong.push(format!("{}: {cell:?}", row.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_wrong_with_the_shop() {
    let shop = &Matrix::get().shop;

    let worst = shop.broken().map(|(_, severity)| severity).max();

    assert!(worst < Some(Severity::Low), "{}", shop.findings);
}

#[test]
fn every_rule_has_a_switch() {
    let switched: BTreeSet<&str> = bad::ROWS.iter().map(|row| row.id).collect();

    let without: Vec<&str> = cloakroom_audit::RULES
        .iter()
        .map(|rule| rule.id)
        .filter(|id| !switched.contains(id))
        .collect();

    assert_eq!(without, Vec::<&str>::new());
}

#[test]
fn the_page_of_the_matrix_says_what_was_found() {
    let page = include_str!("../../../../docs/audit-matrix.md");
    let written = Matrix::get().page();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("audit-matrix.md");
    std::fs::write(&place, &written).unwrap();

    assert!(
        page == written,
        "what was found is in {}: compare, and copy it to docs",
        place.display()
    );
}

/// The rules that a row breaks: its own, and those of what it needs, with what goes along.
fn expected(row: &Row) -> BTreeSet<&'static str> {
    let switches = Switches::of([row.bad]);
    let ids = switches.rows().flat_map(|row| row.along.iter().map(|(id, _)| *id).chain([row.id]));
    ids.filter(|id| rule(id).is_some()).collect()
}
