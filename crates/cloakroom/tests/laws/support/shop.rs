//! The routes that most tests use.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::{get, post};
use cloakroom::axum::LazySession;
use cloakroom::store::Factors;
use cloakroom::{Result, Session, View};

use super::Shop;

const FRESH: std::time::Duration = std::time::Duration::from_secs(5 * 60);

/// A small shop: each route does one thing with the session.
pub fn routes() -> Router {
    Router::new()
        .route("/plain", get(async || "plain"))
        .route("/lazy", get(async |_: LazySession<Shop>| "lazy"))
        .route("/who", get(who))
        .route("/view", get(view))
        .route("/count", get(async |s: Session<Shop>| s.data().count.to_string()))
        .route("/data", get(async |s: Session<Shop>| all(&s)))
        .route("/why", get(why))
        .route("/id", get(async |s: Session<Shop>| format!("{:?}", s.id())))
        .route("/roles", get(async |s: Session<Shop>| roles(&s)))
        .route("/fresh", get(async |s: Session<Shop>| s.is_fresh(FRESH).to_string()))
        .route("/add", post(add))
        .route("/edit", post(edit))
        .route("/cart/{item}", post(cart))
        .route("/set/{field}/{value}", post(set))
        .route("/theme/{value}", post(theme))
        .route("/fail/{status}", post(fail))
        .route("/ensure", get(ensure).post(ensure))
        .route("/login/{user}", post(login))
        .route("/remember/{user}", post(remember))
        .route("/login-as/{user}/{role}", post(login_as))
        .route("/logout", post(async |s: Session<Shop>| s.logout().await))
        .route("/rotate", post(async |mut s: Session<Shop>| s.rotate().await))
        .route("/step-up", post(step_up))
        .route("/end-others", post(end_others))
}

/// Everything that the session shows, in one line.
fn all(s: &Session<Shop>) -> String {
    let Shop { cart, count, theme, note } = s.data();
    let theme = theme.as_deref().unwrap_or("-");
    format!("cart={} count={count} theme={theme} note={note}", cart.join("+"))
}

fn roles(s: &Session<Shop>) -> String {
    s.roles().iter().collect::<Vec<_>>().join("+")
}

async fn who(s: Session<Shop>) -> String {
    match s.user() {
        Some(user) => format!("{user} {}", s.identity().factors),
        None => "nobody".to_owned(),
    }
}

async fn view(view: View<Shop>) -> String {
    let user = view.user().map_or_else(|| "nobody".to_owned(), |user| user.to_string());
    if view.is_outage() { format!("{user} in an outage") } else { user }
}

async fn why(s: Session<Shop>) -> String {
    s.ended().map_or_else(|| "-".to_owned(), |ended| format!("{} by {}", ended.reason, ended.by))
}

async fn add(mut s: Session<Shop>) -> Result<String> {
    let count = s.update(|data| {
        data.count += 1;
        data.count
    });
    Ok(count.await?.to_string())
}

async fn edit(mut s: Session<Shop>) -> Result<String> {
    s.edit(|data| data.count += 1)?;
    Ok(s.data().count.to_string())
}

async fn cart(mut s: Session<Shop>, Path(item): Path<String>) -> Result<()> {
    s.edit(move |data| data.cart.push(item.clone()))
}

async fn set(mut s: Session<Shop>, Path((field, value)): Path<(String, String)>) -> Result<()> {
    s.set(&field, &value)
}

async fn theme(mut s: Session<Shop>, Path(value): Path<String>) -> Result<()> {
    s.edit(move |data| data.theme = Some(value.clone()))
}

async fn fail(mut s: Session<Shop>, Path(status): Path<u16>) -> Result<StatusCode> {
    s.edit(|data| data.count += 1)?;
    Ok(StatusCode::from_u16(status).unwrap())
}

async fn ensure(mut s: Session<Shop>) -> Result<()> {
    s.ensure().await
}

async fn login(mut s: Session<Shop>, Path(user): Path<String>) -> Result<()> {
    s.login(user).await
}

async fn remember(mut s: Session<Shop>, Path(user): Path<String>) -> Result<()> {
    s.login(user).remember(true).await
}

async fn login_as(mut s: Session<Shop>, Path((user, role)): Path<(String, String)>) -> Result<()> {
    s.login(user).role(role).await
}

async fn step_up(mut s: Session<Shop>, headers: HeaderMap) -> Result<()> {
    assert!(headers.get("cookie").is_none_or(HeaderValue::is_sensitive));
    s.step_up(Factors::TOTP).await
}

async fn end_others(s: Session<Shop>) -> Result<String> {
    Ok(s.end_others().await?.to_string())
}
