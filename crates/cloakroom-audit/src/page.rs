//! The list of rules as a page, so that the documentation cannot say anything else.

use crate::rule::Rule;
use crate::rules::RULES;

const HEAD: &str = "# The rules of the auditor

<!-- Written from the list in `cloakroom-audit` by
     `cargo run -q -p cloakroom-audit --example rules_page > docs/audit-rules.md`; a test compares. -->

Each rule comes to one of three answers: it holds, it is broken (with evidence), or it is not decided (and why). The severity is
that for a session cookie; about other cookies it may be a step lower.

`cloakroom audit` asks what a rule needs: pages as a visitor and as a stranger, planted cookies, and with a [login script](guide/login-script.md) all that
only a signed-in user can; `--wait` asks again when time has passed. What was not asked leaves a rule not decided.

";

/// Every rule in Markdown: what, why, how it is tested, the source, and how to mend it.
///
/// ```
/// assert!(cloakroom_audit::rules_page().contains("## C01 Cookie without Secure"));
/// ```
pub fn rules_page() -> String {
    let rows = RULES.iter().map(|rule| {
        let Rule { id, title, severity, .. } = rule;
        format!("| [{id}](#{}) | {title} | {severity} |\n", anchor(rule))
    });
    let table = format!("| rule | title | severity |\n|---|---|---|\n{}", rows.collect::<String>());
    let sections: String = RULES.iter().map(section).collect();
    format!("{HEAD}{table}{sections}")
}

/// As forges make it from a heading.
fn anchor(rule: &Rule) -> String {
    let heading = format!("{} {}", rule.id, rule.title).to_ascii_lowercase();
    let kept = heading.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn section(rule: &Rule) -> String {
    let Rule { id, title, severity, what, why, how, source, .. } = rule;
    let needs = rule.needs.as_str();
    let remedies = rule.remedies.all();
    let remedies: String =
        remedies.iter().map(|(name, remedy)| format!("| {name} | {remedy} |\n")).collect();
    format!(
        "\n## {id} {title}\n\n**{severity}**. {what}\n\n- Why: {why}\n- How it is tested: {how}\n\
         - Needs: {needs}.\n- Source: {source}.\n\n| framework | how to mend it |\n|---|---|\n{remedies}"
    )
}
