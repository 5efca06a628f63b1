//! Real software that nobody here wrote, each with its own data and users: what an auditor meets.
//!
//! Every target runs on a free port of 127.0.0.1 with a configuration and data of its own in a
//! temporary folder, and has the accounts [`USER`] and, where it knows several, [`OTHER_USER`].
//!
//! ```no_run
//! use cloakroom_journeys::{http, targets};
//!
//! let wiki = targets::dokuwiki()?;
//! let page = http::request(wiki.address(), "GET", "/doku.php", &[], &[])?;
//! assert_eq!(page.status, 200);
//! # Ok::<(), cloakroom_journeys::Failure>(())
//! ```

mod php;
mod python;

pub use php::{dokuwiki, mediawiki};
pub use python::{datasette, django, django_with, flask_login, jupyter};

use crate::Failure;
use crate::folder::Folder;
use crate::process::{Ready, Server, free_port};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// Who signs in.
pub const USER: &str = "ada";

/// Somebody else, with the same password.
pub const OTHER_USER: &str = "bob";

/// The password of both.
pub const PASSWORD: &str = "correct-horse-battery-9";

/// Lines for [`django_with`] that keep sessions in cookies, signed with a key that everybody knows.
pub const DJANGO_KNOWN_KEY: &str =
    "SESSION_ENGINE = 'django.contrib.sessions.backends.signed_cookies'\nSECRET_KEY = 'secret'";

/// A running program; drop stops it and removes its data.
#[derive(Debug)]
pub struct Target {
    // Before the folder: the process ends first.
    server: Server,
    folder: Folder,
}

impl Target {
    /// The address of `path` at this target, as in `http://127.0.0.1:8080/admin/`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Where it accepts connections.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Everything it has printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.server.output()
    }

    /// The folder of its configuration and data.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Starts the command that is made for a free port.
    fn start(folder: Folder, command: impl Fn(&Folder, u16) -> Command) -> Result<Self, Failure> {
        let mut attempt = 1;
        let server = loop {
            let port = free_port()?;
            match Server::spawn(command(&folder, port), Ready::port(port)) {
                // Somebody else can take the port between our look and the program's bind.
                Err(_) if attempt < 3 => attempt += 1,
                outcome => break outcome?,
            }
        };
        Ok(Self { server, folder })
    }
}

/// Lets a program find nothing of the person who runs the test, and no folder but its own.
fn alone<'c>(command: &'c mut Command, folder: &Folder) -> &'c mut Command {
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .current_dir(folder.path())
}

fn write(folder: &Folder, name: &str, text: &str) -> Result<(), Failure> {
    let file = folder.join(name);
    let parent = file.parent().unwrap_or_else(|| folder.path());
    std::fs::create_dir_all(parent).map_err(Failure::when(parent.display()))?;
    std::fs::write(&file, text).map_err(Failure::when(file.display()))
}

fn add_to(file: &Path, lines: &str) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).map_err(Failure::when(file.display()))?;
    std::fs::write(file, format!("{text}\n{lines}\n")).map_err(Failure::when(file.display()))
}
