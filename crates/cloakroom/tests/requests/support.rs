//! A service on a store whose calls wait, scripted requests, and all their schedules.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cloakroom::store::{By, Factors, Registry, SessionId, UserId};
use cloakroom::{Builder, ErrorKind, ManualClock, NearCache, Result, Scope, SessionData, Sessions};
use cloakroom_conformance::interleaving::{Answers, Fate, Orders, Paced};
use cloakroom_conformance::{model, near};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

use crate::place::{NEAR_DRAWN, ORDERS_MAX, Place};

/// What the service of these tests keeps.
#[derive(Clone, Debug, Default, PartialEq, SessionData)]
pub struct Shop {
    #[data(on_login = keep)]
    pub cart: Vec<u32>,
    pub count: u64,
    #[data(on_login = keep, on_logout = keep)]
    pub theme: Option<String>,
    pub note: u32,
}

/// Longer than any pause of a request between two store calls, and far shorter than what a request
/// waits for a store.
pub const IDLE: Duration = Duration::from_millis(100);
const NAME: &str = "__Host-Http-session";

/// What stands between a service and its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    Nothing,
    /// One cache, as in one process.
    Cache,
}

/// One service, in one process or in several on one store.
#[derive(Clone)]
pub struct World {
    pub store: Paced<Arc<dyn Registry>>,
    pub clock: ManualClock,
    pub processes: Vec<Sessions<Shop>>,
    ticks: Arc<AtomicU64>,
}

impl World {
    pub fn new(
        place: &Place,
        front: Front,
        processes: usize,
        answers: Answers,
        rules: &Rules,
    ) -> Self {
        let store = Paced::new(place.open(), answers);
        let clock = ManualClock::at_secs(1_790_000_000);
        let front: Arc<dyn Registry> = match front {
            Front::Nothing => Arc::new(store.clone()),
            Front::Cache => Arc::new(near::in_front(store.clone(), NearCache::new)),
        };
        let process = |_| {
            let builder = Sessions::builder(Arc::clone(&front))
                .dangerous_sessions_end_with_the_process()
                .remember_for(Duration::from_secs(24 * 60 * 60))
                .store_wait(Duration::from_secs(60))
                .clock(clock.clone());
            rules(builder).build().unwrap()
        };
        let processes = (0..processes).map(process).collect();
        Self { store, clock, processes, ticks: Arc::default() }
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    /// A request while the store lets everything pass.
    pub async fn at_once(&self, ticket: Option<&str>, act: Act) -> Reply {
        self.clone().send(0, ticket.map(str::to_owned), act).await
    }

    /// The ticket of a new session in which `acts` were done.
    pub async fn visitor(&self, acts: &[Act]) -> String {
        let mut ticket = None;
        for act in acts {
            let reply = self.at_once(ticket.as_deref(), *act).await;
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
            ticket = reply.cookie.unwrap_or(ticket);
        }
        ticket.unwrap()
    }

    /// What a ticket opens: the user, the id and the data.
    pub async fn opens(&self, ticket: Option<&str>) -> Option<Seen> {
        self.at_once(ticket, Act::Read).await.seen
    }

    /// A request by process number `process`, to be scheduled.
    pub fn request(&self, process: usize, ticket: Option<&str>, act: Act) -> Request {
        Box::pin(self.clone().send(process, ticket.map(str::to_owned), act))
    }

    /// A visitor who did `before`, and then sends requests that do `acts` with one ticket, in turn
    /// to each process.
    pub async fn visit(&self, before: &[Act], acts: &[Act]) -> (String, Vec<Request>) {
        let ticket = self.visitor(before).await;
        let process = |at: usize| at % self.processes.len();
        let requests = acts.iter().enumerate();
        let requests = requests.map(|(at, act)| self.request(process(at), Some(&ticket), *act));
        let requests = requests.collect();
        (ticket, requests)
    }

    async fn send(self, process: usize, ticket: Option<String>, act: Act) -> Reply {
        let sessions = &self.processes[process];
        let (method, uri, mut headers) = request_headers(ticket.as_deref());
        let scope = sessions.open(&method, &uri, &mut headers).unwrap();
        let said = act.carry_out(sessions, &scope).await;
        let acknowledged = self.tick();
        let status = said.as_ref().map_or_else(cloakroom::Error::status, |_| StatusCode::OK);
        let mut headers = HeaderMap::new();
        let instead = scope.close(status, &mut headers).await;
        let head = self.tick();
        let (status, headers) = match &instead {
            Some(response) => (response.status(), response.headers()),
            None => (status, &headers),
        };
        let cookie = set_cookie(headers);
        let failed = said.as_ref().err().map(|error| error.kind().clone());
        Reply { act, status, failed, seen: said.ok().flatten(), cookie, acknowledged, head }
    }
}

/// The head of a request of this service's own pages.
pub fn request_headers(ticket: Option<&str>) -> (Method, Uri, HeaderMap) {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("shop.example"));
    headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    if let Some(ticket) = ticket {
        headers.insert(COOKIE, format!("{NAME}={ticket}").parse().unwrap());
    }
    (Method::POST, Uri::from_static("/"), headers)
}

