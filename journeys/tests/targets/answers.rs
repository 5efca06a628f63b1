//! Every answer about every target is the one that was found by hand.

use crate::auditing::{audit, visit};
use crate::table::compare;
use cloakroom_audit::Answer;
use cloakroom_journeys::targets;

macro_rules! of {
    ($name:literal, $kind:literal) => {
        include_str!(concat!("../../../testdata/audit/targets/", $name, $kind))
    };
}

#[test]
fn the_answers_about_django_are_right() {
    let target = targets::django().unwrap();

    let found = audit(&target, "/admin/", of!("django", ".toml"));

    compare("django", of!("django", ".txt"), &found);
}

#[test]
fn the_answers_about_flask_login_are_right() {
    let target = targets::flask_login("q8Zr31LkP0vTn5YxBm2Wgk").unwrap();

    let found = audit(&target, "/", of!("flask-login", ".toml"));

    compare("flask-login", of!("flask-login", ".txt"), &found);
}

#[test]
fn the_answers_about_jupyter_are_right() {
    let target = targets::jupyter().unwrap();

    let found = audit(&target, "/", of!("jupyter", ".toml"));

    compare("jupyter", of!("jupyter", ".txt"), &found);
}

#[test]
fn the_answers_about_datasette_are_right() {
    let (target, _) = targets::datasette().unwrap();

    let found = audit(&target, "/", of!("datasette", ".toml"));

    compare("datasette", of!("datasette", ".txt"), &found);
}

#[test]
fn the_address_at_which_the_root_user_of_datasette_signs_in_is_a_token() {
    let (target, entrance) = targets::datasette().unwrap();
    let start = entrance.strip_prefix(&target.url("")).unwrap();

    let found = visit(&target, start);

    assert_eq!(broken(&found, &["U01", "C02", "C03"]), ["U01", "C02"]);
}

#[test]
fn the_answers_about_dokuwiki_are_right() {
    let target = targets::dokuwiki().unwrap();

    let found = audit(&target, "/", of!("dokuwiki", ".toml"));

    compare("dokuwiki", of!("dokuwiki", ".txt"), &found);
}

#[test]
fn the_answers_about_mediawiki_are_right() {
    let target = targets::mediawiki().unwrap();

    // The start page sets no session that strangers could be compared by.
    let start = "/index.php?title=Special:UserLogin";
    let found = audit(&target, start, of!("mediawiki", ".toml"));

    compare("mediawiki", of!("mediawiki", ".txt"), &found);
}

#[test]
fn a_django_whose_key_everybody_knows_is_told_from_its_cookies() {
    let target = targets::django_with(targets::DJANGO_KNOWN_KEY).unwrap();

    let found = audit(&target, "/admin/", of!("django", ".toml"));

    assert_eq!(broken(&found, &["I07", "I04", "O01", "F01"]), ["I07", "I04", "O01"]);
}

#[test]
fn a_flask_whose_key_everybody_knows_is_told_from_its_cookies() {
    let target = targets::flask_login("secret").unwrap();

    let found = audit(&target, "/", of!("flask-login", ".toml"));

    assert_eq!(broken(&found, &["I07", "F01"]), ["I07"]);
}

fn broken<'i>(found: &[(&'static str, Answer)], asked: &[&'i str]) -> Vec<&'i str> {
    let is_broken = |id: &&&str| {
        let answer = found.iter().find(|(found, _)| found == *id);
        answer.is_some_and(|(_, answer)| matches!(answer, Answer::Broken(_)))
    };
    asked.iter().filter(is_broken).copied().collect()
}
