//! All figures as text.

use std::sync::atomic::{AtomicU64, Ordering};

use crema_auth::Environment;
use crema_auth::audit::{Operation, Status};

use super::process::Process;
use super::text::{Kind, Text, seconds};
use super::{BOUNDS, Endpoint, Grant, Metrics, Outcome, Row};
use crate::app::App;
use crate::sites::Sites;

/// The figures of a server in Prometheus' text format.
pub fn report(app: &App) -> String {
    let mut text = Text::default();
    build(&mut text);
    requests(&mut text, app.metrics());
    connections(&mut text, app.metrics());
    databases(&mut text, app.sites());
    happenings(&mut text, app.sites().environment());
    process(&mut text, app.metrics());
    text.finish()
}

fn build(text: &mut Text) {
    let name = "crema_build_info";
    text.family(name, Kind::Gauge, "The version that runs.");
    text.sample(name, &[("version", env!("CARGO_PKG_VERSION"))], 1);
}

fn requests(text: &mut Text, metrics: &Metrics) {
    let name = "crema_http_requests_total";
    text.family(
        name,
        Kind::Counter,
        "Requests by endpoint, grant and outcome: an OAuth error code or the class of the status.",
    );
    for (row, endpoint, grant) in metrics.labelled() {
        for (index, number) in row.outcomes.iter().enumerate() {
            let number = read(number);
            // Success is shown from the start, so that the first one is an increase.
            if let (Some(outcome), true) = (Outcome::at(index), number > 0 || index == 0) {
                let labels = [
                    ("endpoint", endpoint.label()),
                    ("grant", grant.label()),
                    ("outcome", outcome.label()),
                ];
                text.sample(name, &labels, number);
            }
        }
    }
    durations(text, metrics);
    text.single(
        "crema_http_requests_in_flight",
        Kind::Gauge,
        "Requests that are being answered.",
        read(&metrics.in_flight),
    );
}

fn durations(text: &mut Text, metrics: &Metrics) {
    let name = "crema_http_request_duration_seconds";
    text.family(
        name,
        Kind::Histogram,
        "Time from a request's headers to its answer, its body's arrival included.",
    );
    let (bucket_name, sum, count) = (
        format!("{name}_bucket"),
        format!("{name}_sum"),
        format!("{name}_count"),
    );
    let bounds: Vec<String> = BOUNDS.iter().map(|bound| seconds(*bound)).collect();
    for (row, endpoint, grant) in metrics.labelled() {
        let labels = [("endpoint", endpoint.label()), ("grant", grant.label())];
        // Read once: what is shown adds up also while requests are counted.
        let buckets: Vec<u64> = row.buckets.iter().map(read).collect();
        let all: u64 = buckets.iter().sum();
        if all == 0 {
            continue;
        }
        let mut below = 0;
        for (bucket, bound) in buckets.iter().zip(&bounds) {
            below += bucket;
            let [endpoint, grant] = labels;
            text.sample(&bucket_name, &[endpoint, grant, ("le", bound)], below);
        }
        let [endpoint, grant] = labels;
        text.sample(&bucket_name, &[endpoint, grant, ("le", "+Inf")], all);
        text.sample(&sum, &labels, seconds(read(&row.sum)));
        text.sample(&count, &labels, all);
    }
}

fn connections(text: &mut Text, metrics: &Metrics) {
    let (counter, gauge) = (Kind::Counter, Kind::Gauge);
    let mut single = |name, kind, help, value: &AtomicU64| {
        text.single(name, kind, help, read(value));
    };
    single(
        "crema_http_connections_total",
        counter,
        "Connections that were accepted.",
        &metrics.connections,
    );
    single(
        "crema_http_connections_refused_total",
        counter,
        "Connections that were turned away because too many were open.",
        &metrics.connections_refused,
    );
    single(
        "crema_http_connections_open",
        gauge,
        "Connections that are open.",
        &metrics.connections_open,
    );
}

fn databases(text: &mut Text, sites: &Sites) {
    let open = sites.opened();
    text.single(
        "crema_sites_open",
        Kind::Gauge,
        "Sites that have had a request since the start.",
        open.len(),
    );
    let mut stats: Vec<_> = open
        .iter()
        .map(|provider| (provider.site().name(), provider.database().stats()))
        .collect();
    stats.sort_unstable_by_key(|(site, _)| *site);
    let name = "crema_database_connections";
    text.family(name, Kind::Gauge, "Connections to a site's database.");
    for (site, stats) in &stats {
        let idle = [("site", *site), ("state", "idle")];
        text.sample(name, &idle, stats.connections_idle);
        if let Some(in_use) = stats.connections_in_use {
            text.sample(name, &[("site", site), ("state", "in_use")], in_use);
        }
    }
    let mut family = |name, kind, help, value: fn(&crema_auth::DatabaseStats) -> u64| {
        text.family(name, kind, help);
        for (site, stats) in &stats {
            text.sample(name, &[("site", site)], value(stats));
        }
    };
    let (counter, gauge) = (Kind::Counter, Kind::Gauge);
    family(
        "crema_database_waiting",
        gauge,
        "Callers that wait for a connection.",
        |stats| stats.waiting,
    );
    family(
        "crema_database_writer_queue",
        gauge,
        "Operations that wait for SQLite's writer.",
        |stats| stats.queued,
    );
    family(
        "crema_database_writer_queue_limit",
        gauge,
        "How many may wait; 0 where there is no queue.",
        |stats| stats.queue_limit,
    );
    family(
        "crema_database_write_transactions_total",
        counter,
        "Writing transactions; on SQLite many operations share one.",
        |stats| stats.transactions,
    );
    family(
        "crema_database_write_operations_total",
        counter,
        "Writing operations.",
        |stats| stats.operations,
    );
    family(
        "crema_database_retries_total",
        counter,
        "Attempts that were repeated, after a deadlock for example.",
        |stats| stats.retries,
    );
    let name = "crema_database_size_bytes";
    text.family(name, Kind::Gauge, "Size of SQLite's files.");
    for (site, stats) in &stats {
        for (file, size) in [("database", stats.file_bytes), ("wal", stats.log_bytes)] {
            if let Some(size) = size {
                text.sample(name, &[("site", site), ("file", file)], size);
            }
        }
    }
}