/// The cookie that a response sets; `Some(None)` deletes it.
pub fn set_cookie(headers: &HeaderMap) -> Option<Option<String>> {
    let mut lines = headers.get_all(SET_COOKIE).iter();
    let line = lines.next()?.to_str().unwrap();
    assert_eq!(lines.next(), None, "one Set-Cookie of ours at most");
    let pair = line.split(';').next().unwrap();
    let ticket = pair.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('=')).unwrap();
    Some((!ticket.is_empty()).then(|| ticket.to_owned()))
}

/// Other rules than the default ones.
pub type Rules = dyn Fn(Builder<Shop>) -> Builder<Shop>;

/// A request on its way.
pub type Request = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// What a handler does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Read,
    Ensure,
    /// Adds to the cart in an update, which has landed when it returns.
    Update(u32),
    /// Adds to the count in an edit, which lands with the response.
    Edit,
    /// Replaces the note.
    Set(u32),
    /// Sets the theme, which stays over a logout.
    Theme,
    Login(&'static str),
    Logout,
    Rotate,
    StepUp,
    EndOthers,
    /// An operator ends this session.
    Revoke(SessionId),
}

/// What a handler saw at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub user: Option<UserId>,
    pub id: SessionId,
    pub data: Shop,
}

impl Act {
    async fn carry_out(
        self,
        sessions: &Sessions<Shop>,
        scope: &Scope<Shop>,
    ) -> Result<Option<Seen>> {
        if let Self::Revoke(id) = self {
            sessions.revoke(id, By::SYSTEM).await?;
            return Ok(None);
        }
        let mut s = scope.session().await?;
        match self {
            Self::Read | Self::Revoke(_) => {}
            Self::Ensure => s.ensure().await?,
            Self::Update(item) => s.update(|data| data.cart.push(item)).await?,
            Self::Edit => s.edit(|data| data.count += 1)?,
            Self::Set(value) => s.set("note", &value)?,
            Self::Theme => s.set("theme", &"dark")?,
            Self::Login(user) => s.login(user).await?,
            Self::Rotate => s.rotate().await?,
            Self::StepUp => s.step_up(Factors::TOTP).await?,
            Self::EndOthers => drop(s.end_others().await?),
            Self::Logout => {
                s.logout().await?;
                return Ok(None);
            }
        }
        Ok(s.id().map(|id| Seen { user: s.user(), id, data: s.data().clone() }))
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub act: Act,
    pub status: StatusCode,
    /// What the handler was told, if it failed.
    pub failed: Option<ErrorKind>,
    pub seen: Option<Seen>,
    pub cookie: Option<Option<String>>,
    /// When the handler knew what came of it, in ticks.
    pub acknowledged: u64,
    /// When the head was built, in ticks.
    pub head: u64,
}

impl Reply {
    pub fn is_ok(&self) -> bool {
        self.status == StatusCode::OK
    }
}

/// Whether there is time for more than a developer waits for: `CLOAKROOM_LONG` is set.
pub fn is_long() -> bool {
    std::env::var_os("CLOAKROOM_LONG").is_some()
}

/// What is tried in every order.
pub struct Scenario<'a> {
    pub name: &'a str,
    pub processes: usize,
    pub answers: Answers,
    pub rules: &'a Rules,
}

