//! What stands behind a key, as text: a session, a forwarder or an ending.
//!
//! A session is seven lines: its version, times, id and marks; the user; the digests of older keys;
//! the proof of identity; the browser; the names and lengths of its fields; and its data, one JSON
//! object. The scripts write the same text, and cut values out of it by their lengths.

use std::str::FromStr;

use cloakroom_store::{
    By, ClientInfo, Draft, Ended, Factors, Fields, Identity, Reason, Record, SessionId, StoreError,
    Times, Timestamp, UserId,
};

/// What one value says.
#[derive(Debug)]
pub(crate) enum Stored {
    Session(Session),
    /// An older key of a renewed session.
    Forward,
    Ended(Tomb),
}

/// A session as it was written.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) record: Record,
    /// The newest key has not been loaded since the renewal that made it.
    pub(crate) unseen: bool,
}

/// An ending as it was written.
#[derive(Debug)]
pub(crate) struct Tomb {
    pub(crate) ended: Ended,
    /// Which key takes over, while a login into another slot is half done.
    pub(crate) mark: String,
}

/// What a value says.
pub(crate) fn read(value: &[u8]) -> Result<Stored, StoreError> {
    let text = utf8(value)?;
    match text.get(..3) {
        Some("S1 ") => Ok(Stored::Session(session_of(text)?)),
        Some("F1 ") => Ok(Stored::Forward),
        Some("T1 ") => Ok(Stored::Ended(tomb_of(text)?)),
        Some(_) | None => Err(unreadable("a stored value")),
    }
}

/// A session that must be one.
pub(crate) fn session(value: &[u8]) -> Result<Session, StoreError> {
    session_of(utf8(value)?)
}

/// What can still be read of a session that is over, so that damage keeps no ending untold: what cannot
/// is as if it were not there. Scripts find no session without its first line.
pub(crate) fn remains(value: &[u8]) -> Result<Record, StoreError> {
    let error = match session(value) {
        Ok(session) => return Ok(session.record),
        Err(error) => error,
    };
    let text = String::from_utf8_lossy(value);
    let mut lines = text.splitn(7, '\n');
    let (id, version, times, _) = header_of(lines.next().unwrap_or_default())?;
    tracing::warn!(%error, "a session that is over could not be read whole");
    let [user, _older, proof, agent, _spans, json] =
        std::array::from_fn(|_| lines.next().unwrap_or_default());
    let mut identity = identity_of("", proof).unwrap_or_default();
    identity.user = UserId::try_from(user).ok();
    let fields = Fields::from_json(json).unwrap_or_default();
    Ok(Record::restored(id, version, identity, times, client_of(agent), fields))
}

/// How a script tells an ending: time, reason and who; nothing if nothing is known.
pub(crate) fn told(text: &[u8]) -> Result<Option<Ended>, StoreError> {
    let text = utf8(text)?;
    if text.is_empty() {
        return Ok(None);
    }
    let mut parts = text.splitn(3, ' ');
    Ok(Some(Ended { at: time(&mut parts)?, reason: reason(&mut parts)?, by: by(&mut parts)? }))
}

/// The identity of before a renewal: user and proof.
pub(crate) fn identity(user: &[u8], proof: &[u8]) -> Result<Identity, StoreError> {
    identity_of(utf8(user)?, utf8(proof)?)
}

/// The proof of an identity: factors, when, and until when it is remembered.
pub(crate) fn proof(identity: &Identity) -> String {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), millis);
    let (at, until) = (identity.authenticated_at, identity.remembered_until);
    format!("{} {} {}", identity.factors.bits(), time(at), time(until))
}

/// Until when a session can be resumed: only those of users can.
pub(crate) fn remembered(identity: &Identity) -> String {
    let until = identity.remembered_until.filter(|_| identity.user.is_some());
    millis(until.unwrap_or_default())
}

/// A time as it stands in values and arguments.
pub(crate) fn millis(at: Timestamp) -> String {
    at.as_millis().to_string()
}

