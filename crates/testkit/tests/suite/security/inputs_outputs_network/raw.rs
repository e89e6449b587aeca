//! Bytes that are no good HTTP.

use crema_testkit::flow::method;
use crema_testkit::{App, Response};

use crate::security::scene;

fn host(app: &App) -> String {
    app.issuer().replace("http://", "")
}

async fn send(app: &App, bytes: &[u8]) -> Option<Response> {
    app.http().raw(bytes).await
}

/// The request is refused: by an answer that says so, or by hanging up.
fn assert_refused(what: &str, answer: Option<Response>) {
    if let Some(answer) = answer {
        let clear = (400..500).contains(&answer.status);
        assert!(clear, "{what}: {} {}", answer.status, answer.text());
    }
}

fn assert_clear(what: &str, answer: Option<Response>) {
    assert!(answer.is_some(), "{what}: no answer");
    assert_refused(what, answer);
}

/// A token request with these bytes in place of its headers' end and body.
fn token_request(app: &App, rest: &str) -> Vec<u8> {
    format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n{rest}",
        method("get_token"),
        host(app)
    )
    .into_bytes()
}

// spec: security.md, Inputs, outputs, network, line 3: chunking
#[tokio::test]
async fn malformed_chunking_is_refused() {
    let app = scene::start().await;
    for body in [
        "zz\r\nabc\r\n0\r\n\r\n",
        "-1\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "5\r\nabc\r\n0\r\n\r\n",
        "3\nabc\n0\n\n",
        "\r\nabc\r\n0\r\n\r\n",
        "fffffffffffffffff1\r\nabc\r\n0\r\n\r\n",
        "3 \u{e9}\r\nabc\r\n0\r\n\r\n",
    ] {
        let request = token_request(&app, &format!("Transfer-Encoding: chunked\r\n\r\n{body}"));
        assert_clear(body, send(&app, &request).await);
    }
    // An end that never comes is an error as well, once the sender is gone.
    for encoding in [
        "chunked, chunked",
        "gzip",
        "identity",
        "chunked, gzip",
        "xchunked",
        "",
    ] {
        let request = format!("Transfer-Encoding: {encoding}\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        assert_refused(encoding, send(&app, &token_request(&app, &request)).await);
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3: nothing is smuggled behind a request
#[tokio::test]
async fn two_lengths_are_no_length() {
    let app = scene::start().await;
    let hidden = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", host(&app));
    for lengths in [
        "Content-Length: 3\r\nContent-Length: 30\r\n",
        "Content-Length: 3, 30\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: 0x3\r\n",
        "Content-Length: 3 3\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Content-Length: \r\n",
    ] {
        let request = token_request(&app, &format!("{lengths}\r\na=b{hidden}"));
        assert_refused(lengths, send(&app, &request).await);
    }
    // With both, one of them decides and the connection ends: what follows is no second request.
    let both = format!(
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n{hidden}"
    );
    let answer = send(&app, &token_request(&app, &both)).await;
    assert_refused("both", answer);
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, lines 1 and 3
#[tokio::test]
async fn two_hosts_two_authorizations_and_odd_header_lines_are_refused() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let host = host(&app);
    let path = "/.well-known/openid-configuration";
    for headers in [
        format!("Host: {host}\r\nHost: {host}\r\n"),
        format!("Host: {host}\r\nHost: evil.example\r\n"),
        format!("Host: evil.example\r\nHost: {host}\r\n"),
        format!("host: evil.example\r\nHOST: {host}\r\n"),
        format!("Host: {host}, evil.example\r\n"),
        format!("Host : {host}\r\n"),
        format!(" Host: {host}\r\n"),
        format!("Host: evil.example\r\n {host}\r\n"),
        format!("X: y\r\n Host: {host}\r\n"),
        format!("Host:\u{e9}{host}\r\n"),
        format!("Host: {host}\0\r\n"),
        format!("Host: {host}\r\nX\0Y: z\r\n"),
        format!("Host: {host}\r\nno colon\r\n"),
        format!("Host: {host}\r\n: empty\r\n"),
        String::new(),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        assert_clear(&headers, send(&app, request.as_bytes()).await);
    }
    let basic = app
        .http()
        .client_request("revoke_token", &client, &[("token", "x")]);
    let twice = basic
        .clone()
        .basic(&client.client_id, client.secret())
        .send()
        .await;
    assert_eq!(
        (twice.status, twice.error().as_str()),
        (401, "invalid_client")
    );
    assert_eq!(basic.send().await.status, 200);
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3
#[tokio::test]
async fn header_bytes_outside_of_ascii_are_no_credentials() {
    let app = scene::start().await;
    let host = host(&app);
    for value in [
        &b"Bearer \xff\xfe"[..],
        b"Bearer \xc3\xa9",
        b"\xff",
        b"Basic \xff\xff",
    ] {
        for path in [
            "/api/method/frappe.auth.get_logged_user",
            &method("openid_profile"),
            &method("introspect_token"),
        ] {
            let verb = if path.contains("introspect") {
                "POST"
            } else {
                "GET"
            };
            let mut request = format!(
                "{verb} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: "
            )
            .into_bytes();
            request.extend_from_slice(value);
            request.extend_from_slice(b"\r\n\r\n");
            let answer = send(&app, &request).await.unwrap();
            assert_eq!(answer.status, 401, "{path} {value:?}: {}", answer.text());
        }
    }
    for header in [
        "Cookie: sid=",
        "Accept: ",
        "User-Agent: ",
        "Origin: ",
        "Accept-Language: ",
        "X-Frappe-Site-Name: ",
        "Content-Type: ",
        "X-Frappe-CSRF-Token: ",
    ] {
        let mut request = format!(
            "POST /api/method/ping HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{header}"
        )
        .into_bytes();
        request.extend_from_slice(b"\xff\xfe\x80\r\n\r\n");
        let answer = send(&app, &request).await.unwrap();
        assert!(answer.status < 500, "{header}: {}", answer.status);
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3
#[tokio::test]
async fn request_lines_that_are_none_are_refused() {
    let app = scene::start().await;
    let host = host(&app);
    for line in [
        "GET /login",
        "GET /login HTTP/0.9",
        "GET /login HTTP/2.0",
        "GET /login HTTP/9.9",
        "GET  /login HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET login HTTP/1.1",
        "GET  HTTP/1.1",
        "G\0T /login HTTP/1.1",
        "GET /\0 HTTP/1.1",
        "GET /\u{7f} HTTP/1.1",
        "GET http:// HTTP/1.1",
        "GET http:///login HTTP/1.1",
        "GET ftp://x/login HTTP/1.1",
        "CONNECT evil.example:443 HTTP/1.1",
        "\u{16}\u{3}\u{1}",
        "PRI * HTTP/2.0",
    ] {
        let request = format!("{line}\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_refused(line, send(&app, request.as_bytes()).await);
    }
    for line in [
        "OPTIONS * HTTP/1.1",
        "TRACE /login HTTP/1.1",
        "FOO /login HTTP/1.1",
        "get /login HTTP/1.1",
    ] {
        let request =
            format!("{line}\r\nHost: {host}\r\nX-Secret: secret\r\nConnection: close\r\n\r\n");
        let answer = send(&app, request.as_bytes()).await.unwrap();
        assert!(answer.status < 500, "{line}: {}", answer.status);
        assert!(
            !answer.text().contains("secret"),
            "{line}: nothing is sent back"
        );
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3: oversized headers
#[tokio::test]
async fn oversized_headers_are_refused() {
    let app = scene::start().await;
    let host = host(&app);
    let huge = "x".repeat(300_000);
    let many: String = (0..500)
        .map(|number| format!("X-{number}: y\r\n"))
        .collect();
    for (what, request) in [
        (
            "header",
            format!("GET /login HTTP/1.1\r\nHost: {host}\r\nX: {huge}\r\n\r\n"),
        ),
        (
            "target",
            format!("GET /login?{huge} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        ),
        (
            "cookie",
            format!("GET /login HTTP/1.1\r\nHost: {host}\r\nCookie: sid={huge}\r\n\r\n"),
        ),
        (
            "name",
            format!("GET /login HTTP/1.1\r\nHost: {host}\r\n{huge}: y\r\n\r\n"),
        ),
        (
            "method",
            format!("{huge} /login HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        ),
        (
            "many",
            format!("GET /login HTTP/1.1\r\nHost: {host}\r\n{many}\r\n"),
        ),
    ] {
        assert_refused(what, send(&app, request.as_bytes()).await);
    }
    // The server goes on.
    assert_eq!(app.http().get("/healthz").send().await.status, 200);
    app.close().await;
}
