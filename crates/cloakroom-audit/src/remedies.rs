//! How to mend it, framework by framework. Several rules share a remedy.

mod signed_in;
mod timed;

pub(crate) use signed_in::*;
pub(crate) use timed::*;

use crate::rule::Remedies;

pub(crate) const SECURE: Remedies = Remedies {
    axum: "cloakroom sets Secure always; with `axum-extra` build the cookie with `.secure(true)`",
    actix: "`SessionMiddleware::builder(..).cookie_secure(true)`, or cloakroom's actix adapter",
    django: "`SESSION_COOKIE_SECURE = True` and `CSRF_COOKIE_SECURE = True`",
    express: "`cookie: { secure: true }`, and `app.set('trust proxy', 1)` behind a proxy",
    spring: "`server.servlet.session.cookie.secure=true`",
    rails: "`config.force_ssl = true`",
    laravel: "`SESSION_SECURE_COOKIE=true` in `.env`",
};

pub(crate) const HTTP_ONLY: Remedies = Remedies {
    axum: "cloakroom sets HttpOnly always; with `axum-extra` build the cookie with `.http_only(true)`",
    actix: "`SessionMiddleware::builder(..).cookie_http_only(true)`",
    django: "`SESSION_COOKIE_HTTPONLY = True`, and `httponly=True` in `set_cookie`",
    express: "`cookie: { httpOnly: true }`",
    spring: "`server.servlet.session.cookie.http-only=true`",
    rails: "leave `httponly: true` in `session_store`, and give it to `cookies[]=`",
    laravel: "`'http_only' => true` in `config/session.php`",
};

pub(crate) const SAME_SITE: Remedies = Remedies {
    axum: "cloakroom says SameSite=Lax; with `axum-extra` build the cookie with `.same_site(SameSite::Lax)`",
    actix: "`SessionMiddleware::builder(..).cookie_same_site(SameSite::Lax)`",
    django: "`SESSION_COOKIE_SAMESITE = 'Lax'` and `CSRF_COOKIE_SAMESITE = 'Lax'`",
    express: "`cookie: { sameSite: 'lax' }`",
    spring: "`server.servlet.session.cookie.same-site=lax`",
    rails: "`config.action_dispatch.cookies_same_site_protection = :lax`",
    laravel: "`'same_site' => 'lax'` in `config/session.php`",
};

pub(crate) const DOMAIN: Remedies = Remedies {
    axum: "cloakroom writes no Domain unless `.shared_domain(..)` asks for it; leave `.domain(..)` out elsewhere",
    actix: "leave `cookie_domain` at `None`",
    django: "leave `SESSION_COOKIE_DOMAIN` at `None`",
    express: "leave `cookie.domain` out",
    spring: "leave `server.servlet.session.cookie.domain` out",
    rails: "leave `domain:` out of `session_store`",
    laravel: "leave `SESSION_DOMAIN` at `null`",
};

pub(crate) const ONE_SCOPE: Remedies = Remedies {
    axum: "give each application on a host its own name (`.name(\"shop\")` in cloakroom) and keep Path=/",
    actix: "`cookie_name(..)` for each application, `cookie_path(\"/\")` everywhere",
    django: "`SESSION_COOKIE_NAME` for each application, `SESSION_COOKIE_PATH = '/'`",
    express: "`name` for each application, `cookie: { path: '/' }`",
    spring: "`server.servlet.session.cookie.name` for each application, and `path=/`",
    rails: "`key:` for each application, `path: '/'` in `session_store`",
    laravel: "`SESSION_COOKIE` for each application, `'path' => '/'`",
};

pub(crate) const PREFIX: Remedies = Remedies {
    axum: "cloakroom's name is `__Host-Http-session`; elsewhere name it so, with Secure, HttpOnly and Path=/",
    actix: "`cookie_name(\"__Host-Http-session\".into())` with `cookie_secure(true)` and no domain",
    django: "`SESSION_COOKIE_NAME = '__Host-Http-session'` with Secure, HttpOnly and path `/`",
    express: "`name: '__Host-Http-session'`, `cookie: { secure: true, httpOnly: true, path: '/' }`",
    spring: "`server.servlet.session.cookie.name=__Host-Http-session` with secure, http-only and `path=/`",
    rails: "`key: '__Host-Http-session', secure: true, httponly: true, path: '/'` in `session_store`",
    laravel: "`SESSION_COOKIE=__Host-Http-session` with secure, http_only, path `/` and no domain",
};

