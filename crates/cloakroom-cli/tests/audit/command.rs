//! The command, run as a person runs it, with an end in any case.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The command has to end by itself long before.
const LONGEST: Duration = Duration::from_secs(60);
/// Kilobytes of address space that it gets: 10 GB do not fit.
const MEMORY: u32 = 600_000;

/// How it ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Starts `cloakroom audit` with these arguments, in little memory.
pub(crate) fn start(arguments: &[&str]) -> Child {
    let limited = format!("ulimit -v {MEMORY}; exec \"$0\" audit \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_cloakroom")]).args(arguments);
    command.env_remove("COLUMNS").stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for its end.
pub(crate) fn end(mut child: Child) -> Ended {
    let out = collect(child.stdout.take().unwrap());
    let err = collect(child.stderr.take().unwrap());
    let begun = now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > LONGEST {
            child.kill().unwrap();
            panic!("the command did not end: {}", err.join().unwrap());
        }
        thread::sleep(Duration::from_millis(10));
    };
    Ended { code: status.code(), out: out.join().unwrap(), err: err.join().unwrap() }
}

/// Runs it to its end.
pub(crate) fn audit(arguments: &[&str]) -> Ended {
    end(start(arguments))
}

fn collect(mut pipe: impl std::io::Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut octets = Vec::new();
        pipe.read_to_end(&mut octets).unwrap();
        String::from_utf8_lossy(&octets).into_owned()
    })
}

#[allow(clippy::disallowed_methods, reason = "how long another program runs is not up to the test")]
fn now() -> Instant {
    Instant::now()
}
