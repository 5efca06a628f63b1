//! Which server answers for which slots.

use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::StoreError;
use redis::Value;
use tokio::time::timeout;

use crate::config::{Address, Mode};
use crate::dial::Dial;
use crate::hub::Hub;
use crate::journal::Duty;
use crate::keys::SLOTS;
use crate::link::Link;

/// The servers of a store at one time.
#[derive(Debug, Default)]
pub(crate) struct Map {
    /// The last slot of a range, the first one, and who answers for it; in order.
    ranges: Vec<(u16, u16, Arc<Link>)>,
    fixed: bool,
}

impl Map {
    /// Who answers for a slot.
    pub(crate) fn link(&self, slot: u16) -> Result<Arc<Link>, StoreError> {
        let at = self.ranges.partition_point(|(last, _, _)| *last < slot);
        match self.ranges.get(at) {
            Some((_, first, link)) if *first <= slot => Ok(Arc::clone(link)),
            Some(_) | None => {
                Err(StoreError::unavailable("no server of the Redis cluster has the slot"))
            }
        }
    }

    /// Each server once.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Arc<Link>> {
        let seen_before = |at: usize, link: &Arc<Link>| {
            self.ranges.iter().take(at).any(|(_, _, other)| Arc::ptr_eq(other, link))
        };
        let links = self.ranges.iter().map(|(_, _, link)| link).enumerate();
        links.filter(move |(at, link)| !seen_before(*at, link)).map(|(_, link)| link)
    }

    pub(crate) fn has(&self, link: &Arc<Link>) -> bool {
        self.links().any(|other| Arc::ptr_eq(other, link))
    }

    /// Whether there is one server and never another.
    pub(crate) const fn is_fixed(&self) -> bool {
        self.fixed
    }

    /// The servers as they are now; `None` if they are those of before.
    pub(crate) async fn look(hub: &Hub, before: &Self) -> Result<Option<Self>, StoreError> {
        match &hub.dial.config().mode {
            Mode::Standalone(address) => Ok(before
                .links()
                .next()
                .is_none()
                .then(|| Self { fixed: true, ..Self::of_one(address.clone()) })),
            Mode::Sentinel { sentinels, name } => {
                let address = primary(hub, sentinels, name).await?;
                let is_same = before.links().any(|link| link.address == address);
                Ok((!is_same).then(|| Self::of_one(address)))
            }
            Mode::Cluster(seeds) => {
                let ranges = cluster(hub, before, seeds).await?;
                Ok((!before.is(&ranges)).then(|| before.changed_to(&ranges)))
            }
        }
    }

    fn of_one(address: Address) -> Self {
        let link = Arc::new(Link::new(address, vec![0..=SLOTS - 1]));
        Self { ranges: vec![(SLOTS - 1, 0, link)], fixed: false }
    }

    fn is(&self, ranges: &[Range]) -> bool {
        let mine = self.ranges.iter().map(|(last, first, link)| (*first, *last, &link.address));
        mine.eq(ranges.iter().map(|range| (range.first, range.last, &range.address)))
    }

    /// Servers that stay keep their connections.
    fn changed_to(&self, ranges: &[Range]) -> Self {
        let mut links: Vec<Arc<Link>> = Vec::new();
        let mut mapped = Vec::new();
        for Range { first, last, address } in ranges {
            let known = links.iter().chain(self.links()).find(|link| link.address == *address);
            let link = match known {
                Some(link) => Arc::clone(link),
                None => Arc::new(Link::new(address.clone(), Duty::new())),
            };
            links.push(Arc::clone(&link));
            mapped.push((*last, *first, link));
        }
        let map = Self { ranges: mapped, fixed: false };
        for link in map.links() {
            let own = map.ranges.iter().filter(|(_, _, other)| Arc::ptr_eq(other, link));
            link.set_duty(own.map(|(last, first, _)| *first..=*last).collect());
        }
        map
    }
}

/// A part of a cluster.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    first: u16,
    last: u16,
    address: Address,
}

/// How long the other sentinels may take once one has answered: those that are in reach need a
/// thousandth of it, and a failover must not wait for one that is gone.
const OTHERS: Duration = Duration::from_millis(200);

