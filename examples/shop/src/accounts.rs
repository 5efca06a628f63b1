//! Who may sign in: a table of names, password hashes and roles. It knows nothing of sessions.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::app::OpenError;
use crate::failure::Failure;
use crate::passwords::{Password, Passwords};
use crate::staff::STAFF;

const TABLE: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS accounts (
        name TEXT PRIMARY KEY,
        password TEXT NOT NULL,
        staff INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

pub(crate) struct Accounts {
    database: Arc<Mutex<Connection>>,
    passwords: Passwords,
}

/// A customer or a member of staff. Names are unique and never change, so that the name is also
/// the user id of the sessions.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) staff: bool,
}

impl Account {
    /// The names of the roles that a session of this account has.
    pub(crate) fn roles(&self) -> &'static [&'static str] {
        if self.staff { &[STAFF] } else { &[] }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { name: row.get("name")?, staff: row.get("staff")? })
    }
}

/// What came of a sign-up.
pub(crate) enum SignUp {
    Done(Account),
    NameTaken,
    /// Not 2 to 20 letters, digits, dots, dashes and underscores.
    BadName,
    /// Not 8 characters to 128 bytes.
    BadPassword,
}

impl Accounts {
    /// Opens the file, or makes it with access for its owner alone.
    pub(crate) async fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |error: &dyn std::fmt::Display| {
            OpenError(format!("cannot open the accounts in {}: {error}", path.display()))
        };
        make_private(path).map_err(|error| failed(&error))?;
        let database = Connection::open(path).map_err(|error| failed(&error))?;
        database.execute_batch(TABLE).map_err(|error| failed(&error))?;
        let passwords = Passwords::new().await;
        let passwords = passwords.map_err(|error| failed(&format!("{error:?}")))?;
        Ok(Self { database: Arc::new(Mutex::new(database)), passwords })
    }

    /// Makes an account. The first one of all is staff.
    pub(crate) async fn sign_up(&self, name: &str, password: Password) -> Result<SignUp, Failure> {
        let Some(name) = well_formed(name) else { return Ok(SignUp::BadName) };
        if !password.is_acceptable() {
            return Ok(SignUp::BadPassword);
        }
        let hash = self.passwords.hash(password).await?;
        let made = self.run(move |database| {
            let sql = "INSERT INTO accounts (name, password, staff)
                       VALUES (?1, ?2, NOT EXISTS (SELECT 1 FROM accounts))
                       ON CONFLICT (name) DO NOTHING RETURNING name, staff";
            database.query_row(sql, params![name, hash], Account::read).optional()
        });
        Ok(made.await?.map_or(SignUp::NameTaken, SignUp::Done))
    }

    /// The account, if this is its name and password. Takes as long if there is no such account.
    pub(crate) async fn check(
        &self,
        name: &str,
        password: Password,
    ) -> Result<Option<Account>, Failure> {
        let (account, hash) = self.find(well_formed(name)).await?.unzip();
        let matches = self.passwords.matches(password, hash).await?;
        Ok(account.filter(|_| matches))
    }

    /// Replaces the password; `false`, and nothing was changed, if it is not acceptable.
    pub(crate) async fn change_password(
        &self,
        name: String,
        password: Password,
    ) -> Result<bool, Failure> {
        if !password.is_acceptable() {
            return Ok(false);
        }
        let hash = self.passwords.hash(password).await?;
        let sql = "UPDATE accounts SET password = ?2 WHERE name = ?1";
        let changed = self.run(move |database| database.execute(sql, params![name, hash])).await?;
        Ok(changed == 1)
    }

    /// Gives or withdraws the role; `false`, and nothing was changed, if there is no such account
    /// or it is the last member of staff.
    pub(crate) async fn set_staff(&self, name: String, staff: bool) -> Result<bool, Failure> {
        let sql = "UPDATE accounts SET staff = ?2 WHERE name = ?1
                   AND (?2 OR EXISTS (SELECT 1 FROM accounts WHERE staff AND name <> ?1))";
        let changed = self.run(move |database| database.execute(sql, params![name, staff])).await?;
        Ok(changed == 1)
    }

    /// Every account, by name.
    pub(crate) async fn all(&self) -> Result<Vec<Account>, Failure> {
        self.run(|database| {
            let mut rows = database.prepare("SELECT name, staff FROM accounts ORDER BY name")?;
            rows.query_map([], Account::read)?.collect()
        })
        .await
    }

    async fn find(&self, name: Option<String>) -> Result<Option<(Account, String)>, Failure> {
        let sql = "SELECT name, staff, password FROM accounts WHERE name = ?1";
        self.run(move |database| {
            let read = |row: &Row<'_>| Ok((Account::read(row)?, row.get("password")?));
            database.query_row(sql, [name], read).optional()
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let database = Arc::clone(&self.database);
        let done = tokio::task::spawn_blocking(move || {
            work(&database.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(done.await??)
    }
}

/// Names are compared without regard to case.
fn well_formed(name: &str) -> Option<String> {
    let name = name.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    ((2..=20).contains(&name.len()) && name.chars().all(plain)).then(|| name.to_ascii_lowercase())
}

fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_without_case() {
        assert_eq!(well_formed(" Ada.L-1 "), Some("ada.l-1".to_owned()));
        for name in ["", "a", "a b", "<b>", "ad\u{e4}", "a-name-of-21-characters"] {
            assert_eq!(well_formed(name), None, "{name}");
        }
    }
}
