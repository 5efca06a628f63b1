use cloakroom_store::{
    Count, EndedAll, Ending, Ops, Page, Record, Route, SessionId, StoreError, Swept, Timestamp,
    UserId,
};

use super::foresight::{self, Announced};
use super::{end, feed, on};
use crate::arguments::Arguments;
use crate::hub::Hub;
use crate::keys;
use crate::reply::Reply;
use crate::scripts::Script;

/// The sessions of one user, live or dormant, ordered by id.
pub(crate) async fn list(
    hub: &Hub,
    user: &UserId,
    page: Page,
    now: Timestamp,
) -> Result<Vec<Record>, StoreError> {
    let (route, tag) = keys::home(hub.house.secret(), user);
    page_of(hub, route, (&tag, user.as_str()), page, now).await
}

async fn page_of(
    hub: &Hub,
    route: Route,
    (tag, user): (&str, &str),
    page: Page,
    now: Timestamp,
) -> Result<Vec<Record>, StoreError> {
    let after = page.after.map(keys::id).unwrap_or_default();
    let mut arguments = Arguments::at(hub, now).with(tag).with(user).with(after);
    arguments.push(page.limit.to_string());
    walk(hub, route, Script::Page, arguments).await?.records()
}

/// All sessions, ordered by id, which is route by route.
pub(crate) async fn scan(hub: &Hub, page: Page, now: Timestamp) -> Result<Vec<Record>, StoreError> {
    let limit = page.limit as usize;
    hub.house.look(hub).await?;
    let first = page.after.map_or(0, |after| keys::number_of(after.route()));
    let mut records = Vec::new();
    for number in hub.house.routes_from(first) {
        let left = u32::try_from(limit - records.len()).unwrap_or(u32::MAX);
        if left == 0 {
            break;
        }
        let after = page.after.filter(|after| keys::number_of(after.route()) == number);
        let part = Page { after, limit: left };
        records.extend(page_of(hub, keys::route_at(number), ("*", ""), part, now).await?);
    }
    Ok(records)
}

/// How many sessions are live or dormant.
pub(crate) async fn count(hub: &Hub, now: Timestamp) -> Result<Count, StoreError> {
    hub.house.look(hub).await?;
    let mut count = Count::default();
    for number in hub.house.routes_from(0) {
        let mut reply =
            walk(hub, keys::route_at(number), Script::Count, Arguments::at(hub, now)).await?;
        count.sessions += reply.number()?;
        count.signed_in += reply.number()?;
    }
    Ok(count)
}

/// Ends every session of one user but `except`.
pub(crate) async fn end_all(
    hub: &Hub,
    user: &UserId,
    except: Option<SessionId>,
    ending: Ending,
    now: Timestamp,
) -> Result<EndedAll, StoreError> {
    let mut announced = Announced::default();
    let leaving = foresight::all_of(hub, user, now).await?;
    let leaving = leaving.iter().map(Record::id).filter(|id| Some(*id) != except);
    announced.ends(hub, leaving, ending.reason, now).await?;
    let (route, tag) = keys::home(hub.house.secret(), user);
    let except = except.map(keys::id).unwrap_or_default();
    let mut arguments = Arguments::at(hub, now).with(tag).with(user.as_str()).with(except);
    arguments.ending(&ending);
    let (answer, server) = hub.ask_whom(&on(hub, route, &[], Script::EndAll, arguments)).await?;
    let ended = Reply::of(answer)?.ids()?;
    for (_, digest) in &ended {
        hub.journal.note(end::again(hub, route, digest.clone(), &ending, now), &server);
    }
    let ended: Vec<SessionId> = ended.into_iter().map(|(id, _)| id).collect();
    announced.ends(hub, ended.iter().copied(), ending.reason, now).await?;
    Ok(EndedAll { ended })
}

/// Changes the same fields in every session of one user.
pub(crate) async fn amend(
    hub: &Hub,
    user: &UserId,
    ops: &Ops,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let (route, tag) = keys::home(hub.house.secret(), user);
    foresight::epoch(hub, user, now).await?;
    let mut arguments = Arguments::at(hub, now).with(tag).with(user.as_str());
    arguments.ops(ops);
    let mut reply = walk(hub, route, Script::Amend, arguments).await?;
    match reply.word() {
        b"done" => reply.number(),
        _ => Err(reply.refused()),
    }
}

/// Frees at most `limit` entries that are over, route by route.
pub(crate) async fn sweep(hub: &Hub, now: Timestamp, limit: u32) -> Result<Swept, StoreError> {
    hub.house.look(hub).await?;
    let mut removed = 0;
    for number in hub.house.routes_from(0) {
        loop {
            let left = u64::from(limit) - removed;
            let arguments = Arguments::at(hub, now).with(left.to_string());
            let mut reply = walk(hub, keys::route_at(number), Script::Sweep, arguments).await?;
            removed += reply.number()?;
            match reply.next()?.as_slice() {
                b"0" => break,
                b"1" => return Ok(Swept { removed, more: true }),
                _ => {}
            }
        }
    }
    feed::forget(hub, now).await?;
    Ok(Swept { removed, more: false })
}

/// What a script answers that is about the sessions of a route.
async fn walk(
    hub: &Hub,
    route: Route,
    script: Script,
    arguments: Arguments,
) -> Result<Reply, StoreError> {
    Reply::of(hub.ask(&on(hub, route, &[], script, arguments)).await?)
}
