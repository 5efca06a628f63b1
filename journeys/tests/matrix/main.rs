//! What a real browser does with cookies: every fact that cloakroom's defaults rest on, as a row.
//!
//! The rows are also the tables of `docs/guide/what-browsers-do.md`, word for word, and the jar of
//! `cloakroom-cookie` gives the same outcome for each.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

mod agreement;
mod header;
mod lifetime;
mod prefix;
mod scope;
mod sending;
mod sharing;
mod site;
mod told;
mod world;

use std::fmt::Write as _;
use world::{Row, World};

type Table = (&'static str, fn(&World) -> Vec<Row>);

const TABLES: [Table; 10] = [
    ("Prefixes", prefix::in_responses),
    ("Scripts", prefix::by_scripts),
    ("Domain", scope::domains),
    ("Path", scope::paths),
    ("Twins", scope::twins),
    ("Size and lifetime", lifetime::limits),
    ("Deletion", lifetime::deletions),
    ("The `Cookie` header", header::headers),
    ("SameSite", sending::same_site),
    ("Who shares a jar", sharing::jars),
];

#[test]
fn the_browser_does_what_the_guide_says() {
    let world = World::new();

    // Most of the time is spent waiting for the browser, which has a process for every page.
    let seen = &world;
    let tables = std::thread::scope(|scope| {
        let started = TABLES.map(|(title, rows)| (title, scope.spawn(move || rows(seen))));
        started.map(|(title, rows)| (title, rows.join().unwrap()))
    });

    let differing = differing(&tables);
    assert!(differing.is_empty(), "rows that differ:\n{}", differing.join("\n"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/what-browsers-do.md");
    let guide = std::fs::read_to_string(path).unwrap_or_default();
    let text = markdown(&tables);
    assert!(guide.ends_with(&text), "docs/guide/what-browsers-do.md has to end with:\n{text}");
}

fn differing(tables: &[(&str, Vec<Row>)]) -> Vec<String> {
    let rows = tables.iter().flat_map(|(title, rows)| rows.iter().map(move |row| (title, row)));
    rows.filter(|(_, row)| row.observed != row.expected || row.told != row.expected)
        .map(|(title, row)| {
            format!(
                "{title}: {}\n  expected {}\n  observed {}\n  the jar  {}",
                row.case, row.expected, row.observed, row.told
            )
        })
        .collect()
}

fn markdown(tables: &[(&str, Vec<Row>)]) -> String {
    let mut text = String::new();
    for (title, rows) in tables {
        write!(text, "\n## {title}\n\n| case | outcome |\n|---|---|\n").unwrap();
        for row in rows {
            writeln!(text, "| {} | {} |", row.case, row.expected).unwrap();
        }
    }
    text
}
