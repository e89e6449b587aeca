//! Every field of OAuth Settings does what its help text says, at once, in a process that did not
//! hear of the change.
// spec: http.md, Metadata, register_client, CORS; doctypes.md, OAuth Settings

use std::collections::BTreeSet;

use crema_testkit::flow::method;
use crema_testkit::{ClientSpec, Response, TestClient, Visitor, for_each_engine};
use serde_json::{Value, json};

use super::{CALLBACK, OPENID, PASSWORD, RESOURCE, SERVER, Site, USER, texts};

const WHO: &str = "/api/method/frappe.auth.get_logged_user";
const SPA: &str = "https://spa.example";

/// The fields, and where what they do is proved: here, or in a test of what they are about.
const PROVED: &[(&str, &str)] = &[
    ("show_auth_server_metadata", "here"),
    ("skip_authorization", "here"),
    ("enable_dynamic_client_registration", "here"),
    (
        "enable_client_id_metadata_documents",
        "here, metadata_documents/circle.rs",
    ),
    ("allowed_public_client_origins", "here"),
    ("registration_scopes", "here"),
    ("access_token_lifetime", "here"),
    ("refresh_token_lifetime", "here"),
    ("refresh_token_absolute_lifetime", "here"),
    ("refresh_grace_seconds", "here"),
    (
        "previous_secret_overlap",
        "the command line's tests: clients.rs",
    ),
    ("show_protected_resource_metadata", "here"),
    ("show_social_login_key_as_authorization_server", "social.rs"),
    ("resource_name", "here"),
    ("resource_policy_uri", "here"),
    ("resource_documentation", "here"),
    ("resource_tos_uri", "here"),
    ("scopes_supported", "here"),
    ("enable_mcp", "here"),
    ("allowed_redirect_schemes", "registering.rs"),
    ("registration_limit", "registering.rs"),
    ("initial_access_token_required", "registering.rs"),
    ("remove_unused_clients_after_days", "registering.rs"),
    ("key_rotation_days", "registering.rs"),
    ("activity_log_retention_days", "registering.rs"),
    ("token_retention_days", "registering.rs"),
];

#[test]
fn no_field_is_forgotten() {
    let text = include_str!("../../../../../doctypes/oauth_settings.json");
    let definition: Value = serde_json::from_str(text).unwrap();
    let breaks = ["Tab Break", "Section Break", "Column Break"];
    let mut fields = BTreeSet::new();
    for field in definition["fields"].as_array().unwrap() {
        if !breaks.contains(&field["fieldtype"].as_str().unwrap()) {
            let name = field["fieldname"].as_str().unwrap();
            assert!(field["description"].is_string(), "{name} has no help text");
            fields.insert(name);
        }
    }
    let proved: BTreeSet<_> = PROVED.iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, proved);
}

impl Site {
    /// Somebody at the process that did not hear of a change.
    async fn user(&self) -> Visitor {
        let mut user = self.other.visitor();
        user.login(USER, PASSWORD).await;
        user
    }

    async fn client(&self) -> TestClient {
        self.app.add_client(ClientSpec::new(CALLBACK)).await
    }

    async fn challenge(&self, bearer: Option<&str>) -> String {
        let request = self.other().get(WHO);
        let request = match bearer {
            Some(token) => request.bearer(token),
            None => request,
        };
        let answer = request.send().await;
        assert_eq!(answer.status, 401);
        answer
            .header("www-authenticate")
            .unwrap_or_default()
            .to_owned()
    }
}

for_each_engine! {
    // "Publishes what this server can do at /.well-known/oauth-authorization-server"
    async fn show_auth_server_metadata(engine: Engine) {
        let mut site = Site::on(engine).await;
        assert!(site.document(SERVER).await.is_some(), "on at first");
        for (on, there) in [(0, false), (1, true)] {
            site.set_one("show_auth_server_metadata", on).await;
            assert_eq!(site.document(SERVER).await.is_some(), there);
            assert!(site.document(OPENID).await.is_some(), "the other one stays");
        }
        site.close().await;
    }
}

// "Publishes at /.well-known/oauth-protected-resource where tokens for this site come from, and
// names it in refusals."
#[tokio::test]
async fn show_protected_resource_metadata() {
    let mut site = Site::start().await;
    let suffixed = format!("{RESOURCE}/api");
    for on in [1, 0, 1] {
        site.set_one("show_protected_resource_metadata", on).await;
        for path in [RESOURCE, &suffixed] {
            let found = site.document(path).await;
            assert_eq!(found.is_some(), on == 1, "{path}");
        }
        for bearer in [None, Some("unknown")] {
            let challenge = site.challenge(bearer).await;
            assert!(challenge.starts_with("Bearer "), "{challenge}");
            let named = challenge.contains("resource_metadata");
            assert_eq!(named, on == 1, "{challenge}");
        }
    }
    site.close().await;
}

