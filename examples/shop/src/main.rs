//! The program around the shop: arguments, ports, and an orderly end.

mod arguments;
mod listening;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use cloakroom::SystemClock;
use shop::App;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use arguments::{Arguments, Command};
use listening::Doors;

/// How long requests under way may take to end, and after them what they left to write.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => say(arguments::HELP),
        Ok(Command::Serve(arguments)) => serve(&arguments).await,
        Err(problem) => {
            let _ = writeln!(io::stderr(), "shop: {problem}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(io::stderr(), "shop: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> Result<(), String> {
    start_log();
    // Before the files: a second shop by mistake ends here.
    let doors = Doors::open(arguments.address).await?;
    let app = App::open(&arguments.store, &arguments.accounts, SystemClock).await;
    let app = app.map_err(|error| error.to_string())?;
    // From here on a signal ends the shop in order.
    let end = listening::asked_to_end().map_err(|error| format!("no signals: {error}"))?;
    say(&format!("listening on {}", doors.url()))?;

    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(doors.serve(app.router(), stopped));
    end.await;
    tracing::info!("ending");
    stop.send_replace(true);
    if tokio::time::timeout(PATIENCE, serving).await.is_err() {
        tracing::warn!("some requests took too long and were cut off");
    }
    match app.close(PATIENCE).await {
        true => Ok(()),
        false => Err("some changes were still being written".to_owned()),
    }
}

/// `RUST_LOG` says what is printed, as in `RUST_LOG=debug`.
fn start_log() {
    let colours = io::stderr().is_terminal();
    let levels = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    tracing_subscriber::fmt()
        .with_env_filter(levels.from_env_lossy())
        .with_writer(io::stderr)
        .with_ansi(colours)
        .init();
}

fn say(text: &str) -> Result<(), String> {
    let mut out = io::stdout();
    let said = writeln!(out, "{text}").and_then(|()| out.flush());
    said.map_err(|error| format!("cannot print: {error}"))
}