/// The primary that the sentinels name. They learn of a failover one after the other, so that the
/// newest epoch is believed; the server itself is asked when it is connected to.
async fn primary(hub: &Hub, sentinels: &[Address], name: &str) -> Result<Address, StoreError> {
    let mut failed = StoreError::refused("no sentinel is named");
    let mut newest: Option<Told> = None;
    for sentinel in sentinels {
        let answer = match &newest {
            None => told_by(hub, sentinel, name).await,
            Some(_) => match timeout(OTHERS, told_by(hub, sentinel, name)).await {
                Ok(answer) => answer,
                Err(_) => continue,
            },
        };
        match answer {
            Ok(told) if newest.as_ref().is_none_or(|newest| newest.epoch < told.epoch) => {
                newest = Some(told);
            }
            Ok(_) => {}
            Err(error) => failed = error,
        }
    }
    newest.map(|told| told.primary).ok_or(failed)
}

/// What one sentinel says.
struct Told {
    epoch: u64,
    primary: Address,
}

async fn told_by(hub: &Hub, sentinel: &Address, name: &str) -> Result<Told, StoreError> {
    let mut connection = hub.dial.connect(sentinel, Dial::sentinel).await?;
    let mut command = redis::cmd("SENTINEL");
    command.arg("MASTER").arg(name);
    let answer = connection.send_packed_command(&command).await;
    let answer =
        answer.map_err(|error| StoreError::unavailable("a sentinel fails").because(error))?;
    told(&answer)
        .ok_or_else(|| StoreError::unavailable(format!("no sentinel knows a primary `{name}`")))
}

/// Names and values in turn.
fn told(answer: &Value) -> Option<Told> {
    let Value::Array(words) = answer else { return None };
    let value = |name: &str| {
        let pair = words.chunks(2).find(|pair| pair.first().and_then(text) == Some(name))?;
        pair.get(1).and_then(text)
    };
    let primary = Address { host: value("ip")?.to_owned(), port: value("port")?.parse().ok()? };
    Some(Told { epoch: value("config-epoch")?.parse().ok()?, primary })
}

/// What a node of the cluster says of all of them: those that are known first, then the seeds.
async fn cluster(hub: &Hub, before: &Map, seeds: &[Address]) -> Result<Vec<Range>, StoreError> {
    let mut failed = StoreError::refused("no node of the cluster is named");
    let known = before.links().map(|link| &link.address);
    for address in known.chain(seeds) {
        let asked = async {
            let mut connection = hub.dial.connect(address, Dial::server).await?;
            let mut command = redis::cmd("CLUSTER");
            command.arg("SLOTS");
            let answer = connection.send_packed_command(&command).await;
            answer.map_err(|error| StoreError::unavailable("the cluster fails").because(error))
        };
        match asked.await.map(|answer| ranges_of(&answer, &address.host)) {
            Ok(Some(ranges)) if !ranges.is_empty() => return Ok(ranges),
            Ok(_) => failed = StoreError::unavailable(format!("{address} is in no Redis cluster")),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Each range is its first slot, its last, its primary and its replicas.
fn ranges_of(answer: &Value, asked: &str) -> Option<Vec<Range>> {
    let Value::Array(parts) = answer else { return None };
    let mut ranges: Vec<Range> =
        parts.iter().map(|part| range_of(part, asked)).collect::<Option<_>>()?;
    ranges.sort_by_key(|range| range.first);
    Some(ranges)
}

fn range_of(part: &Value, asked: &str) -> Option<Range> {
    let Value::Array(parts) = part else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(primary), ..] = parts.as_slice() else {
        return None;
    };
    let [host, Value::Int(port), ..] = primary.as_slice() else { return None };
    // A node that does not know its own name is where it was asked.
    let host = text(host).filter(|host| !host.is_empty() && *host != "?").unwrap_or(asked);
    Some(Range {
        first: u16::try_from(*first).ok()?,
        last: u16::try_from(*last).ok().filter(|last| *last < SLOTS)?,
        address: Address { host: host.to_owned(), port: u16::try_from(*port).ok()? },
    })
}

fn text(value: &Value) -> Option<&str> {
    if let Value::BulkString(bytes) = value { std::str::from_utf8(bytes).ok() } else { None }
}
