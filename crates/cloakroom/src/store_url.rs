//! Which store, as one text: for command lines and configuration files.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use crate::store::{Registry, StoreError};

/// Where sessions are kept, as one text.
///
/// | text | store | feature |
/// |---|---|---|
/// | `memory:` | this process | `memory` |
/// | `sqlite:PATH` | one file, as in `sqlite:data/sessions.db` or `sqlite:/var/lib/shop/sessions.db` | `sqlite` |
/// | `redis://USER:PASSWORD@HOST:PORT/DATABASE` | one Redis or Valkey server; all but the host may be left out | `redis` |
/// | `redis+sentinel://HOST:PORT,HOST:PORT/NAME` | the primary that sentinels call so | `redis` |
/// | `redis-cluster://HOST:PORT,HOST:PORT` | a cluster, found through any of its nodes | `redis` |
/// | `rediss://`, `rediss+sentinel://`, `rediss-cluster://` | the same over TLS | `redis-tls` |
/// | `postgres://USER:PASSWORD@HOST:PORT/DATABASE` | a PostgreSQL database; `postgresql://` is the same | `postgres` |
///
/// Whoever prints it prints no password: `Display` and `Debug` put `***` in its place, and no error
/// repeats one.
///
/// ```
/// use cloakroom::StoreUrl;
///
/// let url: StoreUrl = "sqlite:data/sessions.db".parse()?;
/// assert_eq!(url.to_string(), "sqlite:data/sessions.db");
///
/// let mistake = "sessions.db".parse::<StoreUrl>().unwrap_err();
/// assert_eq!(mistake.to_string(), "a store URL begins with its scheme; for a file, write sqlite:PATH");
/// # Ok::<(), cloakroom::StoreUrlError>(())
/// ```
#[derive(Clone)]
pub struct StoreUrl {
    place: Place,
    shown: String,
}

/// A place in the words of its store, which have been read once and found right.
#[derive(Clone)]
enum Place {
    Memory,
    Sqlite(PathBuf),
    Redis(String),
    Postgres(String),
}

/// Which store a scheme belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Memory,
    Sqlite,
    Redis,
    Postgres,
}

const REDIS: bool = cfg!(feature = "redis");
const REDIS_TLS: bool = cfg!(feature = "redis-tls");
const POSTGRES: bool = cfg!(feature = "postgres");

/// The schemes, their stores, and whether this program was built with them.
const SCHEMES: [(&str, Kind, bool); 10] = [
    ("memory", Kind::Memory, cfg!(feature = "memory")),
    ("sqlite", Kind::Sqlite, cfg!(feature = "sqlite")),
    ("redis", Kind::Redis, REDIS),
    ("redis+sentinel", Kind::Redis, REDIS),
    ("redis-cluster", Kind::Redis, REDIS),
    ("rediss", Kind::Redis, REDIS_TLS),
    ("rediss+sentinel", Kind::Redis, REDIS_TLS),
    ("rediss-cluster", Kind::Redis, REDIS_TLS),
    ("postgres", Kind::Postgres, POSTGRES),
    ("postgresql", Kind::Postgres, POSTGRES),
];

/// What is wrong with the text of a [`StoreUrl`], in a sentence with the remedy. It holds no
/// password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreUrlError(String);

impl StoreUrl {
    /// Opens the store; an operator's verbs are there too.
    ///
    /// When the service ends, [`close`](crate::store::Store::close) waits for what is still being
    /// written.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cloakroom::{Sessions, StoreUrl, store::Store as _};
    ///
    /// let store = "memory:".parse::<StoreUrl>()?.open().await?;
    /// let sessions = Sessions::<()>::builder(store.clone())
    ///     .dangerous_sessions_end_with_the_process()
    ///     .build()?;
    /// assert_eq!(store.name(), "memory");
    /// # drop(sessions);
    /// store.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As the store's own way to open it; see there.
    pub async fn open(&self) -> Result<Arc<dyn Registry>, StoreError> {
        match &self.place {
            Place::Memory => memory(),
            Place::Sqlite(path) => sqlite(path).await,
            Place::Redis(url) => redis::open(url).await,
            Place::Postgres(url) => postgres::open(url).await,
        }
    }

