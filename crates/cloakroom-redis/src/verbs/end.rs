use cloakroom_store::{End, Ending, Key, Route, StoreError, Target, Timestamp};

use super::foresight::{Announced, behind};
use super::on;
use crate::arguments::Arguments;
use crate::call::Call;
use crate::hub::Hub;
use crate::keys;
use crate::reply::Reply;
use crate::scripts::Script;
use crate::values;

/// Ends one session, live or dormant.
pub(crate) async fn end(
    hub: &Hub,
    target: Target,
    ending: Ending,
    now: Timestamp,
) -> Result<End, StoreError> {
    let (route, digest, id) = match &target {
        Target::Key(key) => (key.route(), keys::digest(key), String::new()),
        Target::Id(id) => (id.route(), String::new(), keys::id(*id)),
    };
    let mut announced = Announced::default();
    match &target {
        Target::Key(key) => {
            let found = behind(hub, key, now).await?;
            announced.ends(hub, found.map(|record| record.id()), ending.reason, now).await?;
        }
        Target::Id(id) => announced.end_of_id(hub, *id, ending.reason, now).await?,
    }
    let known: &[&Key] = match &target {
        Target::Key(key) => &[key],
        Target::Id(_) => &[],
    };
    let mut arguments = Arguments::at(hub, now).with(digest).with(id).with("0");
    arguments.ending(&ending);
    let (answer, run) = hub.ask_whom(&on(hub, route, known, Script::End, arguments)).await?;
    let mut reply = Reply::of(answer)?;
    match reply.word() {
        b"ended" => {
            let record = values::remains(&reply.next()?)?;
            hub.journal.note(again(hub, route, reply.next()?, &ending, now), &run);
            announced.ends(hub, [record.id()], ending.reason, now).await?;
            Ok(End::Ended(record))
        }
        b"stale" => Ok(End::Stale),
        b"gone" => reply.told().map(End::Gone),
        _ => Err(reply.refused()),
    }
}

/// The same ending for a server that may have missed it: it remembers it even of a session that it
/// does not have, which may yet be told to it by others.
pub(super) fn again(
    hub: &Hub,
    route: Route,
    digest: Vec<u8>,
    ending: &Ending,
    now: Timestamp,
) -> Call {
    let mut arguments = Arguments::at(hub, now).with(digest).with("").with("1");
    arguments.ending(ending);
    on(hub, route, &[], Script::End, arguments)
}
