//! The audit trail: who did what, when, from where, with which outcome.
//!
//! Every entry is a row of Frappe's Activity Log, written in the transaction of what it tells
//! about. Secrets never go into one: callers name records, settings and reasons, not values that
//! prove something. Failed attempts are counted per minute, address and known record, so that an
//! attack cannot fill the table. Records: Activity Log.
// spec: security.md, Audit

use std::sync::Arc;

use crema_crypto::hash_hex;
use crema_document::Timestamp;
use crema_store::{Sql, Transaction, Value, params};
use serde_json::{Map, Value as Json};

use crate::events::Events;
use crate::{Ctx, Failure};

static INSERT: Sql = Sql::new(
    r#"INSERT INTO "tabActivity Log" (name, creation, modified, modified_by, owner, docstatus,
    idx, subject, content, communication_date, ip_address, operation, status,
    reference_doctype, reference_name, "user")
    VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING"#,
);
static CONTENT: Sql = Sql::new(r#"SELECT content FROM "tabActivity Log" WHERE name = ? {lock}"#);
static SET_CONTENT: Sql = Sql::new(
    r#"UPDATE "tabActivity Log" SET content = ?, subject = ?, modified = ? WHERE name = ?"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&INSERT, &CONTENT, &SET_CONTENT];

/// The member of an entry's `content` that counts attempts.
const COUNT: &str = "count";
/// The longest text that one detail may have, in characters.
const DETAIL_LIMIT: usize = 1000;

/// What an entry is about: the `operation` of the Activity Log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A sign-in, or with [`Status::Failed`] an attempt at one.
    Login,
    /// A sign-out.
    Logout,
    /// Too many failures: a user, an address or a client has to wait.
    Lockout,
    /// A client presented wrong credentials.
    ClientAuthentication,
    /// A user allowed a client something, or refused.
    Consent,
    /// Tokens were issued; a refresh is recorded by its token row alone.
    TokenIssued,
    /// A rotated refresh token came again.
    RefreshReuse,
    /// A redeemed code came again.
    CodeReuse,
    /// Tokens were revoked.
    Revocation,
    /// An OAuth Client was made, changed, disabled, deleted, or its secret rotated.
    ClientChanged,
    /// A setting was changed.
    SettingsChanged,
    /// Something was used that exists only as a switch (password grant, implicit grant, …).
    LegacySwitch,
    /// A client under `Observe` was let pass where `Enforce` would refuse.
    Observe,
    /// A password was set.
    PasswordChanged,
    /// A signing key was made, replaced or retired.
    KeyRotated,
    /// A user was made, enabled, disabled, or got other roles.
    UserChanged,
    /// An API key was made, changed or revoked.
    ApiKeyChanged,
    /// A request came with a wrong API key or secret.
    ApiKeyAuthentication,
}

impl Operation {
    /// All of them.
    pub const ALL: [Operation; 18] = [
        Operation::Login,
        Operation::Logout,
        Operation::Lockout,
        Operation::ClientAuthentication,
        Operation::Consent,
        Operation::TokenIssued,
        Operation::RefreshReuse,
        Operation::CodeReuse,
        Operation::Revocation,
        Operation::ClientChanged,
        Operation::SettingsChanged,
        Operation::LegacySwitch,
        Operation::Observe,
        Operation::PasswordChanged,
        Operation::KeyRotated,
        Operation::UserChanged,
        Operation::ApiKeyChanged,
        Operation::ApiKeyAuthentication,
    ];

    /// The text in the `operation` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Login => "Login",
            Operation::Logout => "Logout",
            Operation::Lockout => "Lockout",
            Operation::ClientAuthentication => "Client Authentication",
            Operation::Consent => "Consent",
            Operation::TokenIssued => "Token Issued",
            Operation::RefreshReuse => "Refresh Reuse",
            Operation::CodeReuse => "Code Reuse",
            Operation::Revocation => "Revocation",
            Operation::ClientChanged => "Client Changed",
            Operation::SettingsChanged => "Settings Changed",
            Operation::LegacySwitch => "Legacy Switch",
            Operation::Observe => "OAuth Observe",
            Operation::PasswordChanged => "Password Changed",
            Operation::KeyRotated => "Key Rotated",
            Operation::UserChanged => "User Changed",
            Operation::ApiKeyChanged => "API Key Changed",
            Operation::ApiKeyAuthentication => "API Key Authentication",
        }
    }
}

