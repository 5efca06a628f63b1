//! Encrypted connections, and ends that do not prove who they are.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod server;

use std::fs;

use cloakroom_journeys::certificate::Certificate;
use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::postgres::Postgres;
use cloakroom_postgres::PostgresConfig;
use cloakroom_store::StoreErrorKind;
use server::open;
use server::people::{create, is_live};

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
    let plain = open(encrypted().trust(&pem(&ours)).unwrap()).unwrap_err();
    assert_eq!(plain.kind(), StoreErrorKind::Unavailable, "it does not go on in clear: {plain}");

    postgres.encrypt(&ours).unwrap();

    let store = open(encrypted().trust(&pem(&ours)).unwrap()).unwrap();
    create(&store, 1).unwrap();
    assert!(is_live(&store, 1));
    let clear = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
        WHERE application_name = 'cloakroom' AND NOT ssl";
    assert_eq!(postgres.sql(clear).unwrap(), "0");
    let unknown = open(encrypted().trust(&pem(&theirs)).unwrap()).unwrap_err();
    assert!(unknown.to_string().contains("certificate"), "{unknown}");
    let elsewhere = url.replace("localhost", "127.0.0.2");
    let elsewhere: PostgresConfig = format!("{elsewhere}?sslmode=verify-full").parse().unwrap();
    assert!(open(elsewhere.trust(&pem(&ours)).unwrap()).is_err());
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
