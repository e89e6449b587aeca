//! Redeeming an authorization code.
//!
//! RFC 6749 §4.1.3, RFC 7636 §4.6, OpenID Connect Core §3.1.3. One conditional update decides who
//! redeems a code; whoever comes second ends everything the first one got (RFC 9700 §4.2.4).
//! Records: OAuth Authorization Code, OAuth Bearer Token, `__oauth_family`, `__oauth_spent`,
//! Activity Log.

use std::sync::Arc;

use crema_crypto::hash_hex;
use crema_crypto::token::random_token;
use crema_document::{LocalTime, Timestamp};
use crema_protocol::client_rules::GrantType;
use crema_protocol::error::OAuthError;
use crema_protocol::pkce::{self, Challenge, Method};
use crema_protocol::redirect_uri;
use crema_protocol::scope::Scope;
use crema_protocol::token_request::{GrantRequest, TokenRequest};
use crema_store::{Row, Sql, Transaction, params};

use super::bearer_row::BearerRow;
use super::family::{self, Spent, SpentKind};
use super::{Lifetimes, TokenAnswer, entitled_user, invalid_grant, narrow_resources};
use crate::audit::{self, Entry, Operation, Status};
use crate::client::Client;
use crate::id_token::{self, IdTokenRequest};
use crate::user::User;
use crate::{Ctx, Failure};

