//! Stores that live in one process or on one machine: each visitor stays at one shop, by the
//! recipes of `examples/cluster/affinity`.

use crate::visitor::Visitor;
use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::haproxy::Haproxy;
use cloakroom_journeys::nginx::Nginx;
use cloakroom_journeys::process::{Ready, Server, free_port};
use cloakroom_journeys::program;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

const NGINX: &str = include_str!("../../../examples/cluster/affinity/nginx.conf");
const HAPROXY: &str = include_str!("../../../examples/cluster/affinity/haproxy.cfg");

/// Enough that each shop has some of them: one without any is a chance of one in forty thousand.
const VISITORS: usize = 30;

/// Three shops that share accounts and no sessions.
struct Shops {
    program: PathBuf,
    folder: Folder,
    store: fn(&Folder, usize) -> String,
    ports: Vec<u16>,
    running: Vec<Option<Server>>,
}

impl Shops {
    fn open(store: fn(&Folder, usize) -> String) -> Self {
        let ports: Vec<_> = (0..3).map(|_| free_port().unwrap()).collect();
        let program = program::build("shop").unwrap();
        let folder = Folder::new("shops").unwrap();
        let mut shops = Self { program, folder, store, ports, running: vec![None, None, None] };
        (0..3).for_each(|number| shops.start(number));
        shops
    }

    fn start(&mut self, number: usize) {
        let mut command = Command::new(&self.program);
        command.args(["--addr", &format!("127.0.0.1:{}", self.ports[number])]);
        command.args(["--store", &(self.store)(&self.folder, number)]);
        command.arg("--accounts").arg(self.folder.join("accounts"));
        self.running[number] = Some(Server::spawn(command, Ready::printed_address()).unwrap());
    }

    fn kill(&mut self, number: usize) {
        self.running[number].take().unwrap().kill_hard().unwrap();
    }

    /// A configuration with the ports of this test instead of those of the example.
    fn configured(&self, configuration: &str, front: u16) -> String {
        let ports = [8081, 8082, 8083].into_iter().zip(&self.ports);
        ports.chain([(8080, &front)]).fold(configuration.to_owned(), |text, (shown, port)| {
            assert!(text.contains(&format!(":{shown}")));
            text.replace(&format!(":{shown}"), &format!(":{port}"))
        })
    }
}

fn in_files(folder: &Folder, number: usize) -> String {
    format!("sqlite:{}", folder.join(format!("shop-{number}.db")).display())
}

fn in_memory(_: &Folder, _: usize) -> String {
    "memory:".to_owned()
}

/// Visitors who look around first, and then make an account; each with the shop they are at.
fn visitors(front: SocketAddr, cookie: &'static str) -> Vec<(String, Visitor)> {
    let visitor = |number| {
        let mut visitor = Visitor::new(front, Some(cookie));
        let shop = visitor.server();
        visitor.sign_up(&format!("visitor{number}"));
        visitor.add();
        (shop, visitor)
    };
    (0..VISITORS).map(visitor).collect()
}

/// Everybody stays at one shop, whatever they do, and every shop has somebody.
fn everybody_stays(visitors: &mut [(String, Visitor)]) {
    for (number, (shop, visitor)) in visitors.iter_mut().enumerate() {
        let (ticket, browser) = (visitor.ticket().cloned(), visitor.affinity().cloned());
        assert!(visitor.look() && visitor.cart() == 1);
        visitor.sign_out();
        visitor.sign_in(&format!("visitor{number}"));
        visitor.add();
        assert!(visitor.look());
        assert_ne!(visitor.ticket(), ticket.as_ref(), "a sign-in changes the ticket");
        assert_eq!(visitor.affinity(), browser.as_ref(), "and not the proxy's cookie");
        assert!(browser.is_some());
        assert_eq!(visitor.seen.servers.keys().collect::<Vec<_>>(), [&*shop]);
        assert_eq!(visitor.seen.troubles(), []);
    }
    let shops: BTreeSet<_> = visitors.iter().map(|(shop, _)| shop).collect();
    assert_eq!(shops.len(), 3, "{shops:?}");
}

