//! The shop in a real browser, once on localhost and once over TLS behind a reverse proxy.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use cloakroom_journeys::chrome::{Browser, Context, Options, Page};
use cloakroom_journeys::folder::Folder;
use cloakroom_journeys::nginx::Nginx;
use cloakroom_journeys::process::{Ready, Server};
use cloakroom_journeys::program;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const COOKIE: &str = "__Host-Http-session";
const PASSWORD: &str = "correct horse battery";

#[test]
fn the_shop_works_on_localhost() {
    let mut shop = Shop::open();
    let browser = Browser::launch(&Options::new()).unwrap();
    let origin = format!("http://localhost:{}", shop.server.port());

    walk_through(&browser, &origin, "localhost", &mut shop);
}

#[test]
fn the_shop_works_over_tls_behind_a_reverse_proxy() {
    let mut shop = Shop::open();
    let front = Nginx::tls_front(shop.server.port(), "shop.test").unwrap();
    let browser = Browser::launch(&Options::new().trust(front.key_hash())).unwrap();
    let origin = front.url("");

    walk_through(&browser, &origin, "shop.test", &mut shop);
}

/// A running shop that can be started again on the same files and port.
struct Shop {
    server: Server,
    program: PathBuf,
    folder: Folder,
}

impl Shop {
    fn open() -> Self {
        let program = program::build("shop").unwrap();
        let folder = Folder::new("shop").unwrap();
        let server = Self::start(&program, &folder, 0);
        Self { server, program, folder }
    }

    fn restart(&mut self) {
        self.server.terminate().unwrap();
        let status = self.server.wait(20 * SECOND).unwrap();
        assert!(status.success(), "{status}: {}", self.server.output());
        self.server = Self::start(&self.program, &self.folder, self.server.port());
    }

    fn start(program: &PathBuf, folder: &Folder, port: u16) -> Server {
        let mut command = Command::new(program);
        command.args(["--addr", &format!("127.0.0.1:{port}")]);
        command.arg("--store").arg(format!("sqlite:{}", folder.join("shop.db").display()));
        Server::spawn(command, Ready::printed_address()).unwrap()
    }
}

fn walk_through(browser: &Browser, origin: &str, host: &str, shop: &mut Shop) {
    let [ada, bob, carol] = [(); 3].map(|()| browser.context().unwrap());
    let page = ada.page().unwrap();

    signs_up(&page, origin);
    holds_a_ticket_that_scripts_cannot_see(&ada, &page, host);
    parallel_clicks_all_count(&page, origin);
    stays_signed_in_when_the_shop_restarts(&page, origin, shop);
    a_sign_out_reaches_the_other_tab_and_the_way_back(&ada, &page, origin);
    works_without_scripts(&bob, origin);
    reads_during_a_sign_in_sign_nobody_out(&carol, origin);
    assert_eq!(page.complaints(), [""; 0]);
}

fn signs_up(page: &Page, origin: &str) {
    page.goto(&format!("{origin}/sign-up")).unwrap();
    page.fill("[name=name]", "ada").unwrap();
    page.fill("[name=password]", PASSWORD).unwrap();
    let home = page.submit("#sign-up-form").unwrap();

    assert_eq!((home.url, home.status), (format!("{origin}/"), Some(200)));
    assert_eq!(page.text("#user").unwrap(), "ada");
}

fn holds_a_ticket_that_scripts_cannot_see(ada: &Context, page: &Page, host: &str) {
    let cookies = ada.cookies().unwrap();
    let [cookie] = cookies.as_slice() else { panic!("{cookies:?}") };

    assert_eq!((cookie.name.as_str(), cookie.path.as_str()), (COOKIE, "/"));
    // Chromium puts a dot in front of a domain that the server named.
    assert_eq!(cookie.domain, host);
    assert!(cookie.secure && cookie.http_only && cookie.session && cookie.expires.is_none());
    assert_eq!(cookie.same_site.as_deref(), Some("Lax"));
    assert_eq!(page.eval("document.cookie").unwrap(), "");
    assert!(page.blocked_cookies().is_empty(), "{:?}", page.blocked_cookies());
}

