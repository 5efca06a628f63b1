//! The login script: how one signs in at a site, and what may be tried there, as a TOML file.

mod error;
mod fill;
mod parts;
mod table;

pub use error::ScriptError;
pub use parts::{Body, Call, Change, Counter, PasswordChange, Policy, Sign, Where, Whoami};

use fill::Secrets;
use std::fmt;
use table::Table;
use toml::de::DeTable;
use url::Url;

/// A script is a page of text: 64 KiB. What is longer is some other file.
pub const SCRIPT_MAX: usize = 64 * 1024;

/// How one signs in at a site, how it is seen who is signed in, and what may be tried.
///
/// The format is described in `docs/guide/login-script.md`. Reading it makes no request and looks at no
/// environment: the caller hands in how a variable is looked up.
///
/// ```
/// use cloakroom_audit::Script;
///
/// let text = r#"
/// origin = "https://shop.example"
///
/// [secrets]
/// password = "env:SHOP_PASSWORD"
///
/// [login]
/// page = "/login"
/// form = { name = "ada", password = "{password}" }
///
/// [whoami]
/// path = "/account"
/// signed_in = { status = 200, contains = "Sign out" }
/// signed_out = { status = 303, location = "/login" }
/// "#;
/// let script = Script::read(text, |name| (name == "SHOP_PASSWORD").then(|| "hunter2".to_owned()))?;
/// assert_eq!(script.origin().as_str(), "https://shop.example/");
/// assert!(!format!("{script:?}").contains("hunter2"));
/// # Ok::<(), cloakroom_audit::ScriptError>(())
/// ```
#[derive(Clone)]
pub struct Script {
    origin: Url,
    also: Vec<Url>,
    secrets: Vec<String>,
    /// The requests that sign in, in their order.
    pub login: Vec<Call>,
    /// Whether a real browser opens the page of the login, fills in its form and sends it.
    pub in_browser: bool,
    /// The request that shows who is signed in.
    pub whoami: Whoami,
    /// The request that signs out.
    pub logout: Option<Call>,
    /// The request that raises what the user may do, such as a second factor.
    pub step_up: Option<Call>,
    /// The request that changes the password.
    pub password_change: Option<PasswordChange>,
    /// A request that changes something and may be repeated.
    pub change: Option<Change>,
    /// A request that takes a second or more and writes what belongs to the session.
    pub slow: Option<Change>,
    /// The requests that sign another user in.
    pub second_login: Option<Vec<Call>>,
    /// Further pages that only the signed-in user sees.
    pub private: Vec<String>,
    /// What the site says about its own sessions.
    pub policy: Policy,
}

const TOP: [&str; 13] = [
    "origin",
    "also",
    "private",
    "secrets",
    "login",
    "whoami",
    "logout",
    "step_up",
    "password_change",
    "change",
    "slow",
    "second_user",
    "policy",
];

