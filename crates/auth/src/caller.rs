//! Who sends a request to the resource server: a bearer token, an API key, a session, or nobody.
//!
//! A request with an `Authorization` header is judged by it alone; a bad header is refused and
//! never falls back to the session or to Guest.
// spec: http.md, Resource server

use std::collections::BTreeSet;
use std::sync::Arc;

use crema_document::access::{Action, Actor, Reach, UserPermissions};
use crema_protocol::authorization::{ApiKeyPair, Authorization, AuthorizationError};
use crema_protocol::resource_scope::{ResourceScopes, Verb};
use crema_protocol::scope::Scope;

use crate::api_key::{self, Verdict};
use crate::bearer::{self, Unusable};
use crate::session::Session;
use crate::user::{ADMINISTRATOR, GUEST, User, WRONG_ADDRESS};
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
        /// Whether nobody vouched for the client: it registered itself, or describes itself.
        self_registered: bool,
        /// What was granted.
        scope: Scope,
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
    /// A bearer token that is expired, revoked or unknown, or whose user or client is disabled
    /// (401 with `error="invalid_token"`).
    DeadToken,
    /// A bearer token that is good, and for another resource (401 with `error="invalid_token"`).
    Elsewhere,
    /// A header of another kind that is wrong, or says nothing (401).
    BadCredentials,
    /// A `Basic` value that is no base64 of a text (401; 400 `InvalidAuthorizationToken` in Frappe).
    Undecodable,
    /// The credentials are good, and may not be used from this address or at this hour: 401
    /// `AuthenticationError` with this message, as at the sign-in.
    Restricted(&'static str),
    /// Ours, or too many attempts.
    Failure(Failure),
}

impl From<Failure> for Unidentified {
    fn from(failure: Failure) -> Unidentified {
        Unidentified::Failure(failure)
    }
}

impl From<AuthorizationError> for Unidentified {
    fn from(error: AuthorizationError) -> Unidentified {
        match error {
            AuthorizationError::Bearer => Unidentified::DeadToken,
            AuthorizationError::Malformed => Unidentified::BadCredentials,
            AuthorizationError::Undecodable => Unidentified::Undecodable,
        }
    }
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

    /// Whether the user proved who he is less than ten minutes ago, as secrets and keys take.
    /// API keys never do: nobody is there.
    // spec: security.md, Clients, "need an `auth_time` of less than 10 minutes"
    pub fn is_fresh(&self, ctx: &Ctx) -> bool {
        let age = self.auth_time.map(|then| ctx.now.seconds() - then);
        age.is_some_and(|seconds| (0..FRESH).contains(&seconds))
    }

    /// Administrator in person, at this moment: who is behind whatever the command line does.
    pub fn administrator(ctx: &Ctx) -> Caller {
        let actor = Actor {
            user: ADMINISTRATOR.to_owned(),
            roles: [ADMINISTRATOR.to_owned()].into(),
            administrator: true,
            user_permissions: Arc::new(UserPermissions::default()),
            reach: Reach::Everything,
        };
        Caller {
            user: ADMINISTRATOR.to_owned(),
            actor: Arc::new(actor),
            credential: Credential::Session,
            scopes: None,
            auth_time: Some(ctx.now.seconds()),
        }
    }

    /// The caller inside of a method that a scope of the credential names: what the method does
    /// with documents of this DocType (its name in snake case) is then within reach. The user's
    /// permissions count on top, as ever.
    #[must_use]
    pub fn within(&self, method: &str, doctype: &str, actions: &[Action]) -> Caller {
        let mut caller = self.clone();
        let named = |scopes: &Arc<ResourceScopes>| scopes.methods.contains(method);
        if !self.scopes.as_ref().is_some_and(named) {
            return caller;
        }
        if let Reach::Some(opened) = &self.actor.reach {
            let mut opened = opened.clone();
            let own = opened.entry(doctype.to_owned()).or_default();
            own.extend(actions);
            caller.actor = Arc::new(Actor {
                reach: Reach::Some(opened),
                ..Actor::clone(&self.actor)
            });
        }
        caller
    }

    /// Somebody within the scopes of what was shown.
    fn scoped(
        user: &User,
        credential: Credential,
        scopes: Option<ResourceScopes>,
        auth_time: Option<i64>,
    ) -> Caller {
        let actor = match &scopes {
            Some(scopes) if !scopes.all => Arc::new(Actor {
                reach: reach(scopes),
                ..Actor::clone(&user.actor)
            }),
            _ => Arc::clone(&user.actor),
        };
        Caller {
            user: user.name.clone(),
            actor,
            credential,
            scopes: scopes.map(Arc::new),
            auth_time,
        }
    }
}

