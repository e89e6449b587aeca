//! One code, many redemptions.
// spec: security.md, Codes and tokens, line 1: a code works once, a second use revokes

use crema_testkit::{App, for_each_engine};

use super::*;

async fn audited(app: &App, operation: &str) -> i64 {
    let sql = r#"SELECT COUNT(*) FROM "tabActivity Log" WHERE operation = ?"#;
    app.count(sql, vec![operation.into()]).await
}

for_each_engine! {
    async fn of_fifty_redemptions_one_succeeds_and_its_tokens_end(app: &App) {
        let client = setup(app).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let code = visitor.code(&client, &[("scope", "openid all")]).await;
        let answers = together(50, |_| {
            let (http, client, code) = (app.http(), client.clone(), code.clone());
            async move { http.redeem(&client, &code, &[]).await }
        })
        .await;
        let succeeded = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(succeeded, 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!((answer.status, answer.error()), (400, "invalid_grant".to_owned()));
        }
        assert_nothing_lives(app, &client, &answers).await;
        assert_eq!(audited(app, "Token Issued").await, 1);
        assert!(audited(app, "Code Reuse").await >= 1);
    }

    async fn redemptions_at_two_processes_give_one_success(app: &App) {
        let client = setup(app).await;
        let second = app.second_server().await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        for _ in 0..5 {
            let code = visitor.code(&client, &[]).await;
            let servers = [app.http(), second.http()];
            let answers = together(8, |index| {
                let http = servers[index % 2].clone();
                let (client, code) = (client.clone(), code.clone());
                async move { http.redeem(&client, &code, &[]).await }
            })
            .await;
            assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
            assert_nothing_lives(app, &client, &answers).await;
        }
        second.stop().await;
    }

    // spec: security.md, "another client's attempt neither burns nor revokes"
    async fn another_clients_attempts_do_not_disturb_the_owner(app: &App) {
        let client = setup(app).await;
        let other = app.add_client(spec()).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let code = visitor.code(&client, &[]).await;
        let answers = together(20, |index| {
            let client = if index == 10 { client.clone() } else { other.clone() };
            let (http, code) = (app.http(), code.clone());
            async move { http.redeem(&client, &code, &[]).await }
        })
        .await;
        for (index, answer) in answers.iter().enumerate() {
            assert_eq!(answer.status, if index == 10 { 200 } else { 400 });
        }
        let tokens = answers[10].tokens();
        assert_eq!(app.http().logged_user(&tokens.access_token).await.status, 200);
        assert_eq!(app.http().refresh(&client, &tokens.refresh_token).await.status, 200);
    }

    // spec: security.md, Authorization endpoint: prompt=login is fulfilled once
    async fn a_sign_in_that_was_demanded_is_used_once(app: &App) {
        let client = setup(app).await;
        app.change_client(&client, &[("skip_authorization", "1")]).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let request = client.authorization(&[("prompt", "login")]);
        let pairs: Vec<_> = request.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let answer = visitor.authorize(&pairs).await;
        let back = visitor.sent_to_login(&answer);
        app.clock.advance_seconds(5);
        visitor.login(USER, PASSWORD).await;
        let answers = together(10, |_| {
            let (mut visitor, back) = (visitor.clone(), back.clone());
            async move { visitor.get(&back).await }
        })
        .await;
        let codes = answers.iter().filter(|answer| {
            answer.location().is_some_and(|location| location.contains("code="))
        });
        assert_eq!(codes.count(), 1);
    }

    async fn who_allows_twice_has_one_consent(app: &App) {
        let client = setup(app).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let request = client.authorization(&[("scope", "openid")]);
        let pairs: Vec<_> = request.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let page = visitor.authorize(&pairs).await;
        let answers = together(10, |_| {
            let (mut visitor, page) = (visitor.clone(), page.clone());
            async move { visitor.decide(&page, "allow").await }
        })
        .await;
        assert!(answers.iter().all(|answer| answer.location().unwrap().contains("code=")));
        assert_eq!(app.count(r#"SELECT COUNT(*) FROM "tabOAuth Consent""#, vec![]).await, 1);
    }
}
