//! The tables of the guide are the list of reasons, word for word.

use cloakroom_cookie::browser::{Effect, Reason};
use std::fmt::Write as _;

const TITLES: [(Effect, &str); 4] = [
    (Effect::Refused, "Why a cookie is refused"),
    (Effect::Changed, "What is stored otherwise than the line says"),
    (Effect::Withheld, "Why a cookie is there and not sent"),
    (Effect::Removed, "Why a cookie is no longer there"),
];

fn tables() -> String {
    let mut text = String::new();
    for (effect, title) in TITLES {
        write!(text, "\n## {title}\n\n| code | because | remedy | source | in DevTools |\n")
            .unwrap();
        text.push_str("|---|---|---|---|---|\n");
        for reason in Reason::ALL.iter().filter(|reason| reason.effect() == effect) {
            let devtools = reason.devtools().map_or_else(String::new, |name| format!("`{name}`"));
            writeln!(
                text,
                "| `{}` | {reason} | {} | {} | {devtools} |",
                reason.code(),
                reason.remedy(),
                reason.source()
            )
            .unwrap();
        }
    }
    text
}

#[test]
fn the_guide_has_every_reason() {
    let path = "/../../docs/guide/why-is-my-cookie-not-stored.md";
    let guide = std::fs::read_to_string([env!("CARGO_MANIFEST_DIR"), path].concat()).unwrap();

    let tables = tables();

    assert!(guide.ends_with(&tables), "the page has to end with:\n{tables}");
}
