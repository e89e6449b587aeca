//! What a refusal says: where the metadata is, what is wrong, which scope would do.
// spec: http.md, Resource server, the table of statuses; RFC 6750 §3; RFC 9728 §5.1

use super::*;

async fn allow(app: &App, scopes: &str) {
    app.set_settings("OAuth Settings", &[("registration_scopes", scopes)])
        .await;
}

fn metadata(app: &App) -> String {
    format!("{}/.well-known/oauth-protected-resource", app.issuer())
}

#[tokio::test]
async fn a_stranger_learns_which_scope_a_request_takes() {
    let app = site().await;
    allow(
        &app,
        "openid todo:* user:read method:frappe.core.doctype.user.user.generate_keys",
    )
    .await;
    let http = app.http();
    let body = json!({"doctype": "ToDo", "description": "x"});
    let keys = "/api/method/frappe.core.doctype.user.user.generate_keys";
    for (method, path, body, expected) in [
        ("GET", TODOS, None, Some("todo:read")),
        ("GET", "/api/v1/resource/ToDo/", None, Some("todo:read")),
        ("GET", "/api/resource/ToDo/x", None, Some("todo:read")),
        ("HEAD", TODOS, None, Some("todo:read")),
        ("POST", TODOS, Some(body.clone()), Some("todo:create")),
        (
            "PUT",
            "/api/resource/ToDo/x",
            Some(body.clone()),
            Some("todo:write"),
        ),
        (
            "PATCH",
            "/api/v2/document/ToDo/x",
            Some(body.clone()),
            Some("todo:write"),
        ),
        (
            "DELETE",
            "/api/v2/document/ToDo/x",
            None,
            Some("todo:delete"),
        ),
        ("GET", "/api/v2/doctype/ToDo/meta", None, Some("todo:read")),
        ("GET", "/api/v2/doctype/ToDo/count", None, Some("todo:read")),
        (
            "GET",
            "/api/method/frappe.client.get_list?doctype=ToDo",
            None,
            Some("todo:read"),
        ),
        (
            "GET",
            "/?cmd=frappe.client.get_count&doctype=ToDo",
            None,
            Some("todo:read"),
        ),
        (
            "POST",
            "/api/method/frappe.client.insert",
            Some(json!({"doc": body})),
            Some("todo:create"),
        ),
        (
            "POST",
            "/api/v2/method/frappe.client.insert",
            Some(json!({"doc": body.to_string()})),
            Some("todo:create"),
        ),
        (
            "POST",
            "/api/method/frappe.client.insert_many",
            Some(json!({"docs": [body, {"doctype": "Note"}, body, {"doctype": "Nothing"}]})),
            Some("todo:create"),
        ),
        (
            "POST",
            "/api/method/frappe.client.set_value",
            Some(json!({"doctype": "ToDo", "name": "x", "fieldname": "status", "value": "Open"})),
            Some("todo:write"),
        ),
        (
            "POST",
            "/api/method/frappe.client.delete",
            Some(json!({"doctype": "ToDo", "name": "x"})),
            Some("todo:delete"),
        ),
        ("GET", "/api/resource/User", None, Some("user:read")),
        (
            "POST",
            keys,
            Some(json!({"user": USER})),
            Some("method:frappe.core.doctype.user.user.generate_keys"),
        ),
        // What self-registered clients may not ask for is not named.
        ("POST", "/api/resource/User", Some(json!({})), None),
        ("GET", "/api/resource/OAuth%20Client", None, None),
        ("GET", WHO, None, None),
    ] {
        let mut request = http
            .request(method, path)
            .header("Accept", "application/json");
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await;
        assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text());
        let challenge = challenge(&answer);
        let mut wanted = format!("Bearer resource_metadata=\"{}\"", metadata(&app));
        if let Some(scope) = expected {
            wanted.push_str(&format!(", scope=\"{scope}\""));
        }
        assert_eq!(challenge, wanted, "{method} {path}");
    }
    // Nothing is named by default but what an administrator has listed.
    allow(&app, "openid\nprofile\nemail\noffline_access").await;
    let answer = http.get(TODOS).send().await;
    assert_eq!(
        challenge(&answer),
        format!("Bearer resource_metadata=\"{}\"", metadata(&app))
    );
    allow(&app, "all").await;
    assert_eq!(scope(&http.get(TODOS).send().await), Some("todo:read"));
    assert_eq!(
        scope(&http.get("/api/resource/Note").send().await),
        Some("note:read")
    );
    app.close().await;
}

