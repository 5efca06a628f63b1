//! Logins into another slot of a cluster, which happen in two steps.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod support;

use cloakroom_store::{End, Ending, Limit, Load, Rotate, Store as _, Target};
use support::desk::{NOW, ada, done, draft, has, key, load, login};
use support::groups::Cluster;
use support::{config, connect};

#[test]
fn a_session_that_left_its_slot_cannot_be_ended_or_taken_back() {
    let cluster = Cluster::start();
    let store = connect(config(&cluster.url())).unwrap();
    let (old, new) = (has(&store, None, 1), key(store.route(Some(&ada())), 2));

    let rotate = done(store.rotate(&old, &new, login(&store, 2, None), NOW));
    let ended = done(store.end(Target::Id(draft(&store, None, 1).id), Ending::LOGOUT, NOW));

    assert!(matches!(rotate, Rotate::Done { .. }), "{rotate:?}");
    assert!(matches!(ended, End::Gone(_)), "{ended:?}");
    assert!(matches!(load(&store, &new), Load::Live(_)));
    let limit = Some(Limit::refuse_beyond(1));
    let guest = has(&store, None, 3);
    let refused = done(store.rotate(&guest, &key(new.route(), 4), login(&store, 4, limit), NOW));
    assert!(matches!(refused, Rotate::LimitReached(_)), "{refused:?}");
    assert!(matches!(load(&store, &guest), Load::Live(_)));
}
