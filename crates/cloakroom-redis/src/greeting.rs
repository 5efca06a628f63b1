//! What a server is asked before it is trusted with sessions.

use std::collections::HashMap;
use std::time::Duration;

use cloakroom_store::{StoreError, Survives, Timestamp};

use crate::config::RedisConfig;

/// The oldest Redis that is tested: its scripts fail as wholes and `PEXPIRE` knows what is asked.
const OLDEST: (u32, u32) = (7, 0);

/// The first Redis with `WAITAOF`. Valkey calls itself Redis 7.2 where it is asked for one.
const CONFIRMING: (u32, u32) = (7, 2);

/// Clocks that are further apart are worth a word: deadlines are judged by the services' clocks.
const CLOCK_WARNED: Duration = Duration::from_secs(5);

/// Clocks that are further apart end sessions early or late.
const CLOCK_REFUSED: Duration = Duration::from_secs(30);

/// What a server says of itself.
#[derive(Debug)]
pub(crate) struct Server {
    facts: HashMap<String, String>,
    /// `appendfsync`, where the ACL lets it be read.
    fsync: Option<String>,
}

impl Server {
    /// Reads the answer of `INFO`.
    pub(crate) fn new(info: &str, fsync: Option<String>) -> Self {
        let facts = info.lines().filter_map(|line| line.split_once(':'));
        let facts = facts.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        Self { facts, fsync }
    }

    /// Another one after each start of the server.
    pub(crate) fn run(&self) -> &str {
        self.fact("run_id")
    }

    pub(crate) fn is_primary(&self) -> bool {
        self.fact("role") == "master"
    }

    /// What an acknowledged write outlives here.
    pub(crate) fn survival(&self) -> Survives {
        match (self.fact("aof_enabled"), self.fsync.as_deref()) {
            ("1", Some("always")) => Survives::PowerLoss,
            ("1", _) => Survives::ProcessCrash,
            _ => Survives::Nothing,
        }
    }

    /// Refuses a server that is too old, cannot confirm what it has to, or would sign users out at
    /// random.
    pub(crate) fn check(&self, config: &RedisConfig) -> Result<(), StoreError> {
        let version = self.fact("redis_version");
        if self.version().is_none_or(|version| version < OLDEST) {
            return Err(StoreError::refused(format!(
                "this server is Redis {version}; cloakroom needs Redis 7.0 or Valkey"
            )));
        }
        if config.on_disk {
            self.check_disk()?;
        }
        self.check_eviction(config.accepts_eviction)
    }

    fn check_disk(&self) -> Result<(), StoreError> {
        if self.version().is_none_or(|version| version < CONFIRMING) {
            return Err(StoreError::refused(format!(
                "this server is Redis {}, which cannot say what is on its disk (WAITAOF): \
                 `confirmed_on_disk` needs Redis 7.2 or Valkey; with `appendfsync always` it is not \
                 needed",
                self.fact("redis_version")
            )));
        }
        if self.fact("aof_enabled") != "1" {
            return Err(StoreError::refused(
                "this server writes nothing to its disk that `confirmed_on_disk` could wait for: set \
                 `appendonly yes`",
            ));
        }
        Ok(())
    }

    fn check_eviction(&self, accepts_eviction: bool) -> Result<(), StoreError> {
        let policy = self.fact("maxmemory_policy");
        let is_bounded = self.fact("maxmemory") != "0";
        if is_bounded && evicts_at_random(policy) && !accepts_eviction {
            return Err(StoreError::refused(format!(
                "this server evicts sessions at random when its memory is full (maxmemory-policy \
                 {policy}): set `maxmemory-policy noeviction`, or name it acceptable with \
                 `dangerous_accept_eviction`"
            )));
        }
        Ok(())
    }

