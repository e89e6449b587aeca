//! The pages work with and without JavaScript.

use crema_testkit::flow::claims;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_works_without_scripts() {
    let app = app().await;
    let (client, listener) = (native_app(&app).await, Listener::start().await);
    let browser = Browser::start().await;
    without_scripts(&browser).await;
    let uri = listener.uri();
    let changes = [("redirect_uri", uri.as_str())];
    browser.open(&request(&app, &client, &changes)).await;
    browser.sign_in(USER, PASSWORD).await;
    browser.click("#allow").await;
    assert!(!listener.next().await.param("code").is_empty());

    // Nothing posts by itself: there is a button.
    let changes = [
        ("redirect_uri", uri.as_str()),
        ("response_mode", "form_post"),
    ];
    browser.open(&request(&app, &client, &changes)).await;
    browser.click("#allow").await;
    browser.click("#form_post button").await;
    let arrival = listener.next().await;
    assert_eq!(arrival.method, "POST");
    let more = [("redirect_uri", uri.as_str())];
    let tokens = app
        .http()
        .redeem(&client, arrival.param("code"), &more)
        .await;
    assert_eq!(tokens.status, 200);

    browser.open(&app.url("/me")).await;
    browser.click("#logout").await;
    browser.arrives_at(&app.url("/api/method/logout")).await;
    close(browser).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn form_post_sends_itself() {
    let app = app().await;
    let listener = Listener::start().await;
    let uri = listener.uri();
    let client = ClientSpec::new(&uri).grant_types("authorization_code refresh_token implicit");
    let client = app.add_client(client).await;
    let browser = Browser::start().await;
    let state = "ünïcödé & \"<quotes>\" 'n' +%20";
    let changes = [
        ("response_mode", "form_post"),
        ("response_type", "code id_token"),
        ("nonce", "n-1"),
        ("state", state),
    ];
    browser.open(&request(&app, &client, &changes)).await;
    browser.sign_in(USER, PASSWORD).await;
    browser.click("#allow").await;
    let arrival = listener.next().await;
    assert_eq!(arrival.method, "POST");
    assert_eq!(arrival.param("state"), state);
    assert_eq!(arrival.param("iss"), app.issuer());
    assert_eq!(claims(arrival.param("id_token"))["nonce"], "n-1");
    let tokens = app.http().redeem(&client, arrival.param("code"), &[]).await;
    assert_eq!(tokens.status, 200);

    browser.open(&request(&app, &client, &changes)).await;
    browser.click("#deny").await;
    let arrival = listener.next().await;
    assert_eq!(
        (arrival.method.as_str(), arrival.param("error")),
        ("POST", "access_denied")
    );
    close(browser).await;
    app.close().await;
}
