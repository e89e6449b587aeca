//! The bodies of the fuzz targets, run over a bounded number of inputs near real ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

#[path = "../../../fuzz/bodies/document.rs"]
mod bodies;
#[path = "../../../fuzz/near.rs"]
#[allow(
    dead_code,
    reason = "each crate's parsers read other parts of a request"
)]
mod near;

use near::{recorded, run, seeds};

// spec: security.md, Inputs, outputs, network, line 1
#[test]
fn host() {
    let own = [
        "one.localhost",
        "ONE.localhost.:8000",
        "m\u{fc}nchen.example",
        "[0:0::1]:80",
        "one.localhost@evil.example",
        "\u{2488}.example",
        "xn--zzzzzzz.example",
    ];
    let sent = recorded()
        .header("Host")
        .into_iter()
        .map(String::into_bytes);
    run("host", seeds(&own, sent.collect()), 4000, bodies::host);
}

// spec: cli.md, site_config.json
#[test]
fn config() {
    let own = [
        r#"{"db_name": "_1a", "db_password": "a password of some length", "db_type": "mariadb"}"#,
        r#"{"encryption_key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "trusted_proxies": ["10.0.0.0/8"]}"#,
        r#"{"domains": ["a.example", {"domain": "b.example"}], "host_name": "https://u:p@c.example", "rate_limit": {"limit": 1.5, "window": 60}}"#,
        r#"{"allow_cors": "*", "ignore_csrf": 1, "google_login": {"client_id": "x", "client_secret": "y"}, "db_port": 3306}"#,
        "{\n \"db_port\": \"x\",\n \"db_max_connections\": 0\n}",
    ];
    run("config", seeds(&own, Vec::new()), 1500, bodies::config);
}

// spec: http.md, Resource server, GET /api/resource/<DocType>
#[test]
fn list() {
    let own = [
        r#"{"fields": ["*"], "filters": [["ToDo", "status", "=", "Open"]], "limit_page_length": 0}"#,
        r#"{"filters": "{\"name\": [\"like\", \"a%\"]}", "order_by": "creation desc", "start": "20"}"#,
        r#"fields=["name","count(name) as c"]&group_by=status&limit=5&expand=["kind"]&distinct=1"#,
        r#"filters=[["a","=",1],"or",[["b","in",[1,2]],"and",["c","is","set"]]]&parent=User"#,
        "fields=\"*\"&limit_start=99999999999999999999",
    ];
    run("list", seeds(&own, recorded().queries), 4000, bodies::list);
}

#[test]
fn datetime() {
    let own = [
        "2026-11-20 17:41:39.321255",
        "2026-11-20T17:41",
        "2026-02-30",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59.999999",
        "2026-11-20 23:59:60",
        "20261120",
    ];
    run("datetime", seeds(&own, Vec::new()), 4000, bodies::datetime);
}

// spec: security.md, Inputs, outputs, network: no input gives a 500
#[test]
fn document() {
    let own = [
        "ToDo\n{\"description\": \"<b>x</b>\", \"status\": \"Open\", \"date\": \"2026-11-20\", \"docstatus\": 0}",
        "User\n{\"email\": \"a@b.example\", \"enabled\": true, \"login_after\": \"7\", \"roles\": [{\"role\": \"All\"}]}",
        "OAuth Client\n{\"app_name\": \"x\", \"skip_authorization\": \"1\", \"allowed_roles\": [{\"name\": \"r\", \"role\": null}]}",
        "DocField\n{\"idx\": 3, \"fieldtype\": \"Data\", \"reqd\": 1e0, \"options\": [], \"length\": -1}",
        "Note\n{\"title\": \"\\u0000\", \"name\": 5, \"modified\": \"2026-11-20 10:00:00\"}",
        "OAuth Settings\n{\"access_token_lifetime\": 99999999999, \"resource_name\": {\"a\": 1}}",
        "Social Login Key\n{\"auth_url_data\": {\"x\": [1, null]}, \"client_secret\": \"****\"}",
    ];
    let sent = recorded().bodies.into_iter();
    let sent = sent.map(|body| [b"OAuth Client\n".as_slice(), &body].concat());
    run(
        "document",
        seeds(&own, sent.collect()),
        4000,
        bodies::document,
    );
}
