//! "How to setup OAuth 2?" of Frappe's documentation.

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

pub(super) const AUTHORIZE_BY_POST: Example = Example {
    place: "GET /api/method/frappe.integrations.oauth2.authorize",
    request: "`curl -X POST …authorize`, Allow and Deny",
    test: "the_authorization_request",
    switches: &[],
    corrections: &[
        ONE_COMMAND,
        SCOPE,
        IDS,
        AMPERSANDS,
        Correction {
            shown: "\"HTTP Code: 200\" for a POST by `curl`",
            instead: "303 to the same request by GET; there a guest is sent to `/login`, and \
                      somebody who is signed in gets the page with 200",
            because: "a POST never grants, and the sign-in page needs an address to come back to; \
                      `curl` has no session, so open the address in a browser",
        },
        Correction {
            shown: "`?code=…&state=444` and `?error=access_denied`",
            instead: "the same with `iss`, and the error with `state` and `error_description`",
            because: "a client of several servers has to know which one answers (RFC 9207)",
        },
    ],
};

#[tokio::test]
async fn the_authorization_request() {
    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let mut visitor = app.visitor();

    // What the shell makes of the lines as they are shown.
    let cut = format!("client_id={}&state=444", client.client_id);
    let refused = Redirect::of(&authorize(&mut visitor, &cut).await);
    assert_eq!(refused.param("error"), "invalid_request");

    let shown = corrected(&client, "").replace("openid%20all", "openid%2520all");
    let request = visitor.http().post(AUTHORIZE).header("Content-Type", FORM);
    let answer = request.body(shown).send().await;
    assert_eq!(answer.status, 303);
    let refused = Redirect::of(&visitor.get(answer.location().unwrap()).await);
    assert_eq!(refused.uri, CALLBACK);
    assert_eq!(refused.param("error"), "invalid_scope");
    assert_eq!(refused.param("state"), "444");

    let page = authorize(&mut visitor, &corrected(&client, "")).await;
    assert_eq!((page.status, page.media_type()), (200, "text/html"));
    assert_eq!(page.title().as_deref(), Some("Confirm Access"));
    let allowed = Redirect::of(&visitor.decide(&page, "allow").await);
    assert_eq!(allowed.uri, CALLBACK);
    assert!(!allowed.in_fragment);
    assert!(!allowed.param("code").is_empty());
    assert_eq!(allowed.param("state"), "444");
    assert_eq!(allowed.param("iss"), app.issuer());

    let page = authorize(&mut visitor, &corrected(&client, "&prompt=consent")).await;
    let denied = Redirect::of(&visitor.decide(&page, "deny").await);
    assert_eq!(denied.uri, CALLBACK);
    assert_eq!(denied.param("error"), "access_denied");
    assert_eq!(denied.param("state"), "444");
    assert_eq!(denied.param("iss"), app.issuer());
    app.close().await;
}

pub(super) const EXCHANGE: Example = Example {
    place: "Token Exchange for Authorization Code Grant with ID Token",
    request: "`curl -X POST …get_token` with `grant_type=authorization_code`",
    test: "the_token_exchange",
    switches: &[OBSERVE],
    corrections: &[AMPERSANDS, LINE_BREAK, IDS, CREDENTIALS],
};

