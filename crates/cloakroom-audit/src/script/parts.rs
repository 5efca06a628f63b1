//! The tables of a script: requests, and how their answers are recognised.

use super::error::ScriptError;
use super::fill::Secrets;
use super::table::Table;
use crate::exchange::Exchange;
use crate::text::contains;
use std::fmt;
use std::time::Duration;

/// One request of a script, its secrets filled in. `Debug` shows no values.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The page that holds the form: asked first, and its hidden fields and tokens are sent along.
    pub page: Option<String>,
    /// The method; `None` for that of the page's form, or else `POST` with a body and `GET` without.
    pub method: Option<String>,
    /// Where it goes; `None` for the address of the page's form.
    pub path: Option<String>,
    /// What is sent.
    pub body: Body,
    /// Further header fields.
    pub headers: Vec<(String, String)>,
}

/// What a request sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    #[default]
    None,
    /// A form, in this order.
    Form(Vec<(String, String)>),
    /// JSON.
    Json(serde_json::Value),
}

const CALL: [&str; 6] = ["page", "method", "path", "form", "json", "headers"];

impl Call {
    /// Reads the keys of a request; `more` are those that the table has beside them.
    pub(super) fn read(
        table: &Table<'_>,
        secrets: &Secrets,
        more: &[&str],
    ) -> Result<Self, ScriptError> {
        let keys: Vec<&str> = CALL.iter().chain(more).copied().collect();
        table.known(&keys)?;
        let filled = |key: &str| -> Result<Option<String>, ScriptError> {
            table.text(key)?.map(|text| secrets.fill(table, key, text)).transpose()
        };
        let call = Self {
            page: table.text("page")?.map(str::to_owned),
            method: table.text("method")?.map(str::to_ascii_uppercase),
            path: filled("path")?,
            body: Body::read(table, secrets)?,
            headers: pairs(table, "headers", secrets)?,
        };
        if call.path.is_none() && call.page.is_none() {
            return Err(table.missing("path"));
        }
        Ok(call)
    }

