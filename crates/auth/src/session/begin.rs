//! Beginning a session.
//!
//! Records: Session (`tabSessions`), Activity Log.

use std::sync::Arc;

use crema_crypto::token::random_hex;
use crema_crypto::{Secret, hash_hex};
use crema_document::Timestamp;
use crema_store::{Sql, Transaction, Value, params};
use serde_json::json;

use super::end::{END, end_of_user};
use super::{SID_LENGTH, is_sid};
use crate::audit::{self, Entry, Operation, Status};
use crate::user::User;
use crate::{Ctx, Failure};

pub(super) static INSERT: Sql = Sql::new(
    r#"INSERT INTO "tabSessions" (name, creation, modified, modified_by, owner, docstatus, idx, "user",
    sid, sessiondata, ipaddress, lastupdate, status, auth_time, created_at, expires_at, last_seen,
    csrf_issued, oidc_sid, user_agent)
    VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, 'Active', ?, ?, ?, ?, 0, ?, ?)"#,
);

/// A session that was just begun, for the `sid` cookie.
#[derive(Debug)]
pub struct NewSession {
    /// The cookie's value.
    pub sid: Secret<String>,
    /// Seconds until it ends when it is not used: the cookie's `Max-Age`.
    pub max_age: i64,
    /// When it began.
    pub auth_time: Timestamp,
}

/// A session to be begun, made ready outside of the transaction.
#[derive(Clone)]
pub(crate) struct Beginning {
    name: String,
    user: String,
    sid: Secret<String>,
    hash: String,
    data: String,
    local: Value,
    now: Timestamp,
    expires_at: Timestamp,
    max_age: i64,
    oidc_sid: String,
    user_agent: String,
    address: String,
    previous: Option<String>,
    alone: bool,
}

impl Beginning {
    /// A new session of `user`; the one of `previous_sid` ends with its begin.
    pub(crate) async fn new(
        ctx: &Ctx,
        user: &User,
        previous_sid: Option<&str>,
    ) -> Result<Beginning, Failure> {
        let settings = ctx.settings().await?;
        let sid = random_hex(&*ctx.provider.environment().entropy, SID_LENGTH);
        let local = ctx.provider.site().local(ctx.now);
        Ok(Beginning {
            name: ctx.row_name(),
            user: user.name.clone(),
            hash: hash_hex(sid.expose()),
            data: session_data(ctx, user, settings.session_expiry),
            local: local.into(),
            now: ctx.now,
            expires_at: ctx.now.plus_seconds(settings.session_absolute),
            max_age: settings.session_expiry,
            oidc_sid: ctx.provider.site_keys().session_claim(sid.expose()),
            user_agent: ctx.user_agent.clone(),
            address: ctx.address.to_string(),
            previous: previous_sid.filter(|sid| is_sid(sid)).map(hash_hex),
            sid,
            alone: settings.deny_multiple_sessions,
        })
    }

    /// Stores it.
    pub(crate) async fn insert(&self, tx: &mut Transaction) -> Result<(), Failure> {
        // spec: security.md, "A new `sid` at every login; the old one dies"
        if let Some(previous) = &self.previous {
            tx.execute(&END, params![previous]).await?;
        }
        if self.alone {
            end_of_user(tx, &self.user).await?;
        }
        let values = params![
            &self.name,
            self.local.clone(),
            self.local.clone(),
            &self.user,
            &self.user,
            &self.user,
            &self.hash,
            &self.data,
            &self.address,
            self.local.clone(),
            self.now,
            self.now,
            self.expires_at,
            self.now,
            &self.oidc_sid,
            &self.user_agent,
        ];
        tx.execute(&INSERT, values).await?;
        Ok(())
    }

    /// What the browser gets.
    pub(crate) fn into_new_session(self) -> NewSession {
        NewSession {
            sid: self.sid,
            max_age: self.max_age,
            auth_time: self.now,
        }
    }
}

/// Frappe's `sessiondata`, for those who read its table.
fn session_data(ctx: &Ctx, user: &User, expiry: i64) -> String {
    let local = ctx.provider.site().local(ctx.now).to_string();
    let (hours, minutes, seconds) = (expiry / 3600, expiry / 60 % 60, expiry % 60);
    json!({
        "creation": local,
        "last_updated": local,
        "full_name": user.full_name,
        "session_expiry": format!("{hours:02}:{minutes:02}:{seconds:02}"),
        "session_ip": ctx.address.to_string(),
        "user": user.name,
        "user_type": user.user_type,
    })
    .to_string()
}

/// Begins a session of a user who was proven by other means than a password (a social login,
/// say). The session of `previous_sid` ends.
///
/// # Errors
/// When the database refuses.
pub async fn start(
    ctx: &Ctx,
    user: &User,
    previous_sid: Option<&str>,
) -> Result<NewSession, Failure> {
    let beginning = Beginning::new(ctx, user, previous_sid).await?;
    let entry = Entry::new(ctx, Operation::Login, Status::Success).user(&user.name);
    let job = Arc::new((beginning.clone(), entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (beginning, entry) = &*job;
                beginning.insert(tx).await?;
                audit::record(tx, entry).await
            })
        })
        .await?;
    Ok(beginning.into_new_session())
}
