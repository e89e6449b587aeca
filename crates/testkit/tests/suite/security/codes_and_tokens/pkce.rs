//! PKCE at the token endpoint.

use crema_testkit::{App, ClientSpec, TestClient, VERIFIER, challenge, for_each_engine};

use crate::security::scene::{self, REDIRECT};

async fn redeem(app: &App, client: &TestClient, code: &str, verifier: &str) -> (u16, String) {
    let answer = app
        .http()
        .redeem(client, code, &[("code_verifier", verifier)])
        .await;
    let error = if answer.status == 200 {
        String::new()
    } else {
        answer.error()
    };
    (answer.status, error)
}

fn refused() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

for_each_engine! {
    // spec: security.md, Codes and tokens, line 2: a wrong or missing verifier burns the code
    async fn a_wrong_or_missing_verifier_burns_the_code(app: &App) {
        scene::add_user(app).await;
        let client = scene::public(app).await;
        let mut visitor = scene::signed_in(app).await;
        let wrong = VERIFIER.replace('d', "e");
        let other_case = VERIFIER.to_uppercase();
        let longer = format!("{VERIFIER}x");
        let own = challenge(VERIFIER);
        for bad in ["", &wrong, &other_case, &longer, &own, "short", "with blank and ünicode........................"] {
            let code = visitor.code(&client, &[]).await;
            assert_eq!(redeem(app, &client, &code, bad).await, refused(), "{bad}");
            assert_eq!(redeem(app, &client, &code, VERIFIER).await, refused(), "{bad}");
        }
        let code = visitor.code(&client, &[]).await;
        assert_eq!(redeem(app, &client, &code, VERIFIER).await.0, 200);
    }
}

// spec: security.md, Codes and tokens, line 2: a challenge that was sent is always enforced
#[tokio::test]
async fn confidential_clients_need_no_challenge_but_one_that_was_sent_is_enforced() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let code = visitor.code(&client, &[]).await;
    assert_eq!(redeem(&app, &client, &code, "").await.0, 200);
    let sent = challenge(VERIFIER);
    let with = [
        ("code_challenge", sent.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for (verifier, fine) in [
        ("", false),
        (VERIFIER, true),
        (&VERIFIER.to_lowercase(), false),
    ] {
        let code = visitor.code(&client, &with).await;
        let answer = redeem(&app, &client, &code, verifier).await;
        assert_eq!(answer.0 == 200, fine, "{verifier}: {answer:?}");
    }
    let spec = ClientSpec::new(REDIRECT).with("require_pkce", "1");
    let strict = app.add_client(spec).await;
    let redirect = visitor.grant(&strict, &[]).await;
    assert_eq!(redirect.param("error"), "invalid_request");
    let code = visitor.code(&strict, &with).await;
    assert_eq!(redeem(&app, &strict, &code, VERIFIER).await.0, 200);
    app.close().await;
}

// spec: security.md, Codes and tokens, line 2: a verifier without a challenge is refused
#[tokio::test]
async fn a_verifier_without_a_challenge_is_refused() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let code = visitor.code(&client, &[]).await;
    assert_eq!(redeem(&app, &client, &code, VERIFIER).await, refused());
    // The challenge was taken out of the request on its way: the code is lost.
    assert_eq!(redeem(&app, &client, &code, "").await, refused());
    app.close().await;
}

// spec: security.md, Codes and tokens, line 2: 43 to 128 unreserved characters
#[tokio::test]
async fn verifiers_have_43_to_128_unreserved_characters() {
    let app = scene::start().await;
    let client = scene::public(&app).await;
    let lenient = ClientSpec::public(REDIRECT).with("allow_short_code_verifier", "1");
    let lenient = app.add_client(lenient).await;
    let mut visitor = scene::signed_in(&app).await;
    let of = |length: usize| "aB3-._~".chars().cycle().take(length).collect::<String>();
    for (verifier, strict, short) in [
        (of(42), false, true),
        (of(43), true, true),
        (of(128), true, true),
        (of(129), false, false),
        (of(1), false, true),
        (format!("{}+", of(42)), false, false),
        (format!("{} ", of(42)), false, false),
        (format!("{}/", of(50)), false, false),
        (format!("{}é", of(50)), false, false),
    ] {
        let challenge = challenge(&verifier);
        for (client, fine) in [(&client, strict), (&lenient, short)] {
            let code = visitor
                .code(client, &[("code_challenge", &challenge)])
                .await;
            let answer = redeem(&app, client, &code, &verifier).await;
            assert_eq!(answer.0 == 200, fine, "{verifier}: {answer:?}");
        }
    }
    // A short one exists only as a switch, and its use is written down.
    let uses = scene::audit(&app, "Legacy Switch").await;
    let of_lenient = uses
        .iter()
        .filter(|row| row.text(2).unwrap() == lenient.client_id);
    assert_eq!(of_lenient.count(), 2);
    assert_eq!(uses.len(), 2);
    app.close().await;
}
