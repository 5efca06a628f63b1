//! The preferences.

use axum::response::Html;
use cloakroom::Session;
use maud::html;

use super::notice;
use crate::data::{Shop, Theme};

pub(crate) fn page(session: &Session<Shop>, done: Option<&str>) -> Html<String> {
    let content = html! {
        div.narrow {
            h1 { "Preferences" }
            (notice(done))
            form.card.stack #preferences method="post" action="/preferences" {
                fieldset {
                    legend { "How the shop looks" }
                    @for theme in Theme::ALL {
                        label.choice {
                            input type="radio" name="theme" value=(theme.code())
                                checked[theme == session.data().theme];
                            (label(theme))
                        }
                    }
                }
                button { "Save" }
                p.hint { "Kept in this browser, whether you are signed in or not." }
            }
        }
    };
    super::page(session, "Preferences", &content)
}

const fn label(theme: Theme) -> &'static str {
    match theme {
        Theme::System => "Like my system",
        Theme::Light => "Light",
        Theme::Dark => "Dark",
    }
}