#[tokio::test]
async fn the_token_exchange() {
    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let exchange = |code: &str| {
        format!(
            "grant_type=authorization_code&code={code}\
             &redirect_uri=https%3A%2F%2Fapp.getpostman.com%2Foauth2%2Fcallback&client_id={}",
            client.client_id
        )
    };
    let first = code(&app, &client, "").await;
    let references = exchange(&first).replace('&', "&amp;");
    let refused = post(&app, "get_token", &references).await;
    assert_eq!(
        (refused.status, refused.error()),
        (401, "invalid_client".to_owned())
    );
    let broken = exchange(&first).replace("&redirect_uri", "\n         &redirect_uri");
    let with_secret = format!("{broken}&client_secret={}", client.secret());
    let refused = post(&app, "get_token", &with_secret).await;
    assert_eq!(
        (refused.status, refused.error()),
        (400, "invalid_grant".to_owned())
    );
    let refused = post(&app, "get_token", &exchange(&first)).await;
    assert_eq!(
        (refused.status, refused.error()),
        (401, "invalid_client".to_owned())
    );

    // None of these attempts has used the code up: the first two never named it, and the last
    // one came from nobody.
    let with_secret = format!("{}&client_secret={}", exchange(&first), client.secret());
    as_documented(&app, &client, &post(&app, "get_token", &with_secret).await).await;

    app.change_client(&client, &[("enforcement", "Observe")])
        .await;
    let second = code(&app, &client, "").await;
    as_documented(
        &app,
        &client,
        &post(&app, "get_token", &exchange(&second)).await,
    )
    .await;
    app.close().await;
}

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

pub(super) const EXCHANGE_BY_GET: Example = Example {
    place: "Token Exchange for Authorization Code Grant with ID Token",
    request: "the same parameters in the address, \"for testing purposes\"",
    test: "the_token_exchange_in_the_address",
    switches: &[DEVELOPER_MODE, OBSERVE],
    corrections: &[AMPERSANDS, IDS, CREDENTIALS],
};

#[tokio::test]
async fn the_token_exchange_in_the_address() {
    let app = app_with_user().await;
    let client = app
        .add_client(observed().with("allow_short_code_verifier", "1"))
        .await;
    let address = |code: &str, more: &str| {
        format!(
            "{}?grant_type=authorization_code&code={code}&client_id={}\
             &redirect_uri=https%3A%2F%2Fapp.getpostman.com%2Foauth2%2Fcallback{more}",
            method("get_token"),
            client.client_id
        )
    };
    let first = code(&app, &client, "").await;
    let refused = app.http().get(&address(&first, "")).send().await;
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("POST"))
    );

    app.set_config("developer_mode", 1);
    as_documented(
        &app,
        &client,
        &app.http().get(&address(&first, "")).send().await,
    )
    .await;
    let challenge = format!("&code_challenge={CHALLENGE}&code_challenge_method=s256");
    let second = code(&app, &client, &challenge).await;
    let answer = app
        .http()
        .get(&address(&second, "&code_verifier=420"))
        .send()
        .await;
    as_documented(&app, &client, &answer).await;
    app.close().await;
}

pub(super) const EXCHANGE_WITH_PKCE: Example = Example {
    place: "Token Exchange for Authorization Code Grant with ID Token (PKCE)",
    request: "`curl -X POST …get_token` with `code_verifier=420`, by POST and in the address",
    test: "the_token_exchange_with_pkce",
    switches: &[SHORT_VERIFIER, OBSERVE, DEVELOPER_MODE],
    corrections: &[
        Correction {
            shown: "`code_verifier=21XaP8MJjpxCMRxgEzBP82sZ73PRLqkyBUta1R309J0` in the comment of \
                    the authorization request",
            instead: "`code_challenge=21XaP8MJjpxCMRxgEzBP82sZ73PRLqkyBUta1R309J0` and \
                      `code_challenge_method=s256`",
            because: "there it is the challenge; the verifier follows at the token endpoint. The \
                      value is right: the SHA-256 of `420`",
        },
        Correction {
            shown: "`base64encode(sha256(random_string))`",
            instead: "base64url without `=` (RFC 7636 appendix A)",
            because: "`+` and `/` are not in the alphabet of a challenge; the example's value \
                      happens to have neither",
        },
        AMPERSANDS,
        LINE_BREAK,
        IDS,
        CREDENTIALS,
    ],
};

