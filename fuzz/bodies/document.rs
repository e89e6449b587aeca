// What each fuzz target of `crema-document` does with one input.

use std::path::PathBuf;

use crema_document::config::{REDACTED, parse_value};
use crema_document::documents::typed_members;
use crema_document::hosts::{HostMap, SiteNames, normal_host};
use crema_document::list::ListRequest;
use crema_document::{DocumentError, FieldType, LocalTime, Reason, Registry, SiteConfig, TimeZone};
use crema_store::{format_datetime, parse_datetime};
use serde_json::{Map, Value};

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// A Host header.
pub(crate) fn host(data: &[u8]) {
    let Some(host) = text(data) else { return };
    let names = |site: &str| SiteNames {
        site: site.to_owned(),
        ..SiteNames::default()
    };
    let map = HostMap::new(
        [names("one.localhost"), names("xn--mnchen-3ya.example")],
        None,
    );
    let found = map.site_for(host).expect("no two sites of a name");
    let Some(normal) = normal_host(host) else {
        assert_eq!(found, None, "no host, but a site");
        return;
    };
    assert_eq!(normal_host(&normal).as_deref(), Some(normal.as_str()));
    assert!(normal.len() <= 255 && normal.is_ascii());
    let expected = ["one.localhost", "xn--mnchen-3ya.example"];
    let expected = expected.into_iter().find(|site| *site == normal);
    assert_eq!(found, expected);
    if host.starts_with('[') {
        let inside = normal.trim_matches(['[', ']']);
        assert!(inside.parse::<std::net::Ipv6Addr>().is_ok());
        return;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    assert!(normal.chars().all(plain) && !normal.contains(char::is_uppercase));
    // What is ASCII is only put into lower case and freed from port and dot.
    if host.is_ascii() {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let name = name.strip_suffix('.').unwrap_or(name);
        assert_eq!(normal, name.to_ascii_lowercase());
    }
}

/// The bytes of a `site_config.json`.
pub(crate) fn config(data: &[u8]) {
    let file = scratch();
    std::fs::write(&file, data).expect("a file written");
    let nothing = file.with_extension("nothing");
    let loaded = SiteConfig::load(&nothing, &file);
    if let Err(error) = &loaded {
        let said = error.to_string();
        assert!(said.contains("site_config.json"), "{said}");
    }
    if let Ok(config) = &loaded {
        read_all(config);
    }
    let bytes = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let keys = serde_json::from_slice::<Map<String, Value>>(bytes);
    let in_memory = keys.ok().map(SiteConfig::from_keys);
    let usable = in_memory.as_ref().is_some_and(Result::is_ok);
    assert_eq!(loaded.is_ok(), usable, "a file and its keys differ");
    if let Some(value) = text(data) {
        let _ = parse_value(value);
    }
}

/// Every test process and thread has its own file.
fn scratch() -> PathBuf {
    thread_local! {
        static FOLDER: PathBuf = {
            let thread = format!("{:?}", std::thread::current().id());
            let digits: String = thread.chars().filter(char::is_ascii_digit).collect();
            let name = format!("crema-fuzz-{}-{digits}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&folder).expect("a folder");
            folder
        };
    }
    FOLDER.with(|folder| folder.join("site_config.json"))
}

/// Every accessor has an answer, and nothing secret is shown.
fn read_all(config: &SiteConfig) {
    let _ = (config.db_type(), config.db_name(), config.db_user());
    let _ = (config.db_host(), config.db_port(), config.db_socket());
    let _ = (
        config.db_tls(),
        config.db_ssl_ca(),
        config.db_max_connections(),
    );
    let _ = (
        config.encryption_key(),
        config.host_name(),
        config.domains(),
    );
    let _ = (config.developer_mode(), config.maintenance_mode());
    let _ = (config.allow_cors(), config.cors_allow_credentials());
    let _ = (
        config.allow_cors_for_methods(),
        config.allow_cors_for_headers(),
    );
    let _ = (config.ignore_csrf(), config.allowed_referrers());
    let _ = (config.rate_limit(), config.provider_login("google"));
    let _ = (config.trusted_proxies(), config.outgoing_allow());
    let _ = (config.dns_multitenant(), config.default_site());
    let shown = config.redacted();
    assert_eq!(shown.len(), config.keys().len());
    for key in ["db_password", "encryption_key", "admin_password"] {
        if let Some(Value::String(secret)) = config.get(key).filter(|value| *value != "") {
            assert_eq!(shown[key], REDACTED, "{key}");
            let dumped = format!("{config:?}");
            // Short texts stand elsewhere by chance.
            let elsewhere = config.keys().iter().filter(|(other, _)| *other != key);
            let by_chance = elsewhere
                .map(|(other, value)| format!("{other} {value}"))
                .any(|text| text.contains(secret.as_str()));
            if secret.len() > 11 && !by_chance {
                assert!(!dumped.contains(secret.as_str()), "{key} is shown");
            }
        }
    }
}

/// The arguments of a list, as a JSON object or as a query whose values are text.
pub(crate) fn list(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let arguments = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(arguments)) => arguments,
        _ => text
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect(),
    };
    match ListRequest::from_arguments(&arguments) {
        Ok(request) => {
            assert!(request.expand.len() <= 10);
            // Numbers and flags that were read are read the same again.
            let mut again = Map::new();
            again.insert("limit_start".to_owned(), request.start.into());
            again.insert("limit".to_owned(), request.limit.into());
            again.insert("distinct".to_owned(), request.distinct.into());
            let read = ListRequest::from_arguments(&again).expect("a request of its own making");
            assert_eq!((read.start, read.limit), (request.start, request.limit));
            assert_eq!(read.distinct, request.distinct);
        }
        Err(DocumentError::Refused(refusal)) => {
            assert_eq!(refusal.reason, Reason::Malformed, "{refusal}");
            assert!(!refusal.message.is_empty());
        }
        Err(error) => panic!("{error}"),
    }
}

