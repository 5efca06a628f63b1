//! The engines, and what can happen to each.

mod postgres;
mod redis;
mod sqlite;

pub(crate) use postgres::{POSTGRES, POSTGRES_AWAY, postgres};
pub(crate) use redis::{
    CAREFUL, CLUSTER, REDIS, REDIS_AWAY, SENTINEL, careful, cluster, redis, sentinel,
};
pub(crate) use sqlite::{SQLITE, put_back, sqlite};

use crate::Declared;
use crate::load::Service;
use cloakroom_journeys::Failure;
use cloakroom_journeys::proxy::{Network, Proxy};
use std::time::Duration;

/// What sessions are kept in.
pub(crate) trait Engine {
    fn url(&self) -> String;
    fn as_any(&mut self) -> &mut dyn std::any::Any;
}

/// Nothing may be lost, and nothing may come back.
const NOTHING: Declared = Declared { lost_sessions: false, lost_writes: false, revivals: false };

/// How long what is broken stays broken.
const BROKEN: Duration = Duration::from_secs(4);

/// The engine as what the fault knows it to be.
fn known<E: 'static>(engine: &mut dyn Engine) -> Result<&mut E, Failure> {
    let found = engine.as_any().downcast_mut();
    found.ok_or_else(|| Failure::new("a fault of another engine"))
}

/// Breaks the network, waits, and heals it.
fn disturb(proxy: &Proxy, network: Network) -> Result<(), Failure> {
    proxy.set(network);
    std::thread::sleep(BROKEN);
    proxy.set(Network::Healthy);
    Ok(())
}

fn kill_processes(_: &mut dyn Engine, service: &mut Service) -> Result<(), Failure> {
    for number in 0..3 {
        service.kill(number)?;
        std::thread::sleep(Duration::from_secs(1));
        service.revive()?;
    }
    Ok(())
}
