//! One file that all processes share.

use super::{Engine, NOTHING, kill_processes, known};
use crate::Fault;
use crate::load::Service;
use cloakroom_journeys::Failure;
use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::program;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

struct Sqlite(Folder);

impl Engine for Sqlite {
    fn url(&self) -> String {
        format!("sqlite:{}", self.0.join("tally.db").display())
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

pub(crate) fn sqlite() -> Result<Box<dyn Engine>, Failure> {
    Ok(Box::new(Sqlite(Folder::new("faults")?)))
}

pub(crate) const SQLITE: &[Fault] = &[
    Fault { name: "processes of the service are killed", declared: NOTHING, run: kill_processes },
    Fault { name: "another program locks the file for 5 s", declared: NOTHING, run: lock_file },
];

fn lock_file(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let file = known::<Sqlite>(engine)?.0.join("tally.db");
    // The shell waits for its turn, as the service does.
    let script = ".timeout 5000\nBEGIN IMMEDIATE;\n.shell sleep 5\nCOMMIT;\n";
    let failed = |error: std::io::Error| Failure::new(format!("sqlite3: {error}"));
    let mut shell = Command::new(program::find("sqlite3")?);
    let mut shell = shell.arg(file).stdin(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut input) = shell.stdin.take() {
        input.write_all(script.as_bytes()).map_err(failed)?;
    }
    match shell.wait().map_err(failed)?.success() {
        true => Ok(()),
        false => Err(Failure::new("sqlite3 could not lock the file")),
    }
}

/// What no store can survive: the whole service stops, and its file is one of two seconds ago.
pub(crate) fn put_back(engine: &mut dyn Engine, service: &mut Service) -> Result<(), Failure> {
    let file = known::<Sqlite>(engine)?.0.join("tally.db");
    let copy = file.with_extension("copy");
    let mut shell = Command::new(program::find("sqlite3")?);
    let backup = shell.arg(&file).arg(format!("VACUUM INTO '{}'", copy.display())).status();
    let failed = |error: std::io::Error| Failure::new(format!("a copy of the file: {error}"));
    backup.map_err(failed)?;
    std::thread::sleep(Duration::from_secs(2));
    service.kill_all()?;
    for suffix in ["-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{suffix}", file.display())));
    }
    std::fs::rename(&copy, &file).map_err(failed)?;
    service.revive()
}