    /// The method where no form says another.
    pub fn own_method(&self) -> &str {
        match (&self.method, &self.body) {
            (Some(method), _) => method,
            (None, Body::None) if self.page.is_none() => "GET",
            (None, Body::None | Body::Form(_) | Body::Json(_)) => "POST",
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("page", &self.page)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Body {
    fn read(table: &Table<'_>, secrets: &Secrets) -> Result<Self, ScriptError> {
        let form = pairs(table, "form", secrets)?;
        match table.get("json") {
            Some(_) if !form.is_empty() => {
                Err(table.wrong("json", "a request has `form` and `json`", "leave one of them out"))
            }
            Some(found) => Ok(Self::Json(secrets.json(table, "json", found.get_ref())?)),
            None if form.is_empty() => Ok(Self::None),
            None => Ok(Self::Form(form)),
        }
    }
}

fn pairs(
    table: &Table<'_>,
    key: &str,
    secrets: &Secrets,
) -> Result<Vec<(String, String)>, ScriptError> {
    let Some(inner) = table.table(key)? else { return Ok(Vec::new()) };
    let filled = inner.entries().into_iter().map(|(name, _)| {
        let text = inner.needed_text(name)?;
        Ok((name.to_owned(), secrets.fill(&inner, name, &text)?))
    });
    filled.collect()
}

/// How an answer is recognised: by everything that is given.
///
/// ```
/// use cloakroom_audit::{Exchange, Sign};
///
/// let sign = Sign { statuses: vec![302, 303], location: Some("/login".to_owned()), ..Sign::default() };
/// let mut answer = Exchange::new("GET", "https://a.example/me", 303, 0)?;
/// answer.response.push("Location", "/login?next=/me");
/// assert!(sign.fits(&answer));
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sign {
    /// One of these statuses; any if there is none.
    pub statuses: Vec<u16>,
    /// Text that the body contains.
    pub contains: Option<String>,
    /// Text that the body does not contain.
    pub lacks: Option<String>,
    /// What the path of the `Location` begins with; a whole address if it is one.
    pub location: Option<String>,
    /// A header field, and text that its value contains; empty if it only has to be there.
    pub header: Option<(String, String)>,
}

const SIGN: [&str; 5] = ["status", "contains", "lacks", "location", "header"];

impl Sign {
    pub(super) fn read(table: &Table<'_>) -> Result<Self, ScriptError> {
        table.known(&SIGN)?;
        let owned = |key: &str| table.text(key).map(|text| text.map(str::to_owned));
        let sign = Self {
            statuses: table.statuses("status")?,
            contains: owned("contains")?,
            lacks: owned("lacks")?,
            location: owned("location")?,
            header: table.text("header")?.map(|text| match text.split_once(':') {
                Some((name, value)) => (name.trim().to_ascii_lowercase(), value.trim().to_owned()),
                None => (text.trim().to_ascii_lowercase(), String::new()),
            }),
        };
        if sign == Self::default() {
            let what = format!("[{}] fits every answer", table.name());
            return Err(table.wrong("", what, "say the status, or a text of the page"));
        }
        Ok(sign)
    }

    /// Whether the answer is the one that is meant.
    pub fn fits(&self, answer: &Exchange) -> bool {
        let holds = |text: &String| contains(answer.body(), text.as_bytes());
        (self.statuses.is_empty() || self.statuses.contains(&answer.status()))
            && self.contains.as_ref().is_none_or(holds)
            && !self.lacks.as_ref().is_some_and(holds)
            && self.location.as_ref().is_none_or(|wanted| leads_to(answer, wanted))
            && self.header.as_ref().is_none_or(|(name, wanted)| {
                answer.response.text(name).is_some_and(|value| value.contains(wanted.as_str()))
            })
    }
}

/// Whether the `Location` begins so, whether it is written whole or as a path.
fn leads_to(answer: &Exchange, wanted: &str) -> bool {
    let Some(location) = answer.response.text("location") else { return false };
    let Ok(url) = answer.parsed_url().join(&location) else { return false };
    let origin = url.origin().ascii_serialization();
    let path = url.as_str().strip_prefix(&origin).unwrap_or_default();
    path.starts_with(wanted) || url.as_str().starts_with(wanted)
}

/// The request that shows who is signed in.
#[derive(Clone, Debug)]
pub struct Whoami {
    /// The request. It changes nothing.
    pub call: Call,
    /// How the answer looks to somebody who is signed in.
    pub signed_in: Sign,
    /// How it looks to a stranger; `None` if that is to be learnt from the first stranger.
    pub signed_out: Option<Sign>,
}

impl Whoami {
    pub(super) fn read(table: &Table<'_>, secrets: &Secrets) -> Result<Self, ScriptError> {
        let call = Call::read(table, secrets, &["signed_in", "signed_out"])?;
        if !matches!(call.own_method(), "GET" | "HEAD") || call.page.is_some() {
            let remedy = "name a page that is only read, by its `path`";
            return Err(table.wrong("method", "[whoami] is asked very often", remedy));
        }
        let signed_in = Sign::read(&table.needed_table("signed_in")?)?;
        let signed_out = table.table("signed_out")?.map(|table| Sign::read(&table)).transpose()?;
        if signed_out.as_ref() == Some(&signed_in) {
            let what = "signed in and signed out look the same";
            return Err(table.wrong(
                "signed_out",
                what,
                "find a status or text that only one of them has",
            ));
        }
        Ok(Self { call, signed_in, signed_out })
    }
}

/// The request that changes the password.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// The request.
    pub call: Call,
    /// The request that changes it back; it is made by the browser that changed it.
    pub undo: Option<Call>,
    /// Whether it may be made at all.
    pub is_allowed: bool,
}

impl PasswordChange {
    pub(super) fn read(
        table: Option<Table<'_>>,
        secrets: &Secrets,
    ) -> Result<Option<Self>, ScriptError> {
        let Some(table) = table else { return Ok(None) };
        let undo = table.table("undo")?.map(|undo| Call::read(&undo, secrets, &[])).transpose()?;
        let call = Call::read(&table, secrets, &["destructive", "undo"])?;
        Ok(Some(Self { call, undo, is_allowed: table.flag("destructive")? }))
    }
}

/// A request that changes something.
#[derive(Clone, Debug)]
pub struct Change {
    /// The request.
    pub call: Call,
    /// Whether it may be repeated, also in forms that the site should refuse.
    pub is_replayable: bool,
    /// How it is seen that it was done; `None` if that is to be learnt from the first one.
    pub lands: Option<Sign>,
    /// Where a number stands that every change moves by the same step.
    pub read: Option<Counter>,
}

/// Where a number is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The page.
    pub path: String,
    /// Where on it.
    pub at: Where,
}

/// Where on a page a number stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// At this JSON pointer (RFC 6901); empty for the whole document.
    Json(String),
    /// Behind this text.
    After(String),
    /// In this header field.
    Header(String),
}

