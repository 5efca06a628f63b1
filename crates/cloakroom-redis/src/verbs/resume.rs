use cloakroom_store::{Draft, Keep, Key, Resume, StoreError, Timestamp};

use super::create::same_route;
use super::run;
use crate::arguments::Arguments;
use crate::hub::Hub;
use crate::keys;
use crate::scripts::Script;
use crate::values;

/// Begins a new session of the same user behind the key of a dormant one.
pub(crate) async fn resume(
    hub: &Hub,
    key: &Key,
    draft: &Draft,
    keep: &Keep,
    now: Timestamp,
) -> Result<Resume, StoreError> {
    let user = draft.identity.user.as_ref();
    let (home, tag) = keys::home_of(hub.house.secret(), user);
    // Of another user the script says so, once it knows that there is something to resume.
    if home == Some(key.route()) {
        same_route(key.route(), draft.id)?;
    }
    let mut arguments = Arguments::at(hub, now).with(keys::digest(key));
    values::draft(draft, &tag).into_iter().for_each(|argument| arguments.push(argument));
    arguments.keep(keep);
    arguments.ops(&draft.ops);
    let reply = run(hub, key, Script::Resume, arguments).await?;
    match reply.word() {
        b"done" => reply.record().map(Resume::Done),
        b"live" => reply.record().map(Resume::Live),
        b"gone" => reply.told().map(Resume::Gone),
        _ => Err(reply.refused()),
    }
}
