//! Which of several credentials counts, and what a user's own limits do to each.

use crema_testkit::App;

use super::{
    PASSWORD, USER, WHO, ask, assert_refused, assert_unauthorized, pair, token, who, with,
};

const OTHER: &str = "other@example.com";

// spec: security.md, Codes and tokens, "A request with an `Authorization` header ignores cookies"
#[tokio::test]
async fn a_header_counts_alone() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &[]).await;
    app.add_user(OTHER, PASSWORD, &[]).await;
    let right = token(&pair(&app, USER).await);
    let mut other = app.signed_in(OTHER, PASSWORD).await;
    assert_eq!(ask(&mut other, WHO).await.member("message"), OTHER);
    let request = app.http().get(WHO).header("Authorization", &right);
    assert_eq!(other.send(request).await.member("message"), USER);
    for bad in ["token a:b", "Bearer dead", "Nothing", ""] {
        let request = app.http().get(WHO).header("Authorization", bad);
        let response = other.send(request).await;
        assert_eq!(response.status, 401, "{bad}");
        assert!(response.cookies().is_empty());
    }
    // Two headers say nothing.
    let twice = with(&app, &right).header("Authorization", &right);
    assert_eq!(twice.send().await.status, 401);
    // The session is as it was.
    assert_eq!(ask(&mut other, WHO).await.member("message"), OTHER);
    app.close().await;
}

// spec: security.md, Sign-in and sessions, "CSRF: header-authenticated requests need none"
#[tokio::test]
async fn a_key_needs_no_csrf_token_and_no_origin() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &[]).await;
    let right = token(&pair(&app, USER).await);
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    visitor.csrf_token().await;
    let request = app.http().post(WHO).header("Authorization", &right);
    let response = visitor
        .send(request.header("Origin", "https://evil.example"))
        .await;
    assert_eq!(response.status, 200);
    app.close().await;
}

// spec: security.md, Codes and tokens, "Disabled users …: their tokens and sessions stop"
#[tokio::test]
async fn the_limits_of_a_user_hold_for_every_credential() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &[]).await;
    let client = app
        .add_client(crema_testkit::ClientSpec::new("https://client.example/cb"))
        .await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let code = visitor.code(&client, &[("scope", "all")]).await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let bearer = format!("Bearer {}", tokens.access_token);
    let right = token(&pair(&app, USER).await);
    let limit = async |restrict_ip: &str, after: i64, before: i64| {
        app.execute(
            "UPDATE \"tabUser\" SET restrict_ip = ?, login_after = ?, login_before = ? \
             WHERE name = ?",
            vec![restrict_ip.into(), after.into(), before.into(), USER.into()],
        )
        .await;
        app.execute("UPDATE \"__version\" SET version = version + 1", vec![])
            .await;
    };
    let local = app
        .ctx()
        .await
        .provider
        .site()
        .local(app.ctx().await.now)
        .micros();
    let hour = local.div_euclid(3_600_000_000).rem_euclid(24);
    for (limits, message) in [
        (
            ("203.0.113.0/24", 0, 0),
            "Access not allowed from this IP Address",
        ),
        (("", hour + 1, 0), "Login not allowed at this time"),
        (("", 0, hour), "Login not allowed at this time"),
    ] {
        assert_eq!(who(&app, &right).await, USER);
        assert_eq!(who(&app, &bearer).await, USER);
        assert_eq!(ask(&mut visitor, WHO).await.status, 200);
        limit(limits.0, limits.1, limits.2).await;
        assert_refused(&with(&app, &right).send().await, message);
        assert_refused(&with(&app, &bearer).send().await, message);
        assert_unauthorized(&ask(&mut visitor, WHO).await, message);
        limit("", 0, 0).await;
    }
    let ctx = app.ctx().await;
    crema_auth::user::disable(&ctx, "Administrator", USER)
        .await
        .unwrap();
    assert_refused(&with(&app, &right).send().await, "");
    assert_eq!(who(&app, &bearer).await, "401");
    assert_eq!(ask(&mut visitor, WHO).await.status, 401);
    app.close().await;
}
