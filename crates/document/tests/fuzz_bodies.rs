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
