//! How to mend what is seen with a login script.

use crate::rule::Remedies;

pub(crate) const ROTATE: Remedies = Remedies {
    axum: "cloakroom's `login(..)` and `step_up(..)` give a new token and end the old one; with `tower-sessions` call `cycle_id()` at both",
    actix: "`session.renew()` at login and when rights are gained",
    django: "`django.contrib.auth.login(..)`, or `request.session.cycle_key()` where you sign in yourself",
    express: "`req.session.regenerate(..)` at login, before the user is put into it",
    spring: "leave `sessionFixation` at `changeSessionId`, also in a login of your own",
    rails: "`reset_session` at login, before `session[:user_id] =`",
    laravel: "`$request->session()->regenerate()` at login",
};

pub(crate) const STRICT: Remedies = Remedies {
    axum: "cloakroom takes an unknown ticket as none; elsewhere never store a session under a name that came with the request",
    actix: "leave the key to the session store, and use no identifier from the request",
    django: "leave the session engine as it is, and do not pass a key of the request to `SessionStore(..)`",
    express: "leave `genid` at its default, without `req`",
    spring: "`changeSessionId()`, and no filter that takes an identifier from the request",
    rails: "leave the session store as it is, and upgrade stores that adopt identifiers",
    laravel: "leave the session driver as it is; in PHP `session.use_strict_mode=1`",
};

pub(crate) const POST_ONLY: Remedies = Remedies {
    axum: "`post(..)` for the route; take the fields from `Form`, not from `Query`",
    actix: "`web::post()` for the route, and `web::Form` for its fields",
    django: "`@require_POST`, and `request.POST`",
    express: "`app.post`, and `req.body`",
    spring: "`@PostMapping`, and no `@RequestMapping` without a method",
    rails: "`post` or `delete` in `routes.rb`, and no `match ... via: :all`",
    laravel: "`Route::post` and no `Route::any`, and `$request->post(..)`",
};

pub(crate) const COOKIE_ONLY: Remedies = Remedies {
    axum: "cloakroom reads the cookie and nothing else; drop extractors that take the token from the query or a header",
    actix: "drop code that takes the session key from the query or a header",
    django: "drop middleware that fills `request.COOKIES` from elsewhere",
    express: "drop `req.query.sid` and the like in front of the session middleware",
    spring: "`server.servlet.session.tracking-modes=cookie`",
    rails: "`cookie_only: true` in `session_store`",
    laravel: "drop middleware that sets the session's identifier; in PHP `session.use_only_cookies=1` and `session.use_trans_sid=0`",
};

pub(crate) const REVOKE: Remedies = Remedies {
    axum: "cloakroom's `logout()` ends the record, and no later write brings it back; with a sealed cookie declare a feed of endings",
    actix: "`session.purge()` with a store on the server; `CookieSessionStore` cannot end anything",
    django: "`logout(request)` with another engine than `signed_cookies`",
    express: "`req.session.destroy(..)`, not only `res.clearCookie`; `cookie-session` cannot end anything",
    spring: "`invalidateHttpSession(true)`, and a list of ended tokens for web tokens",
    rails: "a store on the server and `reset_session`; the cookie store cannot end anything",
    laravel: "`Auth::logout()` and `$request->session()->invalidate()`, with another driver than `cookie`",
};

pub(crate) const REMEMBERED: Remedies = Remedies {
    axum: "cloakroom's `logout()` ends a remembered login too, and `.remember(..)` asks for one only when the form did",
    actix: "delete the record of the remembered login at sign-out; `PersistentSession` only when the form asks for it",
    django: "`request.session.set_expiry(0)` unless the form asks to be remembered; delete tokens of your own at sign-out",
    express: "delete the record of the remembered login in the handler that signs out; `maxAge` only when the form asks for it",
    spring: "`PersistentTokenBasedRememberMeServices`, whose tokens end at sign-out; `alwaysRemember(false)`",
    rails: "`forget_me!` of Devise, or clear the digest of the remembered login at sign-out",
    laravel: "`Auth::logout()` changes the remember token; `Auth::attempt(.., $remember)` with the field of the form",
};

