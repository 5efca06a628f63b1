//! The one door through which text goes into a report.
//!
//! Findings are masked where they are made. This is the second line: what was seen as a secret anywhere
//! is looked for in every text once more, and nothing that moves a cursor, turns a line round or begins
//! a new one gets in.

use super::texts_of;
use crate::exchange::{Exchange, Headers};
use crate::finding::{Answer, Finding};
use crate::line::Line;
use crate::mask::{SHOWN_FROM, is_secret_name, looks_secret};
use crate::observed::Observed;
use crate::role::{self, Role};
use crate::tokens;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;

/// Seen values from this length on are looked for: shorter ones are words that stand anywhere.
pub(super) const SEEN_SHORTEST: usize = 8;
/// The same for what was declared as a secret.
pub(super) const DECLARED_SHORTEST: usize = 4;
/// Longer texts are cut: nobody reads them, and a server chooses their length.
pub(super) const TEXT_MOST: usize = 4000;

const HIDDEN: &str = "***";

/// What must not stand in a report. It has no `Debug`, since it holds secrets.
#[derive(Default)]
pub(super) struct Cleaning {
    /// The longest first, so that no part of one stays behind.
    secrets: Vec<String>,
    /// Words in names of cookies, which are told however random they look.
    named: BTreeSet<String>,
}

impl Cleaning {
    /// Knows every secret that was seen, and those that were declared.
    pub(super) fn of(observed: &Observed, declared: &[String]) -> Self {
        let mut found = Found::default();
        for line in observed.lines() {
            found.named(&line.name_text());
            found.cookie(line.role, &line.value);
        }
        let takes = observed.scenes().iter().flat_map(|scene| &scene.takes);
        let tried = takes.filter_map(|take| take.exchange.as_ref());
        observed.exchanges().iter().chain(tried).for_each(|exchange| found.exchange(exchange));
        found.declared(declared);
        found.cleaning()
    }

    pub(super) fn of_secrets(declared: &[String]) -> Self {
        let mut found = Found::default();
        found.declared(declared);
        found.cleaning()
    }

    /// The text on one line, without secrets.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        let mut clean: String = text.chars().take(TEXT_MOST).map(harmless).collect();
        if text.chars().nth(TEXT_MOST).is_some() {
            clean.push_str("...");
        }
        without_commands(&self.without_tokens(&clean))
    }

    /// Without words that only a generator makes, wherever they come from.
    fn without_tokens(&self, text: &str) -> String {
        text.split_inclusive(|c: char| !c.is_ascii_alphanumeric())
            .map(|part| {
                let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                match is_random(word) && !self.named.contains(word) {
                    true => part.replace(word, HIDDEN),
                    false => part.to_owned(),
                }
            })
            .collect()
    }

    pub(super) fn finding(&self, finding: &Finding) -> Finding {
        let mut finding = finding.clone();
        texts_of(&mut finding).for_each(|text| *text = self.clean(text));
        finding
    }

    pub(super) fn answer(&self, answer: Answer) -> Answer {
        match answer {
            Answer::Holds { looked_at } => Answer::Holds { looked_at: self.clean(&looked_at) },
            Answer::NotDecided { why } => Answer::NotDecided { why: self.clean(&why) },
            Answer::Broken(found) => {
                Answer::Broken(found.iter().map(|finding| self.finding(finding)).collect())
            }
        }
    }
}

/// A dot for what moves a cursor or changes the direction or the order of what is read.
fn harmless(c: char) -> char {
    let is_invisible = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    if c.is_control() || is_invisible { '.' } else { c }
}

/// Whether letters of both cases and digits are mixed as no name mixes them.
fn is_random(word: &str) -> bool {
    let count = |is: fn(&u8) -> bool| word.bytes().filter(is).count();
    word.len() >= SHOWN_FROM
        && count(u8::is_ascii_digit) >= 2
        && count(u8::is_ascii_uppercase) >= 2
        && count(u8::is_ascii_lowercase) >= 2
}

/// Without what build servers take for a command when they read it in the output of a program.
fn without_commands(text: &str) -> String {
    let text = text.replace("##", "#.").replace(" ::", " .:");
    match text.strip_prefix("::") {
        Some(rest) => format!(".:{rest}"),
        None => text,
    }
}

/// Secrets in the forms in which they may come back.
#[derive(Default)]
struct Found {
    forms: BTreeSet<String>,
    named: BTreeSet<String>,
}

impl Found {
    fn cleaning(self) -> Cleaning {
        let mut secrets: Vec<String> = self.forms.into_iter().collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Cleaning { secrets, named: self.named }
    }

