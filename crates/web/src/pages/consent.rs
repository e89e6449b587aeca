//! The consent page. Its buttons send one form by POST with the session's CSRF token
//! (RFC 6749 §10.12, RFC 9700 §4.16 on framing: see the Content-Security-Policy).

use askama::Template;
use askama::filters::Safe;

use super::scope::ScopeLine;
use super::text::Lang;
use super::{PostForm, html, render};

/// The page that asks whether an app may have access.
// spec: http.md, authorize: signed in, consent needed
// spec: security.md, Authorization endpoint: the client's name, URI and redirect host are shown
#[derive(Template)]
#[template(path = "consent.html")]
pub struct ConsentPage<'a> {
    /// Language of the page.
    pub lang: Lang,
    /// The site's name as people know it.
    pub site_name: &'a str,
    /// The app's name as registered.
    pub client_name: &'a str,
    /// Where the document lies that describes the app, when one does: the host alone is certain.
    pub described_at: Option<&'a str>,
    /// The app's website; a link only if it is a plain web address.
    pub client_uri: Option<&'a str>,
    /// The host, or the custom scheme, that the browser goes to afterwards.
    pub redirect_host: &'a str,
    /// Id of the user who is logged in.
    pub user: &'a str,
    /// Full name of that user.
    pub full_name: &'a str,
    /// What the button "Use another account" sends; the CSRF token is added.
    pub switch_account: Option<PostForm<'a>>,
    /// What the app asks for; see [`scope_lines`](super::scope_lines).
    pub scopes: Vec<ScopeLine>,
    /// Where Allow and Deny go, with `decision` = `allow` or `deny`.
    pub action: &'a str,
    /// The request's parameters as hidden fields. Those whose names this form needs itself
    /// (`decision`, `csrf_token`, and Frappe's `cmd`) are left out: a request that carries
    /// `decision=allow` must not decide.
    pub hidden: Vec<(&'a str, &'a str)>,
    /// The session's CSRF token.
    pub csrf_token: &'a str,
    /// The app's terms of service.
    pub tos_uri: Option<&'a str>,
    /// The app's privacy policy.
    pub policy_uri: Option<&'a str>,
    /// What the user should know before deciding.
    pub warnings: Vec<ConsentWarning>,
}

/// Something that makes an access less safe than usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentWarning {
    /// The app was registered dynamically.
    Unverified,
    /// A metadata document describes the app.
    Described,
    /// As `ThisDevice`, of an app that a metadata document describes: whoever listens on the
    /// device needs no more than that to pass for it.
    AnyProgram,
    /// The redirect goes to a loopback address or a custom scheme, which any program on the
    /// device may listen to (RFC 8252 §8.6).
    ThisDevice,
    /// An access token comes back in the address (implicit or hybrid flow, RFC 9700 §2.1.2).
    TokenInAddress,
}

impl ConsentWarning {
    fn text(self, lang: Lang) -> &'static str {
        lang.text(match self {
            Self::Unverified => "consent.unverified",
            Self::Described => "consent.described",
            Self::AnyProgram => "consent.any_program",
            Self::ThisDevice => "consent.device",
            Self::TokenInAddress => "consent.token_in_address",
        })
    }
}

/// Names of fields that the form sets itself or that would turn the POST into another call.
const RESERVED: [&str; 3] = ["decision", "csrf_token", "cmd"];

impl ConsentPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        render(self)
    }

    fn client(&self) -> String {
        html::label(self.client_name, self.lang.text("app.unnamed"))
    }

    fn lead(&self) -> Safe<String> {
        self.lang.filled("consent.lead", "app", &self.client())
    }

    /// Who asks, as far as it is certain: names follow below, and anybody can take one.
    fn origin(&self, host: &str) -> Safe<String> {
        let text = self.lang.text("consent.origin");
        let (before, after) = text.split_once("{host}").unwrap_or((text, ""));
        Safe(format!(
            "{}<bdi class=\"host\" dir=\"ltr\">{}</bdi>{}",
            html::escaped(before),
            html::escaped(host),
            html::escaped(after)
        ))
    }

    fn fields(&self) -> impl Iterator<Item = &(&str, &str)> {
        let fields = self.hidden.iter();
        fields.filter(|(name, _)| !RESERVED.contains(name))
    }

    /// The address and words of the links to the app's documents.
    fn documents(&self) -> Vec<(String, &'static str)> {
        let tos = self.tos_uri.map(|uri| (uri, "consent.tos"));
        let policy = self.policy_uri.map(|uri| (uri, "consent.policy"));
        let given = [tos, policy].into_iter().flatten();
        given
            .filter_map(|(uri, key)| Some((html::link(uri)?, self.lang.text(key))))
            .collect()
    }
}
