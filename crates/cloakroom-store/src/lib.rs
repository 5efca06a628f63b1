//! The contract between cloakroom and the stores that keep its sessions.
//!
//! A store keeps [`Record`]s. It finds them by [`Key`], which is a digest of the token that the
//! browser holds, so that a leaked store opens nothing. Requests speak to it through [`Store`],
//! operators through [`Registry`]. Every verb is one atomic round trip, takes the time as an
//! argument, and answers with a typed outcome: *gone* and *conflict* are values, not errors.
//!
//! What a store must do and must never do is written down as tests in `cloakroom-conformance`.
//! These are the promises it has to keep in every verb:
//!
//! - nothing but [`Store::create`] makes a session out of nothing, and it never overwrites one;
//! - an ended or expired session is gone for every verb, whether it has been swept or not;
//! - changes of different fields compose, and a stale [`Expect::Version`] is a
//!   [`Commit::Conflict`] that brings the newest record along;
//! - a verb that was called runs to its end, even if its [`Answer`] is dropped.
//!
//! The crate has no I/O, clock or randomness, and no foreign type in its signatures.

mod answer;
mod ending;
mod error;
mod feed;
mod fields;
mod identity;
mod listener;
mod names;
mod ops;
mod record;
mod registry;
mod shared;
mod store;
mod timestamp;

pub use answer::Answer;
pub use ending::{By, Ended, Ending, Reason};
pub use error::{StoreError, StoreErrorKind};
pub use feed::{BULLETIN_MAX, Bulletin, Cursor, FEED_KEPT, FEED_MAX, News, Notice};
pub use fields::{FIELD_MAX, FIELD_NAME_MAX, FIELDS_MAX, Field, Fields, SESSION_MAX};
pub use identity::{ClientInfo, Factors, Identity, USER_AGENT_MAX};
pub use listener::{Change, Listener, Told};
pub use names::{Key, Route, SessionId, USER_ID_MAX, UserId};
pub use ops::{Op, Ops};
pub use record::{Draft, Record, Times};
pub use registry::{Count, EndedAll, Page, Registry, Swept};
pub use store::{
    Commit, Create, End, Expect, Keep, LOOKUP_MAX, Limit, LimitPolicy, Load, Loads, Reach, Resume,
    Rotate, Rotation, Store, Survival, Survives, Target, Touch,
};
pub use timestamp::Timestamp;
