use cloakroom_store::{Commit, Expect, Key, Ops, StoreError, Timestamp, Touch};

use super::run;
use crate::arguments::Arguments;
use crate::hub::Hub;
use crate::keys;
use crate::scripts::Script;
use crate::values;

/// Changes fields and moves the idle deadline of a live session.
pub(crate) async fn commit(
    hub: &Hub,
    key: &Key,
    expect: Expect,
    ops: &Ops,
    touch: Option<Touch>,
    now: Timestamp,
) -> Result<Commit, StoreError> {
    let mut arguments = Arguments::at(hub, now).with(keys::digest(key));
    arguments.push(match expect {
        Expect::Any => String::new(),
        Expect::Version(version) => version.to_string(),
    });
    let (seen, idle) = match touch {
        Some(Touch { seen, idle_deadline }) => {
            (values::millis(seen), values::millis(idle_deadline))
        }
        None => (String::new(), String::new()),
    };
    arguments.push(seen);
    arguments.push(idle);
    arguments.ops(ops);
    let reply = run(hub, key, Script::Commit, arguments).await?;
    match reply.word() {
        b"done" => reply.record().map(Commit::Done),
        b"conflict" => reply.record().map(Commit::Conflict),
        b"gone" => reply.told().map(Commit::Gone),
        _ => Err(reply.refused()),
    }
}
