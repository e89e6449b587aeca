//! The pages around a session: who is logged in, the question before a log-out, and its end.

use askama::Template;

use super::text::Lang;
use super::{PostForm, render};

/// The page after a log-out.
#[derive(Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage<'a> {
    /// Language of the page.
    pub lang: Lang,
    /// The site's name as people know it.
    pub site_name: &'a str,
    /// Where "Log in again" leads, `/login`; no link without it.
    pub login_href: Option<&'a str>,
}

/// Says who is logged in, with a button to log out.
#[derive(Template)]
#[template(path = "me.html")]
pub struct MePage<'a> {
    /// Language of the page.
    pub lang: Lang,
    /// The site's name as people know it.
    pub site_name: &'a str,
    /// Id of the user.
    pub user: &'a str,
    /// Full name of the user.
    pub full_name: &'a str,
    /// The user's roles.
    pub roles: Vec<&'a str>,
    /// What the button sends, usually to `/api/method/logout`; the CSRF token is added.
    pub logout: PostForm<'a>,
    /// The session's CSRF token.
    pub csrf_token: &'a str,
}

/// Asks before logging out, because another website sent the browser here
/// (OpenID Connect RP-Initiated Logout §2, and `GET /api/method/logout` from elsewhere).
// spec: security.md, Sign-in and sessions: GET logout only from the same origin
#[derive(Template)]
#[template(path = "confirm_logout.html")]
pub struct ConfirmLogoutPage<'a> {
    /// Language of the page.
    pub lang: Lang,
    /// The site's name as people know it.
    pub site_name: &'a str,
    /// Id of the user.
    pub user: &'a str,
    /// Full name of the user.
    pub full_name: &'a str,
    /// What the button sends, usually to `/api/method/logout`; the CSRF token is added.
    pub logout: PostForm<'a>,
    /// The session's CSRF token.
    pub csrf_token: &'a str,
    /// Where "Stay logged in" leads, a path of this site.
    pub cancel_href: &'a str,
}

impl SignedOutPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        render(self)
    }
}

impl MePage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        render(self)
    }
}

impl ConfirmLogoutPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        render(self)
    }
}
