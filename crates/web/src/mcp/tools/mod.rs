//! The tools: what each does, on the same code as the paths of REST, under the same rules.

mod definitions;
mod fit;
mod methods;
mod read;
mod secrets;
mod write;

use std::future::Future;
use std::pin::Pin;

use crema_auth::caller::Caller;
use crema_auth::records;
use crema_document::documents::Documents;
use rmcp::model::{CallToolRequestParams, CallToolResult, ErrorData, Tool};
use serde_json::{Map, Value};

use super::refusal;
use crate::api::arguments::Arguments;
use crate::call::Call;
use crate::reply::Problem;

pub(super) use definitions::all;

/// One call of a tool.
struct Use<'a> {
    call: &'a Call,
    caller: &'a Caller,
    documents: Documents,
    arguments: Arguments,
}

/// What a tool gives: the members of its structured result.
type Given = Result<Map<String, Value>, Problem>;

/// Work of a tool, whose type is not a part of its caller's: those of documents are deep.
type Work<'a> = Pin<Box<dyn Future<Output = Given> + Send + 'a>>;

/// Calls a tool. What the documents refuse is a result, for the assistant to read.
///
/// # Errors
/// -32602 for a tool that there is not. Or a [`Problem`]: a scope that the token lacks, and faults
/// of ours.
pub(super) async fn call(
    call: &Call,
    caller: &Caller,
    params: CallToolRequestParams,
) -> Result<Result<CallToolResult, ErrorData>, Problem> {
    let Some(tool) = all().iter().find(|tool| tool.name == params.name) else {
        let error = ErrorData::invalid_params("There is no tool of this name.", None);
        return Ok(Err(error));
    };
    let members = params.arguments.unwrap_or_default();
    let given = match unknown_argument(tool, &members) {
        Some(problem) => Err(problem),
        None => {
            let using = Use {
                call,
                caller,
                documents: records::documents(&call.ctx, caller),
                arguments: Arguments::of_members(members),
            };
            work(&tool.name, &using).await
        }
    };
    Ok(Ok(match given {
        Ok(mut result) => {
            fit::shorten(&mut result);
            CallToolResult::structured(Value::Object(result))
        }
        Err(problem) => refusal::told(call, problem)?,
    }))
}

fn work<'a>(name: &str, using: &'a Use<'_>) -> Work<'a> {
    match name {
        "list_doctypes" => Box::pin(async { read::list_doctypes(using) }),
        "describe_doctype" => Box::pin(async { read::describe_doctype(using) }),
        "list_documents" => Box::pin(read::list_documents(using)),
        "get_document" => Box::pin(read::get_document(using)),
        "create_document" => Box::pin(write::create_document(using)),
        "update_document" => Box::pin(write::update_document(using)),
        "delete_document" => Box::pin(write::delete_document(using)),
        _ => Box::pin(methods::call_method(using)),
    }
}

/// An argument that the tool does not take: misspelt ones would be passed over in silence.
fn unknown_argument(tool: &Tool, members: &Map<String, Value>) -> Option<Problem> {
    let properties = tool.input_schema.get("properties")?;
    let known = |name: &&String| properties.get(name.as_str()).is_some();
    let unknown = members.keys().find(|name| !known(name))?;
    let takes: Vec<&str> = properties.as_object()?.keys().map(String::as_str).collect();
    let unknown: String = unknown.chars().take(60).collect();
    Some(Problem::malformed(format!(
        "There is no argument {unknown}. The tool takes: {}.",
        takes.join(", ")
    )))
}

/// The members of a result.
fn members<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
