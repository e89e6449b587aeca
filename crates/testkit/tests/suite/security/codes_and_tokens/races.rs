//! What two who come at the same time get.

use std::collections::BTreeSet;

use crema_auth::user;
use crema_testkit::{App, ClientSpec, Http, Response, Server, TestClient, for_each_engine};
use tokio::task::JoinSet;

use crate::security::scene::{self, PASSWORD, REDIRECT, USER, is_alive};

const RACERS: usize = 12;

/// Sends the same token request many times at once, to two processes in turn.
async fn race(
    app: &App,
    second: &Server,
    client: &TestClient,
    params: &[(&'static str, String)],
) -> Vec<Response> {
    let mut racers = JoinSet::new();
    for number in 0..RACERS {
        let http: Http = if number % 2 == 0 {
            app.http()
        } else {
            second.http()
        };
        let (client, params) = (client.clone(), params.to_vec());
        racers.spawn(async move {
            let pairs: Vec<_> = params.iter().map(|(n, v)| (*n, v.as_str())).collect();
            http.token(&client, &pairs).await
        });
    }
    racers.join_all().await
}

fn refresh(token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", token.to_owned()),
    ]
}

async fn active_rows(app: &App) -> i64 {
    let rows = "SELECT count(*) FROM \"tabOAuth Bearer Token\" WHERE status = 'Active'";
    app.count(rows, vec![]).await
}

for_each_engine! {
    // spec: security.md, Codes and tokens, line 1; behaviour.md, finding 5
    async fn of_many_who_redeem_one_code_at_most_one_gets_tokens_and_they_end(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let second = app.second_server().await;
        for _ in 0..3 {
            let code = scene::code(app, &client, "openid").await;
            let answers = race(app, &second, &client, &[
                ("grant_type", "authorization_code".to_owned()),
                ("code", code),
                ("redirect_uri", REDIRECT.to_owned()),
            ]).await;
            let (fine, refused): (Vec<_>, Vec<_>) =
                answers.into_iter().partition(|answer| answer.status == 200);
            assert_eq!(fine.len(), 1);
            for answer in refused {
                assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"));
            }
            // Those who came second have ended it.
            let tokens = fine[0].tokens();
            assert!(!is_alive(&app.http(), &tokens.access_token).await);
            assert!(!is_alive(&second.http(), &tokens.access_token).await);
            assert_eq!(app.http().refresh(&client, &tokens.refresh_token).await.status, 400);
            assert_eq!(active_rows(app).await, 0);
        }
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 3: two racing tabs do no harm
    async fn racing_tabs_get_the_same_pair(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let second = app.second_server().await;
        let mut tokens = scene::tokens(app, &client, "openid").await;
        for _ in 0..3 {
            let answers = race(app, &second, &client, &refresh(&tokens.refresh_token)).await;
            let pairs: BTreeSet<_> = answers.iter().map(|answer| {
                let tokens = answer.tokens();
                (tokens.access_token, tokens.refresh_token)
            }).collect();
            assert_eq!(pairs.len(), 1);
            assert!(!is_alive(&app.http(), &tokens.access_token).await);
            tokens = answers[0].tokens();
            assert!(is_alive(&second.http(), &tokens.access_token).await);
            assert_eq!(active_rows(app).await, 1);
        }
        assert!(scene::audit(app, "Refresh Reuse").await.is_empty());
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 3: without a grace window a race is a reuse
    async fn without_a_grace_window_racers_end_the_family(app: &App) {
        scene::add_user(app).await;
        let spec = ClientSpec::new(REDIRECT).with("refresh_grace_seconds", "0");
        let client = app.add_client(spec).await;
        let second = app.second_server().await;
        let tokens = scene::tokens(app, &client, "openid").await;
        let answers = race(app, &second, &client, &refresh(&tokens.refresh_token)).await;
        let fine: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(fine.len(), 1);
        let newest = fine[0].tokens();
        assert!(!is_alive(&app.http(), &newest.access_token).await);
        assert_eq!(active_rows(app).await, 0);
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, lines 3 and 4: what ends is not overtaken by a refresh
    async fn a_refresh_in_flight_does_not_survive_what_ends_it(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let second = app.second_server().await;
        for round in 0..6 {
            let tokens = scene::tokens(app, &client, "openid").await;
            let ending = async {
                if round % 2 == 0 {
                    let answer = app.http().revoke(&client, &tokens.access_token).await;
                    assert_eq!(answer.status, 200);
                } else {
                    app.set_password(USER, PASSWORD).await;
                }
            };
            let request = refresh(&tokens.refresh_token);
            let racing = race(app, &second, &client, &request);
            let (answers, ()) = tokio::join!(racing, ending);
            for answer in answers {
                if answer.status == 200 {
                    let newest = answer.tokens();
                    assert!(!is_alive(&app.http(), &newest.access_token).await);
                    let again = second.http().refresh(&client, &newest.refresh_token).await;
                    assert_eq!(again.status, 400);
                }
            }
            assert_eq!(active_rows(app).await, 0, "round {round}");
        }
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 4: nor by a code, a password or a click
    async fn nothing_begun_before_a_user_was_disabled_survives_it(app: &App) {
        scene::add_user(app).await;
        let spec = ClientSpec::new(REDIRECT)
            .grant_types("authorization_code refresh_token password")
            .with("skip_authorization", "1");
        let client = app.add_client(spec).await;
        for _ in 0..4 {
            let mut visitor = scene::signed_in(app).await;
            let code = visitor.code(&client, &[]).await;
            let http = app.http();
            let redeeming = http.redeem(&client, &code, &[]);
            let password = [
                ("grant_type", "password"), ("username", USER), ("password", PASSWORD),
            ];
            let by_password = http.token(&client, &password);
            let clicking = scene::authorize(&mut visitor, &client, &[]);
            let ctx = app.ctx().await;
            let disabling = user::disable(&ctx, "Administrator", USER);
            let (redeemed, by_password, clicked, disabled) =
                tokio::join!(redeeming, by_password, clicking, disabling);
            disabled.unwrap();
            for answer in [redeemed, by_password] {
                if answer.status == 200 {
                    assert!(!is_alive(&http, &answer.tokens().access_token).await);
                }
            }
            assert_eq!(active_rows(app).await, 0);
            let location = clicked.location().unwrap_or_default().to_owned();
            user::enable(&app.ctx().await, "Administrator", USER).await.unwrap();
            if let Some((_, rest)) = location.split_once("code=") {
                let code = rest.split('&').next().unwrap();
                assert_eq!(http.redeem(&client, code, &[]).await.status, 400);
            }
        }
    }
}
