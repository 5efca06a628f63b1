//! Three shops behind nginx over one Redis: `examples/cluster/cluster.sh`.

use crate::visitor::{Seen, Visitor};
use cloakroom_journeys::deadline::poll;
use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::process::free_port;
use cloakroom_journeys::program;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Eight visitors, each with ten requests a second at most.
const VISITORS: usize = 8;
const PACE: Duration = Duration::from_millis(100);

/// A cluster that ends with its test.
struct Cluster {
    folder: Folder,
    shop: PathBuf,
    ports: Vec<u16>,
}

impl Cluster {
    fn start() -> Self {
        let shop = program::build("shop").unwrap();
        let ports = (0..5).map(|_| free_port().unwrap()).collect();
        let cluster = Self { folder: Folder::new("cluster").unwrap(), shop, ports };
        let printed = cluster.run(&["start"]);
        assert_eq!(printed.trim(), format!("http://localhost:{}/", cluster.ports[0]));
        cluster
    }

    /// Runs the script of the example, as its page shows.
    fn run(&self, words: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/cluster/cluster.sh");
        let ports: Vec<_> = self.ports.iter().map(u16::to_string).collect();
        // Files, and not pipes: what the script starts would keep a pipe open.
        let [out, error] = ["out", "error"].map(|name| self.folder.join(name));
        let [to_out, to_error] = [&out, &error].map(|path| std::fs::File::create(path).unwrap());
        let done = Command::new("sh")
            .arg(script)
            .args(words)
            .env("CLUSTER_DIR", self.folder.path())
            .env("CLUSTER_SHOP", &self.shop)
            .env("CLUSTER_PORTS", ports.join(" "))
            .stdout(to_out)
            .stderr(to_error)
            .status()
            .unwrap();
        let [out, error] = [out, error].map(|path| std::fs::read_to_string(path).unwrap());
        assert!(done.success(), "cluster.sh {words:?}: {error}{}", self.logs());
        out
    }

    fn front(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.ports[0]))
    }

    /// The shops as nginx names them.
    fn shops(&self) -> Vec<String> {
        self.ports[2..].iter().map(|port| format!("127.0.0.1:{port}")).collect()
    }

    /// The end of what the shops logged.
    fn logs(&self) -> String {
        let log = |n: u8| std::fs::read_to_string(self.folder.join(format!("shop-{n}.log")));
        let logs: Vec<_> = (1..=3).filter_map(|n| log(n).ok()).collect();
        logs.join("\n--\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("{}", self.logs());
        }
        self.run(&["stop"]);
    }
}

/// Visitors who look around and fill their carts until they are told to stop.
struct Load {
    running: std::sync::Arc<AtomicBool>,
    visitors: Vec<JoinHandle<Visitor>>,
}

impl Load {
    fn start(cluster: &Cluster) -> Self {
        let running = std::sync::Arc::new(AtomicBool::new(true));
        let visitor = |number: usize| {
            let mut visitor = Visitor::new(cluster.front(), None);
            visitor.sign_up(&format!("visitor{number}"));
            let running = std::sync::Arc::clone(&running);
            thread::spawn(move || {
                for turn in 0usize.. {
                    if !running.load(Ordering::Relaxed) {
                        break;
                    }
                    if (turn + number).is_multiple_of(3) {
                        visitor.add()
                    } else {
                        visitor.look();
                    }
                    thread::sleep(PACE);
                }
                visitor
            })
        };
        let visitors = (0..VISITORS).map(visitor).collect();
        Self { running, visitors }
    }

    /// Lets the visitors come to their end, and compares what is in their carts with what they were
    /// promised.
    fn finish(self) -> Seen {
        self.running.store(false, Ordering::Relaxed);
        let mut seen = Seen::default();
        for visitor in self.visitors {
            let mut visitor = visitor.join().unwrap();
            assert!(visitor.look(), "a visitor was signed out");
            let (least, most) = (visitor.acknowledged, visitor.asked);
            let count = visitor.cart();
            assert!((least..=most).contains(&count), "{count} of {least} to {most} coats");
            seen.add(visitor.seen);
        }
        println!("{seen:?}");
        seen
    }
}

#[test]
fn a_session_works_on_each_of_three_processes() {
    let cluster = Cluster::start();
    let mut visitor = Visitor::new(cluster.front(), None);
    visitor.sign_up("ada");

    for _ in 0..3 {
        assert!(visitor.look());
        visitor.add();
    }

    // Three looks and three additions in turn: each shop has answered, nobody but them, and each of
    // them saw the cart that the others filled.
    assert_eq!(visitor.cart(), 3);
    let servers: Vec<_> = visitor.seen.servers.keys().cloned().collect();
    let mut shops = cluster.shops();
    shops.sort();
    assert_eq!(servers, shops);
    assert!(visitor.seen.servers.values().all(|count| *count >= 2), "{:?}", visitor.seen.servers);
    visitor.sign_out();
    assert!((0..3).all(|_| !visitor.look()), "signed out everywhere");
}

#[test]
fn one_process_is_killed_and_nobody_is_signed_out() {
    let cluster = Cluster::start();
    let load = Load::start(&cluster);
    thread::sleep(Duration::from_secs(1));

    for n in ["1", "2", "3"] {
        cluster.run(&["kill", n]);
        thread::sleep(Duration::from_millis(500));
        cluster.run(&["run", n]);
    }

    thread::sleep(Duration::from_millis(500));
    let seen = load.finish();
    assert_eq!(seen.signed_out, 0);
    // A change that was on its way to the shop that was killed is not sent again: 502. Whatever may
    // be sent again, was.
    let unsafe_only = |(method, status, _): &(&str, u16, u32)| (*method, *status) == ("POST", 502);
    assert!(seen.troubles().iter().all(unsafe_only), "{:?}", seen.troubles());
    assert!(seen.troubles().iter().map(|(.., count)| count).sum::<u32>() <= 3 * 8);
}

#[test]
fn a_rolling_restart_under_load_is_not_noticed() {
    let cluster = Cluster::start();
    let load = Load::start(&cluster);
    thread::sleep(Duration::from_millis(500));

    cluster.run(&["restart"]);

    thread::sleep(Duration::from_millis(500));
    let seen = load.finish();
    assert_eq!((seen.signed_out, seen.troubles()), (0, vec![]));
    assert!(cluster.shops().iter().all(|shop| seen.servers.contains_key(shop)));
}

#[test]
fn a_request_under_way_is_answered_before_its_process_ends() {
    let cluster = Cluster::start();
    let mut visitor = Visitor::new(cluster.front(), None);
    visitor.sign_up("ada");
    let form = "product=coat";
    let head = format!(
        "POST /cart/add HTTP/1.1\r\nHost: shop\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Expect: 100-continue\r\nCookie: __Host-Http-session={}\r\n\r\n",
        form.len(),
        visitor.ticket().unwrap()
    );
    let address: SocketAddr = cluster.shops()[0].parse().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut begun = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut begun).unwrap();
    assert!(begun.starts_with(b"HTTP/1.1 100"), "the handler waits for the body");

    let pid = std::fs::read_to_string(cluster.folder.join("shop-1.pid")).unwrap();
    let told = Command::new("sh").args(["-c", "kill -TERM $0", pid.trim()]).status().unwrap();
    assert!(told.success());
    let refused = || TcpStream::connect(address).err();
    poll("the end of new connections", Duration::from_secs(10), refused).unwrap();
    stream.write_all(form.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();

    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert_eq!(visitor.cart(), 1);
    cluster.run(&["run", "1"]);
}
