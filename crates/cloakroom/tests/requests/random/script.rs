//! What random scripts are made of.

use std::fmt;

use cloakroom_conformance::interleaving::Fate;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy};
use proptest::prop_oneof;

pub const BROWSERS: usize = 2;
pub const PROCESSES: usize = 2;
pub const USERS: [&str; 3] = ["ada", "bea", "cyd"];

/// One step of a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Do {
    Read,
    Update,
    Edit,
    Set,
    Login(usize),
    Logout,
    Rotate,
    StepUp,
    EndOthers,
    /// An operator gives a user a role.
    Roles(usize),
    /// An operator ends the newest session that a browser stood in.
    Revoke(usize),
    /// The handler answers with status 500.
    Fail,
}

#[derive(Clone, Debug)]
pub enum Step {
    Send {
        browser: usize,
        process: usize,
        steps: Vec<Do>,
    },
    /// One of the calls that wait goes on.
    GoOn(u8, Fate),
    /// One of the clients is gone.
    HangUp(u8),
    Clock(u64),
    /// The store says nothing for longer than a request waits.
    Silence,
}

/// One step per line.
#[derive(Clone)]
pub struct Script(pub Vec<Step>);

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, "\n  {step:?}"))
    }
}

pub fn scripts() -> impl Strategy<Value = Script> {
    vec(step(), 1..=60).prop_map(Script)
}

fn step() -> impl Strategy<Value = Step> {
    let fate = prop_oneof![
        12 => Just(Fate::Done),
        1 => Just(Fate::LostBefore),
        1 => Just(Fate::LostAfter),
    ];
    prop_oneof![
        10 => (0..BROWSERS, 0..PROCESSES, vec(handler_step(), 1..=3)).prop_map(
            |(browser, process, steps)| Step::Send { browser, process, steps }
        ),
        30 => (0..8u8, fate).prop_map(|(index, fate)| Step::GoOn(index, fate)),
        2 => (0..8u8).prop_map(Step::HangUp),
        2 => prop_oneof![6 => Just(30), 6 => Just(90), 1 => Just(750), 1 => Just(1_790)].prop_map(Step::Clock),
        1 => Just(Step::Silence),
    ]
}

fn handler_step() -> impl Strategy<Value = Do> {
    prop_oneof![
        2 => Just(Do::Read),
        8 => Just(Do::Update),
        4 => Just(Do::Edit),
        2 => Just(Do::Set),
        2 => Just(Do::Login(0)),
        3 => (0..USERS.len()).prop_map(Do::Login),
        2 => Just(Do::Logout),
        2 => Just(Do::Rotate),
        1 => Just(Do::StepUp),
        3 => Just(Do::EndOthers),
        2 => (0..USERS.len()).prop_map(Do::Roles),
        1 => (0..BROWSERS).prop_map(Do::Revoke),
        1 => Just(Do::Fail),
    ]
}
