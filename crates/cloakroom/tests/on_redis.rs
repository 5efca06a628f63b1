//! The core and the Redis store together, where their patience meets.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending there")]

use cloakroom::store::{By, SessionId};
use cloakroom::{RedisStore, Sessions};
use cloakroom_journeys::redis::Redis;

#[tokio::test]
async fn a_silent_server_is_given_up_by_the_store_which_knows_what_was_on_its_way() {
    let mut server = Redis::start(&[]).unwrap();
    let store = RedisStore::connect(server.url().parse().unwrap()).await.unwrap();
    let sessions =
        Sessions::<()>::builder(store).dangerous_sessions_end_with_the_process().build().unwrap();

    server.pause().unwrap();
    let error = sessions.revoke(SessionId::from_bytes([7; 18]), By::SYSTEM).await.unwrap_err();
    server.resume().unwrap();

    assert_eq!(error.status(), http::StatusCode::SERVICE_UNAVAILABLE);
    assert!(error.to_string().contains("may have happened or not"), "{error}");
}
