//! Failures that look alike, and ways to sign in that do not exist.

use crema_auth::user::NewUser;
use crema_testkit::flow::method;
use crema_testkit::{App, ClientSpec, Response};

use crate::security::scene::{self, PASSWORD, REDIRECT, USER};

const DISABLED: &str = "disabled@example.com";
const WITHOUT: &str = "without@example.com";

async fn people(app: &App) {
    scene::add_user(app).await;
    app.add_user(DISABLED, PASSWORD, &["Report Manager"]).await;
    crema_auth::user::disable(&app.ctx().await, "Administrator", DISABLED)
        .await
        .unwrap();
    app.create_user(NewUser {
        email: WITHOUT.to_owned(),
        ..NewUser::default()
    })
    .await;
}

/// All that tells two answers apart.
fn face(response: &Response, usr: &str) -> (u16, Vec<(String, String)>, String) {
    let mut headers = response.headers.clone();
    headers.retain(|(name, _)| {
        !matches!(
            name.to_lowercase().as_str(),
            "date" | "content-length" | "x-frappe-request-id"
        )
    });
    (
        response.status,
        headers,
        response.text().replace(usr, "WHO"),
    )
}

// spec: security.md, Sign-in and sessions, line 2: the same answer
#[tokio::test]
async fn unknown_wrong_and_disabled_look_the_same() {
    let app = App::builder().build().await;
    people(&app).await;
    app.set_settings(
        "System Settings",
        &[("allow_consecutive_login_attempts", "3")],
    )
    .await;
    let spec = ClientSpec::new(REDIRECT).grant_types("authorization_code password");
    let client = app.add_client(spec).await;
    let long = format!("{}@example.com", "x".repeat(60));
    let who = [
        (USER, "wrong"),
        (DISABLED, PASSWORD),
        (DISABLED, "wrong"),
        (WITHOUT, "wrong"),
        ("unknown@example.com", "wrong"),
        ("Guest", "wrong"),
        ("nobody", PASSWORD),
        (long.as_str(), "wrong"),
    ];
    for way in ["login", "page", "password grant"] {
        let mut first: Option<Vec<_>> = None;
        for (usr, pwd) in who {
            let mut faces = Vec::new();
            // The lock comes for each of them at the same attempt as well.
            for _ in 0..4 {
                let answer = match way {
                    "login" => app.visitor().try_login(usr, pwd).await,
                    "page" => {
                        let form = [("usr", usr), ("pwd", pwd)];
                        app.visitor().post("/login", &form).await
                    }
                    _ => {
                        let form = [
                            ("grant_type", "password"),
                            ("username", usr),
                            ("password", pwd),
                        ];
                        app.http().token(&client, &form).await
                    }
                };
                assert!(answer.cookies().is_empty());
                faces.push(face(&answer, usr));
            }
            let statuses: Vec<_> = faces.iter().map(|(status, ..)| *status).collect();
            let refused = if way == "password grant" { 400 } else { 401 };
            assert_eq!(statuses, [refused, refused, refused, 429], "{way} {usr}");
            assert_eq!(*first.get_or_insert(faces.clone()), faces, "{way} {usr}");
            app.clock.advance_seconds(61);
        }
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 2: login by GET is refused
#[tokio::test]
async fn nobody_signs_in_by_get() {
    let app = scene::start().await;
    let credentials = [("usr", USER), ("pwd", PASSWORD)];
    let with_command = [("cmd", "login"), ("usr", USER), ("pwd", PASSWORD)];
    for verb in ["GET", "HEAD", "PUT", "DELETE", "PATCH"] {
        for path in [
            "/api/method/login",
            "/api/v1/method/login",
            "/api/v2/method/login",
            "/api/method/login/",
        ] {
            let answer = app
                .http()
                .request(verb, path)
                .query(&credentials)
                .send()
                .await;
            assert_eq!(answer.status, 405, "{verb} {path}");
            assert!(answer.cookies().is_empty());
        }
        let answer = app
            .http()
            .request(verb, "/")
            .query(&with_command)
            .send()
            .await;
        assert_eq!(answer.status, 405, "{verb}");
    }
    // The page shows its form, whatever the address says; a POST does not read the address.
    let page = app.http().get("/login").query(&credentials).send().await;
    assert_eq!(page.status, 200);
    assert!(page.cookies().is_empty());
    for path in ["/api/method/login", "/login"] {
        let answer = app.http().post(path).query(&credentials).send().await;
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.cookies().is_empty());
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 2
#[tokio::test]
async fn incomplete_credentials_are_wrong_ones() {
    let app = scene::start().await;
    for form in [
        vec![],
        vec![("usr", USER)],
        vec![("pwd", PASSWORD)],
        vec![("usr", USER), ("pwd", "")],
        vec![("usr", ""), ("pwd", PASSWORD)],
    ] {
        let answer = app
            .http()
            .post("/api/method/login")
            .form(&form)
            .send()
            .await;
        assert_eq!(answer.status, 401, "{form:?}");
        assert!(answer.cookies().is_empty());
    }
    // Names are not wildcards, and no user name is taken unless the site allows it.
    for usr in ["%", "user@example.co_", "user", "test"] {
        assert_eq!(
            app.visitor().try_login(usr, PASSWORD).await.status,
            401,
            "{usr}"
        );
    }
    let client = app.http().post(&method("get_token")).form(&[
        ("grant_type", "password"),
        ("username", USER),
        ("password", PASSWORD),
    ]);
    assert_eq!(client.send().await.error(), "invalid_client");
    app.close().await;
}
