//! `/mcp`: the site's documents and methods as tools of the Model Context Protocol.
//!
//! Streamable HTTP, without sessions: every request shows its own token.

use crate::call::Call;
use crate::reply::{Problem, Reply};

/// Answers a request of an MCP client.
///
/// # Errors
/// 404 while OAuth Settings switch it off; 401 and 403 with a challenge.
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    let _ = call;
    Err(Problem::not_found("There is no such page."))
}
