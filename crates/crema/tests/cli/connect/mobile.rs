//! `docs/connect-mobile-app.md`: its requests, with Chromium as the browser of the phone, and the
//! settings that it gives for libraries.

use crema_testkit::{Browser, Http, Redirect, VERIFIER, challenge};
use serde_json::{Value, json};

use super::{JO, PASSWORD, Reader, allow};

const PAGE: &str = "docs/connect-mobile-app.md";
const DEEP_LINK: &str = "com.example.app:/oauth";

/// Follows an authorization request to the link that a phone would open the app with.
async fn deep_link(address: &str) -> String {
    // One that has opened a program does not open it again by itself.
    let browser = Browser::start_noting_requests().await;
    browser.open(address).await;
    allow(&browser).await;
    let link = browser.opens_app(DEEP_LINK).await;
    browser.close().await;
    link
}

/// A parameter of the link, as it stands there.
fn param<'a>(link: &'a str, name: &str) -> &'a str {
    let (_, query) = link.split_once('?').unwrap();
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(own, _)| *own == name);
    found.unwrap_or_else(|| panic!("no {name} in {link}")).1
}

/// The requests of the page, from the client's to the end.
async fn walk(reader: &mut Reader) {
    let said = reader.run("authorize");
    let link = deep_link(said.trim()).await;
    let state = reader.shell.run("echo $STATE");
    assert_eq!(param(&link, "state"), state.trim());
    assert!(
        param(&link, "iss").starts_with("http%3A%2F%2Flocalhost%3A"),
        "{link}"
    );
    let code = format!("CODE={}", param(&link, "code"));
    let token = reader.block("token").replace("CODE='…'", &code);
    let said = reader.shell.run(&token);
    let tokens: Value = serde_json::from_str(said.trim()).unwrap();
    assert_eq!(tokens["scope"], "openid todo:read todo:create");
    let members = ["access_token", "refresh_token", "expires_in", "id_token"];
    assert!(members.iter().all(|name| !tokens[name].is_null()), "{said}");
    let said = reader.run("use");
    assert!(
        said.contains(JO) && said.contains("\"description\":\"Water the plants\""),
        "{said}"
    );
    let said = reader.run("refresh");
    assert!(said.contains(JO), "{said}");
    let said = reader.run("revoke");
    assert!(
        said.contains("{}") && said.contains("revoked or unknown") && !said.contains(JO),
        "{said}"
    );
    assert_eq!(reader.bench.json(&["token", "list"]), json!([]));
}

/// What stands between quotation marks in a program.
fn quoted(code: &str) -> Vec<&str> {
    let code = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split(['"', '\'']).skip(1).step_by(2))
        .collect()
}

/// Sends what a library sends with the settings of a block.
async fn settings_work(http: &Http, reader: &Reader, library: &str) {
    let block = reader.block(library);
    let values = quoted(&block);
    let is_address = |value: &&str| value.starts_with("http");
    let issuer = values.iter().copied().find(is_address).unwrap();
    let redirect_uri = values
        .iter()
        .copied()
        .find(|value| value.contains(":/") && !is_address(value));
    let client_id = values
        .iter()
        .copied()
        .find(|value| value.len() == 10 && !value.contains(':'));
    let is_scope = |value: &&str| *value == "openid" || value.starts_with("todo:");
    let scope: Vec<&str> = values.iter().copied().filter(is_scope).collect();
    assert_eq!(scope.len(), 3, "{library}");

    let metadata = http
        .get("/.well-known/openid-configuration")
        .send()
        .await
        .json();
    assert_eq!(metadata["issuer"], issuer);
    // What AppAuth does not do without.
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    ] {
        assert!(!metadata[name].is_null(), "{name}");
    }
    let mut visitor = reader.server.visitor("localhost");
    visitor.login(JO, PASSWORD).await;
    let page = visitor
        .authorize(&[
            ("client_id", client_id.unwrap()),
            ("redirect_uri", redirect_uri.unwrap()),
            ("response_type", "code"),
            ("scope", &scope.join(" ")),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", &challenge(VERIFIER)),
            ("code_challenge_method", "S256"),
        ])
        .await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("Field App"), "{}", page.text());
}

/// The other redirect URI of the page.
async fn claimed_address_works(reader: &Reader, client: &str) {
    let claimed = "https://app.example.com/oauth";
    assert!(reader.block("client").contains(claimed));
    let mut visitor = reader.server.visitor("localhost");
    visitor.login(JO, PASSWORD).await;
    let answer = visitor
        .authorize_and_allow(&[
            ("client_id", client),
            ("redirect_uri", claimed),
            ("response_type", "code"),
            ("scope", "openid"),
            ("code_challenge", &challenge(VERIFIER)),
            ("code_challenge_method", "S256"),
        ])
        .await;
    assert_eq!(Redirect::of(&answer).uri, claimed);
}

#[test]
fn the_requests_and_the_settings_work() {
    let mut reader = Reader::of(PAGE, "localhost");
    reader.run("prepare");
    crema_testkit::engines::run(async {
        // As the page that is named there says.
        reader.page = "docs/connect-cli.md";
        reader.run("registration-scopes");
        reader.page = PAGE;
        let registered: Value = serde_json::from_str(&reader.run("register")).unwrap();
        assert_eq!(registered["token_endpoint_auth_method"], "none");
        assert_eq!(registered.get("client_secret"), None);
        walk(&mut reader).await;

        let said = reader.run("client");
        walk(&mut reader).await;

        let client = Reader::said(&said, "client_id: ").to_owned();
        claimed_address_works(&reader, &client).await;
        reader.replace("YOUR CLIENT ID", client);
        let http = reader.server.http("localhost");
        reader.replace("https://id.example.com", http.origin());
        for library in [
            "appauth-android",
            "appauth-ios",
            "flutter_appauth",
            "react-native-app-auth",
        ] {
            settings_work(&http, &reader, library).await;
        }
    });
    reader.stop();
}