/// The arguments of a script that begins a session, in its order, but for fields.
pub(crate) fn draft(draft: &Draft, tag: &str) -> Vec<String> {
    let Draft { id, identity, times, client, .. } = draft;
    let Times { created, seen, idle_deadline, absolute_deadline } = *times;
    let user = identity.user.as_ref().map(ToString::to_string);
    let agent = client.user_agent.as_deref().unwrap_or_default();
    let mut arguments = vec![id.to_string(), tag.to_owned(), user.unwrap_or_default()];
    arguments.extend([created, seen, idle_deadline, absolute_deadline].map(millis));
    arguments.extend([remembered(identity), proof(identity), one_line(agent)]);
    arguments
}

/// The names and lengths of fields.
pub(crate) fn spans(fields: &Fields) -> String {
    let spans = fields.iter().map(|(name, value)| format!("{name} {}", value.len()));
    spans.collect::<Vec<_>>().join(" ")
}

/// Lines are what a value is read by.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn session_of(text: &str) -> Result<Session, StoreError> {
    let mut lines = text.splitn(7, '\n');
    let mut line = || lines.next().ok_or_else(|| unreadable("a stored session"));
    let (header, user, _older, proof, agent, _spans, json) =
        (line()?, line()?, line()?, line()?, line()?, line()?, line()?);
    let (id, version, times, unseen) = header_of(header)?;
    let (client, identity) = (client_of(agent), identity_of(user, proof)?);
    let fields = Fields::from_json(json)?;
    Ok(Session { record: Record::restored(id, version, identity, times, client, fields), unseen })
}

/// Id, version and times, and whether the newest key has not been loaded.
fn header_of(header: &str) -> Result<(SessionId, u64, Times, bool), StoreError> {
    let mut parts = header.split(' ').skip(1);
    let version = parsed(&mut parts)?;
    let times = Times {
        created: time(&mut parts)?,
        seen: time(&mut parts)?,
        idle_deadline: time(&mut parts)?,
        absolute_deadline: time(&mut parts)?,
    };
    let id: SessionId = parsed(&mut parts.by_ref().skip(1))?;
    Ok((id, version, times, parts.nth(1) == Some("1")))
}

fn client_of(agent: &str) -> ClientInfo {
    match agent {
        "" => ClientInfo::default(),
        agent => ClientInfo::with_user_agent(agent),
    }
}

fn tomb_of(text: &str) -> Result<Tomb, StoreError> {
    let mut parts = text.splitn(5, ' ').skip(1);
    let (at, reason) = (time(&mut parts)?, reason(&mut parts)?);
    let mark = parts.next().unwrap_or_default().to_owned();
    Ok(Tomb { ended: Ended { at, reason, by: by(&mut parts)? }, mark })
}

fn identity_of(user: &str, proof: &str) -> Result<Identity, StoreError> {
    let mut parts = proof.split(' ');
    let mut identity = Identity::anonymous();
    identity.factors = Factors::from_bits(parsed(&mut parts)?);
    identity.authenticated_at = time_or_none(&mut parts)?;
    identity.remembered_until = time_or_none(&mut parts)?;
    if !user.is_empty() {
        let user = UserId::try_from(user);
        identity.user = Some(user.map_err(|error| unreadable("a stored user").because(error))?);
    }
    Ok(identity)
}

fn reason<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Result<Reason, StoreError> {
    parts.next().and_then(Reason::from_code).ok_or_else(|| unreadable("a stored reason"))
}

fn by<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Result<By, StoreError> {
    let name = By::new(parts.next().unwrap_or_default());
    name.map_err(|error| unreadable("who ended a session").because(error))
}

fn time<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Result<Timestamp, StoreError> {
    parsed(parts).map(Timestamp::from_millis)
}

fn time_or_none<'a>(
    parts: &mut impl Iterator<Item = &'a str>,
) -> Result<Option<Timestamp>, StoreError> {
    match parts.next() {
        Some("-") => Ok(None),
        Some(text) => time(&mut [text].into_iter()).map(Some),
        None => Err(unreadable("a stored proof")),
    }
}

fn parsed<'a, T: FromStr>(parts: &mut impl Iterator<Item = &'a str>) -> Result<T, StoreError> {
    let part = parts.next().unwrap_or_default();
    part.parse().map_err(|_| unreadable("a number or id in a stored value"))
}

fn utf8(value: &[u8]) -> Result<&str, StoreError> {
    std::str::from_utf8(value).map_err(|error| unreadable("a stored value").because(error))
}

fn unreadable(what: &str) -> StoreError {
    StoreError::corrupt(format!("{what} cannot be read by this release"))
}
