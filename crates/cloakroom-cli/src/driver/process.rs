//! The process of chromedriver.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// What chromedriver may take to start: 20 s, on a machine that does much else.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A running chromedriver; drop ends it.
pub(super) struct Chromedriver {
    child: Child,
    port: u16,
}

impl Chromedriver {
    /// Starts it on a free port of the loopback interface.
    pub(super) fn start() -> Result<Self, String> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| {
            format!("chromedriver cannot be started ({error}): `apt-get install chromium-driver` provides it")
        })?;
        let port = child.stdout.take().and_then(port);
        let mut started = Self { child, port: 0 };
        started.port = port.ok_or_else(|| {
            format!("chromedriver did not start within {} s", START_LIMIT.as_secs())
        })?;
        Ok(started)
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port that it prints. The thread reads on, so that it never writes into a broken pipe.
fn port(output: ChildStdout) -> Option<u16> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let port = line
                .split_once("successfully on port ")
                .map(|(_, rest)| rest.trim_end_matches('.').to_owned());
            if let Some(port) = port.and_then(|port| port.parse::<u16>().ok()) {
                // Nobody listens any more if it came too late.
                let _ = tell.send(port);
            }
        }
    });
    told.recv_timeout(START_LIMIT).ok()
}

pub(super) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
