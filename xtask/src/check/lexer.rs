//! Just enough of Rust's grammar to tell code from strings and comments, and to see where items end.

mod items;
mod mask;

pub(super) use items::{Function, TestItem, functions, test_items};
pub(super) use mask::{Comment, mask};

/// A word or a single mark of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    /// Counted from one.
    pub(super) line: usize,
}

/// The tokens of code whose strings and comments have been masked.
pub(super) fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        tokens_of_line(line, index + 1, &mut found);
    }
    found
}

fn tokens_of_line<'a>(mut rest: &'a str, line: usize, found: &mut Vec<Token<'a>>) {
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return };
        let length = match is_word(first) {
            true => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (text, after) = rest.split_at(length);
        found.push(Token { text, line });
        rest = after;
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}
