use proptest::prelude::*;
use serde_json::json;

use super::*;

fn rules(keys: serde_json::Value) -> Rules {
    let config = SiteConfig::from_keys(keys.as_object().cloned().unwrap_or_default());
    Rules::of(&config.unwrap())
}

fn refused(rules: &Rules, url: &str) -> bool {
    rules.target(url).is_none()
}

// spec: security.md, Inputs, outputs, network, "Outgoing requests"
#[test]
fn what_may_be_written() {
    let rules = rules(json!({}));
    for url in [
        "https://app.example/client.json",
        "https://app.example",
        "https://APP.example:8443/a?b=c",
        "https://app.example./",
        "https://xn--bcher-kva.example/",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/",
        "https://intranet/",
    ] {
        assert!(!refused(&rules, url), "{url}");
    }
}

#[test]
fn what_is_written_wrongly() {
    let rules = rules(json!({}));
    for url in [
        "",
        "app.example",
        "/client.json",
        "//app.example/",
        "https://",
        "https:///client.json",
        "https:app.example/",
        "https:/app.example/",
        "https:app.example/://",
        "https://app.example:0/",
        "https://app.example:65536/",
        "https://app.example/#x",
        "https://app.example/#",
        "https://@app.example/",
        "https://:@app.example/",
        "https://user@app.example/",
        "https://user:password@app.example/",
        "https://:password@app.example/",
        "https://app.example\\@10.0.0.1/",
        "https:\\\\app.example/",
        " https://app.example/",
        "https://app.example/ ",
        "https://app.ex\tample/",
        "https://app.ex\nample/",
        "https://app.example/\r\nHost: other",
        "https://app.example/\0",
        "https://bücher.example/",
        "https://１２７.0.0.1/",
        "https://127。0。0。1/",
        "https://ⓛocalhost/",
        "https://app.example/ü",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://app.0x7g.1/",
    ] {
        assert!(refused(&rules, url), "{url:?}");
    }
    let long = format!("https://app.example/{}", "a".repeat(2048));
    assert!(refused(&rules, &long));
}

#[test]
fn only_https_and_http_for_developers() {
    let (strict, developer) = (rules(json!({})), rules(json!({"developer_mode": 1})));
    assert!(refused(&strict, "http://app.example/"));
    assert!(!refused(&developer, "http://app.example/"));
    for scheme in [
        "ftp",
        "file",
        "gopher",
        "ws",
        "wss",
        "data",
        "javascript",
        "https+unix",
        "x",
    ] {
        for rules in [&strict, &developer] {
            assert!(
                refused(rules, &format!("{scheme}://app.example/")),
                "{scheme}"
            );
            assert!(refused(rules, &format!("{scheme}:app.example")), "{scheme}");
        }
    }
}

#[test]
fn addresses_in_every_spelling() {
    let rules = rules(json!({}));
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0X7F.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "%31%32%37.0.0.1",
        "10.0.0.1",
        "167772161",
        "169.254.169.254",
        "0xa9fea9fe",
        "192.168.1.1",
        "100.100.100.200",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:1.1.1.1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[2002:7f00:1::]",
        "[2001:0:102:304::1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::1]",
    ] {
        for tail in ["", "/", ":8443/client.json", "/?u=https://app.example/"] {
            let url = format!("https://{host}{tail}");
            assert!(refused(&rules, &url), "{url}");
        }
    }
}

#[test]
fn a_developer_reaches_the_own_machine_and_nothing_else_inside() {
    let rules = rules(json!({"developer_mode": true}));
    assert!(!refused(&rules, "http://127.0.0.1:3000/"));
    assert!(!refused(&rules, "https://[::1]:3000/"));
    for host in [
        "10.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
        "[fd00::1]",
        "[::ffff:127.0.0.1]",
    ] {
        assert!(refused(&rules, &format!("http://{host}/")), "{host}");
    }
}

#[test]
fn what_is_listed_is_reached() {
    let rules = rules(json!({"outgoing_allow":
        ["idp.internal", "10.1.0.0/16", "[fd00::1]:8443", "192.168.0.1:443"]}));
    let admits = |url: &str, address: &str| {
        let target = rules.target(url).expect(url);
        rules.admits(&target, address.parse().unwrap())
    };
    assert!(admits("https://idp.internal/", "10.9.9.9"));
    assert!(admits("https://IDP.internal.:444/", "127.0.0.1"));
    assert!(!admits("https://x.idp.internal/", "10.9.9.9"));
    assert!(admits("https://app.example/", "10.1.2.3"));
    assert!(!admits("https://app.example/", "10.2.2.3"));
    assert!(admits("https://app.example:8443/", "fd00::1"));
    assert!(!admits("https://app.example/", "fd00::1"));
    assert!(!refused(&rules, "https://192.168.0.1/"));
    assert!(refused(&rules, "https://192.168.0.1:444/"));
    // An internal server is no reason to speak without TLS.
    assert!(refused(&rules, "http://idp.internal/"));
    // An address in disguise is another address.
    assert!(!admits("https://app.example/", "::ffff:10.1.2.3"));
}

proptest! {
    /// Whatever is accepted goes, in the reading of another parser, to the host that was judged.
    #[test]
    fn what_is_accepted_means_one_thing(url in "(https?:)?(//|\\\\\\\\|/)?[-a-z0-9.:@%\\[\\]?#/\\\\ü ]{0,40}") {
        let rules = rules(json!({"developer_mode": 1}));
        if let Some(target) = rules.target(&url) {
            let again: reqwest::Url = target.url.as_str().parse().unwrap();
            prop_assert_eq!(again.host_str(), Some(target.host.as_str()));
            let authority = url.split("//").nth(1).unwrap_or_default();
            let authority = authority.split(['/', '?']).next().unwrap_or_default();
            prop_assert!(!authority.contains('@'), "{}", url);
            prop_assert!(!url.contains(['#', '\\', ' ']), "{}", url);
            if let Ok(address) = target.host.parse::<IpAddr>() {
                prop_assert_eq!(target.literal, Some(address));
                prop_assert!(rules.admits(&target, address));
            }
        }
    }
}
