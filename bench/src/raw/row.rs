//! The row that is read or inserted.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock;
use crate::data::{BEARER_COLUMNS, Cell};

/// What an answer would need of a token, by its hash.
pub(super) const READ: &str = r#"SELECT name, client, "user", scopes, status, expires_at, issued_at,
    refresh_expires_at, resource, auth_time, family, last_used
    FROM "tabOAuth Bearer Token" WHERE access_token = ?"#;

/// A ToDo by its name, with all that an answer shows.
pub(super) const DOCUMENT: &str = r#"SELECT "name", "owner", "creation", "modified",
    "modified_by", "docstatus", "idx", "status", "priority", "color", "date", "allocated_to",
    "description", "reference_type", "reference_name", "role", "assigned_by",
    "assigned_by_full_name", "sender", "assignment_rule" FROM "tabToDo" WHERE "name" = ?"#;

/// The newest of a person's ToDos, of those that the user may read.
pub(super) const LIST: &str = r#"SELECT t0."name", t0."status", t0."description", t0."date",
    t0."allocated_to" FROM "tabToDo" t0
    WHERE (t0."owner" = ? OR t0."allocated_to" = ?) AND t0."allocated_to" = ?
    ORDER BY t0."creation" DESC, t0."name" DESC LIMIT ?"#;

/// How many of them.
pub(super) const PAGE: i64 = 20;

/// The statement that inserts a row; `parameter` names the one of a column, counted from 1.
pub(super) fn insert(parameter: impl Fn(usize) -> String) -> String {
    let columns: Vec<String> = (BEARER_COLUMNS.iter())
        .map(|name| format!("\"{name}\""))
        .collect();
    let parameters: Vec<String> = (1..=columns.len()).map(parameter).collect();
    format!(
        "INSERT INTO \"tabOAuth Bearer Token\" ({}) VALUES ({})",
        columns.join(", "),
        parameters.join(", ")
    )
}

/// Numbers that no earlier run of this machine has used.
pub(super) struct Numbers(AtomicU64);

impl Numbers {
    /// From now on.
    pub(super) fn new() -> Numbers {
        Numbers(AtomicU64::new(clock::unix_micros().unsigned_abs()))
    }

    /// The next one.
    pub(super) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// The hash of a token, as it is stored.
pub(super) fn hash(token: &[u8]) -> String {
    crema_crypto::hash_hex(&String::from_utf8_lossy(token))
}

/// A row as Crema writes one, for a token that does not exist yet.
pub(super) fn new(token: &[u8], number: u64) -> Vec<Cell> {
    let token = String::from_utf8_lossy(token);
    let access = crema_crypto::hash_hex(&format!("{token}{number}"));
    let refresh = crema_crypto::hash_hex(&format!("{number}{token}"));
    let now = clock::unix_micros();
    let created = clock::date_time(now);
    let user = crate::site::USER;
    let name: String = access.chars().take(16).collect();
    let family: String = refresh.chars().take(10).collect();
    let sid: String = refresh.chars().skip(10).take(32).collect();
    let hour = now + 3_600_000_000;
    vec![
        name.into(),
        created.clone().into(),
        created.clone().into(),
        user.into(),
        user.into(),
        0.into(),
        0.into(),
        "0123456789".into(),
        user.into(),
        "all openid".into(),
        access.into(),
        refresh.into(),
        created.into(),
        3_600.into(),
        "Active".into(),
        family.into(),
        hour.into(),
        now.into(),
        hour.into(),
        "".into(),
        (now / 1_000_000).into(),
        Cell::Null,
        "authorization_code".into(),
        sid.into(),
        Cell::Null,
    ]
}
