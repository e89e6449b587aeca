//! What can be told without the database: configuration, proxies, modes of files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crema_document::config::IgnoreCsrf;
use crema_document::{Bench, SiteConfig};

use super::finding::Report;

/// Networks with a shorter prefix than this are no row of proxies.
const SHORTEST_PREFIX: u8 = 8;

/// Looks at the keys of the configuration.
pub(super) fn configuration(report: &mut Report, site: &str, config: &SiteConfig) {
    const CHECK: &str = "configuration";
    let crema = report.crema.clone();
    if config.encryption_key().is_none() {
        report.wrong(
            CHECK,
            "there is no encryption_key, so that no secret can be kept",
            "Put the key of the site's backup into site_config.json; a site made by Frappe has one.",
        );
    }
    if config.maintenance_mode() {
        report.risk(
            CHECK,
            "maintenance_mode is on",
            format!("When the work is done: {crema} set-config maintenance_mode 0"),
        );
    }
    if config.developer_mode() {
        report.risk(
            CHECK,
            "developer_mode is on: http is accepted where https is needed",
            format!("On a server for others: {crema} set-config developer_mode 0"),
        );
    }
    match config.ignore_csrf() {
        IgnoreCsrf::Nowhere => {}
        IgnoreCsrf::Everywhere => report.risk(
            CHECK,
            "ignore_csrf is on: other sites can act with the sessions of your users",
            format!(
                "Name the paths that need it: {crema} set-config ignore_csrf '[\"/api/method/…\"]'"
            ),
        ),
        IgnoreCsrf::Paths(paths) => report.risk(
            CHECK,
            format!("ignore_csrf opens {} to other sites", paths.join(", ")),
            "Remove what no client needs any more.",
        ),
    }
    if config.db_tls() == Some("unverified") {
        report.risk(
            CHECK,
            "db_tls is unverified: whoever is between here and the database can read along",
            format!(
                "{crema} set-config db_tls verified, with db_ssl_ca if the authority is your own"
            ),
        );
    }
    if config.host_name().is_none() && !is_local(site) {
        report.risk(
            CHECK,
            "host_name is not set: the issuer is whichever of the site's names a request used",
            format!("{crema} set-config host_name https://{site}"),
        );
    }
    if report.is_fine(CHECK) {
        report.fine(
            CHECK,
            "its files are there, and every key has a value that can be used",
        );
    }
}

/// Looks at who may speak for other addresses.
pub(super) fn proxies(report: &mut Report, config: &SiteConfig) {
    const CHECK: &str = "proxies";
    let crema = report.crema.clone();
    let proxies = config.trusted_proxies();
    for wide in (proxies.iter()).filter(|proxy| proxy.prefix_len() < SHORTEST_PREFIX) {
        report.wrong(
            CHECK,
            format!(
                "trusted_proxies has {wide}: anybody may say which address a request comes from"
            ),
            format!("Name the proxies: {crema} set-config trusted_proxies '[\"127.0.0.1\"]'"),
        );
    }
    let https = config
        .host_name()
        .is_some_and(|host| !host.starts_with("http://"));
    if proxies.is_empty() && https {
        report.risk(
            CHECK,
            "the site's address is https and trusted_proxies is empty: every request seems to come \
             from the proxy, and limits for one sender are limits for all",
            format!("Name the proxy: {crema} set-config trusted_proxies '[\"127.0.0.1\"]'"),
        );
    }
    if report.is_fine(CHECK) {
        let text = match proxies.len() {
            0 => "none is trusted, and none is needed for an address without https".to_owned(),
            count => format!("{count} may say whom a request comes from"),
        };
        report.fine(CHECK, text);
    }
}

/// Looks at who may read the files that hold secrets.
pub(super) fn files(report: &mut Report, bench: &Bench, site: &str) {
    const CHECK: &str = "files";
    let mut looked = 0_usize;
    for path in secret_files(bench, site) {
        let mode = match fs::metadata(&path) {
            Ok(data) => data.permissions().mode() & 0o777,
            // What is not there gives nothing away.
            Err(_) => continue,
        };
        looked += 1;
        let shown = path.display();
        let advice = format!("chmod 600 {shown}");
        if mode & 0o007 != 0 {
            let text = format!("everybody on this machine may open {shown} (mode {mode:03o})");
            report.wrong(CHECK, text, advice);
        } else if mode & 0o070 != 0 {
            let text = format!("others of its group may open {shown} (mode {mode:03o})");
            report.risk(CHECK, text, advice);
        }
    }
    if report.is_fine(CHECK) {
        report.fine(
            CHECK,
            format!("{looked} with secrets, for their owner only"),
        );
    }
}

fn secret_files(bench: &Bench, site: &str) -> Vec<PathBuf> {
    let mut files = vec![bench.common_config_path()];
    files.extend(bench.site_config_path(site).ok());
    if let Ok(folder) = bench.site_folder(site) {
        for inner in ["db", "private/backups"] {
            files.extend(entries(&folder.join(inner)));
        }
    }
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// Whether a host is this machine's own, by its name.
pub(super) fn is_local(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}
