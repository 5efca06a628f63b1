//! Web tokens that the auditor wrote.

use super::player::{Player, Stop};
use crate::ask::Fetch;
use crate::scene::{Recognised, Scene, Step};
use crate::visitor::Visitor;
use crate::web_token::WebToken;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A server that fetches a key does it before it answers, or soon after.
const CALL_BACK_WAIT: Duration = Duration::from_secs(1);
/// The key that a token brings along: the auditor's own.
const OWN_KEY: &[u8] = b"a key of the auditor, which nobody should believe";

impl<'s, F: Fetch> Player<'s, F> {
    /// The user, and the first cookie of the session that is a web token.
    async fn web_token(
        &mut self,
        scene: &mut Scene,
    ) -> Result<(Visitor<'s, F>, String, WebToken), Stop> {
        let mut user = self.user(scene).await?;
        let values = self.session_values(&mut user)?;
        let found =
            values.into_iter().find_map(|(name, value)| Some((name, WebToken::read(&value)?)));
        let (name, token) = found
            .ok_or_else(|| Stop::Ends("no cookie of the session is a web token".to_owned()))?;
        Ok((user, name, token))
    }

    pub(super) async fn forged(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let (user, name, token) = self.web_token(scene).await?;
        let unsigned = ["none", "None", "NONE", "nOnE"].map(|algorithm| {
            (
                format!("a web token with the algorithm {algorithm}"),
                token.with(&[("alg", json!(algorithm))], ""),
            )
        });
        let mut tokens = unsigned.to_vec();
        tokens.push(("a web token without its signature".to_owned(), token.with(&[], "")));
        tokens.push((
            "a web token with a wrong signature".to_owned(),
            token.with(&[], &token.wrong_signature()),
        ));
        tokens.push(("a web token signed with an empty key".to_owned(), signed(&token, &[], b"")));
        tokens.push((
            "a web token signed with a key of the auditor".to_owned(),
            signed(&token, &[], OWN_KEY),
        ));
        for (what, forged) in tokens {
            let browser = user.clone().with(name.as_bytes(), forged.as_bytes());
            self.question(scene, &browser, &what).await?;
        }
        Ok(())
    }

    pub(super) async fn named_key(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let (user, name, token) = self.web_token(scene).await?;
        let key = json!({ "kty": "oct", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(OWN_KEY) });
        let forged = signed(&token, &[("jwk", key)], OWN_KEY);
        let browser = user.clone().with(name.as_bytes(), forged.as_bytes());
        self.question(scene, &browser, "a web token that brings its key along").await?;
        let Some(call_back) = self.call_back.clone() else {
            return Err(Stop::Ends(
                "no address of the auditor's own was given, to see whether the server asks for it"
                    .to_owned(),
            ));
        };
        for field in ["jku", "x5u"] {
            let forged = signed(&token, &[(field, json!(call_back.url))], OWN_KEY);
            let browser = user.clone().with(name.as_bytes(), forged.as_bytes());
            let what = format!("a web token with {field}");
            let mut take = self.ask_who(&mut browser.clone(), Step::Try, &what).await?;
            self.site.fetch().pause(CALL_BACK_WAIT).await;
            if call_back.was_asked.swap(false, Ordering::SeqCst) {
                take = take.came_to(Recognised::Landed);
            }
            scene.takes.push(take);
        }
        Ok(())
    }
}

/// The token with changes in its head, signed with HMAC-SHA-256.
fn signed(token: &WebToken, changes: &[(&str, serde_json::Value)], key: &[u8]) -> String {
    let mut all = vec![("alg", json!("HS256"))];
    all.extend(changes.iter().cloned());
    let unsigned = token.with(&all, "");
    let text = unsigned.trim_end_matches('.');
    let signature = Hmac::<Sha256>::new_from_slice(key).map(|mut mac| {
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    });
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.unwrap_or_default()))
}
