//! The HTML pages: view models in, HTML out. Nothing here reads, waits or knows of HTTP.
//!
//! All pages work without scripts, in a light and a dark theme, in both writing directions and
//! from 320 pixels of width. Their templates are `templates/*.html`, their words `locale/*.json`.
//! Names that come from outside are escaped, freed from invisible characters and isolated
//! (see `html`); the view models therefore take them as they are stored.

mod assets;
mod callback;
mod consent;
mod form_post;
mod html;
mod login;
mod problem;
mod scope;
mod session;
mod text;

#[cfg(test)]
mod tests;

pub use assets::{Asset, PREFIX as ASSET_PREFIX, asset};
pub use callback::CallbackPage;
pub use consent::{ConsentPage, ConsentWarning};
pub use form_post::FormPostPage;
pub use login::{LoginError, LoginPage};
pub use problem::{ErrorPage, NotFoundPage, error_text};
pub use scope::{DocTypeNames, ScopeLine, scope_lines};
pub use session::{ConfirmLogoutPage, MePage, SignedOutPage};
pub use text::{Lang, negotiate};

/// The `Content-Security-Policy` of every page: nothing but files of this origin, no frame
/// around the page, no inline style or script.
///
/// There is no `form-action`, on purpose: browsers apply it to the redirect that answers the
/// form too, and Allow on the consent page redirects to the app's own origin. An attacker who
/// cannot inject markup (everything is escaped) has no form to redirect.
// spec: security.md, Authorization endpoint: the pages' headers
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; \
     script-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

/// A form that a button sends by POST: its address and its hidden fields.
///
/// Browsers turn line breaks in a field into CR LF. Values that may hold some and have to come
/// back byte for byte belong into the query of `action`, percent-encoded.
#[derive(Clone, Default)]
pub struct PostForm<'a> {
    /// Where the form goes.
    pub action: &'a str,
    /// Hidden fields, name and value, in their order.
    pub fields: Vec<(&'a str, &'a str)>,
}

/// Renders a page. Writing to a string cannot fail and neither can anything in the templates,
/// so the error that askama's signature has room for becomes a page that says so.
fn render(page: &impl askama::Template) -> String {
    page.render().unwrap_or_else(|_| {
        "<!DOCTYPE html><title>Error</title><p>This page cannot be shown.".into()
    })
}
