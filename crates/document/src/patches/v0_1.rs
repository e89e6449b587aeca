//! Version 0.1: the roles and users that every site has, and the settings' first values.

use crema_store::{BoxFuture, StoreError, Transaction, Value, params, statements};

use super::{Patch, PatchContext};
use crate::names::random_hex;
use crate::{row, singles};

pub(super) static PATCHES: &[Patch] = &[
    Patch {
        name: "crema.v0_1.initial_roles",
        run: initial_roles,
    },
    Patch {
        name: "crema.v0_1.initial_users",
        run: initial_users,
    },
    Patch {
        name: "crema.v0_1.initial_settings",
        run: initial_settings,
    },
];

statements! {
    /// Whether a user has an identifier of their own.
    pub(crate) OWN_IDENTIFIER = r#"SELECT "name" FROM "tabUser Social Login"
        WHERE "parent" = ? AND "parenttype" = 'User' AND "provider" = 'frappe'"#;
}

/// Roles with whether their users may use the Desk. Administrator is a user; the role of that
/// name is what Frappe's records refer to.
const ROLES: &[(&str, bool)] = &[
    ("Administrator", true),
    ("Guest", false),
    ("All", false),
    ("Desk User", true),
    ("System Manager", true),
    ("Sales User", true),
    ("Sales Manager", true),
];

fn initial_roles<'t>(
    transaction: &'t mut Transaction,
    context: &'t PatchContext,
) -> BoxFuture<'t, Result<(), StoreError>> {
    Box::pin(async move {
        for (role, desk_access) in ROLES {
            if row::exists(transaction, "Role", role).await? {
                continue;
            }
            let columns = vec![
                ("role_name", Value::from(*role)),
                ("desk_access", Value::from(*desk_access)),
                ("disabled", Value::Int(0)),
                ("is_custom", Value::Int(0)),
            ];
            row::insert(transaction, "Role", &context.head(*role), columns).await?;
        }
        Ok(())
    })
}

fn initial_users<'t>(
    transaction: &'t mut Transaction,
    context: &'t PatchContext,
) -> BoxFuture<'t, Result<(), StoreError>> {
    Box::pin(async move {
        for (name, email, user_type) in [
            ("Administrator", "admin@example.com", "System User"),
            ("Guest", "guest@example.com", "Website User"),
        ] {
            if row::exists(transaction, "User", name).await? {
                continue;
            }
            let columns = vec![
                ("enabled", Value::Int(1)),
                ("email", Value::from(email)),
                ("first_name", Value::from(name)),
                ("full_name", Value::from(name)),
                ("username", Value::from(name.to_lowercase())),
                ("user_type", Value::from(user_type)),
            ];
            row::insert(transaction, "User", &context.head(name), columns).await?;
        }
        own_identifier(transaction, context, "Administrator").await
    })
}

/// The subject under which other systems know a user: 39 hex digits, kept as the row of the
/// provider `frappe`. Frappe gives Administrator none, and so no `sub`.
async fn own_identifier(
    transaction: &mut Transaction,
    context: &PatchContext,
    user: &str,
) -> Result<(), StoreError> {
    if transaction
        .row(&OWN_IDENTIFIER, params![user])
        .await?
        .is_some()
    {
        return Ok(());
    }
    let head = context
        .head(context.name())
        .below("User", user, "social_logins", 1);
    let columns = vec![
        ("provider", Value::from("frappe")),
        ("userid", Value::from(random_hex(&*context.random, 39))),
    ];
    row::insert(transaction, "User Social Login", &head, columns).await
}

/// Stores the defaults of the singles, so that they can be queried and stay as they are when a
/// later version has others.
fn initial_settings<'t>(
    transaction: &'t mut Transaction,
    context: &'t PatchContext,
) -> BoxFuture<'t, Result<(), StoreError>> {
    Box::pin(async move {
        let registry = context.registry.clone();
        for doctype in registry.doctypes().filter(|doctype| doctype.issingle) {
            // What is stored wins over what is defined, so this leaves an old site as it is.
            let current = singles::get_in(transaction, doctype).await?;
            let fields: Vec<(&str, Option<&str>)> = doctype
                .value_fields()
                .filter_map(|field| field.literal_default().map(|_| field.fieldname.as_str()))
                .map(|field| (field, current.text(field)))
                .collect();
            singles::set(
                transaction,
                &doctype.name,
                &fields,
                "Administrator",
                context.local,
            )
            .await?;
        }
        Ok(())
    })
}
