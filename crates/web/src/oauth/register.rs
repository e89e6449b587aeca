//! `frappe.integrations.oauth2.register_client` (RFC 7591, RFC 7592).

use crate::call::Call;
use crate::reply::{Problem, Reply};

/// Answers a registration, or the management of one.
///
/// # Errors
/// 404 while OAuth Settings switch it off; those of RFC 7591 §3.2.2.
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    let _ = call;
    Err(Problem::not_found(
        "Clients cannot register themselves here.",
    ))
}
