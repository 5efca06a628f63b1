//! Timeouts probed on a server with a clock that only this test moves.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what goes wrong fails the test")]

use cloakroom_audit::{
    Answer, Ask, Declared, Fetch, Headers, Heard, Observed, Pace, Script, Silence, Site, Timeline,
    open_sessions, rule, visit_sessions,
};
use std::cell::{Cell, RefCell};
use std::time::Duration;

const START: u64 = 1_790_000_000;

/// What the server promises, and does; seconds.
#[derive(Clone, Copy)]
struct Server {
    idle: u64,
    absolute: u64,
    max_age: Option<u64>,
    /// More sessions of one user end the oldest.
    sessions: usize,
}

const GOOD: Server = Server { idle: 600, absolute: 3_600, max_age: None, sessions: 100 };

/// When it began, and when it was used last.
type Session = (u64, u64);

struct Running {
    server: Server,
    clock: Cell<u64>,
    sessions: RefCell<Vec<Option<Session>>>,
}

impl Running {
    fn new(server: Server) -> Self {
        Self { server, clock: Cell::new(START), sessions: RefCell::default() }
    }

    fn log_in(&self) -> Heard {
        let now = self.clock.get();
        let mut sessions = self.sessions.borrow_mut();
        sessions.push(Some((now, now)));
        let surplus = sessions.len().saturating_sub(self.server.sessions);
        sessions.iter_mut().take(surplus).for_each(|session| *session = None);
        let age = self.server.max_age.map(|age| format!("; Max-Age={age}")).unwrap_or_default();
        let number = sessions.len();
        let line = format!("session=secret-{number:020}; Path=/; HttpOnly{age}");
        heard(303, &[("Location", "/me"), ("Set-Cookie", &line)])
    }

    fn whoami(&self, ask: &Ask) -> Heard {
        let cookie = ask.headers.text("cookie").unwrap_or_default().into_owned();
        let number =
            cookie.split_once("session=secret-").and_then(|(_, digits)| digits.parse().ok());
        let mut sessions = self.sessions.borrow_mut();
        let session = number.and_then(|number: usize| sessions.get_mut(number - 1));
        let now = self.clock.get();
        let live = session.filter(|session| {
            session.is_some_and(|(began, used)| {
                now - used < self.server.idle && now - began < self.server.absolute
            })
        });
        match live {
            Some(Some(session)) => {
                session.1 = now;
                heard(200, &[])
            }
            Some(None) | None => heard(401, &[]),
        }
    }
}

fn heard(status: u16, fields: &[(&str, &str)]) -> Heard {
    let mut headers = Headers::default();
    fields.iter().for_each(|(name, value)| headers.push(name, *value));
    Heard { status, headers, body: Vec::new(), is_cut: false }
}

impl Fetch for Running {
    async fn fetch(&self, ask: &Ask) -> Result<Heard, Silence> {
        match ask.url.strip_prefix("https://shop.example") {
            Some("/login") => Ok(self.log_in()),
            Some("/me") => Ok(self.whoami(ask)),
            Some(_) | None => Ok(heard(404, &[])),
        }
    }

    async fn pause(&self, time: Duration) {
        self.clock.set(self.clock.get() + time.as_secs());
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.clock.get())
    }
}

fn script(policy: &str) -> Script {
    let text = format!(
        "origin = 'https://shop.example'\n[login]\npath = '/login'\nform = {{ user = 'ada' }}\n\
         [whoami]\npath = '/me'\nsigned_in = {{ status = 200 }}\nsigned_out = {{ status = 401 }}\n\
         [policy]\n{policy}"
    );
    Script::read(&text, |_| None).unwrap()
}

const DECLARED: &str = "idle = '10m'\nabsolute = '1h'\n";

fn site(running: &Running) -> Site<&Running> {
    let pace = Pace { gap: Duration::ZERO, most: 10_000 };
    Site::new(running, "https://shop.example/", pace).unwrap()
}

