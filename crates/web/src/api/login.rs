//! `login` and `logout` as methods, for SDKs, and the cookies both ways.

use axum::http::{Method, StatusCode};
use crema_auth::login::{self, LoginOutcome, LoginRequest, SignedIn};
use crema_auth::session;
use crema_crypto::Secret;
use crema_protocol::params::Params;
use serde_json::{Map, Value, json};

use crate::account::local_path;
use crate::call::{ApiVersion, Call};
use crate::cookies;
use crate::csrf::{self, Guard};
use crate::pages::{ConfirmLogoutPage, PostForm, SignedOutPage};
use crate::reply::{self, Problem, Reply};

/// Answers `POST /api/method/login`.
///
/// # Errors
/// 401 for wrong credentials, 429 while locked, 405 for GET, 400 for another site's form.
// spec: security.md, "Login by GET is refused"; "Cross-site POSTs to login are refused"
pub async fn login(call: &Call) -> Result<Reply, Problem> {
    if call.method != Method::POST {
        return Err(Problem::Method("POST"));
    }
    let params = call.any_form()?;
    match attempt(call, &params).await? {
        LoginOutcome::SignedIn(signed_in) => {
            let body = result(call, &signed_in);
            let mut reply = reply::json(StatusCode::OK, &body);
            set_cookies(call, &mut reply, &signed_in).await?;
            Ok(reply)
        }
        LoginOutcome::Refused { message } => Ok(refused(call, message)),
        LoginOutcome::Locked { retry_after } => Err(Problem::TooMany { retry_after }),
    }
}

/// One attempt to sign in with `usr` and `pwd`, wherever the form came from.
///
/// # Errors
/// 400 when another site sent it.
pub async fn attempt(call: &Call, params: &Params) -> Result<LoginOutcome, Problem> {
    if csrf::cross_site(call) && !nameless_form(call) {
        return Err(Problem::csrf());
    }
    let (Some(usr), Some(pwd)) = (params.get("usr"), params.get("pwd")) else {
        return Ok(LoginOutcome::Refused {
            message: "Incomplete login details",
        });
    };
    let request = LoginRequest {
        usr: usr.to_owned(),
        pwd: Secret::new(pwd.to_owned()),
        previous_sid: call.sid().map(str::to_owned),
    };
    Ok(login::login(&call.ctx, &request).await?)
}

/// Our own sign-in form over plain http to a name that is not local: the page's
/// `Referrer-Policy` makes the browser send `Origin: null`, and without https it sends no
/// `Sec-Fetch-Site` that would tell. Over https nothing is let pass like this.
fn nameless_form(call: &Call) -> bool {
    !call.secure
        && call.header("sec-fetch-site").is_none()
        && call.header(axum::http::header::ORIGIN) == Some("null")
}

/// Sets the cookies of a session that has just begun.
///
/// # Errors
/// When the database cannot be read.
pub async fn set_cookies(
    call: &Call,
    reply: &mut Reply,
    signed_in: &SignedIn,
) -> Result<(), Problem> {
    let sid = signed_in.session.sid.expose();
    let headers = reply.headers_mut();
    cookies::set_sid(
        headers,
        sid,
        call.ctx.now,
        signed_in.session.max_age,
        call.secure,
    );
    if let Some(session) = session::resolve(&call.ctx, sid).await? {
        cookies::set_user(headers, &session, call.secure);
    }
    Ok(())
}

fn result(call: &Call, signed_in: &SignedIn) -> Value {
    let mut result = Map::new();
    result.insert("message".to_owned(), json!(signed_in.message));
    result.insert("home_page".to_owned(), json!(signed_in.home_page));
    result.insert("full_name".to_owned(), json!(signed_in.user.full_name));
    match call.version {
        ApiVersion::V1 => Value::Object(result),
        ApiVersion::V2 => json!({"data": result}),
    }
}

fn refused(call: &Call, message: &str) -> Reply {
    let mut reply = reply::problem(call, &Problem::Guest);
    if !call.wants_html() {
        let body = match call.version {
            ApiVersion::V1 => json!({"message": message, "exc_type": "AuthenticationError"}),
            ApiVersion::V2 => {
                json!({"errors": [{"type": "AuthenticationError", "message": message}]})
            }
        };
        *reply.body_mut() = axum::body::Body::from(body.to_string());
    }
    reply
}

/// Answers `logout` and, with a page, Frappe's `web_logout`.
///
/// # Errors
/// 400 for a POST without the session's CSRF token; a GET that another site caused is answered
/// with the question whether to sign out.
// spec: security.md, "GET logout only with Sec-Fetch-Site absent or same-origin"
pub async fn logout(call: &Call, page: bool) -> Result<Reply, Problem> {
    if !matches!(call.method, Method::GET | Method::POST) {
        return Err(Problem::Method("GET, POST"));
    }
    let params = call.params()?;
    if let Some(session) = call.session().await? {
        if call.method == Method::POST {
            csrf::check(call, session, &call.form()?, Guard::SignOut).await?;
        } else if !matches!(call.header("sec-fetch-site"), None | Some("same-origin")) {
            return confirm(call, session).await;
        }
        session::end(&call.ctx, session).await?;
    }
    let mut reply = match params
        .get("redirect-to")
        .and_then(|to| local_path(call, to))
    {
        Some(to) if call.wants_html() => reply::redirect(StatusCode::SEE_OTHER, &to),
        _ if page || call.wants_html() => signed_out(call),
        _ => {
            let mut result = Map::new();
            result.insert("message".to_owned(), json!("No App"));
            result.insert("home_page".to_owned(), json!("/login"));
            result.insert("full_name".to_owned(), json!("Guest"));
            match call.version {
                ApiVersion::V1 => reply::json(StatusCode::OK, &Value::Object(result)),
                ApiVersion::V2 => reply::json(StatusCode::OK, &json!({"data": result})),
            }
        }
    };
    cookies::clear(reply.headers_mut(), call.ctx.now, call.secure);
    Ok(reply)
}

fn signed_out(call: &Call) -> Reply {
    let page = SignedOutPage {
        lang: call.lang(None),
        site_name: call.site_name(),
        login_href: Some("/login"),
    };
    reply::html(StatusCode::OK, page.render())
}

async fn confirm(call: &Call, session: &session::Session) -> Result<Reply, Problem> {
    let csrf_token = session::csrf_token(&call.ctx, session).await?;
    let page = ConfirmLogoutPage {
        lang: call.lang(None),
        site_name: call.site_name(),
        user: &session.user,
        full_name: &session.full_name,
        logout: PostForm {
            action: "/api/method/logout",
            fields: Vec::new(),
        },
        csrf_token: csrf_token.expose(),
        cancel_href: "/me",
    };
    Ok(reply::html(StatusCode::OK, page.render()))
}