#[tokio::test]
async fn bad_credentials_are_told_apart_from_none() {
    let app = site().await;
    allow(&app, "todo:read").await;
    let http = app.http();
    let plain = format!(
        "Bearer resource_metadata=\"{}\", scope=\"todo:read\"",
        metadata(&app)
    );
    let dead = format!(
        "Bearer resource_metadata=\"{}\", error=\"invalid_token\", error_description=\"The access \
         token is expired, revoked or unknown.\", scope=\"todo:read\"",
        metadata(&app)
    );
    for (header, expected) in [
        ("Bearer unknown", &dead),
        ("bearer x", &dead),
        ("token a:b", &plain),
        ("Basic YTpi", &plain),
        ("Basic %%%", &plain),
        ("Digest x", &plain),
        ("", &plain),
    ] {
        let answer = http.get(TODOS).header("Authorization", header).send().await;
        assert_eq!(answer.status, 401, "{header}");
        assert_eq!(challenge(&answer), expected, "{header}");
    }
    app.close().await;
}

// spec: standards.md, U, "403 `insufficient_scope` + scope → step-up flow"
#[tokio::test]
async fn a_token_that_is_too_narrow_is_told_what_it_lacks() {
    let app = site().await;
    allow(&app, "openid todo:read todo:write").await;
    let known = app
        .add_client(ClientSpec::new(CALLBACK).scopes("openid"))
        .await;
    let stranger = ClientSpec::public(CALLBACK)
        .scopes("openid")
        .dynamically_registered();
    let stranger = app.add_client(stranger).await;
    for (client, path, expected) in [
        (&known, TODOS, Some("todo:read")),
        (&known, "/api/resource/Note", Some("note:read")),
        (&stranger, TODOS, Some("todo:read")),
        // Nobody would grant it.
        (&stranger, "/api/resource/Note", None),
    ] {
        let token = tokens(&app, client, &[("scope", "openid")])
            .await
            .access_token;
        let answer = get(&app, path, &token).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(answer.member("exc_type"), "PermissionError");
        let scope = expected
            .map(|scope| format!(" scope=\"{scope}\","))
            .unwrap_or_default();
        let wanted = format!(
            "Bearer resource_metadata=\"{}\", error=\"insufficient_scope\",{scope} \
             error_description=\"The scope of the access token is too small.\"",
            metadata(&app)
        );
        assert_eq!(challenge(&answer), wanted, "{path}");
    }
    // Userinfo lacks one scope only.
    let token = tokens(&app, &stranger, &[("scope", "todo:read")])
        .await
        .access_token;
    let answer = app.http().userinfo(&token).await;
    assert_eq!((answer.status, scope(&answer)), (403, Some("openid")));
    app.close().await;
}

// A session has no scope, and of an API key no other can be asked for.
#[tokio::test]
async fn sessions_and_keys_get_no_challenge_with_403() {
    let app = site().await;
    app.add_user("plain@example.com", PASSWORD, &[]).await;
    let mut visitor = app.signed_in("plain@example.com", PASSWORD).await;
    let request = app.http().get("/api/resource/OAuth%20Client");
    let answer = visitor.send(request).await;
    assert_eq!(
        (answer.status, answer.header("WWW-Authenticate")),
        (403, None)
    );

    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let new = json!({"title": "Export", "user": USER, "scopes": "todo:read"});
    let post = app.http().post("/api/resource/API%20Key").json(&new);
    let made = visitor.send(post).await.json()["data"].take();
    let header = format!(
        "token {}:{}",
        made["api_key"].as_str().unwrap(),
        made["api_secret"].as_str().unwrap()
    );
    for (path, status) in [(TODOS, 200), ("/api/resource/Note", 403)] {
        let answer = app
            .http()
            .get(path)
            .header("Authorization", &header)
            .send()
            .await;
        assert_eq!(
            (answer.status, answer.header("WWW-Authenticate")),
            (status, None),
            "{path}"
        );
    }
    app.close().await;
}