    /// What the operator should know at the start.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.survival() == Survives::Nothing {
            warnings.push(
                "this Redis keeps no append-only file: after a crash acknowledged endings are \
                 undone; set `appendonly yes`"
                    .to_owned(),
            );
        }
        if self.fact("maxmemory") != "0" && self.fact("maxmemory_policy") == "volatile-ttl" {
            warnings.push(
                "this Redis evicts what expires next when its memory is full; `maxmemory-policy \
                 noeviction` signs nobody out"
                    .to_owned(),
            );
        }
        warnings
    }

    fn version(&self) -> Option<(u32, u32)> {
        let mut numbers = self.fact("redis_version").split('.').map(|part| part.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    }

    fn fact(&self, name: &str) -> &str {
        self.facts.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// Compares the two clocks: an error beyond half a minute, a warning beyond five seconds.
pub(crate) fn compare_clocks(
    ours: Timestamp,
    theirs: Timestamp,
) -> Result<Option<String>, StoreError> {
    let apart = ours.since(theirs).max(theirs.since(ours));
    let seconds = apart.as_secs();
    if apart > CLOCK_REFUSED {
        return Err(StoreError::refused(format!(
            "the clocks of this machine and of Redis are {seconds} s apart: set them by NTP"
        )));
    }
    let warning = format!("the clocks of this machine and of Redis are {seconds} s apart");
    Ok((apart > CLOCK_WARNED).then_some(warning))
}

fn evicts_at_random(policy: &str) -> bool {
    !matches!(policy, "noeviction" | "volatile-ttl" | "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(info: &str) -> Server {
        Server::new(info, None)
    }

    fn config() -> RedisConfig {
        "redis://h".parse().unwrap()
    }

    #[test]
    fn an_old_server_is_refused_with_its_version() {
        let old = server("redis_version:6.2.14\r\nmaxmemory:0\r\n");

        let error = old.check(&config()).unwrap_err().to_string();

        assert!(error.contains("6.2.14") && error.contains("7.0"), "{error}");
        assert!(server("redis_version:7.0.0\r\nmaxmemory:0\r\n").check(&config()).is_ok());
    }

    #[test]
    fn random_eviction_is_refused_with_the_remedy_unless_it_is_accepted() {
        let with = |maxmemory: u32, policy: &str| {
            let info =
                format!("redis_version:7.2.4\nmaxmemory:{maxmemory}\nmaxmemory_policy:{policy}");
            server(&info)
        };
        let (usual, accepting) = (config(), config().dangerous_accept_eviction());
        for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru"] {
            let error = with(1, policy).check(&usual).unwrap_err().to_string();
            assert!(error.contains(policy) && error.contains("noeviction"), "{error}");
            assert!(with(1, policy).check(&accepting).is_ok());
            assert!(with(0, policy).check(&usual).is_ok(), "it never evicts");
        }
        assert!(with(1, "noeviction").check(&usual).is_ok());
        assert!(with(1, "volatile-ttl").check(&usual).is_ok());
        assert!(!with(1, "volatile-ttl").warnings().is_empty());
    }

    #[test]
    fn a_disk_that_cannot_be_waited_for_is_refused_with_the_remedy() {
        let with = |version: &str, aof: &str| {
            let info = format!("redis_version:{version}\naof_enabled:{aof}\nmaxmemory:0");
            let checked = server(&info).check(&config().confirmed_on_disk());
            checked.map_err(|error| error.to_string())
        };

        assert!(with("7.1.9", "1").unwrap_err().contains("WAITAOF"));
        assert!(with("7.2.0", "0").unwrap_err().contains("`appendonly yes`"));
        assert_eq!(with("7.2.0", "1"), Ok(()));
        assert_eq!(with("10.0.0", "1"), Ok(()));
    }

    #[test]
    fn survival_is_what_the_append_only_file_promises() {
        let with = |aof: &str, fsync: Option<&str>| {
            Server::new(&format!("aof_enabled:{aof}\r\n"), fsync.map(str::to_owned)).survival()
        };

        assert_eq!(with("1", Some("always")), Survives::PowerLoss);
        assert_eq!(with("1", Some("everysec")), Survives::ProcessCrash);
        assert_eq!(with("1", None), Survives::ProcessCrash);
        assert_eq!(with("0", Some("always")), Survives::Nothing);
    }

    #[test]
    fn clocks_are_warned_of_beyond_five_seconds_and_refused_beyond_thirty() {
        let at = Timestamp::from_millis;
        let judged = |ours, theirs| {
            compare_clocks(at(ours), at(theirs)).map(|warning| warning.is_some()).map_err(drop)
        };

        assert_eq!(judged(105_000, 100_000), Ok(false));
        assert_eq!(judged(100_000, 105_001), Ok(true));
        assert_eq!(judged(130_000, 100_000), Ok(true));
        assert_eq!(judged(100_000, 130_001), Err(()));
    }
}