impl<'a> Scenario<'a> {
    /// One process, the default rules, and answers that come with their calls.
    pub fn of(name: &'a str) -> Self {
        Self { name, processes: 1, answers: Answers::AtOnce, rules: &|rules| rules }
    }

    /// Answers that may come long after their calls took effect.
    pub fn late(name: &'a str) -> Self {
        Self { answers: Answers::Late, ..Self::of(name) }
    }

    /// Prepares a ticket and requests, runs these once in every order, and judges each time what
    /// came of it: with nothing before the store, and behind the near cache. Says how many orders
    /// there were without it.
    ///
    /// Where a place has an end of its patience, as many orders again are drawn from all of them.
    pub fn explore(
        self,
        prepare: impl AsyncFn(&World) -> (String, Vec<Request>),
        judge: impl AsyncFn(&World, &str, &[Reply]),
    ) -> u64 {
        let place = Place::enter();
        let run = |front: Front, orders: &mut Orders| {
            self.try_once(&place, front, orders, &prepare, &judge);
        };
        let tried = self.walk(|orders| run(Front::Nothing, orders));
        println!("{}: behind the near cache", self.name);
        match NEAR_DRAWN {
            Some(count) => self.draw(count, |orders| run(Front::Cache, orders)),
            None => {
                self.walk(|orders| run(Front::Cache, orders));
            }
        }
        tried
    }

    /// All orders, or as many as a place has the patience for and as many drawn ones.
    fn walk(&self, run: impl Fn(&mut Orders)) -> u64 {
        let mut orders = Orders::new();
        while self.goes_on(&orders) && orders.begin() {
            run(&mut orders);
        }
        println!("{}: {} orders", self.name, orders.tried());
        assert!(orders.tried() > 1, "{}: nothing met anything else", self.name);
        if !self.goes_on(&orders) {
            self.draw(orders.tried(), run);
        }
        orders.tried()
    }

    fn draw(&self, count: u64, run: impl Fn(&mut Orders)) {
        let seed = model::seed();
        println!("{}: {count} drawn by CLOAKROOM_SEED={seed}", self.name);
        let mut drawn = Orders::drawn(count, seed);
        while drawn.begin() {
            run(&mut drawn);
        }
    }

    fn goes_on(&self, orders: &Orders) -> bool {
        is_long() || orders.tried() < ORDERS_MAX
    }

    fn try_once(
        &self,
        place: &Place,
        front: Front,
        orders: &mut Orders,
        prepare: impl AsyncFn(&World) -> (String, Vec<Request>),
        judge: impl AsyncFn(&World, &str, &[Reply]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let world = World::new(place, front, self.processes, self.answers, self.rules);
        let story = Story(world.clone(), self.name);
        runtime.block_on(async {
            world.store.set_passing(true);
            let (ticket, requests) = prepare(&world).await;
            world.store.set_passing(false);
            let replies = run(&world, orders, requests).await;
            judge(&world, &ticket, &replies).await;
        });
        drop(story);
    }
}

/// Tells what happened, if the judge is not content.
struct Story<'a>(World, &'a str);

impl Drop for Story<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}:\n  {}", self.1, self.0.store.story().join("\n  "));
        }
    }
}

async fn run(world: &World, orders: &mut Orders, requests: Vec<Request>) -> Vec<Reply> {
    let tasks: Vec<_> = requests.into_iter().map(tokio::spawn).collect();
    for _ in 0..200 {
        tokio::time::sleep(IDLE).await;
        match world.store.waiting() {
            0 if tasks.iter().all(tokio::task::JoinHandle::is_finished) => break,
            0 => {}
            waiting => world.store.go_on(orders.choose(waiting), Fate::Done),
        }
    }
    assert!(tasks.iter().all(tokio::task::JoinHandle::is_finished), "a request hangs");
    world.store.set_passing(true);
    let mut replies = Vec::new();
    for task in tasks {
        replies.push(task.await.unwrap());
    }
    replies
}
