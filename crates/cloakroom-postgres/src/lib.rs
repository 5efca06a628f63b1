//! Cloakroom sessions in PostgreSQL, for services of several machines.
//!
//! ```no_run
//! # async fn open() -> Result<(), cloakroom_store::StoreError> {
//! use cloakroom_postgres::{PostgresConfig, PostgresStore};
//! use cloakroom_store::Store as _;
//!
//! let config: PostgresConfig = "postgres://shop:secret@db.internal/shop".parse()?;
//! let store = PostgresStore::connect(config).await?;
//! // ... and when the service ends:
//! store.close().await?;
//! # Ok(())
//! # }
//! ```

mod calls;
mod config;
mod fault;
mod lines;
mod params;
mod places;
mod rows;
mod schema;
mod store;
#[cfg(feature = "tls")]
mod tls;
mod touches;
mod verbs;

pub use config::PostgresConfig;
pub use store::PostgresStore;

/// What a role `shop` needs for a store in the schema `cloakroom` whose tables another role has
/// made. To make them, on the first start and after an upgrade that changes them, a role needs
/// CREATE on the database.
pub const GRANTS: &str = "\
GRANT USAGE ON SCHEMA cloakroom TO shop;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cloakroom TO shop;
";
