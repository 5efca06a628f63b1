//! The one list of what can be broken.

use std::collections::BTreeSet;
use std::fmt;

/// One switch: it breaks one defence, so that one rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The switch itself.
    pub bad: Bad,
    /// The rule that it breaks, and the name of the switch.
    pub id: &'static str,
    /// What is wrong with it on.
    pub breaks: &'static str,
    /// Switches without which it could not be seen; they are on with it.
    pub needs: &'static [Bad],
    /// Other rules that are right to be broken too, and why.
    pub along: &'static [(&'static str, &'static str)],
}

macro_rules! switches {
    ($($name:ident $(needs [$($need:ident),+])? $(along [$($rule:literal: $why:literal),+])? => $breaks:literal,)+) => {
        /// A defence that can be broken, named like the rule that sees it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "what each one breaks stands in its row")]
        pub enum Bad {
            $($name,)+
        }

        impl Bad {
            /// Its row.
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$name => Row {
                        bad: Self::$name,
                        id: stringify!($name),
                        breaks: $breaks,
                        needs: &[$($(Self::$need),+)?],
                        along: &[$($(($rule, $why)),+)?],
                    },)+
                }
            }
        }

        /// Every switch, in the order of the rules.
        pub static ROWS: &[Row] = &[$(Bad::$name.row(),)+];
    };
}

switches! {
    C01 along ["C08": "every prefix asks for Secure, so that the name has none"]
        => "the session's cookie is not Secure",
    C02 => "scripts can read the session's cookie",
    C03 => "the session's cookie says nothing about SameSite",
    C04 => "the session's cookie is SameSite=None",
    C05 => "the session's cookie goes to every host of the domain",
    C06 => "a preference is set for two paths",
    C07 => "the prefix of the session's cookie is written in lower case",
    C08 => "the session's cookie has no prefix",
    C09 => "the session's cookie is Partitioned",
    C10 along [
        "C01": "what is Secure cannot come over plain http",
        "C08": "every prefix asks for Secure"
    ] => "the redirect from plain http to https sets a cookie",
    C11 => "a sign-in deletes and sets the session's cookie in one answer",
    C12 => "HttpOnly stands in the line twice",
    C13 => "the session's cookie has a comma in its value",
    C14 => "the session's cookie ends tomorrow, in that word",
    C15 => "a preference has a Domain that is empty",
    C16 => "a preference has a Path of more than 1024 octets",
    C17 => "a sign-in sets five cookies of 1900 octets",
    C18 along ["C10": "a cookie that is set over plain http is set in clear"]
        => "the redirect from plain http to https sets a Secure cookie",
    I01 => "tokens have 48 bits",
    I02 needs [G03] => "tokens are counted up",
    I03 needs [G03] => "strangers are given one and the same token",
    I04 => "the session's cookie is a web token that anybody can read",
    I05 needs [G03] => "a page repeats a token that is none",
    I06 => "the session's cookie is called sessionid",
    I07 needs [I04] => "web tokens are signed with a key of the examples",
    F01 needs [G03] => "a sign-in keeps the token",
    F02 => "a sign-in takes over a token that the server never gave",
    F03 needs [G03] => "the token from before the sign-in is signed in too",
    F04 => "an address with name and password signs in",
    F05 => "a step-up keeps the token",
    F06 needs [G03] => "whoever shared the session before a sign-in is led into it",
    F07 => "a token in the address is as good as a cookie",
    T01 => "no session ends because nobody uses it",
    T02 => "no session ends because of its age",
    T03 needs [T04] along [
        "T01": "nothing on the server ends the session",
        "T02": "nothing on the server ends the session"
    ] => "the timeouts are in the cookie's lifetime alone",
    T04 => "every session's cookie stays for a day, asked for or not",
    T05 along ["T04": "sixty days without being asked are persistent too"]
        => "the session's cookie stays for sixty days",
    O01 => "signing out deletes the cookie, and the server knows nothing of it",
    O02 => "a second cookie signs in again after signing out",
    O03 => "pages renew the token, and signing out ends the newest alone",
    O04 => "signing out leaves the cookie in the browser",
    O05 => "pages offer no way out",
    O06 needs [H03] => "signing out leaves pages to the browser's cache",
    O07 => "a new password leaves other sessions as they are",
    O08 => "an address signs out",
    M01 => "a user may have any number of sessions",
    M02 => "every sign-in of a user gives the same token",
    X01 along [
        "X02": "Sec-Fetch-Site is not looked at either",
        "X03": "Origin is not looked at either"
    ] => "the cart takes forms from anywhere",
    X02 => "headers alone tell where forms come from, and Sec-Fetch-Site is believed whatever it says",
    X03 => "headers alone tell where forms come from, and an Origin that resembles the site's own will do",
    X04 => "an address fills the cart",
    X05 => "the form token of anybody will do",
    X06 => "a form token is right if a cookie says the same",
    X07 => "the sign-in form is taken from anywhere",
    X08 => "any site may read answers with the user's cookies",
    U01 => "a sign-in leads to an address that holds the token",
    U02 => "the account page repeats the token",
    H01 => "pages answer over plain http too",
    H02 => "an answer that sets the session may be kept by caches",
    H03 => "pages of a user may be kept by caches",
    H04 => "there is no Strict-Transport-Security",
    H05 => "a script keeps a token in web storage",
    H06 => "pages of a user may be framed by any site",
    J01 needs [I04] => "a web token that says alg none is not verified",
    J02 needs [I04] => "a web token says where its key is, and the key is fetched from there",
    J03 needs [I04] => "web tokens do not end",
    S01 => "the cart is read, and written a moment later",
    S02 => "a slow request writes its session as it was when it began",
    S03 needs [G03] => "a token that is none is replaced, whoever asks",
    S04 => "the first cookie of the name is believed",
    S05 => "cookies behind one that is broken are not read",
    S06 => "a token that is none is an error of the server",
    S07 => "every answer to a user makes a cookie longer",
    G01 => "a tracker's cookie is set on the first visit",
    G02 => "a cookie that nobody can explain is set",
    G03 => "whoever looks at the first page is given a session",
}

