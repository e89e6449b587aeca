//! The keys that the system knows, each with its type and its default.

use std::path::PathBuf;

use ipnet::IpNet;
use serde_json::Value;

use super::SiteConfig;
use super::outgoing::AllowedTarget;
use crate::secret::SecretText;

/// Which database a site uses (`db_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DbType {
    /// A file in the site's folder. The default.
    #[default]
    Sqlite,
    /// A MariaDB server.
    MariaDb,
    /// A PostgreSQL server.
    Postgres,
}

impl DbType {
    /// The type of that name in `db_type`.
    pub fn named(name: &str) -> Option<DbType> {
        match name.to_ascii_lowercase().as_str() {
            "sqlite" | "sqlite3" => Some(DbType::Sqlite),
            "mariadb" | "mysql" => Some(DbType::MariaDb),
            "postgres" | "postgresql" => Some(DbType::Postgres),
            _ => None,
        }
    }

    /// The name as it stands in `db_type`.
    pub const fn name(self) -> &'static str {
        match self {
            DbType::Sqlite => "sqlite",
            DbType::MariaDb => "mariadb",
            DbType::Postgres => "postgres",
        }
    }

    /// The port that the servers of this type listen on; 0 when there is no server.
    pub const fn default_port(self) -> u16 {
        match self {
            DbType::Sqlite => 0,
            DbType::MariaDb => 3306,
            DbType::Postgres => 5432,
        }
    }
}

/// Who may read answers across origins (`allow_cors`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AllowCors {
    /// Nobody beyond what the endpoints themselves open.
    #[default]
    Nobody,
    /// Every origin, without credentials.
    Everybody,
    /// These origins, each as written.
    Origins(Vec<String>),
}

/// Where the CSRF check does not apply (`ignore_csrf`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IgnoreCsrf {
    /// It applies everywhere.
    #[default]
    Nowhere,
    /// It applies to none but the pages that are never exempt.
    Everywhere,
    /// It does not apply to these paths.
    Paths(Vec<String>),
}

/// The site-wide limit on work (`rate_limit`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Seconds of work within a window.
    pub limit: f64,
    /// The window's length in seconds.
    pub window: u64,
}

/// Client credentials of a login provider from the configuration (`<provider>_login`), which
/// win over the ones in the provider's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderLogin {
    /// The id that the provider gave this site.
    pub client_id: String,
    /// The secret that belongs to it.
    pub client_secret: SecretText,
    /// The callback to be used instead of the built-in one.
    pub redirect_uri: Option<String>,
}

impl SiteConfig {
    /// `db_type`, SQLite when absent.
    pub fn db_type(&self) -> DbType {
        self.text("db_type")
            .and_then(DbType::named)
            .unwrap_or_default()
    }

    /// `db_name`: the database on the server, or the name of the SQLite file.
    pub fn db_name(&self) -> Option<&str> {
        self.text("db_name")
    }

    /// `db_user`; as in Frappe, the name of the database when absent.
    pub fn db_user(&self) -> Option<&str> {
        self.text("db_user").or_else(|| self.db_name())
    }

    /// `db_password`.
    pub fn db_password(&self) -> Option<SecretText> {
        self.text("db_password").map(SecretText::from)
    }

    /// `db_host`, `127.0.0.1` when absent.
    pub fn db_host(&self) -> &str {
        self.text("db_host").unwrap_or("127.0.0.1")
    }

    /// `db_port`, the server's usual one when absent.
    pub fn db_port(&self) -> u16 {
        self.get("db_port")
            .and_then(whole)
            .and_then(|port| u16::try_from(port).ok())
            .unwrap_or(self.db_type().default_port())
    }

    /// `db_socket`: the Unix socket of a local server.
    pub fn db_socket(&self) -> Option<PathBuf> {
        self.text("db_socket").map(PathBuf::from)
    }

    /// `db_tls` (ours): `off`, `unverified` or `verified`. When absent, a server that is not
    /// on this computer is reached through a verified connection.
    pub fn db_tls(&self) -> Option<&str> {
        self.text("db_tls")
    }

    /// `db_ssl_ca`: PEM file of the authorities that a database server's certificate may have.
    pub fn db_ssl_ca(&self) -> Option<PathBuf> {
        self.text("db_ssl_ca").map(PathBuf::from)
    }

