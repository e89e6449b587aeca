//! How passwords are kept and checked, and second factors.

use crema_store::Value;
use crema_testkit::{App, ClientSpec, for_each_engine};

use crate::security::scene::{self, PASSWORD, REDIRECT, USER};

/// As passlib 1.7.4 makes them of the password beside.
const OF_FRAPPE: [(&str, &str); 3] = [
    (
        "S3cret pässwörd",
        "$pbkdf2-sha256$29000$AAECAwQFBgcICQoLDA0ODw$WEm4.1yYdxczUYFiVuukR9ZtsMywg.AoPy09v9wd/mI",
    ),
    (
        "admin",
        "$pbkdf2-sha256$29000$./v7./v7./v7./v7./v7.w$dEsOGLgnjiTjbFrRkrE0FArGexrmxiJ7HmE2qKPfO9M",
    ),
    (
        "S3cret pässwörd",
        "$argon2i$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw$cg5x9jNNzFfUHnpgFrDwwcAbtva2tKdJItZ3eEMmJkc",
    ),
];

async fn stored(app: &App) -> String {
    let rows = app
        .rows(
            "SELECT password FROM \"__Auth\" WHERE doctype = 'User' AND name = ?",
            vec![Value::from(USER)],
        )
        .await;
    rows[0].text(0).unwrap().to_owned()
}

for_each_engine! {
    // spec: security.md, Sign-in and sessions, line 1
    async fn frappes_hashes_verify_and_are_upgraded_at_the_next_login(app: &App) {
        scene::add_user(app).await;
        assert!(stored(app).await.starts_with("$argon2id$"));
        for (password, hash) in OF_FRAPPE {
            scene::force(app, "UPDATE \"__Auth\" SET password = ? WHERE name = ?",
                vec![hash.into(), USER.into()]).await;
            for wrong in ["", "wrong", &password.to_uppercase(), &format!("{password} "), hash] {
                assert_eq!(app.visitor().try_login(USER, wrong).await.status, 401, "{wrong}");
            }
            assert_eq!(stored(app).await, hash, "a failure upgrades nothing");
            app.visitor().login(USER, password).await;
            let upgraded = stored(app).await;
            assert!(upgraded.starts_with("$argon2id$"), "{upgraded}");
            app.visitor().login(USER, password).await;
            assert_eq!(stored(app).await, upgraded);
            assert_eq!(app.visitor().try_login(USER, "wrong").await.status, 401);
        }
    }
}

// spec: security.md, Sign-in and sessions, line 1
#[tokio::test]
async fn a_stored_value_that_is_no_hash_lets_nobody_in() {
    let app = scene::start().await;
    for hash in [
        "",
        "plain",
        "*",
        "$argon2id$",
        "$pbkdf2-sha256$1$$",
        "$2b$12$abcdefghijklmnopqrstuv",
    ] {
        scene::force(
            &app,
            "UPDATE \"__Auth\" SET password = ? WHERE name = ?",
            vec![hash.into(), USER.into()],
        )
        .await;
        for attempt in [hash, "plain", PASSWORD, "x"] {
            let status = app.visitor().try_login(USER, attempt).await.status;
            assert_eq!(status, 401, "{hash} {attempt}");
        }
        app.clock.advance_seconds(61);
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 1: the work is bounded
#[tokio::test]
async fn a_password_has_a_length_that_can_be_hashed() {
    let app = scene::start().await;
    for length in [513, 100_000, 900_000] {
        let answer = app.visitor().try_login(USER, &"x".repeat(length)).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
    app.set_password(USER, &"p".repeat(512)).await;
    app.visitor().login(USER, &"p".repeat(512)).await;
    assert_eq!(
        app.visitor().try_login(USER, &"p".repeat(511)).await.status,
        401
    );
    app.close().await;
}

async fn set_up_second_factor(app: &App, column: &str, value: &str) {
    scene::force(
        app,
        &format!("UPDATE \"tabUser\" SET {column} = ? WHERE name = ?"),
        vec![value.into(), USER.into()],
    )
    .await;
}

for_each_engine! {
    // spec: security.md, Sign-in and sessions, line 3
    async fn a_password_alone_is_not_enough_for_users_with_a_second_factor(app: &App) {
        scene::add_user(app).await;
        let spec = ClientSpec::new(REDIRECT).grant_types("authorization_code password");
        let client = app.add_client(spec).await;
        let grant = [("grant_type", "password"), ("username", USER), ("password", PASSWORD)];
        assert_eq!(app.http().token(&client, &grant).await.status, 200);
        for (column, value) in [("otp", "set"), ("passkeys", "[{\"id\":\"x\"}]")] {
            set_up_second_factor(app, column, value).await;
            let refused = app.http().token(&client, &grant).await;
            assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_grant"));
            let mut visitor = app.visitor();
            assert_eq!(visitor.try_login(USER, PASSWORD).await.status, 401);
            let form = [("usr", USER), ("pwd", PASSWORD)];
            assert_eq!(visitor.post("/login", &form).await.status, 401);
            assert!(!visitor.cookies.contains_key("sid"));
            set_up_second_factor(app, column, "").await;
        }
        assert_eq!(app.http().token(&client, &grant).await.status, 200);
        // Whoever knew the password is in the audit trail.
        let failures = scene::audit(app, "Login").await;
        let failed: Vec<_> = failures.iter().filter(|row| row.text(0).unwrap() == "Failed").collect();
        assert!(!failed.is_empty());
        assert!(failed.iter().all(|row| row.text(1).unwrap() == USER));
    }
}
