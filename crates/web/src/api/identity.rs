//! Who sends a request to the resource server, and whether one of our own pages made it.

use crema_auth::caller::{self, Caller};

use crate::api::arguments::Arguments;
use crate::call::Call;
use crate::csrf::{self, Guard};
use crate::reply::Problem;

/// Who sends the request: by its `Authorization` header alone when there is one, else by the
/// session, else nobody.
///
/// # Errors
/// 401 when credentials were sent that are not good; 400 when they cannot be decoded.
// spec: http.md, Resource server, "Under /api/ a bad or undecodable header is 401"
pub(crate) async fn identify(call: &Call) -> Result<Caller, Problem> {
    let source = call.header("frappe-authorization-source");
    let session = call.session().await?;
    let found = caller::identify(&call.ctx, call.authorization(), source, session).await;
    Ok(found?)
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
