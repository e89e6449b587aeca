//! Refreshing: a new pair for the old one, once.
//!
//! RFC 6749 §6, RFC 9700 §4.14.2. The new pair is derived from the presented token under a key of
//! the site, so that a lost answer or two racing tabs get the same pair again within the grace
//! window and nothing is kept in clear. The family's row holds the hash of the one live refresh
//! token; replacing it is the statement that decides a race.
//! Records: OAuth Bearer Token, `__oauth_family`, `__oauth_spent`, Activity Log (reuse only: the
//! token's row is the record of its refresh).

use std::sync::Arc;

use crema_crypto::token::random_token;
use crema_crypto::{Secret, TokenPair, hash_hex};
use crema_document::{LocalTime, Timestamp};
use crema_protocol::client_rules::GrantType;
use crema_protocol::error::OAuthError;
use crema_protocol::scope::{Scope, narrow_scope};
use crema_protocol::secret::SecretText;
use crema_protocol::token_request::{GrantRequest, TokenRequest};
use crema_store::{Row, Sql, Transaction, params};

use super::bearer_row::BearerRow;
use super::family::{self, Spent, SpentKind};
use super::{
    Lifetimes, TokenAnswer, entitled_user, invalid_grant, join_resources, narrow_resources,
};
use crate::audit::{self, Entry, Operation, Status};
use crate::client::Client;
use crate::id_token::{self, IdTokenRequest};
use crate::user::User;
use crate::{Ctx, Failure};

