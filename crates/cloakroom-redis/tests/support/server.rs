//! One server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// A new folder, removed with the value.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloakroom-redis-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running server. It ends when it is dropped, and also when the test process ends: a shell waits
/// for its standard input to close and kills it then.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    shell: Child,
    process: String,
    folder: Folder,
    options: Vec<String>,
}

/// Names another server than `redis-server`: all of these tests hold for Valkey as well.
const PROGRAM: &str = "CLOAKROOM_REDIS_SERVER";

/// Starts the server, says which process it is, and kills it when nobody is there any more.
const SHELL: &str = "folder=$1; shift; \"$@\" > \"$folder/log\" 2>&1 & process=$!; echo $process; \
                     read -r nothing; kill -9 $process 2>/dev/null; rm -rf \"$folder\"";

impl Server {
    /// A server that listens on a free port, with these options after the usual ones.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_in(free_port(), Folder::new(), options)
    }

    pub(crate) fn start_in(port: u16, folder: Folder, options: &[&str]) -> Self {
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let (shell, process) = spawn(port, &folder, &options);
        let server = Self { port, shell, process, folder, options };
        server.await_ready();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What `redis-cli` prints.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]).args(arguments);
        let output = command.output().expect("redis-cli is there: apt-get install redis-tools");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The server dies as in a crash.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        // The port is free once the process is gone.
        poll("the end of the server", || {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            TcpStream::connect(address).is_err().then_some(())
        });
    }

    /// The same server again, on the same port with the same files.
    pub(crate) fn start_again(&mut self) {
        let (shell, process) = spawn(self.port, &self.folder, &self.options);
        let mut before = std::mem::replace(&mut self.shell, shell);
        self.process = process;
        // Nothing is removed: the folder goes on being used.
        let _ = before.kill();
        let _ = before.wait();
        self.await_ready();
    }

    /// The server stands still, and its connections with it.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let done = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.process)])
            .status()
            .unwrap();
        assert!(done.success(), "the server was not running");
    }

    fn await_ready(&self) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let log = self.folder.path().join("log");
        for _ in 0..500 {
            if let Ok(mut stream) = TcpStream::connect(address) {
                let mut answer = [0; 5];
                let asked = stream.write_all(b"PING\r\n");
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                if asked.is_ok() && stream.read_exact(&mut answer).is_ok() && answer[0] != b'L' {
                    let is_loading = &answer == b"-LOAD";
                    if !is_loading {
                        return;
                    }
                }
            }
            thread::sleep(Duration::from_millis(10));
        }
        let said = std::fs::read_to_string(log).unwrap_or_default();
        panic!("the server on port {} is not ready; it said:\n{said}", self.port);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("sh").args(["-c", &format!("kill -9 {} 2>&1", self.process)]).output();
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

fn spawn(port: u16, folder: &Folder, options: &[String]) -> (Child, String) {
    let mut command = Command::new("sh");
    let program = std::env::var_os(PROGRAM).unwrap_or_else(|| "redis-server".into());
    command.args(["-c", SHELL, "sh"]).arg(folder.path()).arg(program);
    let sentinel = folder.path().join("sentinel.conf");
    if sentinel.exists() {
        command.arg(sentinel).arg("--sentinel");
    }
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
    command.arg("--dir").arg(folder.path()).args(options);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = command.spawn().unwrap();
    let mut process = String::new();
    BufReader::new(shell.stdout.take().unwrap()).read_line(&mut process).unwrap();
    (shell, process.trim().to_owned())
}

/// A port at which nobody listens, nor ten thousand above, where a cluster talks to itself.
pub(crate) fn free_port() -> u16 {
    for _ in 0..100 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if port < 55_000 && is_free(port + 10_000) {
            return port;
        }
    }
    panic!("no free port")
}

/// Looks until something is there, for at most twenty seconds.
pub(crate) fn poll<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..2_000 {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("waited for {what} in vain")
}
