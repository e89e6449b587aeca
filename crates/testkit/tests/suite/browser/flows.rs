//! From the app to the site and back.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_in_allow_and_deny() {
    let app = app().await;
    let (client, listener) = (native_app(&app).await, Listener::start().await);
    let browser = Browser::start().await;
    let uri = listener.uri();
    let changes = [("redirect_uri", uri.as_str()), ("scope", "openid all")];
    browser.open(&request(&app, &client, &changes)).await;

    assert!(browser.text("h1").await.contains("Login"));
    assert!(browser.text(".lead").await.contains("Ledger"));
    browser.sign_in(USER, "a wrong password").await;
    let message = browser.text("#login_error").await;
    assert!(message.contains("Invalid login credentials"), "{message}");
    let noticed = complaints(&browser).await;
    assert!(
        matches!(noticed.as_slice(), [one] if one.contains("status of 401")),
        "{noticed:?}"
    );
    let kept = browser.find("#login_email").await.value().await.unwrap();
    assert_eq!(kept.as_deref(), Some(USER));
    browser.sign_in(USER, PASSWORD).await;

    browser.find("#allow").await;
    assert_eq!(browser.driver().title().await.unwrap(), "Confirm Access");
    let page = browser.text("main").await;
    for shown in [
        "Ledger",
        "127.0.0.1",
        USER,
        "Full Name",
        "Email",
        "User Image",
        "Roles",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    browser.click("#allow").await;
    let arrival = listener.next().await;
    assert_eq!(arrival.method, "GET");
    assert_eq!(arrival.param("state"), "a state");
    assert_eq!(arrival.param("iss"), app.issuer());
    let more = [("redirect_uri", uri.as_str())];
    let tokens = app
        .http()
        .redeem(&client, arrival.param("code"), &more)
        .await
        .tokens();
    assert_eq!(
        app.http().userinfo(&tokens.access_token).await.json()["email"],
        USER
    );

    browser.open(&request(&app, &client, &changes)).await;
    browser.click("#deny").await;
    let arrival = listener.next().await;
    assert_eq!(arrival.param("error"), "access_denied");
    assert_eq!(arrival.param("state"), "a state");
    assert_eq!(arrival.param("code"), "");
    close(browser).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_loops_on_prompt_login() {
    let app = app().await;
    let (client, listener) = (native_app(&app).await, Listener::start().await);
    let browser = Browser::start().await;
    let uri = listener.uri();
    browser.open(&app.url("/login")).await;
    browser.sign_in(USER, PASSWORD).await;
    browser.arrives_at(&app.url("/me")).await;
    for demand in [
        ("prompt", "login"),
        ("max_age", "0"),
        ("prompt", "select_account"),
    ] {
        let changes = [("redirect_uri", uri.as_str()), demand];
        pass(&app, 30);
        browser.open(&request(&app, &client, &changes)).await;
        assert!(
            browser.text("main").await.contains("log in again"),
            "{demand:?}"
        );
        let signed_in = pass(&app, 5);
        browser.sign_in(USER, PASSWORD).await;
        // The clock stands until the server has taken the sign-in.
        browser.find("#allow").await;
        pass(&app, 5);
        browser.click("#allow").await;
        let arrival = listener.next().await;
        let more = [("redirect_uri", uri.as_str())];
        let tokens = app
            .http()
            .redeem(&client, arrival.param("code"), &more)
            .await
            .tokens();
        let claims = crema_testkit::flow::claims(&tokens.id_token.unwrap());
        assert_eq!(claims["auth_time"], signed_in.seconds());
    }
    close(browser).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_account_can_be_chosen_on_the_consent_page() {
    let app = app().await;
    let (client, listener) = (native_app(&app).await, Listener::start().await);
    let browser = Browser::start().await;
    let uri = listener.uri();
    let changes = [("redirect_uri", uri.as_str()), ("scope", "openid")];
    browser.open(&request(&app, &client, &changes)).await;
    browser.sign_in(USER, PASSWORD).await;
    browser.click("#switch_account").await;
    browser.sign_in(OTHER, PASSWORD).await;
    assert!(browser.text(".account").await.contains(OTHER));
    browser.click("#allow").await;
    let arrival = listener.next().await;
    let more = [("redirect_uri", uri.as_str())];
    let tokens = app
        .http()
        .redeem(&client, arrival.param("code"), &more)
        .await
        .tokens();
    assert_eq!(
        app.http().userinfo(&tokens.access_token).await.json()["email"],
        OTHER
    );
    close(browser).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_out_from_the_account_page() {
    let app = app().await;
    let browser = Browser::start().await;
    browser.open(&app.url("/me")).await;
    browser.sign_in(USER, PASSWORD).await;
    browser.arrives_at(&app.url("/me")).await;
    assert!(browser.text("main").await.contains("Sales User"));
    browser.click("#logout").await;
    browser.arrives_at(&app.url("/api/method/logout")).await;
    assert!(browser.text("h1").await.contains("Logged Out"));
    let left = browser.driver().get_all_cookies().await.unwrap();
    assert!(left.is_empty(), "{left:?}");

    // Whoever sits down there next finds nothing by going back.
    browser.driver().back().await.unwrap();
    browser.arrives_at(&app.url("/login")).await;
    browser.find("#login_email").await;
    close(browser).await;
    app.close().await;
}

// What a client or an attacker got wrong is shown, never redirected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_cannot_be_trusted_ends_on_a_page() {
    let app = app().await;
    let client = native_app(&app).await;
    let browser = Browser::start().await;
    for change in [
        ("client_id", "unknown"),
        ("redirect_uri", "https://evil.example/cb"),
    ] {
        browser.open(&request(&app, &client, &[change])).await;
        assert!(browser.url().await.starts_with(&app.issuer()));
        assert!(browser.text("main").await.contains("invalid_request"));
        assert!(!browser.has("a").await);
    }
    let noticed = complaints(&browser).await;
    assert!(
        noticed.iter().all(|line| line.contains("status of 400")),
        "{noticed:?}"
    );
    browser.close().await;
    app.close().await;
}