fn happenings(text: &mut Text, environment: &Environment) {
    let name = "crema_audit_records_total";
    text.family(
        name,
        Kind::Counter,
        "What went into the audit trail: sign-ins, lockouts, reuse of tokens and codes, changes.",
    );
    for operation in Operation::ALL {
        let label = operation.as_str().to_lowercase().replace(' ', "_");
        for (outcome, status) in [("success", Status::Success), ("failed", Status::Failed)] {
            let labels = [("operation", label.as_str()), ("status", outcome)];
            text.sample(name, &labels, environment.events.number(operation, status));
        }
    }
    let passwords = environment.passwords.stats();
    let (counter, gauge) = (Kind::Counter, Kind::Gauge);
    text.single(
        "crema_password_workers",
        gauge,
        "Password hashes that may be computed at once.",
        passwords.workers,
    );
    text.single(
        "crema_password_workers_busy",
        gauge,
        "Password hashes that are being computed.",
        passwords.busy,
    );
    text.single(
        "crema_password_waiting",
        gauge,
        "Requests that wait for password work.",
        passwords.waiting,
    );
    text.single(
        "crema_password_hashes_total",
        counter,
        "Password hashes computed.",
        passwords.done,
    );
    text.single(
        "crema_password_turned_away_total",
        counter,
        "Requests turned away because too many waited for password work.",
        passwords.turned_away,
    );
    let outgoing = &environment.outgoing;
    text.single(
        "crema_outgoing_requests_in_flight",
        gauge,
        "Requests to other servers that are under way.",
        outgoing.under_way(),
    );
    let name = "crema_outgoing_requests_total";
    text.family(name, counter, "Requests to other servers: how they ended.");
    for (outcome, number) in outgoing.ended() {
        text.sample(name, &[("outcome", outcome)], number);
    }
}

fn process(text: &mut Text, metrics: &Metrics) {
    if let Some(dropped) = metrics.dropped_lines() {
        text.single(
            "crema_log_lines_dropped_total",
            Kind::Counter,
            "Log lines that were given up because nobody took them.",
            dropped,
        );
    }
    let process = Process::read();
    let (counter, gauge) = (Kind::Counter, Kind::Gauge);
    let mut single = |name, kind, help, value: Option<String>| {
        if let Some(value) = value {
            text.single(name, kind, help, value);
        }
    };
    let plain = |number: Option<u64>| number.map(|number| number.to_string());
    single(
        "process_start_time_seconds",
        gauge,
        "When the server started, in seconds since 1970.",
        Some(metrics.started_at().to_string()),
    );
    single(
        "process_cpu_seconds_total",
        counter,
        "Processor time.",
        process.cpu_micros.map(seconds),
    );
    single(
        "process_resident_memory_bytes",
        gauge,
        "Memory in use.",
        plain(process.resident_bytes),
    );
    single(
        "process_peak_resident_memory_bytes",
        gauge,
        "The most memory that was in use.",
        plain(process.peak_resident_bytes),
    );
    single(
        "process_virtual_memory_bytes",
        gauge,
        "Address space.",
        plain(process.virtual_bytes),
    );
    single("process_threads", gauge, "Threads.", plain(process.threads));
    single(
        "process_open_fds",
        gauge,
        "Open file descriptors.",
        plain(process.open_files),
    );
    single(
        "process_max_fds",
        gauge,
        "How many file descriptors may be open.",
        plain(process.open_files_limit),
    );
}

impl Metrics {
    /// The rows with their labels: each endpoint, then each grant of the token endpoint.
    fn labelled(&self) -> impl Iterator<Item = (&Row, Endpoint, Grant)> {
        let plain = Endpoint::ALL
            .iter()
            .map(|endpoint| (*endpoint, Grant::None));
        let grants = Grant::ALL.iter().filter(|grant| **grant != Grant::None);
        let grants = grants.map(|grant| (Endpoint::Token, *grant));
        let labels = plain.chain(grants);
        self.rows
            .iter()
            .zip(labels)
            .map(|(row, (endpoint, grant))| (row, endpoint, grant))
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
