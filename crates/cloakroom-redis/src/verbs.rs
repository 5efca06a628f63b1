//! The verbs: what is asked of the servers, and what their answers mean.

mod commit;
mod create;
mod end;
mod feed;
mod foresight;
mod load;
mod registry;
mod resume;
mod rotate;

pub(crate) use commit::commit;
pub(crate) use create::create;
pub(crate) use end::end;
pub(crate) use feed::watch;
pub(crate) use load::load;
pub(crate) use registry::{amend, count, end_all, list, scan, sweep};
pub(crate) use resume::resume;
pub(crate) use rotate::rotate;

use cloakroom_store::{Key, Route, StoreError};

use crate::arguments::Arguments;
use crate::call::Call;
use crate::hub::Hub;
use crate::keys;
use crate::reply::Reply;
use crate::scripts::Script;

/// A script on one route, and on the sessions behind these keys.
fn on(hub: &Hub, route: Route, keys: &[&Key], script: Script, arguments: Arguments) -> Call {
    let mut names = vec![hub.names.ids(route)];
    names.extend(keys.iter().map(|key| hub.names.session(key)));
    Call::script(keys::slot(route), script, names, arguments.into_inner())
}

/// What a script answers that is about one session.
async fn run(
    hub: &Hub,
    key: &Key,
    script: Script,
    arguments: Arguments,
) -> Result<Reply, StoreError> {
    Reply::of(hub.ask(&on(hub, key.route(), &[key], script, arguments)).await?)
}
