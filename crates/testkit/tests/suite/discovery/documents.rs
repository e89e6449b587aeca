//! The documents themselves: where they are, how they are kept, what is not there.

use crema_testkit::{App, Response};
use serde_json::json;

use super::{JWKS, OPENID, RESOURCE, SERVER};

const ALL: [&str; 4] = [OPENID, SERVER, RESOURCE, JWKS];
const SHORT: &str = "public, max-age=300";

#[track_caller]
fn assert_public(path: &str, answer: &Response) {
    assert_eq!(answer.headers_named("access-control-allow-origin"), ["*"]);
    let credentials = answer.header("access-control-allow-credentials");
    assert_eq!(credentials, None, "{path}");
    assert!(answer.cookies().is_empty(), "{path}");
}

/// Nothing is there, and a script of any origin can read that.
#[track_caller]
fn assert_nothing(path: &str, answer: &Response) {
    assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    assert_eq!(answer.media_type(), "application/json", "{path}");
    assert!(answer.json().is_object(), "{path}");
    let caching = answer.header("cache-control").unwrap();
    assert!(caching.contains("no-store"), "{path}: {caching}");
    assert_public(path, answer);
}

// spec: http.md, Metadata, the table of endpoints: GET, HEAD; RFC 9110 §13.1.2
#[tokio::test]
async fn documents_are_kept_for_a_short_time_and_asked_for_by_their_tags() {
    let app = App::builder().build().await;
    for path in ALL {
        let answer = app.http().get(path).send().await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.media_type(), "application/json");
        assert_eq!(answer.header("cache-control"), Some(SHORT), "{path}");
        assert_eq!(answer.header("pragma"), None, "{path}");
        assert_public(path, &answer);
        let tag = answer.header("etag").expect("a tag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 20);
        let again = app.http().get(path).send().await;
        assert_eq!(again.header("etag"), Some(tag.as_str()), "{path}");

        let head = app.http().request("HEAD", path).send().await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        let length = answer.body.len().to_string();
        for (name, value) in [
            ("etag", tag.as_str()),
            ("cache-control", SHORT),
            ("content-type", "application/json"),
            ("content-length", length.as_str()),
        ] {
            assert_eq!(head.header(name), Some(value), "HEAD {path}: {name}");
        }

        for known in [&tag, &format!("\"other\", W/{tag}"), "*"] {
            for method in ["GET", "HEAD"] {
                let request = app.http().request(method, path);
                let same = request.header("If-None-Match", known).send().await;
                assert_eq!(same.status, 304, "{method} {path} {known}");
                assert!(same.body.is_empty());
                assert_eq!(same.header("etag"), Some(tag.as_str()));
                assert_eq!(same.header("cache-control"), Some(SHORT));
                assert_eq!(same.header("content-type"), None);
                assert_public(path, &same);
            }
        }
        for unknown in ["\"other\"", "", tag.trim_matches('"')] {
            let request = app.http().get(path).header("If-None-Match", unknown);
            assert_eq!(request.send().await.status, 200, "{path} {unknown}");
        }
    }
    let tags: std::collections::BTreeSet<_> = {
        let mut tags = Vec::new();
        for path in [OPENID, RESOURCE, JWKS] {
            let answer = app.http().get(path).send().await;
            tags.push(answer.header("etag").unwrap().to_owned());
        }
        tags.into_iter().collect()
    };
    assert_eq!(tags.len(), 3);
    app.close().await;
}

// spec: http.md, Metadata: another document has another tag, at once
#[tokio::test]
async fn a_change_changes_the_tag() {
    let app = App::builder().build().await;
    for (path, fields) in [
        (OPENID, ("scopes_supported", "openid email")),
        (SERVER, ("enable_dynamic_client_registration", "0")),
        (RESOURCE, ("resource_name", "Ours")),
    ] {
        let before = app.http().get(path).send().await;
        let before = before.header("etag").unwrap();
        app.set_settings("OAuth Settings", &[fields]).await;
        let request = app.http().get(path).header("If-None-Match", before);
        let after = request.send().await;
        assert_eq!(after.status, 200, "{path}");
        assert_ne!(after.header("etag"), Some(before));
    }
    app.close().await;
}

