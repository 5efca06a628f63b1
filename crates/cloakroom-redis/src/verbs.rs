//! The verbs: what is asked of the servers, and what their answers mean.

mod commit;
mod create;
mod end;
mod load;
mod registry;
mod resume;
mod rotate;

pub(crate) use commit::commit;
pub(crate) use create::create;
pub(crate) use end::end;
pub(crate) use load::load;
pub(crate) use registry::{amend, count, end_all, list, scan, sweep};
pub(crate) use resume::resume;
pub(crate) use rotate::rotate;

use cloakroom_store::{Route, StoreError};

use crate::arguments::Arguments;
use crate::call::Call;
use crate::hub::Hub;
use crate::keys;
use crate::reply::Reply;
use crate::scripts::Script;

/// A script on one route.
fn on(hub: &Hub, route: Route, script: Script, arguments: Arguments) -> Call {
    Call::script(keys::slot(route), script, vec![hub.names.ids(route)], arguments.into_inner())
}

/// What it answers.
async fn run(
    hub: &Hub,
    route: Route,
    script: Script,
    arguments: Arguments,
) -> Result<Reply, StoreError> {
    Reply::of(hub.ask(&on(hub, route, script, arguments)).await?)
}
