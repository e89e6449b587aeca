//! The pages in Chromium: with a mouse, with a keyboard, without JavaScript, in pictures.

mod flows;
mod keyboard;
mod listener;
mod pictures;
mod scripts;

use crema_document::Timestamp;
use crema_testkit::app::AppBuilder;
use crema_testkit::http::encode;
use crema_testkit::visitor::AUTHORIZE;
use crema_testkit::{App, Browser, ClientSpec, TestClient};
use listener::Listener;
use serde_json::{Value, json};

const USER: &str = "user@example.com";
const OTHER: &str = "other@example.com";
const PASSWORD: &str = "correct horse battery staple";

/// A site at the browser's own time: cookies end.
async fn app() -> App {
    app_of(App::builder()).await
}

async fn app_of(builder: AppBuilder) -> App {
    let app = builder.real_time().build().await;
    for user in [USER, OTHER] {
        app.add_user(user, PASSWORD, &["Sales User"]).await;
    }
    app
}

/// A native app that listens on a loopback port of its own choice.
async fn native_app(app: &App) -> TestClient {
    let spec = ClientSpec::public("http://127.0.0.1/cb").with("app_name", "Ledger");
    app.add_client(spec).await
}

/// The address of an authorization request.
fn request(app: &App, client: &TestClient, changes: &[(&str, &str)]) -> String {
    let pairs = client.authorization(changes);
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    app.url(&format!("{AUTHORIZE}?{}", encode(&pairs)))
}

/// Lets some time pass for the server: its clock stands otherwise.
fn pass(app: &App, seconds: u64) -> Timestamp {
    app.clock.advance_seconds(seconds);
    crema_document::Clock::now(&*app.clock)
}

/// Tells the browser something that WebDriver has no word for.
async fn devtools(browser: &Browser, command: &str, parameters: Value) {
    let tools = browser.driver().cdp();
    tools.send_raw(command, parameters).await.unwrap();
}

/// What the browser complains about that the pages did: scripts and styles that the
/// Content-Security-Policy forbids, files that are not there, errors of scripts.
async fn complaints(browser: &Browser) -> Vec<String> {
    let entries = browser.driver().get_log("browser").await.unwrap();
    let messages = entries.into_iter().map(|entry| entry.message);
    // The client's own page is not ours.
    messages
        .filter(|message| !message.contains("127.0.0.1"))
        .collect()
}

/// Ends the browser; none of the pages may have broken a rule.
async fn close(browser: Browser) {
    assert_eq!(complaints(&browser).await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_policy_forbids_is_noticed() {
    let app = app().await;
    let browser = Browser::start().await;
    browser.open(&app.url("/login")).await;
    assert!(complaints(&browser).await.is_empty());
    let script = "const style = document.createElement('style');
        style.textContent = 'body { color: red }';
        document.head.append(style);";
    browser.driver().execute(script, Vec::new()).await.unwrap();
    let noticed = complaints(&browser).await;
    assert!(
        noticed
            .iter()
            .any(|line| line.contains("Content Security Policy")),
        "{noticed:?}"
    );
    browser.close().await;
    app.close().await;
}

/// Switches JavaScript off.
async fn without_scripts(browser: &Browser) {
    let off = json!({"value": true});
    devtools(browser, "Emulation.setScriptExecutionDisabled", off).await;
}
