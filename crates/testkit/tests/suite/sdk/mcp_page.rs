//! @modelcontextprotocol/sdk in a page of another origin than the site's: an assistant without a
//! server of its own.

use super::mcp::with_tools;
use super::pages::{Pages, in_page};
use super::walk::allow;
use super::*;

const BUNDLE: &str = "js/mcp-page.bundle.js";

/// The app's own code. What it has to keep on the way to the site and back is in the tab's storage.
const APP: &str = "
    const kept = (name) => JSON.parse(sessionStorage.getItem(name)) ?? undefined;
    const keep = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));
    const redirectUrl = `${location.origin}/callback`;
    const authProvider = {
        redirectUrl,
        clientMetadata: {
            client_name: 'Web Assistant',
            redirect_uris: [redirectUrl],
            token_endpoint_auth_method: 'none',
        },
        clientInformation: () => kept('client'),
        saveClientInformation: (client) => keep('client', client),
        tokens: () => kept('tokens'),
        saveTokens: (tokens) => keep('tokens', tokens),
        codeVerifier: () => kept('verifier'),
        saveCodeVerifier: (verifier) => keep('verifier', verifier),
        redirectToAuthorization: (url) => keep('next', url.href),
    };
    const client = new Client({ name: 'page', version: '1' });
    const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider });";

const BEGIN: &str = "
    const failure = await client.connect(transport()).then(() => null, (error) => error);
    return { failure: `${failure?.message}`, next: kept('next'), client: kept('client') };";

const FINISH: &str = "
    await transport().finishAuth(new URLSearchParams(location.search).get('code'));
    history.replaceState(null, '', '/');
    await client.connect(transport());
    const { tools } = await client.listTools();
    const listed = await client.callTool({ name: 'list_documents', arguments: { doctype: 'ToDo' } });
    return { tools: tools.length, listed: listed.structuredContent };";

async fn script(browser: &Browser, app: &App, script: &str) -> Value {
    let script = format!("{APP}{script}");
    let arguments = [json!(app.url("/mcp"))];
    in_page(browser.driver(), "url", &script, &arguments).await
}

// spec: http.md, CORS, Allowed Public Client Origins
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assistant_in_a_page_of_an_allowed_origin_gets_in_and_another_one_does_not() {
    let pages = Pages::start("localhost", BUNDLE).await;
    let others = Pages::start("127.0.0.1", BUNDLE).await;
    let app = with_tools(App::builder()).await;
    let origins = [("allowed_public_client_origins", pages.origin.as_str())];
    app.set_settings("OAuth Settings", &origins).await;
    let browser = Browser::start().await;

    browser.open(&pages.origin).await;
    let begun = script(&browser, &app, BEGIN).await;
    assert_eq!(begun["failure"], "Unauthorized", "{begun}");
    let page = allow(&browser, begun["next"].as_str().unwrap()).await;
    assert!(page.contains("Web Assistant"), "{page}");
    let callback = format!("{}/callback?", pages.origin);
    browser.arrives_at(&callback).await;
    let finished = script(&browser, &app, FINISH).await;
    assert!(finished["tools"].as_u64() > Some(0), "{finished}");
    assert_eq!(finished["listed"]["documents"], json!([]), "{finished}");

    browser.driver().get_log("browser").await.unwrap();
    browser.open(&others.origin).await;
    let begun = script(&browser, &app, BEGIN).await;
    assert_eq!(begun["failure"], "Failed to fetch");
    assert_eq!(
        (&begun["next"], &begun["client"]),
        (&Value::Null, &Value::Null)
    );
    let log = browser.driver().get_log("browser").await.unwrap();
    let blocked = |message: &str| message.contains("blocked by CORS") && message.contains("/mcp");
    assert!(log.iter().any(|entry| blocked(&entry.message)), "{log:?}");
    browser.close().await;
    app.close().await;
}
