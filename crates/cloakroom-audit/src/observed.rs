//! Everything that was seen of a site, read once for all rules.

use crate::exchange::{Exchange, Probe};
use crate::line::Line;
use crate::role::{self, Role};
use crate::scene::{Experiment, Scene};
use crate::staged::session_sets;
use cloakroom_cookie::browser::Address;
use std::collections::BTreeMap;
use std::fmt;

/// What the person who asks knows about the site.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// Names of cookies that are the session.
    pub sessions: Vec<String>,
    /// Names of cookies that the site cannot do without, so that nobody need agree to them.
    pub necessary: Vec<String>,
}

/// Exchanges with one site, and the cookies in them.
///
/// ```
/// use cloakroom_audit::{Declared, Exchange, Observed};
///
/// let mut page = Exchange::new("GET", "https://shop.example/", 200, 1_790_000_000)?;
/// page.response.push("Set-Cookie", "session=q8Zr31LkP0vTn5YxBm2Wgk");
/// let observed = Observed::new(vec![page], Declared::default());
/// assert_eq!(observed.cookie_names(), ["session"]);
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone)]
pub struct Observed {
    exchanges: Vec<Exchange>,
    elsewhere: usize,
    lines: Vec<Line>,
    declared: Declared,
    scenes: Vec<Scene>,
}

impl Observed {
    /// Reads the cookies of `exchanges`. Those with other sites than the first one's are left out,
    /// and counted.
    pub fn new(exchanges: Vec<Exchange>, declared: Declared) -> Self {
        let all = exchanges.len();
        let site = exchanges.first().map(|first| first.address().site().domain().to_owned());
        let is_own =
            |exchange: &Exchange| site.as_deref() == Some(exchange.address().site().domain());
        let exchanges: Vec<_> = exchanges.into_iter().filter(is_own).collect();
        let mut observed = Self {
            elsewhere: all - exchanges.len(),
            lines: lines(&exchanges),
            exchanges,
            declared,
            scenes: Vec::new(),
        };
        observed.assign_roles();
        observed
    }

    /// Adds what was tried with a user. Which cookies are the session is known then, and no guess.
    #[must_use]
    pub fn with_scenes(mut self, scenes: Vec<Scene>) -> Self {
        self.scenes = scenes;
        let found = session_sets(&self).into_iter().flatten();
        self.declared.sessions.extend(found);
        self.assign_roles();
        self
    }

    /// The experiments with a user, in the order in which they were carried out.
    pub fn scenes(&self) -> &[Scene] {
        &self.scenes
    }

    /// The cookies that are the session, as it was found by leaving others out: each entry is a set that
    /// is enough, the first one that of an ordinary login. Empty if nobody signed in.
    pub fn session_cookies(&self) -> Vec<Vec<String>> {
        session_sets(self).into_iter().map(|set| set.into_iter().collect()).collect()
    }

    pub(crate) fn scene(&self, experiment: Experiment) -> Option<&Scene> {
        self.scenes.iter().find(|scene| scene.experiment == experiment)
    }

    fn assign_roles(&mut self) {
        let mut roles: BTreeMap<String, Role> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| !line.deletes) {
            let name = line.name_text();
            let guessed = match self.declared.sessions.contains(&name) {
                true => Role::Session,
                false => role::guess(&name, &line.value),
            };
            // A cookie has one role: the most telling of its values decides.
            let known = roles.entry(name).or_insert(guessed);
            *known = (*known).min(guessed);
        }
        for line in &mut self.lines {
            line.role = roles.get(&line.name_text()).copied().unwrap_or(Role::Other);
        }
    }

    /// The exchanges with the site, in their order.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// How many exchanges were with other sites.
    pub const fn elsewhere(&self) -> usize {
        self.elsewhere
    }

    /// The address of the first exchange.
    pub fn address(&self) -> Option<&Address> {
        self.exchanges.first().map(Exchange::address)
    }

    /// The names of all cookies that were set, in order and each once.
    pub fn cookie_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.setting().map(Line::shown_name).collect();
        names.sort();
        names.dedup();
        names
    }

    pub(crate) const fn declared(&self) -> &Declared {
        &self.declared
    }

    /// Every line.
    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lines that set a cookie.
    pub(crate) fn setting(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.deletes)
    }

    /// The lines that set a cookie of this role.
    pub(crate) fn setting_role(&self, role: Role) -> impl Iterator<Item = &Line> {
        self.setting().filter(move |line| line.role == role)
    }

    pub(crate) fn exchange_of(&self, line: &Line) -> Option<&Exchange> {
        self.exchanges.get(line.exchange)
    }

    /// The exchanges that were asked for this reason.
    pub(crate) fn probed(&self, probe: Probe) -> impl Iterator<Item = (usize, &Exchange)> {
        self.exchanges.iter().enumerate().filter(move |(_, exchange)| exchange.probe == probe)
    }

    /// The values that session cookies were set to, each once, with the name.
    pub(crate) fn session_values(&self) -> Vec<(String, &[u8])> {
        let mut values: Vec<_> = self
            .setting_role(Role::Session)
            .filter(|line| !line.value.is_empty())
            .map(|line| (line.name_text(), line.value.as_slice()))
            .collect();
        values.sort();
        values.dedup();
        values
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed")
            .field("exchanges", &self.exchanges)
            .field("cookies", &self.cookie_names())
            .finish_non_exhaustive()
    }
}

fn lines(exchanges: &[Exchange]) -> Vec<Line> {
    let of_one = |(index, exchange): (usize, &Exchange)| {
        let lines = exchange.response.all("set-cookie");
        lines.map(|raw| Line::read(index, raw, exchange.at())).collect::<Vec<_>>()
    };
    // What an answer to planted cookies sets says nothing about what visitors are given.
    let asked = exchanges.iter().enumerate();
    asked.filter(|(_, exchange)| exchange.probe != Probe::Hostile).flat_map(of_one).collect()
}
