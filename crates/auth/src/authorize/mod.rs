//! The authorization endpoint: from a request to a code, or to what stands in between.
//!
//! RFC 6749 §4.1.1, OpenID Connect Core §3.1.2, §3.2.2, §3.3.2, RFC 9207, RFC 9700 §2.1. The user
//! comes from the session alone. The order of checks is that of `security.md`: client and
//! redirect URI, whose errors never redirect; the other parameters, whose errors do;
//! `prompt=none` without a session; only then the way to the sign-in page.
//! Records: OAuth Client, OAuth Consent, OAuth Authorization Code, OAuth Bearer Token,
//! `__oauth_family`, `__login_handle`, Activity Log.

mod examine;
mod hint;
mod issue;
pub mod reauth;

use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::params::Params;
use crema_protocol::redirect_uri;
use crema_protocol::response::AuthorizationResponse;

pub use examine::{Examined, Rejection};
pub use issue::STATEMENTS;

use crate::audit::{self, Status};
use crate::client::metadata_document::Described;
use crate::session::Session;
use crate::user::User;
use crate::{Ctx, Failure};
use crate::{consent, id_token};
use hint::Fit;
use std::sync::Arc;

/// What the authorization endpoint wants to happen next.
#[derive(Debug)]
pub enum Outcome {
    /// An error that must not redirect: the client or its redirect URI is not proven.
    Refused(OAuthError),
    /// A response, success or error, to the client's redirect URI.
    Respond(AuthorizationResponse),
    /// The user has to sign in and come back with these parameters.
    SignIn {
        /// The parameters of the request, with a handle when a session is not enough.
        request: Params,
        /// Who should sign in, if the request says so.
        login_hint: Option<String>,
    },
    /// The user has to be asked.
    Ask(Box<Question>),
}

/// What the consent page shows.
#[derive(Debug)]
pub struct Question {
    /// The client's App Name.
    pub app_name: String,
    /// The client's page.
    pub client_uri: Option<String>,
    /// Terms of service.
    pub tos_uri: Option<String>,
    /// Privacy policy.
    pub policy_uri: Option<String>,
    /// Whether the client registered itself.
    pub dynamically_registered: bool,
    /// What is known of a client that a metadata document describes.
    pub document: Option<Document>,
    /// Where Allow leads.
    pub redirect_uri: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The signed-in user.
    pub user: Arc<User>,
    /// The parameters to send to `approve`.
    pub request: Params,
}

/// What is known of a client that a metadata document describes: all else it only says.
#[derive(Debug)]
pub struct Document {
    /// The host of the document, with the port when it is an unusual one.
    pub host: String,
}

/// What the user clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Allow.
    Allow,
    /// Deny.
    Deny,
}

/// Handles an authorization request.
///
/// # Errors
/// Only when something of ours fails; the client's mistakes are outcomes.
pub async fn authorize(
    ctx: &Ctx,
    request: &Params,
    session: Option<&Session>,
) -> Result<Outcome, Failure> {
    let examined = match examine::examine(ctx, request).await? {
        Ok(examined) => examined,
        Err(Rejection::Refused(error)) => return Ok(Outcome::Refused(error)),
        Err(Rejection::Respond(response)) => return Ok(Outcome::Respond(response)),
    };
    let silent = examined.request.prompt.none;
    let signed_in = match standing(ctx, &examined, request, session).await? {
        Standing::SignedIn(signed_in) => signed_in,
        Standing::Refused(code) => return Ok(examined.refuse(ctx, code)),
        Standing::SignIn(_) if silent => {
            return Ok(examined.refuse(ctx, ErrorCode::LoginRequired));
        }
        Standing::SignIn(request) => {
            let login_hint = examined.request.login_hint.clone();
            return Ok(Outcome::SignIn {
                request,
                login_hint,
            });
        }
    };
    match must_ask(ctx, &examined, &signed_in.user).await? {
        true if silent => Ok(examined.refuse(ctx, ErrorCode::ConsentRequired)),
        true => Ok(Outcome::Ask(Box::new(
            examined.question(signed_in.user, request),
        ))),
        false => issue::issue(ctx, examined, &signed_in, false).await,
    }
}

/// Handles the user's answer to the consent page. The caller has checked the session's CSRF token.
///
/// # Errors
/// Only when something of ours fails; the client's mistakes are outcomes.
// spec: security.md, Authorization endpoint, "Consent is a POST with the session's CSRF token"
pub async fn approve(
    ctx: &Ctx,
    request: &Params,
    session: &Session,
    decision: Decision,
) -> Result<Outcome, Failure> {
    let examined = match examine::examine(ctx, request).await? {
        Ok(examined) => examined,
        Err(Rejection::Refused(error)) => return Ok(Outcome::Refused(error)),
        Err(Rejection::Respond(response)) => return Ok(Outcome::Respond(response)),
    };
    if decision == Decision::Deny {
        // spec: security.md, Audit, "Every … consent", with its outcome
        let entry = examined.entry(ctx, Status::Failed).user(&session.user);
        audit::record_now(ctx, entry).await?;
        return Ok(examined.refuse(ctx, ErrorCode::AccessDenied));
    }
    match standing(ctx, &examined, request, Some(session)).await? {
        Standing::SignedIn(signed_in) => issue::issue(ctx, examined, &signed_in, true).await,
        Standing::Refused(code) => Ok(examined.refuse(ctx, code)),
        Standing::SignIn(request) => Ok(Outcome::SignIn {
            request,
            login_hint: examined.request.login_hint.clone(),
        }),
    }
}