/// How it ended, in Frappe's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It was done.
    Success,
    /// It was refused.
    Failed,
}

impl Status {
    /// The text in the `status` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Success => "Success",
            Status::Failed => "Failed",
        }
    }
}

/// One row to be written. Owned, so that a transaction's closure can hold it.
#[derive(Debug, Clone)]
pub struct Entry {
    events: Arc<Events>,
    name: String,
    local: Value,
    minute: i64,
    address: String,
    operation: Operation,
    status: Status,
    user: Option<String>,
    reference: Option<(&'static str, String)>,
    subject: Option<String>,
    details: Map<String, Json>,
}

impl Entry {
    /// An entry of this request: its moment, address and `User-Agent` are taken from `ctx`.
    pub fn new(ctx: &Ctx, operation: Operation, status: Status) -> Entry {
        let mut details = Map::new();
        if !ctx.user_agent.is_empty() {
            details.insert("user_agent".to_owned(), Json::from(ctx.user_agent.as_str()));
        }
        Entry {
            events: Arc::clone(&ctx.provider.environment().events),
            name: ctx.row_name(),
            local: ctx.provider.site().local(ctx.now).into(),
            minute: ctx.now.seconds().div_euclid(60),
            address: ctx.address.to_string(),
            operation,
            status,
            user: None,
            reference: None,
            subject: None,
            details,
        }
    }

    /// The user who acted, or whom it concerns when nobody was signed in.
    #[must_use]
    pub fn user(mut self, user: &str) -> Entry {
        self.user = Some(limited(user, 140));
        self
    }

    /// The OAuth Client that it concerns.
    #[must_use]
    pub fn client(self, client_id: &str) -> Entry {
        self.about("OAuth Client", client_id)
    }

    /// The record that it concerns.
    #[must_use]
    pub fn about(mut self, doctype: &'static str, name: &str) -> Entry {
        self.reference = Some((doctype, limited(name, 140)));
        self
    }

    /// A sentence for people; without one the operation, outcome and record are named.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Entry {
        self.subject = Some(subject.into());
        self
    }

    /// A member of the JSON object in `content`. Never a secret; long texts are cut.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<Json>) -> Entry {
        let value = match value.into() {
            Json::String(text) => Json::from(limited(&text, DETAIL_LIMIT)),
            other => other,
        };
        self.details.insert(key.to_owned(), value);
        self
    }

    fn subject_text(&self) -> String {
        if let Some(subject) = &self.subject {
            return subject.clone();
        }
        let mut text = self.operation.as_str().to_owned();
        if let Some((_, name)) = &self.reference {
            text.push_str(": ");
            text.push_str(name);
        }
        if let Some(user) = &self.user {
            text.push_str(" (");
            text.push_str(user);
            text.push(')');
        }
        if self.status == Status::Failed {
            text.push_str(", failed");
        }
        text
    }

    async fn insert(&self, tx: &mut Transaction) -> Result<(), Failure> {
        self.events.count(self.operation, self.status);
        let actor = self.user.as_deref().unwrap_or("Guest");
        let (doctype, reference) = match &self.reference {
            Some((doctype, name)) => (Some(*doctype), Some(name.as_str())),
            None => (None, None),
        };
        tx.execute(
            &INSERT,
            params![
                &self.name,
                self.local.clone(),
                self.local.clone(),
                actor,
                actor,
                self.subject_text(),
                Json::Object(self.details.clone()).to_string(),
                self.local.clone(),
                &self.address,
                self.operation.as_str(),
                self.status.as_str(),
                doctype,
                reference,
                self.user.as_deref(),
            ],
        )
        .await?;
        Ok(())
    }
}

