//! What a real browser does with these addresses.

use crema_testkit::Browser;
use crema_testkit::http::encode;
use crema_testkit::outgoing::{Internet, Reply};
use crema_testkit::visitor::AUTHORIZE;

use super::*;

async fn app_in_a_browser() -> App {
    let app = App::builder().real_time().build().await;
    app.add_user(USER, PASSWORD, &["Report Manager"]).await;
    app
}

/// Opens the client's request.
async fn open(app: &App, browser: &Browser, client: &TestClient) {
    let request = client.authorization(&[]);
    let pairs: Vec<_> = request
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    browser
        .open(&app.url(&format!("{AUTHORIZE}?{}", encode(&pairs))))
        .await;
}

fn param(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let found = url.query_pairs().find(|(own, _)| own == name);
    found
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// A program that listens on a port that was free, by each name of the own machine.
// spec: RFC 8252 §7.3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_listens_on_a_port_of_its_own() {
    let app = app_in_a_browser().await;
    let program = Internet::new().inside().await;
    let done = || Reply::document("text/html", "<title>Done</title>");
    program.answer("/cb", done());
    let browser = Browser::start().await;
    let uris = [
        "http://127.0.0.1/cb",
        "http://localhost/cb",
        "http://[::1]/cb",
    ];
    let client = app.add_client(several(&uris)).await;
    for (number, host) in ["127.0.0.1", "localhost", "[::1]"].into_iter().enumerate() {
        let uri = format!("http://{host}:{}/cb", program.port());
        let client = at(&client, &uri);
        open(&app, &browser, &client).await;
        if number == 0 {
            browser.sign_in(USER, PASSWORD).await;
        }
        browser.find("#allow").await;
        browser
            .screenshot(&format!("native-consent-{number}"))
            .await;
        browser.click("#allow").await;
        // Nobody listens at the last one; the browser is sent there all the same.
        let arrived = browser.arrives_at(&uri).await;
        assert_eq!(param(&arrived, "iss"), app.issuer());
        let code = param(&arrived, "code");
        let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
        assert_eq!(
            app.http().logged_user(&tokens.access_token).await.status,
            200
        );
    }
    let received = program.received();
    let mut arrivals = received
        .iter()
        .filter(|head| head.starts_with("GET /cb?code="));
    assert_eq!(arrivals.clone().count(), 2, "{received:?}");
    // The address of the page that asked goes to nobody.
    assert!(arrivals.all(|head| !head.to_ascii_lowercase().contains("\r\nreferer:")));
    browser.close().await;
    app.close().await;
}

/// An app that the system opens for a scheme, after the user has allowed or denied.
// spec: RFC 8252 §7.1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_with_a_scheme_of_its_own() {
    let app = app_in_a_browser().await;
    for (uri, button) in [
        ("com.example.app:/cb", "#allow"),
        ("cursor://anysphere.cursor-retrieval/oauth", "#allow"),
        ("vscode://publisher.extension/cb", "#deny"),
    ] {
        let client = app.add_client(spec(uri)).await;
        // One that has opened a program does not open another by itself.
        let browser = Browser::start_noting_requests().await;
        open(&app, &browser, &client).await;
        browser.sign_in(USER, PASSWORD).await;
        browser.find(button).await;
        browser.click(button).await;
        let opened = browser.opens_app(&format!("{uri}?")).await;
        browser.close().await;
        assert_eq!(param(&opened, "state"), "a state");
        assert_eq!(param(&opened, "iss"), app.issuer());
        if button == "#deny" {
            assert_eq!(param(&opened, "error"), "access_denied", "{opened}");
            continue;
        }
        let code = param(&opened, "code");
        let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
        let who = app.http().logged_user(&tokens.access_token).await;
        assert_eq!(who.status, 200);
    }
    app.close().await;
}
