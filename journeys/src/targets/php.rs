//! Targets that are written in PHP, behind the web server that PHP itself has.

use super::{OTHER_USER, PASSWORD, Target, USER, add_to, alone, write};
use crate::Failure;
use crate::folder::Folder;
use crate::program::{self, not_installed, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders that DokuWiki expects in its data.
const DOKUWIKI_FOLDERS: [&str; 12] = [
    "attic",
    "cache",
    "deleted.files",
    "index",
    "locks",
    "log",
    "media",
    "media_attic",
    "media_meta",
    "meta",
    "pages",
    "tmp",
];

/// What MediaWiki's own installer calls its settings.
const MEDIAWIKI_SETTINGS: &str = "LocalSettings.php";

/// DokuWiki at `/doku.php`; everybody reads, those who are signed in write.
///
/// # Errors
///
/// When PHP or DokuWiki is not installed or does not start (the text holds what it printed).
pub fn dokuwiki() -> Result<Target, Failure> {
    let pages = debian_folder("dokuwiki")?;
    let folder = Folder::new("dokuwiki")?;
    let place = folder.path().display();
    // Debian's package looks for this name before it takes /etc.
    write(&folder, "before.php", &format!("<?php define('DOKU_CONF', '{place}/conf/');\n"))?;
    write(&folder, "conf/local.php", &dokuwiki_settings(&folder))?;
    write(&folder, "conf/acl.auth.php", "*\t@ALL\t1\n*\t@user\t8\n")?;
    write(&folder, "conf/users.auth.php", &dokuwiki_users(&folder)?)?;
    for name in DOKUWIKI_FOLDERS {
        write(&folder, &format!("data/{name}/_dummy"), "")?;
    }
    write(&folder, "data/pages/start.txt", "====== Coats ======\n\nThere is a [[shelf]].\n")?;
    let program = program::find("php")?;
    Target::start(folder, |folder, port| {
        let before = format!("auto_prepend_file={}", folder.join("before.php").display());
        let mut command = php(&program, folder);
        serve(command.args(["-d", &before]), &pages, port);
        command
    })
}

/// MediaWiki at `/index.php`, with its data in SQLite.
///
/// # Errors
///
/// When PHP or MediaWiki is not installed or does not start (the text holds what it printed).
pub fn mediawiki() -> Result<Target, Failure> {
    let pages = debian_folder("mediawiki")?;
    let program = program::find("php")?;
    let folder = Folder::new("mediawiki")?;
    let place = folder.path().display().to_string();
    let script = |name: &str| pages.join("maintenance").join(name);
    run(php(&program, &folder)
        .arg(script("install.php"))
        .args(["--dbtype", "sqlite", "--dbpath", &place, "--confpath", &place])
        .args(["--server", "http://127.0.0.1", "--scriptpath", ""])
        .args(["--pass", PASSWORD, "Coats", USER]))?;
    let settings = folder.join(MEDIAWIKI_SETTINGS);
    // The port is not known before the start.
    add_to(&settings, "$wgServer = 'http://' . ($_SERVER['HTTP_HOST'] ?? '127.0.0.1');")?;
    run(php(&program, &folder)
        .env("MW_CONFIG_FILE", &settings)
        .arg(script("createAndPromote.php"))
        .args([OTHER_USER, PASSWORD]))?;
    Target::start(folder, |folder, port| {
        let mut command = php(&program, folder);
        command.env("MW_CONFIG_FILE", folder.join(MEDIAWIKI_SETTINGS));
        serve(&mut command, &pages, port);
        command
    })
}

fn dokuwiki_settings(folder: &Folder) -> String {
    format!(
        "<?php\n\
         $conf['title'] = 'Coats';\n\
         $conf['savedir'] = '{}/data';\n\
         $conf['useacl'] = 1;\n\
         $conf['superuser'] = '{USER}';\n\
         $conf['disableactions'] = 'register,resendpwd';\n\
         $conf['updatecheck'] = 0;\n",
        folder.path().display()
    )
}

fn dokuwiki_users(folder: &Folder) -> Result<String, Failure> {
    let script = format!("echo password_hash('{PASSWORD}', PASSWORD_BCRYPT, ['cost' => 4]);");
    let hash = run(php(&program::find("php")?, folder).args(["-r", &script]))?;
    let hash = String::from_utf8_lossy(&hash).into_owned();
    let line = |name: &str| format!("{name}:{hash}:{name}:{name}@shop.test:user\n");
    Ok([line(USER), line(OTHER_USER)].concat())
}

/// One process without workers, so that killing it leaves nothing behind.
fn serve(command: &mut Command, pages: &Path, port: u16) {
    command.args(["-S", &format!("127.0.0.1:{port}"), "-t"]).arg(pages);
}

fn php(program: &Path, folder: &Folder) -> Command {
    let mut command = Command::new(program);
    let sessions = format!("session.save_path={}", folder.path().display());
    // As every web server has it: a page is compiled once.
    alone(&mut command, folder).args(["-d", "opcache.enable_cli=1", "-d", &sessions]);
    command
}

/// Where Debian puts the pages of an application.
fn debian_folder(name: &str) -> Result<PathBuf, Failure> {
    let folder = Path::new("/usr/share").join(name);
    if folder.join("index.php").is_file() { Ok(folder) } else { Err(not_installed(name)) }
}
