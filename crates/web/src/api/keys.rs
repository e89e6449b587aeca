//! `frappe.core.doctype.user.user.generate_keys`.

use crema_auth::api_key;
use crema_auth::caller::Caller;
use serde_json::json;

use crate::api::arguments::Arguments;
use crate::call::Call;
use crate::reply::{self, Problem, Reply};

/// Answers with a new pair of API key and secret for a user, whose old pair ends.
///
/// # Errors
/// 403 when the caller may not, or did not sign in of late.
// spec: http.md, Resource server, "System Manager only, secret shown once"
pub(crate) async fn generate(
    call: &Call,
    caller: &Caller,
    arguments: &Arguments,
) -> Result<Reply, Problem> {
    let user = arguments.required("user")?;
    let pair = api_key::generate(&call.ctx, caller, &user).await?;
    let shown = json!({
        "api_key": pair.api_key,
        "api_secret": pair.api_secret.expose(),
    });
    Ok(reply::message(call, shown))
}
