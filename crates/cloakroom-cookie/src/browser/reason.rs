//! Every reason for which a browser refuses, changes, withholds or removes a cookie, as one list.

use std::fmt;

/// What a [`Reason`] does to the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// It is not stored, and what was there stays.
    Refused,
    /// It is stored otherwise than the line says.
    Changed,
    /// It stays where it is and is not sent.
    Withheld,
    /// It was stored and is there no more.
    Removed,
}

impl Effect {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Changed => "changed",
            Self::Withheld => "withheld",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

struct Row {
    effect: Effect,
    code: &'static str,
    sentence: &'static str,
    remedy: &'static str,
    source: &'static str,
    devtools: Option<&'static str>,
}

/// One row for each reason: variant, effect, code, sentence, remedy, source, and Chromium's name.
macro_rules! reasons {
    ($($variant:ident $effect:ident $code:literal
        $sentence:literal
        $remedy:literal
        $source:literal $devtools:expr;)*) => {
        /// Why a browser did something else with a cookie than its server asked for.
        ///
        /// `Display` gives the sentence. The other parts of the row are methods, so that a command, a
        /// report and a page of documentation can be made from one list.
        ///
        /// ```
        /// use cloakroom_cookie::browser::{Effect, Reason};
        ///
        /// let reason = Reason::HostPrefixWithDomain;
        /// assert_eq!(reason.code(), "host-prefix-with-domain");
        /// assert_eq!(reason.effect(), Effect::Refused);
        /// assert_eq!(reason.to_string(), "a `__Host-` name does not go with a Domain");
        /// assert_eq!(reason.remedy(), "leave Domain out, or take a `__Secure-` name");
        /// assert_eq!(reason.source(), "RFC 6265bis section 5.7 step 21");
        /// assert_eq!(reason.devtools(), Some("InvalidPrefix"));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Reason { $(#[doc = concat!($sentence, ".")] $variant,)* }

        impl Reason {
            /// Every reason, in the order in which browsers come to them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        effect: Effect::$effect,
                        code: $code,
                        sentence: $sentence,
                        remedy: $remedy,
                        source: $source,
                        devtools: $devtools,
                    },)*
                }
            }
        }
    };
}

