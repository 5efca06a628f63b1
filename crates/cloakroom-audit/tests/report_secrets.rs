//! Secrets planted wherever a site and a browser can put one, and searched for in every format.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use cloakroom_audit::{
    Declared, Detail, Exchange, Experiment, Facts, Format, Look, Observed, Probe, Recognised,
    Report, Scene, Step, Take,
};

const NOW: u64 = 1_790_000_000;

/// Each takes some seconds, most of them in searching.
const SEEDS: u64 = 6;

const EXPERIMENTS: [Experiment; 6] = [
    Experiment::SignIn,
    Experiment::Replayed,
    Experiment::OtherCookie,
    Experiment::SignOut,
    Experiment::NoProof,
    Experiment::PlainHttp,
];

/// Numbers that look random and come again with their seed.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }

    /// A token as sites make them.
    fn secret(&mut self) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789";
        let length = 20 + self.below(30);
        let token: String =
            (0..length).map(|_| char::from(LETTERS[self.below(LETTERS.len())])).collect();
        // A digit in front keeps each one recognisable as a token.
        format!("7Q9{token}")
    }
}

/// Exchanges with a secret in each place, and the secrets.
struct Plot {
    dice: Dice,
    secrets: Vec<String>,
}

impl Plot {
    fn plant(&mut self) -> String {
        let secret = self.dice.secret();
        self.secrets.push(secret.clone());
        secret
    }

    /// One that may be packed, as values of cookies are.
    fn packed(&mut self) -> String {
        let secret = self.plant();
        match self.dice.below(5) {
            0 => format!("s%3A{secret}.{}", self.plant()),
            1 => format!("\"{secret}\""),
            2 => format!("{secret}%2F%3D"),
            3 => URL_SAFE_NO_PAD.encode(format!("{{\"user\":7,\"key\":\"{secret}\"}}")),
            _ => secret,
        }
    }

    fn line(&mut self) -> String {
        let name = self.dice.one_of(&[
            "session",
            "connect.sid",
            "csrftoken",
            "theme",
            "remember_token",
            "x",
        ]);
        let rest = self.dice.one_of(&[
            "",
            "; Path=/; HttpOnly",
            "; Path=/; Secure; SameSite=None; Max-Age=99999999",
            "; Domain=.shop.example; Path=/; path=/cart",
            "; Expires=tomorrow",
        ]);
        let value = self.packed();
        match self.dice.below(8) {
            0 => format!("{value}{rest}"),
            1 => format!("{name}={value}, other={}; Path=/", self.plant()),
            2 => format!("{name}=1; note={}{rest}", self.plant()),
            3 => format!("{name}={value}; Path=/reset/{}", self.plant()),
            4 => format!("{name}={value}; {}", self.plant()),
            _ => format!("{name}={value}{rest}"),
        }
    }

    fn address(&mut self) -> String {
        let secret = self.plant();
        match self.dice.below(8) {
            0 => format!("https://shop.example/?token={secret}"),
            1 => format!("https://shop.example/?q={secret}&page=2"),
            2 => format!("https://shop.example/reset/{secret}/now"),
            3 => format!("https://shop.example/a;jsessionid={secret}?x=1"),
            4 => format!("https://user:{secret}@shop.example/"),
            5 => format!("https://shop.example/#access_token={secret}"),
            6 => format!("http://shop.example/?{secret}"),
            _ => format!("https://shop.example/?next=%2Fa%3Ftoken%3D{secret}"),
        }
    }

    fn exchange(&mut self) -> Exchange {
        let address = self.address();
        let method = self.dice.one_of(&["GET", "POST"]);
        let mut exchange = Exchange::new(method, &address, 200, NOW).unwrap();
        exchange.probe =
            [Probe::Visit, Probe::Stranger, Probe::Hostile, Probe::Plain][self.dice.below(4)];
        let sent = format!("session={}; a={}", self.packed(), self.plant());
        exchange.request.push("Cookie", sent);
        exchange.request.push("Authorization", format!("Bearer {}", self.plant()));
        exchange.request.push("X-CSRF-Token", self.plant());
        exchange.response.push("Content-Type", "text/html");
        for _ in 0..=self.dice.below(3) {
            let line = self.line();
            exchange.response.push("Set-Cookie", line);
        }
        let location = self.address();
        exchange.response.push("Location", location);
        let known = self.secrets[self.dice.below(self.secrets.len())].clone();
        exchange.response.push("X-Debug", known.clone());
        exchange.response.push("X-Auth-Token", self.plant());
        let link = self.address();
        let hidden = self.plant();
        let body = format!(
            "<a href=\"{link}\">x</a><form action=\"/go?sid={known}\"><input value=\"{hidden}\"></form>\
             <script>localStorage.setItem('token_{hidden}', '{known}')</script>"
        );
        exchange.keep_body(body.as_bytes());
        exchange
    }

    fn scene(&mut self, experiment: Experiment) -> Scene {
        let mut scene = Scene::new(experiment);
        for (step, recognised) in [
            (Step::Stranger, Recognised::SignedOut),
            (Step::Control, Recognised::SignedIn),
            (Step::Genuine, Recognised::SignedIn),
            (Step::Act, Recognised::NotAsked),
            (Step::Page, Recognised::SignedIn),
            (Step::Try, Recognised::SignedIn),
        ] {
            let exchange = self.exchange();
            scene.takes.push(Take::new(step, "a request", Some(exchange)).came_to(recognised));
        }
        scene
    }

    fn report(&mut self) -> Report {
        let exchanges: Vec<Exchange> = (0..6).map(|_| self.exchange()).collect();
        let scenes = EXPERIMENTS.map(|experiment| self.scene(experiment)).to_vec();
        let password = self.plant();
        let facts = Facts {
            target: self.address(),
            notes: vec![format!("the page {password} was left out")],
            stopped: Some(format!("no answer to {password}")),
            secrets: vec![password.clone()],
            ..Facts::default()
        };
        let observed = Observed::new(exchanges, Declared::default()).with_scenes(scenes);
        Report::new(&observed, facts)
    }
}

/// The forms in which a secret would still be one; of the plain one, what masks do not show.
fn forms(secret: &str) -> Vec<String> {
    let escaped: String = secret.bytes().map(|octet| format!("%{octet:02X}")).collect();
    let mut forms = vec![secret[4..].to_owned(), escaped];
    for shift in 0..3 {
        let shifted = format!("{}{secret}", "x".repeat(shift));
        let encoded = [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)];
        // What stands at the ends depends on what is around.
        forms.extend(encoded.map(|text| text[8..text.len() - 3].to_owned()));
    }
    forms
}

#[test]
fn no_format_shows_a_planted_secret() {
    let start = 0x5EED_0001_u64;
    for seed in start..start + SEEDS {
        let mut plot =
            Plot { dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)), secrets: Vec::new() };
        let report = plot.report();
        assert!(!report.findings().is_empty(), "seed {seed:#x}: nothing was found to search in");

        for format in Format::ALL {
            let look = Look { colour: true, width: 100, detail: Detail::Verbose };
            let text = report.write(format, &look);
            for secret in &plot.secrets {
                for form in forms(secret) {
                    let place = text.find(&form);
                    let around = place.and_then(|at| text.get(at.saturating_sub(200)..at + 60));
                    assert_eq!(
                        around,
                        None,
                        "seed {seed:#x}, {}: {secret} as {form}",
                        format.as_str()
                    );
                }
            }
        }
    }
}
