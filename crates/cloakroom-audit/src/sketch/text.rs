//! The file.

use super::{Logout, Private, Seen, Sketch, shown};
use std::fmt::Write as _;

/// What a person has to replace.
const FILL_IN: &str = "FILL IN";

pub(super) fn write(seen: &Seen) -> Sketch {
    let mut open = Vec::new();
    let prefix = prefix(&seen.host);
    let (name, password) = (format!("{prefix}_NAME"), format!("{prefix}_PASSWORD"));
    let mut text = format!(
        "# A first login script, written from what a stranger sees of {}.\n\
         # What the auditor cannot know is marked with {FILL_IN}. The format is described in docs/guide/login-script.md.\n\n\
         origin = {}\n\n[secrets]\nname = \"env:{name}\"\npassword = \"env:{password}\"\n",
        shown(seen),
        quoted(&seen.origin),
    );
    login(&mut text, seen, &mut open);
    whoami(&mut text, seen.whoami.as_ref(), &mut open);
    logout(&mut text, &seen.logout, &mut open);
    text.push_str("\n# What the site promises of its sessions, if it does.\n# [policy]\n# idle = \"30m\"\n# absolute = \"12h\"\n");
    Sketch { text, variables: vec![name, password], open }
}

fn login(text: &mut String, seen: &Seen, open: &mut Vec<String>) {
    let user = seen.user.clone().unwrap_or_else(|| {
        open.push("the form has no field for a name before the password".to_owned());
        FILL_IN.to_owned()
    });
    let _ = write!(
        text,
        "\n# Hidden fields of the form go along by themselves.\n[login]\npage = {}\nform = {{ {} = \"{{name}}\", {} = \"{{password}}\" }}\n",
        quoted(&seen.page),
        key(&user),
        key(&seen.password),
    );
}

fn whoami(text: &mut String, private: Option<&Private>, open: &mut Vec<String>) {
    let Some(Private { path, status, location }) = private else {
        open.push("no page was found that only signed-in users see: [whoami] needs one, and what stands on it".to_owned());
        let _ = write!(
            text,
            "\n# A page that looks otherwise to those who are signed in, and a text that only they see there.\n\
             [whoami]\npath = \"/\"\nsigned_in = {{ status = 200, contains = \"{FILL_IN}\" }}\n"
        );
        return;
    };
    open.push(format!(
        "[whoami] takes {} for a page that signed-in users see: look at it",
        visible(path)
    ));
    let location =
        location.as_ref().map_or(String::new(), |to| format!(", location = {}", quoted(to)));
    let _ = write!(
        text,
        "\n# Strangers do not see this page.\n[whoami]\npath = {}\nsigned_in = {{ status = 200 }}\n\
         signed_out = {{ status = {status}{location} }}\n",
        quoted(&doubled(path)),
    );
}

/// A guess would be a wrong verdict about signing out: it stands there as a remark.
fn logout(text: &mut String, logout: &Logout, open: &mut Vec<String>) {
    let (remark, path) = match logout {
        Logout::Seen(path) => ("", path),
        Logout::Guessed(path) => ("# ", path),
    };
    match logout {
        Logout::Seen(_) => {}
        Logout::Guessed(_) => {
            open.push(
                "[logout] is a guess, and left out: correct it and take the marks away".to_owned(),
            );
        }
    }
    let path = quoted(&doubled(path));
    let _ = write!(text, "\n{remark}[logout]\n{remark}path = {path}\n{remark}method = \"POST\"\n");
}

/// `shop.example` becomes `SHOP_EXAMPLE`.
fn prefix(host: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let prefix: String = host.trim_matches(['[', ']']).chars().map(letter).collect();
    // A variable does not begin with a digit.
    if prefix.starts_with(|c: char| c.is_ascii_digit()) { format!("SITE_{prefix}") } else { prefix }
}

fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Braces in a path are no secrets.
fn doubled(path: &str) -> String {
    path.replace('{', "{{").replace('}', "}}")
}

fn visible(path: &str) -> String {
    crate::mask::printable_line(path.as_bytes(), 200)
}