pub(crate) const DELETE: Remedies = Remedies {
    axum: "cloakroom deletes its cookie from the definition that set it; elsewhere `Max-Age=0` with the same path and domain",
    actix: "`session.purge()`, or `add_removal_cookie` with the same path and domain",
    django: "`logout(request)`, or `delete_cookie` with the path and domain of `set_cookie`",
    express: "`res.clearCookie(name, options)` with the options that set it",
    spring: "`deleteCookies(..)`, with the path of the cookie",
    rails: "`cookies.delete(name, path:, domain:)` with those that set it",
    laravel: "`Cookie::forget(name, path, domain)` with those that set it",
};

pub(crate) const WAY_OUT: Remedies = Remedies {
    axum: "a form with `method=\"post\"` to the route that signs out, on every page of a user",
    actix: "a form with `method=\"post\"` to the route that signs out, on every page of a user",
    django: "a form to `{% url 'logout' %}` in the base template",
    express: "a form to the route that signs out in the layout",
    spring: "a form to `/logout` in the layout",
    rails: "`button_to \"Sign out\", session_path, method: :delete` in the layout",
    laravel: "a form to `route('logout')` with `@csrf` in the layout",
};

pub(crate) const CLEAR: Remedies = Remedies {
    axum: "cloakroom says `no-store` on a user's pages; add `Clear-Site-Data: \"cache\", \"storage\"` to the answer that signs out",
    actix: "`Cache-Control: no-store` around the pages of a user, and `Clear-Site-Data` at sign-out",
    django: "`@never_cache` on the pages of a user, and `Clear-Site-Data` at sign-out",
    express: "`res.set('Cache-Control', 'no-store')` on the pages of a user, and `Clear-Site-Data` at sign-out",
    spring: "leave the cache control of Spring Security on, and add `ClearSiteDataHeaderWriter` to the logout",
    rails: "`no_store` in the controllers of a user, and `Clear-Site-Data` at sign-out",
    laravel: "the `cache.headers:no_store` middleware on the pages of a user, and `Clear-Site-Data` at sign-out",
};

pub(crate) const OTHERS: Remedies = Remedies {
    axum: "cloakroom: `end_others(..)` after the password was changed",
    actix: "keep an epoch with the user and in the session, and raise it with the password",
    django: "leave `SessionAuthenticationMiddleware`'s check in place, and call `update_session_auth_hash` for the own session",
    express: "delete the user's other sessions in the store when the password changes",
    spring: "`sessionRegistry.getAllSessions(..)` and `expireNow()` when the password changes",
    rails: "keep a part of the password's salt in the session, as Devise does",
    laravel: "`Auth::logoutOtherDevices(..)` and the `auth.session` middleware",
};

pub(crate) const LIMIT: Remedies = Remedies {
    axum: "cloakroom: `.per_user(Limit::keep_newest(5))`, and its list of devices",
    actix: "count the user's sessions in the store at login",
    django: "count the user's sessions at login, and show them",
    express: "count the user's sessions in the store at login",
    spring: "`sessionManagement(s -> s.maximumSessions(5))`",
    rails: "keep sessions as rows of the user, and count them at login",
    laravel: "count the user's rows in `sessions` at login, and show them",
};

pub(crate) const GATE: Remedies = Remedies {
    axum: "cloakroom's gate refuses what comes from another origin; elsewhere compare `Sec-Fetch-Site`, then `Origin`, before the handler",
    actix: "compare `Sec-Fetch-Site`, then `Origin`, in a middleware, or use a token bound to the session",
    django: "leave `CsrfViewMiddleware` on and no `@csrf_exempt`; `CSRF_TRUSTED_ORIGINS` with whole origins",
    express: "a middleware that compares `Sec-Fetch-Site`, then `Origin`, or a token bound to the session",
    spring: "leave `csrf` on",
    rails: "`protect_from_forgery with: :exception` and `forgery_protection_origin_check = true`",
    laravel: "leave `ValidateCsrfToken` on, with no exceptions for routes that change something",
};

