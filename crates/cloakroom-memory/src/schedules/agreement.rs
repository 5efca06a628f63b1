//! Whether the index, the records and the count of bytes agree.

use std::collections::BTreeSet;

use cloakroom_store::Timestamp;

use crate::bounds::{FORWARD_BYTES, SHARDS, cost};
use crate::house::{House, place};
use crate::shard::is_anonymous;

pub(super) fn agrees(house: &House) {
    let index = house.index();
    let (mut sessions, mut signed_in, mut forwards, mut bytes) = (0, 0, 0, 0);
    let (mut users, mut first_due) = (BTreeSet::new(), Timestamp::MAX);
    for at in 0..SHARDS {
        let shard = house.read(at);
        let mut anonymous = 0;
        for slot in shard.slots() {
            let record = &slot.record;
            assert_eq!(place(&slot.key), at, "a session in another's shard");
            assert_eq!(index.key(&record.id()), Some(slot.key), "the index knows another key");
            if let Some(user) = &record.identity().user {
                let ids = index.of_user(Some(user));
                assert!(ids.contains(&record.id()), "its user does not have it");
                assert!(ids.is_sorted(), "ids out of order");
                users.insert(user.clone());
                signed_in += 1;
            }
            assert!(shard.due() <= record.sweepable_at(), "the shard looks too late");
            first_due = first_due.min(record.sweepable_at());
            anonymous += usize::from(is_anonymous(record));
            sessions += 1;
            bytes += cost(record);
        }
        assert_eq!((shard.anonymous(), place_of_each(&shard)), (anonymous, true));
        for forward in shard.forwards() {
            assert!(index.forwards(&forward.session).contains(&forward.key), "nobody's forwarder");
            assert!(index.key(&forward.session).is_some(), "it forwards to nothing");
            forwards += 1;
        }
    }
    assert_eq!(index.len(), sessions, "the index knows sessions that are not there");
    assert!(index.due <= first_due, "the store looks too late");
    let of_users: usize = users.iter().map(|user| index.of_user(Some(user)).len()).sum();
    assert_eq!(of_users, signed_in, "users have sessions that are not there");
    let kept: usize = index.after(None).map(|(id, _)| index.forwards(id).len()).sum();
    assert_eq!(kept, forwards, "the index knows forwarders that are not there");
    assert_eq!(house.bytes(), bytes + forwards * FORWARD_BYTES, "bytes are counted wrongly");
    assert!(house.bytes() <= house.bounds.bytes && sessions <= house.bounds.sessions);
}

/// Whether what is found behind each key is what stands there.
fn place_of_each(shard: &crate::shard::Shard) -> bool {
    shard.slots().all(|slot| {
        matches!(shard.find(&slot.key, Timestamp::MAX), crate::shard::Found::Session(found) if found.key == slot.key)
    })
}
