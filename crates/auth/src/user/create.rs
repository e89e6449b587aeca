//! Making a user.
//!
//! Records: User, Has Role, User Social Login, `__Auth`, Activity Log; Role (read).

use std::sync::Arc;

use crema_crypto::{Secret, random_name};
use crema_document::version;
use crema_store::{Sql, Transaction, Value, params};

use super::load::SubjectRow;
use super::{SYSTEM_USER, WEBSITE_USER, normal_email};
use crate::audit::{self, Entry, Operation, Status};
use crate::{Ctx, Failure};

static EXISTS: Sql = Sql::new(r#"SELECT name FROM "tabUser" WHERE name = ?"#);
static USERNAME_TAKEN: Sql = Sql::new(r#"SELECT name FROM "tabUser" WHERE username = ?"#);
static INSERT: Sql = Sql::new(
    r#"INSERT INTO "tabUser" (name, creation, modified, modified_by, owner, docstatus, idx, email,
    first_name, last_name, full_name, username, enabled, user_type, language, time_zone,
    email_verified)
    VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)"#,
);
static ROLE: Sql = Sql::new(r#"SELECT name, desk_access FROM "tabRole" WHERE name = ?"#);
static INSERT_ROLE: Sql = Sql::new(
    r#"INSERT INTO "tabHas Role" (name, creation, modified, modified_by, owner, docstatus, idx,
    parent, parentfield, parenttype, role)
    VALUES (?, ?, ?, ?, ?, 0, ?, ?, 'roles', 'User', ?)"#,
);
static SET_PASSWORD: Sql = Sql::new(
    r#"INSERT INTO "__Auth" (doctype, name, fieldname, password, encrypted)
    VALUES ('User', ?, 'password', ?, 0)
    ON CONFLICT (doctype, name, fieldname)
    DO UPDATE SET "password" = excluded."password", "encrypted" = excluded."encrypted""#,
);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[
    &EXISTS,
    &USERNAME_TAKEN,
    &INSERT,
    &ROLE,
    &INSERT_ROLE,
    &SET_PASSWORD,
];

/// Roles that follow from being somebody and are never given.
const IMPLIED_ROLES: &[&str] = &["All", "Guest", "Administrator"];

/// A user to be made.
#[derive(Debug, Default)]
pub struct NewUser {
    /// E-mail address: becomes the name, case-folded.
    pub email: String,
    /// First name; without one the part of the address before the `@`.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// User name; without one the first name in lower case, if that is free.
    pub username: Option<String>,
    /// Password; without one the user cannot sign in with a password.
    pub password: Option<Secret<String>>,
    /// Roles; one with access to the Desk makes a System User.
    pub roles: Vec<String>,
    /// Make a System User also without such a role.
    pub system_user: bool,
    /// Language tag.
    pub language: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// Whether the address is known to be theirs; true when an administrator or an import says so.
    pub email_verified: bool,
}

/// Makes a user and gives its name. `by` is the user who does it.
///
/// # Errors
/// [`Failure::Validation`] for a bad address, name, role or password; [`Failure::Duplicate`] when
/// there is such a user or user name.
pub async fn create(ctx: &Ctx, by: &str, new: NewUser) -> Result<String, Failure> {
    let job = Creation::prepare(ctx, by, new).await?;
    let name = job.name.clone();
    let job = Arc::new(job);
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move { job.run(tx).await })
        })
        .await
        .map_err(|failure| match failure {
            Failure::Store(error) if error.is_unique_violation() => duplicate(&name),
            other => other,
        })?;
    Ok(name)
}

fn duplicate(name: &str) -> Failure {
    Failure::Duplicate(format!("User {name} already exists."))
}

struct Creation {
    name: String,
    by: String,
    first_name: String,
    last_name: Option<String>,
    username: Option<String>,
    username_asked: bool,
    system_user: bool,
    language: Option<String>,
    time_zone: Option<String>,
    email_verified: bool,
    password_hash: Option<String>,
    local: Value,
    roles: Vec<(String, String)>,
    subject: SubjectRow,
    entry: Entry,
}

impl Creation {
    async fn prepare(ctx: &Ctx, by: &str, new: NewUser) -> Result<Creation, Failure> {
        let environment = ctx.provider.environment();
        let invalid = || Failure::Validation(format!("{} is not an e-mail address.", new.email));
        let name = normal_email(&new.email).ok_or_else(invalid)?;
        let local_part = || name.split('@').next().unwrap_or_default().to_owned();
        let first_name = text("First Name", new.first_name)?.unwrap_or_else(local_part);
        let username_asked = new.username.is_some();
        let username = text("Username", new.username)?.or_else(|| Some(scrub(&first_name)));
        let roles = normal_roles(&new.roles)?;
        let password_hash = match &new.password {
            Some(password) => {
                check_password(password)?;
                Some(
                    environment
                        .passwords
                        .hash(password, &environment.entropy)
                        .await?,
                )
            }
            None => None,
        };
        let entry = Entry::new(ctx, Operation::UserChanged, Status::Success)
            .user(by)
            .about("User", &name)
            .detail("change", "created")
            .detail("roles", roles.clone());
        let entropy = &*environment.entropy;
        Ok(Creation {
            by: by.to_owned(),
            last_name: text("Last Name", new.last_name)?,
            system_user: new.system_user,
            language: text("Language", new.language)?,
            time_zone: text("Time Zone", new.time_zone)?,
            email_verified: new.email_verified,
            local: ctx.provider.site().local(ctx.now).into(),
            roles: roles
                .into_iter()
                .map(|role| (random_name(entropy), role))
                .collect(),
            subject: SubjectRow::new(&ctx.provider, &name),
            first_name,
            username,
            username_asked,
            password_hash,
            entry,
            name,
        })
    }

