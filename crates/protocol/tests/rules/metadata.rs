use std::collections::BTreeSet;

use crema_protocol::client_rules::{GrantType, IdTokenAlgorithm};
use crema_protocol::endpoints;
use crema_protocol::metadata::{
    Metadata, ProtectedResource, foreign_issuer, resource_identifier, resource_scopes,
};
use crema_protocol::resource::{admits, canonical, check};
use proptest::prelude::*;
use serde_json::{Value, json};

fn names(document: &Value) -> BTreeSet<&str> {
    document
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// The members that are always there. Only when there is something to say:
/// `registration_endpoint`, `service_documentation`, `ui_locales_supported`.
const ALWAYS: [&str; 24] = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "jwks_uri",
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "token_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_methods_supported",
    "code_challenge_methods_supported",
    "scopes_supported",
    "claims_supported",
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "authorization_response_iss_parameter_supported",
    "client_id_metadata_document_supported",
    "prompt_values_supported",
];

// spec: http.md, Metadata, "list exactly what works"
#[test]
fn a_site_with_nothing_optional_on() {
    let document = Metadata::new("https://site.example").openid_configuration();
    assert_eq!(names(&document), ALWAYS.into_iter().collect());
    assert_eq!(document["issuer"], "https://site.example");
    assert_eq!(
        document["token_endpoint"],
        "https://site.example/api/method/frappe.integrations.oauth2.get_token"
    );
    assert_eq!(
        document["jwks_uri"],
        "https://site.example/.well-known/jwks.json"
    );
    assert_eq!(document["response_types_supported"], json!(["code"]));
    assert_eq!(
        document["grant_types_supported"],
        json!(["authorization_code", "refresh_token"])
    );
    assert_eq!(
        document["code_challenge_methods_supported"],
        json!(["S256"])
    );
    assert_eq!(
        document["response_modes_supported"],
        json!(["query", "fragment", "form_post"])
    );
    assert_eq!(document["request_uri_parameter_supported"], false);
    assert_eq!(
        document["authorization_response_iss_parameter_supported"],
        true
    );
    let algorithms = document["id_token_signing_alg_values_supported"]
        .as_array()
        .unwrap();
    assert!(
        algorithms.contains(&json!("RS256")),
        "OpenID Connect Discovery §3"
    );
    let scopes = document["scopes_supported"].as_array().unwrap();
    assert!(scopes.contains(&json!("openid")));
}

// spec: http.md, Metadata, "One source of truth renders both documents"; standards.md, V, 1 and 2
#[test]
fn both_documents_say_the_same() {
    let metadata = Metadata::new("https://site.example");
    assert_eq!(
        metadata.openid_configuration(),
        metadata.authorization_server()
    );
}

// spec: http.md, Metadata, "`registration_endpoint` (when on)"
#[test]
fn what_is_on_is_listed() {
    let metadata = Metadata {
        scopes: vec!["openid".to_owned(), "crm_task:read".to_owned()],
        registration: true,
        client_id_metadata_document: true,
        optional_grants: vec![
            GrantType::Implicit,
            GrantType::Password,
            GrantType::ClientCredentials,
        ],
        id_token_algorithms: vec![IdTokenAlgorithm::ES256],
        service_documentation: Some("https://docs.example/".to_owned()),
        ui_locales: vec!["en".to_owned(), "de".to_owned()],
        ..Metadata::new("https://site.example")
    };
    let document = metadata.authorization_server();
    let mut expected: BTreeSet<&str> = ALWAYS.into_iter().collect();
    expected.extend([
        "registration_endpoint",
        "service_documentation",
        "ui_locales_supported",
    ]);
    assert_eq!(names(&document), expected);
    assert_eq!(
        document["response_types_supported"]
            .as_array()
            .unwrap()
            .len(),
        7
    );
    assert_eq!(
        document["grant_types_supported"].as_array().unwrap().len(),
        5
    );
    assert_eq!(
        document["scopes_supported"],
        json!(["openid", "crm_task:read"])
    );
    assert_eq!(document["ui_locales_supported"], json!(["en", "de"]));
}

