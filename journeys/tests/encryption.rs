//! Encrypted connections to PostgreSQL, and ends that do not prove who they are.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use std::fs;

use cloakroom_journeys::certificate::Certificate;
use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::postgres::Postgres;
use cloakroom_postgres::{PostgresConfig, PostgresStore};
use cloakroom_store::{Key, Load, Store as _, StoreError, StoreErrorKind, Timestamp};

/// What a store answers that is opened, and asked for a session that is not there.
fn ask(config: PostgresConfig) -> Result<Option<Load>, StoreError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = PostgresStore::connect(config).await?;
        let loads = store.load(&[Key::from_bytes([7; 32])], Timestamp::from_millis(1)).await?;
        store.close().await?;
        Ok(loads.into_iter().next())
    })
}

#[test]
fn a_connection_is_encrypted_and_its_other_end_known() {
    let folder = Folder::new("tls").unwrap();
    let [ours, theirs] = ["ours", "theirs"].map(|name| {
        fs::create_dir(folder.join(name)).unwrap();
        Certificate::generate(&folder.join(name), "db.test").unwrap()
    });
    let pem = |certificate: &Certificate| fs::read_to_string(&certificate.certificate).unwrap();
    let postgres = Postgres::start(&[]).unwrap();
    let url = postgres.url().replace("127.0.0.1", "localhost");
    let encrypted = || format!("{url}?sslmode=require").parse::<PostgresConfig>().unwrap();
    let plain = ask(encrypted().trust(&pem(&ours)).unwrap()).unwrap_err();
    assert_eq!(plain.kind(), StoreErrorKind::Unavailable, "it does not go on in clear: {plain}");

    postgres.encrypt(&ours).unwrap();

    let known = ask(encrypted().trust(&pem(&ours)).unwrap());
    assert_eq!(known.unwrap(), Some(Load::Gone(None)));
    let unknown = ask(encrypted().trust(&pem(&theirs)).unwrap()).unwrap_err();
    assert!(unknown.to_string().contains("certificate"), "{unknown}");
    let elsewhere = url.replace("localhost", "127.0.0.2");
    let elsewhere: PostgresConfig = format!("{elsewhere}?sslmode=verify-full").parse().unwrap();
    assert!(ask(elsewhere.trust(&pem(&ours)).unwrap()).is_err());
}

#[test]
fn what_is_no_certificate_is_refused() {
    let config = || "postgres://me@h/d?sslmode=require".parse::<PostgresConfig>().unwrap();

    for text in
        ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    {
        assert_eq!(config().trust(text).unwrap_err().kind(), StoreErrorKind::Refused, "{text}");
    }
}