fn parallel_clicks_all_count(page: &Page, origin: &str) {
    let clicks = "Promise.all(Array.from({ length: 20 }, async () => {
        const body = new URLSearchParams({ product: 'hat' });
        return (await fetch('/cart/add', { method: 'POST', body })).ok;
    })).then((all) => all.filter(Boolean).length)";
    assert_eq!(page.eval(clicks).unwrap(), 20);
    for _ in 0..3 {
        page.press("#coat button").unwrap();
    }
    let shows = |count: u32| format!("document.querySelector('#cart-count').innerText == {count}");
    page.wait_for(&shows(23), 20 * SECOND).unwrap();

    page.goto(&format!("{origin}/cart")).unwrap();

    assert_eq!(page.text("h1").unwrap(), "23 things in your cart");
    assert_eq!(
        page.eval("document.querySelector('[data-product=hat] .count').value").unwrap(),
        "20"
    );
}

fn stays_signed_in_when_the_shop_restarts(page: &Page, origin: &str, shop: &mut Shop) {
    shop.restart();
    page.goto(&format!("{origin}/")).unwrap();

    assert_eq!(page.text("#user").unwrap(), "ada");
    assert_eq!(page.text("#cart-count").unwrap(), "23");
}

fn a_sign_out_reaches_the_other_tab_and_the_way_back(ada: &Context, page: &Page, origin: &str) {
    let tab = ada.page().unwrap();
    for one in [&tab, page] {
        one.goto(&format!("{origin}/account")).unwrap();
        assert!(one.text("[data-here]").unwrap().contains("This browser"));
    }
    page.submit("#sign-out").unwrap();
    assert!(page.has("#sign-in").unwrap());

    let reloaded = tab.reload().unwrap();
    let back = page.back().unwrap();

    assert!(!back.restored);
    for visit in [reloaded, back] {
        assert_eq!(visit.url, format!("{origin}/sign-in?next=/account"));
    }
    for one in [&tab, page] {
        assert!(!one.has("#sign-out").unwrap() && !one.has("[data-session]").unwrap());
    }
}

fn works_without_scripts(bob: &Context, origin: &str) {
    let page = bob.page().unwrap();
    page.disable_javascript().unwrap();
    page.goto(&format!("{origin}/")).unwrap();
    page.click("#scarf button").unwrap();
    page.click("#sign-in").unwrap();
    page.click("#to-sign-up").unwrap();
    page.fill("[name=name]", "bob").unwrap();
    page.fill("[name=password]", PASSWORD).unwrap();
    page.submit("#sign-up-form").unwrap();
    let added = page.click("#umbrella button").unwrap();

    assert_eq!(added.url, format!("{origin}/"));
    assert_eq!(page.text("#user").unwrap(), "bob");
    assert_eq!(page.text("#cart-count").unwrap(), "2");
}

/// A browser that already holds a ticket fires twenty reads and the sign-in at once. Whatever the
/// order of the answers, none of the reads may take the new ticket away.
fn reads_during_a_sign_in_sign_nobody_out(carol: &Context, origin: &str) {
    let page = carol.page().unwrap();
    page.goto(&format!("{origin}/preferences")).unwrap();
    page.press("[value=dark]").unwrap();
    page.submit("#preferences").unwrap();
    assert!(carol.cookie(COOKIE).unwrap().is_some());
    let rounds = format!(
        "(async () => {{
           const post = (path, form) => fetch(path, {{ method: 'POST', body: new URLSearchParams(form) }});
           for (let round = 1; round <= 5; round++) {{
             const reads = Array.from({{ length: 20 }}, () => fetch('/'));
             const signIn = post('/sign-in', {{ name: 'bob', password: '{PASSWORD}' }});
             await Promise.all([signIn, ...reads]);
             const home = await (await fetch('/')).text();
             if (!home.includes('id=\"sign-out\"')) return 'signed out in round ' + round;
             await post('/sign-out', {{}});
           }}
           return 'signed in each time';
         }})()"
    );
    for _ in 0..10 {
        assert_eq!(page.eval(&rounds).unwrap(), "signed in each time");
    }
    assert_eq!(page.complaints(), [""; 0]);
}
