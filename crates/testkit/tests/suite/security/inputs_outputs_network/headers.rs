//! Headers that every answer has, and files.

use crema_testkit::App;
use crema_testkit::flow::method;

use crate::security::scene;

// spec: security.md, Inputs, outputs, network, line 7: `nosniff` everywhere
#[tokio::test]
async fn nosniff_is_everywhere() {
    let app = scene::start().await;
    let http = app.http();
    let mut paths: Vec<String> = ["authorize", "approve", "get_token", "openid_profile"]
        .into_iter()
        .map(method)
        .collect();
    for path in [
        "/",
        "/login",
        "/me",
        "/nothing",
        "/assets/nothing",
        "/healthz",
        "/readyz",
        "/api/method/none",
        "/api/method/ping",
        "/.well-known/jwks.json",
        "/.well-known/none",
        "/api/method/login",
    ] {
        paths.push(path.to_owned());
    }
    for path in paths {
        for verb in ["GET", "POST", "HEAD", "OPTIONS", "PUT"] {
            let answer = http.request(verb, &path).send().await;
            let what = format!("{verb} {path}: {}", answer.status);
            assert_eq!(
                answer.header("x-content-type-options"),
                Some("nosniff"),
                "{what}"
            );
            assert!(answer.status < 500, "{what}");
            assert!(answer.header("server").is_none(), "{what}");
        }
    }
    let nobody = http.get("/").host(Some("evil.example")).send().await;
    assert_eq!(nobody.header("x-content-type-options"), Some("nosniff"));
    let large = http
        .post("/login")
        .body(vec![b'x'; 1024 * 1024 + 1])
        .send()
        .await;
    assert_eq!(large.header("x-content-type-options"), Some("nosniff"));
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 7: HSTS under https
#[tokio::test]
async fn hsts_is_sent_under_https_only() {
    let app = scene::start().await;
    let plain = app.http().get("/login").send().await;
    assert_eq!(plain.header("strict-transport-security"), None);
    app.set_config("host_name", "https://trust.localhost");
    for (verb, path) in [
        ("GET", "/login"),
        ("GET", "/nothing"),
        ("POST", "/api/method/ping"),
        ("GET", "/.well-known/jwks.json"),
    ] {
        let answer = app.http().request(verb, path).send().await;
        let header = answer.header("strict-transport-security").unwrap();
        assert!(header.starts_with("max-age="), "{header}");
    }
    let large = app
        .http()
        .post("/login")
        .body(vec![b'x'; 1024 * 1024 + 1])
        .send()
        .await;
    assert_eq!(large.status, 413);
    assert!(large.header("strict-transport-security").is_some());
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 7: `/healthz` answers on any Host
#[tokio::test]
async fn healthz_answers_on_any_host() {
    let app = scene::start().await;
    for host in [Some("evil.example"), Some("10.0.0.1:8000"), Some(""), None] {
        let answer = app.http().get("/healthz").host(host).send().await;
        assert_eq!(answer.status, 200, "{host:?}");
        assert!(
            !answer.text().contains("trust"),
            "it says nothing about sites"
        );
    }
    app.close().await;
}

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
fn config(app: &App) -> std::path::PathBuf {
    app.bench()
        .root()
        .join("sites")
        .join(app.site())
        .join("site_config.json")
}

// spec: security.md, Inputs, outputs, network, line 7: site files have mode 0600
#[cfg(unix)]
#[tokio::test]
async fn site_files_are_for_their_owner_only() {
    let app = scene::start().await;
    assert_eq!(mode(&config(&app)), 0o600);
    app.set_config("max_file_size", 1);
    assert_eq!(mode(&config(&app)), 0o600);
    let folder = app.bench().root().join("sites").join(app.site());
    let mut folders = vec![folder];
    let mut databases = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains(".db") {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                databases += 1;
            }
        }
    }
    assert!(databases > 0);
    app.close().await;
}