/// A date and time as people and databases write it, read by two readers.
pub(crate) fn datetime(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let local = text.parse::<LocalTime>().ok();
    if let Some(local) = local {
        let written = local.to_string();
        assert_eq!(written.parse::<LocalTime>().ok(), Some(local));
        for zone in ["UTC", "Europe/Zurich", "America/St_Johns"] {
            let zone = TimeZone::named(zone).expect("a zone");
            let moment = zone.timestamp(local);
            let _ = (zone.local(moment).to_string(), moment.to_string());
        }
    }
    if let Some(micros) = parse_datetime(text) {
        let written = format_datetime(micros).expect("within the years");
        assert_eq!(parse_datetime(&written), Some(micros));
        assert_eq!(written, LocalTime::from_micros(micros).to_string());
        assert_eq!(local.map(LocalTime::micros), Some(micros), "{text}");
    }
    let _ = TimeZone::named(text);
}

/// The name of a DocType, a line feed, a document as JSON.
pub(crate) fn document(data: &[u8]) {
    let Some((name, body)) = text(data).and_then(|text| text.split_once('\n')) else {
        return;
    };
    let registry = Registry::builtin().expect("definitions");
    let Some(doctype) = registry.get(name) else {
        return;
    };
    let Ok(members) = serde_json::from_str::<Map<String, Value>>(body) else {
        return;
    };
    let Ok(read) = typed_members(&registry, doctype, members) else {
        return;
    };
    for (member, value) in read.iter().filter(|(member, _)| *member != "name") {
        let field = doctype.field(member).expect("a member that is a field");
        match value {
            Value::Array(_) => assert!(field.fieldtype.is_table(), "{member}"),
            Value::String(text) => {
                assert!(!text.contains('\0'), "{member}");
                let limit = field.limit().map_or(usize::MAX, |limit| limit as usize);
                let dated = [FieldType::Date, FieldType::Datetime, FieldType::Time];
                let fits = text.chars().count() <= limit || dated.contains(&field.fieldtype);
                assert!(fits, "{member}");
            }
            Value::Number(_) => assert!(field.fieldtype.is_numeric(), "{member}"),
            other => assert!(other.is_null(), "{member}"),
        }
    }
    let again = typed_members(&registry, doctype, read.clone());
    assert_eq!(
        again.as_ref(),
        Ok(&read),
        "what was read is read as the same"
    );
}
