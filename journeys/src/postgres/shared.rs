//! One server for all tests of a run: making one takes seconds, and a test needs a schema only.

use super::{LIMIT, command, prepare, psql, settings_of, url_at};
use crate::Failure;
use crate::deadline::poll;
use crate::process::free_port;
use crate::program;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Starts the server, waits for the end of the process `$1`, and then stops the server and removes
/// the folder `$2`. It belongs to nobody's group, so that a keyboard's interrupt leaves it its work.
const KEEPER: &str = "owner=$1; folder=$2; shift 2; \"$@\" >\"$folder/log\" 2>&1 & server=$!; \
    tail --pid=\"$owner\" -f /dev/null; kill -QUIT $server; wait $server; rm -rf \"$folder\"";

/// A server that this run's tests share; it ends with the run.
///
/// A run is a process with its tests as threads, or the runner that starts a process for each test.
#[derive(Clone, Debug)]
pub struct Shared {
    url: String,
}

impl Shared {
    /// The server of this run, which is started if it is not there.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed or does not start.
    pub fn get() -> Result<Self, Failure> {
        let owner = owner();
        let place = std::env::temp_dir().join(format!("cloakroom-postgres-of-{owner}"));
        fs::create_dir_all(&place).map_err(Failure::when(place.display()))?;
        let lock = File::create(place.join("lock")).map_err(Failure::when(place.display()))?;
        lock.lock().map_err(Failure::when(place.display()))?;
        let note = place.join("url");
        let url = match fs::read_to_string(&note) {
            Ok(url) => url,
            Err(_) => {
                let url = start(owner, &place)?;
                fs::write(&note, &url).map_err(Failure::when(note.display()))?;
                url
            }
        };
        Ok(Self { url })
    }

    /// The URL of its database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs SQL as an operator would; see [`Postgres::sql`](super::Postgres::sql).
    ///
    /// # Errors
    ///
    /// When `psql` is not installed or the server refuses.
    pub fn sql(&self, sql: &str) -> Result<String, Failure> {
        psql(&self.url, sql)
    }
}

/// The process whose end is the end of the run.
fn owner() -> u32 {
    match std::env::var_os("NEXTEST_RUN_ID") {
        Some(_) => std::os::unix::process::parent_id(),
        None => std::process::id(),
    }
}

fn start(owner: u32, place: &Path) -> Result<String, Failure> {
    let folder = PathBuf::from(place);
    prepare(&folder)?;
    let port = free_port()?;
    let server = settings_of(
        command("postgres", &folder)?,
        &folder,
        port,
        &["max_connections=200".to_owned()],
    );
    let mut keeper = Command::new(program::find("sh")?);
    keeper.args(["-c", KEEPER, "keeper", &owner.to_string()]).arg(&folder);
    keeper.arg(server.get_program()).args(server.get_args());
    keeper.current_dir(&folder).env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin");
    keeper.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    keeper.spawn().map_err(Failure::when("cannot run sh"))?;
    let url = url_at(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    poll("the shared PostgreSQL", LIMIT, || psql(&url, "SELECT 1").ok())?;
    Ok(url)
}
