//! Reading addresses, with one clear message for each mistake.

use cloakroom_store::StoreError;

use super::{Address, Login, Mode, RedisConfig};

/// The port of a server if none is said.
const SERVER: u16 = 6379;
/// The port of a sentinel if none is said.
const SENTINEL: u16 = 26_379;
/// The longest prefix: names of keys are kept in memory once for each session.
const PREFIX_MAX: usize = 32;

pub(super) fn parse(text: &str) -> Result<RedisConfig, StoreError> {
    let (scheme, rest) = text.split_once("://").ok_or_else(|| {
        refused("begin with redis://, redis+sentinel:// or redis-cluster://, or rediss.. for TLS")
    })?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (login, rest) = match rest.rsplit_once('@') {
        Some((login, rest)) => (login_of(login)?, rest),
        None => (Login::default(), rest),
    };
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (tls, kind) = match scheme.strip_prefix("rediss") {
        Some(kind) => (true, kind),
        None => (false, scheme.strip_prefix("redis").unwrap_or("?")),
    };
    let (mode, database) = match kind {
        "" => (Mode::Standalone(only(hosts)?), path),
        "+sentinel" => {
            let (name, database) = path.split_once('/').unwrap_or((path, ""));
            if name.is_empty() {
                return Err(refused("name the primary after the sentinels: .../name"));
            }
            let sentinels = addresses(hosts, SENTINEL)?;
            (Mode::Sentinel { sentinels, name: decoded(name)? }, database)
        }
        "-cluster" if path.is_empty() => (Mode::Cluster(addresses(hosts, SERVER)?), ""),
        "-cluster" => return Err(refused("a cluster has no databases: leave the path out")),
        _ => {
            return Err(refused(
                "the scheme is redis, redis+sentinel or redis-cluster, or rediss..",
            ));
        }
    };
    let mut config = RedisConfig::new(mode);
    (config.tls, config.login, config.database) = (tls, login, database_of(database)?);
    query.split('&').filter(|word| !word.is_empty()).try_for_each(|word| add(&mut config, word))?;
    Ok(config)
}

fn add(config: &mut RedisConfig, word: &str) -> Result<(), StoreError> {
    match word.split_once('=') {
        Some(("prefix", prefix)) => config.prefix = prefix_of(prefix)?,
        Some(("ca", path)) if config.tls => config.ca = Some(decoded(path)?.into()),
        Some(("ca", _)) => return Err(refused("`ca` is for TLS: write rediss in place of redis")),
        Some(("confirmed_by_replicas", count)) => {
            config.replicas = count.parse().map_err(|_| refused("count replicas in digits"))?;
        }
        Some(("confirmed_on_disk", "yes")) => config.on_disk = true,
        Some(("confirmed_on_disk", _)) => return Err(refused("write confirmed_on_disk=yes")),
        Some(_) | None => {
            return Err(refused(
                "only `prefix`, `ca`, `confirmed_by_replicas` and `confirmed_on_disk` may follow the \
                 question mark",
            ));
        }
    }
    Ok(())
}

/// Braces would make another slot of the names, and glob characters another pattern.
fn prefix_of(prefix: &str) -> Result<String, StoreError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
    if prefix.is_empty() || prefix.len() > PREFIX_MAX || !prefix.bytes().all(is_plain) {
        return Err(refused("a prefix is 1 to 32 ASCII letters, digits, '_', '-', '.' or ':'"));
    }
    Ok(prefix.to_owned())
}

fn database_of(text: &str) -> Result<i64, StoreError> {
    match text {
        "" => Ok(0),
        digits => digits
            .parse::<u16>()
            .map(i64::from)
            .map_err(|_| refused("the database is a number, such as /2")),
    }
}

fn login_of(text: &str) -> Result<Login, StoreError> {
    let (user, password) = match text.split_once(':') {
        Some((user, password)) => (user, decoded(password)?),
        None => return Err(refused("write user:password before the @, or :password")),
    };
    let user = if user.is_empty() { None } else { Some(decoded(user)?) };
    Ok(Login { user, password: Some(password) })
}

fn only(hosts: &str) -> Result<Address, StoreError> {
    if hosts.contains(',') {
        return Err(refused("several hosts are redis+sentinel:// or redis-cluster://"));
    }
    address(hosts, SERVER)
}

fn addresses(hosts: &str, port: u16) -> Result<Vec<Address>, StoreError> {
    hosts.split(',').map(|host| address(host, port)).collect()
}

