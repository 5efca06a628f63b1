use super::{LIMIT, Redis, cli};
use crate::Failure;
use crate::deadline::poll;
use crate::folder::Folder;
use crate::process::{Ready, Server, free_port};
use crate::program;
use std::net::SocketAddr;
use std::process::Command;

/// What the sentinels call the primary.
const NAME: &str = "shop";

/// A primary, its replica, and three sentinels that put the replica in its place when it is gone.
///
/// ```no_run
/// use cloakroom_journeys::redis::Sentinels;
/// let mut trio = Sentinels::start(&[]).unwrap();
/// let before = trio.primary().unwrap();
/// trio.server_at(before).unwrap().kill_hard().unwrap();
/// assert_ne!(trio.wait_for_failover(before).unwrap(), before);
/// ```
#[derive(Debug)]
pub struct Sentinels {
    sentinels: Vec<Server>,
    /// The first was started as the primary.
    servers: [Redis; 2],
    _folder: Folder,
}

impl Sentinels {
    /// Starts all five processes, and waits until the replica follows and the sentinels agree.
    ///
    /// The settings are for both servers. A primary that is silent for a second counts as gone.
    ///
    /// # Errors
    ///
    /// When Redis is not installed, or the five do not come together within 30 s.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let primary = Redis::start(settings)?;
        let following = format!("127.0.0.1 {}", primary.port);
        let replica = Redis::start(settings)?;
        replica.cli(&["replicaof", "127.0.0.1", &primary.port.to_string()])?;
        poll("the replica", LIMIT, || {
            let told = replica.cli(&["info", "replication"]).ok()?;
            told.contains("master_link_status:up").then_some(())
        })?;
        let folder = Folder::new("sentinel")?;
        let sentinels = (0..3)
            .map(|number| sentinel(&folder, number, &following))
            .collect::<Result<Vec<_>, _>>()?;
        let trio = Self { sentinels, servers: [primary, replica], _folder: folder };
        trio.agreed()?;
        Ok(trio)
    }

    /// The URL of the trio: every sentinel, and the name of the primary.
    #[must_use]
    pub fn url(&self) -> String {
        let places: Vec<_> =
            self.sentinels.iter().map(|sentinel| sentinel.address().to_string()).collect();
        format!("redis+sentinel://{}/{NAME}", places.join(","))
    }

    /// What the sentinels call the primary.
    #[must_use]
    pub fn name(&self) -> &'static str {
        NAME
    }

    /// Where the sentinels are.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sentinels.iter().map(Server::address).collect()
    }

    /// Where the sentinels say that the primary is.
    ///
    /// # Errors
    ///
    /// When none of them answers.
    pub fn primary(&self) -> Result<SocketAddr, Failure> {
        let told = self.sentinels.iter().find_map(|sentinel| {
            let told = cli(sentinel.port(), &["sentinel", "get-master-addr-by-name", NAME]).ok()?;
            let (host, port) = told.split_once('\n')?;
            format!("{}:{}", host.trim(), port.trim()).parse().ok()
        });
        told.ok_or_else(|| Failure::new("no sentinel names a primary"))
    }

    /// The server at this address.
    ///
    /// # Errors
    ///
    /// When it is none of the two.
    pub fn server_at(&mut self, address: SocketAddr) -> Result<&mut Redis, Failure> {
        let found = self.servers.iter_mut().find(|server| server.address() == address);
        found.ok_or_else(|| Failure::new(format!("there is no Redis at {address}")))
    }

    /// Asks the sentinels to put the replica in the primary's place, although that is there.
    ///
    /// # Errors
    ///
    /// When no sentinel answers, or they refuse.
    pub fn fail_over(&self) -> Result<(), Failure> {
        let first = self.sentinels.first().ok_or_else(|| Failure::new("no sentinel"))?;
        cli(first.port(), &["sentinel", "failover", NAME]).map(drop)
    }

    /// Waits until another server than `before` is the primary and says so itself.
    ///
    /// # Errors
    ///
    /// When that takes longer than 30 s.
    pub fn wait_for_failover(&self, before: SocketAddr) -> Result<SocketAddr, Failure> {
        poll("a failover", LIMIT, || {
            let now = self.primary().ok().filter(|now| *now != before)?;
            let role = cli(now.port(), &["role"]).ok()?;
            role.starts_with("master").then_some(now)
        })
    }

    /// Every sentinel knows the other two and the replica.
    fn agreed(&self) -> Result<(), Failure> {
        for sentinel in &self.sentinels {
            poll("the sentinels", LIMIT, || {
                let told = cli(sentinel.port(), &["info", "sentinel"]).ok()?;
                (told.contains("slaves=1") && told.contains("sentinels=3")).then_some(())
            })?;
        }
        Ok(())
    }
}

fn sentinel(folder: &Folder, number: u32, primary: &str) -> Result<Server, Failure> {
    let port = free_port()?;
    let file = folder.join(format!("sentinel-{number}.conf"));
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {NAME} {primary} 2\n\
         sentinel down-after-milliseconds {NAME} 1000\nsentinel failover-timeout {NAME} 5000\n",
        folder.path().display()
    );
    std::fs::write(&file, text).map_err(Failure::when("sentinel.conf"))?;
    let mut command = Command::new(program::find("redis-server")?);
    command.arg(&file).arg("--sentinel");
    Server::spawn(command, Ready::port(port))
}
