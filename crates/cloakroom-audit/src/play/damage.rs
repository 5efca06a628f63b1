//! The session's cookie among others, damaged, and over many requests.

use super::player::{Player, Stop};
use super::ready::invented;
use crate::ask::Fetch;
use crate::exchange::Probe;
use crate::scene::{Scene, Step};
use cloakroom_cookie::pairs;

/// Requests of one browser, for what grows.
const REQUESTS: usize = 20;
/// As long as a cookie may be in every browser.
const LONG: usize = 4_000;

impl<F: Fetch> Player<'_, F> {
    /// Asks who this is with a `Cookie` field of the auditor's own.
    async fn with_field(&self, scene: &mut Scene, field: Vec<u8>, what: &str) -> Result<(), Stop> {
        let ask = self.whoami()?.header("Cookie", field);
        let answer = self.site.ask_quietly(&ask, Probe::Hostile).await;
        scene.takes.push(self.taken(answer, Step::Try, what));
        Ok(())
    }

    pub(super) async fn twins(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let mut user = self.user(scene).await?;
        let field = user.cookies_for(&self.whoami_address()?);
        for (name, value) in self.session_values(&mut user)? {
            let twin = [name.as_bytes(), b"=", &invented(&value)].concat();
            self.with_field(
                scene,
                [&twin, &b"; "[..], &field].concat(),
                &format!("an invented {name} in front"),
            )
            .await?;
            self.with_field(
                scene,
                [&field, &b"; "[..], &twin].concat(),
                &format!("an invented {name} behind"),
            )
            .await?;
        }
        Ok(())
    }

    pub(super) async fn neighbour(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let mut user = self.user(scene).await?;
        let field = user.cookies_for(&self.whoami_address()?);
        let long = format!("x={}", "x".repeat(LONG));
        let neighbours: [(&str, &[u8]); 9] = [
            ("a cookie without a value", b"x"),
            ("a cookie without a name", b"=x"),
            ("an open quote", b"x=\"y"),
            ("quotes around a separator", b"x=\"y z\""),
            ("a name with blanks", b"x y=z"),
            ("JSON", b"x={\"y\":[1,2]}"),
            ("octets that are no text", b"x=\xc3\x28\xff"),
            ("broken percent signs", b"x=%zz%"),
            ("four kilobytes", long.as_bytes()),
        ];
        for (what, neighbour) in neighbours {
            self.with_field(
                scene,
                [neighbour, b"; ", &field].concat(),
                &format!("{what} in front of the session"),
            )
            .await?;
        }
        Ok(())
    }

    pub(super) async fn damaged(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let mut user = self.user(scene).await?;
        let field = user.cookies_for(&self.whoami_address()?);
        for (name, value) in self.session_values(&mut user)? {
            for (what, damaged) in damages(&value) {
                let parts = pairs(&field).map(|pair| {
                    let value = if pair.name() == name.as_bytes() {
                        damaged.as_slice()
                    } else {
                        pair.value()
                    };
                    [pair.name(), b"=", value].concat()
                });
                let field = parts.collect::<Vec<_>>().join(&b"; "[..]);
                self.with_field(scene, field, &format!("{name} {what}")).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn growth(&mut self, scene: &mut Scene) -> Result<(), Stop> {
        let mut user = self.user(scene).await?;
        for _ in 0..REQUESTS {
            let take = self.ask_who(&mut user, Step::Try, "the same page again").await?;
            scene.takes.push(take);
        }
        Ok(())
    }
}

fn damages(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let half = value.get(..value.len() / 2).unwrap_or_default();
    vec![
        ("emptied", Vec::new()),
        ("cut in half", half.to_vec()),
        ("with other letters", invented(value)),
        ("in quotes", [b"\"", value, b"\""].concat()),
        ("four kilobytes long", [value, "A".repeat(LONG).as_bytes()].concat()),
        ("with octets that are no text", [half, b"\xc3\x28\xff"].concat()),
        ("with broken percent signs", [half, b"%zz%"].concat()),
        ("with dots and colons", [value, b"..:::"].concat()),
    ]
}
