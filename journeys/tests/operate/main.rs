//! The pages for operators: every command that they show runs here, and what they show of its
//! output is what it prints.
//!
//! The blocks of a page are one shell, in an empty folder with the examples in it. The ports that a page
//! shows stand for free ones. `cargo` does nothing there, since the test has built what is needed.
//! `CLOAKROOM_BLESS=1` writes what was printed into the pages.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

mod page;

use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::process::free_port;
use cloakroom_journeys::program;
use cloakroom_journeys::redis::Sentinels;
use page::Page;

/// nginx, Redis and the shops of `examples/cluster`, as the pages show them.
const CLUSTER: [u16; 5] = [8080, 6390, 8081, 8082, 8083];

/// Runs a page that uses the cluster.
fn run_on_a_cluster(path: &str) {
    let shop = program::build("shop").unwrap();
    let folder = Folder::new("operate").unwrap();
    let mut page = Page::read(path);
    let free = CLUSTER.map(|shown| {
        let port = free_port().unwrap();
        page.stands_for(shown, port);
        port.to_string()
    });
    let shop = shop.display().to_string();
    let ports = free.join(" ");
    page.run(&folder, &[("CLUSTER_SHOP", &shop), ("CLUSTER_PORTS", &ports)], &CLUSTER_ENDS);
}

/// Whatever became of the commands, nothing stays behind.
const CLUSTER_ENDS: [&str; 2] = ["examples/cluster/cluster.sh", "stop"];

#[test]
fn the_page_of_the_cluster_does_what_it_shows() {
    run_on_a_cluster("examples/cluster/README.md");
}

#[test]
fn the_page_about_outages_does_what_it_shows() {
    run_on_a_cluster("docs/operate/outage.md");
}

#[test]
fn the_page_about_capacity_does_what_it_shows() {
    run_on_a_cluster("docs/operate/capacity.md");
}

#[test]
fn the_page_about_failover_does_what_it_shows() {
    let settings = [("appendonly", "yes"), ("maxmemory-policy", "noeviction")];
    let trio = Sentinels::start(&settings).unwrap();
    let mut page = Page::read("docs/operate/failover.md");
    page.stands_for(26379, trio.addresses().first().unwrap().port());
    page.stands_for(6379, trio.primary().unwrap().port());
    page.run(&Folder::new("operate").unwrap(), &[], &[]);
}

#[test]
fn the_page_about_affinity_does_what_it_shows() {
    let page = Page::read("docs/operate/affinity.md");
    page.run(&Folder::new("operate").unwrap(), &[], &[]);
}

#[test]
fn every_page_for_operators_is_in_the_index() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operate");
    let index = std::fs::read_to_string(format!("{folder}/README.md")).unwrap();
    for page in std::fs::read_dir(folder).unwrap() {
        let name = page.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || index.contains(&format!("({name})")), "{name}");
    }
}
