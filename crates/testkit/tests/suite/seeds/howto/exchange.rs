//! From a code to tokens, and from tokens to tokens.

use super::*;

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
