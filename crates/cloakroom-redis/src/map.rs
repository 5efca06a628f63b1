//! Which server answers for which slots.

use std::sync::Arc;

use cloakroom_store::StoreError;
use redis::Value;

use crate::config::{Address, Mode};
use crate::dial::Dial;
use crate::hub::Hub;
use crate::journal::Duty;
use crate::keys::SLOTS;
use crate::link::Link;
use crate::reply::text;

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

    /// The servers as they are now.
    pub(crate) async fn look(hub: &Hub, before: &Self) -> Result<View, StoreError> {
        match &hub.dial.config().mode {
            Mode::Standalone(address) => {
                let is_new = before.links().next().is_none();
                let map =
                    is_new.then(|| Self { fixed: true, ..Self::of_one(hub, address.clone()) });
                Ok(View { map, is_changing: Some(false) })
            }
            Mode::Sentinel { sentinels, name } => {
                let told = hub.sentinels.ask(&hub.dial, sentinels, name).await?;
                let is_same = before.links().any(|link| link.address == told.primary);
                let map = (!is_same).then(|| Self::of_one(hub, told.primary));
                Ok(View { map, is_changing: told.is_changing })
            }
            Mode::Cluster(seeds) => {
                let ranges = cluster(hub, before, seeds).await?;
                let map = (!before.is(&ranges)).then(|| before.changed_to(hub, &ranges));
                Ok(View { map, is_changing: Some(false) })
            }
        }
    }

    fn of_one(hub: &Hub, address: Address) -> Self {
        let link = Arc::new(Link::new(address, vec![0..=SLOTS - 1], &hub.ears));
        Self { ranges: vec![(SLOTS - 1, 0, link)], fixed: false }
    }

    fn is(&self, ranges: &[Range]) -> bool {
        let mine = self.ranges.iter().map(|(last, first, link)| (*first, *last, &link.address));
        mine.eq(ranges.iter().map(|range| (range.first, range.last, &range.address)))
    }

    /// Servers that stay keep their connections.
    fn changed_to(&self, hub: &Hub, ranges: &[Range]) -> Self {
        let mut links: Vec<Arc<Link>> = Vec::new();
        let mut mapped = Vec::new();
        for Range { first, last, address } in ranges {
            let known = links.iter().chain(self.links()).find(|link| link.address == *address);
            let link = match known {
                Some(link) => Arc::clone(link),
                None => Arc::new(Link::new(address.clone(), Duty::new(), &hub.ears)),
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

/// What somebody who looked saw.
#[derive(Debug)]
pub(crate) struct View {
    /// Other servers than before.
    pub(crate) map: Option<Map>,
    /// Whether others are about to take over, if that is known: what is written to those of now may be
    /// lost.
    pub(crate) is_changing: Option<bool>,
}

/// A part of a cluster.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    first: u16,
    last: u16,
    address: Address,
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