    async fn run(&self, tx: &mut Transaction) -> Result<(), Failure> {
        if tx.row(&EXISTS, params![&self.name]).await?.is_some() {
            return Err(duplicate(&self.name));
        }
        let username = self.free_username(tx).await?;
        let mut desk = self.system_user;
        for (_, role) in &self.roles {
            desk |= desk_access(tx, role).await?;
        }
        let user_type = if desk { SYSTEM_USER } else { WEBSITE_USER };
        tx.execute(&INSERT, self.row(username, user_type)).await?;
        for (idx, (row, role)) in (1_i64..).zip(&self.roles) {
            let local = || self.local.clone();
            let values = params![
                row,
                local(),
                local(),
                &self.by,
                &self.by,
                idx,
                &self.name,
                role
            ];
            tx.execute(&INSERT_ROLE, values).await?;
        }
        self.subject.insert(tx).await?;
        if let Some(hash) = &self.password_hash {
            store_password(tx, &self.name, hash).await?;
        }
        audit::record(tx, &self.entry).await?;
        version::bump(tx).await?;
        Ok(())
    }

    fn row(&self, username: Option<&str>, user_type: &str) -> Vec<Value> {
        let full_name = match &self.last_name {
            Some(last_name) => format!("{} {last_name}", self.first_name),
            None => self.first_name.clone(),
        };
        params![
            &self.name,
            self.local.clone(),
            self.local.clone(),
            &self.by,
            &self.by,
            &self.name,
            &self.first_name,
            self.last_name.as_deref(),
            full_name,
            username,
            user_type,
            self.language.as_deref(),
            self.time_zone.as_deref(),
            self.email_verified,
        ]
    }

    /// As in Frappe: a user name that was not asked for is left out when it is taken.
    async fn free_username(&self, tx: &mut Transaction) -> Result<Option<&str>, Failure> {
        let Some(username) = self.username.as_deref() else {
            return Ok(None);
        };
        let taken = tx.row(&USERNAME_TAKEN, params![username]).await?.is_some();
        match (taken, self.username_asked) {
            (false, _) => Ok(Some(username)),
            (true, false) => Ok(None),
            (true, true) => Err(Failure::Duplicate(format!(
                "Username {username} already exists."
            ))),
        }
    }
}

/// Stores the hash of a user's password.
pub(crate) async fn store_password(
    tx: &mut Transaction,
    user: &str,
    hash: &str,
) -> Result<(), Failure> {
    tx.execute(&SET_PASSWORD, params![user, hash]).await?;
    Ok(())
}

/// Whether the role gives access to the Desk.
pub(super) async fn desk_access(tx: &mut Transaction, role: &str) -> Result<bool, Failure> {
    let row = tx.row(&ROLE, params![role]).await?;
    let unknown = || Failure::Validation(format!("There is no role {role}."));
    let row = row.ok_or_else(unknown)?;
    Ok(row.opt_int(1)?.unwrap_or_default() != 0)
}

/// One row of Has Role.
pub(super) async fn insert_role(tx: &mut Transaction, values: Vec<Value>) -> Result<(), Failure> {
    tx.execute(&INSERT_ROLE, values).await?;
    Ok(())
}

pub(super) fn check_password(password: &Secret<String>) -> Result<(), Failure> {
    if password.expose().is_empty() {
        return Err(Failure::Validation("The password is empty.".to_owned()));
    }
    Ok(())
}

/// Each role once, none of those that are implied.
pub(super) fn normal_roles(roles: &[String]) -> Result<Vec<String>, Failure> {
    let mut normal: Vec<String> = Vec::new();
    for role in roles {
        let role = role.trim();
        if IMPLIED_ROLES.contains(&role) {
            return Err(Failure::Validation(format!(
                "The role {role} cannot be given."
            )));
        }
        if !role.is_empty() && !normal.iter().any(|one| one == role) {
            normal.push(role.to_owned());
        }
    }
    Ok(normal)
}

fn text(label: &str, value: Option<String>) -> Result<Option<String>, Failure> {
    let Some(value) = value else { return Ok(None) };
    let value = value.trim();
    if value.chars().count() > 140 || value.chars().any(char::is_control) {
        return Err(Failure::Validation(format!(
            "{label} has more than 140 characters or control characters."
        )));
    }
    Ok(Some(value.to_owned()).filter(|value| !value.is_empty()))
}

/// Frappe's user name from a first name.
fn scrub(name: &str) -> String {
    name.replace([' ', '-'], "_").to_lowercase()
}
