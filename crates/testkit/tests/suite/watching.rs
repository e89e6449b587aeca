//! What a server says about its own state.

use crema_testkit::{App, Engine, for_each_engine};

async fn status(app: &App, path: &str) -> (u16, String) {
    let answer = app.http().get(path).send().await;
    (answer.status, answer.text())
}

// A process gets no requests while it cannot read any database, and is not restarted for it.
#[test]
fn a_process_without_any_database_is_alive_and_not_ready() {
    crema_testkit::engines::run(async {
        let mut app = App::start(Engine::Sqlite).await;
        let ready = (200, "ok\n".to_owned());
        // Nothing is open yet, nothing is wrong.
        assert_eq!(status(&app, "/readyz").await, ready);
        assert_eq!(status(&app, "/login").await.0, 200);
        assert_eq!(status(&app, "/readyz").await, ready);

        app.database().await.close().await;
        let answer = app.http().get("/login").send().await;
        assert_eq!(answer.status, 503);
        assert!(answer.header("retry-after").is_some());
        let away = (503, "no database answers\n".to_owned());
        assert_eq!(status(&app, "/readyz").await, away);
        assert_eq!(status(&app, "/healthz").await, ready);

        // One site that is down is down alone.
        app.add_site("other.localhost").await;
        let other = app.http_of("other.localhost").get("/login").send().await;
        assert_eq!(other.status, 200);
        assert_eq!(status(&app, "/readyz").await, ready);
        app.close().await;
    });
}

for_each_engine! {
    async fn a_database_tells_how_busy_it_is(app: &App) {
        let before = app.database().await.stats();
        app.add_user("jo@example.com", "correct-horse-battery-9", &[]).await;
        let after = app.database().await.stats();
        assert!(after.transactions > before.transactions, "{after:?}");
        assert!(after.operations > before.operations, "{after:?}");
        assert!(after.operations >= after.transactions, "{after:?}");
        assert_eq!((after.queued, after.waiting), (0, 0), "{after:?}");
        // One that was used a moment ago may be on its way back.
        let connections = after.connections_idle + after.connections_in_use.unwrap_or(0);
        assert!(connections > 0, "{after:?}");
        if app.engine() == Engine::Sqlite {
            assert!(after.queue_limit > 0, "{after:?}");
            assert!(after.file_bytes > Some(0), "{after:?}");
            assert!(after.log_bytes.is_some(), "{after:?}");
        } else {
            assert!(after.connections_in_use.is_some(), "{after:?}");
            assert_eq!(after.file_bytes, None);
        }
    }
}
