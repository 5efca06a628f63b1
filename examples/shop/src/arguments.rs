//! What the shop is told when it is started.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;

use cloakroom::StoreUrl;

pub(crate) const USAGE: &str =
    "usage: shop [--addr HOST:PORT] [--store URL] [--accounts PATH] [--help]";

pub(crate) const HELP: &str = "\
A small shop that shows how sessions are used.

usage: shop [--addr HOST:PORT] [--store URL] [--accounts PATH] [--help]

  --addr HOST:PORT  where to listen: an IP address, or `localhost` for 127.0.0.1 and [::1]
                    at once; port 0 takes any free one    (localhost:8080)
  --store URL       where the sessions are: memory:, sqlite:PATH, redis://HOST,
                    redis+sentinel://HOST,HOST/NAME, redis-cluster://HOST,HOST or
                    postgres://USER@HOST/DATABASE    (sqlite:shop.db)
  --accounts PATH   the file with the accounts    (PATH.accounts beside sqlite:PATH, else
                    shop.accounts)
  --help            prints this

RUST_LOG in the environment says what is logged    (info)

The first account that signs up is a member of staff.";

#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Serve(Arguments),
}

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) address: Address,
    pub(crate) store: StoreUrl,
    pub(crate) accounts: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// This port of every loopback address.
    Localhost(u16),
    Given(SocketAddr),
}

impl Arguments {
    /// Reads the arguments after the program's name. An error is a sentence for whoever typed them.
    pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
        let (mut at, mut store, mut accounts) = (Address::Localhost(8080), None, None);
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let name = word.to_string_lossy();
            let mut value = || words.next().ok_or_else(|| format!("{name} needs a value"));
            match &*name {
                "--help" | "-h" => return Ok(Command::Help),
                "--addr" => at = address(&value()?)?,
                "--store" => store = Some(store_url(&value()?)?),
                "--accounts" => accounts = Some(path(value()?)?),
                other => return Err(format!("{other} is not an argument of the shop")),
            }
        }
        let store = store.map_or_else(|| store_url(OsStr::new("sqlite:shop.db")), Ok)?;
        let accounts = accounts.unwrap_or_else(|| accounts_of(&store));
        Ok(Command::Serve(Self { address: at, store, accounts }))
    }
}

fn store_url(text: &OsStr) -> Result<StoreUrl, String> {
    let text = text.to_str().ok_or("--store needs text in UTF-8")?;
    text.parse().map_err(|problem| format!("--store: {problem}"))
}

/// Accounts belong to the service and not to its sessions: they stay on this machine.
fn accounts_of(store: &StoreUrl) -> PathBuf {
    let mut name = OsString::from(store.path().unwrap_or_else(|| "shop".as_ref()));
    name.push(".accounts");
    name.into()
}

fn address(text: &OsStr) -> Result<Address, String> {
    let text = text.to_string_lossy();
    let port = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    port.map(Address::Localhost).or_else(|| text.parse().ok().map(Address::Given)).ok_or_else(
        || format!("{text} is not an address such as localhost:8080, 127.0.0.1:8080 or [::1]:8080"),
    )
}

fn path(text: OsString) -> Result<PathBuf, String> {
    if text.is_empty() { Err("--accounts needs a path".to_owned()) } else { Ok(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Command, String> {
        Arguments::parse(words.split_whitespace().map(OsString::from))
    }

    /// Address, store and accounts, as they would be typed.
    fn served(words: &str) -> (Address, String, String) {
        match parse(words) {
            Ok(Command::Serve(Arguments { address, store, accounts })) => {
                (address, store.to_string(), accounts.display().to_string())
            }
            other => panic!("{words}: {other:?}"),
        }
    }

    #[test]
    fn without_arguments_it_serves_localhost_from_one_file() {
        let expected =
            (Address::Localhost(8080), "sqlite:shop.db".into(), "shop.db.accounts".into());

        assert_eq!(served(""), expected);
    }

    #[test]
    fn the_last_word_about_a_thing_counts_and_help_comes_first() {
        let both = served("--store sqlite:a.db --addr [::1]:0 --store sqlite:data/b.db");
        let address = Address::Given("[::1]:0".parse().unwrap());
        let help = parse("--store memory: --help --nonsense");

        assert_eq!(both, (address, "sqlite:data/b.db".into(), "data/b.db.accounts".into()));
        assert!(matches!(help, Ok(Command::Help)), "{help:?}");
    }

    #[test]
    fn accounts_are_where_they_are_said_to_be() {
        assert_eq!(served("--store memory:").2, "shop.accounts");
        assert_eq!(served("--store memory: --accounts x/who.db").2, "x/who.db");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (words, said) in [
            ("--port 8080", "--port is not an argument"),
            ("--addr", "--addr needs a value"),
            ("--store shop.db", "--store: a store URL begins with its scheme"),
            ("--addr 8080", "8080 is not an address"),
            ("--addr localhost:99999", "localhost:99999 is not an address"),
            ("--addr shop.example:80", "shop.example:80 is not an address"),
        ] {
            let problem = parse(words).unwrap_err();

            assert!(problem.starts_with(said), "{problem}");
        }
    }
}