#[tokio::test]
async fn the_token_exchange_with_pkce() {
    let app = app_with_user().await;
    let client = app
        .add_client(client().with("allow_short_code_verifier", "1"))
        .await;
    let redeem = async |code: &str, verifier: &str| {
        let more = [("code_verifier", verifier)];
        app.http().redeem(&client, code, &more).await
    };
    assert_eq!(CHALLENGE, crema_testkit::challenge("420"));

    // As in the comment: the server has no challenge that the verifier could belong to.
    let comment = format!("&code_verifier={CHALLENGE}");
    let first = code(&app, &client, &comment).await;
    assert_eq!(redeem(&first, "420").await.error(), "invalid_grant");

    for method in ["s256", "S256"] {
        let challenge = format!("&code_challenge={CHALLENGE}&code_challenge_method={method}");
        let code = code(&app, &client, &challenge).await;
        as_documented(&app, &client, &redeem(&code, "420").await).await;
    }

    let challenge = format!("&code_challenge={CHALLENGE}&code_challenge_method=s256");
    app.change_client(&client, &[("allow_short_code_verifier", "0")])
        .await;
    let second = code(&app, &client, &challenge).await;
    assert_eq!(redeem(&second, "420").await.error(), "invalid_grant");
    app.close().await;
}

pub(super) const PLAIN: Example = Example {
    place: "Using OAuth › Params",
    request: "`code_challenge_method=plain`, the challenge being the random string itself",
    test: "the_plain_challenge",
    switches: &[
        Switch {
            set: "OAuth Client › Allow Plain PKCE",
            because: "whoever sees the authorization request could redeem the code \
                      (RFC 9700 §2.1.1)",
        },
        SHORT_VERIFIER,
    ],
    corrections: &[CREDENTIALS],
};

#[tokio::test]
async fn the_plain_challenge() {
    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let plain = "&code_challenge=420&code_challenge_method=plain";
    let refused = authorize(&mut app.visitor(), &corrected(&client, plain)).await;
    assert_eq!(Redirect::of(&refused).param("error"), "invalid_request");

    let switches = [
        ("allow_plain_pkce", "1"),
        ("allow_short_code_verifier", "1"),
    ];
    app.change_client(&client, &switches).await;
    let code = code(&app, &client, plain).await;
    let answer = app
        .http()
        .redeem(&client, &code, &[("code_verifier", "420")])
        .await;
    as_documented(&app, &client, &answer).await;
    let uses = app.count(
        r#"SELECT COUNT(*) FROM "tabActivity Log" WHERE operation = 'Legacy Switch'"#,
        vec![],
    );
    assert_eq!(uses.await, 1);
    app.close().await;
}

pub(super) const REFRESH: Example = Example {
    place: "Token Exchange for Authorization Code Grant with ID Token › Note",
    request: "\"Just send the refresh_token in the request body\"",
    test: "the_refresh",
    switches: &[],
    corrections: &[Correction {
        shown: "only `refresh_token`",
        instead: "`grant_type=refresh_token`, `refresh_token`, and the client's credentials",
        because: "RFC 6749 §6",
    }],
};

#[tokio::test]
async fn the_refresh() {
    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let code = code(&app, &client, "").await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let alone = [("refresh_token", tokens.refresh_token.as_str())];
    assert_eq!(
        app.http().token(&client, &alone).await.error(),
        "invalid_request"
    );
    let answer = app.http().refresh(&client, &tokens.refresh_token).await;
    as_documented(&app, &client, &answer).await;
    app.close().await;
}

pub(super) const REVOKE: Example = Example {
    place: "Revoke Token Endpoint",
    request: "`POST …revoke_token` with `token`",
    test: "the_revocation",
    switches: &[],
    corrections: &[CREDENTIALS],
};

#[tokio::test]
async fn the_revocation() {
    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let code = code(&app, &client, "").await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let body = format!("token={}", tokens.access_token);
    assert_eq!(post(&app, "revoke_token", &body).await.status, 401);
    assert_eq!(
        app.http().logged_user(&tokens.access_token).await.status,
        200
    );

    let answer = app.http().revoke(&client, &tokens.access_token).await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    assert_eq!(
        app.http().logged_user(&tokens.access_token).await.status,
        401
    );
    // "Always returns empty response with HTTP status code 200."
    let answer = app.http().revoke(&client, &tokens.access_token).await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    let answer = app.http().revoke(&client, "no token of ours").await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    app.close().await;
}

