//! What the program is told when it is started.

use std::net::{Ipv4Addr, SocketAddr};

use bad::Switches;

pub(crate) const USAGE: &str =
    "usage: bad [--addr IP:PORT] [--origin URL] [--bad ID,ID]... [--list] [--help]";

pub(crate) const HELP: &str = "\
An application that is wrong on purpose, for the auditor to find out.

usage: bad [--addr IP:PORT] [--origin URL] [--bad ID,ID]... [--list] [--help]

  --addr IP:PORT  where to listen: a loopback address, nothing else; port 0 takes any
                  free one    (127.0.0.1:8090)
  --origin URL    where browsers reach it, if a proxy with TLS stands in front of it
  --bad ID        breaks one defence; several after commas, or by saying it again
  --list          prints all switches
  --help          prints this

Users: ada with the password `analytical engine`, bea with `difference engine`.";

#[derive(Debug)]
pub(crate) enum Command {
    Help,
    List,
    Serve(Arguments),
}

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) address: SocketAddr,
    pub(crate) origin: Option<String>,
    pub(crate) switches: Switches,
}

impl Arguments {
    /// Reads the arguments after the program's name. An error is a sentence for whoever typed them.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Command, String> {
        let mut address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8090));
        let (mut origin, mut names) = (None, Vec::new());
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match &*word {
                "--help" | "-h" => return Ok(Command::Help),
                "--list" => return Ok(Command::List),
                "--addr" => address = loopback(&value()?)?,
                "--origin" => origin = Some(value()?),
                "--bad" => names.push(value()?),
                other => return Err(format!("{other} is not an argument of this program")),
            }
        }
        let ids = names.iter().flat_map(|names| names.split(',')).filter(|id| !id.is_empty());
        let switches = Switches::parse(ids).map_err(|unknown| unknown.to_string())?;
        Ok(Command::Serve(Self { address, origin, switches }))
    }
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| format!("{text} is not an address such as 127.0.0.1:8090"))?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err(format!(
        "{address} can be reached from elsewhere: this application is bad on purpose, and stays on this machine"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bad::Bad;

    fn parse(words: &[&str]) -> Result<Command, String> {
        Arguments::parse(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn it_listens_on_this_machine_and_nowhere_else() {
        for address in ["127.0.0.1:0", "[::1]:8090", "127.9.9.9:1"] {
            assert!(parse(&["--addr", address]).is_ok(), "{address}");
        }
        for address in ["0.0.0.0:8090", "[::]:8090", "192.0.2.1:80", "example.org:80", "8090"] {
            assert!(parse(&["--addr", address]).is_err(), "{address}");
        }
    }

    #[test]
    fn switches_are_named_one_by_one_or_together() {
        let Ok(Command::Serve(arguments)) = parse(&["--bad", "c01,O01", "--bad", "x04"]) else {
            panic!("these are arguments");
        };

        assert_eq!(arguments.switches, Switches::of([Bad::C01, Bad::O01, Bad::X04]));
        assert!(parse(&["--bad", "C99"]).is_err());
        assert!(parse(&["--bad"]).is_err());
    }
}
