//! Real Redis servers: one, a primary that sentinels watch over, and a cluster.

mod cluster;
mod sentinel;

pub use cluster::Cluster;
pub use sentinel::Sentinels;

use crate::Failure;
use crate::folder::Folder;
use crate::process::{Ready, Server, free_port};
use crate::program::{self, run};
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

/// How long a server may take to be ready, to end, and to agree with others.
const LIMIT: Duration = Duration::from_secs(30);

/// A Redis server on a free port of 127.0.0.1; drop kills it and removes its data.
///
/// It has no password, keeps nothing on disk unless its settings say so, and has nothing in common
/// with a server that the system runs.
#[derive(Debug)]
pub struct Redis {
    // Before the folder: the process ends first.
    server: Option<Server>,
    port: u16,
    settings: Vec<[String; 2]>,
    folder: Folder,
}

impl Redis {
    /// Starts a server with these settings of `redis.conf`, as in `[("appendonly", "yes")]`.
    ///
    /// # Errors
    ///
    /// When Redis is not installed or does not start (the text holds what it printed).
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::start_at(free_port()?, settings)
    }

    fn start_at(port: u16, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let folder = Folder::new("redis")?;
        let settings = settings.iter().map(|(name, value)| [(*name).into(), (*value).into()]);
        let mut redis = Self { server: None, port, settings: settings.collect(), folder };
        redis.run()?;
        Ok(redis)
    }

    /// Starts the server again, on the same port and data, after it has ended.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn run(&mut self) -> Result<(), Failure> {
        self.server = None;
        let mut command = Command::new(program::find("redis-server")?);
        command.current_dir(self.folder.path());
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"]);
        // A crash must not leave a child behind that still saves.
        command.args(["--save", "", "--dir"]).arg(self.folder.path());
        // Replicas get what they need at once, and not after five seconds.
        command.args(["--repl-diskless-sync-delay", "0"]);
        for [name, value] in &self.settings {
            command.arg(format!("--{name}")).arg(value);
        }
        let server = Server::spawn(command, Ready::port(self.port))?;
        server.wait_for_output("Ready to accept connections", LIMIT)?;
        self.server = Some(server);
        Ok(())
    }

    /// Where the server accepts connections.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The URL of the server's first database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Everything that the server of now has printed.
    #[must_use]
    pub fn output(&self) -> String {
        self.server.as_ref().map(Server::output).unwrap_or_default()
    }

    /// Runs a command as an operator would, and gives what `redis-cli` prints.
    ///
    /// # Errors
    ///
    /// When `redis-cli` is not installed, or the server does not answer or refuses.
    pub fn cli(&self, words: &[&str]) -> Result<String, Failure> {
        cli(self.port, words)
    }

    /// Kills the server (SIGKILL).
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn kill_hard(&mut self) -> Result<(), Failure> {
        self.running()?.kill_hard()?;
        self.server = None;
        Ok(())
    }

    /// Ends the server in order (SIGTERM).
    ///
    /// # Errors
    ///
    /// When it does not run, or not end within 30 s.
    pub fn stop(&mut self) -> Result<(), Failure> {
        let server = self.running()?;
        server.terminate()?;
        server.wait(LIMIT)?;
        self.server = None;
        Ok(())
    }

    /// Stops the process where it is (SIGSTOP): connections stay, and nothing is answered.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn pause(&mut self) -> Result<(), Failure> {
        self.running()?.signal("STOP")
    }

    /// Lets a paused process go on (SIGCONT).
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn resume(&mut self) -> Result<(), Failure> {
        self.running()?.signal("CONT")
    }

    fn running(&mut self) -> Result<&mut Server, Failure> {
        self.server.as_mut().ok_or_else(|| Failure::new("Redis does not run"))
    }
}

/// `redis-cli` ends with 0 when the server refuses, and says so.
fn cli(port: u16, words: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(program::find("redis-cli")?);
    let printed = run(command.args(["-h", "127.0.0.1", "-p", &port.to_string()]).args(words))?;
    let text = String::from_utf8_lossy(&printed).trim().to_owned();
    let refused = ["ERR ", "NOAUTH ", "WRONGPASS ", "NOPERM ", "CLUSTERDOWN ", "READONLY ", "OOM "];
    if refused.iter().any(|word| text.starts_with(word)) {
        return Err(Failure::new(format!("{}: {text}", words.join(" "))));
    }
    Ok(text)
}
