//! What a session holds for the shop.

use cloakroom::{Result, Session, SessionData};
use serde::{Deserialize, Serialize};

use crate::cart::Cart;

/// Each field is stored, decoded and merged on its own.
#[derive(Debug, Default, SessionData)]
pub(crate) struct Shop {
    /// Belongs to the browser more than to the user: it goes along whoever signs in or out.
    #[data(on_login = keep, on_logout = keep)]
    pub(crate) theme: Theme,
    /// What a visitor collected before signing in is still there afterwards, and gone for whoever
    /// uses the browser next.
    #[data(on_login = keep)]
    pub(crate) cart: Cart,
    /// The latest order, for the page that thanks for it.
    pub(crate) order: Option<Cart>,
    /// A sentence for the next page, which is then forgotten.
    pub(crate) notice: Option<String>,
}

/// How the pages look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Theme {
    /// As the visitor's system.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in forms, in pages and in the store.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Leaves a sentence for the next page. It is stored with the response, together with whatever
/// else the handler changes.
pub(crate) fn leave_notice(session: &mut Session<Shop>, text: impl Into<String>) -> Result<()> {
    let text = text.into();
    session.edit(move |shop| shop.notice = Some(text.clone()))
}

/// Takes the sentence that the last page left. Of two pages that load at once, one gets it.
pub(crate) async fn take_notice(session: &mut Session<Shop>) -> Result<Option<String>> {
    if session.data().notice.is_none() {
        return Ok(None);
    }
    session.update(|shop| shop.notice.take()).await
}
