//! Random requests of several browsers, with clients that hang up at any moment and a store that
//! fails before or after a write took effect.
//!
//! What must hold whatever happens: an acknowledged change is there once, one that was not is there
//! at most once, what ended lives no more, nobody becomes somebody else without a login of their
//! browser, no outage signs anybody out, nobody hangs and nothing panics.

mod judge;
mod script;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::store::{By, Factors, SessionId, Timestamp, UserId};
use cloakroom::{Clock, ErrorKind, Result, Session};
use cloakroom_conformance::interleaving::{Answers, Fate};
use cloakroom_conformance::model;
use http::{HeaderMap, StatusCode};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use tokio::task::JoinHandle;

use crate::place::{Place, SCRIPTS};
use crate::support::{Front, IDLE, Shop, World, is_long, request_headers, set_cookie};
use judge::{Reached, judge};
use script::{BROWSERS, Do, PROCESSES, Script, Step};

/// How old a token may become before its session is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(700);

/// What the requests of one script left behind, in the order in which it happened.
#[derive(Debug, Default)]
pub struct Log {
    pub entries: Vec<Entry>,
    /// The sessions of each user that a browser signed in.
    pub logins: BTreeMap<usize, Vec<String>>,
}

/// One thing that a request was told, or a response.
#[derive(Debug)]
pub struct Entry {
    pub request: usize,
    pub browser: usize,
    /// The service's time.
    pub at: Timestamp,
    pub what: What,
}

#[derive(Debug)]
pub enum What {
    Began,
    /// The session that the handler found.
    Found(Option<Stands>),
    /// The handler asked for something.
    Asked(Do),
    /// Whom the next step is about, beside the session of its request.
    Aimed(Aim),
    /// A step of the handler, and the session that it stands in afterwards.
    Did(Do, Option<Stands>),
    #[allow(dead_code, reason = "the kind is there to be printed")]
    Failed(Do, ErrorKind),
    /// The session that a login or logout leaves.
    Left(Option<Stands>),
    Answered {
        status: StatusCode,
        cookie: Option<Option<String>>,
    },
    Cancelled,
}

/// Whom a step is about.
#[derive(Clone, Debug)]
pub enum Aim {
    /// One session.
    Session(SessionId),
    /// All sessions of a user but one.
    Others(UserId, SessionId),
    /// All sessions of a user.
    All(UserId),
}

/// The session that a handler sees.
#[derive(Clone, Debug)]
pub struct Stands {
    pub id: SessionId,
    pub user: Option<UserId>,
    pub is_staff: bool,
    pub data: Shop,
}

impl Stands {
    fn of(s: &Session<Shop>) -> Option<Self> {
        let is_staff = s.roles().contains("staff");
        s.id().map(|id| Self { id, user: s.user(), is_staff, data: s.data().clone() })
    }
}

/// What is going on in one script.
pub struct Play {
    pub world: World,
    pub log: Arc<Mutex<Log>>,
    tickets: Arc<Mutex<[Option<String>; BROWSERS]>>,
    /// The newest session that each browser stood in.
    ids: Arc<Mutex<[Option<SessionId>; BROWSERS]>>,
    running: Vec<(usize, usize, JoinHandle<()>)>,
    requests: usize,
}

/// One request, and who sends it.
#[derive(Clone)]
struct Sender {
    world: World,
    log: Arc<Mutex<Log>>,
    tickets: Arc<Mutex<[Option<String>; BROWSERS]>>,
    ids: Arc<Mutex<[Option<SessionId>; BROWSERS]>>,
    request: usize,
    browser: usize,
}

impl Sender {
    fn say(&self, what: What) {
        let at = self.world.clock.now();
        let entry = Entry { request: self.request, browser: self.browser, at, what };
        self.log.lock().unwrap().entries.push(entry);
    }

    async fn send(self, process: usize, steps: Vec<Do>) {
        self.say(What::Began);
        let ticket = self.tickets.lock().unwrap()[self.browser].clone();
        let sessions = &self.world.processes[process];
        let (method, uri, mut headers) = request_headers(ticket.as_deref());
        let scope = sessions.open(&method, &uri, &mut headers).unwrap();
        let status = match scope.session().await {
            Ok(s) => self.handle(s, &steps).await,
            Err(error) => error.status(),
        };
        let mut headers = HeaderMap::new();
        let instead = scope.close(status, &mut headers).await;
        let (status, headers) = match &instead {
            Some(response) => (response.status(), response.headers()),
            None => (status, &headers),
        };
        let cookie = set_cookie(headers);
        if let Some(set) = &cookie {
            self.tickets.lock().unwrap()[self.browser].clone_from(set);
        }
        self.say(What::Answered { status, cookie });
    }

