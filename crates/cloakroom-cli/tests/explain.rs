//! `cloakroom audit --explain`, as a person runs it.

use std::process::{Command, Output};

fn cloakroom(arguments: &[&str]) -> std::io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_cloakroom")).args(arguments).output()
}

#[test]
fn a_rule_is_explained_in_any_letter_case() {
    let output = cloakroom(&["audit", "--explain", "c01"]).unwrap();

    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.starts_with("C01 Cookie without Secure (high)\n"), "{text}");
    assert!(text.contains("Why: ") && text.contains("  Django   "), "{text}");
}

#[test]
fn an_unknown_rule_is_answered_with_those_that_exist() {
    let output = cloakroom(&["audit", "--explain", "Z99"]).unwrap();

    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(told.starts_with("error: there is no rule \"Z99\"; the rules are C01, "), "{told}");
}
