//! Changes that the site should refuse, and pages that others should not read.

use super::ending::{EVIL, answered};
use super::player::{Player, Stop, controlled};
use super::ready::{Ready, invented};
use crate::ask::{Ask, Fetch};
use crate::exchange::{Exchange, Probe};
use crate::forms::is_form_token;
use crate::rules::{WITH_TOKEN, WITHOUT_FIELDS};
use crate::scene::{Recognised, Scene, Step, Take};
use crate::script::Change;
use crate::visitor::Visitor;
use cloakroom_cookie::browser::Address;

/// A form token of nobody's, of the digits that most tokens are made of.
const INVENTED: &[u8] = b"c10ac700a0c10ac700a0c10ac700a0ff";

/// How the answer to a change looks that was made.
pub(super) struct Made {
    status: u16,
    leads_to: Option<String>,
    body: Vec<u8>,
}

impl Made {
    pub(super) fn of(answer: &Exchange) -> Self {
        Self { status: answer.status(), leads_to: path_of(answer), body: answer.body().to_vec() }
    }

    /// The same status and way on. Where it leads nowhere, two pages may be a success and a refusal.
    pub(super) fn is_like(&self, answer: &Exchange, same_page: bool) -> bool {
        let leads = self.leads_to.is_some();
        self.status == answer.status()
            && self.leads_to == path_of(answer)
            && (leads || !same_page || self.body == answer.body())
    }
}

fn path_of(answer: &Exchange) -> Option<String> {
    let location = answer.response.text("location")?;
    answer.parsed_url().join(&location).ok().map(|url| url.path().to_owned())
}

/// The user's browser, the script's change, and what it looks like when it is made.
pub(super) struct Stage<'s, F> {
    pub(super) user: Visitor<'s, F>,
    pub(super) ready: Ready,
    pub(super) made: Made,
    /// By how much the number of the script moved.
    step: Option<i64>,
}

