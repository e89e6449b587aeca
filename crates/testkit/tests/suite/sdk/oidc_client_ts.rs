//! oidc-client-ts in a single-page app of another origin than the site's.

use crema_testkit::{ClientSpec, TestClient};

use super::pages::{Pages, in_page};
use super::walk::allow;
use super::*;

/// The app's own code: the manager as the library's documentation sets it up.
const APP: &str = "
    const app = new UserManager({
        authority,
        client_id,
        redirect_uri: `${location.origin}/callback`,
        scope: 'openid',
        loadUserInfo: true,
        userStore: new WebStorageStateStore({ store: sessionStorage }),
    });";

const BUNDLE: &str = "js/oidc-page.bundle.js";
const NAMES: &str = "authority, client_id";

/// Sends the browser to the sign-in.
const BEGIN: &str = "app.signinRedirect();";

/// Comes back from it.
const FINISH: &str = "
    const user = await app.signinCallback();
    history.replaceState(null, '', '/');
    return { profile: user.profile, scope: user.scope };";

/// What the page has of a sign-in, and what became of the attempt to finish it.
const FAIL: &str = "
    const failure = await app.signinCallback().then(() => null, (error) => error);
    const user = await app.getUser();
    return { failure: `${failure?.name}: ${failure?.message}`, user, kept: { ...sessionStorage } };";

const REFRESH: &str = "
    const before = await app.getUser();
    const user = await app.signinSilent();
    const now = await app.getUser();
    const rotated = ['access_token', 'refresh_token', 'id_token'].map(
        (name) => user[name] && user[name] === now[name] && user[name] !== before[name]);
    return { email: user.profile.email, same: user.profile.sub === before.profile.sub, rotated };";

const END: &str = "
    const user = await app.getUser();
    await app.revokeTokens();
    const userinfo = await app.metadataService.getUserInfoEndpoint();
    const headers = { Authorization: `Bearer ${user.access_token}` };
    const after = await fetch(userinfo, { headers });
    const challenge = after.headers.get('WWW-Authenticate');
    await app.removeUser();
    return { status: after.status, challenge, user: await app.getUser() };";

async fn script(app: &App, client: &TestClient, browser: &Browser, script: &str) -> Value {
    let arguments = [json!(app.issuer()), json!(client.client_id)];
    let script = format!("{APP}{script}");
    in_page(browser.driver(), NAMES, &script, &arguments).await
}

/// From the app's page through the site's and back; gives what the page of consent said.
async fn log_in(app: &App, client: &TestClient, browser: &Browser, pages: &Pages) -> String {
    browser.open(&pages.origin).await;
    script(app, client, browser, BEGIN).await;
    browser.arrives_at(&app.issuer()).await;
    let said = allow(browser, &browser.url().await).await;
    let callback = format!("{}/callback?", pages.origin);
    let arrived = browser.arrives_at(&callback).await;
    assert!(arrived.contains("code="), "{arrived}");
    said
}

// spec: http.md, CORS, Allowed Public Client Origins
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_allowed_origin_logs_in_and_refreshes_and_another_one_does_not() {
    // Over http a redirect URI leads to this machine only.
    let pages = Pages::start("localhost", BUNDLE).await;
    let others = Pages::start("127.0.0.1", BUNDLE).await;
    let app = started(App::builder().real_time()).await;
    app.set_settings(
        "OAuth Settings",
        &[("allowed_public_client_origins", &pages.origin)],
    )
    .await;
    let uris = format!("{}/callback {}/callback", pages.origin, others.origin);
    let spec = ClientSpec::public(&format!("{}/callback", pages.origin));
    let spec = spec.with("redirect_uris", &uris);
    let client = app.add_client(spec.with("app_name", "Garden")).await;
    let browser = Browser::start().await;

    let said = log_in(&app, &client, &browser, &pages).await;
    assert!(
        said.contains("Garden") && said.contains("localhost"),
        "{said}"
    );
    let user = script(&app, &client, &browser, FINISH).await;
    assert_eq!(user["profile"]["email"], USER, "{user}");
    assert_eq!(user["profile"]["aud"], client.client_id.as_str());
    let refreshed = script(&app, &client, &browser, REFRESH).await;
    let wanted = json!({"email": USER, "same": true, "rotated": [true, true, true]});
    assert_eq!(refreshed, wanted);
    let ended = script(&app, &client, &browser, END).await;
    assert_eq!(ended["status"], 401, "{ended}");
    let challenge = ended["challenge"].as_str().unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");
    assert_eq!(ended["user"], Value::Null);

    // The client's redirect URI of an origin that is not listed: it gets a code, and no further.
    browser.driver().get_log("browser").await.unwrap();
    log_in(&app, &client, &browser, &others).await;
    let stopped = script(&app, &client, &browser, FAIL).await;
    assert_eq!(stopped["failure"], "TypeError: Failed to fetch");
    assert_eq!(stopped["user"], Value::Null);
    assert_eq!(stopped["kept"], json!({}));
    let log = browser.driver().get_log("browser").await.unwrap();
    let blocked =
        |message: &str| message.contains("blocked by CORS") && message.contains("get_token");
    assert!(log.iter().any(|entry| blocked(&entry.message)), "{log:?}");
    browser.close().await;
    app.close().await;
}
