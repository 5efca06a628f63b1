//! Connections over TLS.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what a test relies on fails the test")]

mod support;

use std::path::Path;
use std::process::Command;

use cloakroom_store::Load;
use support::desk::{has, load};
use support::server::{Folder, Server, free_port};
use support::{config, connect};

fn openssl(folder: &Path, line: &str) {
    let made = Command::new("openssl")
        .current_dir(folder)
        .args(line.split(' '))
        .output()
        .expect("openssl is there: apt-get install openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// An authority and a certificate for 127.0.0.1 that it signed.
fn certificates() -> Folder {
    let folder = Folder::new();
    let there = folder.path();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30";
    openssl(there, &format!("req -x509 {key} -subj /CN=authority -keyout ca.key -out ca.pem"));
    openssl(there, &format!("req {key} -subj /CN=server -keyout server.key -out server.csr"));
    std::fs::write(there.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        there,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
         -extfile names -out server.pem",
    );
    folder
}

#[test]
fn a_server_is_spoken_to_over_tls_if_its_authority_is_known() {
    let folder = certificates();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (port, ca) = (free_port(), file("ca.pem"));
    let (certificate, secret) = (file("server.pem"), file("server.key"));
    let tls = port.to_string();
    let options = ["--tls-port", &tls, "--tls-cert-file", &certificate, "--tls-key-file", &secret];
    let others = ["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no", "--save", ""];
    let _server = Server::start(&[&options[..], &others[..]].concat());

    let store = connect(config(&format!("rediss://127.0.0.1:{port}?ca={ca}"))).unwrap();
    let session = has(&store, None, 1);
    let stranger = connect(config(&format!("rediss://127.0.0.1:{port}")));
    let plain = connect(config(&format!("redis://127.0.0.1:{port}")));

    assert!(matches!(load(&store, &session), Load::Live(_)));
    assert!(stranger.is_err(), "a certificate of nobody we know was believed");
    assert!(plain.is_err(), "the port takes TLS alone");
}
