//! Initial access tokens: who brings one may register a client where OAuth Settings ask for it.
//!
//! RFC 7591 §3. An administrator makes them; only hashes are kept, and uses are counted in the
//! transaction of the registration. Records: Registration Access Token, Activity Log.

use std::sync::Arc;

use crema_crypto::{Secret, hash_hex, random_name, random_token};
use crema_document::Timestamp;
use crema_document::row::{self, RowHead};
use crema_store::{Sql, Transaction, Value, params};

use super::{Presented, TOKEN_DOCTYPE, invalid_token};
use crate::audit::{self, Entry, Operation, Status};
use crate::settings::Settings;
use crate::{Ctx, Failure};

static FIND: Sql = Sql::new(
    r#"SELECT token FROM "tabRegistration Access Token"
    WHERE token = ? AND purpose = 'Initial' AND status = 'Active' AND uses_left <> 0
    AND (expires_at = 0 OR expires_at > ?)"#,
);
static SPEND: Sql = Sql::new(
    r#"UPDATE "tabRegistration Access Token"
    SET uses_left = CASE WHEN uses_left > 0 THEN uses_left - 1 ELSE uses_left END, modified = ?
    WHERE token = ? AND purpose = 'Initial' AND status = 'Active' AND uses_left <> 0
    AND (expires_at = 0 OR expires_at > ?)"#,
);
static LIST: Sql = Sql::new(
    r#"SELECT name, status, issued_at, expires_at, uses_left FROM "tabRegistration Access Token"
    WHERE purpose = 'Initial' ORDER BY issued_at DESC, name"#,
);
static REVOKE: Sql = Sql::new(
    r#"UPDATE "tabRegistration Access Token" SET status = 'Revoked', modified = ?, modified_by = ?
    WHERE name = ? AND purpose = 'Initial'"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&FIND, &SPEND, &LIST, &REVOKE];

const REFUSED: &str = "The initial access token is not good.";
/// The longest life of a token, in seconds: ten years.
const LONGEST_LIFE: i64 = 3650 * 86_400;

/// A token that was made.
#[derive(Debug)]
pub struct NewToken {
    /// Name of the record.
    pub name: String,
    /// The token, shown this once.
    pub token: Secret<String>,
}

/// A token as `registration-token list` shows it.
#[derive(Debug, Clone)]
pub struct TokenSummary {
    /// Name of the record.
    pub name: String,
    /// Whether it admits anybody as of now.
    pub active: bool,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// How many registrations it still admits; any number when `None`.
    pub uses_left: Option<u32>,
}

/// Makes a token for `uses` registrations, or any number, that ends after `expires_in` seconds, or
/// never. `by` is the user who does it.
///
/// # Errors
/// [`Failure::Validation`] for numbers that make no sense.
pub async fn add(
    ctx: &Ctx,
    by: &str,
    uses: Option<u32>,
    expires_in: Option<i64>,
) -> Result<NewToken, Failure> {
    let uses_left = match uses {
        None => -1,
        Some(uses) if (1..=1_000_000).contains(&uses) => i64::from(uses),
        Some(_) => return fault("A token is for 1 to 1000000 registrations."),
    };
    let expires_at = match expires_in {
        None => Value::Int(0),
        Some(seconds) if (1..=LONGEST_LIFE).contains(&seconds) => {
            ctx.now.plus_seconds(seconds).into()
        }
        Some(_) => return fault("A token ends after 1 second to ten years."),
    };
    let entropy = &*ctx.provider.environment().entropy;
    let name = random_name(entropy);
    let token = random_token(entropy);
    let fields: Vec<(&'static str, Value)> = vec![
        ("client", Value::Null),
        ("token", hash_hex(token.expose()).into()),
        ("purpose", "Initial".into()),
        ("status", "Active".into()),
        ("issued_at", ctx.now.into()),
        ("expires_at", expires_at),
        ("uses_left", Value::Int(uses_left)),
    ];
    let head = RowHead::new(&name, by, ctx.provider.site().local(ctx.now));
    let entry = Entry::new(ctx, Operation::ClientChanged, Status::Success)
        .user(by)
        .about(TOKEN_DOCTYPE, &name)
        .detail("change", "created")
        .detail("uses", uses_left)
        .detail("expires_in", expires_in.unwrap_or_default());
    let job = Arc::new((head, fields, entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (head, fields, entry) = &*job;
                row::insert(tx, TOKEN_DOCTYPE, head, fields.clone()).await?;
                audit::record(tx, entry).await
            })
        })
        .await?;
    Ok(NewToken { name, token })
}

