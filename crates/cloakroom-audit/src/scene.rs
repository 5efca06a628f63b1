//! Active experiments, as they were recorded: what was done, what came back, and what it came to.

use crate::exchange::Exchange;

/// Which experiment it is. Each answers the question of one rule, or of a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Experiment {
    /// A stranger signs in.
    SignIn,
    /// Which cookies are the session: the probe with some of them left out.
    Sufficient,
    /// A stranger brings a token of their own and signs in with it.
    Adopted,
    /// The cookies from before the login, after it.
    OldToken,
    /// The login as a `GET`.
    SignInByGet,
    /// The user gains rights.
    StepUp,
    /// Somebody else's browser shares the cookies from before the login and goes on using them.
    PlantedBrowser,
    /// The token in other places than the cookie.
    OtherPlace,
    /// The cookies from before signing out, after it.
    Replayed,
    /// Cookies that are not the session itself, alone, after signing out.
    OtherCookie,
    /// A second tab goes on after the first signed out.
    OtherTab,
    /// The user signs out.
    SignOut,
    /// One browser changes the password; another one is signed in too.
    PasswordChange,
    /// Another site sends the request that signs out.
    ForeignSignOut,
    /// One user signs in several times.
    Several,
    /// A change that another site sends.
    NoProof,
    /// Changes of which nothing but `Sec-Fetch-Site` says where they come from.
    FetchSite,
    /// Changes of which nothing but `Origin` says where they come from.
    ForeignOrigin,
    /// The change as a `GET`.
    ChangeByGet,
    /// A change with the form token of somebody else.
    OthersToken,
    /// A change with an invented pair of form token and cookie.
    InventedPair,
    /// A login that another site sends.
    ForeignSignIn,
    /// Another site reads a private page.
    ForeignRead,
    /// The session over plain http.
    PlainHttp,
    /// Web tokens without a signature, or with another.
    Forged,
    /// Web tokens that name the key to check them with.
    NamedKey,
    /// Changes of one session at the same time.
    Parallel,
    /// A request that is still running while its user signs out.
    Late,
    /// Requests that were sent before a login and are answered after it.
    Race,
    /// A second cookie of the session's name.
    Twins,
    /// Another cookie in front of the session's that is no cookie.
    Neighbour,
    /// The session's cookie, damaged.
    Damaged,
    /// Many requests one after another.
    Growth,
    /// A login whose user did not ask to be remembered.
    Unremembered,
    /// Sessions that nobody touches for a while.
    LeftAlone,
    /// A session that is used all the time.
    KeptActive,
    /// Cookies that have run out in the browser, sent all the same.
    RunOut,
}

impl Experiment {
    /// What is being done, for those who watch.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn | Self::Unremembered => "signing in",
            Self::Sufficient => "finding out which cookies are the session",
            Self::Adopted => "signing in with an invented token",
            Self::OldToken => "trying the cookies from before a login",
            Self::SignInByGet => "trying the login as a GET",
            Self::StepUp => "stepping up",
            Self::PlantedBrowser => "signing in with cookies that two browsers share",
            Self::OtherPlace => "trying the token in other places than its cookie",
            Self::Replayed | Self::OtherCookie | Self::OtherTab | Self::SignOut => "signing out",
            Self::PasswordChange => "changing the password",
            Self::ForeignSignOut => "signing out as another site would do it",
            Self::Several => "signing in several times",
            Self::NoProof => "sending a change as another site would do it",
            Self::FetchSite => "sending changes with Sec-Fetch-Site of others",
            Self::ForeignOrigin => "sending changes with an Origin of others",
            Self::ChangeByGet => "sending a change as a GET",
            Self::OthersToken => "sending a change with somebody else's form token",
            Self::InventedPair => "sending a change with an invented form token",
            Self::ForeignSignIn => "signing in as another site would do it",
            Self::ForeignRead => "reading a private page from other origins",
            Self::PlainHttp => "trying the session over plain http",
            Self::Forged | Self::NamedKey => "forging web tokens",
            Self::Parallel => "sending changes at the same time",
            Self::Late => "signing out while a request is under way",
            Self::Race => "signing in while requests are under way",
            Self::Twins | Self::Neighbour => "sending other cookies beside the session's",
            Self::Damaged => "damaging the session's cookie",
            Self::Growth => "asking for one page many times",
            Self::LeftAlone => "leaving sessions alone",
            Self::KeptActive => "keeping a session active",
            Self::RunOut => "sending cookies that have run out",
        }
    }
}

/// What an answer came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// It was not a question.
    NotAsked,
    /// Somebody is signed in.
    SignedIn,
    /// Nobody is.
    SignedOut,
    /// The change was made.
    Landed,
    /// It was not.
    Refused,
    /// It cannot be told, and why.
    Unclear(String),
}

impl Recognised {
    /// It in words that go on after what was done.
    pub(crate) fn as_words(&self) -> String {
        match self {
            Self::NotAsked => "was not asked".to_owned(),
            Self::SignedIn => "is signed in".to_owned(),
            Self::SignedOut => "is signed out".to_owned(),
            Self::Landed => "is accepted".to_owned(),
            Self::Refused => "is refused".to_owned(),
            Self::Unclear(why) => format!("cannot be told apart ({why})"),
        }
    }
}

