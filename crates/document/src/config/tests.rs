#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;
use serde_json::json;

use super::file::parse;
use super::*;

fn config(keys: Value) -> SiteConfig {
    let Value::Object(keys) = keys else {
        return SiteConfig::default();
    };
    SiteConfig::from_keys(keys).unwrap()
}

// spec: cli.md, site_config.json keys (Frappe's meaning)
#[test]
fn every_key_has_its_meaning() {
    let config = config(json!({
        "db_type": "postgres", "db_name": "_db", "db_password": "p", "db_port": "5433",
        "db_socket": "/run/x", "encryption_key": "k", "host_name": "https://a.example",
        "domains": ["b.example", {"domain": "c.example", "ssl_certificate": "x"}],
        "developer_mode": 1, "maintenance_mode": 0, "allow_cors": ["https://x.example"],
        "cors_allow_credentials": false, "allow_cors_for_methods": ["GET"],
        "allow_cors_for_headers": "X-A", "ignore_csrf": ["/api/method/x"],
        "allowed_referrers": ["https://y.example"],
        "rate_limit": {"limit": 60, "window": 86400},
        "google_login": {"client_id": "i", "client_secret": "s", "redirect_uri": "https://z"},
        "trusted_proxies": ["10.0.0.0/8", "::1"], "something": {"else": 1}
    }));
    assert_eq!(config.db_type(), DbType::Postgres);
    assert_eq!(config.db_user(), Some("_db"));
    assert_eq!((config.db_host(), config.db_port()), ("127.0.0.1", 5433));
    assert_eq!(config.domains(), ["b.example", "c.example"]);
    assert!(config.developer_mode() && !config.maintenance_mode());
    assert_eq!(
        config.allow_cors(),
        AllowCors::Origins(vec!["https://x.example".into()])
    );
    assert!(!config.cors_allow_credentials());
    assert_eq!(
        config.ignore_csrf(),
        IgnoreCsrf::Paths(vec!["/api/method/x".into()])
    );
    assert_eq!(config.rate_limit().unwrap().window, 86_400);
    let login = config.provider_login("google").unwrap();
    assert_eq!(
        (login.client_id.as_str(), login.client_secret.expose()),
        ("i", "s")
    );
    assert_eq!(config.trusted_proxies().len(), 2);
    assert!(config.get("something").is_some());
}

#[test]
fn what_is_absent_has_its_default() {
    let config = SiteConfig::default();
    assert_eq!(config.db_type(), DbType::Sqlite);
    assert_eq!(config.allow_cors(), AllowCors::Nobody);
    assert_eq!(config.ignore_csrf(), IgnoreCsrf::Nowhere);
    assert!(config.cors_allow_credentials() && config.dns_multitenant());
    assert!(!config.developer_mode() && config.rate_limit().is_none());
    assert!(config.encryption_key().is_none() && config.trusted_proxies().is_empty());
}

#[test]
fn frappes_spellings_of_flags_count() {
    for on in [json!(1), json!(true), json!("1"), json!("true")] {
        assert!(config(json!({"developer_mode": on.clone()})).developer_mode());
        assert_eq!(
            config(json!({"ignore_csrf": on})).ignore_csrf(),
            IgnoreCsrf::Everywhere
        );
    }
    assert_eq!(
        config(json!({"allow_cors": "*"})).allow_cors(),
        AllowCors::Everybody
    );
}

#[test]
fn a_wrong_kind_of_value_is_named_with_its_line() {
    let text = b"{\n \"a\": \"db_port\",\n \"db_port\": \"secret-port\"\n}";
    let site = parse(Path::new("site_config.json"), text).unwrap();
    let error = SiteConfig::merge(&ConfigFile::default(), &site)
        .unwrap_err()
        .to_string();
    assert!(error.contains("site_config.json:3: db_port:"), "{error}");
    assert!(!error.contains("secret-port"), "{error}");
    for (key, value) in [
        ("db_type", json!("oracle")),
        ("db_port", json!(0)),
        ("domains", json!({"a": 1})),
        ("allow_cors", json!([1])),
        ("trusted_proxies", json!(["everywhere"])),
        ("rate_limit", json!(5)),
        ("developer_mode", json!("maybe")),
        ("encryption_key", json!(5)),
    ] {
        let keys = [(key.to_owned(), value)].into_iter().collect();
        assert_eq!(SiteConfig::from_keys(keys).unwrap_err().0, key);
    }
}

#[test]
fn a_broken_file_is_named_with_line_and_column() {
    for (text, place) in [
        (&b"{\n\"a\": 1,\n}"[..], ":3:1: "),
        (b"[]", ":1:1: "),
        (b"", ":1:0: "),
        (b"{\"a\": \"\xff\"}", ":1:"),
    ] {
        let error = parse(Path::new("c.json"), text).err().unwrap().to_string();
        assert!(
            error.starts_with("c.json") && error.contains(place),
            "{error}"
        );
    }
    assert!(
        parse(Path::new("c.json"), b"\xef\xbb\xbf{}").is_ok(),
        "a byte order mark is no fault"
    );
}

// spec: cli.md, set-config: true, false, numbers and JSON are read as such
#[test]
fn values_from_the_command_line() {
    for (text, value) in [
        ("true", json!(true)),
        ("False", json!(false)),
        ("17", json!(17)),
        ("1.5", json!(1.5)),
        ("[\"a\"]", json!(["a"])),
        ("{\"a\": null}", json!({"a": null})),
        ("null", json!(null)),
        ("None", json!(null)),
        ("https://a.example", json!("https://a.example")),
        ("[broken", json!("[broken")),
        ("", json!("")),
    ] {
        assert_eq!(parse_value(text), value, "{text}");
    }
}

// spec: security.md, Inputs, outputs, network: secrets never in logs, errors, Debug
#[test]
fn secrets_are_not_shown() {
    let config = config(json!({
        "db_password": "hunter2", "encryption_key": "hunter2", "mail_password": "hunter2",
        "admin_api_key": "hunter2", "google_login": {"client_id": "hunter2", "x": ["hunter2"]},
        "crm_oauth": {"client_secret": "hunter2", "app_name": "Mobile App"},
        "redis_cache": "redis://:hunter2@host:6379/1", "list": [{"password": "hunter2"}],
        "Webhook-Secret": "hunter2", "monkey": "shown", "db_name": "shown", "empty_secret": ""
    }));
    let debug = format!("{config:?}");
    let shown = Value::Object(config.redacted()).to_string();
    for text in [&debug, &shown] {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(
            text.contains("shown") && text.contains("Mobile App"),
            "{text}"
        );
    }
    assert_eq!(config.redacted()["monkey"], "shown");
    assert_eq!(config.redacted()["empty_secret"], "");
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes: Vec<u8>) {
        let _ = parse(Path::new("c.json"), &bytes);
    }

    #[test]
    fn no_value_breaks_an_accessor(text in "\\PC{0,20}", number: i64) {
        for value in [json!(text), json!(number), json!([text]), json!({"limit": number}), json!(null)] {
            for key in ["db_port", "domains", "allow_cors", "rate_limit", "trusted_proxies", "ignore_csrf"] {
                let keys = [(key.to_owned(), value.clone())].into_iter().collect();
                if let Ok(config) = SiteConfig::from_keys(keys) {
                    let _ = (config.db_port(), config.domains(), config.allow_cors());
                    let _ = (config.rate_limit(), config.trusted_proxies(), config.ignore_csrf());
                }
            }
        }
    }
}
