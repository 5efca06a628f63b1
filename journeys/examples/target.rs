//! Runs one target until its standard input ends, for whoever wants to look at it by hand:
//! `cargo run -p cloakroom-journeys --example target -- django`.
#![allow(clippy::print_stdout, reason = "a program for people prints where it runs")]

use cloakroom_journeys::{Failure, targets};
use std::io::Read as _;

fn main() -> Result<(), Failure> {
    let name = std::env::args().nth(1).unwrap_or_default();
    let target = match name.as_str() {
        "django" => targets::django()?,
        "django-signed-cookies" => targets::django_with(targets::DJANGO_KNOWN_KEY)?,
        "flask-login" => targets::flask_login("q8Zr31LkP0vTn5YxBm2Wgk")?,
        "flask-login-known-key" => targets::flask_login("secret")?,
        "jupyter" => targets::jupyter()?,
        "datasette" => {
            let (target, entrance) = targets::datasette()?;
            println!("the root user signs in once at {entrance}");
            target
        }
        "dokuwiki" => targets::dokuwiki()?,
        "mediawiki" => targets::mediawiki()?,
        other => return Err(Failure::new(format!("`{other}` is no target"))),
    };
    println!("{} ({}, {})", target.url("/"), targets::USER, targets::PASSWORD);
    // Whatever is typed, the end of it is what counts.
    drop(std::io::stdin().read_to_end(&mut Vec::new()));
    Ok(())
}
