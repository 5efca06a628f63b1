#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use cloakroom_journeys::postgres::Shared;
use cloakroom_store::{
    Cursor, Draft, Ending, Identity, Key, Load, Ops, Registry as _, SessionId, Store as _, Target,
    Times, Timestamp,
};

use super::*;
use crate::{PostgresConfig, PostgresStore};

#[test]
fn a_schema_name_needs_no_quotes() {
    for name in ["cloakroom", "_a", "a1", &"s".repeat(63)] {
        assert!(Schema::new(name).is_ok(), "{name}");
    }
    let bad = ["", "1a", "A", "a-b", "a.b", "a\"b", "pg_a", "information_schema"];
    for name in bad.into_iter().chain([&*"s".repeat(64)]) {
        assert!(Schema::new(name).is_err(), "{name}");
    }
}

#[test]
fn every_placeholder_of_the_sql_is_filled_in() {
    for step in STEPS {
        let sql = Schema::new("other").unwrap().sql(step);

        assert!(!sql.contains('@') && !sql.contains("cloakroom."), "{sql}");
    }
}

/// What a release left that knew the first `version` steps alone, with one session.
async fn left_by(version: usize, name: &str, key: &Key) -> PostgresConfig {
    let schema = Schema::new(name).unwrap();
    let config: PostgresConfig = Shared::get().unwrap().url().parse().unwrap();
    let (client, driver) = crate::dial::open(&config).await.unwrap();
    tokio::spawn(driver);
    client.batch_execute(&steps(0, version, &schema)).await.unwrap();
    let sql = schema.sql(
        "SELECT * FROM cloakroom.create_session($1, $2, NULL, 0, NULL, NULL, 1, 1, 1000, 1000, \
         NULL, '{}', NULL, false, 1)",
    );
    client.query(&sql, &[&key.as_bytes().as_slice(), &[7_u8; 18].as_slice()]).await.unwrap();
    config.schema(name).unwrap().connections(1).unwrap()
}

#[tokio::test]
async fn a_schema_of_every_older_version_becomes_the_newest_and_keeps_its_sessions() {
    let at = Timestamp::from_millis;
    for version in 1..=STEPS.len() {
        let (name, key) =
            (format!("from_{version}_{}", std::process::id()), Key::from_bytes([7; 32]));
        let config = left_by(version, &name, &key).await;

        let store = PostgresStore::connect(config).await.unwrap();

        let loads = store.load(&[key], at(10)).await.unwrap();
        assert!(matches!(loads.iter().next(), Some(Load::Live(_))), "version {version}: {loads:?}");
        let times = Times {
            created: at(10),
            seen: at(10),
            idle_deadline: at(100),
            absolute_deadline: at(100),
        };
        let draft = Draft {
            id: SessionId::from_bytes([8; 18]),
            identity: Identity::anonymous(),
            times,
            client: Default::default(),
            ops: Ops::new(),
        };
        store.create(&Key::from_bytes([8; 32]), draft, None, at(10)).await.unwrap();
        let start = store.watch(Cursor::NEWEST, 1, at(10)).await.unwrap().next;
        store.end(Target::Key(key), Ending::LOGOUT, at(11)).await.unwrap();
        let told = store.watch(start, 1, at(11)).await.unwrap();
        assert_eq!((told.notices.len(), told.lost), (1, false), "version {version}: {told:?}");
        let found =
            Shared::get().unwrap().sql(&format!("SELECT version FROM {name}.schema_version"));
        assert_eq!(found.unwrap(), STEPS.len().to_string());
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn whoever_could_use_the_older_tables_can_use_the_newer_ones() {
    let (server, name) = (Shared::get().unwrap(), format!("granted_{}", std::process::id()));
    let role = format!("clerk_{name}");
    let config = left_by(1, &name, &Key::from_bytes([7; 32])).await;
    let grants = crate::GRANTS.replace("cloakroom", &name).replace("shop", &role);
    server.sql(&format!("CREATE ROLE {role}; {grants}")).unwrap();

    PostgresStore::connect(config).await.unwrap().close().await.unwrap();

    let may = |what: &str| {
        let asked = format!("SELECT has_table_privilege('{role}', '{name}.feed', '{what}')");
        server.sql(&asked).unwrap()
    };
    let may = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"].map(may);
    assert_eq!(may, ["t", "t", "t", "t", "f"]);
}
