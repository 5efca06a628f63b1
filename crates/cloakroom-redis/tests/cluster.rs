//! Every clause of the contract on a cluster.

mod support;

use std::sync::OnceLock;

use support::groups::Cluster;
use support::{Paired, Prefixed};

fn shared() -> &'static str {
    static CLUSTER: OnceLock<(Cluster, String)> = OnceLock::new();
    let start = || {
        let cluster = Cluster::start();
        let url = cluster.url();
        (cluster, url)
    };
    &CLUSTER.get_or_init(start).1
}

cloakroom_conformance::suite!(Prefixed(shared()));
cloakroom_conformance::feed_suite!(Prefixed(shared()));
cloakroom_conformance::listening_suite!(Paired::at(shared()));

mod behind_the_near_cache {
    use cloakroom_conformance::near;
    use cloakroom_memory::NearCache;

    use super::{Prefixed, shared};

    cloakroom_conformance::suite!(near::behind(Prefixed(shared()), NearCache::new));
}