// spec: http.md, Metadata, "if OAuth Settings show it"
#[tokio::test]
async fn what_is_hidden_is_not_pointed_at() {
    let app = site().await;
    let other = app.second_server().await;
    let stranger = async || {
        let (here, there) = (app.http().get(TODOS), other.http().get(TODOS));
        let (here, there) = (here.send().await, there.send().await);
        let host = app.site();
        let pointed = |answer: &Response| challenge(answer).contains("resource_metadata=");
        assert_eq!(pointed(&here), pointed(&there), "at once in every process");
        if !pointed(&here) {
            assert_eq!(challenge(&here), format!("Bearer realm=\"{host}\""));
        }
        pointed(&here)
    };
    for (value, pointed) in [("1", true), ("0", false), ("1", true), ("0", false)] {
        let show = [("show_protected_resource_metadata", value)];
        app.set_settings("OAuth Settings", &show).await;
        assert_eq!(stranger().await, pointed, "{value}");
    }
    other.stop().await;
    app.close().await;
}

// spec: standards.md, U, "M 401 challenge with resource_metadata", "S start with least scope";
// RFC 9728 §3.1
#[tokio::test]
async fn mcp_has_metadata_of_its_own_and_asks_for_little_at_first() {
    let app = site().await;
    let http = app.http();
    let own = format!("{}/mcp", metadata(&app));
    for (listed, first) in [
        (
            "openid\nprofile\nemail\noffline_access",
            Some("openid offline_access"),
        ),
        (
            "openid todo:* note:read note:write method:ping",
            Some("openid offline_access todo:read note:read"),
        ),
        ("todo:write", None),
        ("all", None),
    ] {
        allow(&app, listed).await;
        for path in ["/mcp", "/mcp/"] {
            let answer = http.post(path).json(&json!({})).send().await;
            assert_eq!(answer.status, 401, "{}", answer.text());
            let scope = first
                .map(|scope| format!(", scope=\"{scope}\""))
                .unwrap_or_default();
            let wanted = format!("Bearer resource_metadata=\"{own}\"{scope}");
            assert_eq!(challenge(&answer), wanted, "{listed}");
        }
    }
    // Many clients cannot ask for more later: Scopes Supported says what to begin with.
    allow(&app, "openid todo:*").await;
    app.set_settings(
        "OAuth Settings",
        &[("scopes_supported", "todo:write note:read")],
    )
    .await;
    let answer = http.post("/mcp").json(&json!({})).send().await;
    let all = "openid offline_access todo:read todo:write";
    assert_eq!(scope(&answer), Some(all));

    let shown = http
        .get(own.strip_prefix(&app.issuer()).unwrap())
        .send()
        .await
        .json();
    assert_eq!(shown["resource"], json!(format!("{}/mcp", app.issuer())));
    let answer = mcp(&app, "unknown", "tools/list", json!({})).await;
    assert_eq!(
        parameter(challenge(&answer), "error"),
        Some("invalid_token")
    );
    app.close().await;
}

// What somebody named a DocType does not become a parameter of a challenge.
#[tokio::test]
async fn nothing_that_was_sent_ends_up_in_a_challenge() {
    let app = site().await;
    allow(&app, "all").await;
    for path in [
        "/api/resource/a%22,%20error=%22x",
        "/api/resource/T%C3%B6Do",
        "/api/resource/todo%0D%0AX-Evil:%201",
        "/api/resource/a%5Cb",
        "/api/method/frappe.client.get_list?doctype=a%22b",
        "/api/method/x%22y",
    ] {
        let answer = get(&app, path, "unknown").await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
        assert_eq!(scope(&answer), None, "{path}");
        assert!(
            challenge(&answer).ends_with("unknown.\""),
            "{}",
            challenge(&answer)
        );
        assert_eq!(answer.header("X-Evil"), None);
    }
    app.close().await;
}

// A page is shown as a page; the header goes with it.
#[tokio::test]
async fn pages_stay_pages() {
    let app = site().await;
    allow(&app, "todo:read").await;
    let answer = app
        .http()
        .get(TODOS)
        .header("Accept", "text/html")
        .send()
        .await;
    assert_eq!((answer.status, answer.media_type()), (401, "text/html"));
    assert_eq!(scope(&answer), Some("todo:read"));
    for path in ["/login", "/me", "/"] {
        let answer = app
            .http()
            .get(path)
            .header("Authorization", "Bearer x")
            .send()
            .await;
        assert_eq!(answer.header("WWW-Authenticate"), None, "{path}");
    }
    app.close().await;
}
