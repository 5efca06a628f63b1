//! What a cookie is probably for, by its name and its value.

use crate::tokens;

/// What a cookie is for, as far as can be seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Whoever has it is the user.
    Session,
    /// It goes with forms, against forged requests.
    FormToken,
    /// It counts or follows visitors.
    Tracking,
    /// It remembers how somebody wants the site.
    Preference,
    /// It cannot be told.
    Other,
}

impl Role {
    /// A word for reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::FormToken => "form token",
            Self::Tracking => "tracking",
            Self::Preference => "preference",
            Self::Other => "unknown",
        }
    }
}

/// Names that frameworks give to the session cookie when nobody chooses another.
pub(crate) const DEFAULT_NAMES: [(&str, &str); 32] = [
    ("jsessionid", "Java servlets"),
    ("phpsessid", "PHP"),
    ("asp.net_sessionid", "ASP.NET"),
    (".aspnetcore.session", "ASP.NET Core"),
    (".aspnetcore.cookies", "ASP.NET Core"),
    (".aspnetcore.identity.application", "ASP.NET Core"),
    (".aspxauth", "ASP.NET"),
    ("connect.sid", "Express"),
    ("express:sess", "Express"),
    ("koa.sess", "Koa"),
    ("koa:sess", "Koa"),
    ("next-auth.session-token", "NextAuth"),
    ("sails.sid", "Sails"),
    ("laravel_session", "Laravel"),
    ("ci_session", "CodeIgniter"),
    ("cakephp", "CakePHP"),
    ("symfony", "Symfony"),
    ("sessionid", "Django"),
    ("remember_token", "Flask-Login"),
    ("ds_actor", "Datasette"),
    ("rack.session", "Rack"),
    ("_session_id", "Rails"),
    ("play_session", "Play"),
    ("beaker.session.id", "Beaker"),
    ("cfid", "ColdFusion"),
    ("cftoken", "ColdFusion"),
    ("dokuwiki", "DokuWiki"),
    ("i_like_gitea", "Gitea"),
    ("phpmyadmin", "phpMyAdmin"),
    ("adminer_sid", "Adminer"),
    ("roundcube_sessid", "Roundcube"),
    ("_redmine_session", "Redmine"),
];

const SESSION_WORDS: [&str; 9] =
    ["sess", "auth", "login", "logged_in", "remember", "jwt", "access_token", "id_token", "actor"];
const SESSION_NAMES: [&str; 7] = ["sid", "token", "ticket", "uid", "id", "user", "s"];
const FORM_WORDS: [&str; 4] = ["csrf", "xsrf", "requestverification", "antiforgery"];
const TRACKING_BEGINNINGS: [&str; 16] = [
    "_ga",
    "_gid",
    "_gat",
    "_gcl",
    "_fbp",
    "_fbc",
    "__utm",
    "_hj",
    "_pk_",
    "_uet",
    "amplitude_",
    "mp_",
    "ajs_",
    "_clck",
    "_clsk",
    "optimizely",
];
const PREFERENCE_WORDS: [&str; 11] = [
    "theme",
    "lang",
    "locale",
    "consent",
    "cookie_notice",
    "timezone",
    "currency",
    "dark",
    "font",
    "view",
    "sort",
];

/// What a cookie of this name and value is probably for; the name may have a prefix.
pub(crate) fn guess(name: &str, value: &[u8]) -> Role {
    let name = bare(name).to_ascii_lowercase();
    let begins = |beginnings: &[&str]| beginnings.iter().any(|text| name.starts_with(text));
    let holds = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if begins(&TRACKING_BEGINNINGS) {
        Role::Tracking
    } else if holds(&FORM_WORDS) {
        Role::FormToken
    } else if holds(&PREFERENCE_WORDS) && !tokens::is_token_like(value) {
        Role::Preference
    } else if holds(&SESSION_WORDS)
        || default_of(&name).is_some()
        || (is_session_name(&name) && tokens::is_token_like(value))
    {
        Role::Session
    } else {
        Role::Other
    }
}

/// The framework whose default this name is.
pub(crate) fn default_of(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let known = DEFAULT_NAMES.iter().find(|(known, _)| *known == name);
    let begins = [("aspsessionid", "ASP"), ("wordpress_logged_in_", "WordPress")];
    let begun = || begins.iter().find(|(text, _)| name.starts_with(text));
    let made = || made_by(&name);
    known.or_else(begun).map(|(_, framework)| *framework).or_else(made)
}

/// Names that a program makes of its address.
fn made_by(name: &str) -> Option<&'static str> {
    let hex = |text: &str| text.len() == 32 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    if name.strip_prefix("dw").is_some_and(hex) {
        return Some("DokuWiki");
    }
    let (_, port) = name.strip_prefix("username-")?.rsplit_once('-')?;
    (!port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit())).then_some("Jupyter")
}

fn is_session_name(name: &str) -> bool {
    SESSION_NAMES.contains(&name) || name.ends_with("sid") || name.ends_with("_token")
}

/// The name without the prefix that browsers look at.
pub(crate) fn bare(name: &str) -> &str {
    let prefixes = ["__host-http-", "__http-", "__host-", "__secure-"];
    let found = prefixes.iter().find(|prefix| {
        name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
    });
    found.and_then(|prefix| name.get(prefix.len()..)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_field_are_told_apart() {
        let token = b"kq8Zr31LkP0vTn5YxBm2Wg".as_slice();
        for (name, value, role) in [
            ("sessionid", token, Role::Session),
            ("__Host-Http-session", token, Role::Session),
            ("__host-session", token, Role::Session),
            ("wordpress_logged_in_5d2", token, Role::Session),
            ("connect.sid", b"s%3Aabc".as_slice(), Role::Session),
            ("sid", token, Role::Session),
            ("DW7293d7b12faf5b6e46ddeeca27ff9800", token, Role::Session),
            ("username-127-0-0-1-8888", token, Role::Session),
            ("phpMyAdmin", token, Role::Session),
            ("username-hint", b"ada", Role::Other),
            ("id", b"7", Role::Other),
            ("csrftoken", token, Role::FormToken),
            ("_xsrf", token, Role::FormToken),
            ("_ga_XK1", token, Role::Tracking),
            ("theme", b"dark", Role::Preference),
            ("basket", b"3", Role::Other),
        ] {
            assert_eq!(guess(name, value), role, "{name}");
        }
    }

    #[test]
    fn default_names_tell_who_gave_them() {
        for (name, framework) in [("phpMyAdmin", "phpMyAdmin"), ("adminer_sid", "Adminer")] {
            assert_eq!(default_of(name), Some(framework), "{name}");
        }
        assert_eq!(default_of("phpMyAdmin_https"), None);
    }
}