fn fault<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::Validation(text.to_owned()))
}

/// All tokens, the newest first, also those that admit nobody any more.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(ctx: &Ctx) -> Result<Vec<TokenSummary>, Failure> {
    let rows = ctx.provider.database().rows(&LIST, params![]).await?;
    let mut tokens = Vec::with_capacity(rows.len());
    for row in &rows {
        let moment = |index| -> Result<Timestamp, Failure> {
            Ok(Timestamp::from_micros(
                row.opt_int(index)?.unwrap_or_default(),
            ))
        };
        let expires_at = Some(moment(3)?).filter(|end| *end != Timestamp::EPOCH);
        let uses_left = u32::try_from(row.opt_int(4)?.unwrap_or_default()).ok();
        let in_time = expires_at.is_none_or(|end| end > ctx.now);
        tokens.push(TokenSummary {
            name: row.opt_text(0)?.unwrap_or_default().to_owned(),
            active: row.opt_text(1)? == Some("Active") && in_time && uses_left != Some(0),
            issued_at: moment(2)?,
            expires_at,
            uses_left,
        });
    }
    Ok(tokens)
}

/// From now on the token of that record admits nobody. `by` is the user who does it.
///
/// # Errors
/// [`Failure::NotFound`].
pub async fn revoke(ctx: &Ctx, by: &str, name: &str) -> Result<(), Failure> {
    let entry = Entry::new(ctx, Operation::Revocation, Status::Success)
        .user(by)
        .about(TOKEN_DOCTYPE, name);
    let values = params![ctx.provider.site().local(ctx.now), by, name];
    let job = Arc::new((name.to_owned(), values, entry));
    ctx.provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (name, values, entry) = &*job;
                if tx.execute(&REVOKE, values.clone()).await? == 0 {
                    let text = format!("There is no initial access token {name}.");
                    return Err(Failure::NotFound(text));
                }
                audit::record(tx, entry).await
            })
        })
        .await
}

/// A token that was good when it was looked at.
pub(super) struct Admission {
    hash: String,
    now: Timestamp,
    local: crema_document::LocalTime,
}

/// The initial access token of a registration, where one is needed or was brought.
///
/// # Errors
/// `invalid_token` when it is needed and missing, and for whatever was brought that is none. Also
/// where none is needed: credentials that are not good never count as none.
// spec: RFC 7591 §3; http.md, Resource server, "a bad or undecodable header is 401"
pub(super) async fn presented(
    ctx: &Ctx,
    settings: &Settings,
    presented: Presented<'_>,
) -> Result<Option<Admission>, Failure> {
    let token = match presented {
        Presented::Nothing if settings.initial_access_token_required => {
            return Err(invalid_token("An initial access token is needed."));
        }
        Presented::Nothing => return Ok(None),
        Presented::Bearer(token) => token,
        Presented::Other => return refuse(ctx).await,
    };
    let hash = hash_hex(token);
    let database = ctx.provider.database();
    let row = database.row(&FIND, params![&hash, ctx.now]).await?;
    let stored = row.as_ref().map(|row| row.opt_text(0)).transpose()?;
    match stored.flatten() {
        Some(stored) if stored == hash => Ok(Some(Admission {
            hash,
            now: ctx.now,
            local: ctx.provider.site().local(ctx.now),
        })),
        _ => refuse(ctx).await,
    }
}

async fn refuse(ctx: &Ctx) -> Result<Option<Admission>, Failure> {
    let entry = Entry::new(ctx, Operation::ClientAuthentication, Status::Failed)
        .detail("violation", "initial_access_token");
    audit::record_now(ctx, entry).await?;
    Err(invalid_token(REFUSED))
}

impl Admission {
    /// Takes one use off the token, in the transaction of the registration.
    ///
    /// # Errors
    /// `invalid_token` when others took the last one meanwhile.
    pub(super) async fn spend(&self, tx: &mut Transaction) -> Result<(), Failure> {
        let values = params![self.local, &self.hash, self.now];
        match tx.execute(&SPEND, values).await? {
            0 => Err(invalid_token(REFUSED)),
            _ => Ok(()),
        }
    }
}
