//! What a cluster writes into the feed before anything ends.
//!
//! The feed and the sessions are on different servers there. What is about to end is written first, so
//! that whoever dies in between has told of an ending that did not happen, and never the other way round;
//! what ended beyond it is written afterwards. On one server the scripts do both in one step, and nothing
//! here has anything to do.

use cloakroom_store::{
    Draft, Key, Limit, LimitPolicy, News, Page, Reason, Record, SessionId, StoreError, Timestamp,
    UserId,
};
use redis::Value;

use super::{feed, registry};
use crate::call::Call;
use crate::config::Mode;
use crate::hub::Hub;
use crate::keys;
use crate::reply::text;
use crate::values::{self, Session, Stored};

/// Which endings the feed has been told of.
#[derive(Debug, Default)]
pub(super) struct Announced(Vec<SessionId>);

impl Announced {
    /// That these end, unless it has been said.
    pub(super) async fn ends(
        &mut self,
        hub: &Hub,
        ids: impl IntoIterator<Item = SessionId>,
        reason: Reason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !is_needed(hub) {
            return Ok(());
        }
        let ids: Vec<_> = ids.into_iter().filter(|id| !self.0.contains(id)).collect();
        let news: Vec<_> = ids.iter().map(|id| News::Ended { id: *id, reason }).collect();
        feed::write(hub, &news, now).await?;
        self.0.extend(ids);
        Ok(())
    }

    /// That the session of this id ends, if there is one.
    pub(super) async fn end_of_id(
        &mut self,
        hub: &Hub,
        id: SessionId,
        reason: Reason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !is_needed(hub) {
            return Ok(());
        }
        let words = [hub.names.ids(id.route()), keys::id(id)];
        let found = hub.ask(&Call::read(keys::slot(id.route()), "HGET", words)).await?;
        self.ends(hub, (found != Value::Nil).then_some(id), reason, now).await
    }
}

/// That a user's rights change.
pub(super) async fn epoch(hub: &Hub, user: &UserId, now: Timestamp) -> Result<(), StoreError> {
    match is_needed(hub) {
        true => feed::write(hub, &[News::Epoch { user: user.clone() }], now).await,
        false => Ok(()),
    }
}

/// The session behind a key itself, live or dormant, where somebody has to be told of its end.
pub(super) async fn behind(
    hub: &Hub,
    key: &Key,
    now: Timestamp,
) -> Result<Option<Record>, StoreError> {
    if !is_needed(hub) {
        return Ok(None);
    }
    let get = Call::read(keys::slot(key.route()), "GET", [hub.names.session(key)]);
    let Value::BulkString(value) = hub.ask(&get).await? else { return Ok(None) };
    let record = match values::read(&value) {
        Ok(Stored::Session(session)) => session.record,
        Ok(Stored::Forward | Stored::Ended(_)) => return Ok(None),
        Err(_) => values::remains(&value)?,
    };
    Ok((now < record.sweepable_at()).then_some(record))
}

/// Every session of a user, where somebody has to be told of their end.
pub(super) async fn all_of(
    hub: &Hub,
    user: &UserId,
    now: Timestamp,
) -> Result<Vec<Record>, StoreError> {
    match is_needed(hub) {
        true => registry::list(hub, user, Page::first(u32::MAX), now).await,
        false => Ok(Vec::new()),
    }
}

/// The sessions of a user, if one more could be more than `most`; by plain reads, which cost the server
/// less than a script.
async fn more_than(
    hub: &Hub,
    user: &UserId,
    most: usize,
    now: Timestamp,
) -> Result<Vec<Record>, StoreError> {
    if !is_needed(hub) {
        return Ok(Vec::new());
    }
    let (route, tag) = keys::home(hub.house.secret(), user);
    let slot = keys::slot(route);
    let index = hub.ask(&Call::read(slot, "HGETALL", [hub.names.ids(route)])).await?;
    let names: Vec<String> = entries(&index)
        .filter_map(|entry| entry.split_once(' '))
        .filter(|(_, other)| *other == tag)
        .map(|(digest, _)| hub.names.session_of(route, digest))
        .collect();
    if names.len() < most {
        return Ok(Vec::new());
    }
    let values = hub.ask(&Call::read(slot, "MGET", names)).await?;
    let mut found = Vec::new();
    for value in values.as_sequence().unwrap_or_default() {
        if let Value::BulkString(value) = value
            && let Stored::Session(Session { record, .. }) = values::read(value)?
            && record.identity().user.as_ref() == Some(user)
            && now < record.sweepable_at()
        {
            found.push(record);
        }
    }
    Ok(found)
}

/// The values of a hash.
fn entries(hash: &Value) -> impl Iterator<Item = &str> {
    let pairs = hash.as_map_iter().into_iter().flatten();
    pairs.filter_map(|(_, value)| text(value))
}

/// What a limit is going to do to one more session of a user.
#[derive(Debug, Default)]
pub(super) struct Foreseen {
    pub(super) is_refused: bool,
    pub(super) leaving: Vec<SessionId>,
}

impl Foreseen {
    /// The session `spare` makes room by itself.
    pub(super) async fn of(
        hub: &Hub,
        draft: &Draft,
        limit: Option<Limit>,
        spare: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let (Some(user), Some(limit)) = (&draft.identity.user, limit) else {
            return Ok(Self::default());
        };
        let most = limit.max as usize;
        let mut others = more_than(hub, user, most, now).await?;
        others.retain(|other| Some(other.id()) != spare);
        let surplus = (others.len() + 1).saturating_sub(most);
        Ok(match limit.policy {
            LimitPolicy::Refuse => Self { is_refused: surplus > 0, leaving: Vec::new() },
            LimitPolicy::KeepNewest => {
                others.sort_by_key(|other| (other.times().seen, keys::id(other.id())));
                let leaving = others.iter().take(surplus).map(Record::id).collect();
                Self { is_refused: false, leaving }
            }
        })
    }
}

fn is_needed(hub: &Hub) -> bool {
    matches!(hub.dial.config().mode, Mode::Cluster(_))
}
