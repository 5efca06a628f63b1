//! Redis: one server, a primary that sentinels watch over, and a cluster.

use super::{BROKEN, Engine, NOTHING, disturb, kill_processes, known};
use crate::load::Service;
use crate::returns::Absence;
use crate::{Declared, Fault};
use cloakroom_journeys::Failure;
use cloakroom_journeys::proxy::{Network, Proxy};
use cloakroom_journeys::redis::{Cluster, Redis, Sentinels};
use std::net::TcpStream;
use std::time::Duration;

/// What `docs/operate` tells operators to set: every write is in the file before it is answered,
/// and the disk has it within a second.
const SETTINGS: [(&str, &str); 3] =
    [("appendonly", "yes"), ("appendfsync", "everysec"), ("maxmemory-policy", "noeviction")];

/// What a replica that is promoted had not received yet is gone, and what was ended in that moment
/// is back, unless the process that ended it still runs.
const FAILOVER: Declared = Declared { lost_sessions: true, lost_writes: true, revivals: true };

/// One server, reached through a network that can break.
struct Single {
    proxy: Proxy,
    server: Redis,
}

impl Engine for Single {
    fn url(&self) -> String {
        format!("redis://{}", self.proxy.address())
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

pub(crate) fn redis() -> Result<Box<dyn Engine>, Failure> {
    let server = Redis::start(&SETTINGS)?;
    let proxy = Proxy::start(server.address())?;
    Ok(Box::new(Single { proxy, server }))
}

pub(crate) const REDIS: &[Fault] = &[
    Fault { name: "processes of the service are killed", declared: NOTHING, run: kill_processes },
    Fault { name: "the server is killed and started again", declared: NOTHING, run: killed },
    Fault { name: "the server stands still for 10 s", declared: NOTHING, run: stands_still },
    Fault { name: "the network is cut", declared: NOTHING, run: cut },
    Fault { name: "connections stay open and nothing arrives", declared: NOTHING, run: half_open },
    Fault { name: "answers arrive as noise", declared: NOTHING, run: noise },
    Fault { name: "others take every connection", declared: NOTHING, run: no_connections },
    Fault { name: "its memory is full", declared: NOTHING, run: full },
];

/// Too short for anybody to count it as away, long enough, and without an answer instead of with a
/// refusal.
pub(crate) const REDIS_AWAY: &[Absence] = &[
    Absence {
        name: "stopped for 0.3 s",
        lasts: Duration::from_millis(300),
        is_noticed: false,
        go: |engine| known::<Single>(engine)?.server.stop(),
        come_back: |engine| known::<Single>(engine)?.server.run(),
    },
    Absence {
        name: "stopped for 2 s",
        lasts: Duration::from_secs(2),
        is_noticed: true,
        go: |engine| known::<Single>(engine)?.server.stop(),
        come_back: |engine| known::<Single>(engine)?.server.run(),
    },
    Absence {
        name: "silent for 4 s",
        lasts: Duration::from_secs(4),
        is_noticed: true,
        go: |engine| known::<Single>(engine)?.server.pause(),
        come_back: |engine| known::<Single>(engine)?.server.resume(),
    },
];

fn killed(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let server = &mut known::<Single>(engine)?.server;
    server.kill_hard()?;
    std::thread::sleep(BROKEN);
    server.run()
}

fn stands_still(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let server = &mut known::<Single>(engine)?.server;
    server.pause()?;
    std::thread::sleep(Duration::from_secs(10));
    server.resume()
}

fn cut(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    disturb(&known::<Single>(engine)?.proxy, Network::Cut)
}

fn half_open(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    disturb(&known::<Single>(engine)?.proxy, Network::HalfOpen)
}

fn noise(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    disturb(&known::<Single>(engine)?.proxy, Network::Garbage(7))
}

/// Somebody else has every connection that the server gives, and ours were closed.
fn no_connections(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let Single { server, proxy } = known::<Single>(engine)?;
    server.cli(&["config", "set", "maxclients", "40"])?;
    proxy.set(Network::Cut);
    let others: Vec<_> =
        (0..60).filter_map(|_| TcpStream::connect(server.address()).ok()).collect();
    proxy.set(Network::Healthy);
    std::thread::sleep(BROKEN);
    drop(others);
    Ok(())
}

fn full(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let server = &known::<Single>(engine)?.server;
    server.cli(&["config", "set", "maxmemory", "1mb"])?;
    std::thread::sleep(BROKEN);
    server.cli(&["config", "set", "maxmemory", "0"]).map(drop)
}

impl Engine for Sentinels {
    fn url(&self) -> String {
        Self::url(self)
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

pub(crate) fn sentinel() -> Result<Box<dyn Engine>, Failure> {
    Ok(Box::new(Sentinels::start(&SETTINGS)?))
}

pub(crate) const SENTINEL: &[Fault] = &[
    Fault { name: "the primary is killed", declared: FAILOVER, run: primary_killed },
    Fault { name: "an operator asks for a failover", declared: FAILOVER, run: asked_for },
];

/// The same trio, told to be careful: sign-ins and endings count once the replica has them, and a
/// primary without one takes no writes.
struct Careful(Sentinels);

impl Engine for Careful {
    fn url(&self) -> String {
        format!("{}?confirmed_by_replicas=1", self.0.url())
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        &mut self.0
    }
}

pub(crate) fn careful() -> Result<Box<dyn Engine>, Failure> {
    let careful = [("min-replicas-to-write", "1"), ("min-replicas-max-lag", "2")];
    Ok(Box::new(Careful(Sentinels::start(&[&SETTINGS[..], &careful].concat())?)))
}

/// A write that the primary acknowledged in the moment of its death may not have reached the replica
/// that takes its place: only what changes who is signed in is waited for.
const DATA_ONLY: Declared = Declared { lost_sessions: false, lost_writes: true, revivals: false };

pub(crate) const CAREFUL: &[Fault] = &[
    Fault { name: "the primary is killed", declared: DATA_ONLY, run: primary_killed },
    Fault { name: "an operator asks for a failover", declared: NOTHING, run: asked_for },
];

fn primary_killed(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let trio = known::<Sentinels>(engine)?;
    let before = trio.primary()?;
    trio.server_at(before)?.kill_hard()?;
    trio.wait_for_failover(before)?;
    trio.server_at(before)?.run()
}

fn asked_for(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let trio = known::<Sentinels>(engine)?;
    let before = trio.primary()?;
    trio.fail_over()?;
    trio.wait_for_failover(before).map(drop)
}

impl Engine for Cluster {
    fn url(&self) -> String {
        Self::url(self)
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

pub(crate) fn cluster() -> Result<Box<dyn Engine>, Failure> {
    Ok(Box::new(Cluster::start(&SETTINGS)?))
}

pub(crate) const CLUSTER: &[Fault] = &[
    Fault { name: "a primary is killed", declared: FAILOVER, run: one_killed },
    Fault { name: "an operator asks for a failover", declared: NOTHING, run: handed_over },
    Fault { name: "slots move to another primary", declared: NOTHING, run: resharded },
];

fn one_killed(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let cluster = known::<Cluster>(engine)?;
    let before = cluster.owner_of(0)?;
    cluster.primary_of(0)?.kill_hard()?;
    cluster.wait_for_failover(0, before).map(drop)
}

/// The primary stops answering until the replica has everything, and only then hands over.
fn handed_over(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let cluster = known::<Cluster>(engine)?;
    let before = cluster.owner_of(0)?;
    cluster.fail_over(0)?;
    cluster.wait_for_failover(0, before).map(drop)
}

fn resharded(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    known::<Cluster>(engine)?.reshard(0, 2_000)
}
