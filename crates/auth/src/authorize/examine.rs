//! Reading an authorization request: first who asks and where the answer would go, then the rest.

use std::sync::Arc;

use crema_protocol::authorize_request::AuthorizeRequest;
use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::params::Params;
use crema_protocol::resource;
use crema_protocol::response::AuthorizationResponse;

use super::{Outcome, Question};
use crate::client::Client;
use crate::user::User;
use crate::{Ctx, Failure, client_auth};

/// A request whose client, redirect URI and parameters are all in order.
#[derive(Debug)]
pub struct Examined {
    /// The client, enabled.
    pub client: Arc<Client>,
    /// The request.
    pub request: AuthorizeRequest,
}

/// Why a request goes no further.
#[derive(Debug)]
pub enum Rejection {
    /// Without a redirect.
    Refused(OAuthError),
    /// With an error response to the redirect URI.
    Respond(AuthorizationResponse),
}

/// Examines a request in the order of `security.md`.
///
/// # Errors
/// Only when something of ours fails.
pub(super) async fn examine(
    ctx: &Ctx,
    params: &Params,
) -> Result<Result<Examined, Rejection>, Failure> {
    let refuse = |error: OAuthError| Ok(Err(Rejection::Refused(error)));
    let who = match AuthorizeRequest::identify(params) {
        Ok(who) => who,
        Err(error) => return refuse(error),
    };
    let client = ctx.client(&who.client_id).await?;
    let Some(client) = client.filter(|client| client.enabled) else {
        return refuse(OAuthError::invalid_request(format!(
            "Invalid client_id parameter value: there is no OAuth Client with this id at {}.",
            ctx.provider.site().name()
        )));
    };
    let target = match who.target(&client.rules) {
        Ok(target) => target,
        Err(error) => return refuse(error),
    };
    // From here on the client has a right to hear of its mistakes, in the mode it asked for.
    let parsed = AuthorizeRequest::parse(params, &client.rules).and_then(|request| {
        resource::check(&ctx.issuer, &request.resource)?;
        Ok(request)
    });
    let request = match parsed {
        Ok(request) => request,
        Err(error) => return Ok(Err(Rejection::Respond(target.error(&error, &ctx.issuer)))),
    };
    if let Some(violation) = request.observed {
        client_auth::observe(ctx, &client, violation.as_str()).await?;
    }
    Ok(Ok(Examined { client, request }))
}

impl Examined {
    /// Where the response goes.
    pub(super) fn redirect_uri(&self) -> &str {
        &self.request.target.redirect_uri
    }

    /// A response of this request.
    pub(super) fn respond(&self, ctx: &Ctx, params: Vec<(String, String)>) -> Outcome {
        Outcome::Respond(self.request.target.answer(params, &ctx.issuer))
    }

    /// An error response of this request.
    pub(super) fn refuse(&self, ctx: &Ctx, code: ErrorCode) -> Outcome {
        let description = match code {
            ErrorCode::LoginRequired => "The user has to sign in.",
            ErrorCode::ConsentRequired => "The user has to be asked.",
            ErrorCode::AccessDenied => "The request was denied.",
            ErrorCode::UnmetAuthenticationRequirements => {
                "The authentication context class cannot be reached."
            }
            _ => "",
        };
        let error = OAuthError::new(code, description);
        Outcome::Respond(self.request.target.error(&error, &ctx.issuer))
    }

    /// What the consent page shows about this request.
    pub(super) fn question(&self, user: Arc<User>, request: &Params) -> Question {
        let client = &self.client;
        Question {
            app_name: client.app_name.clone(),
            client_uri: client.client_uri.clone(),
            tos_uri: client.tos_uri.clone(),
            policy_uri: client.policy_uri.clone(),
            dynamically_registered: client.dynamically_registered,
            redirect_uri: self.redirect_uri().to_owned(),
            scopes: self
                .request
                .consent_scope()
                .iter()
                .map(str::to_owned)
                .collect(),
            user,
            request: request.clone(),
        }
    }
}
