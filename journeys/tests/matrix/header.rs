//! What a browser writes into the `Cookie` header, and whether `cloakroom_cookie::pairs` reads the
//! cookies out of it that the browser had stored.

use crate::sharing::shown;
use crate::told;
use crate::world::{Row, World};
use cloakroom_cookie::browser::Request;
use cloakroom_cookie::pairs;
use cloakroom_journeys::Failure;
use std::collections::hash_map::RandomState;
use std::fmt::Write as _;
use std::hash::BuildHasher;

// Without a proxy between: nginx passes no control characters on.
const ADDRESS: &str = "http://localhost";
const ALIKE: &str = "read as stored";
const NOT_KEPT: &str = "because it is not kept";

/// What a response sets, the header that comes back, and how it is read.
const LINES: [(&[u8], &str, &str); 24] = [
    (b"x=1", "x=1", ALIKE),
    (b"x=", "x=", ALIKE),
    (b"x=a=b==", "x=a=b==", ALIKE),
    (b"x=\"a b\"", "x=\"a b\"", ALIKE),
    (b"x=\"a;b\"", "x=\"a", ALIKE),
    (b"x=\"open", "x=\"open", ALIKE),
    (b"x=a\\\"b", "x=a\\\"b", ALIKE),
    (b"x=a,b", "x=a,b", ALIKE),
    (b"x=a%20b+c", "x=a%20b+c", ALIKE),
    (b"  x  =  1  ", "x=1", ALIKE),
    (b"\tx\t=\t1\t", "x=1", ALIKE),
    (b"x=a  b", "x=a  b", ALIKE),
    (b"x y=1", "x y=1", ALIKE),
    (b"x,y=1", "x,y=1", ALIKE),
    (b"\"x\"=1", "\"x\"=1", ALIKE),
    (b"$Version=1", "$Version=1", ALIKE),
    ("gr\u{fc}n=\u{e9}".as_bytes(), "gr\\xc3\\xbcn=\\xc3\\xa9", ALIKE),
    (b"x=\xe9", "x=\\xe9", NOT_TEXT),
    (b"bare", "bare", NAMELESS),
    (b"=bare", "bare", NAMELESS),
    (b"=a=b", "", NOT_KEPT),
    (b"=", "", NOT_KEPT),
    (b"x=a\x01b", "", NOT_KEPT),
    (b"x=a\x7fb", "", NOT_KEPT),
];

/// A cookie without a name cannot be asked for by one: it is no pair, and hides no neighbour.
const NAMELESS: &str = "not read: it has no name";

/// Octets that are not UTF-8 come back as they are; `DevTools` shows such a value as empty.
const NOT_TEXT: &str = "read octet by octet";

pub(crate) fn headers(world: &World) -> Vec<Row> {
    let seed = seed();
    let mut rows: Vec<_> = LINES
        .into_iter()
        .map(|(line, header, read)| {
            let case = format!("`{}` comes back as", printable(line));
            row(world, case, &[line], header, read)
        })
        .collect();
    let case = "a nameless cookie between two others comes back as";
    rows.push(row(world, case.into(), &[b"a=1", b"bare", b"b=2"], "a=1; bare; b=2", NAMELESS));
    // The jar is asked batch by batch, and has to say what the browser sends.
    let random = Row::new("400 cookies of random characters are", ALIKE, random_lines(world, seed));
    rows.push(random.told(ALIKE));
    rows
}

fn row(world: &World, case: String, lines: &[&[u8]], header: &str, read: &str) -> Row {
    let outcome =
        |(header, read): (Vec<u8>, String)| format!("{}, {read}", shown(&printable(&header)));
    let expected = format!("{}, {read}", shown(header));
    Row::new(case, expected, came_back(world, lines).map(outcome)).told(outcome(told(lines)))
}

/// Printable ASCII as it is, every other octet by its number.
fn printable(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, &octet| {
        match octet {
            b' '..=b'~' => text.push(char::from(octet)),
            _ => write!(text, "\\x{octet:02x}").unwrap(),
        }
        text
    })
}

