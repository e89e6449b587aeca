//! Issuing and ending at the same moment: what was acknowledged as ended has ended.

use crema_auth::user::{self, ADMINISTRATOR};
use crema_crypto::Secret;
use crema_testkit::{App, Redirect, for_each_engine};

use super::*;

/// How often each race is run.
const ROUNDS: usize = 8;

/// The two ways to end all that a user has going.
#[derive(Clone, Copy)]
enum End {
    Disable,
    SetPassword,
}

impl End {
    async fn of_user(self, app: &App) {
        let ctx = app.ctx().await;
        match self {
            End::Disable => user::disable(&ctx, ADMINISTRATOR, USER).await.unwrap(),
            End::SetPassword => {
                let password = Secret::new(PASSWORD.to_owned());
                user::set_password(&ctx, ADMINISTRATOR, USER, &password)
                    .await
                    .unwrap();
            }
        }
    }

    /// Whoever may sign in again gets new tokens only by doing so.
    async fn undo(self, app: &App) {
        if let End::Disable = self {
            let ctx = app.ctx().await;
            user::enable(&ctx, ADMINISTRATOR, USER).await.unwrap();
        }
    }
}

/// Runs requests beside an end of the user; then the user comes back, and all that the requests
/// were answered has to be dead.
async fn race<F>(app: &App, client: &TestClient, end: End, count: usize, work: impl Fn(usize) -> F)
where
    F: Future<Output = Response> + Send + 'static,
{
    let requests = together(count, work);
    let (answers, ()) = tokio::join!(requests, end.of_user(app));
    end.undo(app).await;
    assert_nothing_lives(app, client, &answers).await;
}

for_each_engine! {
    async fn refreshing_and_revoking(app: &App) {
        let client = setup(app).await;
        for rotation in ["1", "0"] {
            app.change_client(&client, &[("refresh_rotation", rotation)]).await;
            for round in 0..ROUNDS {
                let old = tokens(&app.http(), &client, USER, PASSWORD).await;
                let token = if round % 2 == 0 { &old.refresh_token } else { &old.access_token };
                let answers = together(6, |index| {
                    let (http, client) = (app.http(), client.clone());
                    let (refresh_token, token) = (old.refresh_token.clone(), token.clone());
                    async move {
                        match index {
                            3 => http.revoke(&client, &token).await,
                            _ => http.refresh(&client, &refresh_token).await,
                        }
                    }
                })
                .await;
                assert_eq!((answers[3].status, answers[3].text()), (200, "{}".to_owned()));
                let refreshed: Vec<_> = answers.into_iter().filter(|a| a.text() != "{}").collect();
                assert_nothing_lives(app, &client, &refreshed).await;
            }
        }
    }

    async fn refreshing_and_ending_the_user(app: &App) {
        let client = setup(app).await;
        for rotation in ["1", "0"] {
            app.change_client(&client, &[("refresh_rotation", rotation)]).await;
            for end in [End::Disable, End::SetPassword] {
                for _ in 0..ROUNDS / 2 {
                    let old = tokens(&app.http(), &client, USER, PASSWORD).await;
                    race(app, &client, end, 5, |_| {
                        refresh(app.http(), client.clone(), old.refresh_token.clone())
                    })
                    .await;
                }
            }
        }
    }

    async fn redeeming_and_ending_the_user(app: &App) {
        let client = setup(app).await;
        for end in [End::Disable, End::SetPassword] {
            for _ in 0..ROUNDS {
                let mut visitor = app.signed_in(USER, PASSWORD).await;
                let code = visitor.code(&client, &[]).await;
                race(app, &client, end, 1, |_| {
                    let (http, client, code) = (app.http(), client.clone(), code.clone());
                    async move { http.redeem(&client, &code, &[]).await }
                })
                .await;
                let late = app.http().redeem(&client, &code, &[]).await;
                assert_eq!(late.error(), "invalid_grant");
            }
        }
    }

    async fn the_password_grant_and_ending_the_user(app: &App) {
        let client = setup(app).await;
        let grant = |http: Http, client: TestClient| async move {
            let params =
                [("grant_type", "password"), ("username", USER), ("password", PASSWORD)];
            http.token(&client, &params).await
        };
        for _ in 0..ROUNDS {
            race(app, &client, End::Disable, 6, |_| grant(app.http(), client.clone())).await;
        }
        // A grant after the change may come with the new password, so that has to differ.
        let next = "another secret";
        for _ in 0..ROUNDS {
            let requests = together(6, |_| grant(app.http(), client.clone()));
            let change = app.set_password(USER, next);
            let (answers, ()) = tokio::join!(requests, change);
            assert_nothing_lives(app, &client, &answers).await;
            app.set_password(USER, PASSWORD).await;
        }
    }

    // The client acts as the user: what it is given while the user is disabled must not come back
    // to life with the user.
    async fn client_credentials_and_disabling_the_user(app: &App) {
        app.add_user(USER, PASSWORD, &[]).await;
        let spec = spec().grant_types("client_credentials").with("user", USER);
        let client = app.add_client(spec).await;
        for _ in 0..ROUNDS {
            let requests = together(6, |_| {
                let (http, client) = (app.http(), client.clone());
                async move { http.token(&client, &[("grant_type", "client_credentials")]).await }
            });
            let (answers, ()) = tokio::join!(requests, End::Disable.of_user(app));
            End::Disable.undo(app).await;
            assert_eq!(active(app).await, 0);
            for answer in answers.iter().filter(|answer| answer.status == 200) {
                let token = answer.tokens().access_token;
                assert_eq!(app.http().logged_user(&token).await.status, 401);
            }
        }
    }

    // A code or token that a browser is given while its user is signed out everywhere.
    async fn authorizing_and_ending_the_user(app: &App) {
        app.add_user(USER, PASSWORD, &[]).await;
        let spec = spec().with("grant_type", "Implicit").with("response_type", "Token");
        let spec = spec.grant_types("authorization_code refresh_token implicit");
        let client = app.add_client(spec.with("skip_authorization", "1")).await;
        for end in [End::Disable, End::SetPassword] {
            for _ in 0..ROUNDS {
                let visitor = app.signed_in(USER, PASSWORD).await;
                let request = client.authorization(&[("response_type", "code token")]);
                let requests = together(4, |_| {
                    let (mut visitor, request) = (visitor.clone(), request.clone());
                    async move {
                        let pairs: Vec<_> =
                            request.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                        visitor.authorize(&pairs).await
                    }
                });
                let (answers, ()) = tokio::join!(requests, end.of_user(app));
                end.undo(app).await;
                assert_eq!(active(app).await, 0);
                for answer in &answers {
                    let redirect = Redirect::of(answer);
                    let token = redirect.param("access_token");
                    if !token.is_empty() {
                        assert_eq!(app.http().logged_user(token).await.status, 401);
                    }
                    let code = redirect.param("code");
                    if !code.is_empty() {
                        let redeemed = app.http().redeem(&client, code, &[]).await;
                        assert_eq!(redeemed.error(), "invalid_grant");
                    }
                }
            }
        }
    }
}
