//! Who comes in: pages of origins that may, and callers with a header of their own.

use axum::http::{Method, StatusCode, header};
use crema_auth::caller::Caller;

use crate::api::identify;
use crate::call::Call;
use crate::reply::Problem;
use crate::{cors, csrf};

/// Lets a caller in, before anything that was sent is read.
///
/// # Errors
/// 403 for a page of another origin, 401 without good credentials, 405 for all but POST, 406 and
/// 415 for other media types than JSON.
pub(super) async fn admit(call: &Call) -> Result<Caller, Problem> {
    if !origin_may(call).await {
        return Err(Problem::Frappe {
            status: StatusCode::FORBIDDEN,
            exc_type: "PermissionError",
            message: "Pages of this origin may not call tools here.".to_owned(),
        });
    }
    // A cookie says nothing here: a page of another site could send it along.
    if call.authorization().is_none() {
        return Err(Problem::Guest);
    }
    let caller = identify(call).await?;
    if call.method != Method::POST {
        return Err(Problem::Method("POST"));
    }
    if call.media_type() != "application/json" {
        return Err(Problem::Frappe {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            exc_type: "UnsupportedMediaType",
            message: "The body has to be JSON (application/json).".to_owned(),
        });
    }
    if !takes_json(call) {
        return Err(Problem::Frappe {
            status: StatusCode::NOT_ACCEPTABLE,
            exc_type: "NotAcceptable",
            message: "Answers are JSON: Accept has to admit application/json.".to_owned(),
        });
    }
    Ok(caller)
}

/// Whether whoever asks takes JSON. The protocol wants `text/event-stream` in `Accept` as well;
/// who leaves it out gets the same answer.
fn takes_json(call: &Call) -> bool {
    let mut sent = call.headers.get_all(header::ACCEPT).iter().peekable();
    if sent.peek().is_none() {
        return true;
    }
    sent.filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .any(|range| {
            ["application/json", "application/*", "*/*"]
                .iter()
                .any(|json| range.eq_ignore_ascii_case(json))
        })
}

/// Whether a page of the origin that sends this may: the site's own, those in `allow_cors`, and
/// Allowed Public Client Origins. Who sends no `Origin` is no page.
async fn origin_may(call: &Call) -> bool {
    let mut sent = call.headers.get_all(header::ORIGIN).iter();
    let origin = match (sent.next(), sent.next()) {
        (None, _) => return true,
        (Some(one), None) => one.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return false,
    };
    csrf::is_own_origin(call, origin) || cors::allows(call, origin).await
}
