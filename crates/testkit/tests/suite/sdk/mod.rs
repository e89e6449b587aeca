//! Client libraries that people use with Frappe, as their registries have them: frappe-js-sdk in
//! Node with tokens and in a page with cookies, frappe-client with a password and with keys.
//!
//! `scripts/test-sdks.sh` installs them, which `./test` does.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use crema_testkit::{App, AppBuilder, Browser, ClientSpec};
use serde_json::{Value, json};
use thirtyfour::WebDriver;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;

const USER: &str = "jo@example.com";
const PASSWORD: &str = "correct-horse-battery-9";

/// How long a walk may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the libraries are.
fn installed(file: &str) -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/sdk");
    let path = PathBuf::from(root).join(file);
    assert!(
        path.exists(),
        "{} is missing: run scripts/test-sdks.sh",
        path.display()
    );
    path
}

/// A site that is also called `localhost`, the one name that every resolver knows.
fn builder() -> AppBuilder {
    App::builder().config("domains", json!(["localhost"]))
}

async fn started(builder: AppBuilder) -> App {
    let app = builder.build().await;
    app.add_user(USER, PASSWORD, &["Desk User"]).await;
    app
}

fn address(app: &App) -> String {
    app.http_of("localhost").origin()
}

/// Runs a program with its task as an argument.
async fn run(program: PathBuf, script: &str, task: Value) {
    let mut command = Command::new(program);
    command
        .arg(installed(script))
        .arg(task.to_string())
        .stdin(Stdio::null())
        .env_remove("http_proxy")
        .env("NO_PROXY", "*")
        .env("no_proxy", "*")
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("it does not end").expect("it does not start");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success() && text(&output.stdout).trim_end().ends_with("done"),
        "{script}: {}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

fn node() -> PathBuf {
    PathBuf::from("node")
}

fn python() -> PathBuf {
    installed("python/bin/python")
}

/// A pair of API keys as a System Manager makes it for the user.
async fn keys(app: &App) -> (String, String) {
    app.add_user("manager@example.com", PASSWORD, &["System Manager"])
        .await;
    let mut manager = app.signed_in("manager@example.com", PASSWORD).await;
    let path = "/api/method/frappe.core.doctype.user.user.generate_keys";
    let answer = manager.post(path, &[("user", USER)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let message = &answer.json()["message"];
    let text = |name: &str| message[name].as_str().expect(name).to_owned();
    (text("api_key"), text("api_secret"))
}

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

/// A web app's own server: one page with its bundle.
struct Pages {
    origin: String,
}

impl Pages {
    async fn start() -> Pages {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let bundle = std::fs::read_to_string(installed("js/bundle.js")).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_buf(&mut head).await {
                        Ok(0) | Err(_) => break,
                        Ok(_) => {}
                    }
                }
                let (media_type, body) = match head.starts_with(b"GET /bundle.js ") {
                    true => ("text/javascript", bundle.as_str()),
                    false => (
                        "text/html",
                        "<!doctype html><script src=/bundle.js></script>",
                    ),
                };
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {media_type}; charset=utf-8\r\n\
                     Content-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await.ok();
                stream.write_all(body.as_bytes()).await.ok();
            }
        });
        // The same site as the server's, as browsers reckon cookies, and another origin.
        let origin = format!("http://app.trust.localhost:{port}");
        Pages { origin }
    }
}

/// Runs a script in the page; gives what it came to.
async fn in_page(driver: &WebDriver, script: &str, arguments: Vec<Value>) -> Value {
    let script = format!(
        "const [url, user, password, done] = arguments;
         const plain = (e) => e instanceof Error ? {{error: e.stack}} : {{error: e}};
         (async () => {{ {script} }})().then((v) => done({{value: v ?? null}}), (e) => done(plain(e)));"
    );
    driver.set_script_timeout(PATIENCE).await.unwrap();
    let result = driver.execute_async(script, arguments).await.unwrap();
    let result = result.json().clone();
    assert_eq!(result.get("error"), None, "{result}");
    result["value"].clone()
}

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
    let pages = Pages::start().await;
    let builder = App::builder().real_time();
    let builder = builder.config("allow_cors", json!([pages.origin]));
    let builder = builder.config("allowed_referrers", json!([pages.origin]));
    let app = started(builder).await;
    let browser = Browser::start().await;
    let driver = browser.driver();
    let arguments = vec![json!(app.issuer()), json!(USER), json!(PASSWORD)];

    // From a web app on a server of its own, which the site allows.
    browser.open(&pages.origin).await;
    let status = in_page(driver, SIGN_IN, arguments.clone()).await;
    assert_eq!(status, 401);

    // From the site itself.
    browser.open(&app.url("/api/method/ping")).await;
    let bundle = std::fs::read_to_string(installed("js/bundle.js")).unwrap();
    driver.execute(bundle, Vec::new()).await.unwrap();
    let status = in_page(driver, SIGN_IN, arguments).await;
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
    let bundle = std::fs::read_to_string(installed("js/bundle.js")).unwrap();
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
    assert_eq!(in_page(driver, script, arguments).await, 400);
    app.close().await;
}
