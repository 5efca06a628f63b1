//! A whole request whose headers anybody wrote: the gate's refusal is the only error, and a visitor
//! without one of our tickets is nobody.

use std::sync::LazyLock;

use cloakroom::{ErrorKind, MemoryStore, Sessions};
use http::header::{COOKIE, HOST, ORIGIN, REFERER, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

static SESSIONS: LazyLock<Sessions<()>> = LazyLock::new(|| {
    Sessions::builder(MemoryStore::new())
        .dangerous_sessions_end_with_the_process()
        .build()
        .expect("a policy without contradictions")
});

/// The first octet chooses the method; every line is one header, named by its first octet.
fn request(input: &[u8]) -> Option<(Method, HeaderMap)> {
    let (first, rest) = input.split_first()?;
    let method = if first % 2 == 0 { Method::GET } else { Method::POST };
    let mut headers = HeaderMap::new();
    for line in rest.split(|octet| *octet == b'\n') {
        let (name, value) = line.split_first()?;
        let Ok(value) = HeaderValue::from_bytes(value) else { continue };
        match name % 6 {
            0 => drop(headers.append(ORIGIN, value)),
            1 => drop(headers.append(REFERER, value)),
            2 => drop(headers.append("sec-fetch-site", value)),
            3 => drop(headers.append(HOST, value)),
            4 => drop(headers.append(COOKIE, value)),
            _ => {
                let line = [b"__Host-Http-session=", value.as_bytes()].concat();
                headers.append(COOKIE, HeaderValue::from_bytes(&line).ok()?);
            }
        }
    }
    Some((method, headers))
}

pub(crate) fn holds(input: &[u8]) {
    let Some((method, mut headers)) = request(input) else { return };
    let scope = match SESSIONS.open(&method, &Uri::from_static("/"), &mut headers) {
        Ok(scope) => scope,
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Refusal(_)), "{error}");
            return;
        }
    };
    RUNTIME.block_on(async {
        let session = scope.session().await.expect("the store is there");
        assert!(session.user().is_none());
        let mut answer = HeaderMap::new();
        assert!(scope.close(StatusCode::OK, &mut answer).await.is_none());
        assert!(!answer.contains_key(SET_COOKIE), "nothing was begun");
    });
}
