//! Bodies that are too large or malformed.

use crema_testkit::flow::method;
use crema_testkit::{App, Response};

use crate::security::scene;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MIB: usize = 1024 * 1024;
const OAUTH: [&str; 5] = [
    "get_token",
    "revoke_token",
    "introspect_token",
    "authorize",
    "approve",
];

async fn post(app: &App, path: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Response {
    let request = app.http().post(path).header("Content-Type", media_type);
    request.body(body).send().await
}

// spec: security.md, Inputs, outputs, network, line 3: 1 MiB on OAuth paths
#[tokio::test]
async fn bodies_over_one_mib_are_too_large_on_oauth_paths_and_sign_in() {
    let app = scene::start().await;
    let mut paths: Vec<_> = OAUTH.into_iter().map(method).collect();
    let sign_in = [
        "/login",
        "/api/method/login",
        "/",
        "/?cmd=frappe.integrations.oauth2.get_token",
    ];
    paths.extend(sign_in.map(str::to_owned));
    for path in paths {
        for path in [path.clone(), path.replace("/api/", "/api/v2/")] {
            for media_type in [FORM, JSON, "text/plain"] {
                let answer = post(&app, &path, media_type, vec![b'x'; MIB + 1]).await;
                assert_eq!(answer.status, 413, "{path}: {}", answer.text());
            }
            let fits = post(&app, &path, FORM, vec![b'x'; MIB]).await;
            assert_ne!(fits.status, 413, "{path}");
            assert!(fits.status < 500, "{path}: {}", fits.text());
        }
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3: 25 MiB elsewhere
#[tokio::test]
async fn bodies_over_25_mib_are_too_large_anywhere() {
    let app = scene::start().await;
    for path in ["/api/method/ping", "/nothing"] {
        let answer = post(&app, path, FORM, vec![b'x'; 25 * MIB + 1]).await;
        assert_eq!(answer.status, 413, "{path}");
        let fits = post(&app, path, FORM, vec![b'x'; 2 * MIB]).await;
        assert_ne!(fits.status, 413, "{path}");
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3: also without a length
#[tokio::test]
async fn chunks_are_counted() {
    let app = scene::start().await;
    let http = app.http();
    let host = http.origin().replace("http://", "");
    let mut bytes = format!(
        "POST {} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: {FORM}\r\nConnection: close\r\n\r\n",
        method("get_token")
    )
    .into_bytes();
    for _ in 0..17 {
        bytes.extend_from_slice(b"10000\r\n");
        bytes.extend_from_slice(&[b'x'; 0x10000]);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    let answer = http.raw(&bytes).await.unwrap();
    assert_eq!(answer.status, 413, "{}", answer.text());
    app.close().await;
}

/// JSON with so many levels of lists inside an object.
fn nested(levels: usize) -> String {
    format!(
        "{{\"x\":{}{}}}",
        "[".repeat(levels - 1),
        "]".repeat(levels - 1)
    )
}

// spec: security.md, Inputs, outputs, network, line 3: malformed JSON, UTF-8, percent-encoding
#[tokio::test]
async fn malformed_bodies_are_400_and_tell_why_in_the_shape_of_the_endpoint() {
    let app = scene::start().await;
    let mut bad: Vec<(&str, Vec<u8>)> = vec![
        (FORM, b"a=%".to_vec()),
        (FORM, b"a=%2".to_vec()),
        (FORM, b"a=%zz".to_vec()),
        (FORM, b"%=a".to_vec()),
        (FORM, b"a=%ff".to_vec()),
        (FORM, b"a=\xff".to_vec()),
        (FORM, b"a=%c3%28".to_vec()),
        (FORM, b"a=%ed%a0%80".to_vec()),
        (FORM, b"a=%00".to_vec()),
        (FORM, b"a%00=b".to_vec()),
        (FORM, b"a=\0".to_vec()),
    ];
    for text in [
        "",
        " ",
        "{",
        "}",
        "[]",
        "[1]",
        "1",
        "null",
        "\"x\"",
        "{\"a\":}",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":1}{\"b\":2}",
        "{\"a\":1} x",
        "{\"a\":\"\\u0000\"}",
        "{\"\\u0000\":1}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":NaN}",
        "{\"a\":1e999}",
        "\u{feff}{}",
        "{\"a\":[1]}",
        "{\"a\":{}}",
    ] {
        if !text.is_empty() {
            bad.push((JSON, text.as_bytes().to_vec()));
        }
    }
    bad.push((JSON, b"{\"a\":\"\xff\"}".to_vec()));
    bad.push((JSON, b"\xff\xfe{\0}\0".to_vec()));
    for levels in [64, 65, 200, 20_000] {
        bad.push((JSON, nested(levels).into_bytes()));
    }
    for name in ["get_token", "revoke_token", "introspect_token"] {
        for (media_type, body) in &bad {
            let answer = post(&app, &method(name), media_type, body.clone()).await;
            let what = format!("{name} {:?}", String::from_utf8_lossy(body));
            let what = what.chars().take(100).collect::<String>();
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (400, "invalid_request"),
                "{what}"
            );
            assert_eq!(answer.media_type(), JSON);
        }
        for media_type in [
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/xml",
        ] {
            let answer = post(&app, &method(name), media_type, "token=x").await;
            assert_eq!(answer.status, 400, "{name} {media_type}: {}", answer.text());
        }
    }
    for path in ["/api/method/login", "/login"] {
        for (media_type, body) in &bad {
            let answer = post(&app, path, media_type, body.clone()).await;
            assert_eq!(
                answer.status,
                400,
                "{path} {:?}",
                String::from_utf8_lossy(body)
            );
            assert!(answer.cookies().is_empty());
        }
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3: nesting over 64
#[tokio::test]
async fn nesting_over_64_is_malformed() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let claims = |levels: usize| {
        let (open, close) = ("{\"a\":".repeat(levels - 2), "}".repeat(levels - 2));
        format!("{{\"userinfo\":{{\"x\":{open}1{close}}}}}")
    };
    for (levels, error) in [
        (64, None),
        (65, Some("invalid_request")),
        (1000, Some("invalid_request")),
    ] {
        let claims = claims(levels);
        let changes = [("scope", "openid"), ("claims", claims.as_str())];
        let answer = scene::authorize(&mut visitor, &client, &changes).await;
        match error {
            // Whether the value of a claim may look like that is another question.
            None => assert!(answer.status < 400, "{}", answer.text()),
            Some(error) => {
                let location = answer.location().unwrap();
                assert!(location.contains(&format!("error={error}")), "{location}");
            }
        }
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 3: the same for queries
#[tokio::test]
async fn malformed_queries_are_400() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let http = app.http();
    for bad in [
        "%",
        "a=%",
        "a=%zz",
        "a=%ff",
        "a=%00",
        "%00=a",
        "a=%ed%a0%80",
        "a=%c0%80",
    ] {
        for path in [
            method("authorize"),
            "/login".to_owned(),
            "/api/method/logout".to_owned(),
        ] {
            let known = format!(
                "client_id={}&redirect_uri=https%3A%2F%2Fclient.example%2Fcb",
                client.client_id
            );
            for query in [
                bad.to_owned(),
                format!("{known}&{bad}"),
                format!("{bad}&{known}"),
            ] {
                let answer = http.get(&format!("{path}?{query}")).send().await;
                assert_eq!(
                    (answer.status, answer.location()),
                    (400, None),
                    "{path}?{query}"
                );
            }
        }
        let answer = http.get(&format!("/?{bad}")).send().await;
        assert_eq!(answer.status, 400, "/?{bad}");
    }
    app.close().await;
}
