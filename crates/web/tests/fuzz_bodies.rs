//! The bodies of the fuzz targets, run over a bounded number of inputs near real ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

#[path = "../../../fuzz/bodies/web.rs"]
mod bodies;
#[path = "../../../fuzz/near.rs"]
#[allow(
    dead_code,
    reason = "each crate's parsers read other parts of a request"
)]
mod near;

use near::{recorded, run, seeds};

// spec: security.md, Inputs, outputs, network, line 1; Sign-in and sessions, "`X-Forwarded-*`"
#[test]
fn headers() {
    let own = [
        "Host: trust.localhost:8000\nCookie: sid=a; user_id=b\nAccept-Language: de;q=0.5, ar",
        "Host: a\nhost: b",
        "X-Forwarded-For: 198.51.100.1, 10.0.0.9\nX-Forwarded-For: 10.0.0.8\nX-Forwarded-Proto: https",
        "X-Forwarded-For: ::ffff:10.0.0.1, x\nX-Forwarded-Proto: HTTPS ",
        "Cookie: sid\nCookie: a=b;sid=c;sid=d",
    ];
    run(
        "headers",
        seeds(&own, recorded().header_lines()),
        4000,
        bodies::headers,
    );
}

#[test]
fn language() {
    let own = [
        "de-AT en\nar;q=1.0, de;q=0.9",
        "\n*;q=0.1, EN_us;q=0.05",
        "xx\nde;q=nan, ar; q = 0.3",
    ];
    run("language", seeds(&own, Vec::new()), 3000, bodies::language);
}

// spec: security.md, Sign-in and sessions, "`redirect-to` goes to this site's own paths only"
#[test]
fn redirect_to() {
    let own = [
        "/me",
        "/api/method/frappe.integrations.oauth2.authorize?client_id=x&state=a%20b",
        "http://trust.localhost:8000/x?y=1#z",
        "//evil.example/",
        "/\\evil.example",
        "/%2e%2e//evil.example",
        "/..//evil.example",
        "http://trust.localhost:8000@evil.example/",
        "/a\u{e9} b",
    ];
    run(
        "redirect_to",
        seeds(&own, Vec::new()),
        4000,
        bodies::redirect_to,
    );
}

// spec: security.md, Inputs, outputs, network, "Malformed JSON, UTF-8, percent-encoding …: 400"
#[test]
fn arguments() {
    let own = [
        "j\na=1&b=2\n{\"a\": {\"b\": [1, null]}, \"csrf_token\": \"t\"}",
        "j\n\n{\"data\": \"{\\\"x\\\": 1}\"}",
        "j\nx=1\n[1, 2]",
        "f\ndata=%7B%22x%22%3A1%7D\nb=3&csrf_token=t",
        "f\n\ndata=%7B%22x%22%3A1%7D",
        "m\na=1\n--x\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n{\"x\": 1}\r\n--x--\r\n",
        "f\n_=9\n{\"x\": 1}",
        "-\nfields=%5B%22name%22%5D&limit=5&as_dict=0\n",
        "-\nfilters=%5B%5B%22a%22%2C%22like%22%2C%22%25b%25%22%5D%5D\n",
    ];
    let recorded = recorded();
    let queries = recorded.queries.iter();
    let queries = queries.map(|query| [b"-\n", query.as_slice(), b"\n"].concat());
    let bodies = recorded.bodies.iter();
    let bodies = bodies.map(|body| [b"j\n\n", body.as_slice()].concat());
    let more = queries.chain(bodies).collect();
    run("arguments", seeds(&own, more), 4000, bodies::arguments);
}

#[test]
fn path() {
    let own = [
        "resource/OAuth%20Client/em6d6dl40b",
        "v1/resource/File/a/b%2Fc+d/",
        "v2/document/User/user@example.com",
        "v2/doctype/ToDo/meta",
        "v2/doctype/ToDo/count/",
        "resource/%E2%80%AE/%C3%A9",
        "resource//x",
        "method/ping",
    ];
    run("path", seeds(&own, Vec::new()), 4000, bodies::path);
}

#[test]
fn mcp_message() {
    let own = [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}}"#,
        r#"[{"jsonrpc":"2.0","id":"a","method":"ping"},{"jsonrpc":"2.0","id":2,"result":{}},7]"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping","params":[]}"#,
        r#"{"id":null,"jsonrpc":"1.0","method":{}}"#,
    ];
    let more = recorded().bodies;
    run("mcp_message", seeds(&own, more), 4000, bodies::mcp_message);
}