/// Where the browser's user stands towards the request.
enum Standing<'a> {
    SignedIn(SignedIn<'a>),
    SignIn(Params),
    Refused(ErrorCode),
}

/// A user whose sign-in is good enough for the request.
struct SignedIn<'a> {
    user: Arc<User>,
    session: &'a Session,
    /// The handle of the sign-in that the request demanded, to be used up.
    handle: Option<&'a str>,
}

async fn standing<'a>(
    ctx: &Ctx,
    examined: &Examined,
    request: &'a Params,
    session: Option<&'a Session>,
) -> Result<Standing<'a>, Failure> {
    let prompt = &examined.request.prompt;
    let asked = prompt.login || prompt.select_account;
    let user = match session {
        Some(session) => ctx.user(&session.user).await?.filter(|user| user.enabled),
        None => None,
    };
    let (Some(session), Some(user)) = (session, user) else {
        if prompt.none {
            return Ok(Standing::Refused(ErrorCode::LoginRequired));
        }
        // With a handle the sign-in that follows is the one that is demanded: nobody does it twice.
        let demanding = asked || examined.request.max_age.is_some() || hint::expects(examined);
        let request = match demanding {
            true => reauth::demand(ctx, request).await?,
            false => request.without(&[reauth::HANDLE]),
        };
        return Ok(Standing::SignIn(request));
    };
    let too_old = examined.request.max_age.is_some_and(|max_age| {
        let age = ctx
            .now
            .seconds()
            .saturating_sub(session.auth_time.seconds());
        // OpenID Connect Core §3.1.2.1: `max_age=0` is `prompt=login`, also within the second of
        // the sign-in.
        max_age == 0 || age > i64::try_from(max_age).unwrap_or(i64::MAX)
    });
    let fit = hint::fit(ctx, examined, &user).await?;
    let demanded = asked || too_old || fit != Fit::Same;
    if demanded {
        if prompt.none {
            return Ok(Standing::Refused(ErrorCode::LoginRequired));
        }
        if !reauth::fulfilled(ctx, request, session).await? {
            return Ok(Standing::SignIn(reauth::demand(ctx, request).await?));
        }
        // Whoever insists on another account than the expected one does not go in circles.
        if fit == Fit::Other {
            return Ok(Standing::Refused(ErrorCode::LoginRequired));
        }
    }
    if !examined.client.admits(&user) {
        return Ok(Standing::Refused(ErrorCode::AccessDenied));
    }
    if !examined.request.admits_class(id_token::ACR) {
        return Ok(Standing::Refused(
            ErrorCode::UnmetAuthenticationRequirements,
        ));
    }
    Ok(Standing::SignedIn(SignedIn {
        user,
        session,
        handle: request.get(reauth::HANDLE).filter(|_| demanded),
    }))
}

/// Whether the user has to be asked before anything is issued.
// spec: security.md, Authorization endpoint, consent and skipping it
async fn must_ask(ctx: &Ctx, examined: &Examined, user: &User) -> Result<bool, Failure> {
    let client = &examined.client;
    let described = examined.described.as_deref();
    if examined.request.prompt.consent || !described.is_none_or(Described::is_known) {
        return Ok(true);
    }
    // RFC 8252 §8.6: another app may listen where such a redirect URI leads.
    let unproven = redirect_uri::is_custom_scheme(examined.redirect_uri())
        || redirect_uri::is_loopback(examined.redirect_uri());
    let settings = ctx.settings().await?;
    let scope = examined.request.consent_scope();
    let resources = &examined.request.resource;
    if !(unproven && client.is_public()) {
        if client.skip_authorization {
            return Ok(false);
        }
        // What an app says of itself may have changed since the token was given; consents end then.
        if settings.skip_authorization
            && described.is_none()
            && !client.dynamically_registered
            && consent::has_active_token(ctx, &user.name, client, &scope, resources).await?
        {
            return Ok(false);
        }
    }
    // A stored consent speaks for the user where nobody can be asked, and wherever the site does
    // not insist on asking every time (Force).
    let remembered = examined.request.prompt.none || !settings.force_consent;
    if remembered && !unproven {
        let resource = crate::token::join_resources(resources);
        return Ok(!consent::covers(ctx, &user.name, client, &scope, &resource).await?);
    }
    Ok(true)
}