// spec: http.md, Metadata, the table of endpoints; RFC 9110 §9.3.7
#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let app = App::builder().build().await;
    for path in ALL {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let answer = app.http().request(method, path).send().await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
            assert_public(path, &answer);
        }
        let options = app.http().request("OPTIONS", path).send().await;
        assert_eq!((options.status, options.body.len()), (200, 0));
        assert_eq!(options.header("allow"), Some("GET, HEAD"));
        assert_public(path, &options);
    }
    app.close().await;
}

// spec: http.md, Metadata: 404 with a path suffix; standards.md, U, "clients try both orders"
#[tokio::test]
async fn where_nothing_is_scripts_can_read_so() {
    let app = App::builder().build().await;
    for path in [
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/oauth-authorization-server/api/resource",
        "/.well-known/openid-configuration/mcp",
        "/.well-known/openid-configuration/foo/bar",
        "/.well-known/openid-configurationXYZ",
        "/.well-known/oauth-authorization-serverXYZ",
        "/.well-known/oauth-protected-resourceXYZ",
        "/.well-known/jwks.json/more",
        "/.well-known/nothing",
        "/.well-known/",
        "/mcp/.well-known/openid-configuration",
        "/mcp/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource//mcp",
        "/.well-known/oauth-protected-resource/../mcp",
        "/.well-known/oauth-protected-resource/%2e%2e/mcp",
        "/.well-known/oauth-protected-resource/a/./b",
        "/.well-known/oauth-protected-resource/a\\b",
        "/.well-known/oauth-protected-resource/\"a\"",
    ] {
        for accept in ["*/*", "application/json"] {
            let request = app.http().get(path).header("Accept", accept);
            let answer = request.header("MCP-Protocol-Version", "2025-11-25");
            assert_nothing(path, &answer.send().await);
        }
    }
    let long = format!("{RESOURCE}/{}", "a".repeat(2048));
    assert_nothing("a long path", &app.http().get(&long).send().await);
    // With a slash at its end a path means the same, as everywhere.
    for path in [OPENID, SERVER, JWKS] {
        let answer = app.http().get(&format!("{path}/")).send().await;
        assert_eq!(answer.status, 200, "{path}/");
    }
    app.close().await;
}

// spec: RFC 9728 §3.1 and §3.3; http.md, Metadata, "with a path suffix, `resource` includes it"
#[tokio::test]
async fn a_resource_is_named_as_the_client_named_it() {
    let app = App::builder().build().await;
    app.set_settings("OAuth Settings", &[("enable_mcp", "1")])
        .await;
    let issuer = app.issuer();
    for path in [
        "",
        "/mcp",
        "/mcp/",
        "/api",
        "/api/resource/To%20Do",
        "/api/resource/%54o%c3%a4",
        "/a%2Fb;c=d",
        "/api/v2/method/frappe.ping",
    ] {
        let answer = app.http().get(&format!("{RESOURCE}{path}")).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let document = answer.json();
        assert_eq!(document["resource"], format!("{issuer}{path}"));
        assert_eq!(document["authorization_servers"], json!([issuer]));
        assert_eq!(document["bearer_methods_supported"], json!(["header"]));
        assert_eq!(answer.header("cache-control"), Some(SHORT), "{path}");
        let tag = answer.header("etag").unwrap();
        let request = app.http().get(&format!("{RESOURCE}{path}"));
        let same = request.header("If-None-Match", tag).send().await;
        assert_eq!(same.status, 304, "{path}");
    }
    // Clients remove the slash of a bare host; who does not means the same.
    let bare = app.http().get(&format!("{RESOURCE}/")).send().await;
    assert_eq!(bare.json()["resource"], issuer);
    app.close().await;
}