pub(super) const ID_TOKEN: Example = Example {
    place: "Open ID Connect id_token",
    request: "`jwt.decode(id_token, key=client_secret, …)`",
    test: "the_id_token",
    switches: &[Switch {
        set: "OAuth Client › ID Token Signed Response Alg: `HS256`",
        because: "a new client has `RS256`, which every OpenID library verifies by itself and \
                  public clients can verify too; clients that are in a Frappe database already \
                  have `HS256`",
    }],
    corrections: &[
        Correction {
            shown: "`algorithm=\"HS256\"`",
            instead: "`algorithms=[\"HS256\"]`",
            because: "PyJWT 2 takes no other form",
        },
        Correction {
            shown: "the ID token in the token answers",
            instead: "your own",
            because: "it is signed with `secret`, unlike the others, and has neither `iss` nor \
                      `aud`",
        },
    ],
};

/// The document's own token, that its Python lines decode.
const SHOWN_ID_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkouIERvZSIsImVtYWlsIjoiakBkb2UuY29tIiwiaWF0IjoxNTE2MjM5MDIyLCJleHAiOjE1MTYyNDIwMjIsImF1ZCI6ImNsaWVudF9pZCIsInJvbGVzIjpbIlN5c3RlbSBNYW5hZ2VyIiwiU2FsZXMgTWFuYWdlciJdLCJub25jZSI6Ijc4OTEyMyIsImlzcyI6Imh0dHBzOi8vZXJwLmV4YW1wbGUuY29tIn0.F8Wbh5dtD1loZPltJLj_sqF9DZNeBvEbo-ITtf3UPqk";

#[tokio::test]
async fn the_id_token() {
    let shown = checked_with_secret(SHOWN_ID_TOKEN, "client_secret").unwrap();
    assert_eq!(shown["aud"], "client_id");

    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let code = code(&app, &client, "&nonce=789123").await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let id_token = tokens.id_token.unwrap();
    assert!(checked_with_secret(&id_token, "another secret").is_none());
    let claims = checked_with_secret(&id_token, client.secret()).unwrap();
    assert_eq!(claims["aud"], json!(client.client_id));
    assert_eq!(claims["iss"], json!(app.issuer()));
    assert_eq!(claims["nonce"], "789123");
    assert_eq!(claims["email"], USER);
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        3600
    );
    assert_eq!(claims["iat"], json!(now(&app)));
    let roles = claims["roles"].as_array().unwrap();
    assert!(roles.contains(&json!("Sales User")), "{roles:?}");
    // "sub claim has User's userid": the same at every endpoint.
    let profile = app.http().userinfo(&tokens.access_token).await.json();
    assert_eq!(claims["sub"], profile["sub"]);
    for (name, value) in shown.as_object().unwrap() {
        assert_eq!(claims[name].is_string(), value.is_string(), "{name}");
        assert!(!claims[name].is_null(), "{name}");
    }
    app.close().await;
}

pub(super) const PROFILE: Example = Example {
    place: "OpenID User Info Endpoint",
    request: "`GET …openid_profile` with `Authorization: Bearer valid_access_token`",
    test: "the_profile",
    switches: &[],
    corrections: &[Correction {
        shown: "`iat`, `exp` and `aud` in the answer",
        instead: "look for them in the ID token or ask the introspection endpoint",
        because: "they speak about a token, not about a user (OpenID Connect Core §5.3.2)",
    }],
};

