//! Methods of the apps that come with the program, on the sites that have them.

use crema_auth::app_code::{self, AppMethod, MethodCall, MethodError, MethodScope};
use crema_auth::caller::Caller;
use serde_json::Value;

use crate::api::arguments::Arguments;
use crate::api::{identity, methods};
use crate::call::Call;
use crate::metrics::Endpoint;
use crate::reply::{self, Problem, Reply};

/// Answers a call to the method that the request calls `name`, which is none of the program's own.
///
/// # Errors
/// As [`methods::answer`]; what the method says.
pub(super) async fn answer(call: &Call, name: &str) -> Result<Reply, Problem> {
    let caller = identity::identify(call).await?;
    let Some(method) = named(call, name) else {
        return Err(methods::unknown(call, &caller, name).await?);
    };
    call.notes.set_endpoint(Endpoint::AppMethod);
    methods::allowed(call, method.allow)?;
    let arguments = methods::arguments(call)?;
    let result = run(call, &caller, method, &arguments).await?;
    Ok(reply::message(call, result))
}

/// The method of that name, of an app that the site has. Whoever asks has been identified, so that
/// the definitions in memory are those of this request.
pub(crate) fn named(call: &Call, name: &str) -> Option<&'static AppMethod> {
    let provider = &call.ctx.provider;
    app_code::method(
        provider.environment().apps,
        &provider.site().registry(),
        name,
    )
}

/// Calls a method.
///
/// # Errors
/// 401 for guests, 403 for a scope that is too small; what the method says.
pub(crate) async fn run(
    call: &Call,
    caller: &Caller,
    method: &'static AppMethod,
    arguments: &Arguments,
) -> Result<Value, Problem> {
    if caller.is_guest() {
        return Err(Problem::Guest);
    }
    if method.scope == MethodScope::Method && !caller.may_call(method.name) {
        return Err(methods::needs_scope(format!("method:{}", method.name)));
    }
    let answer = (method.run)(MethodCall {
        ctx: &call.ctx,
        caller,
        arguments: arguments.members(),
    });
    answer.await.map_err(|error| match error {
        MethodError::Document(error) => error.into(),
        MethodError::Failure(failure) => failure.into(),
    })
}
