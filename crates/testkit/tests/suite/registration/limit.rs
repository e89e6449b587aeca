//! So many registrations from one address in a minute, over all processes.

use crema_testkit::{App, Engine, Http, for_each_engine};
use serde_json::json;

use super::{SETTINGS, clients, management, public, registered, registration};

async fn status(http: &Http, address: &str) -> u16 {
    let request = registration(http, &public()).header("X-Forwarded-For", address);
    let answer = request.send().await;
    if answer.status == 429 {
        let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert_eq!(answer.error(), "temporarily_unavailable");
    }
    answer.status
}

for_each_engine! {
    // spec: http.md, register_client, "Rate limit per address: 20 a minute by default, settable"
    async fn the_limit_is_one_for_all_processes_and_counts_what_fails(engine: Engine) {
        let app = App::builder().engine(engine).config("trusted_proxies", vec!["127.0.0.1"]).build().await;
        app.set_settings(SETTINGS, &[("registration_limit", "4")]).await;
        let second = app.second_server().await;
        let (one, other) = (app.http(), second.http());
        let bad = registration(&one, &json!({})).header("X-Forwarded-For", "192.0.2.1");
        assert_eq!(bad.send().await.status, 400);
        let wrong = registration(&other, &public()).bearer("nosuch");
        assert_eq!(wrong.header("X-Forwarded-For", "192.0.2.1").send().await.status, 401);
        assert_eq!(status(&one, "192.0.2.1").await, 201);
        assert_eq!(status(&other, "192.0.2.1").await, 201);
        assert_eq!(status(&one, "192.0.2.1").await, 429);
        assert_eq!(status(&other, "192.0.2.1").await, 429);
        assert_eq!(status(&other, "192.0.2.2").await, 201, "another address");
        app.clock.advance_seconds(60);
        assert_eq!(status(&other, "192.0.2.1").await, 201);
        second.stop().await;
        app.close().await;
    }

    // Many at once are not more than one after the other.
    async fn the_limit_holds_for_many_at_once(app: &App) {
        app.set_settings(SETTINGS, &[("registration_limit", "5")]).await;
        let before = clients(app).await;
        let mut tasks = Vec::new();
        for _ in 0..15 {
            let http = app.http();
            tasks.push(tokio::spawn(async move { status(&http, "192.0.2.1").await }));
        }
        let mut made = 0;
        for task in tasks {
            made += i64::from(task.await.unwrap() == 201);
        }
        assert_eq!((made, clients(app).await), (5, before + 5));
    }
}

#[tokio::test]
async fn twenty_a_minute_when_nothing_is_said_and_reading_is_not_limited() {
    let app = App::start(Engine::Sqlite).await;
    let information = registered(&app.http(), &public()).await;
    for _ in 1..20 {
        assert_eq!(status(&app.http(), "").await, 201);
    }
    assert_eq!(status(&app.http(), "").await, 429);
    let read = management(&app.http(), "GET", &information).send().await;
    assert_eq!(read.status, 200);
    let removed = management(&app.http(), "DELETE", &information).send().await;
    assert_eq!(removed.status, 204);
    app.close().await;
}
