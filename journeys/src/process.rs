//! Servers as processes of their own, which can be asked to stop and can be killed.

use crate::Failure;
use crate::deadline::{Deadline, poll};
use crate::output::Output;
use crate::program::run;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

const START_LIMIT: Duration = Duration::from_secs(20);

/// How a server tells that it is ready, and where.
#[derive(Clone, Copy, Debug)]
pub enum Ready {
    /// It accepts connections at this address.
    Address(SocketAddr),
    /// It prints a line from which this function reads the address, and accepts connections there.
    Line(fn(&str) -> Option<SocketAddr>),
}

impl Ready {
    /// It accepts connections at this port of 127.0.0.1.
    #[must_use]
    pub fn port(port: u16) -> Self {
        Self::Address(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// It prints a line that ends in its address, as in `listening on 127.0.0.1:8080` or
    /// `http://127.0.0.1:8080/`.
    #[must_use]
    pub fn printed_address() -> Self {
        Self::Line(address_in)
    }
}

/// A running server; drop kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    output: Output,
    address: SocketAddr,
}

impl Server {
    /// Starts `command` and waits at most 20 s until it accepts connections.
    ///
    /// Standard input is empty; standard output and error are collected for [`Server::output`].
    ///
    /// # Errors
    ///
    /// When the program cannot be started, ends before it is ready (the text holds what it
    /// printed), or is not ready in time.
    pub fn spawn(mut command: Command, ready: Ready) -> Result<Self, Failure> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Failure::when(format!("cannot run {program}")))?;
        let output = Output::default();
        output.collect(child.stdout.take());
        output.collect(child.stderr.take());
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let mut server = Self { child, output, address };
        server.address = server.await_ready(&program, ready)?;
        Ok(server)
    }

    /// Where the server accepts connections.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port of [`Server::address`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything the process has printed so far, both streams in order of arrival.
    #[must_use]
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// Waits until the process has printed `text`.
    ///
    /// # Errors
    ///
    /// When `limit` has passed or the process has ended without printing it; the text holds what
    /// it did print.
    pub fn wait_for_output(&self, text: &str, limit: Duration) -> Result<(), Failure> {
        let found = self.output.find(limit, |printed| printed.contains(text).then_some(()));
        found.ok_or_else(|| {
            Failure::new(format!("did not see {text:?} in the output:\n{}", self.output()))
        })
    }

    /// Kills the process as a crash would (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn kill_hard(&mut self) -> Result<(), Failure> {
        self.child.kill().map_err(Failure::when("cannot kill the server"))?;
        self.wait(START_LIMIT).map(drop)
    }

    /// Asks the process to end (SIGTERM) and returns at once.
    ///
    /// # Errors
    ///
    /// When there is no such process any more.
    pub fn terminate(&mut self) -> Result<(), Failure> {
        if self.exit_status()?.is_some() {
            return Err(Failure::new("the server has already ended"));
        }
        self.signal("TERM")
    }

    /// Sends the process a signal by its name, as in `STOP`, `CONT` or `INT`.
    ///
    /// # Errors
    ///
    /// When there is no such process or no such signal.
    pub fn signal(&self, name: &str) -> Result<(), Failure> {
        // The shell's own `kill`: there on every Unix, whatever packages are installed.
        let script = "kill -s \"$0\" \"$1\"";
        run(Command::new("sh").args(["-c", script, name]).arg(self.id().to_string())).map(drop)
    }

    /// Waits until the process has ended and its output is complete.
    ///
    /// # Errors
    ///
    /// When it still runs after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus, Failure> {
        let child = &mut self.child;
        let status = poll("the end of the server", limit, || child.try_wait().transpose())?;
        self.output.ended(Duration::from_secs(1));
        status.map_err(Failure::when("cannot wait for the server"))
    }

    /// How the process has ended; `None` while it runs.
    ///
    /// # Errors
    ///
    /// When the system cannot tell.
    pub fn exit_status(&mut self) -> Result<Option<ExitStatus>, Failure> {
        self.child.try_wait().map_err(Failure::when("cannot look at the server"))
    }

    fn await_ready(&mut self, program: &str, ready: Ready) -> Result<SocketAddr, Failure> {
        let deadline = Deadline::after(START_LIMIT);
        let address = match ready {
            Ready::Address(address) => Some(address),
            Ready::Line(read) => self.output.find(START_LIMIT, |text| text.lines().find_map(read)),
        };
        let address = address.ok_or_else(|| self.not_ready(program, "told no address"))?;
        let left = deadline.remaining().unwrap_or_default();
        let accepts = poll("the server's port", left, || match self.child.try_wait() {
            Ok(None) => TcpStream::connect(address).ok().map(|_| true),
            Ok(Some(_)) | Err(_) => Some(false),
        });
        match accepts {
            Ok(true) => Ok(address),
            Ok(false) => {
                self.output.ended(Duration::from_secs(1));
                Err(self.not_ready(program, "ended before it was ready"))
            }
            Err(_) => Err(self.not_ready(program, &format!("does not accept at {address}"))),
        }
    }

    fn not_ready(&self, program: &str, how: &str) -> Failure {
        Failure::new(format!("{program} {how}; it printed:\n{}", self.output()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A port of 127.0.0.1 at which nobody listens at the moment.
///
/// Nothing reserves it: another process may take it before you do.
///
/// # Errors
///
/// When the system has none to give.
pub fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(Failure::when("no free port"))
}

/// Waits until `child` has ended by itself, and kills it if it does not.
pub(crate) fn reap(child: &mut Child, limit: Duration) {
    if poll("the end of the process", limit, || child.try_wait().transpose()).is_err() {
        drop(child.kill());
        drop(child.wait());
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let last = line.split_whitespace().next_back()?;
    let bare = last.rsplit("//").next()?;
    bare.trim_end_matches('/').parse().ok()
}