// spec: http.md, Metadata, "must not come from an unchecked header": the issuer is the site's
#[tokio::test]
async fn documents_follow_the_host_that_was_asked_and_no_other() {
    let app = App::builder()
        .config("domains", json!(["id.example.com"]))
        .build()
        .await;
    let named = app.http_of("id.example.com");
    for (http, path) in [
        (&app.http(), OPENID),
        (&named, OPENID),
        (&app.http(), SERVER),
    ] {
        let request = http.get(path).header("X-Forwarded-Host", "evil.example");
        let document = request.send().await.json();
        assert_eq!(document["issuer"], http.origin(), "{path}");
        let jwks = document["jwks_uri"].as_str().unwrap();
        assert!(jwks.starts_with(&http.origin()));
    }
    app.set_config("host_name", "https://id.example.com");
    for http in [app.http(), named] {
        let document = http.get(SERVER).send().await.json();
        assert_eq!(document["issuer"], "https://id.example.com");
        let document = http.get(&format!("{RESOURCE}/api")).send().await.json();
        assert_eq!(document["resource"], "https://id.example.com/api");
    }
    app.close().await;
}

/// The addresses at which clients of each revision of MCP look, in their order, until one answers.
struct Order {
    revision: &'static str,
    /// For the metadata of the resource `/mcp`, and of the server that it names.
    resource: &'static [&'static str],
    server: &'static [&'static str],
}

const ORDERS: [Order; 3] = [
    Order {
        revision: "2025-03-26",
        // The server is at the origin of the resource; with a path in the way of some clients.
        resource: &[],
        server: &[
            "/.well-known/oauth-authorization-server/mcp",
            "/.well-known/oauth-authorization-server",
        ],
    },
    Order {
        revision: "2025-06-18",
        resource: &[
            "/.well-known/oauth-protected-resource/mcp",
            "/.well-known/oauth-protected-resource",
        ],
        server: &["/.well-known/oauth-authorization-server"],
    },
    Order {
        revision: "2025-11-25",
        resource: &[
            "/.well-known/oauth-protected-resource/mcp",
            "/.well-known/oauth-protected-resource",
        ],
        server: &[
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
        ],
    },
];

// spec: standards.md, U: path, then root; RFC 8414 or OpenID Connect Discovery, either order
#[tokio::test]
async fn clients_of_every_revision_find_resource_and_server() {
    let app = App::builder().build().await;
    let issuer = app.issuer();
    for mcp in ["1", "0"] {
        app.set_settings("OAuth Settings", &[("enable_mcp", mcp)])
            .await;
        for order in &ORDERS {
            let resource = first(&app, order.revision, order.resource).await;
            if let Some(document) = resource {
                // A client goes on only with a resource that its address lies under.
                let named = document["resource"].as_str().unwrap();
                let expected = if mcp == "1" { "/mcp" } else { "" };
                assert_eq!(named, format!("{issuer}{expected}"));
                assert_eq!(document["authorization_servers"], json!([issuer]));
            }
            let mut ways = vec![order.server.to_vec()];
            ways.push(order.server.iter().rev().copied().collect());
            for way in ways {
                let server = first(&app, order.revision, &way).await;
                let server = server.expect("no server was found");
                assert_eq!(server["issuer"], issuer);
                let methods = &server["code_challenge_methods_supported"];
                assert_eq!(methods, &json!(["S256"]), "clients stop without");
            }
        }
    }
    app.close().await;
}

/// The first of the documents that is there; what is not there is a readable 404.
async fn first(app: &App, revision: &str, paths: &[&str]) -> Option<serde_json::Value> {
    for path in paths {
        let request = app.http().get(path).header("Origin", "https://app.example");
        let answer = request
            .header("MCP-Protocol-Version", revision)
            .send()
            .await;
        if answer.status == 200 {
            assert_public(path, &answer);
            return Some(answer.json());
        }
        assert_nothing(path, &answer);
    }
    None
}
