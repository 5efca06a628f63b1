//! Verbs of a store that another one in front of it leaves as they are.

/// Writes the verbs that a store hands on to the one behind it as they come. It stands in the
/// implementation of [`Store`](cloakroom_store::Store) or [`Registry`](cloakroom_store::Registry),
/// beside the verbs that are different there.
///
/// ```
/// use cloakroom_memory::MemoryStore;
/// use cloakroom_store::{Answer, Key, Loads, Store, StoreError, Timestamp};
///
/// /// Answers no load.
/// struct Silent(MemoryStore);
///
/// impl Store for Silent {
///     cloakroom_conformance::hand_on!(self => self.0; name reach survival route guest_route
///         create commit rotate resume end listen close);
///
///     fn load(&self, _: &[Key], _: Timestamp) -> Answer<Loads> {
///         Answer::ready(Err(StoreError::unavailable("it never answers")))
///     }
/// }
///
/// assert_eq!(Silent(MemoryStore::new()).name(), "memory");
/// ```
#[macro_export]
macro_rules! hand_on {
    ($me:ident => $to:expr; $($verb:ident)*) => {
        $($crate::hand_on_verb!($verb $me => $to);)*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! hand_on_verb {
    (name $me:ident => $to:expr) => {
        fn name(&$me) -> &'static str {
            $to.name()
        }
    };
    (reach $me:ident => $to:expr) => {
        fn reach(&$me) -> $crate::contract::Reach {
            $to.reach()
        }
    };
    (survival $me:ident => $to:expr) => {
        fn survival(&$me) -> $crate::contract::Survival {
            $to.survival()
        }
    };
    (route $me:ident => $to:expr) => {
        fn route(&$me, user: Option<&$crate::contract::UserId>) -> $crate::contract::Route {
            $to.route(user)
        }
    };
    (guest_route $me:ident => $to:expr) => {
        fn guest_route(&$me, random: [u8; 2]) -> $crate::contract::Route {
            $to.guest_route(random)
        }
    };
    (load $me:ident => $to:expr) => {
        fn load(
            &$me,
            keys: &[$crate::contract::Key],
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<$crate::contract::Loads> {
            $to.load(keys, now)
        }
    };
    (load_fresh $me:ident => $to:expr) => {
        fn load_fresh(
            &$me,
            keys: &[$crate::contract::Key],
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<$crate::contract::Loads> {
            $to.load_fresh(keys, now)
        }
    };
    (create $me:ident => $to:expr) => {
        fn create(
            &$me,
            key: &$crate::contract::Key,
            draft: $crate::contract::Draft,
            limit: Option<$crate::contract::Limit>,
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<$crate::contract::Create> {
            $to.create(key, draft, limit, now)
        }
    };
    (commit $me:ident => $to:expr) => {
        fn commit(
            &$me,
            key: &$crate::contract::Key,
            expect: $crate::contract::Expect,
            ops: &$crate::contract::Ops,
            touch: Option<$crate::contract::Touch>,
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<$crate::contract::Commit> {
            $to.commit(key, expect, ops, touch, now)
        }
    };
    (rotate $me:ident => $to:expr) => {
        fn rotate(
            &$me,
            old: &$crate::contract::Key,
            new: &$crate::contract::Key,
            rotation: $crate::contract::Rotation,
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<$crate::contract::Rotate> {
            $to.rotate(old, new, rotation, now)
        }
    };
    (resume $me:ident => $to:expr) => {
        fn resume(
            &$me,
            key: &$crate::contract::Key,
            draft: $crate::contract::Draft,
            keep: $crate::contract::Keep,
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<$crate::contract::Resume> {
            $to.resume(key, draft, keep, now)
        }
    };
    (end $me:ident => $to:expr) => {
        fn end(
            &$me,
            target: $crate::contract::Target,
            ending: $crate::contract::Ending,
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<$crate::contract::End> {
            $to.end(target, ending, now)
        }
    };
    (listen $me:ident => $to:expr) => {
        fn listen(
            &$me,
            listener: std::sync::Arc<dyn $crate::contract::Listener>,
        ) -> $crate::contract::Told {
            $to.listen(listener)
        }
    };
    (close $me:ident => $to:expr) => {
        fn close(&$me) -> $crate::contract::Answer<()> {
            $to.close()
        }
    };
    (list $me:ident => $to:expr) => {
        fn list(
            &$me,
            user: &$crate::contract::UserId,
            page: $crate::contract::Page,
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<Vec<$crate::contract::Record>> {
            $to.list(user, page, now)
        }
    };
    (end_all $me:ident => $to:expr) => {
        fn end_all(
            &$me,
            user: &$crate::contract::UserId,
            except: Option<$crate::contract::SessionId>,
            ending: $crate::contract::Ending,
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<$crate::contract::EndedAll> {
            $to.end_all(user, except, ending, now)
        }
    };
    (amend $me:ident => $to:expr) => {
        fn amend(
            &$me,
            user: &$crate::contract::UserId,
            ops: &$crate::contract::Ops,
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<u64> {
            $to.amend(user, ops, now)
        }
    };
    (scan $me:ident => $to:expr) => {
        fn scan(
            &$me,
            page: $crate::contract::Page,
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<Vec<$crate::contract::Record>> {
            $to.scan(page, now)
        }
    };
    (count $me:ident => $to:expr) => {
        fn count(
            &$me,
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<$crate::contract::Count> {
            $to.count(now)
        }
    };
    (sweep $me:ident => $to:expr) => {
        fn sweep(
            &$me,
            now: $crate::contract::Timestamp,
            limit: u32,
        ) -> $crate::contract::Answer<$crate::contract::Swept> {
            $to.sweep(now, limit)
        }
    };
    (watch $me:ident => $to:expr) => {
        fn watch(
            &$me,
            from: $crate::contract::Cursor,
            limit: u32,
            now: $crate::contract::Timestamp,
        ) -> $crate::contract::Answer<$crate::contract::Bulletin> {
            $to.watch(from, limit, now)
        }
    };
}
