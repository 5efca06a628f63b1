//! What each address does.

use std::collections::BTreeMap;

use axum::extract::{Extension, Form, FromRequest, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::site::Site;
use crate::switches::{Bad, Switches};
use crate::visit::Visit;
use crate::{around, gate, pages, signing};

type Fields = BTreeMap<String, String>;

/// The application with these defects, reached where it listens.
pub fn router(switches: Switches) -> Router {
    Site::new(switches).router()
}

impl Site {
    /// Its routes, for any server.
    pub fn router(self) -> Router {
        let has = |bad| self.switches.has(bad);
        let also = |applies: bool, method: MethodRouter<Self>, more: MethodRouter<Self>| {
            if applies { method.merge(more) } else { method }
        };
        Router::new()
            .route("/", get(home))
            .route("/about", get(about))
            .route("/news", get(news))
            .route("/whoami", get(whoami))
            .route("/login", get(login_page).post(login))
            .route("/cart", get(cart))
            .route("/cart/add", also(has(Bad::X04), post(add), get(add_by_address)))
            .route("/report", post(report))
            .route("/account", get(account))
            .route("/profile", post(profile))
            .route("/password", post(password))
            .route("/step-up", post(step_up))
            .route("/logout", also(has(Bad::O08), post(logout), get(logout_by_address)))
            .layer(from_fn_with_state(self.clone(), around::around))
            .with_state(self)
    }
}

/// A form that was sent by a page of the site, with the token of its session.
struct Sent {
    visit: Visit,
    fields: Fields,
}

impl FromRequest<Site> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Response> {
        let visit = request.extensions().get::<Visit>().cloned().unwrap_or_default();
        let path = request.uri().path().to_owned();
        let Form(fields) = Form::<Fields>::from_request(request, site)
            .await
            .map_err(|rejection| rejection.into_response())?;
        if !gate::is_right_token(site, &visit, &path, field(&fields, "form_token")) {
            return Err((StatusCode::FORBIDDEN, pages::refused()).into_response());
        }
        Ok(Self { visit, fields })
    }
}

fn field<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.get(name).map_or("", String::as_str)
}

async fn home(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Html<String> {
    pages::text(&site, &visit, "Welcome", "There is a cart, an account, and a sign-in.")
}

async fn about(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Html<String> {
    pages::text(&site, &visit, "About", "Each switch breaks one defence, so that one rule fires.")
}

async fn news(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Html<String> {
    pages::text(&site, &visit, "News", "Nothing happened.")
}

async fn whoami(Extension(visit): Extension<Visit>) -> (StatusCode, Json<Value>) {
    let Some(user) = visit.user() else {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "user": null })));
    };
    let items = visit.session().map_or(0, |session| session.items);
    (StatusCode::OK, Json(json!({ "user": user, "items": items })))
}

async fn login_page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(fields): Query<Fields>,
) -> Response {
    if site.switches.has(Bad::F04) && fields.contains_key("password") {
        return enter(&site, &visit, &fields);
    }
    pages::login(&site, &visit, None).into_response()
}

async fn login(State(site): State<Site>, Sent { visit, fields }: Sent) -> Response {
    enter(&site, &visit, &fields)
}

fn enter(site: &Site, visit: &Visit, fields: &Fields) -> Response {
    let (name, password) = (field(fields, "name"), field(fields, "password"));
    if !site.table().is_password(name, password) {
        let problem = Some("This name and password do not belong together.");
        let page = pages::login(site, visit, problem);
        return (StatusCode::UNPROCESSABLE_ENTITY, page).into_response();
    }
    signing::sign_in(site, visit, name, !field(fields, "remember").is_empty())
}

async fn cart(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Html<String> {
    pages::cart(&site, &visit)
}

async fn add(State(site): State<Site>, Sent { visit, .. }: Sent) -> Response {
    signing::add(&site, &visit).await
}

async fn add_by_address(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Response {
    signing::add(&site, &visit).await
}

async fn report(State(site): State<Site>, Sent { visit, .. }: Sent) -> Response {
    signing::report(&site, &visit).await
}

async fn account(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Response {
    let Some((token, _)) = visit.found.as_ref().filter(|_| visit.user().is_some()) else {
        return Redirect::to("/login").into_response();
    };
    let shown_name = visit.user().map_or_else(String::new, |user| {
        site.table().users.get(user).map_or_else(String::new, |user| user.shown_name.clone())
    });
    let repeated = site.switches.has(Bad::U02).then_some(token.as_str());
    let shown = pages::Account { shown_name: &shown_name, repeated };
    let mut response = pages::account(&site, &visit, &shown).into_response();
    if site.switches.has(Bad::C06) {
        crate::cookies::set_narrower(response.headers_mut());
    }
    response
}

async fn profile(State(site): State<Site>, Sent { visit, fields }: Sent) -> Response {
    let Some(user) = visit.user() else { return unknown() };
    let shown_name: String = field(&fields, "shown_name").chars().take(40).collect();
    if let Some(user) = site.table().users.get_mut(user) {
        user.shown_name = shown_name;
    }
    Redirect::to("/account").into_response()
}

async fn password(State(site): State<Site>, Sent { visit, fields }: Sent) -> Response {
    let Some(user) = visit.user() else { return unknown() };
    let (old, new) = (field(&fields, "old"), field(&fields, "new"));
    if !site.table().is_password(user, old) || new.chars().count() < 8 {
        return wrong();
    }
    if let Some(user) = site.table().users.get_mut(user) {
        new.clone_into(&mut user.password);
    }
    signing::credentials_changed(&site, &visit)
}

async fn step_up(State(site): State<Site>, Sent { visit, fields }: Sent) -> Response {
    let Some(user) = visit.user() else { return unknown() };
    if !site.table().is_password(user, field(&fields, "password")) {
        return wrong();
    }
    signing::step_up(&site, &visit)
}

async fn logout(State(site): State<Site>, Sent { visit, .. }: Sent) -> Response {
    signing::sign_out(&site, &visit)
}

async fn logout_by_address(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
) -> Response {
    signing::sign_out(&site, &visit)
}

fn unknown() -> Response {
    let kind: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    (StatusCode::UNAUTHORIZED, kind, "Sign in first.").into_response()
}

fn wrong() -> Response {
    let kind: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    (StatusCode::UNPROCESSABLE_ENTITY, kind, "That is not your password, or no new one.")
        .into_response()
}
