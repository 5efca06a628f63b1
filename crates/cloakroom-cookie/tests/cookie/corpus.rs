//! Hostile `Cookie` headers from `testdata/fuzz/cookie_header`, read here and by the `cookie` crate.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cloakroom_cookie::{COOKIE_HEADER_READ, pairs, values_of};

const NAME: &str = "__Host-Http-session";

/// Where the two readers part, and why ours is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// The other reader takes text only; a header is octets, and one bad octet of a neighbour must
    /// not hide our ticket (RFC 6265bis section 5.6 speaks of octets).
    NotUtf8,
    /// The other reader trims all white space of Unicode, here only space and tab are blanks (WSP,
    /// RFC 6265bis section 5.6). A name in other white space is another name: taking it for ours
    /// would let a cookie pass that no browser held to the rules of the prefix `__Host-`.
    OtherWhiteSpace,
}

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz/cookie_header");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().display().to_string(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

type Pair = (Vec<u8>, Vec<u8>);

fn ours(header: &[u8]) -> Vec<Pair> {
    pairs(header).map(|pair| (pair.name().to_vec(), pair.value().to_vec())).collect()
}

fn theirs(header: &str) -> Vec<Pair> {
    let read = cookie::Cookie::split_parse(header).filter_map(Result::ok);
    read.map(|cookie| (cookie.name().into(), cookie.value().into())).collect()
}

/// How the readers differ about one header; `None` if they agree.
fn difference(header: &[u8]) -> Option<Difference> {
    let Ok(text) = std::str::from_utf8(header) else { return Some(Difference::NotUtf8) };
    let (ours, theirs) = (ours(header), theirs(text));
    if ours == theirs {
        return None;
    }
    let trim = |part: &[u8]| String::from_utf8_lossy(part).trim().as_bytes().to_vec();
    let trimmed: Vec<Pair> = ours.iter().map(|(name, value)| (trim(name), trim(value))).collect();
    let named: Vec<Pair> = trimmed.into_iter().filter(|(name, _)| !name.is_empty()).collect();
    assert_eq!(named, theirs, "a difference without a reason: {}", header.escape_ascii());
    Some(Difference::OtherWhiteSpace)
}

#[test]
fn the_cookie_crate_reads_the_same_but_for_known_reasons() {
    let mut met = BTreeSet::new();

    for (file, header) in corpus() {
        let difference = difference(&header);
        println!("{file}: {difference:?}");
        met.extend(difference);
        // What one part says does not depend on the others.
        for part in header.split(|octet| *octet == b';') {
            met.extend(self::difference(part));
        }
    }

    assert_eq!(met, [Difference::NotUtf8, Difference::OtherWhiteSpace].into());
}

#[test]
fn a_hostile_header_is_read_and_hides_no_neighbour() {
    let files = corpus();
    assert!(files.len() >= 32);

    for (file, header) in &files {
        let found = ours(header);
        let of_name = found.iter().filter(|(name, _)| name == NAME.as_bytes()).count();
        let read = values_of([header.as_slice()], NAME).count();

        assert!(found.iter().all(|(name, value)| {
            !name.is_empty() && !name.contains(&b';') && !value.contains(&b';')
        }));
        if header.len() <= COOKIE_HEADER_READ {
            assert_eq!(read, of_name, "{file}");
        } else {
            assert!(read < of_name, "{file}: beyond the bound nothing is read");
        }

        let behind = [header.as_slice(), b"; last=1"].concat();
        assert_eq!(pairs(&behind).last().unwrap().name(), b"last", "{file}");
        let headers = [b"first=1".as_slice(), header];
        assert_eq!(values_of(headers, "first").next(), Some(b"1".as_slice()), "{file}");
    }
}

#[test]
fn every_beginning_of_a_hostile_header_is_read() {
    for (_, header) in corpus().iter().filter(|(_, header)| header.len() < 1_000) {
        for end in 0..header.len() {
            let (beginning, rest) = header.split_at(end);

            let read = values_of([beginning, rest], NAME).count();

            assert!(read <= 1 + header.split(|octet| *octet == b'=').count());
        }
    }
}
