//! cloakroom sessions in Redis or Valkey: standalone, behind Sentinel or on a Cluster.
//!
//! ```no_run
//! # async fn example() -> Result<(), cloakroom_store::StoreError> {
//! use cloakroom_redis::{RedisConfig, RedisStore};
//!
//! let config: RedisConfig = "rediss://shop:secret@sessions.internal:6380".parse()?;
//! let store = RedisStore::connect(config).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! - A load is one `GET`; everything else is one script, which asks first whether the session is
//!   live. A user's sessions and their index share a slot, so that limits, logins and endings are
//!   atomic. On a cluster a login whose route changes is two scripts: the old session ends first, and
//!   is taken back if the new one is refused.
//! - A server that was away is asked again within a few hundred milliseconds of its return. Every
//!   verb has its answer within a second and a half ([`RedisConfig::answer_timeout`]); of a change that was on
//!   its way the error says that it may have happened or not.
//! - The time is the caller's. A key lives until a day and a minute after its session; that is
//!   all that the server's clock decides.
//!
//! # What an acknowledged write outlives
//!
//! What the servers are set up for: `appendonly yes` with `appendfsync always` a loss of power; with
//! any other `appendfsync` a crash; without an append-only file *nothing*, since a crashed server
//! comes back without the last endings.
//!
//! Replication is asynchronous. When a replica is promoted, or a server comes back from a crash, each
//! process first repeats what it ended and rotated itself in the last 60 seconds, up to 10,000 calls,
//! and only then asks for anything else ([`RedisStore::failovers`] counts it). What can still come
//! back: a session that another process ended, until that process has repeated it, and for good if it
//! has died meanwhile. New sessions and changes of data that the replica lacks are lost.
//! [`RedisConfig::confirmed_by_replicas`] makes a creation, rotation or ending wait for replicas, and
//! [`RedisConfig::confirmed_on_disk`] for the disk.
//!
//! # What a cache in front of it hears
//!
//! [`Store::listen`](cloakroom_store::Store::listen) tells of every key that changes, whoever changed
//! it, on the connection that loads go through (`CLIENT TRACKING` of RESP3): before any answer that
//! the server gave later. Between two processes on one machine news took 0.1 ms at most in 1,000
//! rounds, and half of it came before the writer had its own answer; behind the near cache an ended
//! session was refused elsewhere after 0.5 ms (half of 1,000 rounds) and 18 ms (the worst), and of 3,000
//! reads that overlapped with an end none was kept. A server tells of what this process changed, too,
//! so that a session which it has just changed is read once more. A listener is deaf while a
//! server is away or silent for a second, another one takes over, or the cluster's map changes.
//!
//! # The feed
//!
//! [`Registry::watch`](cloakroom_store::Registry::watch) reads the stream `cloakroom:{meta}:feed`, whose
//! entries `redis-cli XRANGE` shows. On one server the script that ends a session writes its entry in the
//! same step. In a cluster the stream is on another server: the entry goes first, which costs an ending
//! two commands more (one that reads and `XADD`) and a login with a limit three. It keeps a day, and
//! 36,500 entries at most; a reader from before that, or of a server that lost what it had told, learns
//! that it missed something.
//!
//! # For the operator
//!
//! Redis 7.0 or newer, or Valkey. What this means:
//!
//! | server | |
//! |---|---|
//! | Redis 7.0 (Debian 12) | tested with every change, in all three topologies |
//! | Valkey 9.1 | passes the same tests, but those over TLS, which that build lacked: `CLOAKROOM_REDIS_SERVER=/path/valkey-server cargo test -p cloakroom-redis` |
//! | Redis 7.2 to 8, Valkey 7.2 to 9.0 | expected to work, and not tried |
//!
//! Set `maxmemory-policy noeviction`: a server that evicts at random is
//! refused at the start. Beyond `maxmemory` changes are refused, and sessions still end.
//!
//! A session is text; `redis-cli --raw GET cloakroom:{1f2e}:<digest>` shows seven lines:
//!
//! | line | holds |
//! |---|---|
//! | 1 | `S1`, version, created, seen, idle deadline, absolute deadline, remembered until (or 0), id, tag, unseen |
//! | 2 | the user |
//! | 3 | digests of older keys that forward to it |
//! | 4 | factors, authenticated at, remembered until |
//! | 5 | the browser |
//! | 6 | names and lengths of the fields |
//! | 7 | the data: one JSON object |
//!
//! Times are milliseconds since 1970 UTC. `cloakroom:{1f2e}:ids` leads from the ids of a route to
//! digests, `..:due` and `..:ended` say what a sweep looks at. End sessions with the store's verbs, not
//! with `DEL`. An ACL user needs no more than:
//!
//! ```text
//! ~cloakroom:* +get +mget +set +setbit +exists +del +pttl +pexpire +hget +hset +hdel +hexists +hgetall
//! +zadd +zrem +zcard +zcount +zpopmin +zscore +zrangebyscore +evalsha +script|load +info +time +wait
//! +xadd +xdel +xlen +xrange +xinfo|stream +ping +hello +auth +select +config|get +cluster|slots
//! +cluster|nodes
//! ```
//!
//! and `+waitaof` where changes are confirmed on disk, and `+client|tracking` where a cache listens.
//! Without `+config|get` the store assumes that the append-only file is synced once a second.

mod arguments;
mod call;
mod config;
mod confirm;
mod dial;
mod dice;
mod ears;
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
mod sentinels;
mod store;
mod values;
mod verbs;
mod welcome;

pub use config::RedisConfig;
pub use store::{Failovers, RedisStore};