/// Writes an entry in the transaction of what it tells about.
///
/// # Errors
/// When the database refuses.
pub async fn record(tx: &mut Transaction, entry: &Entry) -> Result<(), Failure> {
    entry.insert(tx).await
}

/// Writes an entry in a transaction of its own. What an `Observe` client is let pass with, and
/// what is wrong with a key or a token for registrations, comes with every request of it, so that
/// is counted like failures are.
///
/// # Errors
/// When the database refuses.
pub async fn record_now(ctx: &Ctx, entry: Entry) -> Result<(), Failure> {
    if matches!(
        entry.operation,
        Operation::Observe | Operation::ApiKeyAuthentication | Operation::ClientAuthentication
    ) {
        return count_now(ctx, entry).await;
    }
    ctx.provider
        .database()
        .write(move |tx| {
            let entry = entry.clone();
            Box::pin(async move { record(tx, &entry).await })
        })
        .await
}

/// Counts a failed attempt: one row per minute, address, operation and record. `about` is a user
/// name or client id as it was presented; what names no record shares one row, so that made-up
/// names cannot fill the table and a password typed into the wrong field is not kept.
///
/// # Errors
/// When the database refuses.
// spec: security.md, Audit, "failures are counted per minute and address"
pub async fn failure(ctx: &Ctx, operation: Operation, about: &str) -> Result<(), Failure> {
    let entry = Entry::new(ctx, operation, Status::Failed);
    let entry = match operation {
        Operation::ClientAuthentication => match ctx.client(about).await? {
            Some(client) => entry.client(&client.name),
            None => entry,
        },
        _ => match ctx.user(about).await? {
            Some(user) => entry.user(&user.name),
            None => entry,
        },
    };
    count_now(ctx, entry).await
}

async fn count_now(ctx: &Ctx, entry: Entry) -> Result<(), Failure> {
    let entry = entry.counted();
    ctx.provider
        .database()
        .write(move |tx| {
            let entry = entry.clone();
            Box::pin(async move { entry.count(tx).await })
        })
        .await
}

impl Entry {
    /// The same entry under a name that all attempts of this minute share.
    fn counted(mut self) -> Entry {
        let reference = self
            .reference
            .as_ref()
            .map_or("", |(_, name)| name.as_str());
        let user = self.user.as_deref().unwrap_or_default();
        let kind = self
            .details
            .get("violation")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let shared = format!(
            "{}\n{}\n{}\n{reference}\n{user}\n{kind}",
            self.operation.as_str(),
            self.minute,
            self.address
        );
        self.name = hash_hex(&shared).chars().take(32).collect();
        self.details.insert(COUNT.to_owned(), Json::from(0));
        self
    }

    async fn count(&self, tx: &mut Transaction) -> Result<(), Failure> {
        self.insert(tx).await?;
        let row = tx.row(&CONTENT, params![&self.name]).await?;
        let content = match &row {
            Some(row) => row.opt_text(0)?.unwrap_or_default(),
            None => "",
        };
        let mut details = match serde_json::from_str(content) {
            Ok(Json::Object(details)) => details,
            _ => self.details.clone(),
        };
        let count = details.get(COUNT).and_then(Json::as_u64).unwrap_or(0) + 1;
        details.insert(COUNT.to_owned(), Json::from(count));
        let subject = format!("{} ({count} times in a minute)", self.subject_text());
        let content = Json::Object(details).to_string();
        tx.execute(
            &SET_CONTENT,
            params![content, subject, self.local.clone(), &self.name],
        )
        .await?;
        Ok(())
    }
}

/// How often what an entry's `content` tells about happened.
pub(crate) fn count_of(content: &Json) -> u64 {
    content.get(COUNT).and_then(Json::as_u64).unwrap_or(1)
}

/// The moment `days` before now, in the clock of the site: what `creation` is compared with.
pub(crate) fn days_ago(ctx: &Ctx, days: i64) -> Value {
    let moment: Timestamp = ctx.now.minus_seconds(days * 86_400);
    ctx.provider.site().local(moment).into()
}

fn limited(text: &str, characters: usize) -> String {
    text.chars()
        .filter(|c| *c != '\0')
        .take(characters)
        .collect()
}