/// What a take is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A browser that was never there: it has to be signed out.
    Stranger,
    /// The user's browser right before the question: it has to be signed in.
    Control,
    /// The change in the ordinary way right before the question: it has to land.
    Genuine,
    /// Something on the way: a page with a form, a redirect.
    Way,
    /// The request of the script that the experiment is about: a login, a logout, a step up.
    Act,
    /// A private page of the signed-in user.
    Page,
    /// The question.
    Try,
}

/// One request of an experiment.
///
/// `Debug` shows no secrets, as that of [`Exchange`].
#[derive(Clone, Debug)]
pub struct Take {
    /// What it is for.
    pub step: Step,
    /// What was done, in words that go on after "with" or stand alone, without a secret.
    pub what: String,
    /// The request and its answer; `None` if none came.
    pub exchange: Option<Exchange>,
    /// What the answer came to.
    pub recognised: Recognised,
    /// The number that was read back, where a script names one.
    pub number: Option<i64>,
}

impl Take {
    /// A take that is no question.
    pub fn new(step: Step, what: impl Into<String>, exchange: Option<Exchange>) -> Self {
        let recognised = Recognised::NotAsked;
        Self { step, what: what.into(), exchange, recognised, number: None }
    }

    /// With what it came to.
    #[must_use]
    pub fn came_to(mut self, recognised: Recognised) -> Self {
        self.recognised = recognised;
        self
    }

    /// With the number that was read.
    #[must_use]
    pub const fn reading(mut self, number: Option<i64>) -> Self {
        self.number = number;
        self
    }
}

/// An experiment that was carried out, or why it was not.
///
/// ```
/// use cloakroom_audit::{Declared, Exchange, Experiment, Observed, Recognised, Scene, Step, Take, rule};
///
/// let page = |status| Exchange::new("GET", "https://shop.example/account", status, 1_790_000_000);
/// let mut scene = Scene::new(Experiment::Replayed);
/// scene.takes = vec![
///     Take::new(Step::Stranger, "a new browser", Some(page(303)?)).came_to(Recognised::SignedOut),
///     Take::new(Step::Control, "the user", Some(page(200)?)).came_to(Recognised::SignedIn),
///     Take::new(Step::Try, "its cookies after signing out", Some(page(200)?)).came_to(Recognised::SignedIn),
/// ];
/// let observed = Observed::new(Vec::new(), Declared::default()).with_scenes(vec![scene]);
/// assert_eq!(rule("O01").unwrap().judge(&observed).as_str(), "broken");
/// # Ok::<(), cloakroom_cookie::browser::AddressError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scene {
    /// Which experiment it is.
    pub experiment: Experiment,
    /// What was done, in order.
    pub takes: Vec<Take>,
    /// Why it ended early or was not begun.
    pub stopped: Option<String>,
}

impl Scene {
    /// An experiment of which nothing was done yet.
    pub const fn new(experiment: Experiment) -> Self {
        Self { experiment, takes: Vec::new(), stopped: None }
    }

    /// An experiment that was not begun.
    pub fn not_played(experiment: Experiment, why: impl Into<String>) -> Self {
        Self { stopped: Some(why.into()), ..Self::new(experiment) }
    }

    /// The takes of a step.
    pub(crate) fn of(&self, step: Step) -> impl Iterator<Item = &Take> {
        self.takes.iter().filter(move |take| take.step == step)
    }

    /// Why nothing follows from the answers: a control that came out otherwise, or none at all.
    pub(crate) fn doubt(&self) -> Option<String> {
        let wanted = |step| match step {
            Step::Stranger => Some(Recognised::SignedOut),
            Step::Control => Some(Recognised::SignedIn),
            Step::Genuine => Some(Recognised::Landed),
            Step::Way | Step::Act | Step::Page | Step::Try => None,
        };
        let failed = self
            .takes
            .iter()
            .find(|take| wanted(take.step).is_some_and(|wanted| take.recognised != wanted));
        if let Some(take) = failed {
            return Some(failure(take));
        }
        if self.of(Step::Stranger).next().is_none() {
            return Some("no browser without cookies was shown to be signed out".to_owned());
        }
        None
    }
}

fn failure(take: &Take) -> String {
    let came_to = match &take.recognised {
        Recognised::Unclear(why) => format!("cannot be told apart ({why})"),
        Recognised::SignedIn => "looks signed in".to_owned(),
        Recognised::SignedOut => "looks signed out".to_owned(),
        Recognised::Landed | Recognised::Refused | Recognised::NotAsked => {
            "was not done".to_owned()
        }
    };
    match take.step {
        Step::Stranger => format!(
            "a browser that was never there {came_to}: [whoami] does not tell users from strangers"
        ),
        Step::Control => format!("the signed-in browser {came_to} right before the question"),
        Step::Genuine => format!("the change of the script {came_to} in the ordinary way"),
        Step::Way | Step::Act | Step::Page | Step::Try => came_to,
    }
}

/// The value of a cookie that a request carried.
pub(crate) fn sent(exchange: &Exchange, name: &str) -> Option<Vec<u8>> {
    let pairs = exchange.request.all("cookie").flat_map(cloakroom_cookie::pairs);
    let mut found = pairs.filter(|pair| pair.name() == name.as_bytes());
    found.next().map(|pair| pair.value().to_vec())
}

/// The names of the cookies that a request carried.
pub(crate) fn names(exchange: &Exchange) -> Vec<String> {
    let pairs = exchange.request.all("cookie").flat_map(cloakroom_cookie::pairs);
    let mut names: Vec<_> =
        pairs.map(|pair| String::from_utf8_lossy(pair.name()).into_owned()).collect();
    names.sort();
    names.dedup();
    names
}
