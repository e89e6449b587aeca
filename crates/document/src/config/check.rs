//! Whether every known key has a value that the system can use.

use serde_json::Value;

use super::SiteConfig;
use super::keys::{DbType, flag, network, number, whole};
use super::outgoing::AllowedTarget;

/// Every known key whose value the system cannot use, with what it needs.
pub(super) fn faults(config: &SiteConfig) -> Vec<(String, String)> {
    const TEXTS: &[&str] = &[
        "db_name",
        "db_user",
        "db_password",
        "db_host",
        "db_socket",
        "db_user_host",
        "db_ssl_ca",
        "encryption_key",
        "host_name",
        "default_site",
    ];
    const FLAGS: &[&str] = &[
        "developer_mode",
        "maintenance_mode",
        "cors_allow_credentials",
        "dns_multitenant",
    ];
    const LISTS: &[&str] = &[
        "allow_cors",
        "allow_cors_for_methods",
        "allow_cors_for_headers",
        "allowed_referrers",
        "trusted_proxies",
        "outgoing_allow",
    ];
    let mut faults = Vec::new();
    let mut check = |key: &str, usable: &dyn Fn(&Value) -> bool, needs: &str| {
        if let Some(value) = config.get(key)
            && !usable(value)
        {
            faults.push((key.to_owned(), needs.to_owned()));
        }
    };
    let is_text = |value: &Value| value.is_string();
    let is_list = |value: &Value| {
        value.is_string() || matches!(value, Value::Array(items) if items.iter().all(is_text))
    };
    for key in TEXTS {
        check(key, &is_text, "needs a text");
    }
    for key in FLAGS {
        check(key, &|value| flag(value).is_some(), "needs true or false");
    }
    for key in LISTS {
        check(key, &is_list, "needs a text or a list of texts");
    }
    check(
        "db_type",
        &|value| value.as_str().and_then(DbType::named).is_some(),
        "needs sqlite, mariadb or postgres",
    );
    check(
        "db_tls",
        &|value| matches!(value.as_str(), Some("off" | "unverified" | "verified")),
        "needs off, unverified or verified",
    );
    let is_port = |value: &Value| whole(value).is_some_and(|port| (1..=65_535).contains(&port));
    check("db_port", &is_port, "needs a port from 1 to 65535");
    let is_count = |value: &Value| whole(value).is_some_and(|count| (1..=10_000).contains(&count));
    check(
        "db_max_connections",
        &is_count,
        "needs a number from 1 to 10000",
    );
    let is_length = |value: &Value| whole(value).is_some_and(|most| most > 0);
    check(
        "max_list_length",
        &is_length,
        "needs a number of rows, at least 1",
    );
    let is_time = |value: &Value| whole(value).is_some_and(|time| (1..=3600).contains(&time));
    check("db_timeout", &is_time, "needs seconds from 1 to 3600");
    let is_domain = |entry: &Value| entry.is_string() || entry.get("domain").is_some_and(is_text);
    check(
        "domains",
        &|value| {
            value.is_string() || matches!(value, Value::Array(all) if all.iter().all(is_domain))
        },
        "needs a list of host names",
    );
    check(
        "ignore_csrf",
        &|value| is_list(value) || flag(value).is_some(),
        "needs true, false or a list of paths",
    );
    check(
        "rate_limit",
        &|value| {
            value
                .get("limit")
                .is_some_and(|limit| number(limit).is_some())
                && value
                    .get("window")
                    .is_some_and(|window| whole(window).is_some())
        },
        "needs an object with the numbers limit and window",
    );
    for entry in config.text_list("trusted_proxies") {
        if network(&entry).is_none() {
            let reason = "needs addresses or networks such as 10.0.0.0/8".to_owned();
            faults.push(("trusted_proxies".to_owned(), reason));
        }
    }
    for entry in config.text_list("outgoing_allow") {
        if AllowedTarget::parse(&entry).is_none() {
            let reason =
                "needs host names (idp.internal, idp.internal:8443), addresses or networks";
            faults.push(("outgoing_allow".to_owned(), reason.to_owned()));
        }
    }
    faults
}
