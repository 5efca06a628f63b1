//! Servers that belong together.

use std::process::Command;

use super::server::{Folder, Server, free_port, poll};

/// A primary, its replica, and three sentinels that watch them.
#[derive(Debug)]
pub(crate) struct Sentinels {
    pub(crate) primary: Server,
    pub(crate) replica: Server,
    pub(crate) sentinels: Vec<Server>,
}

impl Sentinels {
    pub(crate) fn start() -> Self {
        let primary = Server::start(&["--save", "", "--repl-diskless-sync-delay", "0"]);
        let of = format!("127.0.0.1 {}", primary.port);
        let replica = Server::start(&["--save", "", "--replicaof", &of]);
        poll("the replica", || {
            replica.cli(&["INFO", "replication"]).contains("master_link_status:up").then_some(())
        });
        let sentinels = (0..3).map(|_| sentinel(primary.port)).collect();
        let group = Self { primary, replica, sentinels };
        for sentinel in &group.sentinels {
            poll("the sentinels to know each other and the replica", || {
                let known = sentinel.cli(&["SENTINEL", "MASTER", "main"]);
                let number = |name: &str| {
                    let mut lines = known.lines().skip_while(|line| *line != name);
                    lines.nth(1).and_then(|line| line.parse::<u32>().ok())
                };
                let all = (number("num-other-sentinels"), number("num-slaves"));
                (all == (Some(2), Some(1))).then_some(())
            });
        }
        group
    }

    pub(crate) fn url(&self) -> String {
        let hosts = self.sentinels.iter().map(|one| format!("127.0.0.1:{}", one.port));
        format!("redis+sentinel://{}/main", hosts.collect::<Vec<_>>().join(","))
    }
}

fn sentinel(primary: u16) -> Server {
    let (folder, port) = (Folder::new(), free_port());
    let conf = format!(
        "sentinel monitor main 127.0.0.1 {primary} 2\n\
         sentinel down-after-milliseconds main 500\n\
         sentinel failover-timeout main 3000\n"
    );
    std::fs::write(folder.path().join("sentinel.conf"), conf).unwrap();
    Server::start_in(port, folder, &[])
}

/// Three primaries with a replica each.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let options = [
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "1000",
            "--cluster-replica-validity-factor",
            "0",
            "--repl-diskless-sync-delay",
            "0",
            "--save",
            "",
        ];
        let nodes: Vec<Server> = (0..6).map(|_| Server::start(&options)).collect();
        let hosts: Vec<String> =
            nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(&hosts)
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        for node in &nodes {
            poll("the cluster", || {
                node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok").then_some(())
            });
        }
        for node in &nodes {
            poll("the replicas", || {
                let info = node.cli(&["INFO", "replication"]);
                let is_ready =
                    info.contains("master_link_status:up") || info.contains("connected_slaves:1");
                is_ready.then_some(())
            });
        }
        Self { nodes }
    }

    pub(crate) fn url(&self) -> String {
        let hosts = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port));
        format!("redis-cluster://{}", hosts.collect::<Vec<_>>().join(","))
    }

    /// The nodes that are primaries now.
    pub(crate) fn primaries(&self) -> impl Iterator<Item = &Server> {
        self.nodes.iter().filter(|node| node.cli(&["INFO", "replication"]).contains("role:master"))
    }
}
