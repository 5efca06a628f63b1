//! A browser does things at random, and what it sees is what a plain model of the laws says.

use axum::http::StatusCode;

use crate::support::*;

const IDLE: u64 = 30 * MINUTE;
const ABSOLUTE: u64 = 12 * HOUR;
const REMEMBERED: u64 = 30 * DAY;

/// What the laws say of one browser.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    now: u64,
    user: Option<&'static str>,
    factors: Vec<&'static str>,
    absolute: u64,
    remembered: Option<u64>,
    cart: Vec<String>,
    count: u32,
    theme: Option<String>,
    note: String,
    roles: Vec<&'static str>,
}

impl Model {
    /// Time passes; a session that is over leaves nothing, or a remembered user.
    fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        if seconds < IDLE && self.now < self.absolute {
            return;
        }
        match self.remembered {
            Some(until) if self.now < until => {
                self.factors = vec!["remembered"];
                self.begin();
            }
            Some(_) | None => *self = Self { now: self.now, ..Self::default() },
        }
    }

    /// A new session, with what is declared to go along at a login.
    fn begin(&mut self) {
        self.absolute = self.now + ABSOLUTE;
        self.count = 0;
        self.note.clear();
    }

    /// A write of somebody who has no session yet begins one.
    fn write(&mut self) {
        if self.absolute == 0 {
            self.absolute = self.now + ABSOLUTE;
        }
    }

    fn login(&mut self, user: &'static str, remembered: bool) {
        self.roles.clear();
        if self.user.is_some_and(|before| before != user) {
            self.cart.clear();
            self.theme = None;
        }
        self.user = Some(user);
        self.factors = vec!["password"];
        self.remembered = remembered.then(|| self.now + REMEMBERED);
        self.begin();
    }

    fn logout(&mut self) {
        let (now, theme) = (self.now, self.theme.take().filter(|_| self.absolute > 0));
        *self = Self { now, theme, ..Self::default() };
        if self.theme.is_some() {
            self.write();
        }
    }

    fn step_up(&mut self) -> bool {
        if self.user.is_some() {
            self.factors.retain(|factor| !matches!(*factor, "remembered" | "totp"));
            self.factors.push("totp");
            self.absolute = self.now + ABSOLUTE;
        }
        self.user.is_some()
    }

    /// In how many sessions of `user` an operator changes the roles.
    fn set_roles(&mut self, user: &str, roles: &[&'static str]) -> u64 {
        if self.user != Some(user) {
            return 0;
        }
        self.roles = roles.to_vec();
        1
    }

    fn who(&self) -> String {
        match self.user {
            Some(user) => format!("{user} {}", self.factors.join("+")),
            None => "nobody".into(),
        }
    }

    fn data(&self) -> String {
        let Self { cart, count, theme, note, .. } = self;
        let theme = theme.as_deref().unwrap_or("-");
        format!("cart={} count={count} theme={theme} note={note}", cart.join("+"))
    }
}

/// One step of both: its name, and whether the answer is to be a success.
async fn step(model: &mut Model, browser: &Browser, random: &mut Random) -> (String, bool) {
    let value = ["red", "dark", "x"][random.below(3)].to_owned();
    let user = ["ada", "bea"][random.below(2)];
    let mut succeeds = true;
    let path = match random.below(18) {
        0 | 1 => {
            let seconds = [5 * MINUTE, 5 * MINUTE, 31 * MINUTE, DAY, 31 * DAY][random.below(5)];
            browser.house.seconds(seconds);
            model.wait(seconds);
            return (format!("wait {seconds}"), true);
        }
        2 | 3 => {
            model.count += 1;
            model.write();
            "/add".to_owned()
        }
        4 => {
            model.count += 1;
            model.write();
            "/edit".to_owned()
        }
        5 => {
            model.cart.push(value.clone());
            model.write();
            format!("/cart/{value}")
        }
        6 => {
            model.theme = Some(value.clone());
            model.write();
            format!("/theme/{value}")
        }
        7 => {
            model.note.clone_from(&value);
            model.write();
            format!("/set/note/{value}")
        }
        8 => {
            succeeds = false;
            "/fail/500".to_owned()
        }
        9 => {
            model.write();
            "/ensure".to_owned()
        }
        10 => "/rotate".to_owned(),
        11 => {
            succeeds = model.step_up();
            "/step-up".to_owned()
        }
        12 => {
            model.logout();
            "/logout".to_owned()
        }
        13 | 14 => {
            let roles: &[&'static str] =
                [&["staff", "buyer"][..], &["buyer"], &[]][random.below(3)];
            let changed = browser.house.sessions.set_roles(user, roles).await.unwrap();
            assert_eq!(changed, model.set_roles(user, roles), "{user} is {roles:?}");
            return (format!("{user} is {roles:?}"), true);
        }
        15 => {
            model.login(user, true);
            format!("/remember/{user}")
        }
        _ => {
            model.login(user, false);
            format!("/login/{user}")
        }
    };
    let reply = browser.post(&path).await;
    assert_eq!(reply.status == StatusCode::OK, succeeds, "{path}: {reply:?}");
    (path, succeeds)
}

#[tokio::test]
async fn a_browser_sees_what_the_model_says() {
    let mut random = random();

    for round in 0..60 {
        let house = House::shop();
        let browser = house.browser();
        let mut model = Model { now: START, ..Model::default() };
        let mut script = Vec::new();
        for _ in 0..60 {
            let (path, _) = step(&mut model, &browser, &mut random).await;
            script.push(path);
            let shown = (browser.body("/who").await, browser.body("/data").await);
            assert_eq!(shown, (model.who(), model.data()), "round {round}: {script:?}");
            let roles = browser.body("/roles").await;
            assert_eq!(roles, model.roles.join("+"), "round {round}: {script:?}");
        }
        let sessions = house.sessions.count().await.unwrap();
        let expected = u64::from(model.absolute > 0);
        assert_eq!(sessions.sessions, expected, "round {round}: one at most {script:?}");
        assert_eq!(sessions.signed_in, u64::from(model.user.is_some()), "{script:?}");
    }
}
