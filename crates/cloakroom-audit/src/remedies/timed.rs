//! How to mend what is seen by waiting.

use crate::rule::Remedies;

pub(crate) const IDLE: Remedies = Remedies {
    axum: "cloakroom ends idle sessions after 30 min, or `.idle_timeout(..)`; with `tower-sessions` `Expiry::OnInactivity(..)`, and a store that looks at the time",
    actix: "keep the time of the last request in the session, and purge it when it is too old",
    django: "`SESSION_COOKIE_AGE` with `SESSION_SAVE_EVERY_REQUEST = True`",
    express: "`rolling: true` with `cookie.maxAge`, and a store with a time to live",
    spring: "`server.servlet.session.timeout=30m`",
    rails: "Devise's `:timeoutable`, or a time in the session that is looked at before every action",
    laravel: "`lifetime` in `config/session.php`, with a driver on the server",
};

pub(crate) const ABSOLUTE: Remedies = Remedies {
    axum: "cloakroom ends sessions after 12 h, or `.absolute_timeout(..)`; elsewhere keep the time of the login in the session and look at it",
    actix: "keep the time of the login in the session, and purge it when it is too old",
    django: "a middleware that looks at a time of the login in the session and calls `logout(..)`",
    express: "keep the time of the login in the session, and `req.session.destroy(..)` when it is too old",
    spring: "a filter that looks at the session's `getCreationTime()` and calls `invalidate()`",
    rails: "keep the time of the login in the session, and `reset_session` when it is too old",
    laravel: "a middleware that looks at a time of the login in the session and calls `invalidate()`",
};

pub(crate) const ON_SERVER: Remedies = Remedies {
    axum: "cloakroom keeps both deadlines in the record; elsewhere the store has to refuse what is over",
    actix: "a session store that keeps the deadline, and no `CookieSessionStore` alone",
    django: "leave the session engine at the database or the cache, which look at `expire_date`",
    express: "a store with a time to live of its own, not the cookie's `maxAge` alone",
    spring: "`server.servlet.session.timeout`, beside the cookie's `max-age`",
    rails: "put the deadline into what is signed (`expires_in:`), or keep sessions on the server",
    laravel: "a driver on the server, which looks at `lifetime`",
};
