//! `frappe.integrations.oauth2.authorize` and `approve`: outcomes as pages and redirects.

use axum::http::{Method, StatusCode};
use crema_auth::authorize::{self, Decision, Outcome, Question};
use crema_auth::session;
use crema_protocol::endpoints;
use crema_protocol::params::Params;
use crema_protocol::redirect_uri;
use crema_protocol::response::{AuthorizationResponse, ResponseMode};
use percent_encoding::utf8_percent_encode;

use crate::call::Call;
use crate::csrf::{self, Guard};
use crate::pages::{ConsentPage, ConsentWarning, FormPostPage, PostForm, scope_lines};
use crate::reply::{self, COMPONENT, Problem, Reply};

/// What the consent form sends beside the request itself.
const FORM_FIELDS: [&str; 3] = ["decision", "csrf_token", "cmd"];

/// What no authorization request needs and no address of ours may carry, however it came.
// spec: security.md, Inputs, outputs, network, "Secrets and tokens never in … URLs that we build"
const SECRETS: [&str; 9] = [
    "access_token",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "csrf_token",
    "password",
    "pwd",
    "refresh_token",
];

/// Answers an authorization request. A POST is sent on to the GET, so that it can never grant
/// and the sign-in page has an address to come back to.
///
/// # Errors
/// Client and redirect URI errors as 400; everything else redirects.
// spec: security.md, Authorization endpoint, "nor does a POST to authorize"
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    match call.method {
        // HEAD is refused: it must not issue a code that nobody reads.
        Method::GET => {}
        Method::POST => {
            let params = call.params()?.without(&SECRETS);
            let location = format!("{}?{}", endpoints::AUTHORIZE.path, params.to_query());
            return Ok(reply::redirect(StatusCode::SEE_OTHER, &location));
        }
        _ => return Err(Problem::Method("GET, POST")),
    }
    let params = call.query()?;
    let session = call.session().await?;
    let outcome = authorize::authorize(&call.ctx, &params, session).await?;
    show(call, &params, outcome).await
}

/// Answers the consent form.
///
/// # Errors
/// 400 without the session's CSRF token; as [`answer`] otherwise.
// spec: behaviour.md, finding 10: no code without the consent page, none by GET
pub async fn approve(call: &Call) -> Result<Reply, Problem> {
    if call.method != Method::POST {
        return Err(Problem::Method("POST"));
    }
    let form = call.form()?;
    let sent = call.params()?;
    let request = sent.without(&FORM_FIELDS).without(&SECRETS);
    let Some(session) = call.session().await? else {
        let request = request.without(&[authorize::reauth::HANDLE]);
        return Ok(to_login(call, &request, None, StatusCode::SEE_OTHER));
    };
    csrf::check(call, session, &form, Guard::Always).await?;
    // What was clicked comes in the form's body alone; scripts that post without one allow.
    let decision = match form.get("decision") {
        Some("allow") | None => Decision::Allow,
        Some(_) => Decision::Deny,
    };
    let outcome = authorize::approve(&call.ctx, &request, session, decision).await?;
    show(call, &request, outcome).await
}

async fn show(call: &Call, params: &Params, outcome: Outcome) -> Result<Reply, Problem> {
    match outcome {
        Outcome::Refused(error) => Ok(refusal(call, &error)),
        Outcome::Respond(response) => Ok(respond(call, params, &response)),
        Outcome::SignIn {
            request,
            login_hint,
        } => Ok(to_login(
            call,
            &request,
            login_hint.as_deref(),
            StatusCode::FOUND,
        )),
        Outcome::Ask(question) => ask(call, params, &question).await,
    }
}

/// An error that must not redirect: Frappe's members beside those of RFC 6749.
fn refusal(call: &Call, error: &crema_protocol::error::OAuthError) -> Reply {
    if call.wants_html() {
        return reply::problem(call, &Problem::OAuth(error.clone()));
    }
    call.notes.set_error(error.code);
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    reply::json(status, &error.frappe_body())
}

