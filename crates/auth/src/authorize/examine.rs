//! Reading an authorization request: first who asks and where the answer would go, then the rest.

use std::borrow::Cow;
use std::sync::Arc;

use crema_protocol::authorize_request::AuthorizeRequest;
use crema_protocol::client_rules::ClientRules;
use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::params::Params;
use crema_protocol::response::AuthorizationResponse;
use crema_protocol::scope::Scope;
use crema_protocol::{metadata_document, resource};

use super::{Document, Outcome, Question};
use crate::audit::{Entry, Operation, Status};
use crate::client::Client;
use crate::client::metadata_document::{Described, describe};
use crate::user::User;
use crate::{Ctx, Failure, client_auth};

/// A request whose client, redirect URI and parameters are all in order.
#[derive(Debug)]
pub struct Examined {
    /// The client, enabled.
    pub client: Arc<Client>,
    /// What its document says, when that is what it is known by.
    pub(super) described: Option<Box<Described>>,
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
    let (client, described) = match find(ctx, &who.client_id).await? {
        Ok(Found::Record(client)) => (client, None),
        Ok(Found::Document(described)) => (Arc::clone(&described.client), Some(described)),
        Err(error) => return refuse(error),
    };
    let target = match who.target(&client.rules) {
        Ok(target) => target,
        Err(error) => return refuse(error),
    };
    // From here on the client has a right to hear of its mistakes, in the mode it asked for.
    let rules = rules_now(ctx, &client, params).await?;
    let parsed = AuthorizeRequest::parse(params, &rules).and_then(|request| {
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
    Ok(Ok(Examined {
        client,
        described,
        request,
    }))
}

/// A client that may ask.
enum Found {
    /// It has a record, and is enabled.
    Record(Arc<Client>),
    /// It is described by a document.
    Document(Box<Described>),
}

async fn find(ctx: &Ctx, client_id: &str) -> Result<Result<Found, OAuthError>, Failure> {
    let found = if metadata_document::is_address(client_id) {
        match describe(ctx, client_id).await? {
            Ok(described) => described.map(Box::new).map(Found::Document),
            Err(error) => return Ok(Err(error)),
        }
    } else {
        let client = ctx.client(client_id).await?;
        client.filter(|client| client.enabled).map(Found::Record)
    };
    Ok(found.ok_or_else(|| {
        OAuthError::invalid_request(format!(
            "Invalid client_id parameter value: there is no OAuth Client with this id at {}.",
            ctx.provider.site().name()
        ))
    }))
}

/// The client's rules. One that nobody has vouched for may ask for what such clients may have at
/// this moment; what it registered is what a request stands for that names no scope. It was no
/// bound when the client chose it, and a client that is told by a challenge that it needs more
/// asks for that with the id that it has.
// spec: http.md, register_client, "Registered clients may ask for the scopes that OAuth Settings
// allow"; standards.md, U, "step-up flow"
async fn rules_now<'a>(
    ctx: &Ctx,
    client: &'a Client,
    params: &Params,
) -> Result<Cow<'a, ClientRules>, Failure> {
    if !client.dynamically_registered {
        return Ok(Cow::Borrowed(&client.rules));
    }
    let settings = ctx.settings().await?;
    let allowed = Scope::from_registered(&settings.registration_scopes.join(" "));
    let names_scopes = |scope: &str| !scope.trim().is_empty();
    let scopes = if params.get("scope").is_some_and(names_scopes) {
        allowed
    } else {
        let registered = &client.rules.scopes;
        // What both open: either may say `all` where the other is exact.
        registered
            .within(&allowed)
            .union(&allowed.within(registered))
    };
    Ok(Cow::Owned(ClientRules {
        scopes,
        ..client.rules.clone()
    }))
}

impl Examined {
    /// Where the response goes.
    pub(super) fn redirect_uri(&self) -> &str {
        &self.request.target.redirect_uri
    }

    /// An entry of the audit trail about the user's answer to this request. A client that nobody
    /// has allowed anything yet has no record that could be named.
    pub(super) fn entry(&self, ctx: &Ctx, status: Status) -> Entry {
        let entry = Entry::new(ctx, Operation::Consent, status);
        let entry = entry.detail("scope", self.request.scope.to_string());
        match self.client.name.as_str() {
            "" => entry.detail("client_id", self.client.rules.client_id.as_str()),
            name => entry.client(name),
        }
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
            ErrorCode::UnauthorizedClient => "The client is disabled.",
            ErrorCode::UnmetAuthenticationRequirements => {
                "The authentication context class cannot be reached."
            }
            _ => "",
        };
        let error = OAuthError::new(code, description);
        Outcome::Respond(self.request.target.error(&error, &ctx.issuer))
    }

    /// The same with a record of the client that says what its document says; refused when an
    /// administrator has disabled the client since the request was read.
    pub(super) async fn with_record(
        mut self,
        ctx: &Ctx,
        user: &str,
    ) -> Result<Result<Examined, Outcome>, Failure> {
        let Some(described) = &self.described else {
            return Ok(Ok(self));
        };
        match described.keep(ctx, user).await? {
            Some(client) => {
                self.client = client;
                Ok(Ok(self))
            }
            None => Ok(Err(self.refuse(ctx, ErrorCode::UnauthorizedClient))),
        }
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
            document: self.described.as_deref().map(|described| Document {
                host: described.host.clone(),
            }),
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
