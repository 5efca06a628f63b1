//! Playing the experiments of a login script: the requests behind every [`Scene`].

mod damage;
mod driven;
mod ending;
mod fixation;
mod foreign;
mod forged;
mod player;
mod racing;
mod ready;
mod signing;
mod timed;
mod together;

pub use timed::{open_sessions, visit_sessions};

use crate::ask::Fetch;
use crate::scene::{Experiment, Scene};
use crate::script::Script;
use crate::site::Site;
use player::{Player, Stop};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An address of the auditor's own, and whether somebody asked for it: for servers that fetch keys from
/// wherever a web token tells them to.
#[derive(Clone)]
pub struct CallBack {
    /// The address. Its listener answers anything, and nobody else knows of it.
    pub url: String,
    /// Set by the listener when it was asked.
    pub was_asked: Arc<AtomicBool>,
}

impl fmt::Debug for CallBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallBack")
            .field("was_asked", &self.was_asked.load(Ordering::SeqCst))
            .finish_non_exhaustive()
    }
}

/// What is played right now.
#[derive(Clone, Copy, Debug)]
pub enum Playing<'p> {
    /// An experiment begins.
    Begins(Experiment),
    /// It is over. Its scene is given, so that what was found stays when the rest is called off.
    Ended(&'p Scene),
}

/// An experiment whose control came out otherwise is begun again, this many times in all: a site may sign
/// the auditor out in between, or stumble once.
const ATTEMPTS: usize = 3;

