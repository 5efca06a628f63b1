//! Code without what merely looks like code.

/// A source whose strings, characters and comments are blank.
#[derive(Debug)]
pub(crate) struct Masked {
    /// As long as the source, with the same line breaks.
    pub(crate) code: String,
    /// The comments, in order; one that spans lines is one comment per line.
    pub(crate) comments: Vec<Comment>,
}

/// What a comment says on one line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    /// Counted from one.
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Blanks out strings, characters and comments. A source that does not compile gives an answer too, only not a useful one.
pub(crate) fn mask(source: &str) -> Masked {
    let mut reader =
        Reader { bytes: source.as_bytes(), at: 0, line: 1, code: Vec::new(), comments: Vec::new() };
    while let Some(byte) = reader.peek(0) {
        reader.step(byte);
    }
    Masked { code: String::from_utf8_lossy(&reader.code).into_owned(), comments: reader.comments }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    code: Vec<u8>,
    comments: Vec<Comment>,
}

impl Reader<'_> {
    fn step(&mut self, byte: u8) {
        match (byte, self.peek(1)) {
            (b'/', Some(b'/')) => self.line_comment(),
            (b'/', Some(b'*')) => self.block_comment(),
            (b'"', _) => self.string(),
            (b'\'', _) => self.quote(),
            _ if is_word(byte) => self.word(),
            _ => self.keep(),
        }
    }

    fn line_comment(&mut self) {
        let start = self.at;
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.blank();
        }
        self.comment(start);
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let (mut depth, mut start) = (0_usize, self.at);
        while let Some(byte) = self.peek(0) {
            match (byte, self.peek(1)) {
                (b'/', Some(b'*')) => (depth, _) = (depth + 1, self.blank()),
                (b'*', Some(b'/')) => (depth, _) = (depth.saturating_sub(1), self.blank()),
                (b'\n', _) => {
                    self.comment(start);
                    start = self.at + 1;
                }
                _ => {}
            }
            self.blank();
            if depth == 0 {
                break;
            }
        }
        self.comment(start);
    }

    fn comment(&mut self, start: usize) {
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        let text = String::from_utf8_lossy(text).into_owned();
        self.comments.push(Comment { line: self.line, text });
    }

    fn string(&mut self) {
        self.blank();
        while let Some(byte) = self.peek(0) {
            self.blank();
            match byte {
                b'\\' => self.blank(),
                b'"' => return,
                _ => {}
            }
        }
    }

    /// After `'` comes a character and another `'`, or the name of a lifetime.
    fn quote(&mut self) {
        let length = match self.peek(1) {
            Some(b'\\') => {
                // What follows the backslash is not the end, even if it is a quote.
                let end = self.bytes.get(self.at + 3..).unwrap_or_default();
                end.iter().position(|&byte| byte == b'\'').map(|offset| offset + 4)
            }
            Some(first) => {
                let end = 1 + utf8_length(first);
                (self.peek(end) == Some(b'\'')).then_some(end + 1)
            }
            None => None,
        };
        match length {
            Some(length) => self.blank_many(length),
            None => self.keep(),
        }
    }

    /// Names, keywords, numbers, and the letters in front of a raw string.
    fn word(&mut self) {
        let start = self.at;
        while self.peek(0).is_some_and(is_word) {
            self.keep();
        }
        let is_raw = matches!(self.bytes.get(start..self.at), Some(b"r" | b"br" | b"cr"));
        let hashes = (0..).take_while(|&offset| self.peek(offset) == Some(b'#')).count();
        if is_raw && self.peek(hashes) == Some(b'"') {
            self.raw_string(hashes);
        }
    }

    fn raw_string(&mut self, hashes: usize) {
        self.blank_many(hashes + 1);
        while let Some(byte) = self.peek(0) {
            self.blank();
            if byte == b'"' && (0..hashes).all(|offset| self.peek(offset) == Some(b'#')) {
                self.blank_many(hashes);
                return;
            }
        }
    }

    fn peek(&self, offset: usize) -> Option<u8> {
        self.bytes.get(self.at + offset).copied()
    }

    fn keep(&mut self) {
        self.code.extend(self.peek(0));
        self.advance();
    }

    fn blank(&mut self) {
        match self.peek(0) {
            Some(b'\n') => self.code.push(b'\n'),
            Some(_) => self.code.push(b' '),
            None => {}
        }
        self.advance();
    }

    fn blank_many(&mut self, count: usize) {
        for _ in 0..count {
            self.blank();
        }
    }

    fn advance(&mut self) {
        self.line += usize::from(self.peek(0) == Some(b'\n'));
        self.at += 1;
    }
}

/// Bytes above ASCII belong to words here, so that no letter is ever cut in two.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// The length of the letter that begins with this byte.
fn utf8_length(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        mask(source).code
    }

    #[test]
    fn strings_of_every_kind_are_blank() {
        for source in [
            r#"f("{")"#,
            r#"f("\"{")"#,
            r#"f("\\")"#,
            r#"f(b"{")"#,
            r#"f(c"//")"#,
            r##"f(r"\")"##,
            r###"f(r#"{"{"#)"###,
            r####"f(br##"{"#{"##)"####,
        ] {
            let left = code(source);

            assert_eq!(left.len(), source.len(), "{source}");
            assert!(left.starts_with('f') && left.ends_with(')'), "{source}: {left}");
            assert!(!left.contains(['{', '"', '/', '\\']), "{source}: {left}");
        }
    }

    #[test]
    fn characters_are_blank_and_lifetimes_are_not() {
        for source in ["'{'", r"'\''", r"'\\'", r"'\u{7b}'", "'\u{e9}'", "'\u{1f36a}'", "'\"'"] {
            assert_eq!(code(source).trim(), "", "{source}");
        }
        assert_eq!(code("fn f<'a,'b>(x: &'a str) {}"), "fn f<'a,'b>(x: &'a str) {}");
        assert_eq!(code("'outer: loop { break 'outer; }"), "'outer: loop { break 'outer; }");
        assert_eq!(code("b'{' }"), "b    }");
    }

    #[test]
    fn comments_are_blank_nest_and_are_kept_by_line() {
        let masked = mask("a // one {\n/* two\n/* in */ three */ b\n\"// no\" c");

        assert_eq!(masked.code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(masked.code.lines().count(), 4);
        let comments: Vec<(usize, &str)> =
            masked.comments.iter().map(|comment| (comment.line, comment.text.as_str())).collect();
        assert_eq!(comments, [(1, "// one {"), (2, "/* two"), (3, "/* in */ three */")]);
    }

    #[test]
    fn a_raw_name_is_not_a_raw_string() {
        assert_eq!(code("r#type + attr#\"{\""), "r#type + attr#   ");
    }

    #[test]
    fn an_unfinished_source_ends() {
        for source in ["\"", "'", "'\\", "/*", "/* /*", "r#\"", "\"\\"] {
            assert!(code(source).len() <= source.len(), "{source}");
        }
    }
}
