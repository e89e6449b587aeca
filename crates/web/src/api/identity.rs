//! Who sends a request to the resource server, and whether one of our own pages made it.
//!
//! A token that was asked for one resource is refused at the paths of another.

use crema_auth::caller::{self, Caller, Credential, Unidentified};

use crate::api::arguments::Arguments;
use crate::call::{Call, TokenNote};
use crate::csrf::{self, Guard};
use crate::metrics::Endpoint;
use crate::reply::Problem;

/// Who sends the request: by its `Authorization` header alone when there is one, else by the
/// session, else nobody.
///
/// # Errors
/// 401 when credentials were sent that are not good, or not here.
// spec: http.md, Resource server, "Under /api/ a bad or undecodable header is 401"; RFC 8707 §2
pub(crate) async fn identify(call: &Call) -> Result<Caller, Problem> {
    if let Some(caller) = call.acting() {
        return Ok(caller.clone());
    }
    let source = call.header("frappe-authorization-source");
    let session = call.session().await?;
    let path = call.uri.path();
    let found = caller::identify(&call.ctx, path, call.authorization(), source, session).await;
    match &found {
        Ok(caller) => note(call, caller),
        Err(Unidentified::Elsewhere) => call.note_token(TokenNote::Elsewhere),
        Err(_) => {}
    }
    Ok(found?)
}

/// Remembers of a token what the challenge of a refusal may have to say.
fn note(call: &Call, caller: &Caller) {
    if let Credential::Bearer {
        self_registered,
        scope,
        ..
    } = &caller.credential
    {
        let scope = (call.notes.endpoint() == Endpoint::Mcp).then(|| scope.clone());
        call.note_token(TokenNote::Taken {
            self_registered: *self_registered,
            scope,
        });
    }
}

/// Refuses an unsafe request with a session that another site's page may have made.
///
/// # Errors
/// 400 `CSRFTokenError`.
pub(crate) fn same_site(call: &Call, arguments: &Arguments) -> Result<(), Problem> {
    match call.known_session() {
        Some(session) => csrf::check_token(call, session, arguments.csrf_token(), Guard::Session),
        None => Ok(()),
    }
}
