//! `/api/openapi.json`: the site's own API in OpenAPI 3.1, for whoever asks: what the definitions
//! say, of that only what this caller may. Guests get what they may, which is little.

mod common;
mod methods;
mod records;
mod schema;
mod view;

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::api::identity;
use crate::call::Call;
use crate::reply::{self, Problem, Reply};
use view::{Parts, View};

/// Answers with the description.
///
/// # Errors
/// 401 when credentials were sent that are not good; 405 for other methods than GET and HEAD.
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    if !matches!(call.method, Method::GET | Method::HEAD) {
        return Err(Problem::Method("GET, HEAD"));
    }
    let caller = identity::identify(call).await?;
    let settings = call.ctx.settings().await?;
    let view = View {
        registry: &call.ctx.provider.site().registry(),
        actor: &caller.actor,
        is_guest: caller.is_guest(),
        scopes: caller.scopes.as_deref(),
        issuer: &call.ctx.issuer,
        site_name: call.site_name(),
        scopes_supported: &settings.scopes_supported,
    };
    Ok(reply::json(StatusCode::OK, &document(&view)))
}

/// What readers should know before they look at a path.
const ABOUT: &str = "What you may do at this site, as of now. Paths exist in two versions: \
    `/api/…` (also `/api/v1/…`), as Frappe's client libraries have it, leaves empty members out of \
    single documents; `/api/v2/…` keeps them. Moments are local to the site and have no zone. \
    Members that are not known are ignored.";

/// The whole description. The same view gives the same text.
fn document(view: &View<'_>) -> Value {
    let mut parts = Parts {
        schemas: common::schemas(),
        ..Parts::default()
    };
    let mut paths = Map::new();
    let mut tags = vec![json!({"name": "Methods"})];
    let doctypes = view.doctypes();
    for visible in &doctypes {
        let doctype = &visible.doctype;
        tags.push(json!({"name": doctype.name, "description": doctype.description}));
        records::describe(view, visible, &mut parts, &mut paths);
    }
    methods::describe(view, &doctypes, &mut parts, &mut paths);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": view.site_name,
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "servers": [{"url": view.issuer}],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": common::security_schemes(view, &parts),
            "parameters": common::parameters(),
            "responses": common::refusals(),
            "schemas": parts.schemas,
        },
    })
}