reasons! {
    ControlCharacter Refused "control-character"
        "a control character stands in the line"
        "encode the value, in base64url say"
        "RFC 6265bis section 5.6 step 1" Some("DisallowedCharacter");
    NameAndValueTooLong Refused "name-and-value-too-long"
        "name and value have more than 4096 octets together"
        "keep the data on the server and send its key"
        "RFC 6265bis section 5.6 step 5" Some("NameValuePairExceedsMaxSize");
    NothingToStore Refused "nothing-to-store"
        "name and value are both empty"
        "give the cookie a name"
        "RFC 6265bis section 5.7 step 2" Some("NoCookieContent");
    DomainNotAscii Refused "domain-not-ascii"
        "the Domain has characters beyond ASCII"
        "write the A-labels (`xn--...`)"
        "RFC 6265bis section 5.7 step 8" Some("InvalidDomain");
    DomainIsPublicSuffix Refused "domain-is-public-suffix"
        "the Domain is a public suffix, under which strangers register names"
        "name your own domain, or leave Domain out"
        "RFC 6265bis section 5.7 step 9" Some("InvalidDomain");
    DomainDoesNotCover Refused "domain-does-not-cover"
        "the Domain is neither the host nor a parent of it"
        "leave Domain out, or name the host or a parent"
        "RFC 6265bis section 5.7 step 10" Some("InvalidDomain");
    SecureFromPlainHttp Refused "secure-from-plain-http"
        "plain http cannot set a Secure cookie"
        "serve the page over https"
        "RFC 6265bis section 5.7 step 13" Some("SecureOnly");
    HttpOnlyFromScript Refused "http-only-from-script"
        "a script cannot set an HttpOnly cookie"
        "set it in a response"
        "RFC 6265bis section 5.7 step 15" None;
    OverwritesSecure Refused "overwrites-secure"
        "plain http cannot set a cookie of the same name beside a Secure one"
        "serve the page over https, or use another name"
        "RFC 6265bis section 5.7 step 16" Some("OverwriteSecure");
    SameSiteSetCrossSite Refused "same-site-set-cross-site"
        "a page of another site embeds this response, and the cookie is not SameSite=None"
        "set it in a page of your own, or say `SameSite=None; Secure`"
        "RFC 6265bis section 5.7 step 18" None;
    SameSiteNoneWithoutSecure Refused "same-site-none-without-secure"
        "SameSite=None needs Secure"
        "add Secure, or say SameSite=Lax"
        "RFC 6265bis section 5.7 step 19" Some("SameSiteNoneInsecure");
    PrefixWithoutSecure Refused "prefix-without-secure"
        "the prefix of the name needs Secure"
        "add Secure, or take another name"
        "RFC 6265bis section 5.7 steps 20 and 21" Some("InvalidPrefix");
    PrefixFromPlainHttp Refused "prefix-from-plain-http"
        "plain http cannot keep what the prefix of the name promises"
        "serve the page over https"
        "RFC 6265bis section 5.7 step 13" Some("InvalidPrefix");
    HostPrefixWithDomain Refused "host-prefix-with-domain"
        "a `__Host-` name does not go with a Domain"
        "leave Domain out, or take a `__Secure-` name"
        "RFC 6265bis section 5.7 step 21" Some("InvalidPrefix");
    HostPrefixWithoutRootPath Refused "host-prefix-without-root-path"
        "a `__Host-` name needs Path=/ written out"
        "add Path=/"
        "RFC 6265bis section 5.7 step 21" Some("InvalidPrefix");
    HttpPrefixWithoutHttpOnly Refused "http-prefix-without-http-only"
        "a `__Http-` or `__Host-Http-` name needs HttpOnly"
        "add HttpOnly, or take a name that scripts may read"
        "layered cookies section 4.1.3" Some("InvalidPrefix");
    HttpPrefixFromScript Refused "http-prefix-from-script"
        "a script cannot set a `__Http-` or `__Host-Http-` name"
        "set it in a response"
        "layered cookies section 4.1.3" Some("InvalidPrefix");
    NamelessWithPrefix Refused "nameless-with-prefix"
        "a value without a name begins like a name with a prefix"
        "give the cookie a name"
        "RFC 6265bis section 5.7 step 22" Some("InvalidPrefix");
    NamelessWithEquals Refused "nameless-with-equals"
        "a value without a name holds a `=`, and would come back as a name and a value"
        "give the cookie a name"
        "Chromium, observed" None;
    PartitionedWithoutSecure Refused "partitioned-without-secure"
        "Partitioned needs Secure"
        "add Secure"
        "CHIPS section 2.1" None;
    OverwritesHttpOnly Refused "overwrites-http-only"
        "a script cannot replace or delete an HttpOnly cookie"
        "do it in a response"
        "RFC 6265bis section 5.7 step 23" None;
    ThirdPartyRefused Refused "third-party-refused"
        "the browser blocks cookies of pages that another site embeds"
        "say `SameSite=None; Secure; Partitioned`, or open a page of your own"
        "RFC 6265bis section 7.1" Some("UserPreferences");
    CredentialsRefused Refused "credentials-refused"
        "the request was made without credentials"
        "fetch with `credentials: \"include\"`"
        "Fetch, credentials mode" None;
    AgeCapped Changed "age-capped"
        "a cookie lives 400 days at most"
        "ask for less, and renew it when the person comes back"
        "RFC 6265bis section 5.5" None;
    ScriptAgeCapped Changed "script-age-capped"
        "this browser keeps a cookie of a script 7 days at most"
        "set it in a response"
        "WebKit, tracking prevention" None;
    AttributeTooLong Changed "attribute-too-long"
        "an attribute has more than 1024 octets and counts as absent"
        "shorten it"
        "RFC 6265bis section 5.6" None;
    AttributeUnknown Changed "attribute-unknown"
        "an attribute is unknown and counts as absent"
        "look for a spelling mistake"
        "RFC 6265bis section 5.6" None;
    AttributeRepeated Changed "attribute-repeated"
        "an attribute stands there more than once, and the last one counts"
        "say it once"
        "RFC 6265bis section 5.7" None;
    ExpiresUnreadable Changed "expires-unreadable"
        "Expires is no date and counts as absent"
        "write `Wdy, DD Mon YYYY HH:MM:SS GMT`, or Max-Age"
        "RFC 6265bis section 5.6.1" None;
    MaxAgeUnreadable Changed "max-age-unreadable"
        "Max-Age is no whole number of seconds and counts as absent"
        "write digits only"
        "RFC 6265bis section 5.6.2" None;
    ExpiresOverruled Changed "expires-overruled"
        "Max-Age is there, so that Expires does not count"
        "nothing, if both say the same"
        "RFC 6265bis section 5.7 step 6" None;
    DomainEmpty Changed "domain-empty"
        "an empty Domain leaves the cookie to this host alone"
        "leave Domain out"
        "RFC 6265bis section 5.7 step 10" None;
    DomainLeadingDot Changed "domain-leading-dot"
        "the dot before the Domain does not count"
        "leave the dot out: subdomains see the cookie in any case"
        "RFC 6265bis section 5.6.3" None;
    DomainIsOwnSuffix Changed "domain-is-own-suffix"
        "the Domain is a public suffix and the host itself: only this host gets the cookie"
        "leave Domain out"
        "RFC 6265bis section 5.7 step 9" None;
    PathNotAbsolute Changed "path-not-absolute"
        "the Path does not begin with `/`: the folder of the page counts instead"
        "write the path from `/` on"
        "RFC 6265bis section 5.6.4" None;
    SameSiteUnknown Changed "same-site-unknown"
        "the SameSite value is unknown and counts as absent"
        "write Strict, Lax or None"
        "RFC 6265bis section 5.6.7" None;
    SeparatedByBrowser Changed "separated-by-browser"
        "the browser keeps this cookie for the embedding site alone"
        "say Partitioned, which means the same in every browser"
        "RFC 6265bis section 7.1" None;
    OtherHost Withheld "other-host"
        "the request goes to a host that the cookie is not for"
        "set it at this host, or with a Domain that covers both"
        "RFC 6265bis section 5.8.3" Some("DomainMismatch");
    OtherPath Withheld "other-path"
        "the request goes to a path that the cookie is not for"
        "set it with Path=/"
        "RFC 6265bis section 5.8.3" Some("NotOnPath");
    SecureToPlainHttp Withheld "secure-to-plain-http"
        "a Secure cookie is not sent over plain http"
        "use https"
        "RFC 6265bis section 5.8.3" Some("SecureOnly");
    HiddenFromScript Withheld "hidden-from-script"
        "scripts do not see an HttpOnly cookie"
        "ask the server, or leave HttpOnly out for what scripts must read"
        "RFC 6265bis section 5.8.3" None;
    StrictCrossSite Withheld "strict-cross-site"
        "another site caused the request, and the cookie is SameSite=Strict"
        "say SameSite=Lax if links of other sites are meant to find their user signed in"
        "RFC 6265bis section 5.8.3" Some("SameSiteStrict");
    LaxCrossSite Withheld "lax-cross-site"
        "another site caused the request, it is no link, and the cookie is SameSite=Lax"
        "say `SameSite=None; Secure` for a cookie that other sites are meant to use"
        "RFC 6265bis section 5.8.3" Some("SameSiteLax");
    UnsetCrossSite Withheld "unset-cross-site"
        "another site caused the request, it is no link, and a cookie without SameSite counts as Lax"
        "write SameSite out: Lax to keep this, None with Secure to change it"
        "RFC 6265bis section 5.8.3" Some("SameSiteUnspecifiedTreatedAsLax");
    OtherPartition Withheld "other-partition"
        "the cookie belongs to frames on another site"
        "set it again in this place"
        "CHIPS section 2.2" None;
    ThirdPartyWithheld Withheld "third-party-withheld"
        "the browser blocks cookies in requests that a page of another site embeds"
        "say `SameSite=None; Secure; Partitioned` and set it there"
        "RFC 6265bis section 7.1" Some("UserPreferences");
    CredentialsOmitted Withheld "credentials-omitted"
        "the request was made without credentials"
        "fetch with `credentials: \"include\"`"
        "Fetch, credentials mode" None;
    Expired Removed "expired"
        "its time is over"
        "renew it while the person is there"
        "RFC 6265bis section 5.7" None;
    CrowdedOut Removed "crowded-out"
        "newer cookies of the same site or in all needed its place"
        "set fewer cookies, and Secure ones: others go first"
        "RFC 6265bis section 5.7" None;
}

impl Reason {
    /// What it does to the cookie.
    pub const fn effect(self) -> Effect {
        self.row().effect
    }

    /// Its name for programs: lower case and hyphens, never reused for something else.
    pub const fn code(self) -> &'static str {
        self.row().code
    }

    /// One sentence, without a full stop.
    pub const fn sentence(self) -> &'static str {
        self.row().sentence
    }

    /// What the server can do about it.
    pub const fn remedy(self) -> &'static str {
        self.row().remedy
    }

    /// Where the rule stands.
    pub const fn source(self) -> &'static str {
        self.row().source
    }

    /// What Chromium's developer tools call it.
    pub const fn devtools(self) -> Option<&'static str> {
        self.row().devtools
    }

    /// The reason with this code.
    ///
    /// ```
    /// use cloakroom_cookie::browser::Reason;
    ///
    /// assert_eq!(Reason::from_code("age-capped"), Some(Reason::AgeCapped));
    /// ```
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.sentence())
    }
}