// spec: RFC 8414 §3.2, "N empty arrays"; frappe/behaviour.md, 5, 34
#[test]
fn nothing_empty_is_listed() {
    let metadata = Metadata {
        scopes: vec![String::new()],
        ui_locales: vec![String::new()],
        service_documentation: Some(String::new()),
        ..Metadata::new("https://s")
    };
    let document = metadata.openid_configuration();
    assert_eq!(document, Metadata::new("https://s").openid_configuration());
    let document = ProtectedResource {
        resource: "https://s".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        document.document(),
        json!({"resource": "https://s", "bearer_methods_supported": ["header"]})
    );
}

// spec: http.md, Metadata, "oauth-protected-resource"; RFC 9728 §2
#[test]
fn the_protected_resource() {
    let resource = ProtectedResource {
        resource: "https://site.example/mcp".to_owned(),
        authorization_servers: vec!["https://site.example".to_owned()],
        scopes: vec!["openid".to_owned()],
        name: Some("Site".to_owned()),
        documentation: Some("https://site.example/docs".to_owned()),
        policy_uri: Some("https://site.example/policy".to_owned()),
        tos_uri: Some("https://site.example/tos".to_owned()),
    };
    let expected = json!({
        "authorization_servers": ["https://site.example"],
        "bearer_methods_supported": ["header"],
        "resource": "https://site.example/mcp",
        "resource_documentation": "https://site.example/docs",
        "resource_name": "Site",
        "resource_policy_uri": "https://site.example/policy",
        "resource_tos_uri": "https://site.example/tos",
        "scopes_supported": ["openid"],
    });
    assert_eq!(resource.document(), expected);
}

// spec: http.md, Metadata, `scopes_supported`; RFC 8414 §2
#[test]
fn scopes_are_what_is_supported_or_the_standard_ones_and_those_of_registration() {
    let mut metadata = Metadata::new("https://s");
    metadata.registration_scopes = ["openid", "todo:read"].map(str::to_owned).to_vec();
    let listed = |metadata: &Metadata| metadata.authorization_server()["scopes_supported"].clone();
    assert_eq!(
        listed(&metadata),
        json!([
            "openid",
            "profile",
            "email",
            "roles",
            "offline_access",
            "all",
            "todo:read"
        ])
    );
    metadata.scopes = ["openid", "todo:*", "openid"].map(str::to_owned).to_vec();
    assert_eq!(listed(&metadata), json!(["openid", "todo:*"]));
}

// spec: http.md, register_client, "resource metadata and challenges name only those"
#[test]
fn a_resource_names_only_what_registered_clients_may_ask_for() {
    let texts = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    let registration = texts("openid offline_access todo:*");
    assert_eq!(resource_scopes(&[], &registration), registration);
    for (supported, named) in [
        ("openid all", "openid"),
        ("todo:read todo:* note:read", "todo:read todo:*"),
        ("method:frappe.ping openid", "openid"),
    ] {
        assert_eq!(
            resource_scopes(&texts(supported), &registration),
            texts(named)
        );
    }
    assert!(resource_scopes(&texts("all"), &registration).is_empty());
    let everything = texts("all openid");
    let named = resource_scopes(&texts("todo:read profile all"), &everything);
    assert_eq!(named, texts("todo:read all"));
}

// spec: RFC 9728 §3.1, §3.3: `resource` is what the client used
#[test]
fn a_path_is_kept_as_it_is_or_refused() {
    let issuer = "https://site.example";
    for path in ["", "/"] {
        assert_eq!(resource_identifier(issuer, path).as_deref(), Some(issuer));
    }
    for path in [
        "/mcp",
        "/mcp/",
        "/api/resource/To%20Do",
        "/api/resource/%41%c3%a4",
        "/a;b=c/~d/e.f/@:$&'()*+,=-_!",
        "/a%2Fb",
        "/.well-known/oauth-protected-resource",
    ] {
        let expected = format!("{issuer}{path}");
        assert_eq!(resource_identifier(issuer, path), Some(expected), "{path}");
    }
    for path in [
        "//evil.example",
        "/a//b",
        "/mcp//",
        "/../mcp",
        "/a/./b",
        "/a/..",
        "/%2e%2e/mcp",
        "/a/%2E/b",
        "/a\\b",
        "/a b",
        "/ä",
        "/a\"b",
        "/<b>",
        "/a?b",
        "/a#b",
        "@evil.example",
        ":8443",
        "mcp",
    ] {
        assert_eq!(resource_identifier(issuer, path), None, "{path}");
    }
    let long = format!("/{}", "a".repeat(2048));
    assert_eq!(resource_identifier(issuer, &long), None);
}