// "Applications may register themselves": the endpoint, and its place in the metadata
#[tokio::test]
async fn enable_dynamic_client_registration() {
    let mut site = Site::start().await;
    let path = method("register_client");
    let body = json!({"client_name": "App", "redirect_uris": ["https://app.example/cb"]});
    for on in [1, 0, 1] {
        site.set_one("enable_dynamic_client_registration", on).await;
        let answer = site.other().post(&path).json(&body).send().await;
        let expected = if on == 1 { 201 } else { 404 };
        assert_eq!(answer.status, expected, "{}", answer.text());
        assert_eq!(answer.media_type(), "application/json");
        for document in [OPENID, SERVER] {
            let named = site.document(document).await.unwrap()["registration_endpoint"].clone();
            let expected = format!("{}{path}", site.app.issuer());
            assert_eq!(named == json!(expected), on == 1, "{document}: {named}");
        }
    }
    site.close().await;
}

// "Applications may name the https address of a document about themselves as their Client ID."
#[tokio::test]
async fn enable_client_id_metadata_documents() {
    let mut site = Site::start().await;
    let mut user = site.user().await;
    for on in [1, 0, 1] {
        site.set_one("enable_client_id_metadata_documents", on)
            .await;
        for document in [OPENID, SERVER] {
            let document = site.document(document).await.unwrap();
            let flag = &document["client_id_metadata_document_supported"];
            assert_eq!(flag, &json!(on == 1));
        }
        // Nothing can be fetched there, on or off.
        let asked = [
            ("client_id", "https://127.0.0.1/client.json"),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
        ];
        let answer = user.authorize(&asked).await;
        assert_eq!((answer.status, answer.location()), (400, None));
    }
    site.close().await;
}

