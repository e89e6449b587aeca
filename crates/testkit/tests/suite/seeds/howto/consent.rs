//! Setting up, and the way to a code.

use super::*;

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
        r#"SELECT COUNT(*) FROM "tabActivity Log"
        WHERE operation = 'Legacy Switch' AND content LIKE '%plain PKCE%'"#,
        vec![],
    );
    assert_eq!(uses.await, 1);
    app.close().await;
}