/// What is broken in one application; without any switch, nothing is.
///
/// ```
/// use bad::{Bad, Switches};
///
/// let switches = Switches::parse(["I07"])?;
/// assert!(switches.has(Bad::I07));
/// assert!(switches.has(Bad::I04), "I07 needs I04");
/// # Ok::<(), bad::UnknownSwitch>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switches(BTreeSet<Bad>);

impl Switches {
    /// Nothing is broken.
    pub fn none() -> Self {
        Self::default()
    }

    /// These switches and what they need.
    pub fn of(bad: impl IntoIterator<Item = Bad>) -> Self {
        let mut all = BTreeSet::new();
        for bad in bad {
            all.insert(bad);
            all.extend(bad.row().needs);
        }
        Self(all)
    }

    /// The switches of these names, in either case.
    ///
    /// # Errors
    ///
    /// [`UnknownSwitch`] names the first that is none.
    pub fn parse<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, UnknownSwitch> {
        let known = |name: &str| ROWS.iter().find(|row| row.id.eq_ignore_ascii_case(name));
        let found = names.into_iter().map(|name| {
            known(name).map(|row| row.bad).ok_or_else(|| UnknownSwitch(name.to_owned()))
        });
        Ok(Self::of(found.collect::<Result<Vec<_>, _>>()?))
    }

    /// Whether this is broken.
    pub fn has(&self, bad: Bad) -> bool {
        self.0.contains(&bad)
    }

    /// The rows of all that is broken.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.0.iter().map(|bad| bad.row())
    }
}

/// A name that no switch has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSwitch(String);

impl fmt::Display for UnknownSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no switch {}: --list names all of them", self.0.escape_debug())
    }
}

impl std::error::Error for UnknownSwitch {}