static READ: Sql = Sql::new(
    r#"SELECT name, client, "user", scopes, redirect_uri_bound_to_authorization_code,
    redirect_uri_was_sent, nonce, code_challenge, code_challenge_method, expires_at, resource,
    auth_time, family, claims, session_sid
    FROM "tabOAuth Authorization Code" WHERE authorization_code = ?"#,
);
static CONSUME: Sql = Sql::new(
    r#"UPDATE "tabOAuth Authorization Code" SET validity = 'Invalid', modified = ?
    WHERE name = ? AND validity = 'Valid'"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&READ, &CONSUME];

/// A stored code.
#[derive(Debug, Clone)]
struct StoredCode {
    name: String,
    client: String,
    user: String,
    scopes: String,
    redirect_uri: String,
    redirect_uri_was_sent: bool,
    nonce: Option<String>,
    challenge: Option<Challenge>,
    expires_at: Timestamp,
    resource: String,
    auth_time: Option<i64>,
    family: String,
    claims: Option<String>,
    session: Option<String>,
}

impl StoredCode {
    fn from_row(row: &Row) -> Result<StoredCode, Failure> {
        let text = |index| -> Result<String, Failure> {
            Ok(row.opt_text(index)?.unwrap_or_default().to_owned())
        };
        let optional = |index| -> Result<Option<String>, Failure> {
            Ok(row
                .opt_text(index)?
                .filter(|text| !text.is_empty())
                .map(str::to_owned))
        };
        let challenge = optional(7)?;
        let method = match row.opt_text(8)? {
            Some("plain") => Method::Plain,
            _ => Method::S256,
        };
        Ok(StoredCode {
            name: text(0)?,
            client: text(1)?,
            user: text(2)?,
            scopes: text(3)?,
            redirect_uri: text(4)?,
            redirect_uri_was_sent: row.bool(5)?,
            nonce: optional(6)?,
            challenge: challenge.map(|value| Challenge { method, value }),
            expires_at: Timestamp::from_micros(row.opt_int(9)?.unwrap_or(0)),
            resource: text(10)?,
            auth_time: row.opt_int(11)?.filter(|seconds| *seconds != 0),
            family: text(12)?,
            claims: optional(13)?,
            session: optional(14)?,
        })
    }
}

/// How the transaction ended; every refusal is final for the code.
#[derive(Debug)]
enum Outcome {
    Issued,
    Refused(OAuthError),
}

/// All that the transaction needs, owned, so that it can be run again after a deadlock.
struct Redemption {
    code_hash: String,
    client: String,
    /// The stored code, unless Frappe's row is gone or belongs to another client.
    code: Option<StoredCode>,
    /// Why the checklist refuses it, if it does: the code is burnt all the same.
    refusal: Option<OAuthError>,
    family_end: Timestamp,
    now: Timestamp,
    local_now: LocalTime,
    key_id: String,
    row: BearerRow,
    issued: Entry,
    /// The use of a switch for old clients.
    legacy: Option<Entry>,
    reused: Entry,
}

/// Redeems `code` for an access token, a refresh token and, with `openid`, an ID token.
///
/// # Errors
/// `invalid_grant` for a code that is unknown, spent, expired, another client's, or bound to
/// another redirect URI or challenge; `invalid_target` for a resource that was not granted.
pub async fn redeem(
    ctx: &Ctx,
    client: Arc<Client>,
    request: &TokenRequest,
) -> Result<TokenAnswer, Failure> {
    let GrantRequest::AuthorizationCode {
        code: presented, ..
    } = &request.grant
    else {
        return Err(Failure::Internal("not a code grant".to_owned()));
    };
    let code_hash = hash_hex(presented.expose());
    let code = match ctx
        .provider
        .database()
        .row(&READ, params![&code_hash])
        .await?
    {
        Some(row) => Some(StoredCode::from_row(&row)?),
        None => None,
    };
    if code.as_ref().is_some_and(|code| code.client != client.name) {
        // spec: security.md, "another client's attempt neither burns nor revokes"
        return Err(not_valid().into());
    }
    let (user, checked) = match &code {
        Some(code) => check(ctx, &client, code, request).await?,
        None => (None, Err(not_valid())),
    };
    id_token::prepare(ctx, &client).await?;
    let lifetimes = Lifetimes::of(ctx, &client).await?;
    let entropy = &*ctx.provider.environment().entropy;
    let access_token = random_token(entropy);
    let refresh_token = client
        .rules
        .allows_grant(GrantType::RefreshToken)
        .then(|| random_token(entropy));
    let mut row = BearerRow::new(
        ctx,
        &client.name,
        "",
        access_token.expose(),
        lifetimes.access,
    );
    let family_end = ctx.now.plus_seconds(lifetimes.refresh_absolute);
    if let (Some(code), Ok(resource)) = (&code, &checked) {
        row.grant(code, resource);
        row.refresh_hash = refresh_token.as_ref().map(|token| hash_hex(token.expose()));
        row.refresh_expires_at = refresh_token
            .is_some()
            .then(|| lifetimes.refresh_end(ctx.now, family_end));
    }
    let granted_row = row.clone();
    let nonce = code.as_ref().and_then(|code| code.nonce.clone());
    let redemption = Arc::new(Redemption {
        code_hash,
        client: client.name.clone(),
        code,
        refusal: checked.err(),
        family_end,
        now: ctx.now,
        local_now: ctx.provider.site().local(ctx.now),
        key_id: ctx.provider.site_keys().key_id().to_owned(),
        issued: Entry::new(ctx, Operation::TokenIssued, Status::Success)
            .client(&client.name)
            .user(&row.user)
            .detail("grant_type", row.grant_type),
        legacy: has_short_verifier(request).then(|| {
            Entry::new(ctx, Operation::LegacySwitch, Status::Success)
                .client(&client.name)
                .user(&row.user)
                .detail("switch", "short code verifier")
        }),
        reused: Entry::new(ctx, Operation::CodeReuse, Status::Failed).client(&client.name),
        row,
    });
    let outcome = ctx
        .provider
        .database()
        .write(move |tx| {
            let redemption = Arc::clone(&redemption);
            Box::pin(async move { redemption.run(tx).await })
        })
        .await?;
    let user = match (outcome, user) {
        (Outcome::Issued, Some(user)) => user,
        (Outcome::Refused(error), _) => return Err(error.into()),
        (Outcome::Issued, None) => return Err(not_valid().into()),
    };
    let scope = Scope::parse(&granted_row.scopes)?;
    let id_token = id_token::for_token_answer(
        ctx,
        &client,
        &IdTokenRequest {
            user: &user,
            scope: &scope,
            nonce: nonce.as_deref(),
            auth_time: granted_row.auth_time,
            claims: granted_row.claims.as_deref(),
            session: granted_row.session.as_deref(),
            access_token: Some(access_token.expose()),
            code: None,
            lifetime: granted_row.expires_in,
        },
    )
    .await?;
    Ok(TokenAnswer {
        access_token,
        expires_in: granted_row.expires_in,
        refresh_token,
        scope: granted_row.scopes,
        id_token,
    })
}

fn not_valid() -> OAuthError {
    invalid_grant("The authorization code is not valid: unknown, used, or of another client.")
}

/// The checklist of RFC 6749 §4.1.3 and RFC 7636 §4.6 on a code of this client. Gives the user
/// and the resources to grant, or why the code has to be burnt.
async fn check(
    ctx: &Ctx,
    client: &Client,
    code: &StoredCode,
    request: &TokenRequest,
) -> Result<(Option<Arc<User>>, Result<String, OAuthError>), Failure> {
    let user = match entitled_user(ctx, client, &code.user).await {
        Ok(user) => user,
        Err(Failure::OAuth(error)) => return Ok((None, Err(error))),
        Err(failure) => return Err(failure),
    };
    let checked = check_binding(client, code, request, ctx.now)
        .and_then(|()| narrow_resources(&code.resource, &request.resource));
    Ok((Some(user), checked))
}

fn check_binding(
    client: &Client,
    code: &StoredCode,
    request: &TokenRequest,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let GrantRequest::AuthorizationCode {
        redirect_uri,
        code_verifier,
        ..
    } = &request.grant
    else {
        return Err(not_valid());
    };
    if code.expires_at <= now {
        return Err(invalid_grant("The authorization code has expired."));
    }
    redirect_uri::check_bound(
        &code.redirect_uri,
        code.redirect_uri_was_sent,
        redirect_uri.as_deref(),
    )?;
    pkce::check(
        code.challenge.as_ref(),
        code_verifier.as_ref().map(|verifier| verifier.expose()),
        client.rules.allow_short_code_verifier,
    )
}

fn has_short_verifier(request: &TokenRequest) -> bool {
    match &request.grant {
        GrantRequest::AuthorizationCode {
            code_verifier: Some(verifier),
            ..
        } => pkce::is_short(verifier.expose()),
        _ => false,
    }
}

impl BearerRow {
    fn grant(&mut self, code: &StoredCode, resource: &str) {
        self.user.clone_from(&code.user);
        self.scopes.clone_from(&code.scopes);
        self.family = Some(code.family.clone());
        self.resource = resource.to_owned();
        self.auth_time = code.auth_time;
        self.claims.clone_from(&code.claims);
        self.session.clone_from(&code.session);
        self.grant_type = GrantType::AuthorizationCode.as_str();
    }
}

impl Redemption {
    async fn run(&self, tx: &mut Transaction) -> Result<Outcome, Failure> {
        let Some(code) = &self.code else {
            return self.not_found(tx).await;
        };
        let consumed = tx
            .execute(&CONSUME, params![self.local_now, &code.name])
            .await?;
        if consumed != 1 {
            return self.reused(tx, &code.family).await;
        }
        let spent = Spent {
            kind: SpentKind::Code,
            family: code.family.clone(),
            client: self.client.clone(),
            spent_at: self.now,
            successor: self.refusal.is_none().then(|| self.row.name.clone()),
            scope: None,
            resource: self.row.resource.clone(),
            key_id: self.key_id.clone(),
        };
        family::spend(tx, &self.code_hash, &spent, self.family_end).await?;
        if let Some(error) = &self.refusal {
            family::revoke(tx, &code.family, self.now).await?;
            return Ok(Outcome::Refused(error.clone()));
        }
        let refresh_hash = self.row.refresh_hash.as_deref();
        if !family::start_tokens(tx, &code.family, refresh_hash, self.family_end).await? {
            // Revoked between the authorization and now, by a sign-out everywhere say.
            return Ok(Outcome::Refused(not_valid()));
        }
        self.row.insert(tx).await?;
        for entry in [Some(&self.issued), self.legacy.as_ref()]
            .into_iter()
            .flatten()
        {
            audit::record(tx, entry).await?;
        }
        Ok(Outcome::Issued)
    }

    /// Frappe clears its rows; what was redeemed is remembered in a table of ours.
    async fn not_found(&self, tx: &mut Transaction) -> Result<Outcome, Failure> {
        match family::spent(tx, &self.code_hash).await? {
            Some(spent) if spent.client == self.client => self.reused(tx, &spent.family).await,
            _ => Ok(Outcome::Refused(not_valid())),
        }
    }

    // spec: security.md, "A second use revokes every token from the first"
    async fn reused(&self, tx: &mut Transaction, family: &str) -> Result<Outcome, Failure> {
        family::revoke(tx, family, self.now).await?;
        let entry = match family::owner(tx, family).await? {
            Some(user) => self.reused.clone().user(&user),
            None => self.reused.clone(),
        };
        audit::record(tx, &entry).await?;
        Ok(Outcome::Refused(not_valid()))
    }
}
