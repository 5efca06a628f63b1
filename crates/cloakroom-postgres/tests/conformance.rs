//! Every clause of the contract.

mod server;

use server::Schemas;

cloakroom_conformance::suite!(Schemas::default());
cloakroom_conformance::feed_suite!(Schemas::default());
cloakroom_conformance::listening_suite!(Schemas::default());

mod kept {
    use super::Schemas;

    cloakroom_conformance::durable_suite!(Schemas::default());
    cloakroom_conformance::durable_feed_suite!(Schemas::default());
}

mod behind_the_near_cache {
    use cloakroom_conformance::near;
    use cloakroom_memory::NearCache;

    use super::Schemas;

    cloakroom_conformance::suite!(near::behind(Schemas::default(), NearCache::new));
}
