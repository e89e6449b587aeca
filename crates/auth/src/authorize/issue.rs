//! Issuing what the response type asks for: a code, an access token, an ID token.
//!
//! RFC 6749 §4.1.2 and §4.2.2, OpenID Connect Core §3.2.2.5 and §3.3.2.5.

use std::sync::Arc;

use crema_crypto::hash_hex;
use crema_crypto::token::random_token;
use crema_document::Timestamp;
use crema_protocol::error::ErrorCode;
use crema_protocol::pkce::Method;
use crema_store::{Sql, Transaction, Value, params};

use super::{Examined, Outcome, SignedIn, reauth};
use crate::audit::{self, Entry, Operation, Status};
use crate::consent::NewConsent;
use crate::id_token::{self, IdTokenRequest};
use crate::session::{self, Session};
use crate::token::bearer_row::BearerRow;
use crate::token::family::{self, Family};
use crate::token::{Lifetimes, join_resources};
use crate::user::User;
use crate::{Ctx, Failure};

/// How long a code can be redeemed, in seconds.
// spec: security.md, "A code … lives 60 s"
const CODE_LIFETIME: i64 = 60;

static INSERT_CODE: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Authorization Code" (name, creation, modified, modified_by, owner,
    docstatus, idx, client, "user", scopes, authorization_code, expiration_time,
    redirect_uri_bound_to_authorization_code, validity, nonce, code_challenge,
    code_challenge_method, expires_at, resource, auth_time, family, claims, session_sid,
    redirect_uri_was_sent)
    VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, 'Valid', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&INSERT_CODE];

/// All that the transaction writes, owned, so that it can be run again after a deadlock.
struct Grant {
    family: Family,
    /// The key of the session that it is issued in.
    sid_hash: String,
    code: Option<Vec<Value>>,
    token: Option<BearerRow>,
    consent: Option<NewConsent>,
    handle: Option<String>,
    entries: Vec<Entry>,
    now: Timestamp,
}

/// Issues what was asked for and gives the response.
///
/// # Errors
/// When the database or the signing key fails.
pub(super) async fn issue(
    ctx: &Ctx,
    examined: Examined,
    signed_in: &SignedIn<'_>,
    asked: bool,
) -> Result<Outcome, Failure> {
    let SignedIn {
        user,
        session,
        handle,
    } = signed_in;
    let kind = examined.request.response_type;
    let examined = match examined.with_record(ctx, &user.name).await? {
        Ok(examined) => examined,
        Err(refused) => return Ok(refused),
    };
    id_token::prepare(ctx, &examined.client).await?;
    let lifetimes = Lifetimes::of(ctx, &examined.client).await?;
    let entropy = &*ctx.provider.environment().entropy;
    let code = kind.code.then(|| random_token(entropy));
    let access_token = kind.token.then(|| random_token(entropy));
    let family = new_family(ctx, &examined, user, session, &lifetimes);
    let token = access_token.as_ref().map(|token| {
        let client = &examined.client.name;
        let mut row = BearerRow::new(ctx, client, &user.name, token.expose(), lifetimes.access);
        row.scopes.clone_from(&family.scopes);
        row.resource.clone_from(&family.resource);
        row.claims.clone_from(&family.claims);
        row.session.clone_from(&family.session);
        row.auth_time = family.auth_time;
        row.family = Some(family.name.clone());
        row.grant_type = "implicit";
        row
    });
    let consent = asked.then(|| {
        NewConsent::new(
            ctx,
            &user.name,
            &examined.client,
            &examined.request.consent_scope(),
            &family.resource,
        )
    });
    let grant = Arc::new(Grant {
        code: code
            .as_ref()
            .map(|code| code_values(ctx, &examined, &family, code.expose())),
        handle: handle.map(str::to_owned),
        sid_hash: session.sid_hash.clone(),
        entries: entries(ctx, &examined, user, asked),
        now: ctx.now,
        family,
        token,
        consent,
    });
    let job = Arc::clone(&grant);
    let stored = ctx
        .provider
        .database()
        .write(move |tx| {
            let grant = Arc::clone(&job);
            Box::pin(async move { grant.store(tx).await })
        })
        .await?;
    if !stored {
        // The sign-in that was demanded has been used for another response already, or the user
        // was signed out meanwhile.
        return Ok(examined.refuse(ctx, ErrorCode::LoginRequired));
    }
    let id_token = match kind.id_token {
        false => None,
        true => {
            let request = IdTokenRequest {
                user,
                scope: &examined.request.scope,
                nonce: examined.request.nonce.as_deref(),
                auth_time: grant.family.auth_time,
                claims: grant.family.claims.as_deref(),
                session: grant.family.session.as_deref(),
                access_token: access_token.as_ref().map(|token| token.expose().as_str()),
                code: code.as_ref().map(|code| code.expose().as_str()),
                lifetime: lifetimes.access,
            };
            // OpenID Connect Core §5.4: without an access token the claims come in the ID token.
            let with_user = examined.client.claims_in_id_token || !(kind.token || kind.code);
            Some(id_token::issue(ctx, &examined.client, &request, with_user).await?)
        }
    };
    let mut params = Vec::new();
    let mut put = |name: &str, value: String| params.push((name.to_owned(), value));
    if let Some(code) = &code {
        put("code", code.expose().clone());
    }
    if let Some(token) = &access_token {
        put("access_token", token.expose().clone());
        put("expires_in", lifetimes.access.to_string());
        put("token_type", "Bearer".to_owned());
        put("scope", grant.family.scopes.clone());
    }
    if let Some(id_token) = id_token {
        put("id_token", id_token);
    }
    Ok(examined.respond(ctx, params))
}