/// How old a proof of who somebody is may be for what needs a fresh one, in seconds.
const FRESH: i64 = 600;

/// Who sends this request. `authorization` is the header as text (`Some("")` for one that is
/// there and unreadable), `source` the value of `Frappe-Authorization-Source`, `path` the path that
/// was asked for, as it was sent.
///
/// Whoever it is, the site's version has been looked at afterwards, so that definitions and
/// settings in memory are those of this request.
///
/// # Errors
/// [`Unidentified`] when credentials were sent that are not good.
// spec: http.md, Resource server; security.md, "A request with an Authorization header ignores
// cookies"
pub async fn identify(
    ctx: &Ctx,
    path: &str,
    authorization: Option<&str>,
    source: Option<&str>,
    session: Option<&Session>,
) -> Result<Caller, Unidentified> {
    if let Some(header) = authorization {
        return match Authorization::parse(header)? {
            Authorization::Bearer(token) => by_bearer(ctx, token.expose(), path).await,
            Authorization::ApiKey(pair) => by_key(ctx, &pair, source).await,
        };
    }
    match session {
        Some(session) => by_session(ctx, session).await,
        None => nobody(ctx).await,
    }
}

async fn by_bearer(ctx: &Ctx, token: &str, path: &str) -> Result<Caller, Unidentified> {
    let token = match bearer::check_at(ctx, token, path).await? {
        Ok(token) => token,
        Err(Unusable::Dead) => return Err(Unidentified::DeadToken),
        Err(Unusable::Elsewhere) => return Err(Unidentified::Elsewhere),
    };
    here_and_now(ctx, &token.user)?;
    let scopes = ResourceScopes::of(&token.scope);
    let credential = Credential::Bearer {
        client: token.client.name.clone(),
        self_registered: token.client.dynamically_registered,
        scope: token.scope,
    };
    let auth_time = token.stored.auth_time;
    Ok(Caller::scoped(
        &token.user,
        credential,
        Some(scopes),
        auth_time,
    ))
}

async fn by_key(
    ctx: &Ctx,
    pair: &ApiKeyPair,
    source: Option<&str>,
) -> Result<Caller, Unidentified> {
    match api_key::check(ctx, pair, source).await? {
        Verdict::Right(holder) => {
            here_and_now(ctx, &holder.user)?;
            let scopes = holder.scopes;
            Ok(Caller::scoped(
                &holder.user,
                Credential::ApiKey,
                scopes,
                None,
            ))
        }
        Verdict::Wrong => Err(Unidentified::BadCredentials),
        Verdict::WrongAddress => Err(Unidentified::Restricted(WRONG_ADDRESS)),
    }
}

async fn by_session(ctx: &Ctx, session: &Session) -> Result<Caller, Unidentified> {
    // The session was found alive; its user can have gone since.
    let user = ctx.user(&session.user).await?.filter(|user| user.enabled);
    let user = user.ok_or(Unidentified::BadCredentials)?;
    here_and_now(ctx, &user)?;
    let auth_time = Some(session.auth_time.seconds());
    Ok(Caller::scoped(&user, Credential::Session, None, auth_time))
}

async fn nobody(ctx: &Ctx) -> Result<Caller, Unidentified> {
    let guest = ctx.user(GUEST).await?;
    let guest = guest.ok_or_else(|| Failure::internal("there is no User Guest"))?;
    Ok(Caller::scoped(&guest, Credential::Guest, None, None))
}

/// `restrict_ip`, `login_after` and `login_before` hold for every credential of a user.
fn here_and_now(ctx: &Ctx, user: &User) -> Result<(), Unidentified> {
    match user.refused_here_and_now(ctx) {
        Some(message) => Err(Unidentified::Restricted(message)),
        None => Ok(()),
    }
}

/// The scopes in the words of documents.
fn reach(scopes: &ResourceScopes) -> Reach {
    let actions = |verbs: &BTreeSet<Verb>| verbs.iter().map(|verb| action(*verb)).collect();
    let by_doctype = scopes.doctypes.iter();
    Reach::Some(
        by_doctype
            .map(|(doctype, verbs)| (doctype.clone(), actions(verbs)))
            .collect(),
    )
}

fn action(verb: Verb) -> Action {
    match verb {
        Verb::Read => Action::Read,
        Verb::Write => Action::Write,
        Verb::Create => Action::Create,
        Verb::Delete => Action::Delete,
    }
}
