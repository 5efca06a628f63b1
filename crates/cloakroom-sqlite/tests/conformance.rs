//! Every clause of the contract.

mod folder;

use folder::Files;

cloakroom_conformance::suite!(Files::new());
cloakroom_conformance::feed_suite!(Files::new());

mod kept {
    use super::Files;

    cloakroom_conformance::durable_suite!(Files::new());
    cloakroom_conformance::durable_feed_suite!(Files::new());
}

mod behind_the_near_cache {
    use cloakroom_conformance::near;
    use cloakroom_memory::NearCache;

    use super::Files;

    cloakroom_conformance::suite!(near::behind(Files::new(), NearCache::new));
}