pub(crate) const PARTITIONED: Remedies = Remedies {
    axum: "leave `.partitioned(true)` out for the session, and add `.secure(true)` where it stays",
    actix: "leave `set_partitioned` out for the session, and add `set_secure` where it stays",
    django: "write no `Partitioned` on the session cookie, and `secure=True` where it stays",
    express: "leave `partitioned` out of the session's `cookie`, and add `secure: true` where it stays",
    spring: "leave `partitioned` out for the session, and add `secure` where it stays",
    rails: "leave `partitioned:` out of `session_store`, and add `secure: true` where it stays",
    laravel: "`SESSION_PARTITIONED_COOKIE=false`, and `SESSION_SECURE_COOKIE=true`",
};

pub(crate) const HSTS: Remedies = Remedies {
    axum: "`SetResponseHeaderLayer` of `tower-http` with `max-age=31536000; includeSubDomains`; redirect port 80 in the proxy",
    actix: "`DefaultHeaders` with the header; redirect port 80 in the proxy",
    django: "`SECURE_SSL_REDIRECT = True` and `SECURE_HSTS_SECONDS = 31536000`",
    express: "`helmet.strictTransportSecurity({ maxAge: 31536000 })` before the session middleware, and a redirect before it",
    spring: "`http.headers(h -> h.httpStrictTransportSecurity(..))` and `redirectToHttps`",
    rails: "`config.force_ssl = true`",
    laravel: "`URL::forceHttps()`, and the header in a middleware or the web server",
};

pub(crate) const GRAMMAR: Remedies = Remedies {
    axum: "build cookies with `cloakroom-cookie`, which cannot write them wrong; use `append`, not `insert`, for Set-Cookie",
    actix: "build cookies with `Cookie::build` and encode values in base64url; `add_cookie` once for each name",
    django: "`response.set_cookie` once for each name; encode values",
    express: "`res.cookie` once for each name; do not write Set-Cookie by hand",
    spring: "`ResponseCookie.from(..)` once for each name",
    rails: "`cookies[]=` once for each name; do not write Set-Cookie by hand",
    laravel: "`Cookie::queue` once for each name",
};

pub(crate) const SIZE: Remedies = Remedies {
    axum: "keep the data on the server: cloakroom's ticket has 22 to 25 characters",
    actix: "another store than `CookieSessionStore`",
    django: "another `SESSION_ENGINE` than `signed_cookies`",
    express: "`express-session` with a store instead of `cookie-session`",
    spring: "keep the data in the session and not in cookies",
    rails: "`:cache_store` or `:active_record_store` instead of `:cookie_store`",
    laravel: "`SESSION_DRIVER=database` or `redis` instead of `cookie`",
};

pub(crate) const NAME: Remedies = Remedies {
    axum: "`.name(..)` of cloakroom's builder, where `session` tells nothing",
    actix: "`cookie_name(..)`",
    django: "`SESSION_COOKIE_NAME`",
    express: "`name` of `express-session`",
    spring: "`server.servlet.session.cookie.name`",
    rails: "`key:` of `session_store`",
    laravel: "`SESSION_COOKIE` in `.env`",
};

pub(crate) const TOKEN: Remedies = Remedies {
    axum: "cloakroom draws 128 bits from the operating system; elsewhere `getrandom` and 16 octets or more, new for each client",
    actix: "leave the key to the session store, which draws it; no identifiers of your own",
    django: "leave session keys to `SessionBase`; no identifiers of your own",
    express: "leave `genid` at its default, or `crypto.randomBytes(16)` and more",
    spring: "leave the identifier to the container; with Spring Session a generator of 128 random bits",
    rails: "leave it to the session store; `SecureRandom` for tokens of your own",
    laravel: "leave it to the session driver; `Str::random(40)` for tokens of your own",
};

pub(crate) const OPAQUE: Remedies = Remedies {
    axum: "cloakroom keeps the data on the server, or seals it; `PrivateCookieJar` of `axum-extra` encrypts, `SignedCookieJar` does not",
    actix: "a store on the server, or `CookieContentSecurity::Private`",
    django: "another `SESSION_ENGINE` than `signed_cookies`",
    express: "`express-session` with a store instead of `cookie-session` or a web token",
    spring: "a session on the server instead of a web token in a cookie",
    rails: "leave `config.action_dispatch.use_authenticated_cookie_encryption` on",
    laravel: "do not except the session cookie from `EncryptCookies`",
};

