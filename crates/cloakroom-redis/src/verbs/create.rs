use cloakroom_store::{
    By, Create, Draft, Ending, Fields, Key, Limit, Reason, Record, Route, SessionId, StoreError,
    Timestamp,
};
use std::sync::Arc;

use super::foresight::{Announced, Foreseen};
use super::{end, on};
use crate::arguments::Arguments;
use crate::hub::Hub;
use crate::keys;
use crate::reply::Reply;
use crate::scripts::Script;
use crate::values;

/// Makes a session out of nothing.
pub(crate) async fn create(
    hub: &Hub,
    key: &Key,
    draft: Draft,
    limit: Option<Limit>,
    now: Timestamp,
) -> Result<Create, StoreError> {
    let foreseen = Foreseen::of(hub, &draft, limit, None, now).await?;
    begin(hub, key, &draft, &Fields::default(), (limit, foreseen), now).await
}

/// The same for a session that takes fields over.
pub(super) async fn begin(
    hub: &Hub,
    key: &Key,
    draft: &Draft,
    kept: &Fields,
    (limit, foreseen): (Option<Limit>, Foreseen),
    now: Timestamp,
) -> Result<Create, StoreError> {
    same_route(key.route(), draft.id)?;
    let record = Record::new(draft.clone(), kept)?;
    hub.house.enter(hub, key.route()).await?;
    let mut arguments = Arguments::at(hub, now).with(keys::digest(key));
    arguments.draft(hub, draft)?;
    arguments.push(values::spans(record.fields()));
    arguments.push(record.fields().as_json());
    arguments.limit(limit);
    let mut announced = Announced::default();
    announced.ends(hub, foreseen.leaving, Reason::Evicted, now).await?;
    let call = on(hub, key.route(), &[key], Script::Create, arguments);
    let (answer, run) = hub.ask_whom(&call).await?;
    let reply = Reply::of(answer)?;
    match reply.word() {
        b"done" => {
            let mut reply = reply;
            reply.next()?;
            let evicted = note_evicted(hub, reply, key.route(), &run, now)?;
            announced.ends(hub, evicted.iter().copied(), Reason::Evicted, now).await?;
            Ok(Create::Done { record, evicted })
        }
        b"taken" => Ok(Create::KeyTaken),
        b"full" => existing(reply).map(Create::LimitReached),
        _ => Err(reply.refused()),
    }
}

/// A session lives where its key and its id say, and that is one place.
pub(super) fn same_route(route: Route, id: SessionId) -> Result<(), StoreError> {
    if route == id.route() {
        return Ok(());
    }
    Err(StoreError::refused("the key and the id of a session have the same route"))
}

/// The sessions that a limit refers to, ordered by id.
pub(super) fn existing(reply: Reply) -> Result<Vec<Record>, StoreError> {
    let mut records = reply.records()?;
    records.sort_by_key(Record::id);
    Ok(records)
}

/// Keeps in mind who was ended to make room, and says it.
pub(super) fn note_evicted(
    hub: &Hub,
    reply: Reply,
    route: Route,
    run: &Arc<str>,
    now: Timestamp,
) -> Result<Vec<SessionId>, StoreError> {
    let ending = Ending { reason: Reason::Evicted, by: By::SYSTEM };
    let evicted = reply.ids()?;
    for (_, digest) in &evicted {
        hub.journal.note(end::again(hub, route, digest.clone(), &ending, now), run);
    }
    Ok(evicted.into_iter().map(|(id, _)| id).collect())
}
