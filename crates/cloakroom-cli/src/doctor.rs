//! `cloakroom doctor`: what each browser does with a cookie, and why.

mod case;
mod diagnosis;
mod json;
mod reading;
mod situation;
mod text;

use crate::outcome::Outcome;
use crate::{clock, input};
use case::{Kind, Problem};
use std::io::Write as _;
use std::path::PathBuf;

/// What `cloakroom doctor` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The Set-Cookie line, with or without `Set-Cookie:` before it.
    #[arg(long, value_name = "LINE", conflicts_with_all = ["har", "curl"])]
    line: Option<String>,
    /// The address that sent the line, or that `curl -i` asked.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A recording of a browser (HAR).
    #[arg(long, value_name = "FILE", conflicts_with = "curl")]
    har: Option<PathBuf>,
    /// What `curl -i` or `curl -v` printed.
    #[arg(long, value_name = "FILE")]
    curl: Option<PathBuf>,
    /// Only the cookie of this name.
    #[arg(long, value_name = "NAME")]
    cookie: Option<String>,
    /// The page that caused the request.
    #[arg(long, value_name = "PAGE-URL")]
    from: Option<String>,
    /// How the request was made.
    #[arg(long = "as", value_enum, default_value_t = Kind::Navigation)]
    kind: Kind,
    /// The method of the request.
    #[arg(long, default_value = "GET")]
    method: String,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  My cookie is not stored:
    cloakroom doctor --url https://shop.example/login --line 'id=7; SameSite=None'
  It is set by a frame on somebody else's page:
    cloakroom doctor --url https://pay.example/widget --line 'id=7; Secure' \\
      --from https://shop.example/ --as embedded
  What the server really sends, and what browsers do with it:
    curl -sv https://shop.example/login 2>&1 | cloakroom doctor
  A recording of the browser's developer tools:
    cloakroom doctor --har shop.har --cookie id

Without --line, --har and --curl the standard input is read, whichever of them it is.";

/// Runs it.
///
/// # Errors
///
/// A sentence if what was given cannot be used.
pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, String> {
    let problem = problem(arguments)?;
    let findings = diagnosis::diagnose(&problem);
    let output = match arguments.json {
        true => json::write(&problem, &findings),
        false => text::write(&problem, &findings),
    };
    std::io::stdout().write_all(output.as_bytes()).map_err(|error| error.to_string())?;
    Ok(Outcome::Done)
}

fn problem(arguments: &Arguments) -> Result<Problem, String> {
    let now = clock::now().as_secs();
    let url = arguments.url.as_deref();
    let asked = case::Asked {
        url,
        from: arguments.from.as_deref(),
        kind: arguments.kind,
        method: &arguments.method,
    };
    let mut problem = match (&arguments.line, &arguments.har, &arguments.curl) {
        (Some(line), _, _) => Problem::of_lines(&[line.as_bytes()], &asked, now)?,
        (None, Some(path), _) => reading::har(&input::file(path)?, now)?,
        (None, None, Some(path)) => reading::curl(&input::file_or_standard_input(path)?, url, now)?,
        (None, None, None) => reading::any(&standard_input()?, &asked, now)?,
    };
    if let Some(name) = &arguments.cookie {
        problem.keep_only(name);
    }
    Ok(problem)
}

fn standard_input() -> Result<Vec<u8>, String> {
    use std::io::IsTerminal as _;
    if std::io::stdin().is_terminal() {
        return Err("say what the server sent: `--line 'id=7; Path=/' --url https://host/page`, \
             `--har FILE`, or the output of `curl -sv` on the standard input"
            .to_owned());
    }
    input::standard_input()
}
