//! The packages that the tests need, and how a missing one gets onto the machine.

mod environments;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::arguments::TestPlan;
use crate::process;
use crate::repository::Repository;
use environments::{ENVIRONMENTS, Environment};

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

/// What Debian has of what the tests need beside the Rust toolchain. The one place to add to.
const PACKAGES: &[Package] = &[
    Package {
        name: "chromium",
        needed_by: "journeys: a real browser",
        proof: Proof::Program("chromium"),
    },
    Package {
        name: "chromium-driver",
        needed_by: "cloakroom-cli: a browser that signs in",
        proof: Proof::Program("chromedriver"),
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
    Package {
        name: "python3-django",
        needed_by: "journeys: a target of the auditor",
        proof: Proof::File("/usr/lib/python3/dist-packages/django/__init__.py"),
    },
    Package {
        name: "python3-flask-login",
        needed_by: "journeys: a target of the auditor",
        proof: Proof::File("/usr/lib/python3/dist-packages/flask_login/__init__.py"),
    },
    Package {
        name: "jupyter-notebook",
        needed_by: "journeys: a target of the auditor",
        proof: Proof::File("/usr/lib/python3/dist-packages/notebook/__init__.py"),
    },
    Package {
        name: "python3-venv",
        needed_by: "journeys: targets that Debian does not have",
        proof: Proof::File("/var/lib/dpkg/info/python3-venv.list"),
    },
    Package {
        name: "php-cli",
        needed_by: "journeys: targets that are written in PHP",
        proof: Proof::Program("php"),
    },
    Package {
        name: "php-sqlite3",
        needed_by: "journeys: the data of MediaWiki",
        proof: Proof::File("/var/lib/dpkg/info/php-sqlite3.list"),
    },
    Package {
        name: "php-xml",
        needed_by: "journeys: targets that are written in PHP",
        proof: Proof::File("/var/lib/dpkg/info/php-xml.list"),
    },
    Package {
        name: "dokuwiki",
        needed_by: "journeys: a target of the auditor",
        proof: Proof::File("/usr/share/dokuwiki/doku.php"),
    },
    Package {
        name: "mediawiki",
        needed_by: "journeys: a target of the auditor",
        proof: Proof::File("/usr/share/mediawiki/index.php"),
    },
];

/// Sees to it that every package is there; the error names those that are not, and why.
pub(crate) fn ensure(here: &Repository, plan: &TestPlan) -> Result<(), String> {
    print_table(here);
    let Missing { debian, environments } = Missing::now(here);
    if !debian.is_empty() {
        permission(plan, &debian)
            .and_then(|()| install(&debian))
            .map_err(|why| absent(&debian, &why))?;
    }
    if !environments.is_empty() {
        let names: Vec<_> = environments.iter().map(|environment| environment.name).collect();
        allowed(plan, "pip", &names)
            .and_then(|()| environments.iter().try_for_each(|one| one.install(&here.root)))
            .map_err(|why| refused(&names, &why))?;
    }
    match Missing::now(here).debian {
        still if still.is_empty() => Ok(()),
        still => Err(absent(&still, "apt-get succeeded, yet what proves them is not there")),
    }
}

/// What is not there.
struct Missing {
    debian: Vec<&'static str>,
    environments: Vec<&'static Environment>,
}

impl Missing {
    fn now(here: &Repository) -> Self {
        let debian = PACKAGES.iter().filter(|package| !package.proof.holds());
        let environments = ENVIRONMENTS.iter().filter(|one| !one.is_there(&here.root));
        Self {
            debian: debian.map(|package| package.name).collect(),
            environments: environments.collect(),
        }
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

fn print_table(here: &Repository) {
    println!("{:<19}  {:<54}  {:<8}  needed by", "package", "proved by", "state");
    let line = |name: &str, proof: &str, is_there: bool, needed_by: &str| {
        let state = if is_there { "present" } else { "missing" };
        println!("{name:<19}  {proof:<54}  {state:<8}  {needed_by}");
    };
    for Package { name, needed_by, proof } in PACKAGES {
        line(name, proof.text(), proof.holds(), needed_by);
    }
    for environment in ENVIRONMENTS {
        let is_there = environment.is_there(&here.root);
        line(environment.name, environment.requirements, is_there, environment.needed_by);
    }
    println!();
}

fn absent(missing: &[&str], why: &str) -> String {
    let names = missing.join(" ");
    format!(
        "the tests were not run: missing {names} ({why}); `apt-get install {names}` provides it"
    )
}

/// Python packages, where no Debian package is to be named as the remedy.
fn refused(names: &[&str], why: &str) -> String {
    format!("the tests were not run: missing {} ({why})", names.join(" "))
}

fn permission(plan: &TestPlan, missing: &[&str]) -> Result<(), String> {
    let is_debian = Path::new("/etc/debian_version").is_file();
    if !plan.no_install && (!is_debian || process::find("apt-get").is_none()) {
        return Err("this is not Debian, so they cannot be installed from here".to_owned());
    }
    allowed(plan, "apt-get", missing)
}

fn allowed(plan: &TestPlan, installer: &str, missing: &[&str]) -> Result<(), String> {
    if plan.no_install {
        return Err("--no-install was given".to_owned());
    }
    if plan.yes || std::env::var_os("CI").is_some() {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err("there is no terminal to ask on, and neither --yes nor CI is set".to_owned());
    }
    ask(installer, missing)
}

fn ask(installer: &str, missing: &[&str]) -> Result<(), String> {
    print!("Install {} with {installer} now? [y/N] ", missing.join(" "));
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
