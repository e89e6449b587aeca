//! `/oauth/callback`: a redirect URI of the site itself, where people see what came back.

use axum::http::{Method, StatusCode};

use crate::call::Call;
use crate::pages::CallbackPage;
use crate::reply::{self, Problem, Reply};

/// More parameters than any authorization response has are not shown.
const MOST: usize = 20;
/// Nothing of a value behind this many bytes is shown.
const LONGEST: usize = 2000;

/// Answers with a page of the parameters. No script could read them (the Content Security Policy
/// admits none), no other page learns of them (`Referrer-Policy`), and nothing keeps them: neither
/// a cache (`no-store`) nor the log, which never has a query. What comes by POST, with
/// `response_mode=form_post`, is shown in the same way.
///
/// # Errors
/// 400 for what cannot be read; 405 for other methods.
// spec: crm.md, "`https://<site host>/oauth/callback` is served by a page that shows what came
// back, for testing"
pub async fn callback(call: &Call) -> Result<Reply, Problem> {
    let params = match call.method {
        Method::GET | Method::HEAD => call.query()?,
        Method::POST => call.form()?,
        _ => return Err(Problem::Method("GET, HEAD, POST")),
    };
    let shown = params.iter().take(MOST);
    let page = CallbackPage {
        lang: call.lang(None),
        site_name: call.site_name(),
        params: shown
            .map(|(name, value)| (start(name), start(value)))
            .collect(),
    };
    Ok(reply::html(StatusCode::OK, page.render()))
}

fn start(text: &str) -> &str {
    let end = (0..=text.len().min(LONGEST)).rev();
    let end = end.into_iter().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}
