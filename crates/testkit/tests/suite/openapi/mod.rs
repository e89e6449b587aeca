//! The description of the site's own API: right by the rules of OpenAPI, and true.

mod check;
mod fits;
mod fuzz;
mod sample;

use crema_testkit::{App, ClientSpec, TestClient};
use serde_json::{Value, json};

use check::faults;

const PASSWORD: &str = "correct-horse-battery-9";
const MANAGER: &str = "manager@example.com";
const PLAIN: &str = "plain@example.com";
const PATH: &str = "/api/openapi.json";

/// A site with a System Manager, a user of the Desk, and a client for both.
async fn site(app: &App) -> TestClient {
    app.add_user(MANAGER, PASSWORD, &["System Manager"]).await;
    app.add_user(PLAIN, PASSWORD, &["Desk User"]).await;
    let scopes = "all openid todo:read todo:create note:*";
    let client = ClientSpec::new("http://127.0.0.1:9/cb").scopes(scopes);
    app.add_client(client).await
}

/// An access token of that user with that scope.
async fn token(app: &App, client: &TestClient, user: &str, scope: &str) -> String {
    let mut visitor = app.signed_in(user, PASSWORD).await;
    let code = visitor.code(client, &[("scope", scope)]).await;
    let answer = app.http().redeem(client, &code, &[]).await;
    answer.tokens().access_token
}

async fn description(app: &App, token: Option<&str>) -> Value {
    let mut request = app.http().get(PATH);
    if let Some(token) = token {
        request = request.bearer(token);
    }
    let answer = request.send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.media_type(), "application/json");
    let document = answer.json();
    assert_eq!(faults(&document), Vec::<String>::new());
    document
}

/// The operations on a path.
fn operations(document: &Value, path: &str) -> Vec<String> {
    let item = document["paths"][path].as_object();
    let names = item.into_iter().flatten().map(|(name, _)| name.clone());
    names.filter(|name| name != "parameters").collect()
}

#[tokio::test]
async fn it_says_what_the_user_may_and_nothing_else() {
    let app = App::builder().build().await;
    let client = site(&app).await;
    let manager = token(&app, &client, MANAGER, "all").await;
    let plain = token(&app, &client, PLAIN, "all").await;

    let document = description(&app, Some(&manager)).await;
    assert_eq!(document["servers"][0]["url"], app.issuer());
    let clients = "/api/resource/OAuth%20Client";
    assert_eq!(operations(&document, clients), ["get", "post"]);
    let one = format!("{clients}/{{name}}");
    assert_eq!(operations(&document, &one), ["get", "put", "delete"]);
    let v2 = "/api/v2/document/OAuth%20Client/{name}";
    assert_eq!(operations(&document, v2), ["get", "put", "patch", "delete"]);
    let single = "/api/resource/OAuth%20Settings/OAuth%20Settings";
    assert_eq!(operations(&document, single), ["get", "put"]);
    let keys = "/api/resource/Signing%20Key/{name}";
    assert_eq!(operations(&document, keys), ["get"]);

    let document = description(&app, Some(&plain)).await;
    assert_eq!(operations(&document, clients), [""; 0]);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(!schemas.keys().any(|name| name.starts_with("OAuthClient")));
    let paths = document["paths"].as_object().unwrap();
    assert!(!paths.keys().any(|path| path.contains("OAuth%20Client")));
    assert_eq!(operations(&document, "/api/resource/ToDo"), ["get", "post"]);

    let document = description(&app, None).await;
    assert_eq!(operations(&document, "/api/resource/ToDo"), [""; 0]);
    assert_eq!(operations(&document, "/api/method/ping"), ["get"]);
    let answer = app.http().get(PATH).bearer("nobody's").send().await;
    assert_eq!(answer.status, 401);
    let answer = app.http().post(PATH).send().await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (405, Some("GET, HEAD"))
    );
    app.close().await;
}

#[tokio::test]
async fn a_narrow_token_sees_what_it_opens() {
    let app = App::builder().build().await;
    let client = site(&app).await;
    let narrow = token(&app, &client, MANAGER, "todo:read note:*").await;
    let document = description(&app, Some(&narrow)).await;
    assert_eq!(operations(&document, "/api/resource/ToDo"), ["get"]);
    assert_eq!(operations(&document, "/api/resource/ToDo/{name}"), ["get"]);
    let note = operations(&document, "/api/resource/Note/{name}");
    assert_eq!(note, ["get", "put", "delete"]);
    assert_eq!(operations(&document, "/api/resource/User"), [""; 0]);
    let generate = "/api/method/frappe.core.doctype.user.user.generate_keys";
    assert_eq!(operations(&document, generate), [""; 0]);
    let list = &document["paths"]["/api/resource/ToDo"]["get"];
    assert_eq!(list["security"][0], json!({"oauth2": ["todo:read"]}));
    let scopes = &document["components"]["securitySchemes"]["oauth2"]["flows"];
    assert_eq!(
        scopes["authorizationCode"]["scopes"]["todo:read"],
        "Read ToDo"
    );
    app.close().await;
}

