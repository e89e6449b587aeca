//! What an authorization server sent back, for whoever tests a client.

use askama::Template;

use super::render;
use super::text::Lang;

/// Shows the parameters of an authorization response (RFC 6749 §4.1.2), none of which the site
/// looks at or keeps.
#[derive(Template)]
#[template(path = "callback.html")]
pub struct CallbackPage<'a> {
    /// Language of the page.
    pub lang: Lang,
    /// The site's name as people know it.
    pub site_name: &'a str,
    /// Names and values as they came.
    pub params: Vec<(&'a str, &'a str)>,
}

impl CallbackPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        render(self)
    }
}
