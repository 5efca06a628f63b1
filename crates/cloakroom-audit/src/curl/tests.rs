use super::*;

const ASKED: &str = "https://shop.example/login";

fn read(text: &str) -> Recording {
    read_curl(text.as_bytes(), Some(ASKED), 7).unwrap()
}

/// Method, address, status, how many cookies were set, body.
fn told(recording: &Recording) -> Vec<(String, u16, usize, String)> {
    let one = |exchange: &Exchange| {
        (
            format!("{} {}", exchange.method(), exchange.url()),
            exchange.status(),
            exchange.response.all("set-cookie").count(),
            String::from_utf8_lossy(exchange.body()).into_owned(),
        )
    };
    recording.exchanges.iter().map(one).collect()
}

fn row(request: &str, status: u16, cookies: usize, body: &str) -> (String, u16, usize, String) {
    (request.to_owned(), status, cookies, body.to_owned())
}

#[test]
fn responses_follow_their_redirects() {
    let text = "HTTP/1.1 302 Found\r\nLocation: home\r\nSet-Cookie: a=1\r\nContent-Length: 5\r\n\r\n\
        HTTP/2 301 \r\nlocation: https://id.example/\r\n\r\n\
        HTTP/1.0 200 OK\r\nSet-Cookie: b=2\r\nset-cookie: c=3\r\n\r\n<p>\nHTTP/ is no head\n";

    let recording = read(text);

    assert_eq!(
        told(&recording),
        [
            row("GET https://shop.example/login", 302, 1, ""),
            row("GET https://shop.example/home", 301, 0, ""),
            row("GET https://id.example/", 200, 2, "<p>\nHTTP/ is no head\n"),
        ]
    );
}

#[test]
fn a_length_parts_a_body_from_the_next_response_and_a_wrong_one_does_not() {
    let next = "HTTP/1.1 204 No Content\n\n";
    for (length, body, left) in [
        (20, "body without newline", "body without newline"),
        (20, "HTTP/1.1 200 OK\n\nxxx", "HTTP/1.1 200 OK\n\nxxx"),
        (7, "this was unpacked\n", "this was unpacked\n"),
        (9_999_999_999_u64, "short\n", "short\n"),
    ] {
        let text = format!("HTTP/1.1 200 OK\nContent-Length: {length}\n\n{body}{next}");

        let recording = read(&text);

        let bodies: Vec<_> = recording.exchanges.iter().map(Exchange::body).collect();
        assert_eq!(bodies, [left.as_bytes(), b""], "{length}");
    }
}

#[test]
fn what_comes_before_the_answer_is_no_response() {
    let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n\
        HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\n\r\nhello";

    let recording = read(text);

    assert_eq!(told(&recording), [row("GET https://shop.example/login", 200, 0, "hello")]);
    assert_eq!(recording.exchanges[0].at(), 1_795_428_000);
    assert_eq!(recording.skipped, 0);
}

