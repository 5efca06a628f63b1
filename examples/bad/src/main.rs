//! The program: arguments, a port on this machine, and an orderly end.

mod arguments;

use std::io::{self, Write as _};
use std::process::ExitCode;

use arguments::{Arguments, Command};
use bad::{ROWS, Site};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => say(arguments::HELP),
        Ok(Command::List) => list(),
        Ok(Command::Serve(arguments)) => serve(arguments).await,
        Err(problem) => {
            let _ = writeln!(io::stderr(), "bad: {problem}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(io::stderr(), "bad: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), String> {
    let mut site = Site::new(arguments.switches);
    if let Some(origin) = &arguments.origin {
        site = site.at(origin);
    }
    let at = arguments.address;
    let listener =
        TcpListener::bind(at).await.map_err(|error| format!("cannot listen at {at}: {error}"))?;
    let at = listener.local_addr().map_err(|error| error.to_string())?;
    say(&format!("listening on http://{at}/"))?;
    let end = async { drop(tokio::signal::ctrl_c().await) };
    let served = axum::serve(listener, site.router()).with_graceful_shutdown(end).await;
    served.map_err(|error| error.to_string())
}

fn list() -> Result<(), String> {
    let lines: Vec<String> = ROWS.iter().map(|row| format!("{}  {}", row.id, row.breaks)).collect();
    say(&lines.join("\n"))
}

fn say(text: &str) -> Result<(), String> {
    let mut out = io::stdout();
    let said = writeln!(out, "{text}").and_then(|()| out.flush());
    said.map_err(|error| format!("cannot print: {error}"))
}
