//! The part of an audit that somebody signs in for.

use super::progress::Progress;
use super::stop::Stoppable;
use crate::client::Client;
use crate::input;
use cloakroom_audit::{CallBack, Playing, Scene, Script, Site, play};
use cloakroom_cookie::browser::Address;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;

/// Requests of all experiments of one script, and the visits of a long wait.
pub(super) const REQUESTS: usize = 4_000;

/// Reads a login script, with the variables of this process.
///
/// # Errors
///
/// A sentence with the line that is wrong, or with the origin if it is not that of `start`.
pub(super) fn script(path: &Path, start: &str) -> Result<Script, String> {
    let shown = path.display();
    let octets = input::file(path)?;
    let text = String::from_utf8(octets).map_err(|_| format!("{shown} is no text"))?;
    let script = Script::read(&text, |name| std::env::var(name).ok())
        .map_err(|error| format!("{shown}: {error}"))?;
    let origin = Address::parse(script.origin().as_str()).map_err(|error| error.to_string())?;
    let is_own = Address::parse(start).is_ok_and(|address| address.is_same_origin(&origin));
    if is_own {
        Ok(script)
    } else {
        Err(format!("{shown} is for {}, and {start} is to be audited", script.origin()))
    }
}

/// Plays every experiment. What was played before an end by hand or by the clock is there.
pub(super) async fn scenes(
    site: &Site<Stoppable<Client>>,
    script: &Script,
    progress: &Progress,
) -> Vec<Scene> {
    let own = own_address(site).await;
    play(site, script, own, |playing| {
        if let Playing::Begins(experiment) = playing {
            progress.says(experiment.as_str());
        }
    })
    .await
}

/// An address of this process, for servers of this machine alone: others could not ask for it.
async fn own_address(site: &Site<Stoppable<Client>>) -> Option<CallBack> {
    if !Address::parse(site.start()).is_ok_and(|address| address.is_loopback()) {
        return None;
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.ok()?;
    let url = format!("http://{}/keys", listener.local_addr().ok()?);
    let was_asked = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&was_asked);
    // It ends with the runtime. Whoever connects has asked; they are told nothing.
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            told.store(true, Ordering::SeqCst);
        }
    });
    Some(CallBack { url, was_asked })
}
