//! The arguments of scripts, in the order in which they read them.

use std::collections::BTreeMap;

use cloakroom_store::{
    Draft, Ended, Ending, Keep, Limit, LimitPolicy, Op, Ops, StoreError, Timestamp,
};

use crate::config::Mode;
use crate::hub::Hub;
use crate::keys;
use crate::values;

/// What a script is given.
#[derive(Clone, Debug)]
pub(crate) struct Arguments(Vec<Vec<u8>>);

impl Arguments {
    /// Every script begins with the time, for how long reasons are kept, whether sessions may be on
    /// the way to another server, and which feed it writes itself.
    pub(crate) fn at(hub: &Hub, now: Timestamp) -> Self {
        let mut arguments = Self(Vec::with_capacity(24));
        arguments.push(values::millis(now));
        arguments.push(Ended::KEPT.as_millis().to_string());
        let may_move = matches!(hub.dial.config().mode, Mode::Cluster(_));
        arguments.push(if may_move { "1" } else { "0" });
        arguments.push(if may_move { String::new() } else { hub.names.feed() });
        arguments
    }

    pub(crate) fn push(&mut self, argument: impl Into<Vec<u8>>) {
        self.0.push(argument.into());
    }

    pub(crate) fn with(mut self, argument: impl Into<Vec<u8>>) -> Self {
        self.push(argument);
        self
    }

    pub(crate) fn ending(&mut self, ending: &Ending) {
        self.push(ending.reason.code());
        self.push(ending.by.as_str());
    }

    /// A session to begin, without its fields.
    ///
    /// # Errors
    ///
    /// Refused if the session would live where nobody looks for it.
    pub(crate) fn draft(&mut self, hub: &Hub, draft: &Draft) -> Result<(), StoreError> {
        let (home, tag) = keys::home_of(hub.house.secret(), draft.identity.user.as_ref());
        if home.is_some_and(|home| home != draft.id.route()) {
            return Err(StoreError::refused(
                "a session lives on the route of its user: `Store::route` tells it",
            ));
        }
        values::draft(draft, &tag).into_iter().for_each(|argument| self.push(argument));
        Ok(())
    }

    /// Of several changes of one field only the last one counts.
    pub(crate) fn ops(&mut self, ops: &Ops) {
        let last: BTreeMap<&str, &str> = ops
            .iter()
            .map(|op| match op {
                Op::Set(name, value) => (name, value),
                Op::Unset(name) => (name, ""),
            })
            .collect();
        self.push(last.len().to_string());
        for (name, value) in last {
            self.push(name);
            self.push(value);
        }
    }

    pub(crate) fn keep(&mut self, keep: &Keep) {
        match keep {
            Keep::All => self.push("*"),
            Keep::Only(fields) => {
                self.push(fields.len().to_string());
                fields.iter().for_each(|field| self.push(field.as_str()));
            }
        }
    }

    pub(crate) fn limit(&mut self, limit: Option<Limit>) {
        let (max, policy) = match limit {
            Some(Limit { max, policy: LimitPolicy::KeepNewest }) => (max.max(1), "keep"),
            Some(Limit { max, policy: LimitPolicy::Refuse }) => (max.max(1), "refuse"),
            None => (0, "keep"),
        };
        self.push(max.to_string());
        self.push(policy);
    }

    pub(crate) fn into_inner(self) -> Vec<Vec<u8>> {
        self.0
    }
}