    /// `db_max_connections` (ours): most connections that are open at a time, 16 when absent.
    pub fn db_max_connections(&self) -> u32 {
        self.get("db_max_connections")
            .and_then(whole)
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| *count > 0)
            .unwrap_or(16)
    }

    /// `db_timeout` (ours): seconds to wait for a connection to the server or for a lock.
    pub fn db_timeout(&self) -> Option<u64> {
        self.get("db_timeout")
            .and_then(whole)
            .and_then(|seconds| u64::try_from(seconds).ok())
            .filter(|seconds| (1..=3600).contains(seconds))
    }

    /// `encryption_key`: the Fernet key under which this site's secrets are stored.
    pub fn encryption_key(&self) -> Option<SecretText> {
        self.text("encryption_key").map(SecretText::from)
    }

    /// `host_name`: the site's own address, with or without a scheme.
    pub fn host_name(&self) -> Option<&str> {
        self.text("host_name")
    }

    /// `domains`: further host names of the site. Entries are names or, as Frappe's tools write
    /// them, objects with a `domain`.
    pub fn domains(&self) -> Vec<String> {
        let Some(Value::Array(entries)) = self.get("domains") else {
            return self.text_list("domains");
        };
        entries
            .iter()
            .filter_map(|entry| entry.as_str().or_else(|| entry.get("domain")?.as_str()))
            .map(str::to_owned)
            .collect()
    }

    /// `developer_mode`: relaxes checks that stand in the way on a developer's computer.
    pub fn developer_mode(&self) -> bool {
        self.flag("developer_mode", false)
    }

    /// `maintenance_mode`: the site answers that it is under maintenance.
    pub fn maintenance_mode(&self) -> bool {
        self.flag("maintenance_mode", false)
    }

    /// `allow_cors`.
    pub fn allow_cors(&self) -> AllowCors {
        let origins = self.text_list("allow_cors");
        if origins.is_empty() {
            AllowCors::Nobody
        } else if origins.iter().any(|origin| origin == "*") {
            AllowCors::Everybody
        } else {
            AllowCors::Origins(origins)
        }
    }

    /// `cors_allow_credentials`: whether listed origins may send credentials; on when absent.
    pub fn cors_allow_credentials(&self) -> bool {
        self.flag("cors_allow_credentials", true)
    }

    /// `allow_cors_for_methods`: instead of the built-in list; empty when absent.
    pub fn allow_cors_for_methods(&self) -> Vec<String> {
        self.text_list("allow_cors_for_methods")
    }

    /// `allow_cors_for_headers`: instead of the built-in list; empty when absent.
    pub fn allow_cors_for_headers(&self) -> Vec<String> {
        self.text_list("allow_cors_for_headers")
    }

    /// `ignore_csrf`.
    pub fn ignore_csrf(&self) -> IgnoreCsrf {
        match self.get("ignore_csrf") {
            Some(Value::Array(_)) => IgnoreCsrf::Paths(self.text_list("ignore_csrf")),
            Some(Value::String(path)) if path.starts_with('/') => {
                IgnoreCsrf::Paths(self.text_list("ignore_csrf"))
            }
            _ if self.flag("ignore_csrf", false) => IgnoreCsrf::Everywhere,
            _ => IgnoreCsrf::Nowhere,
        }
    }

    /// `allowed_referrers`: origins from which a form may be posted.
    pub fn allowed_referrers(&self) -> Vec<String> {
        self.text_list("allowed_referrers")
    }

    /// `max_list_length` (ours): most rows of one list, however many are asked for; 100 000 when
    /// absent.
    pub fn max_list_length(&self) -> u64 {
        self.get("max_list_length")
            .and_then(whole)
            .and_then(|most| u64::try_from(most).ok())
            .filter(|most| *most > 0)
            .unwrap_or(100_000)
    }

    /// `rate_limit`; `None` when absent or without a limit.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        let limit = self.get("rate_limit")?;
        Some(RateLimit {
            limit: limit.get("limit").and_then(number)?,
            window: limit
                .get("window")
                .and_then(whole)
                .and_then(|window| u64::try_from(window).ok())?,
        })
        .filter(|limit| limit.limit > 0.0 && limit.window > 0)
    }

    /// `<provider>_login`: credentials for a login provider, for example `google`.
    pub fn provider_login(&self, provider: &str) -> Option<ProviderLogin> {
        let login = self.get(&format!("{provider}_login"))?;
        let text = |key: &str| login.get(key)?.as_str().filter(|text| !text.is_empty());
        Some(ProviderLogin {
            client_id: text("client_id")?.to_owned(),
            client_secret: text("client_secret")?.into(),
            redirect_uri: text("redirect_uri").map(str::to_owned),
        })
    }

    /// `trusted_proxies`: networks whose `X-Forwarded-*` and `X-Frappe-Site-Name` are believed.
    pub fn trusted_proxies(&self) -> Vec<IpNet> {
        self.text_list("trusted_proxies")
            .iter()
            .filter_map(|entry| network(entry))
            .collect()
    }

    /// `outgoing_allow` (ours): internal hosts and networks that this site may send requests to.
    pub fn outgoing_allow(&self) -> Vec<AllowedTarget> {
        self.text_list("outgoing_allow")
            .iter()
            .filter_map(|entry| AllowedTarget::parse(entry))
            .collect()
    }

    /// `dns_multitenant`: whether only the Host header chooses the site; on when absent.
    pub fn dns_multitenant(&self) -> bool {
        self.flag("dns_multitenant", true)
    }

    /// `default_site`: the site of requests for no site's host when `dns_multitenant` is off.
    pub fn default_site(&self) -> Option<&str> {
        self.text("default_site")
    }

    /// The text of any key; `None` when it is absent, empty or no text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    /// Any key as a flag. Frappe writes 0 and 1; `true`, `false` and texts of these count too.
    pub fn flag(&self, key: &str, default: bool) -> bool {
        self.get(key).and_then(flag).unwrap_or(default)
    }

    /// Any key as a list of texts. One text counts as a list of one.
    pub fn text_list(&self, key: &str) -> Vec<String> {
        let keep = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        match self.get(key) {
            Some(Value::String(text)) => keep(text).into_iter().collect(),
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(|item| item.as_str().and_then(keep))
                .collect(),
            _ => Vec::new(),
        }
    }
}

pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_f64().map(|number| number != 0.0),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Some(true),
            "0" | "false" | "no" | "off" | "" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}

pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    }
}

/// A network, or one address as the network of itself.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| {
        text.parse()
            .ok()
            .map(|address: std::net::IpAddr| IpNet::from(address))
    })
}