/// Waits until all was asked or the clock shows `until`, and saves and loads in between as a command does.
fn wait(
    running: &Running,
    script: &Script,
    timeline: Option<Timeline>,
    wait: u64,
    until: u64,
) -> Timeline {
    let site = site(running);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut timeline = match timeline {
            Some(timeline) => timeline,
            None => open_sessions(&site, script, Duration::from_secs(wait)).await.unwrap(),
        };
        while let Some(at) = timeline.next().filter(|at| *at <= until) {
            running.clock.set(running.clock.get().max(at));
            let visits = visit_sessions(&site, script, &mut timeline).await.unwrap();
            assert!(visits > 0, "nothing was due at {at}");
            timeline = Timeline::load(&timeline.save()).unwrap();
        }
        timeline
    })
}

fn waited(server: Server, policy: &str, seconds: u64) -> Timeline {
    wait(&Running::new(server), &script(policy), None, seconds, u64::MAX)
}

fn answers(timeline: &Timeline) -> [Answer; 3] {
    let observed = Observed::new(Vec::new(), Declared::default()).with_scenes(timeline.scenes());
    ["T01", "T02", "T03"].map(|id| rule(id).unwrap().judge(&observed))
}

fn words(timeline: &Timeline) -> [&'static str; 3] {
    answers(timeline).map(|answer| answer.as_str())
}

#[test]
fn a_server_that_keeps_its_word_holds_and_each_defect_is_found_by_its_own_rule() {
    const LONG: u64 = 7_000;
    let age = Some(1_200);
    for (name, server, expected) in [
        ("good", Server { max_age: age, ..GOOD }, ["holds", "holds", "holds"]),
        ("never idle", Server { idle: u64::MAX, ..GOOD }, ["broken", "holds", "not decided"]),
        ("never over", Server { absolute: u64::MAX, ..GOOD }, ["holds", "broken", "not decided"]),
        (
            "only the browser",
            Server { idle: u64::MAX, absolute: u64::MAX, max_age: age, ..GOOD },
            ["broken", "broken", "broken"],
        ),
    ] {
        let timeline = waited(server, DECLARED, LONG);

        assert_eq!(words(&timeline), expected, "{name}: {:?}", answers(&timeline));
        assert!(!format!("{:?} {timeline:?}", answers(&timeline)).contains("secret-"), "{name}");
    }
}

#[test]
fn a_probe_disturbs_the_clock_of_no_other_session() {
    // Were one session asked again and again, an idle timeout of 10 min would never come.
    let timeline = waited(GOOD, "idle = '10m'\n", 660);

    let [idle, ..] = answers(&timeline);
    assert_eq!(idle.as_str(), "holds", "{idle:?}");
}

#[test]
fn a_wait_that_was_ended_goes_on_where_it_was() {
    let (running, script) = (Running::new(GOOD), script(DECLARED));

    let early = wait(&running, &script, None, 4_000, START + 500);
    let early_words = words(&early);
    let resumed = Timeline::load(&early.save()).unwrap();
    running.clock.set(START + 520);
    let whole = wait(&running, &script, Some(resumed), 4_000, u64::MAX);

    assert_eq!(early_words, ["not decided"; 3]);
    assert_eq!(words(&whole)[..2], ["holds", "holds"], "{:?}", answers(&whole));
}

#[test]
fn a_site_that_ends_older_sessions_decides_nothing_by_that() {
    let timeline = waited(Server { sessions: 1, ..GOOD }, DECLARED, 4_000);
    let few = waited(
        Server { sessions: 1, idle: u64::MAX, ..GOOD },
        "idle = '10m'\nabsolute = '1h'\nsessions = 1\n",
        4_000,
    );

    // The session that was to be kept active was over from the beginning.
    assert_eq!(words(&timeline)[..2], ["holds", "not decided"], "{:?}", answers(&timeline));
    assert_eq!(words(&few)[0], "broken", "{:?}", answers(&few));
}

#[test]
fn a_timeline_of_another_site_is_not_gone_on_with() {
    let running = Running::new(GOOD);
    let mut timeline = wait(&running, &script(DECLARED), None, 4_000, START);
    let text = "origin = 'https://other.example'\n[login]\npath = '/in'\n[whoami]\npath = '/me'\n\
        signed_in = { status = 200 }";
    let other = Script::read(text, |_| None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();

    let refused = runtime.block_on(visit_sessions(&site(&running), &other, &mut timeline));

    assert!(refused.is_err_and(|why| why.contains("the script of https://other.example")));
}
