//! The head of a response, and how a text is taken apart into lines.

/// Status and fields of a response, as they stand in the text.
pub(super) struct Head<'t> {
    pub(super) status: u16,
    pub(super) fields: Vec<(&'t str, &'t [u8])>,
}

impl<'t> Head<'t> {
    pub(super) const fn new(status: u16) -> Self {
        Self { status, fields: Vec::new() }
    }

    /// Takes a line of the head; one that is no field is left out.
    pub(super) fn take(&mut self, line: &'t [u8]) {
        self.fields.extend(field(line));
    }

    pub(super) fn first(&self, name: &str) -> Option<&'t [u8]> {
        let mut found = self.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| *value)
    }

    /// Whether another response to the same request follows: 100, 102, 103.
    pub(super) const fn is_interim(&self) -> bool {
        self.status < 200 && self.status != 101
    }
}

/// `Name: value`, for a name of token characters.
pub(super) fn field(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = line.iter().position(|octet| *octet == b':')?;
    let (name, value) = line.split_at(colon);
    let name = std::str::from_utf8(name).ok()?;
    let of_token = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
    let is_token = !name.is_empty() && name.bytes().all(of_token);
    is_token.then(|| (name, value.get(1..).unwrap_or_default().trim_ascii()))
}

/// The status in `HTTP/1.1 200 OK` or `HTTP/2 200`.
pub(super) fn status(line: &[u8]) -> Option<u16> {
    let mut words = line.split(|octet| *octet == b' ').filter(|word| !word.is_empty());
    let version = words.next()?.strip_prefix(b"HTTP/")?;
    let is_version = matches!(version, b"1.0" | b"1.1" | b"2" | b"2.0" | b"3" | b"3.0");
    let status = words.next()?;
    let is_status = status.len() == 3 && status.iter().all(u8::is_ascii_digit);
    let status: u16 = std::str::from_utf8(status).ok()?.parse().ok()?;
    (is_version && is_status && (100..1000).contains(&status)).then_some(status)
}

/// The first line without its end, and what follows it.
pub(super) fn line_of(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|octet| *octet == b'\n') {
        Some(end) => {
            let (line, rest) = text.split_at(end);
            (line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..).unwrap_or_default())
        }
        None => (text.strip_suffix(b"\r").unwrap_or(text), b""),
    }
}

/// The head that a text begins with, and what follows it.
pub(super) fn head_of(text: &[u8]) -> Option<(Head<'_>, &[u8])> {
    let (first, mut rest) = line_of(text);
    let mut head = Head::new(status(first)?);
    while !rest.is_empty() {
        let (line, behind) = line_of(rest);
        rest = behind;
        if line.is_empty() {
            break;
        }
        head.take(line);
    }
    Some((head, rest))
}
