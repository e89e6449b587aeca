//! `frappe.core.doctype.user.user.generate_keys`.

use crema_auth::caller::Caller;

use crate::api::arguments::Arguments;
use crate::call::Call;
use crate::reply::{Problem, Reply};

/// Answers with a new pair of API key and secret for a user.
///
/// # Errors
/// 403 when the caller may not.
// spec: http.md, Resource server, "System Manager only, secret shown once"
pub(crate) async fn generate(
    call: &Call,
    caller: &Caller,
    arguments: &Arguments,
) -> Result<Reply, Problem> {
    let user = arguments.required("user")?;
    let _ = (call, caller, user);
    Err(Problem::Internal)
}
