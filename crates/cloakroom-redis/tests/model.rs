//! Random scripts beside a plain model, and what threads are told of one session at once; bare, behind
//! the near cache, and behind the near caches of two processes.
#![allow(clippy::print_stdout, reason = "figures, and the seed that repeats a failure")]

mod support;

use cloakroom_conformance::history::{Figures, Volume};
use cloakroom_conformance::{Fixture, history, model, near};
use cloakroom_memory::NearCache;
use support::groups::Cluster;
use support::server::Server;
use support::{Paired, Prefixed};

fn is_long() -> bool {
    std::env::var_os("CLOAKROOM_LONG").is_some()
}

fn seed() -> u64 {
    let seed = model::seed();
    println!("CLOAKROOM_SEED={seed}");
    seed
}

fn check(fixture: &impl Fixture, scripts: u32, seed: u64) {
    let figures = model::check(fixture, scripts, seed);

    println!("{} scripts, {} verbs", figures.scripts, figures.verbs);
}

fn check_all(url: String) {
    let (url, seed) = (&*url.leak(), seed());
    check(&Prefixed(url), if is_long() { 20_000 } else { 300 }, seed);

    let near = near::behind(Prefixed(url), NearCache::new);
    check(&near, if is_long() { 5_000 } else { 80 }, seed);

    let near = near::neighbours(Paired::at(url), NearCache::new, seed);
    check(&near, if is_long() { 5_000 } else { 80 }, seed);
}

fn judge(figures: Figures) {
    println!("{figures:?}");
    assert_eq!(figures.unanswered, 0, "what has no answer explains itself");
    assert!(figures.overlapping > 0, "nothing happened at once");
}

fn judge_all(url: String) {
    let (url, seed) = (&*url.leak(), seed());
    let volume = Volume { sessions: if is_long() { 5_000 } else { 100 }, threads: 4, calls: 12 };
    judge(history::check(&Prefixed(url), volume, seed));

    let near = near::behind(Prefixed(url), NearCache::new);
    judge(history::check(&near, volume, seed));

    let near = near::neighbours(Paired::at(url), NearCache::new, seed);
    judge(history::check_neighbours(&near, volume, seed));
}

#[test]
fn random_scripts_bare_and_behind_near_caches_come_out_as_the_model_says() {
    let server = Server::start(&["--save", ""]);

    check_all(server.url());
}

#[test]
fn random_scripts_on_a_cluster_bare_and_behind_near_caches_come_out_as_the_model_says() {
    let cluster = Cluster::start();

    check_all(cluster.url());
}

#[test]
fn what_threads_are_told_bare_and_behind_near_caches_one_client_could_have_been_told() {
    let server = Server::start(&["--save", ""]);

    judge_all(server.url());
}

#[test]
fn what_threads_are_told_by_a_cluster_bare_and_behind_near_caches_one_client_could_have_been_told()
{
    let cluster = Cluster::start();

    judge_all(cluster.url());
}
