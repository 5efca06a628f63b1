//! Cookies that no server set: what a hostile neighbour, a broken program or a person can send.

use crate::rules::MARK;

/// Cookies in the fullest header: what the most patient browsers keep for a host.
pub(crate) const MANY: usize = 180;
/// Octets of the longest value: 8 KiB, which is more than any browser sends for one cookie.
pub(crate) const LONG: usize = 8 * 1024;

/// The value of a `Cookie` header, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planted {
    pub(crate) what: &'static str,
    pub(crate) header: Vec<u8>,
}

/// Every hostile header for a cookie of this name. Each holds [`MARK`], so that an echo is known.
///
/// None has octets that an HTTP library refuses to send, such as line ends.
pub(crate) fn planted(name: &str) -> Vec<Planted> {
    let one = |what, value: &[u8]| Planted { what, header: pair(name.as_bytes(), value) };
    let text = |what, value: String| one(what, value.as_bytes());
    let raw = |what, header: String| Planted { what, header: header.into_bytes() };
    let long = "A".repeat(LONG - MARK.len());
    vec![
        text("an invented value", MARK.to_owned()),
        text("a value of 8 KiB", format!("{MARK}{long}")),
        text("a quote that does not end", format!("\"{MARK}")),
        text("quotes within", format!("{MARK}\"'\\\"<b>")),
        one("octets that are no text", &[b"\xff\xfe\x80", MARK.as_bytes(), b"\xc3\x28"].concat()),
        text("percent signs of nothing", format!("%00%ff%zz%{MARK}%")),
        text("half of a JSON text", format!("%7B%22user%22%3A%22{MARK}")),
        text("a web token of nothing", format!("eyJhbGciOiJub25lIn0.e30.{MARK}")),
        text("a signature of nothing", format!("s%3A{MARK}.{MARK}.{MARK}")),
        text("a serialised object", format!("O:8:\"{MARK}\":1:{{s:1:\"a\";i:1;}}")),
        text("a number that is none", format!("-99999999999999999999|{MARK}")),
        raw("a value of nothing", format!("{name}=; planted={MARK}")),
        raw("a list instead of a value", format!("{name}[]={MARK}; {name}[a][b]={MARK}")),
        raw("twins", format!("{name}={MARK}; {name}={MARK}2; {name}=")),
        raw("broken neighbours", format!("=; {MARK}; ;; =x; a b=c; \"{MARK}; {name}={MARK}")),
        raw(
            "another character set",
            format!("\u{e4}\u{4e2d}={MARK}; {name}=\u{e9}\u{1f9e5}{MARK}"),
        ),
        Planted { what: "180 cookies", header: many(name) },
    ]
}

fn pair(name: &[u8], value: &[u8]) -> Vec<u8> {
    [name, b"=", value].concat()
}

fn many(name: &str) -> Vec<u8> {
    let others = (1..MANY).map(|number| format!("planted{number}={MARK}{number}"));
    let all: Vec<String> = others.chain([format!("{name}={MARK}")]).collect();
    all.join("; ").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::contains;

    #[test]
    fn every_planted_header_is_known_when_it_comes_back_and_can_be_sent() {
        for Planted { what, header } in planted("sid") {
            let sendable = header.iter().all(|octet| *octet >= b' ' && *octet != 0x7f);

            assert!(contains(&header, MARK.as_bytes()) && sendable, "{what}");
        }
    }

    #[test]
    fn the_header_of_many_cookies_has_all_of_them() {
        let found = planted("sid").into_iter().find(|planted| planted.what == "180 cookies");

        let header = found.unwrap().header;

        assert_eq!(cloakroom_cookie::pairs(&header).count(), MANY);
        assert!(header.ends_with(format!("sid={MARK}").as_bytes()));
    }

    #[test]
    fn the_long_value_is_as_long_as_said() {
        let found = planted("sid").into_iter().find(|planted| planted.what == "a value of 8 KiB");

        assert_eq!(found.unwrap().header.len(), "sid=".len() + LONG);
    }
}
