//! Targets that are written in Python.

use super::{OTHER_USER, PASSWORD, Target, USER, add_to, alone, write};
use crate::Failure;
use crate::folder::Folder;
use crate::program::{not_installed, run};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter that sees Debian's packages; another one on `PATH` does not.
const PYTHON: &str = "/usr/bin/python3";

/// Where Debian puts the modules of its packages.
const MODULES: &str = "/usr/lib/python3/dist-packages";

/// Where `cargo xtask test` installs what Debian does not have, below the root of this workspace.
const ENVIRONMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/python");

/// Django's admin, as `startproject` makes it, at `/admin/`; both users may do everything there.
///
/// # Errors
///
/// When Django is not installed or does not start (the text holds what it printed).
pub fn django() -> Result<Target, Failure> {
    django_with("")
}

/// As [`django`], with these lines at the end of its `settings.py`.
///
/// # Errors
///
/// As [`django`].
pub fn django_with(settings: &str) -> Result<Target, Failure> {
    debian_module("django")?;
    let folder = Folder::new("django")?;
    run(python(&folder).args(["-m", "django", "startproject", "coats", "."]))?;
    // A slow hash makes nothing of this truer, and dozens of logins slow.
    let fast = "PASSWORD_HASHERS = ['django.contrib.auth.hashers.MD5PasswordHasher']";
    add_to(&folder.join("coats/settings.py"), &format!("{fast}\n{settings}"))?;
    run(python(&folder).args(["manage.py", "migrate", "--verbosity", "0"]))?;
    let users = format!(
        "from django.contrib.auth.models import User\n\
         for name in ['{USER}', '{OTHER_USER}']:\n\
         \x20   User.objects.create_superuser(name, password='{PASSWORD}')\n"
    );
    run(python(&folder).args(["manage.py", "shell", "--command", &users]))?;
    Target::start(folder, |folder, port| {
        let mut command = python(folder);
        command.args(["-u", "manage.py", "runserver", "--noreload"]);
        command.arg(format!("127.0.0.1:{port}"));
        command
    })
}

/// Flask-Login in an application of ours, `testdata/journeys/flask_login_app.py`, signed with `key`.
///
/// # Errors
///
/// When Flask-Login is not installed or does not start (the text holds what it printed).
pub fn flask_login(key: &str) -> Result<Target, Failure> {
    debian_module("flask_login")?;
    let folder = Folder::new("flask")?;
    write(&folder, "app.py", include_str!("../../../testdata/journeys/flask_login_app.py"))?;
    Target::start(folder, |folder, port| {
        let mut command = python(folder);
        command.args(["-u", "-m", "flask", "run", "--port", &port.to_string()]);
        command.env("SECRET_KEY", key).env("PASSWORD", PASSWORD);
        command
    })
}

/// The Jupyter Notebook server; it has a password and no names of users.
///
/// # Errors
///
/// When it is not installed or does not start (the text holds what it printed).
pub fn jupyter() -> Result<Target, Failure> {
    debian_module("notebook")?;
    let folder = Folder::new("jupyter")?;
    let settings = format!(
        "from notebook.auth import passwd\n\
         c.NotebookApp.password = passwd('{PASSWORD}', algorithm='sha1')\n\
         c.NotebookApp.ip = '127.0.0.1'\n\
         c.NotebookApp.port_retries = 0\n\
         c.NotebookApp.open_browser = False\n\
         c.NotebookApp.allow_root = True\n"
    );
    write(&folder, "config/jupyter_notebook_config.py", &settings)?;
    write(&folder, "notes/readme.txt", "A folder to look at.\n")?;
    Target::start(folder, |folder, port| {
        let mut command = python(folder);
        command.args(["-u", "-m", "notebook", "--port", &port.to_string()]);
        command.arg("--notebook-dir").arg(folder.join("notes"));
        for name in ["config", "data", "runtime"] {
            let variable = format!("JUPYTER_{}_DIR", name.to_ascii_uppercase());
            command.env(variable, folder.join(name));
        }
        command
    })
}

/// Datasette over an empty database in memory, with `datasette-auth-passwords`, and the address at
/// which its root user signs in once.
///
/// Its account [`USER`] is its root user too: it may do everything there.
///
/// # Errors
///
/// When it is not installed or does not start (the text holds what it printed).
pub fn datasette() -> Result<(Target, String), Failure> {
    let program = environment("datasette", "datasette")?;
    let folder = Folder::new("datasette")?;
    write(&folder, "accounts.json", &datasette_accounts(&folder)?)?;
    let target = Target::start(folder, |folder, port| {
        let mut command = Command::new(&program);
        alone(&mut command, folder).args(["serve", "--memory", "--root"]);
        command.args(["--metadata", "accounts.json", "--host", "127.0.0.1"]);
        command.args(["--port", &port.to_string()]).env("PYTHONUNBUFFERED", "1");
        command
    })?;
    let entrance = entrance(&target.output()).ok_or_else(|| {
        Failure::new(format!("no address to sign in at was printed:\n{}", target.output()))
    })?;
    Ok((target, entrance))
}

fn datasette_accounts(folder: &Folder) -> Result<String, Failure> {
    // A hash that takes a moment only: nobody attacks it.
    let script = format!(
        "from datasette_auth_passwords.utils import hash_password\n\
         print(hash_password('{PASSWORD}', iterations=1000))"
    );
    let mut python = Command::new(environment("datasette", "python")?);
    let hash = run(alone(&mut python, folder).args(["-c", &script]))?;
    let hash = String::from_utf8_lossy(&hash).trim().to_owned();
    let own = json!({
        format!("{USER}_password_hash"): hash,
        format!("{OTHER_USER}_password_hash"): hash,
        "actors": { USER: { "id": "root" }, OTHER_USER: { "id": OTHER_USER } },
    });
    Ok(json!({ "plugins": { "datasette-auth-passwords": own } }).to_string())
}

fn entrance(printed: &str) -> Option<String> {
    let mut lines = printed.lines().map(str::trim);
    lines.find(|line| line.contains("/-/auth-token?token=")).map(str::to_owned)
}

fn python(folder: &Folder) -> Command {
    let mut command = Command::new(PYTHON);
    alone(&mut command, folder);
    command
}

fn debian_module(name: &str) -> Result<(), Failure> {
    let is_there = Path::new(MODULES).join(name).is_dir() && Path::new(PYTHON).is_file();
    if is_there { Ok(()) } else { Err(not_installed(&format!("the Python module {name}"))) }
}

fn environment(name: &str, program: &str) -> Result<PathBuf, Failure> {
    let file = Path::new(ENVIRONMENTS).join(name).join("bin").join(program);
    if file.is_file() { Ok(file) } else { Err(not_installed(name)) }
}
