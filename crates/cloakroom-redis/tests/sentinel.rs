//! Every clause of the contract behind sentinels.

mod support;

use std::sync::OnceLock;

use support::Prefixed;
use support::groups::Sentinels;

fn shared() -> &'static str {
    static GROUP: OnceLock<(Sentinels, String)> = OnceLock::new();
    let start = || {
        let group = Sentinels::start();
        let url = group.url();
        (group, url)
    };
    &GROUP.get_or_init(start).1
}

cloakroom_conformance::suite!(Prefixed(shared()));

mod behind_the_near_cache {
    use cloakroom_conformance::near;
    use cloakroom_memory::NearCache;

    use super::{Prefixed, shared};

    cloakroom_conformance::suite!(near::behind(Prefixed(shared()), NearCache::new));
}