    fn named(&mut self, name: &str) {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric());
        self.named.extend(words.filter(|word| is_random(word)).map(str::to_owned));
    }

    fn declared(&mut self, secrets: &[String]) {
        for secret in secrets.iter().filter(|secret| secret.len() >= DECLARED_SHORTEST) {
            self.forms(secret);
        }
    }

    fn exchange(&mut self, exchange: &Exchange) {
        for pair in exchange.request.all("cookie").flat_map(cloakroom_cookie::pairs) {
            let name = String::from_utf8_lossy(pair.name()).into_owned();
            self.cookie(role::guess(&name, pair.value()), pair.value());
        }
        for raw in exchange.response.all("set-cookie") {
            let line = Line::read(0, raw, exchange.at());
            self.cookie(role::guess(&line.name_text(), &line.value), &line.value);
        }
        self.headers(&exchange.request);
        self.headers(&exchange.response);
        let url = exchange.parsed_url();
        if let Some(password) = url.password() {
            self.seen(password.as_bytes());
        }
        for (name, value) in url.query_pairs() {
            if is_secret_name(&name) || looks_secret(&value) {
                self.seen(value.as_bytes());
            }
        }
        let segments = url.path_segments().into_iter().flatten();
        segments.filter(|word| looks_secret(word)).for_each(|word| self.seen(word.as_bytes()));
    }

    /// A cookie that is a session is a secret whatever it looks like, any other if it looks like one.
    fn cookie(&mut self, role: Role, value: &[u8]) {
        let is_secret = match role {
            Role::Session | Role::FormToken => true,
            Role::Tracking | Role::Preference | Role::Other => tokens::is_token_like(value),
        };
        if is_secret {
            self.seen(value);
        }
    }

    fn headers(&mut self, headers: &Headers) {
        for (name, value) in headers.iter() {
            let authorizes = matches!(name, "authorization" | "proxy-authorization");
            if authorizes {
                let credentials = value.split(|octet| *octet == b' ').next_back();
                self.seen(credentials.unwrap_or_default());
            } else if is_secret_name(name) && !is_word(name) {
                self.seen(value);
            }
        }
    }

    fn seen(&mut self, value: &[u8]) {
        let text = String::from_utf8_lossy(value);
        let text = text.trim_matches(|c: char| c == '"' || c.is_whitespace());
        if text.len() >= SEEN_SHORTEST {
            self.forms(text);
            if let Some(undone) = tokens::unescaped(text.as_bytes())
                && undone.len() >= SEEN_SHORTEST
            {
                self.forms(&undone);
            }
        }
    }

    fn forms(&mut self, secret: &str) {
        let escaped: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        self.forms.insert(escaped.replace('+', "%20"));
        self.forms.insert(escaped);
        self.forms.insert(STANDARD_NO_PAD.encode(secret));
        self.forms.insert(URL_SAFE_NO_PAD.encode(secret));
        self.forms.insert(secret.to_owned());
    }
}

/// Fields that are called like a secret and hold public words.
fn is_word(name: &str) -> bool {
    matches!(name, "www-authenticate" | "proxy-authenticate" | "access-control-allow-headers")
        || name.starts_with("sec-websocket-")
        || name.starts_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_each_form_in_which_it_may_come_back() {
        let cleaning = Cleaning::of_secrets(&["pass word/1".to_owned()]);

        for text in ["pass word/1", "pass+word%2F1", "pass%20word%2F1", "cGFzcyB3b3JkLzE"] {
            assert_eq!(cleaning.clean(&format!("<{text}>")), "<***>", "{text}");
        }
    }

    #[test]
    fn what_is_shorter_than_a_secret_is_left_alone() {
        let cleaning = Cleaning::of_secrets(&["abc".to_owned(), "abcd".to_owned()]);

        assert_eq!(
            (cleaning.clean("abc."), cleaning.clean("abcd.")),
            ("abc.".into(), "***.".into())
        );
    }

    #[test]
    fn nothing_that_moves_a_cursor_gets_in() {
        let clean = Cleaning::default().clean("a\u{1b}[31m\r\n\t\u{202e}b\u{200b}\u{9b}c\u{7f}");

        assert_eq!(clean, "a.[31m....b..c.");
    }

    #[test]
    fn what_only_a_generator_makes_is_hidden_and_names_are_not() {
        let clean = |text: &str| Cleaning::default().clean(text);

        assert_eq!(clean("key token_q8Zr31LkP0vTn5Yx, and on"), "key token_***, and on");
        for name in ["ASPSESSIONIDQQABCRTD", "wordpress_logged_in_5d2f8a9c0b1e4f67", "C01-4193774a"]
        {
            assert_eq!(clean(name), name);
        }
    }

    #[test]
    fn no_build_server_takes_a_text_for_a_command() {
        let clean = Cleaning::default().clean("::error::a ::warning::b ##vso[c] https://[::1]/");

        assert_eq!(clean, ".:error::a .:warning::b #.vso[c] https://[::1]/");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let cut = |length: usize| Cleaning::default().clean(&"x".repeat(length));

        assert_eq!(cut(TEXT_MOST).len(), TEXT_MOST);
        assert_eq!(cut(TEXT_MOST + 1).len(), TEXT_MOST + "...".len());
    }
}
