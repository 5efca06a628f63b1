//! A real HAProxy in front of servers.

use crate::Failure;
use crate::folder::Folder;
use crate::process::{Ready, Server};
use crate::program;
use std::net::SocketAddr;
use std::process::Command;

/// A running HAProxy with a configuration of the test's; drop stops it.
#[derive(Debug)]
pub struct Haproxy {
    // Before the folder: the process ends first.
    server: Server,
    _folder: Folder,
}

impl Haproxy {
    /// Starts it with this `haproxy.cfg`, which binds to `port` of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// When HAProxy is missing, refuses the configuration, or does not start (the text holds what
    /// it printed).
    pub fn configured(configuration: &str, port: u16) -> Result<Self, Failure> {
        let folder = Folder::new("haproxy")?;
        let file = folder.join("haproxy.cfg");
        std::fs::write(&file, configuration).map_err(Failure::when("haproxy.cfg"))?;
        let mut command = Command::new(program::find("haproxy")?);
        // In the foreground, and no process beside it.
        command.arg("-db").arg("-f").arg(&file);
        let server = Server::spawn(command, Ready::port(port))?;
        Ok(Self { server, _folder: folder })
    }

    /// Where it accepts connections.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What it has printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.server.output()
    }
}