#[tokio::test]
async fn the_profile() {
    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let name = [
        ("first_name", "J"),
        ("last_name", "Doe"),
        ("full_name", "J Doe"),
    ];
    for (field, value) in name.into_iter().chain([("user_image", "/files/jdoe.jpg")]) {
        let sql = format!(r#"UPDATE "tabUser" SET {field} = ? WHERE name = ?"#);
        app.execute(&sql, vec![value.into(), USER.into()]).await;
    }
    let code = code(&app, &client, "").await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let answer = app.http().userinfo(&tokens.access_token).await;
    assert_eq!(answer.status, 200);
    let profile = answer.json();
    assert!(!profile["sub"].as_str().unwrap().is_empty());
    assert_eq!(profile["name"], "J Doe");
    assert_eq!(profile["given_name"], "J");
    assert_eq!(profile["family_name"], "Doe");
    assert_eq!(profile["iss"], json!(app.issuer()));
    assert_eq!(profile["picture"], json!(app.url("/files/jdoe.jpg")));
    assert_eq!(profile["email"], USER);
    assert!(
        profile["roles"]
            .as_array()
            .unwrap()
            .contains(&json!("Sales User"))
    );
    for absent in ["iat", "exp", "aud"] {
        assert!(profile[absent].is_null(), "{absent}");
    }
    app.close().await;
}

pub(super) const INTROSPECT: Example = Example {
    place: "Introspect Token Endpoint",
    request: "`POST …introspect_token` with `token` and a hint",
    test: "the_introspection",
    switches: &[],
    corrections: &[
        Correction {
            shown: "`tokentypehint`",
            instead: "`token_type_hint`",
            because: "RFC 7662 §2.1; it is a hint only, both kinds are found without it",
        },
        CREDENTIALS,
        Correction {
            shown: "`\"active\": false` beside `_server_messages`",
            instead: "exactly `{\"active\": false}`",
            because: "nothing else is told about a token that is not alive (RFC 7662 §2.2)",
        },
    ],
};

#[tokio::test]
async fn the_introspection() {
    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let code = code(&app, &client, "").await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let body = format!("token={}&token_type_hint=access_token", tokens.access_token);
    assert_eq!(post(&app, "introspect_token", &body).await.status, 401);

    let hints = [
        "",
        "&tokentypehint=refresh_token",
        "&token_type_hint=refresh_token",
    ];
    for (token, end) in [
        (&tokens.access_token, 3600),
        (&tokens.refresh_token, 30 * 86_400),
    ] {
        for hint in hints {
            let body = format!(
                "token={token}&client_id={}&client_secret={}{hint}",
                client.client_id,
                client.secret()
            );
            let answer = post(&app, "introspect_token", &body).await.json();
            assert_eq!(answer["active"], true, "{hint}");
            assert_eq!(answer["client_id"], json!(client.client_id));
            assert_eq!(answer["aud"], json!(client.client_id));
            assert_eq!(answer["trusted_client"], 0);
            assert_eq!(answer["scope"], "openid all");
            assert_eq!(answer["iss"], json!(app.issuer()));
            assert_eq!(answer["email"], USER);
            assert_eq!(answer["iat"], json!(now(&app)));
            assert_eq!(answer["exp"], json!(now(&app) + end));
        }
    }
    app.change_client(&client, &[("skip_authorization", "1")])
        .await;
    let answer = app.http().introspect(&client, &tokens.access_token).await;
    assert_eq!(answer.json()["trusted_client"], 1);
    let answer = app.http().introspect(&client, "no token of ours").await;
    assert_eq!(answer.json(), json!({"active": false}));
    app.close().await;
}

pub(super) const FORCE_AND_AUTO: Example = Example {
    place: "Setup OAuth 2 Provider",
    request: "`Force` and `Auto` in OAuth Provider Settings",
    test: "force_and_auto",
    switches: &[],
    corrections: &[Correction {
        shown: "OAuth Provider Settings",
        instead: "OAuth Settings › Skip Authorization",
        because: "the older record is still read while the newer switch is off. Only a living \
                  token of the same user, client and scopes counts, and never for public clients \
                  on custom schemes or loopback",
    }],
};

#[tokio::test]
async fn force_and_auto() {
    let app = app_with_user().await;
    let client = app.add_client(client()).await;
    let set = async |choice: &str| {
        let values = [("skip_authorization", choice)];
        app.set_settings("OAuth Provider Settings", &values).await;
    };
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    set("Force").await;
    for _ in 0..2 {
        let page = authorize(&mut visitor, &corrected(&client, "")).await;
        assert_eq!(page.status, 200);
        let allowed = Redirect::of(&visitor.decide(&page, "allow").await);
        let answer = app.http().redeem(&client, allowed.param("code"), &[]).await;
        assert_eq!(answer.status, 200);
    }
    set("Auto").await;
    let answer = authorize(&mut visitor, &corrected(&client, "")).await;
    assert!(!Redirect::of(&answer).param("code").is_empty());
    // No active token, and nothing that was allowed before: asked again.
    app.execute(
        r#"UPDATE "tabOAuth Bearer Token" SET status = 'Revoked'"#,
        vec![],
    )
    .await;
    app.execute(r#"DELETE FROM "tabOAuth Consent""#, vec![])
        .await;
    let page = authorize(&mut visitor, &corrected(&client, "")).await;
    assert_eq!(page.status, 200);
    app.close().await;
}

pub(super) const SKIP: Example = Example {
    place: "Add a Client App",
    request: "Skip Authorization of the client",
    test: "skip_authorization",
    switches: &[Switch {
        set: "OAuth Client › Skip Authorization",
        because: "for applications of the site's owner only",
    }],
    corrections: &[],
};

#[tokio::test]
async fn skip_authorization() {
    let app = app_with_user().await;
    let client = app
        .add_client(client().with("skip_authorization", "1"))
        .await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let answer = authorize(&mut visitor, &corrected(&client, "")).await;
    let code = Redirect::of(&answer).param("code").to_owned();
    let answer = app.http().redeem(&client, &code, &[]).await;
    as_documented(&app, &client, &answer).await;
    app.close().await;
}

pub(super) const IMPLICIT: Example = Example {
    place: "Add a Client App",
    request: "Grant Type `Implicit` with Response Type `Token`",
    test: "the_implicit_grant",
    switches: &[Switch {
        set: "OAuth Client › Grant Type: `Implicit`",
        because: "tokens in an address leak, and nothing binds them to the client \
                  (RFC 9700 §2.1.2); use a code with PKCE",
    }],
    corrections: &[],
};

#[tokio::test]
async fn the_implicit_grant() {
    let app = app_with_user().await;
    let spec = client()
        .with("grant_type", "Implicit")
        .with("response_type", "Token");
    let client = app.add_client(spec).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let body = corrected(&client, "").replace("response_type=code", "response_type=token");
    let page = authorize(&mut visitor, &body).await;
    let redirect = Redirect::of(&visitor.decide(&page, "allow").await);
    assert!(redirect.in_fragment);
    assert_eq!(redirect.param("token_type"), "Bearer");
    assert_eq!(redirect.param("expires_in"), "3600");
    assert_eq!(redirect.param("refresh_token"), "");
    let who = app.http().logged_user(redirect.param("access_token")).await;
    assert_eq!(who.json()["message"], USER);
    app.close().await;
}

#[tokio::test]
async fn only_what_is_registered_counts_as_a_client_that_proves_itself() {
    // `Observe` lets absent credentials pass, never wrong ones.
    let app = app_with_user().await;
    let client = app.add_client(observed()).await;
    let code = code(&app, &client, "").await;
    let mut wrong = client.by(AuthMethod::ClientSecretPost);
    wrong.client_secret = Some("wrong".to_owned());
    assert_eq!(app.http().redeem(&wrong, &code, &[]).await.status, 401);
    app.close().await;
}

pub(super) const EXAMPLES: &[&Example] = &[
    &FORCE_AND_AUTO,
    &SKIP,
    &IMPLICIT,
    &AUTHORIZE_BY_POST,
    &PLAIN,
    &EXCHANGE,
    &EXCHANGE_BY_GET,
    &REFRESH,
    &EXCHANGE_WITH_PKCE,
    &REVOKE,
    &ID_TOKEN,
    &PROFILE,
    &INTROSPECT,
];
