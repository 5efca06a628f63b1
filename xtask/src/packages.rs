//! The Debian packages that the tests need, and how a missing one gets onto the machine.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::arguments::TestPlan;
use crate::process;

struct Package {
    name: &'static str,
    needed_by: &'static str,
    proof: Proof,
}

/// What is there exactly when the package is.
enum Proof {
    Program(&'static str),
    File(&'static str),
}

/// Everything that the tests need beside the Rust toolchain. The one place to add to.
const PACKAGES: &[Package] = &[
    Package {
        name: "chromium",
        needed_by: "journeys: a real browser",
        proof: Proof::Program("chromium"),
    },
    Package {
        name: "nginx",
        needed_by: "journeys: TLS and a reverse proxy",
        proof: Proof::Program("nginx"),
    },
    Package {
        name: "curl",
        needed_by: "cloakroom-audit: its own output; journeys: the commands for operators",
        proof: Proof::Program("curl"),
    },
    Package {
        name: "haproxy",
        needed_by: "journeys: a proxy that keeps visitors at one process",
        proof: Proof::Program("haproxy"),
    },
    Package {
        name: "openssl",
        needed_by: "journeys: a certificate for localhost",
        proof: Proof::Program("openssl"),
    },
    Package {
        name: "sqlite3",
        needed_by: "cloakroom-sqlite, journeys: the file seen from outside",
        proof: Proof::Program("sqlite3"),
    },
    Package {
        name: "postgresql",
        needed_by: "cloakroom-postgres, cloakroom, journeys: a real server and its client",
        proof: Proof::File("/usr/lib/postgresql/15/bin/postgres"),
    },
    Package {
        name: "redis-server",
        needed_by: "cloakroom-redis, cloakroom, journeys: one server, sentinels, a cluster",
        proof: Proof::Program("redis-server"),
    },
    Package {
        name: "gcc",
        needed_by: "cloakroom-sqlite: the bundled SQLite, and linking",
        proof: Proof::Program("cc"),
    },
    Package {
        name: "libc6-dev",
        needed_by: "cloakroom-sqlite: the bundled SQLite, and linking",
        proof: Proof::File("/usr/include/stdio.h"),
    },
];

/// Sees to it that every package is there; the error names those that are not, and why.
pub(crate) fn ensure(plan: &TestPlan) -> Result<(), String> {
    print_table();
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    permission(plan, &missing)
        .and_then(|()| install(&missing))
        .map_err(|why| absent(&missing, &why))?;
    match self::missing() {
        still if still.is_empty() => Ok(()),
        still => Err(absent(&still, "apt-get succeeded, yet what proves them is not there")),
    }
}

impl Proof {
    fn holds(&self) -> bool {
        match self {
            Self::Program(name) => process::find(name).is_some(),
            Self::File(path) => Path::new(path).is_file(),
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Program(text) | Self::File(text) => text,
        }
    }
}

fn missing() -> Vec<&'static str> {
    PACKAGES.iter().filter(|package| !package.proof.holds()).map(|package| package.name).collect()
}

fn print_table() {
    println!("{:<12}  {:<38}  {:<8}  needed by", "package", "proved by", "state");
    for Package { name, needed_by, proof } in PACKAGES {
        let state = if proof.holds() { "present" } else { "missing" };
        println!("{name:<12}  {:<38}  {state:<8}  {needed_by}", proof.text());
    }
    println!();
}

fn absent(missing: &[&str], why: &str) -> String {
    let names = missing.join(" ");
    format!(
        "the tests were not run: missing {names} ({why}); `apt-get install {names}` provides it"
    )
}

fn permission(plan: &TestPlan, missing: &[&str]) -> Result<(), String> {
    if plan.no_install {
        return Err("--no-install was given".to_owned());
    }
    if !Path::new("/etc/debian_version").is_file() || process::find("apt-get").is_none() {
        return Err("this is not Debian, so they cannot be installed from here".to_owned());
    }
    if plan.yes || std::env::var_os("CI").is_some() {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err("there is no terminal to ask on, and neither --yes nor CI is set".to_owned());
    }
    ask(missing)
}

fn ask(missing: &[&str]) -> Result<(), String> {
    print!("Install {} with apt-get now? [y/N] ", missing.join(" "));
    let mut answer = String::new();
    let heard = std::io::stdout().flush().and_then(|()| std::io::stdin().read_line(&mut answer));
    match (heard, answer.trim()) {
        (Ok(_), "y" | "Y" | "yes") => Ok(()),
        (Ok(_), _) => Err("installing was declined".to_owned()),
        (Err(error), _) => Err(format!("the answer could not be read: {error}")),
    }
}

fn install(missing: &[&str]) -> Result<(), String> {
    let options = ["install", "-y", "--no-install-recommends"];
    for arguments in [vec!["update"], [&options, missing].concat()] {
        if !process::run(&mut apt_get(&arguments)?)? {
            return Err(format!("`apt-get {}` failed", arguments.join(" ")));
        }
    }
    Ok(())
}

fn apt_get(arguments: &[&str]) -> Result<Command, String> {
    let mut command = if process::read(Command::new("id").arg("-u"))?.trim() == "0" {
        let mut command = Command::new("env");
        command.stdin(Stdio::null());
        command
    } else if process::find("sudo").is_some() {
        // sudo may ask for a password, so it keeps the terminal; `env` because sudo drops variables.
        let mut command = Command::new("sudo");
        command.arg("env");
        command
    } else {
        return Err("installing needs root or sudo".to_owned());
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_permission_the_sentence_names_what_is_missing() {
        let plan = TestPlan { no_install: true, ..TestPlan::default() };

        let refused = permission(&plan, &["nginx"]).map_err(|why| absent(&["nginx"], &why));

        assert!(refused.is_err_and(|text| text.contains("missing nginx (--no-install was given)")));
    }
}
