//! Who sends a request to the resource server: a bearer token, an API key, a session, or nobody.
//!
//! A request with an `Authorization` header is judged by it alone; a bad header is refused and
//! never falls back to the session or to Guest.
// spec: http.md, Resource server

use std::sync::Arc;

use crema_document::access::Actor;
use crema_protocol::resource_scope::ResourceScopes;

use crate::session::Session;
use crate::{Ctx, Failure};

/// What a caller has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing.
    Guest,
    /// The cookie of a session.
    Session,
    /// An access token that was issued to this OAuth Client.
    Bearer {
        /// Name of the OAuth Client.
        client: String,
    },
    /// An API key: the User's own pair, or an API Key record.
    ApiKey,
}

/// Who sends a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Name of the User; `Guest` for nobody.
    pub user: String,
    /// The user as far as documents are concerned, within the reach of the credential.
    pub actor: Arc<Actor>,
    /// What was shown.
    pub credential: Credential,
    /// What the credential opens; `None` for sessions and guests, which have no scope.
    pub scopes: Option<Arc<ResourceScopes>>,
    /// When the user proved who he is, in seconds; `None` where nobody did.
    pub auth_time: Option<i64>,
}

/// Why nobody could be told.
#[derive(Debug)]
pub enum Unidentified {
    /// A bearer token that is expired, revoked or unknown.
    DeadToken,
    /// A header of another kind that is wrong, or says nothing.
    BadCredentials,
    /// A `Basic` value that is no base64 (Frappe's `InvalidAuthorizationToken`, 400).
    Undecodable,
    /// Ours, or too many attempts.
    Failure(Failure),
}

impl Caller {
    /// Whether nobody is signed in.
    pub fn is_guest(&self) -> bool {
        self.credential == Credential::Guest
    }

    /// Whether the credential opens a method that is not about documents.
    pub fn may_call(&self, method: &str) -> bool {
        self.scopes
            .as_ref()
            .is_none_or(|scopes| scopes.admits_method(method))
    }
}

/// Who sends this request. `authorization` is the header as text (`Some("")` for one that is
/// there and unreadable), `source` the value of `Frappe-Authorization-Source`.
///
/// # Errors
/// [`Unidentified`] when credentials were sent that are not good.
pub async fn identify(
    _ctx: &Ctx,
    _authorization: Option<&str>,
    _source: Option<&str>,
    _session: Option<&Session>,
) -> Result<Caller, Unidentified> {
    Err(Unidentified::BadCredentials)
}
