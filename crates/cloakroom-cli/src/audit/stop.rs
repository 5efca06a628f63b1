//! An end by hand or by the clock, after which nothing is asked and everything that was heard counts.

use cloakroom_audit::{Ask, Drive, Driven, Fetch, Heard, Silence};
use std::time::Duration;
use tokio::sync::watch;

/// Why nothing more is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A person pressed Ctrl-C.
    ByHand,
    /// The time that was given is over.
    TimeIsUp,
}

impl Stop {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "it was interrupted",
            Self::TimeIsUp => "the time was up",
        }
    }
}

/// A way to ask that ends when it is told to: whoever asks then hears [`Silence::Exhausted`], and finishes
/// in order.
pub(super) struct Stoppable<F> {
    inner: F,
    stop: watch::Receiver<Option<Stop>>,
}

impl<F> Stoppable<F> {
    /// Ends with Ctrl-C or after `limit`, whichever is first. It needs a runtime around it.
    pub(super) fn new(inner: F, limit: Duration) -> Self {
        let (told, stop) = watch::channel(None);
        tokio::spawn(async move {
            let why = tokio::select! {
                Ok(()) = tokio::signal::ctrl_c() => Stop::ByHand,
                () = tokio::time::sleep(limit) => Stop::TimeIsUp,
            };
            let _ = told.send(Some(why));
            // The channel stays open, so that nobody takes its end for a stop.
            std::future::pending::<()>().await;
        });
        Self { inner, stop }
    }

    /// Why nothing more is asked, if so.
    pub(super) fn stopped(&self) -> Option<Stop> {
        *self.stop.borrow()
    }

    async fn stop(&self) -> Stop {
        let mut stop = self.stop.clone();
        let told = stop.wait_for(Option::is_some).await.ok().and_then(|why| *why);
        match told {
            Some(why) => why,
            None => std::future::pending().await,
        }
    }
}

impl<F: Fetch> Fetch for Stoppable<F> {
    async fn fetch(&self, ask: &Ask) -> Result<Heard, Silence> {
        tokio::select! {
            biased;
            why = self.stop() => Err(Silence::Exhausted(why.as_str().to_owned())),
            answer = self.inner.fetch(ask) => answer,
        }
    }

    async fn pause(&self, time: Duration) {
        tokio::select! {
            biased;
            _ = self.stop() => {}
            () = self.inner.pause(time) => {}
        }
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    async fn drive(&self, drive: &Drive) -> Result<Vec<Driven>, Silence> {
        tokio::select! {
            biased;
            why = self.stop() => Err(Silence::Exhausted(why.as_str().to_owned())),
            driven = self.inner.drive(drive) => driven,
        }
    }
}
