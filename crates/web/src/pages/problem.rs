//! Pages for what went wrong.

use askama::Template;
use askama::filters::Safe;

use super::text::Lang;
use super::{html, render};

/// An error, in plain words, with what a support person needs.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// Language of the page.
    pub lang: Lang,
    /// The site's name as people know it.
    pub site_name: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// The heading.
    pub title: &'a str,
    /// What happened and what to do; may be English whatever the page's language is.
    pub message: &'a str,
    /// A code such as `invalid_request`.
    pub detail: Option<&'a str>,
    /// The id of the request in the log.
    pub request_id: Option<&'a str>,
}

impl<'a> ErrorPage<'a> {
    /// The page for a status, with the words of [`error_text`].
    #[must_use]
    pub fn of_status(lang: Lang, site_name: &'a str, status: u16) -> Self {
        let (title, message) = error_text(lang, status);
        Self {
            lang,
            site_name,
            status,
            title,
            message,
            detail: None,
            request_id: None,
        }
    }

    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        render(self)
    }

    fn label(&self) -> String {
        let status = self.status.to_string();
        self.lang.replaced("error.label", "status", &status)
    }
}

/// Heading and message for an HTTP status. Statuses without words of their own get those of
/// the class: 500 for a server's mistake, 400 for the rest.
#[must_use]
pub fn error_text(lang: Lang, status: u16) -> (&'static str, &'static str) {
    let (title, message) = match status {
        401 => ("error.401.title", "error.401.message"),
        403 => ("error.403.title", "error.403.message"),
        404 | 410 => ("error.404.title", "error.404.message"),
        405 => ("error.405.title", "error.405.message"),
        413 => ("error.413.title", "error.413.message"),
        429 => ("error.429.title", "error.429.message"),
        503 | 504 => ("error.503.title", "error.503.message"),
        500.. => ("error.500.title", "error.500.message"),
        _ => ("error.400.title", "error.400.message"),
    };
    (lang.text(title), lang.text(message))
}

/// No site has the name in the `Host` header. Says nothing about the sites that exist.
// spec: security.md, Inputs, outputs, network: only a site's own names select it
#[derive(Template)]
#[template(path = "not_found.html")]
pub struct NotFoundPage<'a> {
    /// Language of the page.
    pub lang: Lang,
    /// The host that was asked for, as sent.
    pub host: &'a str,
}

impl NotFoundPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        render(self)
    }

    fn message(&self) -> Safe<String> {
        let host = html::label(self.host, "?");
        self.lang.filled("not_found.message", "host", &host)
    }
}
