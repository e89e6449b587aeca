//! Reading users.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crema_crypto::hash_hex;
use crema_crypto::token::random_hex;
use crema_document::LocalTime;
use crema_document::access::{self, Actor, Reach, UserPermissions};
use crema_store::{Row, Sql, Transaction, Value, params};

use super::{ADMINISTRATOR, GUEST, SYSTEM_USER, User};
use crate::{Ctx, Failure, Provider};

static LOAD: Sql = Sql::new(
    r#"SELECT u.name, u.email, u.first_name, u.last_name, u.full_name, u.username, u.enabled,
    u.user_type, u.user_image, u.language, u.time_zone, u.email_verified, u.modified,
    u.restrict_ip, u.login_after, u.login_before, s.userid, r.role, u.otp, u.passkeys
    FROM "tabUser" u
    LEFT JOIN "tabUser Social Login" s
    ON s.parent = u.name AND s.parenttype = 'User' AND s.provider = 'frappe'
    LEFT JOIN "tabHas Role" r ON r.parent = u.name AND r.parenttype = 'User'
    WHERE u.name = ? ORDER BY s.creation, s.name, r.idx, r.name"#,
);
static HOLD: Sql = Sql::new(r#"SELECT enabled FROM "tabUser" WHERE name = ? {share}"#);
static ALL_ROLES: Sql = Sql::new(r#"SELECT name FROM "tabRole" ORDER BY creation, name"#);
static BY_USERNAME: Sql = Sql::new(r#"SELECT name, username FROM "tabUser" WHERE username = ?"#);
static SUBJECT: Sql = Sql::new(
    r#"SELECT userid FROM "tabUser Social Login"
    WHERE parent = ? AND parenttype = 'User' AND provider = 'frappe' ORDER BY creation, name"#,
);
static INSERT_SUBJECT: Sql = Sql::new(
    r#"INSERT INTO "tabUser Social Login" (name, creation, modified, modified_by, owner,
    docstatus, idx, parent, parentfield, parenttype, provider, userid)
    VALUES (?, ?, ?, 'Administrator', 'Administrator', 0, 1, ?, 'social_logins', 'User', 'frappe', ?)
    ON CONFLICT (name) DO NOTHING"#,
);
static LIST: Sql = Sql::new(
    r#"SELECT name, full_name, enabled, user_type, last_login FROM "tabUser" ORDER BY name"#,
);
static LIST_ROLES: Sql = Sql::new(
    r#"SELECT parent, role FROM "tabHas Role" WHERE parenttype = 'User' ORDER BY parent, idx"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[
    &LOAD,
    &HOLD,
    &ALL_ROLES,
    &BY_USERNAME,
    &SUBJECT,
    &INSERT_SUBJECT,
    &LIST,
    &LIST_ROLES,
];

/// Digits of the OpenID `sub`, as in Frappe.
const SUBJECT_LENGTH: usize = 39;

/// The user of that name, enabled or not; names are compared byte for byte.
///
/// # Errors
/// When the database cannot be read.
pub async fn load(provider: &Provider, name: &str) -> Result<Option<User>, Failure> {
    if name.is_empty() || name.contains('\0') {
        return Ok(None);
    }
    let rows = provider.database().rows(&LOAD, params![name]).await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let mut user = read(provider, first)?;
    if user.name != name {
        return Ok(None);
    }
    user.roles = roles(provider, &user, &rows).await?;
    if user.subject.is_empty() {
        user.subject = make_subject(provider, name).await?;
    }
    user.actor = Arc::new(actor(provider, &user).await?);
    Ok(Some(user))
}

/// Keeps a user from being disabled until the transaction ends, and says whether they are enabled.
/// What is issued in the same transaction cannot outlive their end: that waits, and finds it.
/// Others may hold the same user at the same time.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn hold_enabled(tx: &mut Transaction, name: &str) -> Result<bool, Failure> {
    let row = tx.row(&HOLD, params![name]).await?;
    Ok(row.map_or(Ok(false), |row| row.bool(0))?)
}

fn read(provider: &Provider, row: &Row) -> Result<User, Failure> {
    let optional = |index| {
        let text = row.opt_text(index)?;
        Ok::<_, Failure>(text.filter(|text| !text.is_empty()).map(str::to_owned))
    };
    let text = |index| Ok::<_, Failure>(optional(index)?.unwrap_or_default());
    let number = |index| Ok::<_, Failure>(row.opt_int(index)?.unwrap_or_default());
    let zone = provider.site().time_zone();
    let modified = row.opt_datetime(12)?.map(LocalTime::from_micros);
    Ok(User {
        name: text(0)?,
        email: text(1)?,
        first_name: text(2)?,
        last_name: optional(3)?,
        full_name: text(4)?,
        username: optional(5)?,
        enabled: number(6)? != 0,
        user_type: text(7)?,
        user_image: optional(8)?,
        language: optional(9)?,
        time_zone: optional(10)?,
        email_verified: number(11)? != 0,
        subject: text(16)?,
        modified: modified.map(|local| zone.timestamp(local)),
        roles: Vec::new(),
        has_second_factor: optional(18)?.is_some() || passkeys(&text(19)?),
        restrict_ip: optional(13)?,
        login_after: number(14)?,
        login_before: number(15)?,
        actor: Arc::new(Actor {
            user: text(0)?,
            roles: BTreeSet::new(),
            administrator: false,
            user_permissions: Arc::default(),
            reach: Reach::Everything,
        }),
    })
}

/// The user as far as documents are concerned. User Permissions restrict neither Administrator
/// nor who is not signed in.
async fn actor(provider: &Provider, user: &User) -> Result<Actor, Failure> {
    let administrator = user.name == ADMINISTRATOR;
    let user_permissions = match administrator || user.name == GUEST {
        true => UserPermissions::default(),
        false => access::load(provider.database(), &user.name).await?,
    };
    Ok(Actor {
        user: user.name.clone(),
        roles: user.roles.iter().cloned().collect(),
        administrator,
        user_permissions: Arc::new(user_permissions),
        reach: Reach::Everything,
    })
}

/// Whether the JSON list of passkeys has one; what cannot be read counts, to be on the safe side.
fn passkeys(json: &str) -> bool {
    !matches!(json.trim(), "" | "[]" | "null" | "{}")
}

/// In Frappe's order: explicit ones, then `All`, `Guest` and `Desk User`.
async fn roles(provider: &Provider, user: &User, rows: &[Row]) -> Result<Vec<String>, Failure> {
    if user.name == GUEST {
        return Ok(vec![GUEST.to_owned()]);
    }
    let mut roles: Vec<String> = Vec::new();
    let mut add = |role: &str| {
        if !role.is_empty() && !roles.iter().any(|held| held == role) {
            roles.push(role.to_owned());
        }
    };
    for row in rows {
        add(row.opt_text(17)?.unwrap_or_default());
    }
    if user.name == ADMINISTRATOR {
        for row in provider.database().rows(&ALL_ROLES, params![]).await? {
            add(row.text(0)?);
        }
        add(ADMINISTRATOR);
    }
    add("All");
    add(GUEST);
    if user.user_type == SYSTEM_USER || user.name == ADMINISTRATOR {
        add("Desk User");
    }
    Ok(roles)
}

/// The row that Frappe makes with a user, and never for Administrator.
// spec: http.md, openid_profile, "never null, also for Administrator"
async fn make_subject(provider: &Provider, user: &str) -> Result<String, Failure> {
    let row = SubjectRow::new(provider, user);
    provider
        .database()
        .write(move |tx| {
            let row = row.clone();
            Box::pin(async move {
                row.insert(tx).await?;
                let stored = tx.row(&SUBJECT, params![&row.user]).await?;
                let stored = stored
                    .as_ref()
                    .map(|stored| stored.opt_text(0))
                    .transpose()?;
                let missing = || Failure::Internal("a user has no subject".to_owned());
                stored.flatten().map(str::to_owned).ok_or_else(missing)
            })
        })
        .await
}

/// The name of the `frappe` row of a user.
pub(crate) fn subject_row_name(user: &str) -> String {
    let hash = hash_hex(&format!("frappe\n{user}"));
    hash.chars().take(10).collect()
}

/// A `frappe` row of User Social Login. Its name follows from the user's, so that two processes
/// cannot make two.
#[derive(Clone)]
pub(super) struct SubjectRow {
    user: String,
    values: Vec<Value>,
}

impl SubjectRow {
    pub(super) fn new(provider: &Provider, user: &str) -> SubjectRow {
        let environment = provider.environment();
        let name = subject_row_name(user);
        let userid = random_hex(&*environment.entropy, SUBJECT_LENGTH);
        let local: Value = provider.site().local(environment.clock.now()).into();
        SubjectRow {
            user: user.to_owned(),
            values: params![name, local.clone(), local, user, userid.expose()],
        }
    }

    pub(super) async fn insert(&self, tx: &mut Transaction) -> Result<(), Failure> {
        tx.execute(&INSERT_SUBJECT, self.values.clone()).await?;
        Ok(())
    }
}

/// The user whom a sign-in form means: by e-mail address in any case, by user name where System
/// Settings allow it. Never Guest.
///
/// # Errors
/// When the database cannot be read.
pub async fn find_for_login(ctx: &Ctx, usr: &str) -> Result<Option<Arc<User>>, Failure> {
    let usr = usr.trim();
    if usr.is_empty() || usr.chars().count() > 140 || usr.contains('\0') {
        return Ok(None);
    }
    let folded = usr.to_lowercase();
    if folded == "administrator" {
        return ctx.user(ADMINISTRATOR).await;
    }
    if let Some(user) = ctx.user(&folded).await? {
        return Ok(Some(user));
    }
    if !ctx.settings().await?.allow_login_using_user_name {
        return Ok(None);
    }
    let rows = ctx
        .provider
        .database()
        .rows(&BY_USERNAME, params![usr])
        .await?;
    let mut named = rows
        .iter()
        .filter(|row| row.opt_text(1).ok().flatten() == Some(usr));
    match (named.next(), named.next()) {
        (Some(row), None) if row.text(0)? != GUEST => ctx.user(row.text(0)?).await,
        _ => Ok(None),
    }
}

/// A user as `list-users` shows it.
#[derive(Debug, Clone)]
pub struct UserSummary {
    /// Name of the record.
    pub name: String,
    /// Both names.
    pub full_name: String,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// `System User` or `Website User`.
    pub user_type: String,
    /// Last sign-in, in the site's time, as Frappe writes it.
    pub last_login: Option<String>,
    /// Explicit roles.
    pub roles: Vec<String>,
}

/// All users, by name.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(ctx: &Ctx) -> Result<Vec<UserSummary>, Failure> {
    let database = ctx.provider.database();
    let users = database.rows(&LIST, params![]).await?;
    let roles = database.rows(&LIST_ROLES, params![]).await?;
    let mut roles_of: HashMap<&str, Vec<String>> = HashMap::new();
    for row in &roles {
        let role = row.opt_text(1)?.unwrap_or_default().to_owned();
        roles_of
            .entry(row.opt_text(0)?.unwrap_or_default())
            .or_default()
            .push(role);
    }
    let summary = |row: &Row| {
        let name = row.text(0)?.to_owned();
        Ok(UserSummary {
            full_name: row.opt_text(1)?.unwrap_or_default().to_owned(),
            enabled: row.opt_int(2)?.unwrap_or_default() != 0,
            user_type: row.opt_text(3)?.unwrap_or_default().to_owned(),
            last_login: row.opt_text(4)?.map(str::to_owned),
            roles: roles_of.get(name.as_str()).cloned().unwrap_or_default(),
            name,
        })
    };
    users.iter().map(summary).collect()
}
