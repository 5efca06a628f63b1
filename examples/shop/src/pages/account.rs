//! The account: where the user is signed in, and the password.

use axum::response::Html;
use cloakroom::store::{Factors, Timestamp};
use cloakroom::{Device, Session};
use maud::{Markup, html};

use super::ago::ago;
use super::{browser, notice, problem, username};
use crate::app::SESSIONS;
use crate::data::Shop;

pub(crate) fn page(
    session: &Session<Shop>,
    mut devices: Vec<Device>,
    now: Timestamp,
    done: Option<&str>,
    wrong: Option<&str>,
) -> Html<String> {
    devices.sort_by_key(|device| (!device.here, std::cmp::Reverse(device.record.times().seen)));
    let content = html! {
        h1 { "Your account" }
        (notice(done))
        (problem(wrong))
        section aria-labelledby="devices" {
            h2 #devices { "Where you are signed in" }
            ul.lines { @for device in &devices { (line(device, now)) } }
            @if devices.len() > 1 {
                form #end-others method="post" action="/account/end-others" {
                    button.quiet { "End all other sessions" }
                }
            }
            p.hint {
                "Browsers are named as they name themselves. You can be signed in " (SESSIONS)
                " times; the session unused for the longest makes room for a sixth."
            }
        }
        section.narrow aria-labelledby="password" {
            h2 #password { "Change your password" }
            (password_form(session))
        }
    };
    super::page(session, "Your account", &content)
}

fn line(device: &Device, now: Timestamp) -> Markup {
    let (record, times) = (&device.record, device.record.times());
    let remembered = record.identity().factors.contains(Factors::REMEMBERED);
    html! {
        li.card.device data-session=(record.id()) data-here[device.here] {
            div.what {
                h3 { (browser::name(record.client().user_agent.as_deref())) }
                p {
                    @if remembered { "Remembered" } @else { "Signed in" }
                    " " (ago(times.created, now)) ", last seen " (ago(times.seen, now))
                }
            }
            @if device.here {
                span.badge { "This browser" }
            } @else {
                form method="post" action="/account/end" {
                    input type="hidden" name="session" value=(record.id());
                    button.quiet { "End" }
                }
            }
        }
    }
}

fn password_form(session: &Session<Shop>) -> Markup {
    html! {
        form.card.stack #change-password method="post" action="/account/password" {
            (username(session))
            label {
                "Old password"
                input type="password" name="old" required autocomplete="current-password";
            }
            label {
                "New password"
                input type="password" name="new" required minlength="8"
                    autocomplete="new-password" aria-describedby="effect";
            }
            p #effect.hint { "All your other sessions end with it." }
            button { "Change it" }
        }
    }
}