    /// The file, if sessions are kept in one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Memory | Place::Redis(_) | Place::Postgres(_) => None,
            Place::Sqlite(path) => Some(path),
        }
    }
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        let (scheme, rest) = scheme_of(text)?;
        let kind = match SCHEMES.iter().find(|(known, _, _)| *known == scheme) {
            None => return Err(unknown(scheme)),
            Some((_, _, false)) => return Err(StoreUrlError(not_built(scheme))),
            Some((_, kind, true)) => *kind,
        };
        let place = match kind {
            Kind::Memory => nothing_after(rest)?,
            Kind::Sqlite => Place::Sqlite(path_in(rest)?),
            Kind::Redis => redis::read(text).map(|()| Place::Redis(text.to_owned()))?,
            Kind::Postgres => postgres::read(text).map(|()| Place::Postgres(text.to_owned()))?,
        };
        Ok(Self { place, shown: without_password(text) })
    }
}

/// The mistakes that a store's own reader finds; it never repeats a password.
impl From<StoreError> for StoreUrlError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

impl fmt::Display for StoreUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreUrlError {}

/// Splits off the scheme (RFC 3986 section 3.1), which is never part of a secret.
fn scheme_of(text: &str) -> Result<(&str, &str), StoreUrlError> {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|one| one.is_ascii_alphanumeric() || "+-.".contains(one))
    };
    if text.is_empty() {
        return Err(StoreUrlError("the store URL is empty; for a file, write sqlite:PATH".into()));
    }
    text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)).ok_or_else(|| {
        StoreUrlError("a store URL begins with its scheme; for a file, write sqlite:PATH".into())
    })
}

fn nothing_after(rest: &str) -> Result<Place, StoreUrlError> {
    if rest.is_empty() {
        return Ok(Place::Memory);
    }
    Err(StoreUrlError("memory: takes nothing after the colon".into()))
}

fn path_in(rest: &str) -> Result<PathBuf, StoreUrlError> {
    let problem = match rest {
        "" => "sqlite: needs a path, as in sqlite:sessions.db",
        ":memory:" => "for sessions in memory, write memory:",
        // Some tools count slashes here, and would read a path of another folder.
        rest if rest.starts_with("//") => {
            "sqlite: is followed by the path alone: sqlite:sessions.db or sqlite:/var/lib/sessions.db"
        }
        path => return Ok(path.into()),
    };
    Err(StoreUrlError(problem.into()))
}

#[cfg(feature = "memory")]
fn memory() -> Result<Arc<dyn Registry>, StoreError> {
    Ok(Arc::new(cloakroom_memory::MemoryStore::new()))
}

#[cfg(not(feature = "memory"))]
fn memory() -> Result<Arc<dyn Registry>, StoreError> {
    Err(StoreError::refused(not_built("memory")))
}

#[cfg(feature = "sqlite")]
async fn sqlite(path: &Path) -> Result<Arc<dyn Registry>, StoreError> {
    Ok(Arc::new(cloakroom_sqlite::SqliteStore::open(path).await?))
}

#[cfg(not(feature = "sqlite"))]
async fn sqlite(_path: &Path) -> Result<Arc<dyn Registry>, StoreError> {
    Err(StoreError::refused(not_built("sqlite")))
}

#[cfg(feature = "redis")]
mod redis {
    use cloakroom_redis::{RedisConfig, RedisStore};

    use super::{Arc, Registry, StoreError, StoreUrlError};

    pub(super) fn read(url: &str) -> Result<(), StoreUrlError> {
        Ok(url.parse::<RedisConfig>().map(drop)?)
    }

    pub(super) async fn open(url: &str) -> Result<Arc<dyn Registry>, StoreError> {
        Ok(Arc::new(RedisStore::connect(url.parse()?).await?))
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use cloakroom_postgres::{PostgresConfig, PostgresStore};

    use super::{Arc, Registry, StoreError, StoreUrlError};

    pub(super) fn read(url: &str) -> Result<(), StoreUrlError> {
        Ok(url.parse::<PostgresConfig>().map(drop)?)
    }

    pub(super) async fn open(url: &str) -> Result<Arc<dyn Registry>, StoreError> {
        Ok(Arc::new(PostgresStore::connect(url.parse()?).await?))
    }
}

/// What stands for a store that this program was built without.
macro_rules! absent {
    ($feature:literal, $name:ident) => {
        #[cfg(not(feature = $feature))]
        mod $name {
            use super::{Arc, Registry, StoreError, StoreUrlError, not_built};

            pub(super) fn read(_url: &str) -> Result<(), StoreUrlError> {
                Err(StoreUrlError(not_built(stringify!($name))))
            }

            pub(super) async fn open(_url: &str) -> Result<Arc<dyn Registry>, StoreError> {
                Err(StoreError::refused(not_built(stringify!($name))))
            }
        }
    };
}

absent!("redis", redis);
absent!("postgres", postgres);

fn not_built(scheme: &str) -> String {
    format!("this program was built without the store of {scheme}: URLs")
}

fn unknown(scheme: &str) -> StoreUrlError {
    StoreUrlError(format!(
        "{scheme}: is no store; there are memory:, sqlite:PATH, redis://, redis+sentinel://, \
         redis-cluster:// and postgres://"
    ))
}

/// The text with `***` for every password in it: the one before the host, and any parameter whose
/// name says that it is one.
fn without_password(text: &str) -> String {
    let shown = without_userinfo(text);
    let Some((head, query)) = shown.split_once('?') else { return shown };
    let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name}=***"),
        Some(_) | None => parameter.to_owned(),
    });
    format!("{head}?{}", parameters.collect::<Vec<_>>().join("&"))
}