impl<'s, F: Fetch> Player<'s, F> {
    fn change(&self) -> Result<&'s Change, Stop> {
        let missing = || Stop::Ends("the script has no [change]".to_owned());
        let change = self.script.change.as_ref().ok_or_else(missing)?;
        if change.is_replayable {
            Ok(change)
        } else {
            Err(Stop::Ends("the script does not say `replayable = true` in [change]".to_owned()))
        }
    }

    /// The controls: a user, and a change in the ordinary way that lands.
    pub(super) async fn stage(&mut self, scene: &mut Scene) -> Result<Stage<'s, F>, Stop> {
        let change = self.change()?;
        let mut user = self.user(scene).await?;
        let ready = self.prepare(scene, &mut user, &change.call).await?;
        let before = self.number(&user).await;
        let answer = user.go(&ready.ask()).await?;
        let mut stage = Stage { user, ready, made: Made::of(&answer), step: None };
        let after = self.number(&stage.user).await;
        stage.step = before.zip(after).map(|(before, after)| after.saturating_sub(before));
        let came_to = self.landed(&stage.made, &answer, before, after);
        controlled(
            scene,
            answered(Step::Genuine, "the change in the ordinary way", answer, came_to)
                .reading(after),
            &Recognised::Landed,
        )?;
        // Tokens may serve once.
        stage.ready = self.prepare(scene, &mut stage.user, &change.call).await?;
        if change.lands.is_none() && change.read.is_none() {
            self.strangers_change_differs(scene, &stage).await?;
        }
        Ok(stage)
    }

    /// Where nothing says how a change looks that was made, a stranger's must look otherwise.
    async fn strangers_change_differs(
        &self,
        scene: &mut Scene,
        stage: &Stage<'s, F>,
    ) -> Result<(), Stop> {
        let answer = self.newcomer().go(&stage.ready.without_token().ask()).await?;
        let is_like = stage.made.is_like(&answer, false);
        scene.takes.push(Take::new(Step::Way, "the change by a stranger", Some(answer)));
        if is_like {
            return Err(Stop::Ends(
                "a change looks the same when a stranger sends it: say `lands` or [change.read]"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// The number of the script, as this browser reads it.
    pub(super) async fn number(&self, user: &Visitor<'s, F>) -> Option<i64> {
        self.number_of(user).await.and_then(|(number, _)| number)
    }

    pub(super) async fn number_of(&self, user: &Visitor<'s, F>) -> Option<(Option<i64>, Exchange)> {
        let read = self.script.change.as_ref()?.read.as_ref()?;
        let url = self.script.url(&read.path)?;
        let page = user.clone().go(&Ask::get(url.as_str())).await.ok()?;
        Some((read.number(&page), page))
    }

    /// Whether a change was made: by its number, by the script's sign, or by what the first one looked like.
    fn landed(
        &self,
        made: &Made,
        answer: &Exchange,
        before: Option<i64>,
        after: Option<i64>,
    ) -> Recognised {
        let Some(change) = &self.script.change else { return Recognised::NotAsked };
        // Whoever asks too often is refused whatever was asked.
        if answer.status() == 429 {
            return Recognised::Unclear("status 429".to_owned());
        }
        if change.read.is_some() {
            return match (before, after) {
                (Some(before), Some(after)) if before != after => Recognised::Landed,
                (Some(_), Some(_)) => Recognised::Refused,
                (None, _) | (_, None) => {
                    Recognised::Unclear("the number of [change.read] was not there".to_owned())
                }
            };
        }
        let status = answer.status();
        match &change.lands {
            Some(_) if status >= 500 => Recognised::Unclear(format!("status {status}")),
            Some(sign) if sign.fits(answer) => Recognised::Landed,
            Some(_) => Recognised::Refused,
            None if made.is_like(answer, true) => Recognised::Landed,
            None if (400..500).contains(&status) => Recognised::Refused,
            None => Recognised::Unclear(format!(
                "status {status} is neither like a change that was made nor a refusal: say `lands`"
            )),
        }
    }

    /// One question: the change as it stands, sent with all cookies of the user.
    async fn try_change(
        &self,
        scene: &mut Scene,
        stage: &Stage<'s, F>,
        step: Step,
        what: &str,
        ask: Ask,
    ) -> Result<Recognised, Stop> {
        let before = self.number(&stage.user).await;
        let mut user = stage.user.clone();
        let has_cookie = ask.headers.all("cookie").next().is_some();
        let ask = if has_cookie { ask } else { with_cookies(&mut user, ask)? };
        // The door is used, since a browser would add what is left out on purpose.
        let answer = self.site.ask_quietly(&ask, Probe::Hostile).await?;
        let mut after = self.number(&stage.user).await;
        if after == before {
            let moved = before.zip(stage.step).map(|(before, step)| before.saturating_add(step));
            after = self.number_in_cookies(user, &answer).await.filter(|_| moved.is_some());
            // A new session has a number too: only the step of the change tells that it was made.
            after = after.filter(|found| Some(*found) == moved).or(before);
        }
        let came_to = self.landed(&stage.made, &answer, before, after);
        let take = answered(step, what, answer.without_query(), came_to.clone()).reading(after);
        scene.takes.push(take);
        Ok(came_to)
    }

    /// The number where the session itself is a cookie: a browser has it from the answer alone.
    async fn number_in_cookies(&self, mut user: Visitor<'s, F>, answer: &Exchange) -> Option<i64> {
        answer.response.all("set-cookie").next()?;
        user.hear(answer);
        self.number(&user).await
    }

    pub(super) async fn no_proof(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let stage = self.stage(scene).await?;
        let ask = by_another_site(stage.ready.without_token().ask());
        self.try_change(scene, &stage, Step::Try, "a form of another site", ask).await.map(|_| ())
    }

    pub(super) async fn fetch_site(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let stage = self.stage(scene).await?;
        let fields = ["cross-site", "same-site"].map(|site| ("Sec-Fetch-Site", site.to_owned()));
        self.with_and_without_token(scene, &stage, &fields).await
    }

    pub(super) async fn foreign_origin(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let stage = self.stage(scene).await?;
        let fields =
            strange_origins(stage.ready.url.as_str()).into_iter().map(|origin| ("Origin", origin));
        self.with_and_without_token(scene, &stage, &fields.collect::<Vec<_>>()).await?;
        let ask = stage.ready.without_token().ask();
        self.try_change(scene, &stage, Step::Try, WITHOUT_FIELDS, ask).await.map(|_| ())
    }

    /// A field that is wrong, with a token that is missing and with one that is right.
    async fn with_and_without_token(
        &self,
        scene: &mut Scene,
        stage: &Stage<'s, F>,
        fields: &[(&str, String)],
    ) -> Result<(), Stop> {
        for (name, value) in fields {
            let what = format!("a request with {name}: {value}");
            let ask = stage.ready.without_token().ask().header(name, value.as_bytes());
            self.try_change(scene, stage, Step::Try, &what, ask).await?;
            if stage.ready.token().is_some() {
                let ask = stage.ready.ask().header(name, value.as_bytes());
                self.try_change(scene, stage, Step::Try, &format!("{what}{WITH_TOKEN}"), ask)
                    .await?;
            }
        }
        Ok(())
    }

    pub(super) async fn change_by_get(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let stage = self.stage(scene).await?;
        let ask = stage
            .ready
            .by_get()
            .ask()
            .header("Sec-Fetch-Site", "cross-site")
            .header("Sec-Fetch-Mode", "navigate");
        self.try_change(scene, &stage, Step::Try, "the change as a GET", ask).await.map(|_| ())
    }

    /// A change whose token is wrong has to be refused, or tokens are not looked at.
    async fn guarded(&mut self, scene: &mut Scene) -> Result<(Stage<'s, F>, String), Stop> {
        let stage = self.stage(scene).await?;
        let Some(token) = stage.ready.token() else {
            return Err(Stop::Ends("no form token goes with the change".to_owned()));
        };
        let wrong = String::from_utf8_lossy(&invented(token.as_bytes())).into_owned();
        let ask = own(stage.ready.with_token(&wrong).ask());
        let came_to = self.try_change(scene, &stage, Step::Way, "a wrong form token", ask).await?;
        let why = match came_to {
            Recognised::Refused => return Ok((stage, token)),
            Recognised::Landed => {
                "a wrong form token is accepted too, so that its value says nothing: see X01 and X02"
            }
            Recognised::NotAsked
            | Recognised::SignedIn
            | Recognised::SignedOut
            | Recognised::Unclear(_) => "it cannot be told whether a wrong form token is refused",
        };
        Err(Stop::Ends(why.to_owned()))
    }

    pub(super) async fn others_token(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let change = self.change()?;
        let (stage, own_token) = self.guarded(scene).await?;
        let mut tokens = Vec::new();
        if let Some(login) = &self.script.second_login {
            let mut second = self.newcomer();
            self.calls(scene, &mut second, login).await?;
            let ready = self.prepare(scene, &mut second, &change.call).await?;
            tokens.push(("the form token of another user", ready.token()));
        }
        let stranger = self.prepare(scene, &mut self.newcomer(), &change.call).await?;
        tokens.push(("the form token of a stranger", stranger.token()));
        tokens.retain(|(_, token)| token.as_ref().is_some_and(|token| *token != own_token));
        for (what, token) in &tokens {
            let ask = own(stage.ready.with_token(token.as_deref().unwrap_or_default()).ask());
            self.try_change(scene, &stage, Step::Try, what, ask).await?;
        }
        if tokens.is_empty() {
            return Err(Stop::Ends(
                "nobody else is given a form token: name a [second_user]".to_owned(),
            ));
        }
        Ok(())
    }

    pub(super) async fn invented_pair(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let (stage, _) = self.guarded(scene).await?;
        let cookies = stage.user.jar().cookies();
        let pair = cookies
            .into_iter()
            .find(|cookie| is_form_token(&String::from_utf8_lossy(cookie.name())));
        let Some((name, like)) =
            pair.map(|cookie| (cookie.name().to_vec(), invented(cookie.value())))
        else {
            return Err(Stop::Ends("no cookie goes with the form token".to_owned()));
        };
        // What has a form of its own may be refused for its form alone.
        let pairs = [
            ("an invented pair of cookie and form token", like.as_slice()),
            ("an invented pair without any form", INVENTED),
        ];
        for (what, value) in pairs {
            let text = String::from_utf8_lossy(value).into_owned();
            let mut user = stage.user.clone().with(&name, value);
            let ask = with_cookies(&mut user, own(stage.ready.with_token(&text).ask()))?;
            self.try_change(scene, &stage, Step::Try, what, ask).await?;
        }
        Ok(())
    }

    pub(super) async fn foreign_read(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let mut user = self.user(scene).await?;
        let plain = self.whoami()?;
        let mut origins = vec![EVIL.to_owned()];
        origins.extend(strange_origins(&plain.url));
        for origin in origins {
            let ask = with_cookies(&mut user, plain.clone().header("Origin", origin.as_bytes()))?;
            let answer = self.site.ask_quietly(&ask, Probe::Hostile).await;
            let mut take = self.taken(answer, Step::Try, &format!("a page of {origin}"));
            // Whoever asks, the fields of the answer are what counts.
            if take.exchange.is_some() {
                take = take.came_to(Recognised::NotAsked);
            }
            scene.takes.push(take);
        }
        Ok(())
    }
}

/// What the form of another site sends with the request.
pub(super) fn by_another_site(ask: Ask) -> Ask {
    let ask = ask.header("Origin", EVIL).header("Referer", format!("{EVIL}/"));
    ask.header("Sec-Fetch-Site", "cross-site")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Dest", "document")
}

/// What the site's own page sends with the request.
pub(super) fn own(ask: Ask) -> Ask {
    let origin = Address::parse(&ask.url)
        .map(|address| crate::visitor::origin(&address))
        .unwrap_or_default();
    let referer = ask.url.clone();
    ask.header("Origin", origin).header("Referer", referer).header("Sec-Fetch-Site", "same-origin")
}

/// Origins that are not the site's and look like it to a careless comparison.
fn strange_origins(url: &str) -> Vec<String> {
    let Ok(url) = url::Url::parse(url) else { return Vec::new() };
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let scheme = url.scheme();
    let mut origins = vec![
        "null".to_owned(),
        format!("{scheme}://{host}.evil.example{port}"),
        format!("{scheme}://evil-{host}{port}"),
    ];
    if scheme == "https" {
        origins.push(format!("http://{host}{port}"));
    }
    origins
}

pub(super) fn with_cookies<F: Fetch>(user: &mut Visitor<'_, F>, ask: Ask) -> Result<Ask, Stop> {
    let address = Address::parse(&ask.url).map_err(|error| Stop::Ends(error.to_string()))?;
    let cookies = user.cookies_for(&address);
    Ok(if cookies.is_empty() { ask } else { ask.header("Cookie", cookies) })
}
