//! frappe-js-sdk in Node with tokens and in a page with cookies, frappe-client with a password and
//! with keys.

use crema_testkit::ClientSpec;

use super::pages::{Pages, in_page};
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frappe_js_sdk_in_node_with_a_bearer_token() {
    let app = started(builder()).await;
    let client = ClientSpec::public("http://127.0.0.1:9/cb").scopes("all openid");
    let client = app.add_client(client).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let code = visitor.code(&client, &[("scope", "all")]).await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let task = json!({
        "url": address(&app), "user": USER, "type": "Bearer", "token": tokens.access_token,
    });
    run(node(), "js/node.cjs", task).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frappe_js_sdk_in_node_with_an_api_key() {
    let app = started(builder()).await;
    let (key, secret) = keys(&app).await;
    let task = json!({
        "url": address(&app), "user": USER, "type": "token", "token": format!("{key}:{secret}"),
    });
    run(node(), "js/node.cjs", task).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frappe_client_with_a_password() {
    let app = started(builder()).await;
    let task = json!({
        "url": address(&app), "user": USER, "username": USER, "password": PASSWORD,
    });
    run(python(), "python/client.py", task).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frappe_client_with_api_keys() {
    let app = started(builder()).await;
    let (key, secret) = keys(&app).await;
    let task = json!({
        "url": address(&app), "user": USER, "api_key": key, "api_secret": secret,
    });
    run(python(), "python/client.py", task).await;
    app.close().await;
}

/// What the scripts call their arguments.
const NAMES: &str = "url, user, password";

const SIGN_IN: &str = "
    const app = new FrappeApp(url);
    const answer = await app.auth().loginWithUsernamePassword({ username: user, password });
    if (answer.message !== 'Logged In') throw new Error(JSON.stringify(answer));
    await walk(app, user);
    await app.auth().logout();
    const after = await app.auth().getLoggedInUser().catch((error) => error);
    return after.httpStatus;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frappe_js_sdk_in_a_page_with_cookies() {
    // The same site as the server's, as browsers reckon cookies, and another origin.
    let pages = Pages::start("app.trust.localhost", "js/page.bundle.js").await;
    let builder = App::builder().real_time();
    let builder = builder.config("allow_cors", json!([pages.origin]));
    let builder = builder.config("allowed_referrers", json!([pages.origin]));
    let app = started(builder).await;
    let browser = Browser::start().await;
    let driver = browser.driver();
    let arguments = vec![json!(app.issuer()), json!(USER), json!(PASSWORD)];

    // From a web app on a server of its own, which the site allows.
    browser.open(&pages.origin).await;
    let status = in_page(driver, NAMES, SIGN_IN, &arguments).await;
    assert_eq!(status, 401);

    // From the site itself.
    browser.open(&app.url("/api/method/ping")).await;
    let bundle = std::fs::read_to_string(installed("js/page.bundle.js")).unwrap();
    driver.execute(bundle, Vec::new()).await.unwrap();
    let status = in_page(driver, NAMES, SIGN_IN, &arguments).await;
    assert_eq!(status, 401);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frappe_js_sdk_sends_the_csrf_token_that_the_page_has() {
    let app = started(App::builder().real_time()).await;
    let browser = Browser::start().await;
    let driver = browser.driver();
    browser.open(&app.url("/login")).await;
    browser.sign_in(USER, PASSWORD).await;
    browser.arrives_at(&app.url("/me")).await;
    // Its own pages load no foreign script; a web app has one that does.
    browser.open(&app.url("/api/method/ping")).await;
    let bundle = std::fs::read_to_string(installed("js/page.bundle.js")).unwrap();
    driver.execute(bundle, Vec::new()).await.unwrap();
    let arguments = vec![json!(app.issuer()), json!(USER), json!(PASSWORD)];
    // A page has handed a token out, so nothing is changed without it.
    let script = "
        const app = new FrappeApp(url);
        const error = await app.db().createDoc('ToDo', { description: 'x' }).catch((e) => e);
        if (error.exc_type !== 'CSRFTokenError') throw new Error(JSON.stringify(error));
        const me = await (await fetch('/me')).text();
        const page = new DOMParser().parseFromString(me, 'text/html');
        window.csrf_token = page.querySelector('[name=csrf_token]').value;
        await walk(app, user);
        return error.httpStatus;";
    assert_eq!(in_page(driver, NAMES, script, &arguments).await, 400);
    app.close().await;
}