impl Change {
    pub(super) fn read(
        table: Option<Table<'_>>,
        secrets: &Secrets,
    ) -> Result<Option<Self>, ScriptError> {
        let Some(table) = table else { return Ok(None) };
        let call = Call::read(&table, secrets, &["replayable", "lands", "read"])?;
        let lands = table.table("lands")?.map(|lands| Sign::read(&lands)).transpose()?;
        let read = table.table("read")?.map(|read| Counter::read(&read)).transpose()?;
        Ok(Some(Self { call, is_replayable: table.flag("replayable")?, lands, read }))
    }
}

impl Counter {
    fn read(table: &Table<'_>) -> Result<Self, ScriptError> {
        table.known(&["path", "json", "after", "header"])?;
        let path = table.needed_text("path")?;
        let found = (table.text("json")?, table.text("after")?, table.text("header")?);
        let at = match found {
            (Some(pointer), None, None) => Where::Json(pointer.to_owned()),
            (None, Some(text), None) => Where::After(text.to_owned()),
            (None, None, Some(name)) => Where::Header(name.to_ascii_lowercase()),
            _ => {
                let remedy = "give one of `json` (a pointer), `after` (the text before the number) and `header`";
                return Err(table.wrong(
                    "",
                    format!("[{}] does not say where the number stands", table.name()),
                    remedy,
                ));
            }
        };
        Ok(Self { path, at })
    }

    /// The number in an answer.
    ///
    /// ```
    /// use cloakroom_audit::{Exchange, Counter, Where};
    ///
    /// let read = Counter { path: "/cart".to_owned(), at: Where::After("Items: ".to_owned()) };
    /// let mut page = Exchange::new("GET", "https://a.example/cart", 200, 0)?;
    /// page.keep_body(b"<p>Items: 12</p>");
    /// assert_eq!(read.number(&page), Some(12));
    /// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
    /// ```
    pub fn number(&self, answer: &Exchange) -> Option<i64> {
        match &self.at {
            Where::Json(pointer) => {
                let value: serde_json::Value = serde_json::from_slice(answer.body()).ok()?;
                let found = value.pointer(pointer)?;
                found.as_i64().or_else(|| found.as_str()?.trim().parse().ok())
            }
            Where::After(text) => {
                let body = String::from_utf8_lossy(answer.body());
                let (_, behind) = body.split_once(text.as_str())?;
                leading(behind)
            }
            Where::Header(name) => leading(&answer.response.text(name)?),
        }
    }
}

/// The number that a text begins with.
fn leading(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || (*at == 0 && *c == '-')))
        .map_or(text.len(), |(at, _)| at);
    text.get(..end)?.parse().ok()
}

/// What a site says about its own sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// After this time without a request a session is over.
    pub idle: Option<Duration>,
    /// After this time a session is over whatever happens.
    pub absolute: Option<Duration>,
    /// A user may have this many sessions at once.
    pub sessions: Option<u32>,
}

impl Policy {
    pub(super) fn read(table: Option<Table<'_>>) -> Result<Self, ScriptError> {
        let Some(table) = table else { return Ok(Self::default()) };
        table.known(&["idle", "absolute", "sessions"])?;
        Ok(Self {
            idle: table.duration("idle")?,
            absolute: table.duration("absolute")?,
            sessions: table.number("sessions")?,
        })
    }
}