#[tokio::test]
async fn schemas_are_those_of_the_fields() {
    let app = App::builder().build().await;
    let client = site(&app).await;
    let manager = token(&app, &client, MANAGER, "all").await;
    let document = description(&app, Some(&manager)).await;
    let schemas = &document["components"]["schemas"];
    let todo = &schemas["ToDo"]["properties"];
    assert_eq!(todo["date"]["format"], "date");
    assert_eq!(todo["status"]["enum"][0], "Open");
    assert_eq!(todo["allocated_to"]["x-link"], "User");
    assert_eq!(
        todo["assigned_by_full_name"]["type"],
        json!(["string", "null"])
    );
    assert_eq!(schemas["ToDo.new"]["required"], json!(["description"]));
    assert_eq!(
        schemas["ToDo.new"]["properties"]["priority"]["default"],
        "Medium"
    );
    assert_eq!(schemas["ToDo.change"]["required"], Value::Null);
    assert_eq!(
        schemas["OAuthClient"]["properties"]["enabled"]["enum"],
        json!([0, 1])
    );

    // A password goes in and never comes out; who may not change a level is not told of it.
    let user = &schemas["User"]["properties"];
    assert_eq!(user["new_password"], Value::Null);
    let new_password = &schemas["User.change"]["properties"]["new_password"];
    assert_eq!(new_password["writeOnly"], true);
    assert_eq!(
        user["roles"]["items"]["properties"]["role"]["x-link"],
        "Role"
    );
    let plain = token(&app, &client, PLAIN, "all").await;
    let document = description(&app, Some(&plain)).await;
    let user = &document["components"]["schemas"]["User"]["properties"];
    assert_eq!(user["full_name"]["type"], json!(["string", "null"]));
    assert_eq!(user["roles"], Value::Null);
    app.close().await;
}

#[tokio::test]
async fn the_same_question_has_the_same_answer() {
    let app = App::builder().build().await;
    let client = site(&app).await;
    let manager = token(&app, &client, MANAGER, "all").await;
    let first = app.http().get(PATH).bearer(&manager).send().await;
    let second = app.http().get(PATH).bearer(&manager).send().await;
    assert_eq!(first.text(), second.text());
    app.close().await;
}

#[tokio::test]
async fn the_doctypes_of_apps_are_described() {
    let app = App::builder().build().await;
    let client = site(&app).await;
    let manager = token(&app, &client, MANAGER, "all").await;
    let before = description(&app, Some(&manager)).await;
    sample::install(&app).await;
    let document = description(&app, Some(&manager)).await;
    assert_eq!(
        before["paths"]["/api/resource/Sample-Probe%202"],
        Value::Null
    );
    let list = "/api/resource/Sample-Probe%202";
    assert_eq!(operations(&document, list), ["get", "post"]);
    let schemas = &document["components"]["schemas"];
    let fields = &schemas["SampleProbe2"]["properties"];
    assert_eq!(fields["the_long_int"]["format"], "int64");
    assert_eq!(fields["the_json"]["contentMediaType"], "application/json");
    assert_eq!(fields["the_password"], Value::Null);
    assert_eq!(fields["the_dynamic_link"]["x-link-field"], "kind");
    assert_eq!(fields["short"]["maxLength"], 5);
    assert_eq!(fields["section"], Value::Null);
    // The level is nobody's.
    assert_eq!(fields["kept"], Value::Null);
    let rows = &fields["rows"]["items"]["properties"];
    assert_eq!(rows["parent"]["type"], "string");
    assert_eq!(rows["the_date"]["format"], "date");
    let new = &schemas["SampleProbe2.new"];
    assert_eq!(new["required"], json!(["short"]));
    assert_eq!(new["properties"]["fetched"], Value::Null);
    let change = &schemas["SampleProbe2.change"]["properties"];
    assert_eq!(change["once"]["x-set-only-once"], true);
    assert_eq!(
        schemas["SampleNumber"]["properties"]["name"]["type"],
        json!(["integer", "string"])
    );
    assert_eq!(schemas["SamplePrompt.new"]["required"], json!(["name"]));
    let guest = description(&app, None).await;
    let open = "/api/v2/document/Sample%20Open/{name}";
    assert_eq!(operations(&guest, open), ["get", "put", "patch", "delete"]);
    assert_eq!(guest["paths"][open]["get"]["security"][0], json!({}));
    app.close().await;
}

/// What would these tests be worth if the checks let everything pass?
#[tokio::test]
async fn the_checks_find_what_is_wrong() {
    let app = App::builder().build().await;
    let client = site(&app).await;
    let manager = token(&app, &client, MANAGER, "all").await;
    let document = description(&app, Some(&manager)).await;
    let one = "/paths/~1api~1resource~1ToDo~1{name}";
    let breaks: [(&str, &str, Value); 8] = [
        ("/info", "title", json!(1)),
        (
            "/components/schemas/ToDo/properties/date",
            "type",
            json!("text"),
        ),
        (
            "/components/schemas/ToDo.new",
            "required",
            json!(["nothing"]),
        ),
        (
            "/components/responses/Forbidden",
            "description",
            Value::Null,
        ),
        (one, "parameters", json!([])),
        (&format!("{one}/get"), "operationId", json!("list_ToDo")),
        (
            &format!("{one}/get"),
            "security",
            json!([{"oauth2": ["nobody:read"]}]),
        ),
        (
            &format!("{one}/get/responses/404"),
            "$ref",
            json!("#/components/responses/No"),
        ),
    ];
    for (at, name, value) in breaks {
        let mut broken = document.clone();
        broken.pointer_mut(at).expect(at)[name] = value;
        assert_ne!(faults(&broken), Vec::<String>::new(), "{at} {name}");
    }
    let todo = json!({"$ref": "#/components/schemas/ToDo"});
    let good = json!({"name": "a", "status": "Open", "date": null, "idx": 0});
    assert_eq!(fits::misfit(&document, &todo, &good), None);
    let bad = [
        json!({"status": "Nearly"}),
        json!({"date": "tomorrow"}),
        json!({"idx": "0"}),
        json!({"creation": "2026-11-20T18:00:00Z"}),
        json!({"doctype": "Note"}),
        json!([]),
    ];
    for value in bad {
        assert!(fits::misfit(&document, &todo, &value).is_some(), "{value}");
    }
    app.close().await;
}