fn new_family(
    ctx: &Ctx,
    examined: &Examined,
    user: &User,
    session: &Session,
    lifetimes: &Lifetimes,
) -> Family {
    // An unredeemed code leaves nothing that has to be kept for long.
    let life = CODE_LIFETIME
        + if examined.request.response_type.token {
            lifetimes.access
        } else {
            0
        };
    Family {
        name: ctx.row_name(),
        client: examined.client.name.clone(),
        user: user.name.clone(),
        expires_at: ctx.now.plus_seconds(life),
        refresh_token: None,
        scopes: examined.request.scope.to_string(),
        resource: join_resources(&examined.request.resource),
        claims: examined
            .request
            .claims
            .as_ref()
            .map(|claims| claims.as_str().to_owned()),
        auth_time: Some(session.auth_time.seconds()),
        session: Some(session.oidc_sid.clone()),
    }
}

fn code_values(ctx: &Ctx, examined: &Examined, family: &Family, code: &str) -> Vec<Value> {
    let site = ctx.provider.site();
    let (now, end) = (site.local(ctx.now), ctx.now.plus_seconds(CODE_LIFETIME));
    let challenge = examined.request.challenge.as_ref();
    params![
        ctx.row_name(),
        now,
        now,
        &family.user,
        &family.user,
        &family.client,
        &family.user,
        &family.scopes,
        hash_hex(code),
        site.local(end),
        examined.redirect_uri(),
        examined.request.nonce.as_deref(),
        challenge.map(|challenge| challenge.value.as_str()),
        challenge.map(|challenge| challenge.method.stored()),
        end.micros(),
        &family.resource,
        family.auth_time,
        &family.name,
        family.claims.as_deref(),
        family.session.as_deref(),
        examined.request.target.redirect_uri_was_sent,
    ]
}

fn entries(ctx: &Ctx, examined: &Examined, user: &User, asked: bool) -> Vec<Entry> {
    let request = &examined.request;
    let entry = |operation| {
        Entry::new(ctx, operation, Status::Success)
            .client(&examined.client.name)
            .user(&user.name)
    };
    let mut entries = Vec::new();
    if asked {
        entries.push(entry(Operation::Consent).detail("scope", examined.request.scope.to_string()));
    }
    if request.response_type.token {
        entries.push(entry(Operation::TokenIssued).detail("grant_type", "implicit"));
    }
    if request.response_type.token || request.response_type.id_token {
        entries.push(entry(Operation::LegacySwitch).detail("switch", "implicit"));
    }
    let plain = request
        .challenge
        .as_ref()
        .is_some_and(|challenge| challenge.method == Method::Plain);
    if plain {
        entries.push(entry(Operation::LegacySwitch).detail("switch", "plain PKCE"));
    }
    if request.challenge.is_none() && examined.client.is_public() {
        entries.push(entry(Operation::LegacySwitch).detail("switch", "no PKCE"));
    }
    entries
}

impl Grant {
    /// False when the session ended or the demanded sign-in was used up meanwhile; then nothing
    /// is stored.
    async fn store(&self, tx: &mut Transaction) -> Result<bool, Failure> {
        if !session::hold(tx, &self.family.user, &self.sid_hash).await? {
            return Ok(false);
        }
        if let Some(handle) = &self.handle
            && !reauth::consume(tx, handle, self.now).await?
        {
            return Ok(false);
        }
        family::insert(tx, &self.family, self.now).await?;
        if let Some(values) = &self.code {
            tx.execute(&INSERT_CODE, values.clone()).await?;
        }
        if let Some(token) = &self.token {
            token.insert(tx).await?;
        }
        if let Some(consent) = &self.consent {
            consent.store(tx).await?;
        }
        for entry in &self.entries {
            audit::record(tx, entry).await?;
        }
        Ok(true)
    }
}
