//! `cloakroom audit init`: a first login script.

use super::live::Asking;
use super::stop::Stoppable;
use crate::outcome::Outcome;
use cloakroom_audit::{SKETCH_PAGES, Sketch, SketchError, shown_url, sketch};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What `cloakroom audit init` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The site's start page, or its login page.
    url: String,
    /// The file that is written; `-` is the standard output.
    #[arg(long, value_name = "FILE", default_value = "login.toml")]
    out: PathBuf,
    /// Writes over a file that is there.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    asking: Asking,
}

/// As many seconds as pages may be looked at, and each may be slow: two minutes.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs it.
///
/// # Errors
///
/// A sentence if what was given cannot be used, or the site has no login that can be seen.
pub(super) fn run(arguments: &Arguments) -> Result<Outcome, String> {
    let out = &arguments.out;
    if out != Path::new("-") && out.exists() && !arguments.force {
        return Err(format!(
            "{} is there already: `--force` writes over it, `--out` names another file",
            out.display()
        ));
    }
    let start = arguments.asking.address(&arguments.url)?;
    let client = arguments.asking.client()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no requests can be made: {error}"))?;
    let sketched = runtime.block_on(async {
        let site = arguments.asking.site(Stoppable::new(client, LIMIT), &start)?;
        Ok::<_, String>(sketch(&site).await)
    })?;
    let script = match sketched {
        Ok(script) => script,
        Err(SketchError::Silent(why)) => {
            say(&format!("error: {}: {why}", shown_url(&start)));
            return Ok(Outcome::Unfinished);
        }
        Err(why) => {
            say(&format!("error: {why} (at most {SKETCH_PAGES} pages are looked at)"));
            return Ok(Outcome::Unfinished);
        }
    };
    write(out, &script.text, arguments.force)?;
    say(&told(&script, out));
    Ok(Outcome::Done)
}

/// What is left to do, for the person who asked.
fn told(script: &Sketch, out: &Path) -> String {
    let shown = if out == Path::new("-") { "The script" } else { "A first login script" };
    let mut words = format!("{shown} was written");
    if out != Path::new("-") {
        words.push_str(&format!(" to {}", out.display()));
    }
    words.push_str(&format!(".\nSet {} before it is used.\n", script.variables.join(" and ")));
    if !script.open.is_empty() {
        words.push_str("Still to be looked at:\n");
        script.open.iter().for_each(|open| words.push_str(&format!("  - {open}\n")));
    }
    words.trim_end().to_owned()
}

fn write(out: &Path, text: &str, force: bool) -> Result<(), String> {
    if out == Path::new("-") {
        return io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string());
    }
    let mut options = OpenOptions::new();
    let options =
        if force { options.create(true).truncate(true) } else { options.create_new(true) };
    let written =
        options.write(true).open(out).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("{} cannot be written: {error}", out.display()))
}

fn say(words: &str) {
    // Where this cannot be written, nobody is left to tell.
    let _ = writeln!(io::stderr(), "{words}");
}