pub(crate) const HOSTILE: Remedies = Remedies {
    axum: "cloakroom answers an unknown ticket like none; elsewhere check length and alphabet before the store is asked",
    actix: "take cookies with `req.cookie` and never `unwrap` what is in them",
    django: "do not index `request.COOKIES` or decode its values without catching errors",
    express: "catch errors of `JSON.parse` and `decodeURIComponent` on cookies; an error handler without stack traces",
    spring: "take cookies as optional text; `server.error.include-message=never`",
    rails: "rescue what reading `cookies[]` raises; no values of cookies in views",
    laravel: "catch `DecryptException`; no values of cookies in views",
};

pub(crate) const KEY: Remedies = Remedies {
    axum: "`cloakroom`'s key ring with a random key from a file or the environment; keep the old one as retired for nobody",
    actix: "`Key::generate()` once, kept in a secret store",
    django: "a new `SECRET_KEY` from `get_random_secret_key()`, from the environment; the old one not in `SECRET_KEY_FALLBACKS`",
    express: "a new `secret` from `crypto.randomBytes(32)`, from the environment",
    spring: "a new signing key of 256 random bits, from the environment or a vault",
    rails: "a new `secret_key_base` from `bin/rails secret`, in the credentials",
    laravel: "`php artisan key:generate`, and every old session ends",
};

pub(crate) const LIFETIME: Remedies = Remedies {
    axum: "cloakroom's ticket ends with the browser session; `.remember(..)` is 30 days",
    actix: "`BrowserSession`, or `PersistentSession` with a shorter `session_ttl`",
    django: "`SESSION_EXPIRE_AT_BROWSER_CLOSE = True`, or a shorter `SESSION_COOKIE_AGE`",
    express: "leave `cookie.maxAge` out, or make it shorter",
    spring: "leave `server.servlet.session.cookie.max-age` out",
    rails: "leave `expire_after` out of `session_store`, or make it shorter",
    laravel: "`SESSION_LIFETIME` in minutes, and `SESSION_EXPIRE_ON_CLOSE=true`",
};

pub(crate) const URL: Remedies = Remedies {
    axum: "keep tokens in cookies; for links by mail use one-time codes that the first request spends",
    actix: "keep tokens in cookies, and redirect away from one-time codes at once",
    django: "no session keys in templates or `redirect(..)`; `Referrer-Policy: same-origin`",
    express: "no `req.sessionID` in views or redirects",
    spring: "`server.servlet.session.tracking-modes=cookie`",
    rails: "no `session.id` in views or `link_to`",
    laravel: "no `session()->getId()` in views or `redirect()`",
};

pub(crate) const NO_STORE: Remedies = Remedies {
    axum: "cloakroom adds `no-store` with every Set-Cookie; elsewhere `SetResponseHeaderLayer`",
    actix: "`DefaultHeaders` with `Cache-Control: no-store` around what sets a session",
    django: "`@never_cache` on the views that sign in",
    express: "`res.set('Cache-Control', 'no-store')` where the session is set",
    spring: "leave the cache control of Spring Security's headers on",
    rails: "`no_store` in the actions that sign in",
    laravel: "the middleware `cache.headers:no_store` on the routes that sign in",
};

pub(crate) const STORAGE: Remedies = Remedies {
    axum: "keep the session in cloakroom's HttpOnly cookie and let the page ask the server who is signed in",
    actix: "an HttpOnly cookie instead of a token in the answer's JSON",
    django: "`SessionAuthentication` instead of a token for scripts",
    express: "`express-session` instead of a token in the answer's JSON",
    spring: "a session, or a backend for the frontend, instead of a token for scripts",
    rails: "the session instead of a token in the answer's JSON",
    laravel: "Sanctum's session for scripts of the same site",
};

pub(crate) const PRIVACY: Remedies = Remedies {
    axum: "set it after consent; cloakroom sets its cookie when something is kept, and not before",
    actix: "set it after consent, and list it in the privacy notice",
    django: "set it after consent, and list it in the privacy notice",
    express: "set it after consent, and list it in the privacy notice",
    spring: "set it after consent, and list it in the privacy notice",
    rails: "set it after consent, and list it in the privacy notice",
    laravel: "set it after consent, and list it in the privacy notice",
};

pub(crate) const EAGER: Remedies = Remedies {
    axum: "cloakroom creates a session with the first write; do not call `ensure` on pages that only show",
    actix: "write into the session where there is something to keep, not in middleware",
    django: "leave `SESSION_SAVE_EVERY_REQUEST` off, and do not write into `request.session` in middleware",
    express: "`saveUninitialized: false`",
    spring: "`SessionCreationPolicy.IF_REQUIRED`, and `session=\"false\"` in pages that need none",
    rails: "no `session[..]=` and no form tokens on pages that only show",
    laravel: "take the pages that only show out of the `web` group's `StartSession`",
};
