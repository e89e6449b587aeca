//! The page of `response_mode=form_post` (OAuth 2.0 Form Post Response Mode §2): a form to the
//! app, sent by a script file of this origin, or by hand where scripts are off.

use askama::Template;

use super::render;
use super::text::Lang;

/// The page that carries an authorization response to the app by POST.
// spec: security.md, Authorization endpoint: form_post uses a script file and a button
#[derive(Template)]
#[template(path = "form_post.html")]
pub struct FormPostPage<'a> {
    /// Language of the page.
    pub lang: Lang,
    /// The site's name as people know it.
    pub site_name: &'a str,
    /// The `redirect_uri`, already checked against the registered ones.
    pub action: &'a str,
    /// The host of `action`, to be shown.
    pub redirect_host: &'a str,
    /// The parameters of the response.
    pub params: Vec<(&'a str, &'a str)>,
}

impl FormPostPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        render(self)
    }
}
