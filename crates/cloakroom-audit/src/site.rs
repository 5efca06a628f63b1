//! The one door for requests: what may be asked, how fast, how often, and the log of what was.

use crate::ask::{Ask, Fetch, Heard, Silence};
use crate::exchange::{BODY_KEPT, Exchange, Probe};
use crate::mask::shown_url;
use crate::visitor::Visitor;
use cloakroom_cookie::browser::{Address, AddressError};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How much may be asked of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The time between the beginnings of two requests. Zero asks as fast as answers come.
    pub gap: Duration,
    /// The requests that are made at most.
    pub most: usize,
}

/// Ten requests a second, which a person with two open tabs makes too.
const GAP: Duration = Duration::from_millis(100);
/// A crawl of 2,000 pages and the experiments of every rule fit; a loop of the site or of ours ends.
const REQUESTS_MOST: usize = 10_000;

impl Default for Pace {
    fn default() -> Self {
        Self { gap: GAP, most: REQUESTS_MOST }
    }
}

/// Bodies are kept up to this sum, 64 MiB; later ones are read and then let go.
const BODIES_KEPT: usize = 64 * 1024 * 1024;

/// A site that may be asked.
///
/// Everything that is asked goes through [`ask`](Self::ask), so that the scope and the pace hold for every
/// room of an audit, and what was heard so far is there even if the rest never comes.
pub struct Site<F> {
    fetch: F,
    start: String,
    scope: Vec<Address>,
    pace: Pace,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: usize,
    /// When the next request may begin.
    free_at: Duration,
    bodies: usize,
    exchanges: Vec<Exchange>,
    silences: Vec<(String, Silence)>,
}

impl<F: Fetch> Site<F> {
    /// The site at `start`, an absolute address. Only its origin may be asked.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if `start` is no absolute web address.
    pub fn new(fetch: F, start: &str, pace: Pace) -> Result<Self, AddressError> {
        let scope = vec![Address::parse(start)?];
        let start = start.to_owned();
        Ok(Self { fetch, start, scope, pace, state: Mutex::default() })
    }

    /// Lets the origin of `address` be asked as well.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if it is no absolute web address.
    pub fn allow(&mut self, address: &str) -> Result<(), AddressError> {
        self.scope.push(Address::parse(address)?);
        Ok(())
    }

    /// The address that was given.
    pub fn start(&self) -> &str {
        &self.start
    }

    /// The way to ask.
    pub const fn fetch(&self) -> &F {
        &self.fetch
    }

    /// Whether the address may be asked.
    pub fn is_in_scope(&self, address: &Address) -> bool {
        self.scope.iter().any(|origin| origin.is_same_origin(address))
    }

    /// A browser that was never there.
    pub fn visitor(&self) -> Visitor<'_, F> {
        Visitor::new(self)
    }

    /// Asks as it stands, waits for its turn before, and keeps what comes with the reason for it.
    ///
    /// # Errors
    ///
    /// [`Silence`] if no response came, if the address is out of scope, or if too much was asked.
    pub async fn ask(&self, ask: &Ask, probe: Probe) -> Result<Exchange, Silence> {
        let result = self.ask_quietly(ask, probe).await;
        let mut state = self.state();
        match &result {
            Ok(exchange) => {
                let mut kept = exchange.clone();
                if state.bodies.saturating_add(kept.body().len()) > BODIES_KEPT {
                    kept.forget_body();
                }
                state.bodies += kept.body().len();
                state.exchanges.push(kept);
            }
            Err(silence) => state.silences.push((shown_url(&ask.url), silence.clone())),
        }
        result
    }

    /// The same without keeping it: for experiments, which keep their own exchanges.
    ///
    /// # Errors
    ///
    /// As [`ask`](Self::ask).
    pub async fn ask_quietly(&self, ask: &Ask, probe: Probe) -> Result<Exchange, Silence> {
        self.wait_for_turn(ask).await?;
        let at = self.fetch.now().as_secs();
        let heard = self.fetch.fetch(ask).await?;
        exchange(ask, heard, at, probe).map_err(|_| Silence::OutOfScope(shown_url(&ask.url)))
    }

    /// Asks for a file whose whole body counts, which an exchange does not keep; nothing of it is logged.
    pub(crate) async fn hear(&self, ask: &Ask) -> Result<Heard, Silence> {
        self.wait_for_turn(ask).await?;
        self.fetch.fetch(ask).await
    }

    /// What was heard so far, without a copy of it.
    pub(crate) fn look<R>(&self, at: impl FnOnce(&[Exchange]) -> R) -> R {
        at(&self.state().exchanges)
    }

    async fn wait_for_turn(&self, ask: &Ask) -> Result<(), Silence> {
        let outside = || Silence::OutOfScope(shown_url(&ask.url));
        let address = Address::parse(&ask.url).map_err(|_| outside())?;
        if !self.is_in_scope(&address) {
            return Err(outside());
        }
        let wait = self.turn()?;
        if !wait.is_zero() {
            self.fetch.pause(wait).await;
        }
        Ok(())
    }

    /// Asks out of turn, for requests whose point is that they come together. They count, and those after
    /// them wait for as long as these would have taken. Nothing is kept.
    pub(crate) async fn ask_at_once(&self, ask: &Ask, probe: Probe) -> Result<Exchange, Silence> {
        let outside = || Silence::OutOfScope(shown_url(&ask.url));
        let address = Address::parse(&ask.url).map_err(|_| outside())?;
        if !self.is_in_scope(&address) {
            return Err(outside());
        }
        let _ = self.turn()?;
        let at = self.fetch.now().as_secs();
        let heard = self.fetch.fetch(ask).await?;
        exchange(ask, heard, at, probe).map_err(|_| outside())
    }

    /// Counts a request, and says how long it has to wait.
    fn turn(&self) -> Result<Duration, Silence> {
        let mut state = self.state();
        if state.asked >= self.pace.most {
            return Err(Silence::Exhausted(format!("{} requests were made", state.asked)));
        }
        state.asked += 1;
        let now = self.fetch.now();
        let begin = state.free_at.max(now);
        state.free_at = begin + self.pace.gap;
        Ok(begin - now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is one step, so that a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests were made.
    pub fn asked(&self) -> usize {
        self.state().asked
    }

    /// What was heard so far, in the order of the answers.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.state().exchanges.clone()
    }

    /// Which addresses gave no answer, as reports show them, and why.
    pub fn silences(&self) -> Vec<(String, Silence)> {
        self.state().silences.clone()
    }
}

impl<F> fmt::Debug for Site<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("start", &shown_url(&self.start))
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

fn exchange(ask: &Ask, heard: Heard, at: u64, probe: Probe) -> Result<Exchange, AddressError> {
    let mut exchange = Exchange::new(&ask.method, &ask.url, heard.status, at)?;
    exchange.request = ask.headers.clone();
    exchange.response = heard.headers;
    exchange.probe = probe;
    exchange.keep_body(heard.body.get(..BODY_KEPT).unwrap_or(&heard.body));
    if heard.is_cut || heard.body.len() > BODY_KEPT {
        exchange.mark_cut();
    }
    Ok(exchange)
}
