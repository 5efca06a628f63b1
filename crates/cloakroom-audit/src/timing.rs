//! How long sessions live, found out by waiting: a plan that is made first, and what came of it.
//!
//! One session is opened for every probe, since a probe is activity and would set back the clock that it
//! reads. Time is an argument everywhere; whoever has a clock waits.

mod plan;
mod record;
mod scenes;

pub use plan::{Appointment, Purpose, Schedule};
pub use record::{TIMELINE_MAX, Timeline, TimelineError};

pub(crate) use record::{CameTo, Held, Noted};

#[cfg(test)]
mod tests;
