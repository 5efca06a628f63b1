//! What becomes of cookies from before a login, and of tokens in odd places.

use super::player::{Player, Stop, controlled, note};
use super::ready::{Ready, invented};
use super::signing::only;
use crate::ask::{Ask, Fetch};
use crate::exchange::{Exchange, Probe};
use crate::scene::{Recognised, Scene, Step, Take};
use crate::visitor::Visitor;
use cloakroom_cookie::browser::{Address, Request};

impl<'s, F: Fetch> Player<'s, F> {
    /// A browser with cookies of the site from before the login, where the site gives any.
    async fn early(&self, scene: &mut Scene) -> Result<Visitor<'s, F>, Stop> {
        let mut visitor = self.newcomer();
        let _ = visitor.go(&self.whoami()?).await?;
        if let Some(call) = self.script.login.first() {
            let _ = self.prepare(scene, &mut visitor, call).await?;
        }
        Ok(visitor)
    }

    pub(super) async fn old_token(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        self.stranger(scene).await?;
        let mut visitor = self.early(scene).await?;
        let before = visitor.clone();
        self.sign_in(scene, &mut visitor).await?;
        self.control(scene, &mut visitor).await?;
        self.question(scene, &before, "the cookies from before the login").await.map(|_| ())
    }

    /// The second question comes after the first one's cookies, which may lead on to the session.
    pub(super) async fn planted_browser(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        self.stranger(scene).await?;
        let mut other = self.early(scene).await?;
        let planted = self.plant_data(scene, &mut other).await?;
        let mut victim = other.clone();
        self.sign_in(scene, &mut victim).await?;
        self.control(scene, &mut victim).await?;
        if let Some((usual, planted)) = planted
            && let Some((Some(found), page)) = self.number_of(&victim).await
        {
            // A cart that is kept adds up with the user's own or replaces it.
            let is_there =
                found != usual && [planted, planted.saturating_add(usual)].contains(&found);
            let came_to = if is_there { Recognised::Landed } else { Recognised::Refused };
            let take = Take::new(
                Step::Try,
                "what another browser put into the session before",
                Some(page),
            );
            scene.takes.push(take.came_to(came_to).reading(Some(found)));
        }
        for what in ["a browser that shared the cookies before", "the same browser once more"] {
            let take = self.ask_who(&mut other, Step::Try, what).await?;
            scene.takes.push(take);
            if let Some(call) = self.script.login.first() {
                let _ = self.prepare(scene, &mut other, call).await?;
            }
        }
        Ok(())
    }

    /// Changes something before the login, if strangers may. Gives the user's own number and the planted one.
    async fn plant_data(
        &mut self,
        scene: &mut Scene,
        other: &mut Visitor<'s, F>,
    ) -> Result<Option<(i64, i64)>, Stop> {
        let Some(change) = self.script.change.as_ref().filter(|change| change.is_replayable) else {
            return Ok(None);
        };
        let user = self.user(scene).await?;
        let usual = self.number(&user).await;
        let before = self.number(other).await;
        let ready = self.prepare(scene, other, &change.call).await?;
        note(scene, Step::Way, "a change before the login", &[other.go(&ready.ask()).await?]);
        let planted = self.number(other).await;
        Ok(usual.zip(planted.filter(|planted| before.is_some_and(|before| before != *planted))))
    }

    pub(super) async fn adopted(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let user = self.user(scene).await?;
        let session = self.session()?.clone();
        let address = self.whoami_address()?;
        let mut planted = self.newcomer();
        for cookie in user.jar().cookies() {
            let name = String::from_utf8_lossy(cookie.name()).into_owned();
            if !session.contains(&name) {
                continue;
            }
            let value = invented(cookie.value());
            let line = cookie.to_line(user.jar().now());
            let rest = line.iter().position(|octet| *octet == b';').and_then(|at| line.get(at..));
            let line = [cookie.name(), b"=", &value, rest.unwrap_or_default()].concat();
            let _ = planted.jar_mut().receive(&Request::typed(address.clone()), &line);
        }
        let before = planted.clone();
        if before.jar().cookies().len() == 0 {
            return Err(Stop::Ends("no browser would keep the invented cookies".to_owned()));
        }
        let take = self
            .ask_who(&mut before.clone(), Step::Way, "the invented cookies before the login")
            .await?;
        let _ = controlled(scene, take, &Recognised::SignedOut);
        self.sign_in(scene, &mut planted).await?;
        let own = self
            .ask_who(&mut planted.clone(), Step::Way, "the browser that signed in with them")
            .await?;
        let is_in = own.recognised == Recognised::SignedIn;
        scene.takes.push(own);
        if !is_in {
            return Err(Stop::Ends("a browser with invented cookies cannot sign in".to_owned()));
        }
        self.question(scene, &before, "an invented value that was there before the login")
            .await
            .map(|_| ())
    }

    /// The ordinary login comes first: a site that lets nobody in any more refuses this one for that.
    pub(super) async fn sign_in_by_get(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let [call] = self.script.login.as_slice() else {
            return Err(Stop::Ends("the login takes several requests".to_owned()));
        };
        let _ = self.signed_in(scene).await?;
        let mut visitor = self.newcomer();
        let ready = self.prepare(scene, &mut visitor, call).await?;
        let answer = visitor.go(&ready.by_get().ask()).await?;
        scene.takes.push(Take::new(Step::Way, "the login as a GET", Some(answer.without_query())));
        let came_to = self.question(scene, &visitor, "the login as a GET").await?;
        self.logins_work(scene, &came_to).await
    }

    /// A site that slows logins down refuses them all: where one was refused, the ordinary one must work.
    async fn logins_work(&self, scene: &mut Scene, came_to: &Recognised) -> Result<(), Stop> {
        if *came_to != Recognised::SignedOut {
            return Ok(());
        }
        let mut visitor = self.newcomer();
        self.sign_in(scene, &mut visitor).await?;
        let take =
            self.ask_who(&mut visitor, Step::Way, "the ordinary login right afterwards").await?;
        controlled(scene, take, &Recognised::SignedIn)
    }

    /// The browser has no cookies, so that nothing but the odd place can sign it in.
    pub(super) async fn other_place(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let mut user = self.user(scene).await?;
        let values = self.session_values(&mut user)?;
        let plain = self.whoami()?;
        for (what, ask) in odd_places(&plain, &values) {
            let answer = self.newcomer().go(&ask).await.map(Exchange::without_query);
            let take = self.taken(answer, Step::Try, &what);
            // Such an address may be found nowhere, which signs nobody in.
            let is_refused = |take: &Take| {
                take.exchange.as_ref().is_some_and(|seen| (400..429).contains(&seen.status()))
            };
            let is_out = matches!(take.recognised, Recognised::Unclear(_)) && is_refused(&take);
            scene.takes.push(if is_out { take.came_to(Recognised::SignedOut) } else { take });
        }
        Ok(())
    }

    pub(super) async fn plain_http(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let mut ask = self.whoami()?;
        let Some(rest) = ask.url.strip_prefix("https://") else {
            return Err(Stop::Ends("the script's origin is plain http itself".to_owned()));
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.rsplit(']').next().is_some_and(|behind| behind.contains(':')) {
            return Err(Stop::Ends(
                "the site is at a port of its own, and no other one is known for plain http"
                    .to_owned(),
            ));
        }
        ask.url = format!("http://{host}/{path}");
        if !Address::parse(&ask.url).is_ok_and(|address| self.site.is_in_scope(&address)) {
            return Err(Stop::Ends("plain http of the host may not be asked".to_owned()));
        }
        let mut user = self.user(scene).await?;
        let cookies = user.cookies_for(&self.whoami_address()?);
        let answer = self.site.ask_quietly(&ask.header("Cookie", cookies), Probe::Plain).await;
        // A redirect to https is what should come, and nobody listening is as good.
        let mut take = self.taken(answer, Step::Try, "the session over plain http");
        if matches!(take.recognised, Recognised::Unclear(_))
            && take.exchange.as_ref().is_none_or(|seen| seen.status() < 500)
        {
            take = take.came_to(Recognised::SignedOut);
        }
        scene.takes.push(take);
        Ok(())
    }

    /// A browser that saw no form, and a request as another site's form makes it.
    /// The ordinary login comes first, as in [`sign_in_by_get`](Self::sign_in_by_get).
    pub(super) async fn foreign_sign_in(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let [call] = self.script.login.as_slice() else {
            return Err(Stop::Ends("the login takes several requests".to_owned()));
        };
        let _ = self.signed_in(scene).await?;
        let ready: Ready = self.prepare(scene, &mut self.newcomer(), call).await?;
        let mut visitor = self.newcomer();
        let ask = super::foreign::by_another_site(ready.without_token().ask());
        let answer = visitor.go(&ask).await?;
        scene.takes.push(Take::new(
            Step::Way,
            "the login as another site sends it",
            Some(answer.without_query()),
        ));
        let came_to = self.question(scene, &visitor, "the login as another site sends it").await?;
        self.logins_work(scene, &came_to).await
    }

    /// Sends one of the other ways to be signed in, alone.
    pub(super) async fn alone(
        &self,
        scene: &mut Scene,
        saved: &mut Visitor<'s, F>,
        at: usize,
    ) -> Result<(), Stop> {
        let Some(set) = self.sets.get(at) else { return Ok(()) };
        let kept: Vec<String> = set.iter().cloned().collect();
        let all: Vec<String> = saved
            .jar()
            .cookies()
            .map(|cookie| String::from_utf8_lossy(cookie.name()).into_owned())
            .collect();
        let some = only(saved, &kept, &all);
        self.question(scene, &some, &format!("{} alone, after signing out,", kept.join(" and ")))
            .await
            .map(|_| ())
    }
}

