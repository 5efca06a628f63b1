//! Visitors at a steady pace, while the engine fails.

use crate::client::{Client, Seen};
use cloakroom_journeys::Failure;
use cloakroom_journeys::deadline::{Deadline, poll};
use cloakroom_journeys::http;
use cloakroom_journeys::process::{Ready, Server, free_port};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Forty visitors with five requests a second each: 200 a second.
const VISITORS: u64 = 40;
const PACE: Duration = Duration::from_millis(200);

/// How many processes serve them.
const PROCESSES: usize = 4;

/// How long the service may need until it serves again.
const RECOVERY: Duration = Duration::from_secs(40);

/// Four processes of the service on one store.
pub(crate) struct Service {
    program: PathBuf,
    store: String,
    processes: Vec<(SocketAddr, Option<Server>)>,
}

impl Service {
    pub(crate) fn start(program: &Path, store: &str) -> Result<Self, Failure> {
        let (program, store) = (program.to_owned(), store.to_owned());
        let mut service = Self { program, store, processes: Vec::new() };
        for _ in 0..PROCESSES {
            let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
            let server = service.spawn(address)?;
            service.processes.push((address, Some(server)));
        }
        Ok(service)
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.processes.iter().map(|(address, _)| *address).collect()
    }

    /// Kills one process of the service.
    pub(crate) fn kill(&mut self, number: usize) -> Result<(), Failure> {
        match self.processes[number].1.take() {
            Some(mut server) => server.kill_hard(),
            None => Ok(()),
        }
    }

    /// Kills every process of the service.
    pub(crate) fn kill_all(&mut self) -> Result<(), Failure> {
        (0..self.processes.len()).try_for_each(|number| self.kill(number))
    }

    /// Starts the killed processes again, where they were.
    pub(crate) fn revive(&mut self) -> Result<(), Failure> {
        for number in 0..self.processes.len() {
            if self.processes[number].1.is_none() {
                let server = self.spawn(self.processes[number].0)?;
                self.processes[number].1 = Some(server);
            }
        }
        Ok(())
    }

    /// What the processes logged, the last lines of each.
    pub(crate) fn log(&self) -> String {
        let of = |server: &Server| {
            let output = server.output();
            let lines: Vec<_> = output.lines().rev().take(5).collect();
            lines.into_iter().rev().collect::<Vec<_>>().join("\n")
        };
        let logs = self.processes.iter().filter_map(|(_, server)| server.as_ref().map(of));
        logs.collect::<Vec<_>>().join("\n--\n")
    }

    fn spawn(&self, address: SocketAddr) -> Result<Server, Failure> {
        let mut command = Command::new(&self.program);
        command.args(["--addr", &address.to_string(), "--store", &self.store]);
        Server::spawn(command, Ready::Address(address))
    }
}

/// Visitors who go on until they are told to stop.
pub(crate) struct Load {
    running: Arc<AtomicBool>,
    visitors: Vec<JoinHandle<Client>>,
}

impl Load {
    pub(crate) fn start(service: &Service, seed: u64) -> Self {
        let running = Arc::new(AtomicBool::new(true));
        let addresses = service.addresses();
        let visitor = |number| {
            let mut client = Client::new(&addresses, number, seed);
            let running = Arc::clone(&running);
            std::thread::spawn(move || {
                let late = PACE * u32::try_from(number).unwrap() / u32::try_from(VISITORS).unwrap();
                std::thread::sleep(late);
                while running.load(Ordering::Relaxed) {
                    let pace = Deadline::after(PACE);
                    client.step();
                    std::thread::sleep(pace.remaining().unwrap_or_default());
                }
                client
            })
        };
        let visitors = (0..VISITORS).map(visitor).collect();
        Self { running, visitors }
    }

    /// Lets the visitors come to their end, and look once more at everything they were promised.
    pub(crate) fn finish(self) -> Seen {
        self.running.store(false, Ordering::Relaxed);
        let mut seen = Seen::default();
        for visitor in self.visitors {
            let mut client = visitor.join().unwrap();
            client.settle();
            seen.add(client.seen);
        }
        seen
    }
}

/// Waits until every process answers a visitor whose session it has to write.
pub(crate) fn wait_until_served(service: &Service) -> Result<(), Failure> {
    for address in service.addresses() {
        poll("the service to serve again", RECOVERY, || {
            let headers: [(&str, &[u8]); 1] = [("Sec-Fetch-Site", b"same-origin")];
            let response = http::request(address, "POST", "/count", &headers, b"").ok()?;
            (response.status == 200).then_some(())
        })?;
    }
    Ok(())
}