static READ: Sql = Sql::new(
    r#"SELECT b.name, b.client, b."user", b.scopes, b.status, b.family, b.refresh_expires_at,
    b.auth_time, b.claims, b.session_sid, f.expires_at, f.resource, f.scopes
    FROM "tabOAuth Bearer Token" b JOIN "__oauth_family" f ON f.name = b.family
    WHERE b.refresh_token = ?"#,
);
static RETIRE: Sql = Sql::new(
    r#"UPDATE "tabOAuth Bearer Token" SET status = 'Revoked', modified = ? WHERE name = ?"#,
);
static SLIDE: Sql = Sql::new(
    r#"UPDATE "tabOAuth Bearer Token" SET refresh_expires_at = ?, modified = ?
    WHERE name = ? AND status = 'Active'"#,
);
static SUCCESSOR: Sql = Sql::new(
    r#"SELECT access_token, status, expires_at, scopes, "user", auth_time, claims, session_sid
    FROM "tabOAuth Bearer Token" WHERE name = ?"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&READ, &RETIRE, &SLIDE, &SUCCESSOR];

/// The stored token that is presented, and what its family was granted.
#[derive(Debug, Clone)]
struct Presented {
    row: String,
    client: String,
    user: String,
    scopes: String,
    active: bool,
    family: String,
    expires_at: Timestamp,
    auth_time: Option<i64>,
    claims: Option<String>,
    session: Option<String>,
    family_end: Timestamp,
    granted_resource: String,
    granted_scopes: String,
}

impl Presented {
    fn from_row(row: &Row) -> Result<Presented, Failure> {
        let moment = |index| -> Result<Timestamp, Failure> {
            Ok(Timestamp::from_micros(row.opt_int(index)?.unwrap_or(0)))
        };
        Ok(Presented {
            row: row.text(0)?.to_owned(),
            client: row.opt_text(1)?.unwrap_or_default().to_owned(),
            user: row.text(2)?.to_owned(),
            scopes: row.opt_text(3)?.unwrap_or_default().to_owned(),
            active: row.opt_text(4)? == Some("Active"),
            family: row.text(5)?.to_owned(),
            expires_at: moment(6)?,
            auth_time: row.opt_int(7)?.filter(|seconds| *seconds != 0),
            claims: row.opt_text(8)?.map(str::to_owned),
            session: row.opt_text(9)?.map(str::to_owned),
            family_end: moment(10)?,
            granted_resource: row.opt_text(11)?.unwrap_or_default().to_owned(),
            granted_scopes: row.opt_text(12)?.unwrap_or_default().to_owned(),
        })
    }
}

/// How the transaction ended.
#[derive(Debug)]
enum Outcome {
    /// The new pair is stored.
    Rotated,
    /// The same request came again within the grace window: the same pair once more.
    Replayed(Replay),
    Refused(OAuthError),
}

/// The successor that is answered again.
#[derive(Debug)]
struct Replay {
    expires_in: i64,
    scopes: String,
    user: String,
    auth_time: Option<i64>,
    claims: Option<String>,
    session: Option<String>,
}

/// All that the transaction needs, owned, so that it can be run again after a deadlock.
struct Rotation {
    hash: String,
    client: String,
    /// The live row with the checks passed, or none: then only a replay or a reuse is possible.
    presented: Option<Presented>,
    rotates: bool,
    row: BearerRow,
    pair_access_hash: String,
    pair_refresh_hash: String,
    refresh_end: Timestamp,
    asked_scope: Option<String>,
    asked_resource: String,
    key_id: String,
    grace: i64,
    now: Timestamp,
    local_now: LocalTime,
    reused: Entry,
}

/// Answers a refresh.
///
/// # Errors
/// `invalid_grant` for a token that is unknown, expired, revoked, another client's or used
/// before; `invalid_scope` when more is asked for than was granted.
pub async fn refresh(
    ctx: &Ctx,
    client: Arc<Client>,
    request: &TokenRequest,
) -> Result<TokenAnswer, Failure> {
    let GrantRequest::RefreshToken {
        refresh_token,
        scope,
    } = &request.grant
    else {
        return Err(Failure::Internal("not a refresh".to_owned()));
    };
    let hash = hash_hex(refresh_token.expose());
    let stored = match ctx.provider.database().row(&READ, params![&hash]).await? {
        Some(row) => Some(Presented::from_row(&row)?),
        None => None,
    };
    if stored
        .as_ref()
        .is_some_and(|stored| stored.client != client.name)
    {
        // spec: security.md, "Only a replay by the owning, authenticated client revokes"
        return Err(not_valid().into());
    }
    id_token::prepare(ctx, &client).await?;
    let lifetimes = Lifetimes::of(ctx, &client).await?;
    let live = stored.filter(|stored| stored.active);
    let grant = match &live {
        Some(live) => Some(check(ctx, &client, live, scope.as_ref(), &request.resource).await?),
        None => None,
    };
    let pair = pair_for(ctx, &client, refresh_token);
    let rotation = Arc::new(rotation(
        ctx,
        &client,
        request,
        &pair,
        live,
        grant.as_ref(),
        lifetimes,
        hash,
    ));
    let job = Arc::clone(&rotation);
    let outcome = ctx
        .provider
        .database()
        .write(move |tx| {
            let rotation = Arc::clone(&job);
            Box::pin(async move { rotation.run(tx).await })
        })
        .await?;
    let (user, replay) = match (outcome, grant) {
        (Outcome::Refused(error), _) => return Err(error.into()),
        (Outcome::Replayed(replay), _) => (
            entitled_user(ctx, &client, &replay.user).await?,
            Some(replay),
        ),
        (Outcome::Rotated, Some(grant)) => (grant.user, None),
        (Outcome::Rotated, None) => return Err(not_valid().into()),
    };
    answer(ctx, &client, pair, &rotation.row, user, replay).await
}

fn not_valid() -> OAuthError {
    invalid_grant("The refresh token is not valid.")
}

/// What the new pair will carry.
struct NewGrant {
    user: Arc<User>,
    scope: Scope,
    resource: String,
}

// spec: RFC 6749 §6; security.md, "A refresh belongs to its client; scope can only shrink"
async fn check(
    ctx: &Ctx,
    client: &Client,
    live: &Presented,
    asked: Option<&Scope>,
    resources: &[String],
) -> Result<NewGrant, Failure> {
    if live.expires_at <= ctx.now || live.family_end <= ctx.now {
        return Err(invalid_grant("The refresh token has expired.").into());
    }
    let user = entitled_user(ctx, client, &live.user).await?;
    let scope = narrow_scope(&Scope::parse(&live.scopes)?, asked)?;
    let resource = narrow_resources(&live.granted_resource, resources)?;
    Ok(NewGrant {
        user,
        scope,
        resource,
    })
}

/// The pair to hand out: derived from the presented token, so that the same request gives the
/// same pair; with rotation off a new access token beside the refresh token that stays.
fn pair_for(ctx: &Ctx, client: &Client, presented: &SecretText) -> TokenPair {
    if client.refresh_rotation {
        return ctx.provider.site_keys().successor(presented.expose());
    }
    TokenPair {
        access: random_token(&*ctx.provider.environment().entropy),
        refresh: Secret::new(presented.expose().to_owned()),
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "gathers what the transaction owns from what the request was checked into"
)]
fn rotation(
    ctx: &Ctx,
    client: &Client,
    request: &TokenRequest,
    pair: &TokenPair,
    live: Option<Presented>,
    grant: Option<&NewGrant>,
    lifetimes: Lifetimes,
    hash: String,
) -> Rotation {
    let mut row = BearerRow::new(
        ctx,
        &client.name,
        "",
        pair.access.expose(),
        lifetimes.access,
    );
    let family_end = live.as_ref().map_or(ctx.now, |live| live.family_end);
    let refresh_end = lifetimes.refresh_end(ctx.now, family_end);
    if let (Some(live), Some(grant)) = (&live, grant) {
        row.user.clone_from(&live.user);
        row.scopes = grant.scope.to_string();
        row.authorized_scopes =
            (row.scopes != live.granted_scopes).then(|| live.granted_scopes.clone());
        row.resource.clone_from(&grant.resource);
        row.family = Some(live.family.clone());
        row.auth_time = live.auth_time;
        row.claims.clone_from(&live.claims);
        row.session.clone_from(&live.session);
        row.grant_type = GrantType::RefreshToken.as_str();
        if client.refresh_rotation {
            row.refresh_hash = Some(hash_hex(pair.refresh.expose()));
            row.refresh_expires_at = Some(refresh_end);
        }
    }
    let asked_scope = match &request.grant {
        GrantRequest::RefreshToken { scope, .. } => scope.as_ref().map(Scope::to_string),
        _ => None,
    };
    Rotation {
        hash,
        client: client.name.clone(),
        presented: live,
        rotates: client.refresh_rotation,
        pair_access_hash: row.access_hash.clone(),
        pair_refresh_hash: hash_hex(pair.refresh.expose()),
        row,
        refresh_end,
        asked_scope,
        asked_resource: join_resources(&request.resource),
        key_id: ctx.provider.site_keys().key_id().to_owned(),
        grace: lifetimes.grace,
        now: ctx.now,
        local_now: ctx.provider.site().local(ctx.now),
        reused: Entry::new(ctx, Operation::RefreshReuse, Status::Failed).client(&client.name),
    }
}

async fn answer(
    ctx: &Ctx,
    client: &Client,
    pair: TokenPair,
    row: &BearerRow,
    user: Arc<User>,
    replay: Option<Replay>,
) -> Result<TokenAnswer, Failure> {
    let stored = replay.unwrap_or_else(|| Replay {
        expires_in: row.expires_in,
        scopes: row.scopes.clone(),
        user: row.user.clone(),
        auth_time: row.auth_time,
        claims: row.claims.clone(),
        session: row.session.clone(),
    });
    let scope = Scope::parse(&stored.scopes)?;
    let id_token = id_token::for_token_answer(
        ctx,
        client,
        &IdTokenRequest {
            user: &user,
            scope: &scope,
            // OpenID Connect Core §12.2: the refreshed ID token has no new nonce.
            nonce: None,
            auth_time: stored.auth_time,
            claims: stored.claims.as_deref(),
            session: stored.session.as_deref(),
            access_token: Some(pair.access.expose()),
            code: None,
            lifetime: stored.expires_in,
        },
    )
    .await?;
    Ok(TokenAnswer {
        access_token: pair.access,
        expires_in: stored.expires_in,
        refresh_token: Some(pair.refresh),
        scope: stored.scopes,
        id_token,
    })
}

impl Rotation {
    async fn run(&self, tx: &mut Transaction) -> Result<Outcome, Failure> {
        let Some(live) = &self.presented else {
            return self.replay_or_reuse(tx).await;
        };
        if !self.rotates {
            return self.keep(tx, live).await;
        }
        if !family::rotate(tx, &live.family, &self.hash, &self.pair_refresh_hash).await? {
            return self.replay_or_reuse(tx).await;
        }
        tx.execute(&RETIRE, params![self.local_now, &live.row])
            .await?;
        let spent = Spent {
            kind: SpentKind::Refresh,
            family: live.family.clone(),
            client: self.client.clone(),
            spent_at: self.now,
            successor: Some(self.row.name.clone()),
            scope: self.asked_scope.clone(),
            resource: self.asked_resource.clone(),
            key_id: self.key_id.clone(),
        };
        family::spend(tx, &self.hash, &spent, live.family_end).await?;
        self.row.insert(tx).await?;
        Ok(Outcome::Rotated)
    }

    /// Rotation is off for this client: the refresh token stays, its end slides.
    async fn keep(&self, tx: &mut Transaction, live: &Presented) -> Result<Outcome, Failure> {
        let values = params![self.refresh_end.micros(), self.local_now, &live.row];
        let held = family::hold(tx, &live.family).await?;
        if !held || tx.execute(&SLIDE, values).await? != 1 {
            return Ok(Outcome::Refused(not_valid()));
        }
        self.row.insert(tx).await?;
        Ok(Outcome::Rotated)
    }

    /// The token is not the live one. Within the grace window the successor is answered again
    /// while nobody used it; any other second use by its client ends the family.
    // spec: security.md, Codes and tokens, rotation and grace window
    async fn replay_or_reuse(&self, tx: &mut Transaction) -> Result<Outcome, Failure> {
        let refused = Ok(Outcome::Refused(not_valid()));
        let Some(spent) = family::spent(tx, &self.hash).await? else {
            return refused;
        };
        if spent.client != self.client || spent.kind != SpentKind::Refresh {
            return refused;
        }
        let grace_end = spent.spent_at.plus_seconds(self.grace);
        if self.grace > 0 && self.now < grace_end {
            if spent.scope != self.asked_scope || spent.resource != self.asked_resource {
                return refused;
            }
            if let Some(replay) = self.unused_successor(tx, &spent).await? {
                return Ok(replay);
            }
        }
        family::revoke(tx, &spent.family, self.now).await?;
        let entry = match family::owner(tx, &spent.family).await? {
            Some(user) => self.reused.clone().user(&user),
            None => self.reused.clone(),
        };
        audit::record(tx, &entry).await?;
        refused
    }

    async fn unused_successor(
        &self,
        tx: &mut Transaction,
        spent: &Spent,
    ) -> Result<Option<Outcome>, Failure> {
        let Some(name) = &spent.successor else {
            return Ok(None);
        };
        let Some(row) = tx.row(&SUCCESSOR, params![name]).await? else {
            return Ok(None);
        };
        if row.opt_text(1)? != Some("Active") {
            return Ok(None);
        }
        if spent.key_id != self.key_id || row.opt_text(0)? != Some(&self.pair_access_hash) {
            // The site's key changed in between: the pair cannot be derived again.
            return Ok(Some(Outcome::Refused(not_valid())));
        }
        let expires_at = Timestamp::from_micros(row.opt_int(2)?.unwrap_or(0));
        let expires_in = expires_at.seconds() - self.now.seconds();
        if expires_in <= 0 {
            return Ok(Some(Outcome::Refused(not_valid())));
        }
        Ok(Some(Outcome::Replayed(Replay {
            expires_in,
            scopes: row.opt_text(3)?.unwrap_or_default().to_owned(),
            user: row.text(4)?.to_owned(),
            auth_time: row.opt_int(5)?.filter(|seconds| *seconds != 0),
            claims: row.opt_text(6)?.map(str::to_owned),
            session: row.opt_text(7)?.map(str::to_owned),
        })))
    }
}
