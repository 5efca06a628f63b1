//! cloakroom sessions in Redis or Valkey: standalone, Sentinel or Cluster.

mod arguments;
mod call;
mod config;
mod dial;
mod dice;
mod fault;
mod greeting;
mod house;
mod hub;
mod journal;
mod keys;
mod link;
mod map;
mod reply;
mod scripts;
mod store;
mod values;
mod verbs;
mod welcome;

pub use config::RedisConfig;
pub use store::{Failovers, RedisStore};
