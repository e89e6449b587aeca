//! The bodies of the fuzz targets, run over a bounded number of inputs near real ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

#[path = "../../../fuzz/bodies/auth.rs"]
mod bodies;
#[path = "../../../fuzz/near.rs"]
#[allow(
    dead_code,
    reason = "each crate's parsers read other parts of a request"
)]
mod near;

use near::{run, seeds};

// spec: security.md, Inputs, outputs, network, "Outgoing requests"
#[test]
fn outgoing_url() {
    let own = [
        "https://app.example/client.json",
        "https://app.example:8443/a?b=https://10.0.0.1/",
        "https://127.0.0.1/",
        "https://10.1.2.3:8443/",
        "http://127.0.0.1:3000/client.json",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://1.1.1.1/",
        "https://[::1]:443/",
        "https://[::ffff:10.0.0.1]/",
        "https://[2606:4700:4700::1111]/",
        "https://[fe80::1%25eth0]/",
        "https://user:password@app.example/",
        "https://app.example\\@127.0.0.1/",
        "https://xn--bcher-kva.example/",
        "https://localhost./",
        "https://%31%32%37.0.0.1/",
        "ftp://app.example/",
    ];
    run(
        "outgoing_url",
        seeds(&own, Vec::new()),
        8000,
        bodies::outgoing_url,
    );
}