/// Kills the first shop: those who were there have to sign in again, and nobody else notices.
/// Gives those who were there.
fn one_shop_dies(
    shops: &mut Shops,
    visitors: Vec<(String, Visitor)>,
    first: &str,
) -> Vec<(usize, Visitor)> {
    shops.kill(0);
    let mut moved = Vec::new();
    for (number, (shop, mut visitor)) in visitors.into_iter().enumerate() {
        assert_eq!(visitor.look(), shop != first, "{shop}");
        if shop == first {
            visitor.sign_in(&format!("visitor{number}"));
            assert!((0..3).all(|_| visitor.look()));
            moved.push((number, visitor));
        }
    }
    assert!(!moved.is_empty());
    moved
}

#[test]
fn nginx_keeps_each_browser_at_one_shop() {
    let mut shops = Shops::open(in_files);
    let port = free_port().unwrap();
    let front = Nginx::configured(&shops.configured(NGINX, port), port).unwrap();
    let mut all = visitors(front.address(), "__Host-browser");

    everybody_stays(&mut all);

    let first = format!("127.0.0.1:{}", shops.ports[0]);
    let mut moved = one_shop_dies(&mut shops, all, &first);
    // The limit of a hash: who was there before is there again, and the session is elsewhere.
    shops.start(0);
    for (number, visitor) in &mut moved {
        assert!(!visitor.look());
        visitor.sign_in(&format!("visitor{number}"));
        assert!((0..3).all(|_| visitor.look()));
        assert_eq!(visitor.server(), first);
    }
}

#[test]
fn haproxy_keeps_each_browser_at_one_shop() {
    let mut shops = Shops::open(in_memory);
    let port = free_port().unwrap();
    let front = Haproxy::configured(&shops.configured(HAPROXY, port), port).unwrap();
    let mut all = visitors(front.address(), "__Host-shop");

    everybody_stays(&mut all);

    let mut moved = one_shop_dies(&mut shops, all, "a");
    // The cookie names the shop, so whoever went to another one stays there.
    shops.start(0);
    for (_, visitor) in &mut moved {
        let shop = visitor.server();
        assert_ne!(shop, "a");
        assert!((0..3).all(|_| visitor.look() && visitor.server() == shop));
    }
}

#[test]
fn the_proxies_cookies_are_whole() {
    let shops = Shops::open(in_memory);
    let [port, other] = [(); 2].map(|()| free_port().unwrap());
    let nginx = Nginx::configured(&shops.configured(NGINX, port), port).unwrap();
    let haproxy = Haproxy::configured(&shops.configured(HAPROXY, other), other).unwrap();

    for (front, name) in [(nginx.address(), "__Host-browser"), (haproxy.address(), "__Host-shop")] {
        let answer = Visitor::new(front, None).ask("GET", "/style.css", "").unwrap();
        let lines: Vec<_> = answer.header_texts("Set-Cookie").collect();
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        let mut attributes: Vec<_> =
            line.split(';').skip(1).map(|part| part.trim().to_lowercase()).collect();
        attributes.sort();
        assert!(line.starts_with(&format!("{name}=")), "{line}");
        assert_eq!(attributes, ["httponly", "path=/", "samesite=none", "secure"]);
    }
}

/// What the recipe is there for.
#[test]
fn a_hash_of_the_sessions_own_cookie_signs_people_out_at_the_sign_in() {
    let shops = Shops::open(in_memory);
    let port = free_port().unwrap();
    let naive = NGINX.replace("__Host-browser=([0-9a-f]{32})", "__Host-Http-session=([^;]+)");
    let naive = naive.replace("\"\" $request_id;\n    default $told;", "default $told;");
    assert_ne!(naive, NGINX);
    let front = Nginx::configured(&shops.configured(&naive, port), port).unwrap();

    let mut signed_out = 0;
    for number in 0..VISITORS {
        let mut visitor = Visitor::new(front.address(), None);
        visitor.sign_up(&format!("visitor{number}"));
        signed_out += u32::from(!visitor.look());
    }

    println!("{signed_out} of {VISITORS} were signed out by their own sign-in");
    assert!(signed_out > 0);
}
