//! "How to setup OAuth 2?" of Frappe's documentation.

mod consent;
mod exchange;
mod tokens;

use crema_protocol::client_rules::AuthMethod;
use crema_testkit::flow::method;
use crema_testkit::visitor::AUTHORIZE;
use crema_testkit::{App, ClientSpec, Redirect, Response, TestClient, Visitor};
use serde_json::json;

use super::{
    Correction, Example, PASSWORD, Switch, USER, app_with_user, checked_with_secret, members, now,
};

/// The redirect URI of every example.
const CALLBACK: &str = "https://app.getpostman.com/oauth2/callback";
/// The challenge of the example, which its comment says is made of `420`.
const CHALLENGE: &str = "21XaP8MJjpxCMRxgEzBP82sZ73PRLqkyBUta1R309J0";

const FORM: &str = "application/x-www-form-urlencoded";

/// A client as "Add a Client App" describes it.
fn client() -> ClientSpec {
    ClientSpec::new(CALLBACK)
        .with("app_name", "CAVS")
        .scopes("openid all")
        .with("grant_type", "Authorization Code")
        .with("response_type", "Code")
}

/// A client whose secret nobody sends, while it is being moved to strict rules.
fn observed() -> ClientSpec {
    client().with("enforcement", "Observe")
}

/// Sends a body exactly as it is typed.
async fn post(app: &App, name: &str, body: &str) -> Response {
    let request = app.http().post(&method(name));
    let request = request.header("Content-Type", FORM);
    request
        .header("Accept", "application/json")
        .body(body)
        .send()
        .await
}

/// Sends the form of the authorization example from a browser, follows it, and signs in.
async fn authorize(visitor: &mut Visitor, body: &str) -> Response {
    let request = visitor.http().post(AUTHORIZE).header("Content-Type", FORM);
    let answer = visitor.send(request.body(body)).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let location = answer.location().unwrap().to_owned();
    let answer = visitor.get(&location).await;
    if answer.status != 302 || !answer.location().unwrap().starts_with("/login") {
        return answer;
    }
    let back = visitor.sent_to_login(&answer);
    visitor.login(USER, PASSWORD).await;
    visitor.get(&back).await
}

/// A code that came through the example's request, with more parameters at its end.
async fn code(app: &App, client: &TestClient, more: &str) -> String {
    let mut visitor = app.visitor();
    let page = authorize(&mut visitor, &corrected(client, more)).await;
    assert_eq!(page.status, 200, "{:?} {}", page.location(), page.text());
    let redirect = Redirect::of(&visitor.decide(&page, "allow").await);
    redirect.param("code").to_owned()
}

fn corrected(client: &TestClient, more: &str) -> String {
    format!(
        "client_id={}&state=444&response_type=code&scope=openid%20all\
         &redirect_uri=https%3A%2F%2Fapp.getpostman.com%2Foauth2%2Fcallback{more}",
        client.client_id
    )
}

const ONE_COMMAND: Correction = Correction {
    shown: "comment lines between the lines of a `curl` command, and no `\\` after \
            `response_type=code`",
    instead: "one command without comments, each line but the last ended by `\\`",
    because: "the shell ends the command at the first comment: `response_type`, `scope` and \
              `redirect_uri` are never sent",
};
const SCOPE: Correction = Correction {
    shown: "`--data-urlencode 'scope=openid%20all'`",
    instead: "`--data-urlencode 'scope=openid all'`",
    because: "`--data-urlencode` encodes the `%` again; one scope named `openid%20all` would be \
              asked for, which is `invalid_scope`",
};
const IDS: Correction = Correction {
    shown: "`client_id=511cb2ac2d`, then `af615c2d3a`",
    instead: "your own client's id, the same everywhere",
    because: "a code belongs to the client that it was issued to",
};
const AMPERSANDS: Correction = Correction {
    shown: "`&amp;` and `&gt;`",
    instead: "`&` and `>`",
    because: "character references belong into HTML; in a form `&amp;code=…` is a parameter named \
              `amp;code`",
};
const LINE_BREAK: Correction = Correction {
    shown: "a line break and blanks inside of the quoted body",
    instead: "no line break",
    because: "`curl -d` sends them, and the code ends in a line break then",
};
const CREDENTIALS: Correction = Correction {
    shown: "no client credentials",
    instead: "`-u 'CLIENT_ID:CLIENT_SECRET'`, or `client_secret=…` in the body",
    because: "a confidential client proves itself at the token, revocation and introspection \
              endpoints (RFC 6749 §3.2.1)",
};
const OBSERVE: Switch = Switch {
    set: "OAuth Client › Enforcement: `Observe`, instead of sending credentials",
    because: "lets a client without credentials pass and writes every such use down; meant for \
              the time until it is changed",
};
const SHORT_VERIFIER: Switch = Switch {
    set: "OAuth Client › Allow Short Code Verifier",
    because: "a verifier has 43 to 128 characters (RFC 7636 §4.1); `420` can be guessed",
};
const DEVELOPER_MODE: Switch = Switch {
    set: "`developer_mode` of the site",
    because: "codes and tokens in an address end up in logs and histories",
};

/// The answer under "Returns".
async fn as_documented(app: &App, client: &TestClient, answer: &Response) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        members(answer),
        [
            "access_token",
            "expires_in",
            "id_token",
            "refresh_token",
            "scope",
            "token_type"
        ]
    );
    let json = answer.json();
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 3600);
    assert_eq!(json["scope"], "openid all");
    let id_token = json["id_token"].as_str().unwrap();
    let claims = checked_with_secret(id_token, client.secret()).unwrap();
    assert_eq!(claims["aud"], json!(client.client_id));
    let http = app.http();
    let who = http.logged_user(json["access_token"].as_str().unwrap());
    assert_eq!(who.await.json()["message"], USER);
}

/// Where the tests of the examples are.
pub(super) const SOURCES: &[&str] = &[
    include_str!("consent.rs"),
    include_str!("exchange.rs"),
    include_str!("tokens.rs"),
];

pub(super) const EXAMPLES: &[&Example] = &[
    &consent::FORCE_AND_AUTO,
    &consent::SKIP,
    &consent::IMPLICIT,
    &consent::AUTHORIZE_BY_POST,
    &consent::PLAIN,
    &exchange::EXCHANGE,
    &exchange::EXCHANGE_BY_GET,
    &exchange::REFRESH,
    &exchange::EXCHANGE_WITH_PKCE,
    &tokens::REVOKE,
    &tokens::ID_TOKEN,
    &tokens::PROFILE,
    &tokens::INTROSPECT,
];
