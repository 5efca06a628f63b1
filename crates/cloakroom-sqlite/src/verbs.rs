//! What each verb does inside a transaction. All of them read and judge before they write, so that
//! a verdict never leaves half a change behind; and all may run again on the same arguments.

mod commit;
mod create;
mod end;
mod load;
mod registry;
mod resume;
mod rotate;
mod sweep;

pub(crate) use commit::{Asked, commit, touch_all};
pub(crate) use create::create;
pub(crate) use end::end;
pub(crate) use load::{Found, load};
pub(crate) use registry::{amend, count, end_all, list, scan};
pub(crate) use resume::resume;
pub(crate) use rotate::rotate;
pub(crate) use sweep::{Step, Then, sweep};
