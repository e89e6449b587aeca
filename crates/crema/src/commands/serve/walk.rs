//! The way through the authorization code grant that the first start prints.
//!
//! RFC 6749 §4.1, RFC 7636; the verifier and its challenge are the example of RFC 7636,
//! appendix B: fit for a demonstration, and for nothing else.

use crema_crypto::Secret;
use crema_protocol::endpoints::{self, Endpoint};
use crema_protocol::redirect_uri::append_query;
use serde_json::{Value, json};

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The demo client at its site.
pub(super) struct Walk {
    /// The site's address.
    pub(super) site: String,
    /// The client.
    pub(super) client_id: String,
    /// Its secret.
    pub(super) secret: Secret<String>,
    /// Where the browser is sent back to.
    pub(super) redirect_uri: &'static str,
    /// The request's state.
    pub(super) state: String,
}

impl Walk {
    /// The authorization request, to be opened in a browser.
    fn authorize_url(&self) -> String {
        let parameters = [
            ("client_id", self.client_id.as_str()),
            ("response_type", "code"),
            ("scope", "openid all"),
            ("redirect_uri", self.redirect_uri),
            ("state", &self.state),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        append_query(&endpoints::AUTHORIZE.url(&self.site), &parameters)
    }

    /// The walk, for people. Its commands run as they stand once the three values are filled in.
    pub(super) fn text(&self) -> String {
        let Walk {
            client_id,
            redirect_uri,
            ..
        } = self;
        let secret = self.secret.expose();
        let authorize = self.authorize_url();
        // All paths of the walk begin alike; what differs is the name of the method.
        let token = endpoints::TOKEN.url(&self.site);
        let (oauth, _) = token.rsplit_once('.').unwrap_or((&token, ""));
        let method = |endpoint: Endpoint| {
            let url = endpoint.url(&self.site);
            format!("$OAUTH{}", url.strip_prefix(oauth).unwrap_or(&url))
        };
        let token = method(endpoints::TOKEN);
        let userinfo = method(endpoints::USERINFO);
        let introspect = method(endpoints::INTROSPECT);
        let revoke = method(endpoints::REVOKE);
        format!(
            "\
1. Open this address, sign in as Administrator, press Allow:

  {authorize}

2. The browser is sent to {redirect_uri}?code=…, where nothing
   listens: what counts is the code in the address, up to the next &. It lives 60
   seconds. In a second terminal:

  OAUTH={oauth}
  CLIENT={client_id}:{secret}
  CODE=…
  curl -s -u $CLIENT {token} \\
    -d grant_type=authorization_code -d code=$CODE \\
    -d code_verifier={VERIFIER} \\
    --data-urlencode redirect_uri={redirect_uri}

3. With the tokens of that answer: who it is, what the token is worth, a new pair, the end.

  ACCESS=…
  REFRESH=…
  curl -s -H \"Authorization: Bearer $ACCESS\" {userinfo}
  curl -s -u $CLIENT -d token=$ACCESS {introspect}
  curl -s -u $CLIENT -d grant_type=refresh_token -d refresh_token=$REFRESH {token}
  curl -s -u $CLIENT -d token=$REFRESH {revoke}"
        )
    }

    /// The walk, for scripts.
    pub(super) fn json(&self) -> Value {
        json!({
            "client_id": self.client_id,
            "client_secret": self.secret.expose(),
            "redirect_uri": self.redirect_uri,
            "authorize_url": self.authorize_url(),
            "state": self.state,
            "code_verifier": VERIFIER,
        })
    }
}