// "Users who hold an active token of the same application with the same scopes are not asked
// again. It never applies to public clients on loopback or private schemes."
#[tokio::test]
async fn skip_authorization() {
    let mut site = Site::start().await;
    let mut user = site.user().await;
    let web = site.client().await;
    let native = ClientSpec::public("http://127.0.0.1/cb");
    let native = site.app.add_client(native).await;
    for client in [&web, &native] {
        let code = user.code(client, &[]).await;
        let redeemed = site.other().redeem(client, &code, &[]).await;
        assert_eq!(redeemed.status, 200);
    }
    for on in [0, 1, 0] {
        site.set_one("skip_authorization", on).await;
        // What was allowed before shall not speak here, only the token.
        site.app
            .execute(r#"DELETE FROM "tabOAuth Consent""#, vec![])
            .await;
        assert_eq!(asks(&ask(&mut user, &web).await), on == 0);
        assert!(asks(&ask(&mut user, &native).await));
    }
    site.close().await;
}

// "Force always asks users for their consent; Auto does not ask those who hold an active token":
// the deprecated single, which counts while the switch of OAuth Settings is off
#[tokio::test]
async fn the_deprecated_settings_count_while_the_switch_is_off() {
    let mut site = Site::start().await;
    let mut user = site.user().await;
    let client = site.client().await;
    let code = user.code(&client, &[]).await;
    let redeemed = site.other().redeem(&client, &code, &[]).await;
    assert_eq!(redeemed.status, 200);
    for (switch, choice, remembered, forgotten) in [
        (0, "Force", true, true),
        (0, "Auto", false, false),
        (1, "Force", false, false),
        (0, "Force", true, true),
    ] {
        site.set_one("skip_authorization", switch).await;
        let values = json!({"skip_authorization": choice});
        let answer = site.put("OAuth Provider Settings", &values).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = ask(&mut user, &client).await;
        assert_eq!(asks(&page), remembered, "{switch} {choice}");
        site.app
            .execute(r#"DELETE FROM "tabOAuth Consent""#, vec![])
            .await;
        assert_eq!(asks(&ask(&mut user, &client).await), forgotten);
        let page = ask_with(&mut user, &client, &[("prompt", "consent")]).await;
        user.decide(&page, "allow").await;
    }
    let never = json!({"skip_authorization": "Never"});
    let refused = site.put("OAuth Provider Settings", &never).await;
    assert_eq!(refused.status, 417);
    site.close().await;
}

async fn ask(user: &mut Visitor, client: &TestClient) -> Response {
    ask_with(user, client, &[]).await
}

async fn ask_with(user: &mut Visitor, client: &TestClient, more: &[(&str, &str)]) -> Response {
    let all = client.authorization(more);
    let pairs: Vec<_> = all.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    user.authorize(&pairs).await
}

fn asks(answer: &Response) -> bool {
    answer.status == 200 && answer.form_action("allow").is_some()
}

// "Origins of browser applications that may call the token, revocation, introspection, userinfo and
// registration endpoints from a script, one a line. `*` allows every origin."
#[tokio::test]
async fn allowed_public_client_origins() {
    let mut site = Site::start().await;
    for (value, listed) in [
        ("", false),
        ("https://other.example\nhttps://spa.example", true),
        ("https://other.example", false),
        ("spa.example", true),
        ("*", true),
        ("", false),
    ] {
        site.set_one("allowed_public_client_origins", value).await;
        for name in [
            "get_token",
            "revoke_token",
            "introspect_token",
            "openid_profile",
            "register_client",
        ] {
            let request = site.other().post(&method(name)).header("Origin", SPA);
            let answer = request.send().await;
            let origin = answer.header("access-control-allow-origin");
            assert_eq!(origin == Some(SPA), listed, "{value:?} {name}: {origin:?}");
        }
        let page = site.other().get(&method("authorize")).header("Origin", SPA);
        let page = page.send().await;
        assert_eq!(page.header("access-control-allow-origin"), None);
    }
    let bad = json!({"allowed_public_client_origins": "https://a.example/path"});
    assert_eq!(site.put("OAuth Settings", &bad).await.status, 417);
    site.close().await;
}

// "The scopes that the metadata names, and that assistants at /mcp are told to ask for at first, one
// a line. It informs only and permits nothing." and "What applications that register themselves may
// ask for"
#[tokio::test]
async fn scopes_supported_and_registration_scopes() {
    let mut site = Site::start().await;
    let standard = [
        "openid",
        "profile",
        "email",
        "roles",
        "offline_access",
        "all",
    ];
    let registration = ["openid", "profile", "email", "offline_access"];
    let todo: Vec<_> = standard.into_iter().chain(["todo:*"]).collect();
    for (supported, allowed, server, resource) in [
        ("", registration.join(" "), &standard[..], &registration[..]),
        (
            "",
            "openid todo:*".to_owned(),
            &todo[..],
            &["openid", "todo:*"],
        ),
        (
            "openid\nemail\n\nnote:read\ntodo:read",
            "openid todo:*".to_owned(),
            &["openid", "email", "note:read", "todo:read"],
            &["openid", "todo:read"],
        ),
        ("all", "openid".to_owned(), &["all"], &[]),
    ] {
        site.set(json!({"scopes_supported": supported, "registration_scopes": allowed}))
            .await;
        for path in [OPENID, SERVER] {
            let document = site.document(path).await.unwrap();
            assert_eq!(texts(&document["scopes_supported"]), server, "{path}");
        }
        for path in [RESOURCE, &format!("{RESOURCE}/api")] {
            let document = site.document(path).await.unwrap();
            match resource {
                [] => assert!(document.get("scopes_supported").is_none(), "N empty lists"),
                named => assert_eq!(texts(&document["scopes_supported"]), named),
            }
        }
    }
    for field in ["scopes_supported", "registration_scopes"] {
        let bad = json!({ field: "openid \"quoted\"" });
        assert_eq!(site.put("OAuth Settings", &bad).await.status, 417);
    }
    site.close().await;
}

// "Scopes Supported … permits nothing."
#[tokio::test]
async fn naming_a_scope_permits_nothing() {
    let mut site = Site::start().await;
    let narrow = ClientSpec::new(CALLBACK).scopes("openid todo:read");
    let client = site.app.add_client(narrow).await;
    for supported in ["note:write all openid", "email"] {
        site.set_one("scopes_supported", supported).await;
        let mut user = site.user().await;
        for (scope, error) in [("note:write", "invalid_scope"), ("todo:read", "")] {
            let redirect = user.grant(&client, &[("scope", scope)]).await;
            assert_eq!(redirect.param("error"), error, "{supported}: {scope}");
        }
    }
    site.close().await;
}

// "What this site calls itself", "the rules for using the data", "the documentation for
// developers", "the terms of service"
#[tokio::test]
async fn the_fields_of_the_resource() {
    let mut site = Site::start().await;
    let fresh = site.document(RESOURCE).await.unwrap();
    assert_eq!(fresh["resource_name"], "Frappe Framework Application");
    assert_eq!(
        fresh["resource_documentation"],
        "https://docs.frappe.io/framework"
    );
    for (field, value) in [
        ("resource_name", "Our Site"),
        ("resource_policy_uri", "https://site.example/policy"),
        ("resource_documentation", "https://site.example/docs"),
        ("resource_tos_uri", "https://site.example/tos"),
    ] {
        site.set_one(field, value).await;
        for path in [RESOURCE, &format!("{RESOURCE}/api")] {
            let document = site.document(path).await.unwrap();
            assert_eq!(document[field], value);
        }
        let server = site.document(SERVER).await.unwrap();
        let about = server.get("service_documentation").cloned();
        if field == "resource_documentation" {
            assert_eq!(about, Some(json!(value)));
        }
        site.set_one(field, "").await;
        let document = site.document(RESOURCE).await.unwrap();
        assert_eq!(document.get(field), None, "{field} is empty");
        if field == "resource_documentation" {
            let server = site.document(SERVER).await.unwrap();
            assert_eq!(server.get("service_documentation"), None);
        }
    }
    let bad = json!({"resource_tos_uri": "javascript:alert(1)"});
    assert_eq!(site.put("OAuth Settings", &bad).await.status, 417);
    site.close().await;
}

// "Answers at /mcp"
#[tokio::test]
async fn enable_mcp() {
    let mut site = Site::start().await;
    let path = format!("{RESOURCE}/mcp");
    assert!(site.document(&path).await.is_none(), "off at first");
    for on in [1, 0, 1] {
        site.set_one("enable_mcp", on).await;
        let found = site.document(&path).await;
        assert_eq!(found.is_some(), on == 1);
        let answer = site.other().post("/mcp").json(&json!({})).send().await;
        assert_eq!(answer.status == 404, on == 0, "{}", answer.text());
    }
    site.close().await;
}

// "Seconds for which an access token works", "Seconds after its last use for which a refresh token
// works", "Seconds after the sign-in at which refreshing ends", "For so many seconds a rotated
// refresh token is answered with the same new pair again"
#[tokio::test]
async fn lifetimes() {
    let mut site = Site::start().await;
    let client = site.client().await;
    site.set(json!({
        "access_token_lifetime": 60,
        "refresh_token_lifetime": 600,
        "refresh_token_absolute_lifetime": 900,
        "refresh_grace_seconds": 0,
    }))
    .await;
    let http = site.other();
    let mut user = site.user().await;
    let code = user.code(&client, &[]).await;
    let first = http.redeem(&client, &code, &[]).await.tokens();
    assert_eq!(first.expires_in, 60);
    assert_eq!(http.logged_user(&first.access_token).await.status, 200);
    site.app.clock.advance_seconds(60);
    assert_eq!(http.logged_user(&first.access_token).await.status, 401);

    // Within ten minutes of its last use it works, and until a quarter of an hour at most.
    site.app.clock.advance_seconds(530);
    let second = http.refresh(&client, &first.refresh_token).await.tokens();
    site.app.clock.advance_seconds(311);
    let late = http.refresh(&client, &second.refresh_token).await;
    assert_eq!(late.error(), "invalid_grant", "{}", late.text());

    // No grace: the same refresh a second time ends the family.
    let code = user.code(&client, &[]).await;
    let first = http.redeem(&client, &code, &[]).await.tokens();
    let second = http.refresh(&client, &first.refresh_token).await.tokens();
    let again = http.refresh(&client, &first.refresh_token).await;
    assert_eq!(again.error(), "invalid_grant");
    assert_eq!(http.logged_user(&second.access_token).await.status, 401);

    site.set_one("refresh_grace_seconds", 10).await;
    let code = user.code(&client, &[]).await;
    let first = http.redeem(&client, &code, &[]).await.tokens();
    let second = http.refresh(&client, &first.refresh_token).await.tokens();
    let again = http.refresh(&client, &first.refresh_token).await.tokens();
    assert_eq!(again.refresh_token, second.refresh_token);
    site.close().await;
}

// Only a System Manager changes them, and not by a cookie alone once a page was open.
#[tokio::test]
async fn nobody_else_changes_them() {
    let site = Site::start().await;
    let mut user = site.user().await;
    let path = "/api/resource/OAuth%20Settings/OAuth%20Settings";
    let values = json!({"show_auth_server_metadata": 0});
    let request = site.other().request("PUT", path).json(&values);
    assert_eq!(user.send(request).await.status, 403);
    let request = site.other().request("PUT", path).json(&values);
    assert_eq!(request.send().await.status, 401);
    assert!(site.document(SERVER).await.is_some());
    site.close().await;
}
