//! The tables of `testdata/audit/targets`: for each rule the answer that is right, and the fact that
//! proves it.

use cloakroom_audit::Answer;
use std::collections::BTreeMap;

const ANSWERS: [&str; 3] = ["holds", "broken", "not decided"];

/// Fails unless the auditor came to what the table of this name says, for every rule.
pub(crate) fn compare(name: &str, table: &str, found: &[(&'static str, Answer)]) {
    let wanted = read(table);
    let mut wrong = Vec::new();
    for (id, answer) in found {
        let said = wanted.get(id).copied().unwrap_or("nothing");
        if said != answer.as_str() {
            let why = why(answer);
            wrong.push(format!("{id}  {:<11}  {why}  (the table says {said})", answer.as_str()));
        }
    }
    let known = |id: &&&str| found.iter().any(|(found, _)| *found == **id);
    let unknown: Vec<_> = wanted.keys().filter(|id| !known(id)).collect();
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    assert!(unknown.is_empty(), "{name}: no rules of the auditor: {unknown:?}");
}

/// Lines of `rule  answer  fact`; a line that begins with a `#` is a remark.
fn read(table: &str) -> BTreeMap<&str, &str> {
    let mut read = BTreeMap::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (id, rest) = line.split_once("  ").unwrap_or_else(|| panic!("no row: {line}"));
        let answer = ANSWERS.into_iter().find(|answer| rest.starts_with(answer));
        let answer = answer.unwrap_or_else(|| panic!("no answer: {line}"));
        let fact = rest[answer.len()..].trim();
        assert!(!fact.is_empty(), "no fact: {line}");
        assert_eq!(read.insert(id, answer), None, "twice: {line}");
    }
    read
}

fn why(answer: &Answer) -> String {
    match answer {
        Answer::Holds { looked_at } => looked_at.clone(),
        Answer::NotDecided { why } => why.clone(),
        Answer::Broken(findings) => {
            let seen = findings.iter().map(|found| format!("{}: {}", found.subject, found.seen));
            seen.collect::<Vec<_>>().join(" | ")
        }
    }
}

#[test]
#[should_panic(expected = "C01  broken       shelf: seen  (the table says holds)")]
fn an_answer_that_is_not_the_tables_fails_and_is_told() {
    let finding = cloakroom_audit::Finding {
        severity: cloakroom_audit::Severity::Low,
        confidence: cloakroom_audit::Confidence::Certain,
        subject: "shelf".to_owned(),
        seen: "seen".to_owned(),
        expected: "nothing".to_owned(),
        evidence: Vec::new(),
        places: 1,
    };

    compare("own", "C01  holds  a fact", &[("C01", Answer::Broken(vec![finding]))]);
}
