//! Was this request sent by one of our own pages?
//!
//! Header-authenticated requests need no proof. A session needs its token for unsafe methods once
//! a page has handed one out; before that `Sec-Fetch-Site`, then `Origin`, must not name another
//! site. What may be configured away, and what never, is in `security.md`.

use axum::http::{Method, header};
use crema_auth::session::{self, Session};
use crema_document::config::IgnoreCsrf;
use crema_protocol::params::Params;

use crate::call::Call;
use crate::reply::Problem;

/// How strict a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// The token is needed in any case and no configuration changes that: approve, account pages.
    Always,
    /// As [`Guard::Session`], but neither `ignore_csrf` nor, once a page has handed the token out,
    /// `allowed_referrers` relaxes it: sign-out, which SDKs that never see a page use as well.
    SignOut,
    /// Frappe's rule, which `ignore_csrf` and `allowed_referrers` may relax.
    Session,
}

/// Lets a request pass or not.
///
/// # Errors
/// 400 `CSRFTokenError`.
pub async fn check(
    call: &Call,
    session: &Session,
    params: &Params,
    guard: Guard,
) -> Result<(), Problem> {
    check_token(call, session, params.get("csrf_token"), guard)
}

/// As [`check`], with the token that the body has, whatever its form is.
///
/// # Errors
/// 400 `CSRFTokenError`.
pub fn check_token(
    call: &Call,
    session: &Session,
    in_body: Option<&str>,
    guard: Guard,
) -> Result<(), Problem> {
    let safe = matches!(call.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || call.authorization().is_some() {
        return Ok(());
    }
    if guard == Guard::Session && (ignored(call) || referrer_allowed(call)) {
        return Ok(());
    }
    if guard != Guard::Always && !session.csrf_issued {
        return if cross_site(call) {
            Err(Problem::csrf())
        } else {
            Ok(())
        };
    }
    let presented = call
        .header("x-frappe-csrf-token")
        .or(in_body)
        .unwrap_or_default();
    if session::check_csrf(&call.ctx, session, presented) {
        Ok(())
    } else {
        Err(Problem::csrf())
    }
}

/// Whether a browser says that another site sent this. No header at all means no browser.
pub fn cross_site(call: &Call) -> bool {
    if referrer_allowed(call) {
        return false;
    }
    match call.header("sec-fetch-site") {
        Some("same-origin" | "none") => return false,
        Some(_) => return true,
        None => {}
    }
    match call.header(header::ORIGIN) {
        None => false,
        Some(origin) => !is_own_origin(call, origin),
    }
}

/// Whether a page of this origin is one of the site's own.
pub(crate) fn is_own_origin(call: &Call, origin: &str) -> bool {
    origin.eq_ignore_ascii_case(&call.ctx.issuer) || own_origin(call, origin)
}

/// Whether the origin is the host that the request was sent to, whatever the issuer is called.
/// Where the site is known to speak https, a page that came by http is another origin: anybody
/// on the way may have written it.
fn own_origin(call: &Call, origin: &str) -> bool {
    let host = call.header(header::HOST).unwrap_or_default();
    origin.split_once("://").is_some_and(|(scheme, authority)| {
        authority.eq_ignore_ascii_case(host)
            && (!call.secure || scheme.eq_ignore_ascii_case("https"))
    })
}

fn ignored(call: &Call) -> bool {
    match call.ctx.provider.site().config().ignore_csrf() {
        IgnoreCsrf::Everywhere => true,
        IgnoreCsrf::Paths(paths) => paths.iter().any(|path| path == call.uri.path()),
        IgnoreCsrf::Nowhere => false,
    }
}

/// Whole origins are compared, never prefixes of them.
// spec: security.md, "allowed_referrers compares whole origins"
fn referrer_allowed(call: &Call) -> bool {
    let origin = call.header(header::ORIGIN).map(str::to_owned).or_else(|| {
        let referrer = url::Url::parse(call.header(header::REFERER)?).ok()?;
        Some(referrer.origin().ascii_serialization())
    });
    let Some(origin) = origin else {
        return false;
    };
    let allowed = call.ctx.provider.site().config().allowed_referrers();
    allowed.iter().any(|entry| {
        url::Url::parse(entry).is_ok_and(|entry| {
            entry
                .origin()
                .ascii_serialization()
                .eq_ignore_ascii_case(&origin)
        })
    })
}