fn odd_places(plain: &Ask, values: &[(String, Vec<u8>)]) -> Vec<(String, Ask)> {
    let text: Vec<(String, String)> = values
        .iter()
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
        .collect();
    let mut found = Vec::new();
    if let Ok(mut url) = url::Url::parse(&plain.url) {
        url.query_pairs_mut().extend_pairs(&text);
        found.push(("the token in the query".to_owned(), Ask { url: url.into(), ..plain.clone() }));
    }
    let parameters: String = text.iter().map(|(name, value)| format!(";{name}={value}")).collect();
    let (path, query) = plain
        .url
        .split_once('?')
        .map_or((plain.url.as_str(), String::new()), |(path, query)| (path, format!("?{query}")));
    let in_path = Ask { url: format!("{path}{parameters}{query}"), ..plain.clone() };
    found.push(("the token as a path parameter".to_owned(), in_path));
    let is_field_name = |name: &str| {
        name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    let own = text.iter().filter(|(name, _)| is_field_name(name));
    let named = own.fold(plain.clone(), |ask, (name, value)| ask.header(name, value.as_bytes()));
    found.push(("the token in a header field of the cookie's name".to_owned(), named));
    if let [(_, value)] = text.as_slice() {
        let bearer = plain.clone().header("Authorization", format!("Bearer {value}"));
        found.push(("the token as a bearer token".to_owned(), bearer));
        let custom = plain
            .clone()
            .header("X-Session-Id", value.as_bytes())
            .header("X-Auth-Token", value.as_bytes());
        found.push(("the token in X-Session-Id and X-Auth-Token".to_owned(), custom));
    }
    found
}
