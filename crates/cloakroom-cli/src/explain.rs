//! `cloakroom audit --explain RULE`: one row of the list of rules, for a person.

use cloakroom_audit::{RULES, Rule, rule};
use std::fmt::Write as _;

/// What the rule of this id demands, in any letter case.
///
/// # Errors
///
/// A sentence that lists the rules if there is none of this id.
pub(crate) fn explain(id: &str) -> Result<String, String> {
    match rule(&id.to_ascii_uppercase()) {
        Some(rule) => Ok(page(rule)),
        None => Err(format!("there is no rule {id:?}; the rules are {}", known())),
    }
}

fn known() -> String {
    let ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
    ids.join(", ")
}

fn page(rule: &Rule) -> String {
    let mut text = format!("{} {} ({})\n\n{}\n\n", rule.id, rule.title, rule.severity, rule.what);
    let rows = [
        ("Why", rule.why),
        ("How it is tested", rule.how),
        ("Needs", rule.needs.as_str()),
        ("Source", rule.source),
    ];
    for (name, row) in rows {
        let _ = writeln!(text, "{name}: {row}");
    }
    text.push_str("\nHow to mend it\n");
    for (framework, remedy) in rule.remedies.all() {
        let _ = writeln!(text, "  {framework:<8} {remedy}");
    }
    text
}
