//! The test kit itself: that it starts, and that its servers are as separate as processes are.

use crema_testkit::http::encode;
use crema_testkit::visitor::AUTHORIZE;
use crema_testkit::{App, Browser, ClientSpec, Engine, for_each_engine};

for_each_engine! {
    async fn a_code_becomes_tokens(app: &App) {
        app.add_user("user@example.com", "secret", &["Report Manager"]).await;
        let client = app.add_client(ClientSpec::new("https://client.example/cb")).await;
        let mut visitor = app.signed_in("user@example.com", "secret").await;
        let code = visitor.code(&client, &[("scope", "openid")]).await;
        let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
        let who = app.http().logged_user(&tokens.access_token).await;
        assert_eq!(who.json()["message"], "user@example.com");
        assert_eq!(app.count("SELECT count(*) FROM \"tabOAuth Bearer Token\"", vec![]).await, 1);
    }

    async fn a_second_process_sees_the_same_state(app: &App) {
        app.add_user("user@example.com", "secret", &[]).await;
        let second = app.second_server().await;
        let visitor = app.signed_in("user@example.com", "secret").await;
        let mut same = visitor.at(second.http());
        let request = same.http().get("/api/method/frappe.auth.get_logged_user");
        assert_eq!(same.send(request).await.json()["message"], "user@example.com");
        second.stop().await;
    }

    async fn two_sites_share_nothing(engine: Engine) {
        let mut app = App::start(engine).await;
        app.add_site("other.localhost").await;
        app.add_user("user@example.com", "secret", &[]).await;
        let mut visitor = app.visitor();
        visitor.login("user@example.com", "secret").await;
        let mut other = visitor.at(app.http_of("other.localhost"));
        let refused = other.try_login("user@example.com", "secret").await;
        assert_eq!(refused.status, 401, "{}", refused.text());
        app.close().await;
    }
}

#[tokio::test]
async fn the_clock_stands_until_it_is_moved() {
    let app = App::start(Engine::Sqlite).await;
    app.add_user("user@example.com", "secret", &[]).await;
    let mut visitor = app.signed_in("user@example.com", "secret").await;
    app.clock.advance_seconds(31 * 24 * 3600);
    let page = visitor.get("/me").await;
    assert_eq!(visitor.sent_to_login(&page), "/me");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_signs_in_and_allows() {
    let app = App::builder().real_time().build().await;
    app.add_user("user@example.com", "secret", &["Report Manager"])
        .await;
    // Nothing listens there: the browser stays at the address it was sent to.
    let client = app
        .add_client(ClientSpec::new("http://127.0.0.1:9/cb"))
        .await;
    let browser = Browser::start().await;
    let request = client.authorization(&[("scope", "openid")]);
    let pairs: Vec<_> = request
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser
        .open(&app.url(&format!("{AUTHORIZE}?{}", encode(&pairs))))
        .await;
    browser.sign_in("user@example.com", "secret").await;
    browser.find("#allow").await;
    browser.screenshot("harness-consent").await;
    browser.click("#allow").await;
    let url = browser.arrives_at("http://127.0.0.1:9/cb").await;
    let url = url::Url::parse(&url).unwrap();
    let code = url
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    browser.close().await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    assert_eq!(app.http().userinfo(&tokens.access_token).await.status, 200);
    app.close().await;
}
