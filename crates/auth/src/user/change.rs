//! Changing users: password, enabled, roles. What ends with such a change ends in its
//! transaction.
//!
//! Records: User, Has Role, `__Auth`, Session, OAuth Bearer Token, OAuth Authorization Code,
//! `__oauth_family`, Activity Log.

use std::sync::Arc;

use crema_crypto::{Secret, random_name};
use crema_document::{Timestamp, version};
use crema_store::{Sql, Transaction, Value, params};

use super::create::{check_password, desk_access, insert_role, normal_roles, store_password};
use super::{ADMINISTRATOR, GUEST, SYSTEM_USER, WEBSITE_USER};
use crate::audit::{self, Entry, Operation, Status};
use crate::token::family;
use crate::{Ctx, Failure, session};

static LOCK: Sql =
    Sql::new(r#"SELECT name, enabled, user_type FROM "tabUser" WHERE name = ? {lock}"#);
static SET_ENABLED: Sql =
    Sql::new(r#"UPDATE "tabUser" SET enabled = ?, modified = ?, modified_by = ? WHERE name = ?"#);
static SET_TYPE: Sql =
    Sql::new(r#"UPDATE "tabUser" SET user_type = ?, modified = ?, modified_by = ? WHERE name = ?"#);
static HELD_ROLES: Sql = Sql::new(
    r#"SELECT r.role, r.idx, d.desk_access FROM "tabHas Role" r
    LEFT JOIN "tabRole" d ON d.name = r.role WHERE r.parent = ? AND r.parenttype = 'User'"#,
);
static REMOVE_ROLE: Sql =
    Sql::new(r#"DELETE FROM "tabHas Role" WHERE parent = ? AND parenttype = 'User' AND role = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] =
    &[&LOCK, &SET_ENABLED, &SET_TYPE, &HELD_ROLES, &REMOVE_ROLE];

/// What is done to the user, and by whom.
struct Change {
    user: String,
    by: String,
    now: Timestamp,
    local: Value,
    entry: Entry,
    what: What,
}

enum What {
    Password(String),
    Enable,
    Disable,
    AddRole { row: String, role: String },
    RemoveRole(String),
}

/// Sets a password and signs the user out everywhere: sessions, tokens and codes end.
///
/// # Errors
/// [`Failure::Validation`] for an empty password or one over 512 bytes; [`Failure::NotFound`].
// spec: security.md, Codes and tokens, "changed passwords (sign out everywhere)"
pub async fn set_password(
    ctx: &Ctx,
    by: &str,
    user: &str,
    password: &Secret<String>,
) -> Result<(), Failure> {
    if user == GUEST {
        return Err(Failure::Validation("Guest has no password.".to_owned()));
    }
    check_password(password)?;
    let environment = ctx.provider.environment();
    let hash = environment
        .passwords
        .hash(password, &environment.entropy)
        .await?;
    let entry = Entry::new(ctx, Operation::PasswordChanged, Status::Success);
    apply(ctx, by, user, entry, What::Password(hash)).await
}

/// Lets a disabled user sign in again.
///
/// # Errors
/// [`Failure::NotFound`]; when the database refuses.
pub async fn enable(ctx: &Ctx, by: &str, user: &str) -> Result<(), Failure> {
    let entry = changed(ctx).detail("change", "enabled");
    apply(ctx, by, user, entry, What::Enable).await
}

/// Disables a user: sessions, tokens and codes end, and none can begin.
///
/// # Errors
/// [`Failure::Validation`] for Administrator and Guest; [`Failure::NotFound`].
// spec: security.md, Codes and tokens, "Disabled users"
pub async fn disable(ctx: &Ctx, by: &str, user: &str) -> Result<(), Failure> {
    if user == ADMINISTRATOR || user == GUEST {
        return Err(Failure::Validation(format!(
            "User {user} cannot be disabled."
        )));
    }
    let entry = changed(ctx).detail("change", "disabled");
    apply(ctx, by, user, entry, What::Disable).await
}

/// Gives a role. A role with access to the Desk makes a System User.
///
/// # Errors
/// [`Failure::Validation`] when there is no such role or it is implied; [`Failure::NotFound`].
pub async fn add_role(ctx: &Ctx, by: &str, user: &str, role: &str) -> Result<(), Failure> {
    let Some(role) = normal_roles(&[role.to_owned()])?.pop() else {
        return Err(Failure::Validation("The role is empty.".to_owned()));
    };
    let row = random_name(&*ctx.provider.environment().entropy);
    let entry = changed(ctx).detail("role added", role.as_str());
    apply(ctx, by, user, entry, What::AddRole { row, role }).await
}

/// Takes a role away. Without any role that has access to the Desk a user becomes a Website User.
///
/// # Errors
/// [`Failure::NotFound`]; when the database refuses.
pub async fn remove_role(ctx: &Ctx, by: &str, user: &str, role: &str) -> Result<(), Failure> {
    let entry = changed(ctx).detail("role removed", role);
    apply(ctx, by, user, entry, What::RemoveRole(role.to_owned())).await
}

/// Ends every session of the site. Gives their number.
///
/// # Errors
/// When the database refuses.
pub async fn destroy_all_sessions(ctx: &Ctx, by: &str) -> Result<u64, Failure> {
    session::destroy_all(ctx, by).await
}

/// Ends everything that a user has going: tokens, codes, families, sessions.
///
/// # Errors
/// When the database refuses.
pub async fn end_everything(
    tx: &mut Transaction,
    user: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    // Families first: that waits for refreshes under way, whose tokens are then seen.
    family::revoke_user(tx, user, now).await?;
    session::end_of_user(tx, user).await?;
    Ok(())
}

fn changed(ctx: &Ctx) -> Entry {
    Entry::new(ctx, Operation::UserChanged, Status::Success)
}

async fn apply(ctx: &Ctx, by: &str, user: &str, entry: Entry, what: What) -> Result<(), Failure> {
    let change = Arc::new(Change {
        user: user.to_owned(),
        by: by.to_owned(),
        now: ctx.now,
        local: ctx.provider.site().local(ctx.now).into(),
        entry: entry.user(by).about("User", user),
        what,
    });
    ctx.provider
        .database()
        .write(move |tx| {
            let change = Arc::clone(&change);
            Box::pin(async move { change.run(tx).await })
        })
        .await
}

impl Change {
    async fn run(&self, tx: &mut Transaction) -> Result<(), Failure> {
        let row = tx.row(&LOCK, params![&self.user]).await?;
        let exists = row
            .as_ref()
            .is_some_and(|row| row.text(0).is_ok_and(|name| name == self.user));
        if !exists {
            return Err(Failure::NotFound(format!("User {} not found", self.user)));
        }
        match &self.what {
            What::Password(hash) => {
                store_password(tx, &self.user, hash).await?;
                end_everything(tx, &self.user, self.now).await?;
            }
            What::Enable => self.set_enabled(tx, true).await?,
            What::Disable => {
                self.set_enabled(tx, false).await?;
                end_everything(tx, &self.user, self.now).await?;
            }
            What::AddRole { row, role } => self.add_role(tx, row, role).await?,
            What::RemoveRole(role) => {
                tx.execute(&REMOVE_ROLE, params![&self.user, role]).await?;
                self.set_type(tx).await?;
            }
        }
        audit::record(tx, &self.entry).await?;
        version::bump(tx).await?;
        Ok(())
    }

    async fn set_enabled(&self, tx: &mut Transaction, enabled: bool) -> Result<(), Failure> {
        let values = params![enabled, self.local.clone(), &self.by, &self.user];
        tx.execute(&SET_ENABLED, values).await?;
        Ok(())
    }

    async fn add_role(&self, tx: &mut Transaction, row: &str, role: &str) -> Result<(), Failure> {
        // Also says whether there is such a role.
        desk_access(tx, role).await?;
        let held = tx.rows(&HELD_ROLES, params![&self.user]).await?;
        let mut last = 0;
        for one in &held {
            if one.opt_text(0)? == Some(role) {
                return Ok(());
            }
            last = last.max(one.opt_int(1)?.unwrap_or_default());
        }
        let local = || self.local.clone();
        let values = params![
            row,
            local(),
            local(),
            &self.by,
            &self.by,
            last + 1,
            &self.user,
            role
        ];
        insert_role(tx, values).await?;
        self.set_type(tx).await
    }

    /// The type follows from the roles; Administrator and Guest are what they are.
    async fn set_type(&self, tx: &mut Transaction) -> Result<(), Failure> {
        if self.user == ADMINISTRATOR || self.user == GUEST {
            return Ok(());
        }
        let mut user_type = WEBSITE_USER;
        for one in &tx.rows(&HELD_ROLES, params![&self.user]).await? {
            if one.opt_int(2)?.unwrap_or_default() != 0 {
                user_type = SYSTEM_USER;
            }
        }
        let values = params![user_type, self.local.clone(), &self.by, &self.user];
        tx.execute(&SET_TYPE, values).await?;
        Ok(())
    }
}