proptest! {
    // spec: RFC 9728 §3.3; RFC 8707 §2: what the metadata names can be asked for, and a token for
    // it opens what it is about
    #[test]
    fn a_named_resource_can_be_asked_for_and_opens_its_path(
        path in "(/[a-zA-Z0-9.%;:@\\\\_~ é\"?#-]{0,6}){0,4}/?"
    ) {
        for issuer in ["https://site.example", "http://site.localhost:8000"] {
            let Some(identifier) = resource_identifier(issuer, &path) else {
                continue;
            };
            prop_assert!(identifier.starts_with(issuer));
            prop_assert_eq!(canonical(&identifier), Some(identifier.clone()));
            prop_assert!(check(issuer, std::slice::from_ref(&identifier)).is_ok());
            prop_assert!(admits(&identifier, issuer, &path), "{}", identifier);
            let elsewhere = "https://other.example";
            prop_assert!(check(elsewhere, std::slice::from_ref(&identifier)).is_err());
        }
    }
}

// spec: http.md, Metadata, "Base URLs of enabled Social Login Keys"; RFC 8414 §2
#[test]
fn a_base_url_becomes_an_issuer_or_nothing() {
    let own = "https://site.example";
    for (address, issuer) in [
        (
            "https://accounts.example.com",
            "https://accounts.example.com",
        ),
        (
            " https://Accounts.Example.com:443/ ",
            "https://accounts.example.com",
        ),
        ("https://k.example/realms/a", "https://k.example/realms/a"),
        ("https://k.example/a/", "https://k.example/a/"),
    ] {
        assert_eq!(foreign_issuer(own, address).as_deref(), Some(issuer));
    }
    for address in [
        "",
        "accounts.example.com",
        "http://k.example",
        "ftp://k.example",
        "https://k.example/?tenant=a",
        "https://k.example/#a",
        "https://user:word@k.example",
        "javascript:alert(1)",
    ] {
        assert_eq!(foreign_issuer(own, address), None, "{address}");
    }
    let development = foreign_issuer("http://s.localhost:8000", "http://k.localhost:8080/");
    assert_eq!(development.as_deref(), Some("http://k.localhost:8080"));
}

// spec: http.md, Authorization server, the table of endpoints
#[test]
fn endpoints_have_frappes_paths() {
    let path = |name: &str| format!("/api/method/frappe.integrations.oauth2.{name}");
    let table = [
        (endpoints::AUTHORIZE, path("authorize"), "GET, POST"),
        (endpoints::APPROVE, path("approve"), "POST"),
        (endpoints::TOKEN, path("get_token"), "POST"),
        (endpoints::REVOKE, path("revoke_token"), "POST"),
        (endpoints::INTROSPECT, path("introspect_token"), "POST"),
        (endpoints::USERINFO, path("openid_profile"), "GET, POST"),
        (
            endpoints::REGISTER,
            path("register_client"),
            "POST, GET, PUT, DELETE",
        ),
        (
            endpoints::OPENID_CONFIGURATION_METHOD,
            path("openid_configuration"),
            "GET",
        ),
        (
            endpoints::OPENID_CONFIGURATION,
            "/.well-known/openid-configuration".into(),
            "GET, HEAD",
        ),
        (
            endpoints::AUTHORIZATION_SERVER,
            "/.well-known/oauth-authorization-server".into(),
            "GET, HEAD",
        ),
        (
            endpoints::PROTECTED_RESOURCE,
            "/.well-known/oauth-protected-resource".into(),
            "GET, HEAD",
        ),
        (
            endpoints::JWKS,
            "/.well-known/jwks.json".into(),
            "GET, HEAD",
        ),
        (endpoints::MCP, "/mcp".into(), "POST"),
    ];
    assert_eq!(table.len(), endpoints::ALL.len());
    for (index, (endpoint, path, allow)) in table.into_iter().enumerate() {
        assert_eq!(endpoints::ALL[index], endpoint);
        assert_eq!(endpoint.path, path);
        assert_eq!(endpoint.allow(), allow);
    }
    let name = endpoints::TOKEN.method_name();
    assert_eq!(name, Some("frappe.integrations.oauth2.get_token"));
    assert_eq!(
        endpoints::JWKS.url("https://a/"),
        "https://a/.well-known/jwks.json"
    );
}
