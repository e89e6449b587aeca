//! The OAuth Client of the mobile app on a site, and API keys for the people who use it.
//!
//! May run at any time, as often as one likes and in several processes at once: there is one
//! client in the end, as the configuration has it, and nobody's keys change.
//!
//! Records: OAuth Client, User, Activity Log, by the code that keeps them.
// spec: crm.md, Bootstrap

use crema_auth::app_code::{AppFuture, MethodCall, MethodError};
use crema_auth::caller::Caller;
use crema_auth::client::{self, Client, ClientFields, EnsuredClient};
use crema_auth::user::{self, ADMINISTRATOR, GUEST};
use crema_auth::{Ctx, Failure, api_key};
use serde_json::{Map, Value as Json, json};

use crate::settings::Settings;

/// What the client may ask the token endpoint for. The password grant is what the operations guide
/// wants, the one place where it is on.
const GRANT_TYPES: &[&str] = &["authorization_code", "password", "refresh_token"];

/// What is wanted beside the client.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Show the secret of the client, if it has one.
    pub print_client_secret: bool,
    /// Give API keys to the users with one of the client's roles.
    pub generate_user_keys: bool,
}

/// Bootstraps a site and says how it stands now, in the words of the operations guide.
///
/// # Errors
/// [`Failure::Permission`] for whoever is no System Manager, and where secrets are to be shown for
/// whoever signed in more than ten minutes ago; [`Failure::Validation`] for a configuration that
/// makes no client.
pub async fn bootstrap_site(ctx: &Ctx, caller: &Caller, options: Options) -> Result<Json, Failure> {
    let actor = &caller.actor;
    if !(actor.administrator || actor.holds("System Manager")) {
        let text = "Only a System Manager bootstraps a site.";
        return Err(Failure::Permission(text.to_owned()));
    }
    let shows_secrets = options.print_client_secret || options.generate_user_keys;
    if shows_secrets && !caller.is_fresh(ctx) {
        let text = "Sign in again to do this: the last sign-in is over 10 minutes ago.";
        return Err(Failure::Permission(text.to_owned()));
    }
    let settings = Settings::of(ctx)?;
    let client = ensure(ctx, caller, &settings).await?;
    let mut result = json!({
        "ok": true,
        "site": ctx.provider.site().name(),
        "client_id": client.name,
        "redirect_uris": settings.redirect_uris,
        "grant_types": GRANT_TYPES,
        "message": "OAuth Client configured successfully",
    });
    let mut put = |name: &str, value: Json| {
        if let Some(members) = result.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    if let Some(secret) = client
        .secret
        .as_ref()
        .filter(|_| options.print_client_secret)
    {
        put("client_secret", json!(secret.expose()));
    }
    if options.generate_user_keys {
        put("user_keys", keys(ctx, caller, &settings.roles).await?);
    }
    Ok(result)
}

/// The same for the install hook and the patch, who tell nobody.
pub(crate) async fn quietly(ctx: &Ctx) -> Result<(), Failure> {
    let caller = Caller::administrator(ctx);
    bootstrap_site(ctx, &caller, Options::default())
        .await
        .map(drop)
}

/// `crm.setup.oauth_bootstrap.bootstrap_site(print_client_secret=0, generate_user_keys=0)`
pub(crate) async fn method(call: MethodCall<'_>) -> Result<Json, MethodError> {
    let options = Options {
        print_client_secret: flag(&call, "print_client_secret"),
        generate_user_keys: flag(&call, "generate_user_keys"),
    };
    Ok(bootstrap_site(call.ctx, call.caller, options).await?)
}

/// A switch; on only for what clearly says so.
fn flag(call: &MethodCall<'_>, name: &str) -> bool {
    match call.arguments.get(name) {
        Some(Json::Bool(on)) => *on,
        Some(Json::Number(number)) => number.as_i64() == Some(1),
        Some(Json::String(text)) => matches!(text.to_ascii_lowercase().as_str(), "1" | "true"),
        _ => false,
    }
}

/// The client as the configuration wants it. Whether it is enabled, and whether it has a secret,
/// is for the site's managers to change.
async fn ensure(
    ctx: &Ctx,
    caller: &Caller,
    settings: &Settings,
) -> Result<std::sync::Arc<Client>, Failure> {
    let first = settings.redirect_uris.first().map(String::as_str);
    let fields = ClientFields::new()
        .with("app_name", &settings.app_name)
        .with("redirect_uris", settings.redirect_uris.join("\n"))
        .with("default_redirect_uri", first.unwrap_or_default())
        .with("scopes", &settings.scopes)
        .with("grant_types", GRANT_TYPES.join("\n"))
        .with("allowed_roles", settings.roles.join("\n"));
    let only_new = ClientFields::new().with("token_endpoint_auth_method", "None");
    let ensuring: AppFuture<'_, Result<EnsuredClient, Failure>> =
        Box::pin(client::ensure(ctx, &caller.user, fields, only_new));
    let ensured = ensuring.await?;
    Ok(ensured.client)
}

/// Keys by user. A secret is there where this call has drawn it, a reason where the caller may not
/// make keys for somebody.
async fn keys(ctx: &Ctx, caller: &Caller, roles: &[String]) -> Result<Json, Failure> {
    let mut keys = Map::new();
    let users = user::list(ctx).await?;
    let wanted = users.into_iter().filter(|user| {
        let is_somebody = user.name != ADMINISTRATOR && user.name != GUEST;
        user.enabled && is_somebody && user.roles.iter().any(|role| roles.contains(role))
    });
    for user in wanted {
        // Boxed without its type, as above: such futures hold each other too deep for the compiler.
        let given: AppFuture<'_, Result<(String, Option<_>), Failure>> =
            Box::pin(api_key::generate_first(ctx, caller, &user.name));
        let shown = match given.await {
            Ok((api_key, None)) => json!({"api_key": api_key}),
            Ok((api_key, Some(secret))) => {
                json!({"api_key": api_key, "api_secret": secret.expose()})
            }
            Err(Failure::Permission(reason)) => json!({"error": reason}),
            Err(failure) => return Err(failure),
        };
        keys.insert(user.name, shown);
    }
    Ok(Json::Object(keys))
}
