//! Clients that registered themselves and that nobody uses leave.

use crema_auth::retention::{Kind, Sweep};
use crema_testkit::app::START;
use crema_testkit::{App, ClientSpec, for_each_engine};

use super::{PASSWORD, SETTINGS, USER, client, public, registered, text};

const DAY: i64 = 86_400;
/// Rows stay so long after they are due.
const SLACK: i64 = 600;

/// Removes what is due; gives how many it were.
async fn sweep(app: &App) -> u64 {
    let mut sweep = Sweep::new(Kind::Clients);
    let mut removed = 0;
    loop {
        let batch = sweep.batch(&app.ctx().await).await.unwrap();
        assert!(batch.removed <= 5);
        removed += batch.removed;
        if !batch.more {
            return removed;
        }
    }
}

async fn exists(app: &App, id: &str) -> bool {
    let sql = r#"SELECT COUNT(*) FROM "tabOAuth Client" WHERE name = ?"#;
    app.count(sql, vec![id.into()]).await > 0
}

for_each_engine! {
    // spec: http.md, register_client, "unused ones are removed after 30 days"
    async fn unused_clients_leave_after_their_days_with_all_that_is_theirs(app: &App) {
        let http = app.http();
        app.set_settings(SETTINGS, &[("registration_limit", "1000")]).await;
        app.add_user(USER, PASSWORD, &["Report Manager"]).await;
        let mut unused = Vec::new();
        for _ in 0..7 {
            unused.push(registered(&http, &public()).await);
        }
        let by_hand = app.add_client(ClientSpec::public("http://127.0.0.1/cb")).await;
        let used = client(&registered(&http, &public()).await, "http://127.0.0.1:1/cb");
        let asked = client(&registered(&http, &public()).await, "http://127.0.0.1:1/cb");
        let banned = registered(&http, &public()).await;
        let ctx = app.ctx().await;
        let banned = text(&banned, "client_id").to_owned();
        crema_auth::client::set_enabled(&ctx, "Administrator", &banned, false).await.unwrap();

        app.clock.set(START.plus_seconds(30 * DAY + SLACK));
        assert_eq!(sweep(app).await, 0, "too early");
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let code = visitor.code(&used, &[]).await;
        let tokens = http.redeem(&used, &code, &[]).await.tokens();
        visitor.code(&asked, &[]).await;
        app.clock.set(START.plus_seconds(30 * DAY + SLACK + 1));
        assert_eq!(sweep(app).await, 7);
        for information in &unused {
            let id = text(information, "client_id");
            assert!(!exists(app, id).await);
            for table in ["OAuth Client Role", "Registration Access Token"] {
                let column = if table.ends_with("Role") { "parent" } else { "client" };
                let sql = format!(r#"SELECT COUNT(*) FROM "tab{table}" WHERE {column} = ?"#);
                assert_eq!(app.count(&sql, vec![id.into()]).await, 0, "{table}");
            }
            let sql = r#"SELECT COUNT(*) FROM "tabActivity Log" WHERE operation = 'Client Changed'
                AND reference_name = ? AND content LIKE '%unused%'"#;
            assert_eq!(app.count(sql, vec![id.into()]).await, 1);
        }
        for id in [&by_hand.client_id, &used.client_id, &asked.client_id, &banned] {
            assert!(exists(app, id).await, "{id}");
        }
        // As long as its refresh token lives it stays, and with every refresh it begins anew.
        let tokens = http.refresh(&used, &tokens.refresh_token).await.tokens();
        app.clock.set(START.plus_seconds(59 * DAY));
        assert_eq!(sweep(app).await, 0);
        let tokens = http.refresh(&used, &tokens.refresh_token).await.tokens();
        app.clock.set(START.plus_seconds(80 * DAY));
        assert_eq!(sweep(app).await, 1, "the one that only asked");
        assert!(!exists(app, &asked.client_id).await);
        assert_eq!(http.refresh(&used, &tokens.refresh_token).await.status, 200);
        app.clock.set(START.plus_seconds(200 * DAY));
        assert_eq!(sweep(app).await, 1);
        assert!(exists(app, &by_hand.client_id).await && exists(app, &banned).await);
    }

    async fn zero_days_keep_them(app: &App) {
        registered(&app.http(), &public()).await;
        app.set_settings(SETTINGS, &[("remove_unused_clients_after_days", "0")]).await;
        app.clock.set(START.plus_seconds(3650 * DAY));
        assert_eq!(sweep(app).await, 0);
        app.set_settings(SETTINGS, &[("remove_unused_clients_after_days", "1")]).await;
        assert_eq!(sweep(app).await, 1);
    }
}
