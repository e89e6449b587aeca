//! Clocks that step backwards and forwards: what was issued stays valid until its end, no number
//! turns negative, and nothing ends because of it.

use crema_document::Timestamp;
use crema_testkit::app::START;
use crema_testkit::{App, ClientSpec, Engine, TestClient, engines};

const CALLBACK: &str = "https://app.example.com/callback";
const HOUR: i64 = 3600;

async fn pair(app: &App, client: &TestClient) -> crema_testkit::Tokens {
    let mut visitor = app.signed_in("jo@example.com", "a-password-9").await;
    let code = visitor.code(client, &[]).await;
    app.http().redeem(client, &code, &[]).await.tokens()
}

/// Whether a token works; its times make sense whatever the clock shows.
async fn is_active(app: &App, client: &TestClient, token: &str) -> bool {
    let answer = app.http().introspect(client, token).await.json();
    if answer["active"] == true {
        let (issued, ends) = (answer["iat"].as_i64(), answer["exp"].as_i64());
        assert!(issued < ends && issued > Some(0), "{answer}");
    }
    answer["active"] == true
}

fn steps(engine: Engine) {
    engines::run(async {
        let app = App::start(engine).await;
        app.add_user("jo@example.com", "a-password-9", &["System Manager"])
            .await;
        let client = app.add_client(ClientSpec::new(CALLBACK)).await;
        let mut session = app.signed_in("jo@example.com", "a-password-9").await;
        let first = pair(&app, &client).await;
        // Backwards: by a little, by more than any lifetime, by years, before the epoch's first day.
        for back in [1, HOUR, 100 * 24 * HOUR, START.seconds() - 10] {
            app.clock.set(START);
            let old = pair(&app, &client).await;
            app.clock.set(START.plus_seconds(-back));
            assert!(is_active(&app, &client, &old.access_token).await, "{back}");
            assert_eq!(app.http().userinfo(&old.access_token).await.status, 200);
            assert_eq!(session.get("/me").await.status, 200, "{back}");
            // A refresh, its replay, another one: all as always.
            let next = app
                .http()
                .refresh(&client, &old.refresh_token)
                .await
                .tokens();
            assert!(next.expires_in > 0);
            let again = app
                .http()
                .refresh(&client, &old.refresh_token)
                .await
                .tokens();
            assert_eq!(again.refresh_token, next.refresh_token);
            assert!(again.expires_in > 0);
            let last = app
                .http()
                .refresh(&client, &next.refresh_token)
                .await
                .tokens();
            assert!(is_active(&app, &client, &last.access_token).await);
            assert!(!is_active(&app, &client, &old.access_token).await);
            // New sign-ins and tokens in the new time, which last when it is right again.
            let new = pair(&app, &client).await;
            assert!(new.expires_in > 0);
            app.clock.set(START);
            assert!(
                is_active(&app, &client, &first.access_token).await,
                "{back}"
            );
            let lives_on = back < HOUR;
            assert_eq!(is_active(&app, &client, &new.access_token).await, lives_on);
            let refreshed = app.http().refresh(&client, &new.refresh_token).await;
            let lives_on = back < 30 * 24 * HOUR;
            assert_eq!(
                refreshed.status == 200,
                lives_on,
                "{back}: {}",
                refreshed.text()
            );
        }
        // Forwards beyond everything, and back: what has ended by the clock works again, because
        // only the clock had ended it.
        let kept = pair(&app, &client).await;
        app.clock.set(START.plus_seconds(1000 * 24 * HOUR));
        assert!(!is_active(&app, &client, &kept.access_token).await);
        assert_eq!(app.http().userinfo(&kept.access_token).await.status, 401);
        let refused = app.http().refresh(&client, &kept.refresh_token).await;
        assert_eq!(
            (refused.status, refused.error()),
            (400, "invalid_grant".to_owned())
        );
        let then = pair(&app, &client).await;
        assert!(is_active(&app, &client, &then.access_token).await);
        app.clock.set(START);
        assert!(is_active(&app, &client, &kept.access_token).await);
        let refreshed = app.http().refresh(&client, &kept.refresh_token).await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.text());
        // A token of the future is not dead before its time.
        assert!(is_active(&app, &client, &then.access_token).await);
        app.close().await;
    });
}

#[test]
fn sqlite() {
    steps(Engine::Sqlite);
}

#[test]
fn mariadb() {
    steps(Engine::MariaDb);
}

#[test]
fn postgres() {
    steps(Engine::Postgres);
}

/// Whoever is locked out waits as long as the setting says, also when the clock is set back
/// meanwhile.
#[test]
fn a_lock_ends() {
    engines::run(async {
        let app = App::start(Engine::Sqlite).await;
        app.add_user("jo@example.com", "a-password-9", &[]).await;
        for _ in 0..20 {
            app.visitor().try_login("jo@example.com", "wrong").await;
        }
        let locked = app
            .visitor()
            .try_login("jo@example.com", "a-password-9")
            .await;
        assert_eq!(locked.status, 429);
        app.clock.set(START.plus_seconds(-1000 * HOUR));
        let refused = app
            .visitor()
            .try_login("jo@example.com", "a-password-9")
            .await;
        if refused.status == 429 {
            let seconds: i64 = refused.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=60).contains(&seconds), "{seconds}");
            let later: Timestamp = START.plus_seconds(-1000 * HOUR + seconds);
            app.clock.set(later);
        }
        app.signed_in("jo@example.com", "a-password-9").await;
        app.close().await;
    });
}