/// A password may hold any character that nobody has encoded: what stands before the last `@` is
/// hidden from its first colon on, rather too much than too little.
fn without_userinfo(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let Some((userinfo, host)) = rest.rsplit_once('@') else { return text.to_owned() };
    match userinfo.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> String {
        text.parse::<StoreUrl>().unwrap_err().to_string()
    }

    #[test]
    fn every_mistake_has_a_sentence_of_its_own() {
        let rows = [
            ("", "the store URL is empty; for a file, write sqlite:PATH"),
            ("shop.db", "a store URL begins with its scheme; for a file, write sqlite:PATH"),
            ("/var/a:b.db", "a store URL begins with its scheme; for a file, write sqlite:PATH"),
            (
                "mysql://h/d",
                "mysql: is no store; there are memory:, sqlite:PATH, redis://, redis+sentinel://, \
                 redis-cluster:// and postgres://",
            ),
        ];

        for (text, expected) in rows {
            assert_eq!(mistake(text), expected, "{text}");
        }
    }

    #[test]
    fn a_store_that_was_not_built_in_is_named() {
        for (scheme, _, built) in SCHEMES {
            let url = format!("{scheme}:x").parse::<StoreUrl>();
            let told = url.is_err_and(|mistake| mistake.to_string() == not_built(scheme));
            assert_eq!(told, !built, "{scheme}");
        }
    }

    #[cfg(feature = "memory")]
    #[test]
    fn memory_takes_nothing() {
        assert_eq!(mistake("memory:x"), "memory: takes nothing after the colon");
        assert_eq!("memory:".parse::<StoreUrl>().unwrap().to_string(), "memory:");
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn sqlite_takes_a_path_as_it_is() {
        for path in ["shop.db", "data/shop.db", "/var/lib/shop.db", "a b?c.db", "./sqlite:x"] {
            let url: StoreUrl = format!("sqlite:{path}").parse().unwrap();
            assert_eq!(url.path(), Some(path.as_ref()), "{path}");
        }
        for (text, says) in [
            ("sqlite:", "needs a path"),
            ("sqlite::memory:", "write memory:"),
            ("sqlite://shop.db", "the path alone"),
        ] {
            assert!(mistake(text).contains(says), "{text}: {}", mistake(text));
        }
    }

    #[test]
    fn no_text_shows_a_password() {
        let rows = [
            ("redis://h:6379/0", "redis://h:6379/0"),
            ("redis://me@h/0", "redis://me@h/0"),
            ("redis://me:S3cret@h/0", "redis://me:***@h/0"),
            ("redis://:S3cret@h", "redis://:***@h"),
            ("redis://me:S3c@ret@h", "redis://me:***@h"),
            ("redis://me:S3c?r/e#t@h/0?x=1", "redis://me:***@h/0?x=1"),
            ("redis://h:6379/0?x=a@b", "redis://h:***@b"),
            (
                "postgres://h/d?user=me&password=S3cret&x=1",
                "postgres://h/d?user=me&password=***&x=1",
            ),
            ("postgres://h/d?sslPassword=S3cret", "postgres://h/d?sslPassword=***"),
        ];

        for (text, expected) in rows {
            assert_eq!(without_password(text), expected);
        }
        assert!(!mistake("mysql://me:S3cret@h").contains("S3cret"));
        assert!(!mistake("me:S3cret@h").contains("S3cret"));
    }
}
