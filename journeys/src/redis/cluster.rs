use super::{LIMIT, Redis, cli};
use crate::Failure;
use crate::deadline::poll;
use crate::process::free_port;
use crate::program::{self, run};
use std::net::SocketAddr;
use std::process::Command;

/// A cluster of three primaries with a replica each.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Redis>,
}

impl Cluster {
    /// Starts six servers, joins them, and waits until all slots are served.
    ///
    /// The settings are for every server. A node that is silent for two seconds counts as gone.
    ///
    /// # Errors
    ///
    /// When Redis is not installed, or the six do not come together.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let own = [("cluster-enabled", "yes"), ("cluster-node-timeout", "2000")];
        let settings = [&own[..], settings].concat();
        let nodes = (0..6).map(|_| node(&settings)).collect::<Result<Vec<_>, _>>()?;
        let mut command = Command::new(program::find("redis-cli")?);
        command.args(["--cluster", "create"]);
        command.args(nodes.iter().map(|node| node.address().to_string()));
        run(command.args(["--cluster-replicas", "1", "--cluster-yes"]))?;
        let cluster = Self { nodes };
        cluster.healthy()?;
        Ok(cluster)
    }

    /// The URL of the cluster, which names each of its nodes.
    #[must_use]
    pub fn url(&self) -> String {
        let places: Vec<_> = self.nodes.iter().map(|node| node.address().to_string()).collect();
        format!("redis-cluster://{}", places.join(","))
    }

    /// Its servers, primaries and replicas.
    #[must_use]
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// The server that serves this slot as a primary.
    ///
    /// # Errors
    ///
    /// When nobody does.
    pub fn primary_of(&mut self, slot: u16) -> Result<&mut Redis, Failure> {
        let address = self.owner_of(slot)?;
        let found = self.nodes.iter_mut().find(|node| node.address() == address);
        found.ok_or_else(|| Failure::new(format!("there is no Redis at {address}")))
    }

    /// Where the primary of this slot is, as the nodes that answer say.
    ///
    /// # Errors
    ///
    /// When no node knows one.
    pub fn owner_of(&self, slot: u16) -> Result<SocketAddr, Failure> {
        let told = self.nodes.iter().filter_map(|node| node.cli(&["cluster", "nodes"]).ok());
        // Those who have not heard of a move yet name an older epoch.
        let owners = told.filter_map(|nodes| nodes.lines().find_map(|line| owner(line, slot)));
        let newest = owners.max_by_key(|(epoch, _)| *epoch).map(|(_, address)| address);
        newest.ok_or_else(|| Failure::new(format!("nobody serves slot {slot}")))
    }

    /// Waits until another server than `before` serves this slot, and all slots are served again.
    ///
    /// # Errors
    ///
    /// When that takes longer than 30 s.
    pub fn wait_for_failover(&self, slot: u16, before: SocketAddr) -> Result<SocketAddr, Failure> {
        let new = poll("a failover", LIMIT, || {
            self.owner_of(slot).ok().filter(|owner| *owner != before)
        })?;
        self.healthy()?;
        Ok(new)
    }

    /// Asks a replica of the primary of `slot` to take its place, although that is there.
    ///
    /// # Errors
    ///
    /// When there is no such replica, or it refuses.
    pub fn fail_over(&self, slot: u16) -> Result<(), Failure> {
        let owner = self.owner_of(slot)?;
        let id = cli(owner.port(), &["cluster", "myid"])?;
        let told = cli(owner.port(), &["cluster", "replicas", &id])?;
        let replica = told.split_whitespace().nth(1).and_then(|place| place.split('@').next());
        let replica: Option<SocketAddr> = replica.and_then(|address| address.parse().ok());
        let replica = replica.ok_or_else(|| Failure::new(format!("{owner} has no replica")))?;
        cli(replica.port(), &["cluster", "failover"]).map(drop)
    }

    /// Moves `count` slots from the primary of `slot` to another one, while they are used.
    ///
    /// # Errors
    ///
    /// When the nodes refuse.
    pub fn reshard(&self, slot: u16, count: u16) -> Result<(), Failure> {
        let from = self.owner_of(slot)?;
        let other = (0..16_384)
            .step_by(1_024)
            .find_map(|other| self.owner_of(other).ok().filter(|owner| *owner != from));
        let to = other.ok_or_else(|| Failure::new("there is one primary only"))?;
        let id = |address: SocketAddr| cli(address.port(), &["cluster", "myid"]);
        let mut command = Command::new(program::find("redis-cli")?);
        command.args(["--cluster", "reshard", &from.to_string(), "--cluster-yes"]);
        command.args(["--cluster-from", &id(from)?, "--cluster-to", &id(to)?]);
        run(command.args(["--cluster-slots", &count.to_string()])).map(drop)
    }

    /// Waits until every node that runs says that all slots are served, and every replica that
    /// runs has what its primary has, without which it could not take its place.
    ///
    /// # Errors
    ///
    /// When that takes longer than 30 s.
    pub fn healthy(&self) -> Result<(), Failure> {
        for node in self.nodes.iter().filter(|node| node.server.is_some()) {
            poll("the cluster", LIMIT, || {
                let told = node.cli(&["cluster", "info"]).ok()?;
                let whole = ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:6"];
                let replication = node.cli(&["info", "replication"]).ok()?;
                let follows = !replication.contains("master_link_status:down");
                (follows && whole.iter().all(|word| told.contains(word))).then_some(())
            })?;
        }
        Ok(())
    }
}

/// The nodes talk to each other at a port that is 10,000 higher, which has to exist.
fn node(settings: &[(&str, &str)]) -> Result<Redis, Failure> {
    let mut last = Failure::new("no port below 55,536 is free");
    for _ in 0..50 {
        let port = free_port()?;
        // The other port must be no port that a client is given meanwhile.
        let low = 11_000 + port % 11_000;
        match Redis::start_at(low, settings) {
            Ok(node) => return Ok(node),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

/// Epoch and address in a line of `CLUSTER NODES`, if that node is the primary of this slot.
fn owner(line: &str, slot: u16) -> Option<(u64, SocketAddr)> {
    let words: Vec<_> = line.split_whitespace().collect();
    let (address, flags, slots) = (words.get(1)?, words.get(2)?, words.get(8..)?);
    if !flags.contains("master") || flags.contains("fail") {
        return None;
    }
    let serves = slots.iter().any(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        first.parse().is_ok_and(|first: u16| first <= slot)
            && last.parse().is_ok_and(|last: u16| slot <= last)
    });
    let epoch = words.get(6)?.parse().ok()?;
    let address = address.split('@').next()?.parse().ok()?;
    serves.then_some((epoch, address))
}
