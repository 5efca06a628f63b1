//! Every target is itself: it shows the page on which people sign in.

use cloakroom_journeys::targets::{self, Target};
use cloakroom_journeys::{Failure, http};

#[test]
fn django_shows_its_page_to_sign_in() {
    shows(targets::django(), "/admin/login/", "Django administration");
}

#[test]
fn flask_login_shows_its_page_to_sign_in() {
    shows(targets::flask_login("q8Zr31LkP0vTn5YxBm2Wgk"), "/", "Sign in");
}

#[test]
fn jupyter_shows_its_page_to_sign_in() {
    shows(targets::jupyter(), "/login", "Password:");
}

#[test]
fn datasette_tells_where_its_root_user_signs_in() {
    let (target, entrance) = targets::datasette().unwrap();

    assert!(entrance.starts_with(&target.url("/-/auth-token?token=")), "{entrance}");
    shows(Ok(target), "/", "Datasette");
}

#[test]
fn dokuwiki_shows_its_page_to_sign_in() {
    shows(targets::dokuwiki(), "/doku.php?id=start&do=login", "Log In");
}

#[test]
fn mediawiki_shows_its_page_to_sign_in() {
    shows(targets::mediawiki(), "/index.php?title=Special:UserLogin", "Log in");
}

fn shows(target: Result<Target, Failure>, path: &str, words: &str) {
    let target = target.unwrap();

    let page = http::request(target.address(), "GET", path, &[], &[]).unwrap();

    assert_eq!(page.status, 200, "{}", target.output());
    assert!(page.text().contains(words), "{}\n{}", page.text(), target.output());
}