pub(super) fn address(text: &str, default: u16) -> Result<Address, StoreError> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, rest.strip_prefix(':').or(Some("?"))),
        None => match text.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => {
                return Err(refused("an IPv6 address stands in brackets: [::1]:6379"));
            }
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(digits) => digits.parse().ok().filter(|port| *port != 0),
        None => Some(default),
    };
    match port {
        Some(_) if host.is_empty() || host.contains(char::is_whitespace) => {
            Err(refused("name a host after the ://"))
        }
        Some(port) => Ok(Address { host: host.to_owned(), port }),
        None => Err(refused("a port is a number from 1 to 65535")),
    }
}

/// Percent-decoding (RFC 3986 section 2.1).
fn decoded(text: &str) -> Result<String, StoreError> {
    let broken = || refused("a '%' is followed by two hexadecimal digits of UTF-8");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (high, low) = (digit().ok_or_else(broken)?, digit().ok_or_else(broken)?);
        bytes.push(u8::try_from(high << 4 | low).map_err(|_| broken())?);
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

/// The text itself is never quoted: it may hold a password.
fn refused(what: &'static str) -> StoreError {
    StoreError::refused(format!("the address of the Redis store cannot be read: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> Address {
        Address { host: host.to_owned(), port }
    }

    #[test]
    fn every_part_of_an_address_is_read() {
        let config = parse("rediss://shop:p%40ss%3a@db.internal:6380/3?prefix=shop&ca=/a%20b.pem");

        let config = config.unwrap();
        assert_eq!(config.mode, Mode::Standalone(at("db.internal", 6380)));
        assert_eq!(config.login.user.as_deref(), Some("shop"));
        assert_eq!(config.login.password.as_deref(), Some("p@ss:"));
        assert_eq!((config.tls, config.database, config.prefix.as_str()), (true, 3, "shop"));
        assert_eq!(config.ca.unwrap().to_str(), Some("/a b.pem"));
    }

    #[test]
    fn an_address_says_what_confirms_a_change() {
        let config = parse("redis://h?confirmed_by_replicas=2&confirmed_on_disk=yes").unwrap();
        let usual = parse("redis://h").unwrap();

        assert_eq!((config.replicas, config.on_disk), (2, true));
        assert_eq!((usual.replicas, usual.on_disk), (0, false));
    }

    #[test]
    fn what_is_left_out_takes_its_usual_value() {
        assert_eq!(parse("redis://h").unwrap().mode, Mode::Standalone(at("h", 6379)));
        assert_eq!(parse("redis://[::1]").unwrap().mode, Mode::Standalone(at("::1", 6379)));
        assert_eq!(parse("redis://:secret@h").unwrap().login.user, None);
        let sentinels = vec![at("a", 26_379), at("b", 1)];
        let mode = Mode::Sentinel { sentinels, name: "main".to_owned() };
        let config = parse("redis+sentinel://a,b:1/main/4").unwrap();
        assert_eq!((config.mode, config.database), (mode, 4));
        let cluster = parse("rediss-cluster://a,b:7000").unwrap();
        assert_eq!(cluster.mode, Mode::Cluster(vec![at("a", 6379), at("b", 7000)]));
    }

    #[test]
    fn each_mistake_has_its_message_and_no_message_has_the_password() {
        let mistakes = [
            ("localhost:6379", "begin with"),
            ("http://u:hunter2@h", "the scheme is"),
            ("redis+magic://u:hunter2@h", "the scheme is"),
            ("redis://u:hunter2@a,b", "several hosts"),
            ("redis://u:hunter2@", "name a host"),
            ("redis://u:hunter2@h:port", "a port is"),
            ("redis://u:hunter2@h:0", "a port is"),
            ("redis://u:hunter2@[::1]6379", "a port is"),
            ("redis://u:hunter2@::1", "in brackets"),
            ("redis://u:hunter2@h/name", "the database"),
            ("redis://hunter2@h", "before the @"),
            ("redis://u:hunter2%zz@h", "'%'"),
            ("redis+sentinel://u:hunter2@a,b", "name the primary"),
            ("redis-cluster://u:hunter2@a/1", "no databases"),
            ("redis://u:hunter2@h?ca=/x", "for TLS"),
            ("redis://u:hunter2@h?prefix={x}", "a prefix is"),
            ("redis://u:hunter2@h?tls=yes", "may follow"),
            ("redis://u:hunter2@h?confirmed_by_replicas=-1", "in digits"),
            ("redis://u:hunter2@h?confirmed_on_disk=no", "=yes"),
        ];
        for (text, message) in mistakes {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_prefix_is_refused_beyond_its_limit() {
        let with = |length: usize| parse(&format!("redis://h?prefix={}", "x".repeat(length)));

        assert!(with(PREFIX_MAX).is_ok());
        assert!(with(PREFIX_MAX + 1).is_err());
    }
}
