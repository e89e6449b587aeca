//! `/mcp`: the site's documents and methods as tools of the Model Context Protocol.
//!
//! Streamable HTTP without sessions: one POST is one message, one JSON answer is the end of it, and
//! every request shows its own token. The messages are those of the SDK `rmcp`; its server is not
//! used, because it hands each request to tasks that outlive the connection, writes what tools are
//! called with and what they answer to the log, and has no way to answer a call with 403.
// spec: security.md, Inputs, outputs, network, "`/mcp` checks Origin"; standards.md, U and U2

mod entrance;
mod message;
mod refusal;
mod revision;
mod server;
mod tools;

use crate::call::Call;
use crate::reply::{Problem, Reply};

/// Answers a request of an MCP client.
///
/// # Errors
/// 404 while OAuth Settings switch it off; when the database cannot be read. Everything else is
/// answered as JSON-RPC has it: 401 and 403 with a challenge.
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    if !call.ctx.settings().await?.enable_mcp {
        return Err(Problem::not_found("There is no such page."));
    }
    let answered = match entrance::admit(call).await {
        Ok(caller) => server::answer(call, &caller).await,
        Err(problem) => Err(problem),
    };
    Ok(answered.unwrap_or_else(|problem| refusal::reply(call, None, &problem)))
}

/// The ids of the requests that a body holds, in order; `None` when it is no message. For tests that
/// throw anything at it.
#[doc(hidden)]
pub fn ids(body: &[u8]) -> Option<Vec<serde_json::Value>> {
    use message::Message;
    let id = |message| match message {
        Message::Request(request) => Some(request.id),
        Message::Notice | Message::Batch(_) => None,
    };
    Some(match message::read(body).ok()? {
        Message::Batch(messages) => messages.into_iter().flatten().filter_map(id).collect(),
        one => id(one).into_iter().collect(),
    })
}