pub(crate) const BOUND: Remedies = Remedies {
    axum: "no form token with cloakroom's gate; elsewhere a token that is an HMAC of the session's identity",
    actix: "a form token that is kept in the session or is an HMAC of its identity",
    django: "`CSRF_USE_SESSIONS = True`",
    express: "a form token that is kept in the session, instead of a cookie that is compared with a field",
    spring: "`HttpSessionCsrfTokenRepository` instead of `CookieCsrfTokenRepository`",
    rails: "leave the token in the session, with `per_form_csrf_tokens = true`",
    laravel: "leave the token in the session, and compare nothing with `XSRF-TOKEN` yourself",
};

pub(crate) const CORS: Remedies = Remedies {
    axum: "`CorsLayer` with a list of origins, and no `AllowOrigin::mirror_request()` beside `allow_credentials`",
    actix: "`Cors::default().allowed_origin(..)`, and no `allowed_origin_fn` that says yes to all",
    django: "`CORS_ALLOWED_ORIGINS` instead of `CORS_ALLOW_ALL_ORIGINS` beside `CORS_ALLOW_CREDENTIALS`",
    express: "`cors({ origin: [..], credentials: true })`, and not `origin: true`",
    spring: "`allowedOrigins(..)` instead of `allowedOriginPatterns(\"*\")` beside `allowCredentials(true)`",
    rails: "`origins` of `rack-cors` with a list, and no `/.*/` beside `credentials: true`",
    laravel: "`allowed_origins` in `config/cors.php` with a list, and no `*` beside `supports_credentials`",
};

pub(crate) const FRAME: Remedies = Remedies {
    axum: "`SetResponseHeaderLayer` with `Content-Security-Policy: frame-ancestors 'self'`",
    actix: "`DefaultHeaders` with `Content-Security-Policy: frame-ancestors 'self'`",
    django: "leave `XFrameOptionsMiddleware` on",
    express: "`helmet.contentSecurityPolicy` with `frameAncestors`",
    spring: "leave `frameOptions` on, or `contentSecurityPolicy(\"frame-ancestors 'self'\")`",
    rails: "leave `X-Frame-Options` among the default headers, or `policy.frame_ancestors :self`",
    laravel: "a middleware with `Content-Security-Policy: frame-ancestors 'self'`",
};

pub(crate) const WEB_TOKEN: Remedies = Remedies {
    axum: "cloakroom's token is no web token; with `jsonwebtoken` one algorithm in `Validation::new(..)`, its own key, and `exp` required",
    actix: "with `jsonwebtoken` one algorithm in `Validation::new(..)`, its own key, and `exp` required",
    django: "`jwt.decode(.., algorithms=[\"..\"], options={\"require\": [\"exp\"]})` with a key of your own",
    express: "`jwt.verify(token, key, { algorithms: ['..'] })` with a key of your own, and `expiresIn` when signing",
    spring: "`NimbusJwtDecoder` with one algorithm and key, and its validator of times",
    rails: "`JWT.decode(token, key, true, algorithms: ['..'], required_claims: ['exp'])`",
    laravel: "one `algo` and key in the configuration of the package for web tokens, with `exp` among the required claims",
};

pub(crate) const COMPOSE: Remedies = Remedies {
    axum: "cloakroom's `update(..)` replays on the newest data; a store that replaces whole sessions loses what came between",
    actix: "change in the database in one statement; the session's map is written whole",
    django: "change in the database in one statement (`F(..)`); sessions are written whole",
    express: "change in the database in one statement; `express-session` writes the session whole",
    spring: "change in the database in one statement, or a session store that writes single attributes",
    rails: "change in the database in one statement; sessions are written whole",
    laravel: "`->block()` on the route, or change in the database in one statement",
};

pub(crate) const NEWEST: Remedies = Remedies {
    axum: "cloakroom clears no cookie for an unknown ticket; elsewhere do not delete or replace a cookie that is not known",
    actix: "do not answer an unknown session key with a new or an empty cookie",
    django: "middleware that saves or flushes sessions of requests without a user is what to look for",
    express: "`saveUninitialized: false`, and no `clearCookie` for a session that is not found",
    spring: "no `invalidSessionUrl` that deletes the cookie on requests of scripts",
    rails: "no `reset_session` in `rescue_from` of requests that change nothing",
    laravel: "take routes that scripts ask in parallel out of the `web` group, or `->block()`",
};
