//! Pages around a sign-in: `/login`, `/me`, and where a signed-in user lands.

mod callback;

use axum::http::{Method, StatusCode};
use crema_auth::authorize::reauth;
use crema_auth::login::LoginOutcome;
use crema_auth::session;
use crema_protocol::endpoints;
use crema_protocol::params::Params;

use crate::api::login::{attempt, set_cookies};
use crate::call::Call;
use crate::pages::{LoginError, LoginPage, MePage, PostForm};
use crate::reply::{self, Problem, Reply};

pub use callback::callback;

/// Where somebody goes who did not say where.
const HOME: &str = "/me";

/// Answers `/login`.
///
/// # Errors
/// 400 for another site's form; 405 for other methods.
pub async fn login(call: &Call) -> Result<Reply, Problem> {
    match call.method {
        Method::GET | Method::HEAD => form(call).await,
        Method::POST => submit(call).await,
        _ => Err(Problem::Method("GET, POST")),
    }
}

async fn form(call: &Call) -> Result<Reply, Problem> {
    let params = call.query()?;
    let to = params
        .get("redirect-to")
        .and_then(|to| local_path(call, to));
    let mut again = false;
    if let Some(session) = call.session().await? {
        if let Some(request) = to.as_deref().and_then(authorization_request) {
            again = reauth::waits_for(&call.ctx, &request, session).await?;
        }
        if !again {
            return Ok(reply::redirect(
                StatusCode::FOUND,
                to.as_deref().unwrap_or(HOME),
            ));
        }
    }
    show(
        call,
        StatusCode::OK,
        to.as_deref(),
        params.get("login_hint"),
        None,
        again,
    )
    .await
}

async fn submit(call: &Call) -> Result<Reply, Problem> {
    let params = call.form()?;
    let to = params
        .get("redirect-to")
        .and_then(|to| local_path(call, to));
    let (status, error) = match attempt(call, &params).await? {
        LoginOutcome::SignedIn(signed_in) => {
            let to = to.as_deref().unwrap_or(HOME);
            let mut reply = reply::redirect(StatusCode::SEE_OTHER, to);
            set_cookies(call, &mut reply, &signed_in).await?;
            return Ok(reply);
        }
        LoginOutcome::Refused { .. } => (StatusCode::UNAUTHORIZED, LoginError::Invalid),
        LoginOutcome::Locked { retry_after } => (
            StatusCode::TOO_MANY_REQUESTS,
            LoginError::Locked { retry_after },
        ),
    };
    let mut reply = show(
        call,
        status,
        to.as_deref(),
        params.get("usr"),
        Some(error),
        false,
    )
    .await?;
    if let LoginError::Locked { retry_after } = error {
        let value = axum::http::HeaderValue::from(retry_after);
        reply
            .headers_mut()
            .insert(axum::http::header::RETRY_AFTER, value);
    }
    Ok(reply)
}

async fn show(
    call: &Call,
    status: StatusCode,
    to: Option<&str>,
    login_hint: Option<&str>,
    error: Option<LoginError<'_>>,
    again: bool,
) -> Result<Reply, Problem> {
    let request = to.and_then(authorization_request).unwrap_or_default();
    let client = match request.get("client_id") {
        Some(client_id) => call
            .ctx
            .client(client_id)
            .await?
            .filter(|client| client.enabled),
        None => None,
    };
    let page = LoginPage {
        lang: call.lang(request.get("ui_locales")),
        site_name: call.site_name(),
        action: "/login",
        redirect_to: to,
        login_hint,
        error,
        client_name: client.as_deref().map(|client| client.app_name.as_str()),
        again,
    };
    Ok(reply::html(status, page.render()))
}

/// Answers `/me`: who is signed in, and the way out.
///
/// # Errors
/// When the database cannot be read.
pub async fn me(call: &Call) -> Result<Reply, Problem> {
    let Some(session) = call.session().await? else {
        return Ok(reply::redirect(
            StatusCode::FOUND,
            "/login?redirect-to=%2Fme",
        ));
    };
    let user = call.ctx.user(&session.user).await?;
    let roles = user
        .as_deref()
        .map(|user| user.roles.iter().map(String::as_str).collect());
    let csrf_token = session::csrf_token(&call.ctx, session).await?;
    let page = MePage {
        lang: call.lang(None),
        site_name: call.site_name(),
        user: &session.user,
        full_name: &session.full_name,
        roles: roles.unwrap_or_default(),
        logout: PostForm {
            action: "/api/method/logout",
            fields: Vec::new(),
        },
        csrf_token: csrf_token.expose(),
    };
    Ok(reply::html(StatusCode::OK, page.render()))
}

/// Answers `/` and `/app`: there is no Desk yet, so everybody is shown who they are.
///
/// # Errors
/// When the database cannot be read.
pub async fn home(call: &Call) -> Result<Reply, Problem> {
    let to = if call.session().await?.is_some() {
        HOME
    } else {
        "/login"
    };
    Ok(reply::redirect(StatusCode::FOUND, to))
}

/// The path of this site that a `redirect-to` names, or nothing: other origins, other schemes
/// and everything that a browser might read as one of them are dropped.
// spec: security.md, "`redirect-to` goes to this site's own paths only"
pub fn local_path(call: &Call, to: &str) -> Option<String> {
    own_path(&call.ctx.issuer, to)
}

/// [`local_path`] at the site with this issuer.
pub fn own_path(issuer: &str, to: &str) -> Option<String> {
    if to
        .bytes()
        .any(|byte| byte < 0x20 || byte == b'\\' || byte == 0x7f)
    {
        return None;
    }
    let base = url::Url::parse(issuer).ok()?;
    let target = base.join(to).ok()?;
    let ours = target.origin() == base.origin()
        && target.username().is_empty()
        && target.password().is_none();
    if !ours || !(to.starts_with('/') || to.starts_with(issuer)) {
        return None;
    }
    let path = target.path();
    if !path.starts_with('/') || path.starts_with("//") {
        return None;
    }
    Some(
        target
            .query()
            .map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")),
    )
}

/// The parameters of the authorization request that a path leads back to.
fn authorization_request(path: &str) -> Option<Params> {
    let (path, query) = path.split_once('?')?;
    (path == endpoints::AUTHORIZE.path)
        .then(|| Params::from_query(query.as_bytes()).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::own_path;

    const ISSUER: &str = "http://trust.localhost:8000";

    #[test]
    // spec: security.md, "`redirect-to` goes to this site's own paths only"
    fn only_paths_of_this_site_are_followed() {
        let own = |to: &str| own_path(ISSUER, to);
        assert_eq!(own("/me").as_deref(), Some("/me"));
        assert_eq!(own("/a?b=c%20d&e").as_deref(), Some("/a?b=c%20d&e"));
        assert_eq!(
            own("http://trust.localhost:8000/x?y=1").as_deref(),
            Some("/x?y=1")
        );
        for foreign in [
            "//evil.example/",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example/",
            "http://trust.localhost:8000@evil.example/",
            "http://trust.localhost:8000.evil.example/",
            "http://trust.localhost:80001/",
            "http://user@trust.localhost:8000/",
            "javascript:alert(1)",
            "data:text/html,x",
            "/\t/evil.example",
            "me",
            "",
            "/..//evil.example",
        ] {
            assert_eq!(own(foreign), None, "{foreign}");
        }
    }
}
