//! One command as it is sent, and sent again if need be.

use redis::Cmd;

use crate::scripts::{Loaded, Script};

/// One command to the server that answers for a slot.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) slot: u16,
    pub(crate) what: What,
    /// Whether it changes anything: then it is not sent again once it may have arrived.
    pub(crate) writes: bool,
    /// Whether it has to be confirmed by replicas, where that is asked for.
    pub(crate) confirmed: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Script { script: Script, keys: Vec<String>, arguments: Vec<Vec<u8>> },
    Plain { name: &'static str, arguments: Vec<Vec<u8>> },
}

impl Call {
    /// A script on the routes that these indexes name.
    pub(crate) const fn script(
        slot: u16,
        script: Script,
        keys: Vec<String>,
        arguments: Vec<Vec<u8>>,
    ) -> Self {
        // To watch a feed that is not there begins it, as often as it is asked.
        let writes = !matches!(script, Script::Load | Script::Page | Script::Count | Script::Watch);
        let confirmed = matches!(
            script,
            Script::Create
                | Script::Replace
                | Script::Part
                | Script::Restore
                | Script::Renew
                | Script::Resume
                | Script::End
                | Script::EndAll
                | Script::Announce
        );
        Self { slot, what: What::Script { script, keys, arguments }, writes, confirmed }
    }

    /// A command that changes nothing.
    pub(crate) fn read(
        slot: u16,
        name: &'static str,
        arguments: impl IntoIterator<Item = String>,
    ) -> Self {
        Self::plain(slot, name, arguments, false)
    }

    pub(crate) fn plain(
        slot: u16,
        name: &'static str,
        arguments: impl IntoIterator<Item = String>,
        writes: bool,
    ) -> Self {
        let arguments = arguments.into_iter().map(String::into_bytes).collect();
        Self { slot, what: What::Plain { name, arguments }, writes, confirmed: false }
    }

    /// The same call for a server that does not move the slot: what is not there is gone.
    pub(crate) fn settled(&self) -> Self {
        let mut call = self.clone();
        if let What::Script { arguments, .. } = &mut call.what
            && let Some(may_move) = arguments.get_mut(2)
        {
            *may_move = b"0".to_vec();
        }
        call
    }

    /// The command, once it is known what the servers call the scripts.
    pub(crate) fn command(&self, loaded: &Loaded) -> Option<Cmd> {
        match &self.what {
            What::Plain { name, arguments } => {
                let mut command = redis::cmd(name);
                command.arg(arguments);
                Some(command)
            }
            What::Script { script, keys, arguments } => {
                let mut command = redis::cmd("EVALSHA");
                command.arg(loaded.name(*script)?).arg(keys.len()).arg(keys).arg(arguments);
                Some(command)
            }
        }
    }
}
