//! Random scripts beside a plain model.
#![allow(clippy::print_stdout, reason = "figures, and the seed that repeats a failure")]

mod support;

use cloakroom_conformance::history::Volume;
use cloakroom_conformance::{history, model};
use support::Prefixed;
use support::groups::Cluster;
use support::server::Server;

fn is_long() -> bool {
    std::env::var_os("CLOAKROOM_LONG").is_some()
}

fn check(url: String) {
    let seed = model::seed();
    println!("CLOAKROOM_SEED={seed}");

    let figures = model::check(&Prefixed(url.leak()), if is_long() { 20_000 } else { 300 }, seed);

    println!("{} scripts, {} verbs", figures.scripts, figures.verbs);
}

fn check_histories(url: String) {
    let seed = model::seed();
    println!("CLOAKROOM_SEED={seed}");
    let volume = Volume { sessions: if is_long() { 5_000 } else { 100 }, threads: 4, calls: 12 };

    let figures = history::check(&Prefixed(url.leak()), volume, seed);

    println!("{figures:?}");
    assert_eq!(figures.unanswered, 0, "what has no answer explains itself");
    assert!(figures.overlapping > 0, "nothing happened at once");
}

#[test]
fn random_scripts_come_out_as_the_model_says() {
    let server = Server::start(&["--save", ""]);

    check(server.url());
}

#[test]
fn random_scripts_on_a_cluster_come_out_as_the_model_says() {
    let cluster = Cluster::start();

    check(cluster.url());
}

#[test]
fn what_threads_are_told_one_client_could_have_been_told() {
    let server = Server::start(&["--save", ""]);

    check_histories(server.url());
}

#[test]
fn what_threads_are_told_by_a_cluster_one_client_could_have_been_told() {
    let cluster = Cluster::start();

    check_histories(cluster.url());
}
