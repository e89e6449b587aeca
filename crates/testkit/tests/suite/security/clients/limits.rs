//! Guessing secrets.

use crema_testkit::{Http, Request, Response, TestClient, for_each_engine};

use crate::security::scene::{self, call};

fn attempt(http: &Http, client: &TestClient, secret: &str) -> Request {
    call(http, "revoke_token", &[("token", "x")]).basic(&client.client_id, secret)
}

fn assert_told_to_wait(response: &Response) {
    assert_eq!(response.status, 429, "{}", response.text());
    let seconds: u32 = response.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}

for_each_engine! {
    // spec: security.md, Clients, line 7; Sign-in and sessions, line 3
    async fn wrong_secrets_are_limited_per_client_and_address(engine: Engine) {
        let app = scene::start_behind_proxy(engine).await;
        let client = scene::confidential(&app).await;
        let other = scene::confidential(&app).await;
        let (first, second) = (app.http(), app.second_server().await);
        let from = |request: Request, address: &str| request.header("X-Forwarded-For", address);
        let mut refused = 0;
        let mut limited = None;
        // The processes count together.
        for round in 0..30 {
            let http = if round % 2 == 0 { first.clone() } else { second.http() };
            let answer = from(attempt(&http, &client, "wrong"), "203.0.113.7").send().await;
            match answer.status {
                401 => refused += 1,
                _ => {
                    limited = Some(answer);
                    break;
                }
            }
        }
        assert_eq!(refused, 10, "guesses that were looked at");
        assert_told_to_wait(&limited.unwrap());
        // The right one is not looked at either, here or at the other process.
        for http in [first.clone(), second.http()] {
            let right = from(attempt(&http, &client, client.secret()), "203.0.113.7");
            assert_told_to_wait(&right.send().await);
        }

        // Nobody is locked out from elsewhere, and no other client from here.
        let elsewhere = from(attempt(&first, &client, client.secret()), "203.0.113.8");
        assert_eq!(elsewhere.send().await.status, 200);
        let not_this = from(attempt(&first, &other, other.secret()), "203.0.113.7");
        assert_eq!(not_this.send().await.status, 200);

        app.clock.advance_seconds(61);
        let later = from(attempt(&first, &client, client.secret()), "203.0.113.7");
        assert_eq!(later.send().await.status, 200);
        assert_eq!(scene::audit(&app, "Lockout").await.len(), 1);
        let failures = scene::audit(&app, "Client Authentication").await;
        assert_eq!(failures.len(), 1, "counted per minute and address");
        assert_eq!(failures[0].text(3).unwrap(), "203.0.113.7");
        second.stop().await;
        app.close().await;
    }
}

// spec: security.md, Clients, line 7: and nobody fills the table of failures
#[tokio::test]
async fn made_up_clients_share_one_counter() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    for number in 0..30 {
        let id = format!("made-up-{number}");
        let request = call(&app.http(), "revoke_token", &[("token", "x")]).basic(&id, "x");
        let status = request.send().await.status;
        assert_eq!(status, if number < 10 { 401 } else { 429 }, "{number}");
    }
    let counters = app.count("SELECT count(*) FROM \"__failure\"", vec![]);
    assert_eq!(counters.await, 1);
    let right = attempt(&app.http(), &client, client.secret());
    assert_eq!(right.send().await.status, 200);
    app.close().await;
}
