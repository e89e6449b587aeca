//! One refresh token, many refreshes.
// spec: security.md, Codes and tokens, line 3: rotation, grace window, one living pair

use crema_testkit::for_each_engine;

use super::*;

for_each_engine! {
    async fn fifty_refreshes_get_the_same_pair(app: &App) {
        let client = setup(app).await;
        let old = tokens(&app.http(), &client, USER, PASSWORD).await;
        let answers = together(50, |_| {
            refresh(app.http(), client.clone(), old.refresh_token.clone())
        })
        .await;
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let new = the_one_pair(app, &answers).await;
        assert_ne!(new.refresh_token, old.refresh_token);
        assert_eq!(app.http().logged_user(&old.access_token).await.status, 401);
        assert_eq!(app.http().logged_user(&new.access_token).await.status, 200);
    }

    async fn refreshes_at_two_processes_get_the_same_pair(app: &App) {
        let client = setup(app).await;
        let second = app.second_server().await;
        let servers = [app.http(), second.http()];
        let mut pair = tokens(&app.http(), &client, USER, PASSWORD).await;
        for _ in 0..5 {
            let answers = together(10, |index| {
                let http = servers[index % 2].clone();
                refresh(http, client.clone(), pair.refresh_token.clone())
            })
            .await;
            assert!(answers.iter().all(|answer| answer.status == 200));
            pair = the_one_pair(app, &answers).await;
            for http in &servers {
                assert_eq!(http.logged_user(&pair.access_token).await.status, 200);
            }
        }
        second.stop().await;
    }

    async fn without_a_grace_window_a_race_is_a_reuse(app: &App) {
        let client = setup(app).await;
        app.change_client(&client, &[("refresh_grace_seconds", "0")]).await;
        let old = tokens(&app.http(), &client, USER, PASSWORD).await;
        let answers = together(20, |_| {
            refresh(app.http(), client.clone(), old.refresh_token.clone())
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_nothing_lives(app, &client, &answers).await;
    }

    // A stolen token is used while its owner refreshes on: whoever is first, the second one
    // betrays both.
    async fn an_old_token_ends_the_family_while_it_is_refreshed(app: &App) {
        let client = setup(app).await;
        for _ in 0..5 {
            let first = tokens(&app.http(), &client, USER, PASSWORD).await;
            let second = app.http().refresh(&client, &first.refresh_token).await.tokens();
            app.clock.advance_seconds(11);
            let answers = together(8, |index| {
                let token = if index % 2 == 0 { &first } else { &second };
                refresh(app.http(), client.clone(), token.refresh_token.clone())
            })
            .await;
            for answer in answers.iter().step_by(2) {
                assert_eq!(answer.error(), "invalid_grant");
            }
            assert_nothing_lives(app, &client, &answers).await;
        }
    }

    // The window is there for lost answers, not for going back: once the successor was used,
    // its predecessor is a reuse even a moment later.
    async fn a_predecessor_races_with_the_use_of_its_successor(app: &App) {
        let client = setup(app).await;
        for _ in 0..5 {
            let first = tokens(&app.http(), &client, USER, PASSWORD).await;
            let second = app.http().refresh(&client, &first.refresh_token).await.tokens();
            let answers = together(8, |index| {
                let token = if index % 2 == 0 { &first } else { &second };
                refresh(app.http(), client.clone(), token.refresh_token.clone())
            })
            .await;
            // Never two pairs. A replay before the successor was used shows the pair that lived
            // then; after it, the family has ended.
            for answer in answers.iter().step_by(2).filter(|answer| answer.status == 200) {
                assert_eq!(answer.tokens().access_token, second.access_token);
            }
            assert!(active(app).await <= 1);
            let again = app.http().refresh(&client, &first.refresh_token).await;
            assert_eq!(again.error(), "invalid_grant");
            assert_nothing_lives(app, &client, &answers).await;
        }
    }

    async fn without_rotation_every_refresh_keeps_the_token(app: &App) {
        let client = setup(app).await;
        app.change_client(&client, &[("refresh_rotation", "0")]).await;
        let old = tokens(&app.http(), &client, USER, PASSWORD).await;
        let answers = together(20, |_| {
            refresh(app.http(), client.clone(), old.refresh_token.clone())
        })
        .await;
        for answer in &answers {
            assert_eq!(answer.tokens().refresh_token, old.refresh_token);
        }
        assert_eq!(refreshable(app).await, 1);
    }
}
