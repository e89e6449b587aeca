//! A client that an app needs on every site: made once, brought up to date after that.
//!
//! Records: as in `write.rs`.

use std::sync::Arc;

use crema_crypto::random_name;
use crema_document::version;
use crema_store::{Sql, Transaction, params};

use super::Client;
use super::record::{ALLOWED_ROLES, ClientFields, Record, fault};
use super::write::{Along, NewClient, create_along, update};
use crate::{Ctx, Failure};

static NAMED: Sql = Sql::new(
    r#"SELECT * FROM "tabOAuth Client" WHERE app_name = ? ORDER BY creation, name {lock}"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&NAMED];

/// How often it is looked again when others make the client at the same moment.
const ATTEMPTS: usize = 5;

/// A client that is there now.
#[derive(Debug)]
pub struct EnsuredClient {
    /// As it is now.
    pub client: Arc<Client>,
    /// It was made by this call.
    pub made: bool,
}

/// The site's client with the `app_name` of `fields`: made with `fields` and those of `only_new`,
/// or brought to `fields` when it is there. Of several the oldest is taken; one that strangers
/// registered never is, whatever it calls itself. Of any number of callers at once one makes it.
///
/// # Errors
/// As [`super::create`] and [`super::update`].
pub async fn ensure(
    ctx: &Ctx,
    by: &str,
    fields: ClientFields,
    only_new: ClientFields,
) -> Result<EnsuredClient, Failure> {
    let app_name = fields.get("app_name").unwrap_or_default().to_owned();
    if app_name.is_empty() {
        return Err(fault("app_name", "is needed"));
    }
    for _ in 0..ATTEMPTS {
        if let Some(found) = find(ctx, &app_name).await? {
            let changed = different(ctx, &found, &fields).await?;
            if changed {
                update(ctx, by, &found, fields.clone()).await?;
            }
            return ensured(ctx, &found, false).await;
        }
        let mut all = fields.clone();
        for (field, value) in only_new.iter() {
            all.set(field, value);
        }
        let new = NewClient {
            fields: all,
            ..NewClient::default()
        };
        let client_id = random_name(&*ctx.provider.environment().entropy);
        let guard = unless_there(app_name.clone());
        match create_along(ctx, by, client_id, new, Some(guard)).await {
            Ok(made) => return ensured(ctx, &made.client_id, true).await,
            // Somebody was faster.
            Err(Failure::Duplicate(_)) => {}
            Err(failure) => return Err(failure),
        }
    }
    Err(Failure::internal("the client comes and goes"))
}

async fn ensured(ctx: &Ctx, name: &str, made: bool) -> Result<EnsuredClient, Failure> {
    let client = super::load(&ctx.provider, name).await?;
    let client = client.ok_or_else(|| super::secret::not_found(name))?;
    Ok(EnsuredClient {
        client: Arc::new(client),
        made,
    })
}

/// Refuses to go on when there is such a client, inside of the transaction that would make one.
fn unless_there(app_name: String) -> Along {
    Arc::new(move |tx: &mut Transaction| {
        let app_name = app_name.clone();
        Box::pin(async move {
            // Every writer of clients takes this row, so that nobody makes one in between.
            version::bump(tx).await?;
            let rows = tx.rows(&NAMED, params![&app_name]).await?;
            match pick(rows.iter().map(Record::from_row), &app_name) {
                Some(_) => Err(Failure::Duplicate(format!("{app_name} is there already"))),
                None => Ok(()),
            }
        })
    })
}

async fn find(ctx: &Ctx, app_name: &str) -> Result<Option<String>, Failure> {
    let rows = ctx
        .provider
        .database()
        .rows(&NAMED, params![app_name])
        .await?;
    Ok(pick(rows.iter().map(Record::from_row), app_name))
}

/// The first that bears this very name; databases compare names more loosely.
fn pick(mut records: impl Iterator<Item = Record>, app_name: &str) -> Option<String> {
    let found = records.find(|record| {
        record.text("app_name") == Some(app_name) && !record.flag("dynamically_registered")
    })?;
    found.text("name").map(str::to_owned)
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort_unstable();
    words
}

/// Whether a field is not as it is wanted. The order of lists means nothing.
async fn different(ctx: &Ctx, name: &str, fields: &ClientFields) -> Result<bool, Failure> {
    let shown = super::show(ctx, name).await?;
    // Lists are stored with blanks or line breaks between, whatever they came with. Names of roles
    // have blanks of their own.
    let words = |text: &str| sorted(text.split_whitespace().map(str::to_owned).collect());
    Ok(fields.iter().any(|(field, wanted)| {
        if field == ALLOWED_ROLES {
            let now = shown.get(field).and_then(serde_json::Value::as_array);
            let now = now.into_iter().flatten().filter_map(|role| role.as_str());
            return sorted(now.map(str::to_owned).collect())
                != sorted(fields.roles().unwrap_or_default());
        }
        let now = shown.get(field).and_then(serde_json::Value::as_str);
        words(now.unwrap_or_default()) != words(wanted)
    }))
}
