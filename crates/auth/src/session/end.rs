//! Ending sessions: one, those of a user, all.
//!
//! Records: Session (`tabSessions`), Activity Log.

use std::sync::Arc;

use crema_store::{Sql, Transaction, params};

use super::Session;
use crate::audit::{self, Entry, Operation, Status};
use crate::{Ctx, Failure};

pub(super) static END: Sql = Sql::new(r#"DELETE FROM "tabSessions" WHERE sid = ?"#);
pub(super) static END_OWN: Sql =
    Sql::new(r#"DELETE FROM "tabSessions" WHERE sid = ? AND "user" = ?"#);
pub(super) static END_OF_USER: Sql = Sql::new(r#"DELETE FROM "tabSessions" WHERE "user" = ?"#);
pub(super) static END_OF_EVERYBODY: Sql = Sql::new(r#"DELETE FROM "tabSessions""#);

/// Ends a session: a sign-out.
///
/// # Errors
/// When the database refuses.
pub async fn end(ctx: &Ctx, session: &Session) -> Result<(), Failure> {
    let entry = Entry::new(ctx, Operation::Logout, Status::Success).user(&session.user);
    let job = Arc::new((session.sid_hash.clone(), entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (hash, entry) = &*job;
                end_in(tx, hash, entry).await.map(drop)
            })
        })
        .await
}

/// Ends a session in a running transaction and writes the entry; false, and no entry, when it
/// has ended already.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn end_in(
    tx: &mut Transaction,
    sid_hash: &str,
    entry: &Entry,
) -> Result<bool, Failure> {
    let ended = tx.execute(&END, params![sid_hash]).await? > 0;
    if ended {
        audit::record(tx, entry).await?;
    }
    Ok(ended)
}

/// Ends one session of a list, if it is the user's. False when it is not, or has ended.
///
/// # Errors
/// When the database refuses.
pub async fn end_own(ctx: &Ctx, user: &str, sid_hash: &str) -> Result<bool, Failure> {
    let entry = Entry::new(ctx, Operation::Logout, Status::Success).user(user);
    let job = Arc::new((sid_hash.to_owned(), user.to_owned(), entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (hash, user, entry) = &*job;
                let ended = tx.execute(&END_OWN, params![hash, user]).await? > 0;
                if ended {
                    audit::record(tx, entry).await?;
                }
                Ok(ended)
            })
        })
        .await
}

/// Ends all sessions of a user in a running transaction. Gives their number.
///
/// # Errors
/// When the database refuses.
pub async fn end_of_user(tx: &mut Transaction, user: &str) -> Result<u64, Failure> {
    Ok(tx.execute(&END_OF_USER, params![user]).await?)
}

/// Ends all sessions of a user; tokens live on. Gives their number.
///
/// # Errors
/// When the database refuses.
pub async fn end_all(ctx: &Ctx, by: &str, user: &str) -> Result<u64, Failure> {
    let entry = Entry::new(ctx, Operation::Logout, Status::Success)
        .user(by)
        .about("User", user)
        .detail("sessions", "all");
    let job = Arc::new((user.to_owned(), entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (user, entry) = &*job;
                audit::record(tx, entry).await?;
                end_of_user(tx, user).await
            })
        })
        .await
}

/// Ends every session of the site. Gives their number.
///
/// # Errors
/// When the database refuses.
pub async fn destroy_all(ctx: &Ctx, by: &str) -> Result<u64, Failure> {
    let entry = Entry::new(ctx, Operation::Logout, Status::Success)
        .user(by)
        .detail("sessions", "of all users");
    ctx.provider
        .database()
        .write(move |tx| {
            let entry = entry.clone();
            Box::pin(async move {
                audit::record(tx, &entry).await?;
                Ok(tx.execute(&END_OF_EVERYBODY, params![]).await?)
            })
        })
        .await
}