impl Script {
    /// Reads a script. `variable` gives the value of an environment variable.
    ///
    /// # Errors
    ///
    /// [`ScriptError`] for what is no TOML, a key that is not known, a value of another kind, and a
    /// variable that is not set; with the line and how to mend it, and never with a secret.
    pub fn read(
        text: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ScriptError> {
        if text.len() > SCRIPT_MAX {
            let what = format!("the file has {} octets", text.len());
            return Err(ScriptError::new(1, what, "a login script has 64 KiB at most"));
        }
        let parsed = DeTable::parse(text).map_err(|error| ScriptError::syntax(text, &error))?;
        let top = Table::top(text, parsed.get_ref());
        top.known(&TOP)?;
        let secrets = Secrets::read(&top, &variable)?;
        Self::of(&top, &secrets, &variable)
    }

    fn of(
        top: &Table<'_>,
        secrets: &Secrets,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ScriptError> {
        let call = |name: &str| -> Result<Option<Call>, ScriptError> {
            top.table(name)?.map(|table| Call::read(&table, secrets, &[])).transpose()
        };
        let second = top.table("second_user")?;
        let second = second.map(|table| secrets.replaced(&table, variable)).transpose()?;
        let second_login = second.as_ref().map(|secrets| login(top, secrets)).transpose()?;
        let values = secrets.values().chain(second.iter().flat_map(Secrets::values));
        Ok(Self {
            origin: origin(top, &top.needed_text("origin")?)?,
            also: also(top)?,
            secrets: values.map(str::to_owned).collect(),
            login: login(top, secrets)?,
            in_browser: in_browser(top)?,
            whoami: Whoami::read(&top.needed_table("whoami")?, secrets)?,
            logout: call("logout")?,
            step_up: call("step_up")?,
            password_change: PasswordChange::read(top.table("password_change")?, secrets)?,
            change: Change::read(top.table("change")?, secrets)?,
            slow: Change::read(top.table("slow")?, secrets)?,
            second_login,
            private: top.texts("private")?,
            policy: Policy::read(top.table("policy")?)?,
        })
    }

    /// The one origin that is asked, as the address of its root.
    pub const fn origin(&self) -> &Url {
        &self.origin
    }

    /// Other origins that signing in leads over.
    pub fn also(&self) -> &[Url] {
        &self.also
    }

    /// The values behind the names of `[secrets]` and `[second_user]`: what no report may show.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// A path of the script as an address; `None` if it leads to an origin that the script does not name.
    ///
    /// ```
    /// # let text = "origin = 'https://a.example'\n[login]\npath = '/in'\n[whoami]\npath = '/me'\nsigned_in = { status = 200 }";
    /// let script = cloakroom_audit::Script::read(text, |_| None)?;
    /// assert_eq!(script.url("/me").unwrap().as_str(), "https://a.example/me");
    /// assert_eq!(script.url("https://b.example/me"), None);
    /// # Ok::<(), cloakroom_audit::ScriptError>(())
    /// ```
    pub fn url(&self, path: &str) -> Option<Url> {
        let url = self.origin.join(path).ok()?;
        let mut named = self.also.iter().chain([&self.origin]);
        named.any(|origin| origin.origin() == url.origin()).then_some(url)
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("origin", &self.origin.as_str())
            .field("login", &self.login)
            .field("whoami", &self.whoami)
            .finish_non_exhaustive()
    }
}

/// One table, or several in order.
fn login(top: &Table<'_>, secrets: &Secrets) -> Result<Vec<Call>, ScriptError> {
    let tables = top.tables("login")?;
    if tables.is_empty() {
        return Err(top.missing("login"));
    }
    tables.iter().map(|table| Call::read(table, secrets, &["browser"])).collect()
}

/// `browser = true`: a page and a form, in one step.
fn in_browser(top: &Table<'_>) -> Result<bool, ScriptError> {
    let tables = top.tables("login")?;
    let Some(table) = tables.first() else { return Ok(false) };
    if !table.flag("browser")? {
        return Ok(false);
    }
    let remedy = "give `page` and `form` and nothing else: the browser sends what the page sends";
    let is_alone = tables.len() == 1 && table.get("page").is_some() && table.get("form").is_some();
    if is_alone && ["path", "method", "json", "headers"].iter().all(|key| table.get(key).is_none())
    {
        Ok(true)
    } else {
        Err(table.wrong("browser", "a browser cannot do this login", remedy))
    }
}

fn also(top: &Table<'_>) -> Result<Vec<Url>, ScriptError> {
    top.texts("also")?.iter().map(|text| origin(top, text)).collect()
}

fn origin(top: &Table<'_>, text: &str) -> Result<Url, ScriptError> {
    let wanted = "write scheme, host and port and nothing else, such as `https://shop.example`";
    let wrong = || top.wrong("origin", format!("`{text}` is no origin"), wanted);
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_web = matches!(url.scheme(), "http" | "https") && url.username().is_empty();
    if is_bare && is_web { Ok(url) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests;
