//! A JSON service that counts for its visitors: the same program on every store, started as often
//! as one likes.
//!
//! ```sh
//! cargo run -p tally -- --store sqlite:tally.db --addr 127.0.0.1:8081
//! ```
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | `{"user":null,"count":3}` |
//! | `POST /count` | the same, one higher |
//! | `POST /sign-in` with `{"name":"ada"}` | 204; the count goes along |
//! | `POST /sign-out` | 204; the session is over |
//!
//! It believes every name, since sessions and not passwords are its subject: loopback only.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use cloakroom::store::{Limit, Reach, Registry, Store as _};
use cloakroom::{NearCache, Result, Session, SessionData, Sessions, StoreUrl};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

const USAGE: &str = "usage: tally [--addr IP:PORT] [--store URL] [--near]

  --addr IP:PORT  where to listen, loopback only; port 0 takes any free one  (127.0.0.1:8081)
  --store URL     memory:, sqlite:PATH, redis://HOST, redis+sentinel://HOST,HOST/NAME,
                  redis-cluster://HOST,HOST or postgres://USER@HOST/DATABASE  (memory:)
  --near          keeps sessions near that this process has read";

/// How long requests under way may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Default, SessionData)]
struct Tally {
    #[data(on_login = keep)]
    count: u64,
}

#[derive(Serialize)]
struct Told {
    user: Option<String>,
    count: u64,
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
}

async fn show(session: Session<Tally>) -> Json<Told> {
    Json(told(&session, session.data().count))
}

async fn count(mut session: Session<Tally>) -> Result<Json<Told>> {
    let counted = session.update(|tally| {
        tally.count += 1;
        tally.count
    });
    let count = counted.await?;
    Ok(Json(told(&session, count)))
}

async fn sign_in(mut session: Session<Tally>, Json(who): Json<SignIn>) -> Result<StatusCode> {
    session.login(&*who.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sign_out(session: Session<Tally>) -> Result<StatusCode> {
    session.logout().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn told(session: &Session<Tally>, count: u64) -> Told {
    Told { user: session.user().map(|user| user.as_str().to_owned()), count }
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).init();
    if std::env::args().skip(1).any(|word| word == "--help" || word == "-h") {
        let _ = writeln!(io::stdout(), "{USAGE}");
        return ExitCode::SUCCESS;
    }
    let done = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => serve(&arguments).await.map_err(|error| error.to_string()),
        Err(problem) => {
            let _ = writeln!(io::stderr(), "tally: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(io::stderr(), "tally: {problem}");
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    address: SocketAddr,
    store: StoreUrl,
    near: bool,
}

fn arguments(words: impl IntoIterator<Item = String>) -> std::result::Result<Arguments, String> {
    let mut near = false;
    let mut address = SocketAddr::from(([127, 0, 0, 1], 8081));
    let mut store: StoreUrl = "memory:".parse().map_err(|error| format!("{error}"))?;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--addr" => {
                address = value()?.parse().map_err(|_| "--addr needs IP:PORT".to_owned())?
            }
            "--store" => store = value()?.parse().map_err(|error| format!("--store: {error}"))?,
            "--near" => near = true,
            other => return Err(format!("{other} is not an argument of tally")),
        }
    }
    match address.ip().is_loopback() {
        true => Ok(Arguments { address, store, near }),
        false => Err(format!("{address} is not this machine's own: everybody could sign in")),
    }
}

async fn serve(arguments: &Arguments) -> std::result::Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(arguments.address).await?;
    let store = arguments.store.open().await?;
    let store = if arguments.near { Arc::new(NearCache::new(store)) } else { store };
    let sessions = sessions(Arc::clone(&store))?;
    let app = Router::new()
        .route("/", get(show))
        .route("/count", post(count))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .layer(sessions.layer());
    let mut out = io::stdout();
    writeln!(out, "listening on {}", listener.local_addr()?)?;
    out.flush()?;
    axum::serve(listener, app).with_graceful_shutdown(asked_to_end()).await?;
    sessions.shutdown(PATIENCE).await;
    Ok(tokio::time::timeout(PATIENCE, store.close()).await??)
}

/// As many processes as the store can serve; whoever writes `memory:` has said what that means.
fn sessions(
    store: Arc<dyn Registry>,
) -> std::result::Result<Sessions<Tally>, cloakroom::PolicyError> {
    let reach = store.reach();
    let builder = Sessions::builder(store).per_user(Limit::keep_newest(5));
    match reach {
        Reach::Process => builder.dangerous_sessions_end_with_the_process(),
        Reach::Host => builder.several_processes(),
        Reach::Network => builder.several_machines(),
    }
    .build()
}

async fn asked_to_end() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