/// The header, and how what we read in it differs from what the browser keeps.
fn came_back(world: &World, lines: &[&[u8]]) -> Result<(Vec<u8>, String), Failure> {
    let person = world.person()?;
    let page = &person.page;
    page.goto(&world.setting(ADDRESS, lines))?;
    let tag = world.site.tag();
    page.goto(&format!("{}?tag={tag}", world.url(ADDRESS)))?;
    let header = world.site.octets_of(&tag)?;
    let kept = person.context.cookies()?;
    let kept = kept.into_iter().map(|cookie| (cookie.name.into_bytes(), cookie.value.into_bytes()));
    let read = compared(&header, kept.collect());
    Ok((header, read))
}

/// The same as the jar has it.
fn told(lines: &[&[u8]]) -> (Vec<u8>, String) {
    let mut jar = told::jar();
    told::set(&mut jar, ADDRESS, lines);
    let header = jar.header(&Request::typed(told::at(ADDRESS)));
    // What `DevTools` would show: text, or nothing.
    let text = |octets: &[u8]| std::str::from_utf8(octets).unwrap_or_default().as_bytes().to_vec();
    let kept = jar.cookies().map(|cookie| (text(cookie.name()), text(cookie.value())));
    let read = compared(&header, kept.collect());
    (header, read)
}

type Named = (Vec<u8>, Vec<u8>);

fn compared(header: &[u8], mut kept: Vec<Named>) -> String {
    let mut read: Vec<Named> =
        pairs(header).map(|pair| (pair.name().to_vec(), pair.value().to_vec())).collect();
    kept.sort();
    read.sort();
    if kept.is_empty() && header.is_empty() {
        NOT_KEPT.to_owned()
    } else if kept == read {
        ALIKE.to_owned()
    } else if kept.iter().all(|kept| kept.0.is_empty() || read.contains(kept)) {
        NAMELESS.to_owned()
    } else if std::str::from_utf8(header).is_err()
        && read.iter().all(|(_, value)| *value == b"\xe9")
    {
        NOT_TEXT.to_owned()
    } else {
        let pairs = |pairs: &[(Vec<u8>, Vec<u8>)]| {
            pairs.iter().fold(String::new(), |mut text, (name, value)| {
                write!(text, "[{}]=[{}] ", name.escape_ascii(), value.escape_ascii()).unwrap();
                text
            })
        };
        format!("kept {}but read {}", pairs(&kept), pairs(&read))
    }
}

fn random_lines(world: &World, seed: u64) -> Result<String, Failure> {
    let random = &mut Random(seed);
    for batch in 0..20 {
        let lines: Vec<_> = (0..20).map(|number| random_line(random, number)).collect();
        let lines: Vec<_> = lines.iter().map(String::as_bytes).collect();
        let (header, read) = came_back(world, &lines)?;
        if read != ALIKE {
            return Ok(format!("seed {seed}, batch {batch}: `{}` {read}", printable(&header)));
        }
        let (other, _) = told(&lines);
        if other != header {
            let [header, other] = [&header, &other].map(|header| printable(header));
            return Ok(format!("seed {seed}, batch {batch}: `{header}`, and the jar `{other}`"));
        }
        if header.len() < 100 {
            return Ok(format!(
                "seed {seed}, batch {batch}: nothing to compare in `{}`",
                printable(&header)
            ));
        }
    }
    Ok(ALIKE.to_owned())
}

/// A named cookie of printable characters and a few others, of which browsers keep most.
fn random_line(random: &mut Random, number: usize) -> String {
    const OTHERS: [char; 8] = ['\t', ' ', '=', '"', ',', '\u{e9}', '\u{20ac}', '\u{1f36a}'];
    let mut character = || match random.below(5) {
        0 => OTHERS[random.below(8)],
        _ => char::from(b'!' + u8::try_from(random.below(94)).unwrap()),
    };
    let mut word = |longest: usize| -> String {
        (0..longest).map(|_| character()).filter(|one| *one != '\t').collect()
    };
    let name = word(number % 4).replace(['=', ';'], "_");
    format!("n{number}{name}={}", word(number))
}

/// Another one each time, unless `CLOAKROOM_SEED` names one.
fn seed() -> u64 {
    let given = std::env::var("CLOAKROOM_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one(0) | 1)
}

/// Small numbers from a seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}