const SPOKEN: &str = "\
*   Trying 127.0.0.1:443...
* Connected to shop.example (127.0.0.1) port 443 (#0)
* ALPN: offers h2,http/1.1
* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384
> POST /login?next=%2F HTTP/1.1
> Host: Shop.Example
> Cookie: guest=1
>
} [3 bytes data]
< HTTP/1.1 303 See Other
< Location: http://shop.example:8080/x
< Set-Cookie: a=1; Secure
<
* Ignoring the response-body
{ [5 bytes data]
* Issue another request to this URL: 'http://shop.example:8080/x'
*   Trying 127.0.0.1:8080...
> GET /x HTTP/1.1
> Host: shop.example:8080
>
< HTTP/1.1 200 OK
< Set-Cookie: b=2
<
{ [20 bytes data]
hello
* Connection #0 to host shop.example left intact
";

#[test]
fn requests_are_read_with_their_methods_cookies_and_schemes() {
    let recording = read_curl(SPOKEN.as_bytes(), None, 7).unwrap();

    assert_eq!(
        told(&recording),
        [
            row("POST https://shop.example/login?next=%2F", 303, 1, ""),
            row("GET http://shop.example:8080/x", 200, 1, "hello\n"),
        ]
    );
    assert_eq!(recording.exchanges[0].request.text("cookie").as_deref(), Some("guest=1"));
}

#[test]
fn a_connection_that_is_used_again_keeps_its_scheme() {
    let reused = "body* Re-using existing connection #0 with host shop.example\n\
        > GET /again HTTP/1.1\n> Host: shop.example\n>\n< HTTP/1.1 200 OK\n<\n";
    let first = SPOKEN.split("* Issue").next().unwrap();
    let elsewhere = "*   Trying 127.0.0.1:80...\n";

    let recording = read_curl(format!("{first}{reused}{elsewhere}").as_bytes(), None, 7).unwrap();

    let urls: Vec<_> = recording.exchanges.iter().map(Exchange::url).collect();
    assert_eq!(urls, ["https://shop.example/login?next=%2F", "https://shop.example/again"]);
}

#[test]
fn a_meter_hides_nothing_and_is_no_body() {
    let meter = "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0";
    let text = format!(
        "  % Total    % Received % Xferd  Average Speed\n{meter}*   Trying 1.2.3.4:80...\n\
         > GET / HTTP/1.1\r\n> Host: a.example\r\n> \r\n{meter}< HTTP/1.1 200 OK\r\n< A: b\r\n< \r\n\
         {{ [2 bytes data]\n{meter}\nhi"
    );

    let recording = read_curl(text.as_bytes(), None, 7).unwrap();

    assert_eq!(told(&recording), [row("GET http://a.example/", 200, 0, "hi")]);
}

#[test]
fn a_head_that_is_printed_twice_counts_once() {
    let alternating = "> GET / HTTP/2\n> Host: a.example\n>\n< HTTP/2 200 \nHTTP/2 200 \n\
        < set-cookie: a=1\nset-cookie: a=1\n< \n\nhello";
    let behind = "> GET / HTTP/2\n> Host: a.example\n>\n< HTTP/2 200 \n< set-cookie: a=1\n< \n\
        HTTP/2 200 \nset-cookie: a=1\n\nhello";

    for text in [alternating, behind] {
        let recording = read_curl(text.as_bytes(), None, 7).unwrap();

        assert_eq!(told(&recording), [row("GET https://a.example/", 200, 1, "hello")]);
    }
}

#[test]
fn a_tunnel_and_what_never_answered_are_no_exchanges() {
    let text = "*   Trying 127.0.0.1:3128...\n> CONNECT a.example:443 HTTP/1.1\n\
        < HTTP/1.1 200 Connection established\n<\n* SSL connection using TLSv1.3\n\
        > GET /1 HTTP/1.1\n> Host: a.example\n>\n* Empty reply from server\n\
        > GET /2 HTTP/1.1\n> Host: a.example\n>\n< HTTP/1.1 200 OK\n<\n";

    let recording = read_curl(text.as_bytes(), None, 7).unwrap();

    assert_eq!(told(&recording), [row("GET https://a.example/2", 200, 0, "")]);
}

#[test]
fn lines_of_the_response_alone_take_the_address_that_was_named() {
    let recording = read("< HTTP/1.1 200 OK\n< Set-Cookie: a=1\n");

    assert_eq!(told(&recording), [row("GET https://shop.example/login", 200, 1, "")]);
}

#[test]
fn what_cannot_be_read_is_refused_with_what_to_do() {
    let of = |text: &str, url| read_curl(text.as_bytes(), url, 7).unwrap_err();

    assert_eq!(of("curl: (7) Failed to connect", Some(ASKED)), CurlError::NoResponse);
    assert_eq!(of("<html>", None), CurlError::NoResponse);
    assert_eq!(of("HTTP/1.1 200 OK\n\n", None), CurlError::NoAddress);
    assert_eq!(
        of("> GET / HTTP/1.1\n> Host: a\n>\n< HTTP/1.1 200 OK\n", None),
        CurlError::NoAddress
    );
    assert!(matches!(of("HTTP/1.1 200 OK\n\n", Some("shop")), CurlError::BadAddress(_)));
    assert!(of("", None).to_string().contains("curl -si"));
}

#[test]
fn an_output_is_read_up_to_its_limits_and_not_further() {
    let mut text = vec![b' '; CURL_MAX + 1];
    let too_large = read_curl(&text, Some("no address"), 7).unwrap_err();
    text.truncate(CURL_MAX);
    let not_too_large = read_curl(&text, Some("no address"), 7).unwrap_err();

    let many = "HTTP/1.1 200 X\n\n".repeat(CURL_RESPONSES_MAX + 1);
    let recording = read(&many);

    assert_eq!(too_large, CurlError::TooLarge { length: CURL_MAX + 1 });
    assert!(matches!(not_too_large, CurlError::BadAddress(_)));
    assert_eq!((recording.exchanges.len(), recording.skipped), (CURL_RESPONSES_MAX, 1));
}
