//! The login page. Scripts written for Frappe know its fields: `#login_email` named `usr`,
//! `#login_password` named `pwd`, and a button with the class `btn-login`.

use askama::Template;

use super::render;
use super::text::Lang;

/// The login page, at `/login`.
// spec: http.md, authorize: the login page has the fields that people's scripts know
#[derive(Template)]
#[template(path = "login.html")]
pub struct LoginPage<'a> {
    /// Language of the page.
    pub lang: Lang,
    /// The site's name as people know it.
    pub site_name: &'a str,
    /// Where the form goes, `/login`.
    pub action: &'a str,
    /// The path of this site to go to after the login, sent along as `redirect-to`.
    pub redirect_to: Option<&'a str>,
    /// Fills the first field (`login_hint` of the request, or what was typed before an error).
    pub login_hint: Option<&'a str>,
    /// Why the attempt before failed.
    pub error: Option<LoginError<'a>>,
    /// Name of the app that sent the user here.
    pub client_name: Option<&'a str>,
    /// True if there is a session and the app wants a fresh login (`prompt=login`, `max_age`).
    pub again: bool,
}

/// Why a login failed. An unknown user, a wrong password and a disabled user are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginError<'a> {
    /// Wrong credentials.
    Invalid,
    /// Locked out.
    Locked {
        /// Seconds until the next attempt counts.
        retry_after: u32,
    },
    /// Another reason, in the language of the page.
    Other(&'a str),
}

impl LoginPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        render(self)
    }

    fn client(&self) -> Option<String> {
        let unnamed = self.lang.text("app.unnamed");
        self.client_name
            .map(|name| super::html::label(name, unnamed))
    }

    fn error_message(&self) -> Option<String> {
        self.error.map(|error| match error {
            LoginError::Invalid => self.lang.text("login.invalid").to_owned(),
            LoginError::Locked { retry_after } => {
                let minutes = retry_after.div_ceil(60).max(1).to_string();
                self.lang.replaced("login.locked", "minutes", &minutes)
            }
            LoginError::Other(message) => message.to_owned(),
        })
    }

    /// The first empty field gets the focus.
    fn has_hint(&self) -> bool {
        self.login_hint.is_some_and(|hint| !hint.is_empty())
    }
}