    async fn handle(&self, mut s: Session<Shop>, steps: &[Do]) -> StatusCode {
        self.say(What::Found(Stands::of(&s)));
        for step in steps {
            self.say(What::Asked(*step));
            if let Some(stands) = Stands::of(&s) {
                self.ids.lock().unwrap()[self.browser] = Some(stands.id);
            }
            if *step == Do::Logout {
                self.say(What::Left(Stands::of(&s)));
                match s.logout().await {
                    Ok(()) => self.say(What::Did(*step, None)),
                    Err(error) => self.say(What::Failed(*step, error.kind().clone())),
                }
                return StatusCode::OK;
            }
            if let Do::Fail = step {
                return StatusCode::INTERNAL_SERVER_ERROR;
            }
            if let Do::Login(_) = step {
                self.say(What::Left(Stands::of(&s)));
            }
            match self.carry_out(&mut s, *step).await {
                Ok(()) => self.say(What::Did(*step, Stands::of(&s))),
                Err(error) => {
                    self.say(What::Failed(*step, error.kind().clone()));
                    return error.status();
                }
            }
        }
        StatusCode::OK
    }

    async fn carry_out(&self, s: &mut Session<Shop>, step: Do) -> Result<()> {
        let process = &self.world.processes[self.request % PROCESSES];
        let item = u32::try_from(self.request).unwrap();
        match step {
            Do::Read | Do::Fail | Do::Logout => Ok(()),
            Do::Update => s.update(|data| data.cart.push(10 * item)).await,
            Do::Edit => s.edit(move |data| data.cart.push(10 * item + 1)),
            Do::Set => s.set("note", &item),
            Do::Login(user) => {
                let name = script::USERS[user];
                self.log.lock().unwrap().logins.entry(self.browser).or_default().push(name.into());
                s.login(name).await
            }
            Do::Rotate => s.rotate().await,
            Do::StepUp => match s.step_up(Factors::TOTP).await {
                Err(error) if *error.kind() == ErrorKind::NotSignedIn => Ok(()),
                done => done,
            },
            Do::EndOthers => {
                if let (Some(user), Some(here)) = (s.user(), s.id()) {
                    self.say(What::Aimed(Aim::Others(user, here)));
                }
                s.end_others().await.map(drop)
            }
            Do::Roles(user) => {
                let name = script::USERS[user];
                self.say(What::Aimed(Aim::All(UserId::try_from(name).unwrap())));
                process.set_roles(name, &["staff"]).await.map(drop)
            }
            Do::Revoke(browser) => {
                let id = self.ids.lock().unwrap()[browser];
                match id {
                    Some(id) => {
                        self.say(What::Aimed(Aim::Session(id)));
                        process.revoke(id, By::SYSTEM).await.map(drop)
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

impl Play {
    fn new(place: &Place, front: Front) -> Self {
        let rules = |rules: cloakroom::Builder<Shop>| rules.renew_every(RENEW_EVERY);
        let world = World::new(place, front, PROCESSES, Answers::Late, &rules);
        let (log, tickets, ids) = (Arc::default(), Arc::default(), Arc::default());
        Self { world, log, tickets, ids, running: Vec::new(), requests: 0 }
    }

    fn send(&mut self, browser: usize, process: usize, steps: Vec<Do>) {
        self.requests += 1;
        let sender = Sender {
            world: self.world.clone(),
            log: Arc::clone(&self.log),
            tickets: Arc::clone(&self.tickets),
            ids: Arc::clone(&self.ids),
            request: self.requests,
            browser,
        };
        let task = tokio::spawn(sender.send(process, steps));
        self.running.push((self.requests, browser, task));
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Send { browser, process, steps } => {
                self.send(*browser, *process, steps.clone());
            }
            Step::GoOn(index, fate) => match self.world.store.waiting() {
                0 => {}
                waiting => self.world.store.go_on(usize::from(*index) % waiting, *fate),
            },
            Step::HangUp(index) if !self.running.is_empty() => {
                let index = usize::from(*index) % self.running.len();
                let (request, browser, task) = self.running.remove(index);
                if !task.is_finished() {
                    task.abort();
                    let at = self.world.clock.now();
                    let entry = Entry { request, browser, at, what: What::Cancelled };
                    self.log.lock().unwrap().entries.push(entry);
                }
                assert!(!task.await.is_err_and(|error| error.is_panic()), "a request panicked");
            }
            Step::HangUp(_) => {}
            Step::Clock(seconds) => self.world.clock.advance(Duration::from_secs(*seconds)),
            Step::Silence => tokio::time::sleep(Duration::from_secs(61)).await,
        }
        tokio::time::sleep(IDLE).await;
    }

    /// The store answers everything that waits, and every request comes to its end.
    async fn finish(&mut self) -> std::result::Result<(), String> {
        for _ in 0..500 {
            tokio::time::sleep(IDLE).await;
            match self.world.store.waiting() {
                0 if self.running.iter().all(|(_, _, task)| task.is_finished()) => break,
                0 => {}
                _ => self.world.store.go_on(0, Fate::Done),
            }
        }
        for (request, _, task) in self.running.drain(..) {
            if !task.is_finished() {
                return Err(format!("request {request} hangs"));
            }
            task.await.map_err(|error| format!("request {request}: {error}"))?;
        }
        Ok(())
    }

    /// Everybody can go on: no session is locked up by what happened.
    async fn goes_on(&mut self) -> std::result::Result<(), String> {
        self.world.store.set_passing(true);
        let first = self.requests;
        for browser in 0..BROWSERS {
            // A process that heard nothing for long notices within a second that the store is back.
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.send(browser, browser % PROCESSES, vec![Do::Update]);
            self.finish().await?;
        }
        let log = self.log.lock().unwrap();
        let bad = log.entries.iter().filter(|entry| entry.request > first).find(
            |entry| matches!(entry.what, What::Answered { status, .. } if status.is_server_error()),
        );
        bad.map_or(Ok(()), |bad| Err(format!("afterwards: {bad:?}")))
    }
}

fn run(place: &Place, front: Front, script: &Script) -> std::result::Result<Reached, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut play = Play::new(place, front);
        for step in &script.0 {
            play.step(step).await;
        }
        play.finish().await?;
        let ended = judge(&play).await;
        let ended = match ended {
            Ok(reached) => play.goes_on().await.map(|()| reached),
            Err(why) => Err(why),
        };
        ended.map_err(|why| {
            let log: Vec<_> =
                play.log.lock().unwrap().entries.iter().map(|e| format!("{e:?}")).collect();
            format!("{why}\n  {}\n  {}", play.world.store.story().join("\n  "), log.join("\n  "))
        })
    })
}

#[test]
fn whatever_happens_no_law_is_broken() {
    try_scripts(Front::Nothing);
}

#[test]
fn whatever_happens_no_law_is_broken_behind_the_near_cache() {
    try_scripts(Front::Cache);
}

fn try_scripts(front: Front) {
    let seed = model::seed();
    println!("CLOAKROOM_SEED={seed}");
    let config = Config {
        cases: if is_long() { 100 * SCRIPTS } else { SCRIPTS },
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let place = Place::enter();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let (scripts, steps) = (std::cell::Cell::new(0u64), std::cell::Cell::new(0u64));
    let reached = std::cell::RefCell::new(Reached::default());

    let tried = TestRunner::new_with_rng(config, rng).run(&script::scripts(), |script| {
        scripts.set(scripts.get() + 1);
        steps.set(steps.get() + script.0.len() as u64);
        *reached.borrow_mut() += run(&place, front, &script).map_err(TestCaseError::fail)?;
        Ok(())
    });

    match tried {
        Ok(()) => {
            let reached = reached.into_inner();
            println!("{} scripts, {} steps, {reached:?}", scripts.get(), steps.get());
            assert!(reached.is_enough(scripts.get()), "too little came to its end: {reached:?}");
        }
        Err(TestError::Fail(why, script)) => panic!("CLOAKROOM_SEED={seed}{script:?}\n{why}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}
