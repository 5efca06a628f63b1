//! What the shop is told when it is started.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;

pub(crate) const USAGE: &str = "usage: shop [--addr HOST:PORT] [--db PATH] [--help]";

pub(crate) const HELP: &str = "\
A small shop that shows how sessions are used.

usage: shop [--addr HOST:PORT] [--db PATH] [--help]

  --addr HOST:PORT  where to listen: an IP address, or `localhost` for 127.0.0.1 and [::1]
                    at once; port 0 takes any free one    (localhost:8080)
  --db PATH         the file with the sessions; the accounts are in PATH.accounts    (shop.db)
  --help            prints this

RUST_LOG in the environment says what is logged    (info)

The first account that signs up is a member of staff.";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Serve(Arguments),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) address: Address,
    pub(crate) db: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// This port of every loopback address.
    Localhost(u16),
    Given(SocketAddr),
}

impl Default for Arguments {
    fn default() -> Self {
        Self { address: Address::Localhost(8080), db: PathBuf::from("shop.db") }
    }
}

impl Arguments {
    /// Reads the arguments after the program's name. An error is a sentence for whoever typed them.
    pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
        let mut arguments = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let name = word.to_string_lossy();
            let mut value = || words.next().ok_or_else(|| format!("{name} needs a value"));
            match &*name {
                "--help" | "-h" => return Ok(Command::Help),
                "--addr" => arguments.address = address(&value()?)?,
                "--db" => arguments.db = path(value()?)?,
                other => return Err(format!("{other} is not an argument of the shop")),
            }
        }
        Ok(Command::Serve(arguments))
    }
}

fn address(text: &OsStr) -> Result<Address, String> {
    let text = text.to_string_lossy();
    let port = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    port.map(Address::Localhost).or_else(|| text.parse().ok().map(Address::Given)).ok_or_else(
        || format!("{text} is not an address such as localhost:8080, 127.0.0.1:8080 or [::1]:8080"),
    )
}

fn path(text: OsString) -> Result<PathBuf, String> {
    if text.is_empty() { Err("--db needs a path".to_owned()) } else { Ok(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Command, String> {
        Arguments::parse(words.split_whitespace().map(OsString::from))
    }

    #[test]
    fn without_arguments_it_serves_localhost() {
        let expected = Arguments { address: Address::Localhost(8080), db: "shop.db".into() };

        assert_eq!(parse(""), Ok(Command::Serve(expected)));
    }

    #[test]
    fn the_last_word_about_a_thing_counts_and_help_comes_first() {
        let expected = Arguments {
            address: Address::Given("[::1]:0".parse().unwrap()),
            db: "data/b.db".into(),
        };
        let both = parse("--db a.db --addr [::1]:0 --db data/b.db");

        assert_eq!(both, Ok(Command::Serve(expected)));
        assert_eq!(parse("--db a.db --help --nonsense"), Ok(Command::Help));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (words, said) in [
            ("--port 8080", "--port is not an argument"),
            ("--addr", "--addr needs a value"),
            ("--addr 8080", "8080 is not an address"),
            ("--addr localhost:99999", "localhost:99999 is not an address"),
            ("--addr shop.example:80", "shop.example:80 is not an address"),
        ] {
            let problem = parse(words).unwrap_err();

            assert!(problem.starts_with(said), "{problem}");
        }
    }
}
