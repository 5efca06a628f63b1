//! The secrets that a test knows, and the search for them, in every form in which they could have
//! been printed, in all that came out.

use std::collections::{BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// What is compared first; no form is searched for with less.
const START: usize = 8;

/// Tickets and other secrets that nothing may print.
#[derive(Default)]
pub struct Secrets {
    known: BTreeSet<String>,
    tickets: usize,
    forms: Vec<Form>,
}

/// One way to print one secret.
struct Form {
    name: &'static str,
    printed: Vec<u8>,
    /// This much of it, from either end, is as bad as all of it.
    part: usize,
    /// What a store may keep.
    is_digest: bool,
}

/// A secret that was found.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Found {
    form: usize,
    at: usize,
}

impl Secrets {
    /// The ticket in a cookie that the service set.
    pub fn add_ticket(&mut self, ticket: &str) {
        if !self.known.insert(ticket.to_owned()) {
            return;
        }
        self.tickets += 1;
        let token = URL_SAFE_NO_PAD.decode(ticket).unwrap();
        let digest = Sha256::digest(&token);
        self.add_text_forms(ticket, 12);
        self.add_byte_forms(&token, false);
        self.add_byte_forms(&digest, true);
    }

    /// What somebody typed for nobody else to see, such as a password.
    pub fn add_text(&mut self, text: &str) {
        if self.known.insert(text.to_owned()) {
            self.add_text_forms(text, text.len());
        }
    }

    /// How many tickets are known.
    pub fn tickets(&self) -> usize {
        self.tickets
    }

    /// Nothing of any secret is here, nor what a store keeps instead of one.
    pub fn assert_absent(&self, place: &str, text: &[u8]) {
        self.assert_none(place, text, |_| true);
    }

    /// Nothing of any secret is here, but what a store keeps instead of one may be.
    pub fn assert_absent_from_store(&self, place: &str, bytes: &[u8]) {
        self.assert_none(place, bytes, |form| !form.is_digest);
    }

    /// The search would have found each form of each secret, and a part of it, in the midst of this.
    pub fn assert_would_be_found(&self, text: &[u8]) {
        let (before, after) = text.split_at(text.len() / 2);
        for part_only in [false, true] {
            let mut planted = before.to_vec();
            let mut places = Vec::new();
            for form in &self.forms {
                planted.extend(b" \n");
                places.push(planted.len());
                planted.extend(if part_only { form.start() } else { &form.printed });
            }
            planted.extend(b" \n");
            planted.extend(after);

            let found = self.search(&planted);

            for (number, at) in places.into_iter().enumerate() {
                let name = self.forms[number].name;
                assert!(found.contains(&Found { form: number, at }), "{name} was not found");
            }
        }
    }

    fn assert_none(&self, place: &str, text: &[u8], counts: impl Fn(&Form) -> bool) {
        for found in self.search(text) {
            let form = &self.forms[found.form];
            if counts(form) {
                let around = &text[found.at.saturating_sub(300)..text.len().min(found.at + 300)];
                let around = String::from_utf8_lossy(around);
                panic!("{} in {place}:\n{around}", form.name);
            }
        }
    }

    fn search(&self, text: &[u8]) -> Vec<Found> {
        let mut starts: HashMap<&[u8], Vec<(usize, &[u8])>> = HashMap::new();
        for (number, form) in self.forms.iter().enumerate() {
            for part in [form.start(), form.end()] {
                starts.entry(&part[..START]).or_default().push((number, part));
            }
        }
        let mut found = Vec::new();
        for (at, window) in text.windows(START).enumerate() {
            for (form, part) in starts.get(window).into_iter().flatten() {
                if text[at..].starts_with(part) {
                    found.push(Found { form: *form, at });
                }
            }
        }
        found
    }

    fn add_text_forms(&mut self, text: &str, part: usize) {
        let bytes = text.as_bytes();
        let html = text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        self.add("the text", bytes, part);
        self.add("the text as in a form", encoded(text, "-_.*", "+"), part);
        self.add("the text as in an address", encoded(text, "-_.~", "%20"), part);
        self.add("the text as in HTML", html, part);
        self.add("the text as in JSON", text.escape_default().to_string(), part);
        self.add("the text in base64", STANDARD.encode(bytes), 12);
        self.add("the text in hexadecimal", hex(bytes), 16);
    }

    fn add_byte_forms(&mut self, bytes: &[u8], is_digest: bool) {
        let list = bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        let spaced = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
        let first = self.forms.len();
        self.add("the bytes", bytes, 8);
        self.add("hexadecimal", hex(bytes), 16);
        self.add("capital hexadecimal", hex(bytes).to_uppercase(), 16);
        self.add("hexadecimal with spaces", spaced.join(" "), 23);
        self.add("hexadecimal with colons", spaced.join(":"), 23);
        self.add("base64", STANDARD_NO_PAD.encode(bytes), 12);
        self.add("base64url", URL_SAFE_NO_PAD.encode(bytes), 12);
        self.add("percent signs", percent.to_lowercase(), 24);
        self.add("capital percent signs", percent, 24);
        self.add("a list of numbers", list, 24);
        self.add("escaped bytes", bytes.escape_ascii().to_string(), 16);
        self.forms[first..].iter_mut().for_each(|form| form.is_digest = is_digest);
    }

    fn add(&mut self, name: &'static str, printed: impl AsRef<[u8]>, part: usize) {
        let printed = printed.as_ref().to_vec();
        assert!(printed.len() >= part && part >= START, "{name} is too short to search for");
        self.forms.push(Form { name, printed, part, is_digest: false });
    }
}

impl Form {
    fn start(&self) -> &[u8] {
        &self.printed[..self.part]
    }

    fn end(&self) -> &[u8] {
        &self.printed[self.printed.len() - self.part..]
    }
}

/// Text as it stands in addresses and forms, which differ in what they spare and in the space.
fn encoded(text: &str, spared: &str, space: &str) -> String {
    let letter = |letter: char| match letter {
        ' ' => space.to_owned(),
        letter if letter.is_ascii_alphanumeric() || spared.contains(letter) => letter.to_string(),
        letter => letter.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect(),
    };
    text.chars().map(letter).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
