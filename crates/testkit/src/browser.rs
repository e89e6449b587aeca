//! A real browser: Chromium without a window, through chromedriver.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// How long a page may take to show what a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

const DRIVERS: &[&str] = &[
    "/usr/bin/chromedriver",
    "/usr/lib/chromium/chromedriver",
    "/usr/lib/chromium-browser/chromedriver",
];
const BROWSERS: &[&str] = &["/usr/bin/chromium", "/usr/bin/chromium-browser"];

/// Nothing of the browser's own talks to the network, and nothing asks a question.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,900",
    "--lang=en",
];

/// A browser with a profile of its own. Its driver ends when this is dropped.
pub struct Browser {
    driver: WebDriver,
    process: Driver,
    _profile: tempfile::TempDir,
}

/// The chromedriver process.
struct Driver {
    child: Child,
    port: u16,
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked to shut down, it takes the browsers along that were not closed; killed, not.
        if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
            let patience = Some(Duration::from_secs(5));
            stream.set_read_timeout(patience).ok();
            let request = "GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            if stream.write_all(request.as_bytes()).is_ok() {
                stream.read_to_end(&mut Vec::new()).ok();
            }
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// When Chromium or its driver is missing or does not start.
    pub async fn start() -> Browser {
        Browser::start_with(|_| Ok(())).await
    }

    /// Starts one that notes its requests, for [`Browser::opens_app`].
    ///
    /// # Panics
    /// As [`Browser::start`].
    pub async fn start_noting_requests() -> Browser {
        let all = LoggingPrefsLogLevel::All;
        Browser::start_with(|wanted| wanted.set_logging_prefs("performance", all)).await
    }

    async fn start_with(
        more: impl FnOnce(&mut ChromeCapabilities) -> WebDriverResult<()>,
    ) -> Browser {
        let process = start_driver().await;
        let profile = tempfile::tempdir().expect("no temporary folder");
        let mut wanted = DesiredCapabilities::chrome();
        let set = |result: WebDriverResult<()>| result.expect("a capability");
        set(wanted.set_binary(installed(BROWSERS)));
        for flag in FLAGS {
            set(wanted.add_arg(flag));
        }
        set(wanted.add_arg(&format!("--user-data-dir={}", profile.path().display())));
        set(more(&mut wanted));
        let address = format!("http://127.0.0.1:{}", process.port);
        let driver = WebDriver::new(address, wanted)
            .await
            .expect("Chromium does not start");
        Browser {
            driver,
            process,
            _profile: profile,
        }
    }

    /// Everything else that a browser can be told.
    #[must_use]
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Opens an address.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open(&self, url: &str) {
        self.driver.goto(url).await.expect(url);
    }

    /// Waits for an element by its CSS selector.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn find(&self, selector: &str) -> WebElement {
        let query = self.driver.query(By::Css(selector));
        let found = query
            .wait(PATIENCE, Duration::from_millis(50))
            .first()
            .await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("{selector}: {error}\n{}", self.describe().await),
        }
    }

    /// Whether there is such an element now.
    pub async fn has(&self, selector: &str) -> bool {
        self.driver.find(By::Css(selector)).await.is_ok()
    }

    /// The visible text of an element.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn text(&self, selector: &str) -> String {
        self.find(selector).await.text().await.expect(selector)
    }

    /// Replaces the text of a field.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn fill(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.clear().await.expect(selector);
        field.send_keys(text).await.expect(selector);
    }

    /// Clicks.
    ///
    /// # Panics
    /// When there is nothing to click at.
    pub async fn click(&self, selector: &str) {
        self.find(selector).await.click().await.expect(selector);
    }

    /// Fills in the sign-in page that is open and sends it.
    pub async fn sign_in(&self, usr: &str, pwd: &str) {
        self.fill("#login_email", usr).await;
        self.fill("#login_password", pwd).await;
        self.click(".btn-login").await;
    }

    /// Where the browser is.
    ///
    /// # Panics
    /// When it does not tell.
    pub async fn url(&self) -> String {
        self.driver
            .current_url()
            .await
            .expect("no address")
            .to_string()
    }

    /// Waits until the browser is at an address that begins so, and gives all of it. Nothing
    /// needs to answer there: a client's redirect URI may lead nowhere.
    ///
    /// # Panics
    /// When it does not get there.
    #[expect(
        clippy::disallowed_methods,
        reason = "a browser tells nobody when it has arrived"
    )]
    pub async fn arrives_at(&self, begin: &str) -> String {
        let arrival = async {
            loop {
                let url = self.url().await;
                if url.starts_with(begin) {
                    return url;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, arrival).await {
            Ok(url) => url,
            Err(_) => panic!("not at {begin}\n{}", self.describe().await),
        }
    }

    /// Waits until the browser is sent to an address that begins so and belongs to a program of the
    /// system, such as an app with a URI scheme of its own. Gives all of it. The browser stays
    /// where it is, because there is no such program.
    ///
    /// # Panics
    /// When it is not sent there, or was started without [`Browser::start_noting_requests`].
    #[expect(
        clippy::disallowed_methods,
        reason = "a browser tells nobody when it has asked for a program"
    )]
    pub async fn opens_app(&self, begin: &str) -> String {
        let request = async {
            loop {
                let noted = self.driver.get_log("performance").await;
                for entry in noted.expect("it does not note its requests") {
                    let event: Value = serde_json::from_str(&entry.message).unwrap_or_default();
                    let url = &event["message"]["params"]["documentURL"];
                    if let Some(url) = url.as_str().filter(|url| url.starts_with(begin)) {
                        return url.to_owned();
                    }
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, request).await {
            Ok(url) => url,
            Err(_) => panic!("not sent to {begin}\n{}", self.describe().await),
        }
    }

    /// Writes what is to be seen to `target/screenshots/<name>.png`.
    ///
    /// # Panics
    /// When it cannot be written.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        std::fs::create_dir_all(&folder).expect("no folder for screenshots");
        let path = folder.join(format!("{name}.png"));
        self.driver.screenshot(&path).await.expect("no screenshot");
        path
    }

    /// Ends the browser, then its driver.
    ///
    /// # Panics
    /// When the browser does not end.
    pub async fn close(self) {
        let Browser {
            driver, process, ..
        } = self;
        driver.quit().await.expect("Chromium does not end");
        drop(process);
    }

    async fn describe(&self) -> String {
        let url = self.driver.current_url().await.map(|url| url.to_string());
        let source = self.driver.source().await;
        format!(
            "at {}\n{}",
            url.unwrap_or_default(),
            source.unwrap_or_default()
        )
    }
}

fn installed(candidates: &[&'static str]) -> &'static str {
    let found = candidates
        .iter()
        .copied()
        .find(|path| Path::new(path).exists());
    found.unwrap_or_else(|| panic!("none of {candidates:?} is installed (see ./test)"))
}

/// Starts chromedriver on a port that it chooses, which it tells on its standard output.
async fn start_driver() -> Driver {
    let mut child = Command::new(installed(DRIVERS))
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver does not start");
    let output = child.stdout.take().expect("chromedriver has no output");
    let output = tokio::process::ChildStdout::from_std(output).expect("no pipe");
    let mut lines = BufReader::new(output).lines();
    let port = async {
        while let Some(line) = lines.next_line().await.expect("chromedriver's output") {
            if let Some((_, rest)) = line.split_once("started successfully on port ") {
                return rest.trim_end_matches('.').parse().expect("a port");
            }
        }
        panic!("chromedriver ended at once");
    };
    let port = tokio::time::timeout(PATIENCE, port)
        .await
        .expect("chromedriver is too slow");
    Driver { child, port }
}
