//! The verbs as scripts: each runs whole, in one slot, and asks first whether the session is live.

use std::sync::OnceLock;

use cloakroom_store::{FEED_MAX, FIELD_MAX, FIELDS_MAX, SESSION_MAX};

/// How many endings one route remembers at most, the newest ones: with 65,536 routes about two
/// gigabytes of them if every route were full.
const ENDED_MAX: usize = 128;

/// Keys from before a renewal that forward to one session at a time, as in every store.
const FORWARDS_MAX: usize = 8;

/// How many entries one step of a sweep looks at, so that it never keeps others waiting for long.
const LOOK: usize = 200;

/// How many entries of the feed are forgotten at a time: a hundred microseconds of the server's.
const FEED_PART: usize = 500;

/// One script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    Load,
    Confirm,
    Create,
    Commit,
    Replace,
    Part,
    Restore,
    Renew,
    Resume,
    End,
    EndAll,
    Amend,
    Page,
    Count,
    Sweep,
    Announce,
    Watch,
    Forget,
}

const BASE: &str = include_str!("scripts/base.lua");
const WRITE: &str = include_str!("scripts/write.lua");
const FIELDS: &str = include_str!("scripts/fields.lua");
const FEED: &str = include_str!("scripts/feed.lua");
const ENDING: &str = include_str!("scripts/ending.lua");
const USER: &str = include_str!("scripts/user.lua");
const PRUNE: &str = include_str!("scripts/prune.lua");

impl Script {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 18] = [
        Self::Load,
        Self::Confirm,
        Self::Create,
        Self::Commit,
        Self::Replace,
        Self::Part,
        Self::Restore,
        Self::Renew,
        Self::Resume,
        Self::End,
        Self::EndAll,
        Self::Amend,
        Self::Page,
        Self::Count,
        Self::Sweep,
        Self::Announce,
        Self::Watch,
        Self::Forget,
    ];

    /// Its whole text: a script has no more of the shared parts than it uses, since what a script
    /// defines it defines anew in every call.
    pub(crate) fn text(self) -> String {
        let limits = format!(
            "local FIELD_MAX, FIELDS_MAX, SESSION_MAX = {FIELD_MAX}, {FIELDS_MAX}, {SESSION_MAX}\n\
             local ENDED_MAX, FORWARDS_MAX, LOOK = {ENDED_MAX}, {FORWARDS_MAX}, {LOOK}\n\
             local FEED_MAX, FEED_PART = {FEED_MAX}, {FEED_PART}\n"
        );
        limits + &self.parts().concat()
    }

    fn parts(self) -> Vec<&'static str> {
        let mut parts = vec![BASE];
        parts.extend_from_slice(match self {
            Self::Load => &[include_str!("scripts/load.lua")],
            Self::Confirm => &[WRITE, include_str!("scripts/confirm.lua")],
            Self::Create => &[WRITE, FEED, ENDING, USER, PRUNE, include_str!("scripts/create.lua")],
            Self::Commit => &[WRITE, FIELDS, include_str!("scripts/commit.lua")],
            Self::Replace => {
                &[WRITE, FIELDS, FEED, ENDING, USER, include_str!("scripts/replace.lua")]
            }
            Self::Part => &[WRITE, FEED, ENDING, include_str!("scripts/part.lua")],
            Self::Restore => &[WRITE, include_str!("scripts/restore.lua")],
            Self::Renew => &[WRITE, FEED, ENDING, include_str!("scripts/renew.lua")],
            Self::Resume => &[WRITE, FIELDS, FEED, ENDING, include_str!("scripts/resume.lua")],
            Self::End => &[WRITE, FEED, ENDING, include_str!("scripts/end.lua")],
            Self::EndAll => &[WRITE, FEED, ENDING, USER, include_str!("scripts/end_all.lua")],
            Self::Amend => &[WRITE, FIELDS, FEED, ENDING, USER, include_str!("scripts/amend.lua")],
            Self::Page => &[WRITE, FEED, ENDING, USER, include_str!("scripts/page.lua")],
            Self::Count => &[WRITE, FEED, ENDING, USER, include_str!("scripts/count.lua")],
            Self::Announce => &[FEED, include_str!("scripts/announce.lua")],
            Self::Watch => &[FEED, include_str!("scripts/watch.lua")],
            Self::Forget => &[FEED, include_str!("scripts/forget.lua")],
            Self::Sweep => &[WRITE, FEED, ENDING, USER, PRUNE, include_str!("scripts/sweep.lua")],
        });
        parts
    }

    const fn place(self) -> usize {
        self as usize
    }
}

/// What the servers call the scripts. It is the same on every server, who computes it.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    names: OnceLock<Vec<String>>,
}

impl Loaded {
    /// The name of a script, once a server has told it.
    pub(crate) fn name(&self, script: Script) -> Option<&str> {
        self.names.get()?.get(script.place()).map(String::as_str)
    }

    /// A server told the names of all scripts in their order.
    pub(crate) fn learn(&self, names: Vec<String>) {
        // A second server tells the same.
        let _ = self.names.set(names);
    }
}
