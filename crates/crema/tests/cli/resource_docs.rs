//! The examples of `docs/resource-server.md`, sent as they stand and compared with real answers.

use std::fs;
use std::path::Path;

use crema_testkit::{Http, Response};
use serde_json::Value;

use crate::docs::{CALLBACK, Example, ID, JO, PASSWORD};
use crate::harness::{Bench, Server, text};

const PAGE: &str = "docs/resource-server.md";
/// The command that the page gives for other origins.
const SET_CORS: &str = r#"crema set-config allow_cors '["https://app.example.com"]'"#;
/// Somebody who may make keys for others.
const BOSS: &str = "boss@example.com";
/// The document's name on the page.
const SHOWN_NAME: &str = "4q2ffi1v0u";

#[test]
fn the_examples_of_the_resource_server_are_true() {
    let bench = Bench::empty();
    let page = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(PAGE);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains(&format!("`{SET_CORS}`")));
    let script = format!(
        "crema new-site {ID} --set-default >&2\n\
         crema set-config host_name https://{ID} >&2\n\
         {SET_CORS} >&2\n\
         crema --site {ID} add-user {JO} --first-name Jo --password {PASSWORD} \
         --user-type 'System User' >&2\n\
         crema --site {ID} add-user {BOSS} --first-name Boss --password {PASSWORD} \
         --add-role 'System Manager' >&2\n\
         crema --site {ID} oauth-client add --app-name App --redirect-uri {CALLBACK} \
         --scopes 'all openid todo:read' --json"
    );
    let client = bench.shell(&script).ok().json();
    let server = bench.serve(&[]);
    crema_testkit::engines::run(walk(&server, &client));
    server.stop();
}

async fn walk(server: &Server, client: &Value) {
    let http = server.http(ID);
    let token = token(server, client, "all").await;
    let create = example("create", &token, "");
    let made = create.request(&http).send().await;
    is_like(&create, &made);
    let name = made.json()["data"]["name"].clone();

    let list = example("list", &token, "");
    is_like(&list, &list.request(&http).send().await);
    let update = example("update", &token, name.as_str().unwrap());
    is_like(&update, &update.request(&http).send().await);

    let narrow = self::token(server, client, "todo:read").await;
    let scope = example("scope", &narrow, "");
    is_like(&scope, &scope.request(&http).send().await);
    let mcp = format!("https://{ID}/mcp");
    let bound = token_for(server, client, "all", &mcp).await;
    let elsewhere = example("elsewhere", &bound, "");
    is_like(&elsewhere, &elsewhere.request(&http).send().await);
    keys(server, &http).await;
    cors(&http, &token).await;
}

async fn keys(server: &Server, http: &Http) {
    let mut boss = server.visitor(ID);
    boss.login(BOSS, PASSWORD).await;
    let cookies = boss.cookie_header();
    let generate = Example::on(PAGE, "generate-keys", |text| {
        text.replace("sid=…", &cookies)
    });
    let made = generate.request(http).send().await;
    is_like(&generate, &made);
    let pair = &made.json()["message"];
    let pair = format!("{}:{}", text(pair, "api_key"), text(pair, "api_secret"));
    let used = Example::on(PAGE, "use-key", |text| {
        text.replace("<api key>:<api secret>", &pair)
    });
    is_like(&used, &used.request(http).send().await);
}

/// An access token of Jo.
pub(crate) async fn token(server: &Server, client: &Value, scope: &str) -> String {
    token_for(server, client, scope, "").await
}

/// The same for that resource, or for the whole site.
async fn token_for(server: &Server, client: &Value, scope: &str, resource: &str) -> String {
    let (client_id, secret) = (text(client, "client_id"), text(client, "client_secret"));
    let mut visitor = server.visitor(ID);
    visitor.login(JO, PASSWORD).await;
    let answer = visitor
        .authorize_and_allow(&[
            ("client_id", client_id),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", scope),
            ("resource", resource),
        ])
        .await;
    let back = crema_testkit::Redirect::of(&answer);
    let form = [
        ("grant_type", "authorization_code"),
        ("code", back.param("code")),
        ("redirect_uri", CALLBACK),
    ];
    let request = server
        .http(ID)
        .post(&crema_testkit::flow::method("get_token"));
    let answer = request.basic(client_id, secret).form(&form).send().await;
    answer.tokens().access_token
}

/// An example with the token and the document that there are.
fn example(name: &str, token: &str, document: &str) -> Example {
    let mut example = Example::on(PAGE, name, |text| {
        text.replace("Bearer …", &format!("Bearer {token}"))
            .replace(SHOWN_NAME, document)
    });
    // As every client does on the way.
    for (character, encoded) in [('"', "%22"), ('{', "%7B"), ('}', "%7D")] {
        example.target = example.target.replace(character, encoded);
    }
    example
}

pub(crate) fn is_like(example: &Example, answer: &Response) {
    let said = answer.text();
    assert_eq!(answer.status, example.status, "{said}");
    let challenge = answer.header("www-authenticate");
    assert_eq!(challenge, example.challenge.as_deref());
    like("", &example.json, &answer.json());
}

/// The same members with the same values; `…` stands for anything, at an end too.
fn like(place: &str, shown: &Value, real: &Value) {
    match (shown, real) {
        (Value::Object(shown), Value::Object(real)) => {
            let others = real.keys().filter(|name| !shown.contains_key(*name));
            let others: Vec<_> = others.collect();
            assert!(others.is_empty(), "{place}: {others:?} are not shown");
            for (name, shown) in shown {
                let real = real.get(name);
                like(name, shown, real.unwrap_or_else(|| panic!("no {name}")));
            }
        }
        (Value::Array(shown), Value::Array(real)) => {
            assert_eq!(shown.len(), real.len(), "{place}");
            for (shown, real) in shown.iter().zip(real) {
                like(place, shown, real);
            }
        }
        (Value::String(shown), Value::String(real)) if shown.ends_with('…') => {
            let start = shown.trim_end_matches('…');
            assert!(real.starts_with(start), "{place}: {real}, not {shown}");
        }
        _ => assert_eq!(shown, real, "{place}"),
    }
}

/// What the page says about other origins.
async fn cors(http: &Http, token: &str) {
    let asked = http.get("/api/resource/ToDo").bearer(token);
    let answer = asked
        .header("Origin", "https://app.example.com")
        .send()
        .await;
    let allowed = answer.header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://app.example.com"));
    let exposed = answer.header("access-control-expose-headers");
    assert_eq!(exposed, Some("WWW-Authenticate, Retry-After"));
}