/// Plays every experiment that the script allows, in an order that leaves the password for last. Gives a
/// scene for each of them, also for those that could not be played.
///
/// `site` is the one of the script's [`origin`](Script::origin); the origins in [`also`](Script::also)
/// have to be [allowed](Site::allow) before. The first login is kept in the log of the site, so that rules
/// about responses see what it sets; nothing else is.
///
/// Nobody but the script's own user is signed in, nothing is changed but by requests that the script marks
/// as replayable, and the password only if the script says that it may be.
pub async fn play<F: Fetch>(
    site: &Site<F>,
    script: &Script,
    call_back: Option<CallBack>,
    mut progress: impl FnMut(Playing<'_>),
) -> Vec<Scene> {
    let mut player = Player::new(site, script, call_back);
    let mut scenes: Vec<Scene> = Vec::new();
    for group in GROUPS {
        progress(Playing::Begins(group.first().copied().unwrap_or(Experiment::SignIn)));
        let played = match why_nobody_signed_in(&scenes).or_else(|| of_no_use(script, group)) {
            Some(why) => group.iter().map(|one| Scene::not_played(*one, why.clone())).collect(),
            None => attempts(&mut player, group).await,
        };
        for scene in played {
            progress(Playing::Ended(&scene));
            scenes.push(scene);
        }
    }
    scenes
}

/// Why the script signs nobody in, which leaves nothing to try; `None` if it does, or if nothing was played.
///
/// ```
/// use cloakroom_audit::{Experiment, Scene, why_nobody_signed_in};
///
/// let failed = Scene::not_played(Experiment::SignIn, "no answer");
/// assert!(why_nobody_signed_in(&[failed]).is_some_and(|why| why.contains("does not sign in")));
/// assert_eq!(why_nobody_signed_in(&[]), None);
/// ```
pub fn why_nobody_signed_in(scenes: &[Scene]) -> Option<String> {
    let login = scenes.first()?;
    let why = login.doubt().or_else(|| login.stopped.clone())?;
    Some(format!("the script does not sign in: {why}"))
}

/// What a browser's login leaves out: its request is the page's own, and cannot be made otherwise.
fn of_no_use(script: &Script, group: &[Experiment]) -> Option<String> {
    let needs_request = [Experiment::SignInByGet, Experiment::ForeignSignIn, Experiment::Race];
    let is_left_out = script.in_browser && group.iter().any(|one| needs_request.contains(one));
    is_left_out.then(|| "a browser signs in, and its request cannot be made otherwise".to_owned())
}

/// Experiments that share a login are played together.
const GROUPS: &[&[Experiment]] = &[
    &[Experiment::SignIn, Experiment::Unremembered],
    &[Experiment::Sufficient],
    &[Experiment::OldToken],
    &[Experiment::PlantedBrowser],
    &[Experiment::Adopted],
    &[Experiment::SignInByGet],
    &[Experiment::OtherPlace],
    &[Experiment::StepUp],
    &[Experiment::Replayed, Experiment::OtherCookie, Experiment::OtherTab, Experiment::SignOut],
    &[Experiment::ForeignSignOut],
    &[Experiment::Several],
    &[Experiment::NoProof],
    &[Experiment::FetchSite],
    &[Experiment::ForeignOrigin],
    &[Experiment::ChangeByGet],
    &[Experiment::OthersToken],
    &[Experiment::InventedPair],
    &[Experiment::ForeignSignIn],
    &[Experiment::ForeignRead],
    &[Experiment::PlainHttp],
    &[Experiment::Forged],
    &[Experiment::NamedKey],
    &[Experiment::Parallel],
    &[Experiment::Late],
    &[Experiment::Race],
    &[Experiment::Twins],
    &[Experiment::Neighbour],
    &[Experiment::Damaged],
    &[Experiment::Growth],
    &[Experiment::PasswordChange],
];

async fn attempts<F: Fetch>(player: &mut Player<'_, F>, group: &[Experiment]) -> Vec<Scene> {
    let mut last = Vec::new();
    for _ in 0..ATTEMPTS {
        let mut scenes: Vec<Scene> = group.iter().copied().map(Scene::new).collect();
        let why = match once(player, &mut scenes).await {
            Ok(()) => return scenes,
            Err(Stop::Ends(why)) => return stopped(scenes, &why),
            Err(Stop::Again(why)) => why,
        };
        player.forget();
        last = stopped(scenes, &why);
    }
    last
}

fn stopped(scenes: Vec<Scene>, why: &str) -> Vec<Scene> {
    let stop = |scene: Scene| Scene {
        stopped: scene.stopped.clone().or_else(|| Some(why.to_owned())),
        ..scene
    };
    scenes.into_iter().map(stop).collect()
}

async fn once<F: Fetch>(player: &mut Player<'_, F>, scenes: &mut [Scene]) -> Result<(), Stop> {
    let [scene, others @ ..] = scenes else { return Ok(()) };
    match scene.experiment {
        Experiment::SignIn => player.first_login(scene, others).await,
        Experiment::Unremembered => Ok(()),
        Experiment::Sufficient => player.sufficient(scene).await,
        Experiment::Adopted => player.adopted(scene).await,
        Experiment::OldToken => player.old_token(scene).await,
        Experiment::SignInByGet => player.sign_in_by_get(scene).await,
        Experiment::StepUp => player.step_up(scene).await,
        Experiment::PlantedBrowser => player.planted_browser(scene).await,
        Experiment::OtherPlace => player.other_place(scene).await,
        Experiment::Replayed => player.sign_out(scene, others).await,
        Experiment::OtherCookie | Experiment::OtherTab | Experiment::SignOut => Ok(()),
        // They take more time than the others, and are played elsewhere.
        Experiment::LeftAlone | Experiment::KeptActive | Experiment::RunOut => Ok(()),
        Experiment::PasswordChange => player.password_change(scene).await,
        Experiment::ForeignSignOut => player.foreign_sign_out(scene).await,
        Experiment::Several => player.several(scene).await,
        Experiment::NoProof => player.no_proof(scene).await,
        Experiment::FetchSite => player.fetch_site(scene).await,
        Experiment::ForeignOrigin => player.foreign_origin(scene).await,
        Experiment::ChangeByGet => player.change_by_get(scene).await,
        Experiment::OthersToken => player.others_token(scene).await,
        Experiment::InventedPair => player.invented_pair(scene).await,
        Experiment::ForeignSignIn => player.foreign_sign_in(scene).await,
        Experiment::ForeignRead => player.foreign_read(scene).await,
        Experiment::PlainHttp => player.plain_http(scene).await,
        Experiment::Forged => player.forged(scene).await,
        Experiment::NamedKey => player.named_key(scene).await,
        Experiment::Parallel => player.parallel(scene).await,
        Experiment::Late => player.late(scene).await,
        Experiment::Race => player.race(scene).await,
        Experiment::Twins => player.twins(scene).await,
        Experiment::Neighbour => player.neighbour(scene).await,
        Experiment::Damaged => player.damaged(scene).await,
        Experiment::Growth => player.growth(scene).await,
    }
}
