//! `docs/connect-single-page-app.md` in Chromium.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crema_testkit::Browser;
use serde_json::json;

use super::{JO, Reader, allow};

const PAGE: &str = "docs/connect-single-page-app.md";

/// The web server of the app: `python3 -m http.server` in its folder, as the page says.
struct Files {
    child: Child,
    port: u16,
}

impl Files {
    fn serve(folder: &Path) -> Files {
        let mut child = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let port = line.split_once(" port ").unwrap().1;
        let port = port.split_once(' ').unwrap().0.parse().unwrap();
        Files { child, port }
    }

    fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A reader who has done what has to be done once.
fn prepared(app: &Files) -> Reader {
    let mut reader = Reader::of(PAGE, "trust.localhost");
    reader.replace("localhost:8080", format!("localhost:{}", app.port));
    let said = reader.run("client");
    let client = Reader::said(&said, "client_id: ").to_owned();
    reader.replace("YOUR CLIENT ID", client);
    reader.run("origins");
    assert!(!reader.bench.path().join("admin.jar").exists());
    reader
}

/// Waits until the app shows this.
async fn shows(browser: &Browser, wanted: &str) {
    let script = "return document.getElementById('out').textContent";
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let shown = browser.driver().execute(script, Vec::new()).await;
        let shown = shown.map(|shown| shown.json().as_str().unwrap_or_default().to_owned());
        match shown {
            Ok(shown) if shown.contains(wanted) => return,
            // The page may be on its way to another one.
            shown if tokio::time::Instant::now() > end => panic!("{wanted:?}: {shown:?}"),
            _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
}

async fn press(browser: &Browser, button: &str, wanted: &str) {
    browser.click(button).await;
    shows(browser, wanted).await;
}

/// Something that the app keeps in the browser.
async fn kept(browser: &Browser, name: &str) -> Option<String> {
    let script = "return sessionStorage.getItem(arguments[0])";
    let kept = browser.driver().execute(script, vec![json!(name)]).await;
    kept.unwrap().json().as_str().map(str::to_owned)
}

#[test]
fn both_apps_work_and_no_other_origin_does() {
    let folder = tempfile::tempdir().unwrap();
    let (app, other) = (Files::serve(folder.path()), Files::serve(folder.path()));
    let reader = prepared(&app);
    let save = |block: &str| {
        std::fs::write(folder.path().join("index.html"), reader.block(block)).unwrap();
    };
    crema_testkit::engines::run(async {
        let browser = Browser::start().await;
        save("index.html");
        nothing_for_another_origin(&browser, &other).await;
        without_a_library(&browser, &app).await;
        save("oidc.html");
        let library = "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js";
        let copy = folder.path().join("oidc-client-ts.min.js");
        std::fs::copy(installed(library), copy).unwrap();
        with_oidc_client_ts(&browser, &app, &reader.block("oidc.html")).await;
        browser.close().await;
    });
    // What the other origin was not shown is left.
    let tokens = reader.bench.json(&["token", "list"]);
    assert_eq!(tokens.as_array().unwrap().len(), 1, "{tokens}");
    reader.stop();
}

/// The origin is not allowed: the browser comes back with a code, because the port of a loopback
/// address is free, and the script reads no answer.
async fn nothing_for_another_origin(browser: &Browser, other: &Files) {
    browser.open(&other.origin()).await;
    browser.click("#sign-in").await;
    allow(browser).await;
    browser.arrives_at(&other.origin()).await;
    shows(browser, "TypeError: Failed to fetch").await;
    assert_eq!(kept(browser, "refresh_token").await, None);
}

async fn without_a_library(browser: &Browser, app: &Files) {
    browser.open(&app.origin()).await;
    press(browser, "#who", "Sign in first.").await;
    browser.click("#sign-in").await;
    allow(browser).await;
    browser.arrives_at(&app.origin()).await;
    shows(browser, JO).await;
    // No code in the address.
    assert_eq!(browser.url().await, format!("{}/", app.origin()));
    press(browser, "#add", "Water the plants").await;

    let first = kept(browser, "refresh_token").await;
    press(browser, "#refresh", "Done.").await;
    let second = kept(browser, "refresh_token").await;
    assert!(first.is_some() && second.is_some() && first != second);
    press(browser, "#who", JO).await;

    // A page that was loaded anew has no access token, and gets one.
    browser.open(&app.origin()).await;
    press(browser, "#add", "Water the plants\nWater the plants").await;
    let third = kept(browser, "refresh_token").await.unwrap();
    press(browser, "#sign-out", "Done.").await;
    assert_eq!(kept(browser, "refresh_token").await, None);
    press(browser, "#who", "Sign in first.").await;
    // It has ended for whoever kept a copy too.
    let keep = format!("sessionStorage.setItem('refresh_token', '{third}')");
    browser.driver().execute(keep, Vec::new()).await.unwrap();
    press(browser, "#who", "invalid_grant").await;
    assert_eq!(kept(browser, "refresh_token").await, None);
}

async fn with_oidc_client_ts(browser: &Browser, app: &Files, page: &str) {
    browser.open(&app.origin()).await;
    shows(browser, "Nobody").await;
    browser.click("#sign-in").await;
    allow(browser).await;
    browser.arrives_at(&app.origin()).await;
    shows(browser, JO).await;
    assert_eq!(browser.url().await, format!("{}/", app.origin()));
    let value = |name: &str| {
        let rest = page.split_once(&format!("{name}: \"")).unwrap().1;
        rest.split_once('"').unwrap().0
    };
    let user = format!("oidc.user:{}:{}", value("authority"), value("client_id"));
    let first = kept(browser, &user).await.unwrap();
    press(browser, "#refresh", JO).await;
    let second = kept(browser, &user).await.unwrap();
    let token = |user: &str| -> String {
        let user: serde_json::Value = serde_json::from_str(user).unwrap();
        user["refresh_token"].as_str().unwrap().to_owned()
    };
    assert_ne!(token(&first), token(&second));
    press(browser, "#sign-out", "Nobody").await;
    assert_eq!(kept(browser, &user).await, None);
}

/// A file of the library, where `scripts/test-sdks.sh` installs it in the version of the page.
fn installed(file: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/sdk/js");
    let path = root.join(file);
    assert!(
        path.exists(),
        "{}: run scripts/test-sdks.sh",
        path.display()
    );
    path
}
