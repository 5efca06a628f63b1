//! Where functions and test-only items begin and end.

use super::Token;

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of its signature, counted from one.
    pub(crate) line: usize,
    /// Lines from the signature to the closing brace.
    pub(crate) length: usize,
}

/// An item that exists only when tests are built.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TestItem {
    /// The line of its attribute.
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// The name, if it is a module in a file of its own.
    pub(crate) module: Option<String>,
}

impl TestItem {
    /// Whether the item covers this line.
    pub(crate) fn covers(&self, line: usize) -> bool {
        (self.first..=self.last).contains(&line)
    }
}

/// Every function with a body, functions inside functions too.
pub(crate) fn functions(tokens: &[Token<'_>]) -> Vec<Function> {
    (0..tokens.len()).filter_map(|start| function(tokens.get(start..)?)).collect()
}

/// Every item behind `#[cfg(test)]` or `#[cfg(all(test, ..))]`; the whole file behind `#![cfg(test)]`.
pub(crate) fn test_items(tokens: &[Token<'_>]) -> Vec<TestItem> {
    (0..tokens.len()).filter_map(|start| test_item(tokens.get(start..)?)).collect()
}

/// `fn` before a name begins a function; elsewhere it is a type.
fn function(tokens: &[Token<'_>]) -> Option<Function> {
    let [keyword, name, rest @ ..] = tokens else { return None };
    if keyword.text != "fn" || !name.text.starts_with(super::is_word) {
        return None;
    }
    let End::Body(last) = end_of_item(rest) else { return None };
    Some(Function {
        name: name.text.to_owned(),
        line: keyword.line,
        length: last.line + 1 - keyword.line,
    })
}

fn test_item(tokens: &[Token<'_>]) -> Option<TestItem> {
    let first = tokens.first()?.line;
    if is_attribute(tokens, &["#", "!", "["]) {
        let last = tokens.last()?.line;
        return Some(TestItem { first: 1, last, module: None });
    }
    if !is_attribute(tokens, &["#", "["]) {
        return None;
    }
    let item = after_attributes(tokens);
    let last = match end_of_item(item) {
        End::Body(token) | End::Semicolon(token) | End::Outer(token) => token.line,
        End::Missing => tokens.last()?.line,
    };
    Some(TestItem { first, last, module: module_in_a_file(item) })
}

/// Whether an attribute with this opening says `cfg(test)` or `cfg(all(test, ..))`.
fn is_attribute(tokens: &[Token<'_>], opening: &[&str]) -> bool {
    let starts_with = |words: &[&str]| {
        let all: Vec<&str> = [opening, words].concat();
        tokens.len() >= all.len() && tokens.iter().zip(all).all(|(token, word)| token.text == word)
    };
    starts_with(&["cfg", "(", "test", ")"]) || starts_with(&["cfg", "(", "all", "(", "test", ","])
}

fn after_attributes<'t, 'a>(mut tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    while let [hash, rest @ ..] = tokens
        && hash.text == "#"
    {
        tokens = after_brackets(rest);
    }
    tokens
}

fn after_brackets<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.text {
            "[" => depth += 1,
            "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return tokens.get(index + 1..).unwrap_or_default();
        }
    }
    &[]
}

/// How an item ends.
enum End<'a> {
    /// With the brace that closes its body.
    Body(Token<'a>),
    /// Without a body.
    Semicolon(Token<'a>),
    /// With what is around it: a field or an arm has no end of its own.
    Outer(Token<'a>),
    /// Nowhere: the source is unfinished.
    Missing,
}

fn end_of_item<'a>(tokens: &[Token<'a>]) -> End<'a> {
    let mut depth = 0_usize;
    for &token in tokens {
        match (token.text, depth) {
            ("(" | "[" | "{", _) => depth += 1,
            (";", 0) => return End::Semicolon(token),
            (")" | "]" | "}", 0) => return End::Outer(token),
            ("}", 1) => return End::Body(token),
            (")" | "]" | "}", _) => depth -= 1,
            _ => {}
        }
    }
    End::Missing
}

fn module_in_a_file(item: &[Token<'_>]) -> Option<String> {
    let start = item.iter().position(|token| token.text == "mod")?;
    match item.get(start..)? {
        [_, name, end, ..] if end.text == ";" => Some(name.text.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{mask, tokens};
    use super::*;

    fn lengths(source: &str) -> Vec<(String, usize, usize)> {
        let code = mask(source).code;
        let found = functions(&tokens(&code));
        found.into_iter().map(|each| (each.name, each.line, each.length)).collect()
    }

    fn items(source: &str) -> Vec<(usize, usize, Option<String>)> {
        let code = mask(source).code;
        let found = test_items(&tokens(&code));
        found.into_iter().map(|item| (item.first, item.last, item.module)).collect()
    }

    #[test]
    fn a_function_goes_from_its_signature_to_its_closing_brace() {
        let source = "/// Says {.\npub async fn one<T>(\n    t: T, // }\n) -> [u8; { 2 }]\nwhere\n    T: Into<String>,\n{\n    \"}\";\n    [0, 0]\n}\n";

        assert_eq!(lengths(source), [("one".to_owned(), 2, 9)]);
    }

    #[test]
    fn only_functions_with_a_body_and_a_name_count() {
        let source = "trait T { fn declared(&self) -> [u8; 2]; fn given(&self) {} }\ntype F = fn(u8) -> u8;\nfn outer(f: fn()) {\n    fn inner() {\n    }\n}\n";

        assert_eq!(
            lengths(source),
            [("given".to_owned(), 1, 1), ("outer".to_owned(), 3, 4), ("inner".to_owned(), 4, 2)]
        );
    }

    #[test]
    fn test_items_go_from_attribute_to_end() {
        let source = "fn f() {}\n#[cfg(test)]\n#[allow(dead_code, reason = \"{\")]\nmod tests {\n    fn g() {}\n}\n#[cfg(test)]\nuse a::b;\nfn h() {}\n";

        assert_eq!(items(source), [(2, 6, None), (7, 8, None)]);
    }

    #[test]
    fn a_test_module_in_a_file_is_named() {
        assert_eq!(items("#[cfg(test)]\nmod tests;\n"), [(1, 2, Some("tests".to_owned()))]);
        assert_eq!(
            items("#[cfg(all(test, unix))] pub(crate) mod model;"),
            [(1, 1, Some("model".to_owned()))]
        );
    }

    #[test]
    fn other_conditions_are_not_tests() {
        assert_eq!(
            items("#[cfg(not(test))] fn f() {}\n#[cfg(unix)] fn g() {}\n#[test] fn h() {}"),
            []
        );
        assert_eq!(items("#![cfg(test)]\nfn f() {}\n"), [(1, 2, None)]);
    }
}
