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
