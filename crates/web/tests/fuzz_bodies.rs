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