fn respond(call: &Call, params: &Params, response: &AuthorizationResponse) -> Reply {
    if let Some((_, error)) = response.params.iter().find(|(name, _)| name == "error") {
        call.notes.set_error_name(error);
    }
    if response.mode != ResponseMode::FormPost {
        return match response.location() {
            Some(location) => reply::redirect(StatusCode::FOUND, &location),
            None => reply::problem(call, &Problem::Internal),
        };
    }
    let host = redirect_uri::host_for_display(&response.redirect_uri);
    let page = FormPostPage {
        lang: call.lang(params.get("ui_locales")),
        site_name: call.site_name(),
        action: &response.redirect_uri,
        redirect_host: &host,
        params: response
            .params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect(),
    };
    reply::html(StatusCode::OK, page.render())
}

/// Sends the browser to the sign-in page, which sends it back to this very request.
fn to_login(call: &Call, request: &Params, hint: Option<&str>, status: StatusCode) -> Reply {
    let back = format!(
        "{}{}?{}",
        call.ctx.issuer,
        endpoints::AUTHORIZE.path,
        request.to_query()
    );
    let mut location = format!(
        "/login?redirect-to={}",
        utf8_percent_encode(&back, COMPONENT)
    );
    if let Some(hint) = hint {
        let hint = utf8_percent_encode(hint, COMPONENT);
        location.push_str(&format!("&login_hint={hint}"));
    }
    reply::redirect(status, &location)
}

async fn ask(call: &Call, params: &Params, question: &Question) -> Result<Reply, Problem> {
    let Some(session) = call.session().await? else {
        return Err(Problem::Guest);
    };
    let csrf_token = session::csrf_token(&call.ctx, session).await?;
    let lang = call.lang(params.get("ui_locales"));
    let scopes: Vec<&str> = question.scopes.iter().map(String::as_str).collect();
    // The request rides in the address: browsers change line breaks in form fields, and `state`
    // has to come back byte for byte.
    let action = format!(
        "{}?{}",
        endpoints::APPROVE.path,
        question.request.to_query()
    );
    let again = format!(
        "{}?{}",
        endpoints::AUTHORIZE.path,
        question.request.to_query()
    );
    let host = redirect_uri::host_for_display(&question.redirect_uri);
    let page = ConsentPage {
        lang,
        site_name: call.site_name(),
        client_name: &question.app_name,
        described_at: question
            .document
            .as_ref()
            .map(|document| document.host.as_str()),
        client_uri: question.client_uri.as_deref(),
        redirect_host: &host,
        user: &question.user.name,
        full_name: &question.user.full_name,
        switch_account: Some(PostForm {
            action: "/api/method/logout",
            fields: vec![("redirect-to", again.as_str())],
        }),
        scopes: scope_lines(lang, &scopes, &|doctype| names_of(call, doctype)),
        action: &action,
        hidden: Vec::new(),
        csrf_token: csrf_token.expose(),
        tos_uri: question.tos_uri.as_deref(),
        policy_uri: question.policy_uri.as_deref(),
        warnings: warnings(question, params),
    };
    Ok(reply::html(StatusCode::OK, page.render()))
}

/// The DocTypes of the site that a scope with this name is about.
fn names_of(call: &Call, snake_case: &str) -> Vec<String> {
    let registry = call.ctx.provider.site().registry();
    let names = registry.doctypes().map(|doctype| &doctype.name);
    names
        .filter(|name| crema_document::names::snake_case(name) == snake_case)
        .cloned()
        .collect()
}

fn warnings(question: &Question, params: &Params) -> Vec<ConsentWarning> {
    let mut warnings = Vec::new();
    let described = question.document.is_some();
    if described {
        warnings.push(ConsentWarning::Described);
    } else if question.dynamically_registered {
        warnings.push(ConsentWarning::Unverified);
    }
    if described && redirect_uri::is_loopback(&question.redirect_uri) {
        warnings.push(ConsentWarning::AnyProgram);
    } else if redirect_uri::is_custom_scheme(&question.redirect_uri)
        || redirect_uri::is_loopback(&question.redirect_uri)
    {
        warnings.push(ConsentWarning::ThisDevice);
    }
    let kinds = params.get("response_type").unwrap_or_default();
    if kinds.split(' ').any(|kind| kind == "token") {
        warnings.push(ConsentWarning::TokenInAddress);
    }
    warnings
}
