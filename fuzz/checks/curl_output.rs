//! Any octets as the output of curl: what is read stands there, and is bounded.

use cloakroom_audit::{CURL_RESPONSES_MAX, read_curl};

pub(crate) fn holds(text: &[u8]) {
    for url in [None, Some("https://shop.example/login")] {
        let Ok(recording) = read_curl(text, url, 1_790_000_000) else { continue };
        assert!((1..=CURL_RESPONSES_MAX).contains(&recording.exchanges.len()));
        for exchange in &recording.exchanges {
            assert!(exchange.body().len() <= text.len());
            assert!((200..1000).contains(&exchange.status()) || exchange.status() == 101);
            for line in exchange.response.all("set-cookie") {
                assert!(line.is_empty() || text.windows(line.len()).any(|part| part == line));
            }
        }
    }
}
