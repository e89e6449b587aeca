use crema_protocol::client_rules::{AuthMethod, GrantType};
use crema_protocol::error::ErrorCode;
use crema_protocol::metadata_document::{
    DocumentAddress, LARGEST, MetadataDocument, is_address, is_media_type,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const ADDRESS: &str = "https://app.example/oauth/client.json";

fn parse(body: &[u8]) -> Result<MetadataDocument, String> {
    let address = DocumentAddress::parse(ADDRESS, false).unwrap();
    MetadataDocument::parse(&address, body, &["cursor"]).map_err(|error| {
        assert_eq!(error.code, ErrorCode::InvalidRequest);
        error.description.into_owned()
    })
}

/// The smallest document with these members beside it; `null` removes one.
fn with(members: Value) -> Result<MetadataDocument, String> {
    let mut value = json!({"client_id": ADDRESS, "redirect_uris": ["https://app.example/cb"]});
    for (name, member) in members.as_object().unwrap() {
        value[name] = member.clone();
    }
    let object = value.as_object_mut().unwrap();
    object.retain(|_, member| !member.is_null());
    parse(value.to_string().as_bytes())
}

fn refused(members: Value, part: &str) {
    let text = with(members.clone()).expect_err(&members.to_string());
    assert!(text.contains(part), "{text} of {members}");
}

// spec: draft-ietf-oauth-client-id-metadata-document §3, Client Identifier
#[test]
fn an_address_is_https_with_a_path_in_its_plain_spelling() {
    for good in [
        ADDRESS,
        "https://app.example/c",
        "https://app.example:8443/client",
        "https://app.example/a/b%20c/client.json",
        "https://app.example/client?version=2",
        "https://xn--bcher-kva.example/client",
        "https://app.example/%2E%2Ea",
        "https://93.184.215.14/client",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/client",
    ] {
        let address = DocumentAddress::parse(good, false).expect(good);
        assert_eq!(address.as_str(), good);
    }
    for bad in [
        "https://app.example",
        "https://app.example/",
        "https://app.example?x=/y",
        "http://app.example/client",
        "ftp://app.example/client",
        "https:app.example/client",
        "https:///app.example/client",
        "https:\\\\app.example\\client",
        "https://app.example/client#x",
        "https://app.example/client#",
        "https://user@app.example/client",
        "https://user:pw@app.example/client",
        "https://@app.example/client",
        "https://app.example/a/../client",
        "https://app.example/./client",
        "https://app.example/a/%2e%2e/client",
        "https://app.example/a/.%2E/client",
        "https://app.example/client/..",
        "https://APP.example/client",
        "HTTPS://app.example/client",
        "https://app.example:443/client",
        "https://app.example:/client",
        "https://app.example:99999/client",
        "https://b\u{fc}cher.example/client",
        "https://app.example/cli\u{e9}nt",
        "https://app.example/cli\nent",
        " https://app.example/client",
        "https://app.example/client ",
        "https://2130706433/client",
        "https://0x7f.1/client",
        "https://127.1/client",
        "https://app.example/<client>",
        "https://app.example/'client'",
        "https://app.exa%6dple/client",
        "https://",
        "",
    ] {
        let error = DocumentAddress::parse(bad, false).expect_err(bad);
        assert_eq!(error.code, ErrorCode::InvalidRequest);
    }
    let long = |length: usize| format!("https://app.example/{}", "a".repeat(length - 20));
    assert!(DocumentAddress::parse(&long(2000), false).is_ok());
    assert!(DocumentAddress::parse(&long(2001), false).is_err());
}

#[test]
fn http_is_for_developers() {
    let local = "http://localhost:3000/client.json";
    assert!(DocumentAddress::parse(local, false).is_err());
    let address = DocumentAddress::parse(local, true).unwrap();
    assert_eq!(address.host(), "localhost:3000");
    assert!(DocumentAddress::parse("ftp://localhost/x", true).is_err());
}

#[test]
fn ids_of_records_are_no_addresses() {
    for id in [
        "em6d6dl40b",
        "https",
        "https:",
        "urn:x",
        "",
        "h\u{fc}ttps://x",
    ] {
        assert!(!is_address(id), "{id}");
    }
    for address in [ADDRESS, "http://x", "HTTPS://x", "https://"] {
        assert!(is_address(address), "{address}");
    }
}

// spec: draft-ietf-oauth-client-id-metadata-document §4, "application/<AS-defined>+json"
#[test]
fn a_document_is_json_by_its_media_type() {
    for good in [
        "application/json",
        "application/oauth-client+json",
        "application/ld+json",
    ] {
        assert!(is_media_type(good), "{good}");
    }
    for bad in [
        "",
        "text/html",
        "text/json",
        "text/plain",
        "application/jsonx",
        "application/javascript",
        "application/octet-stream",
        "image/svg+json",
    ] {
        assert!(!is_media_type(bad), "{bad}");
    }
}

#[test]
fn the_host_is_shown_as_it_is_connected_to() {
    let host = |address: &str| {
        let address = DocumentAddress::parse(address, false).unwrap();
        address.host().to_owned()
    };
    assert_eq!(host(ADDRESS), "app.example");
    assert_eq!(host("https://app.example:8443/c"), "app.example:8443");
    assert_eq!(
        host("https://xn--bcher-kva.example/c"),
        "xn--bcher-kva.example"
    );
}

// spec: standards.md U, "fetched JSON has the very same client_id, client_name, redirect_uris"
#[test]
fn a_document_describes_a_public_client() {
    let document = with(json!({
        "client_name": "Acme",
        "client_uri": "https://app.example/",
        "redirect_uris": ["https://app.example/cb", "http://127.0.0.1/cb", "cursor://x/cb"],
        "scope": "openid",
        "unknown": {"a": [1]},
    }))
    .unwrap();
    assert_eq!(document.address.as_str(), ADDRESS);
    let metadata = document.metadata;
    assert_eq!(metadata.client_name.as_deref(), Some("Acme"));
    assert_eq!(metadata.auth_method(), AuthMethod::None);
    assert_eq!(metadata.redirect_uris.len(), 3);
    assert_eq!(metadata.scope.as_deref(), Some("openid"));
}

#[test]
fn without_a_name_it_is_called_by_its_host() {
    for name in [json!(null), json!(""), json!("  ")] {
        let document = with(json!({"client_name": name})).unwrap();
        let named = document.metadata.client_name;
        assert_eq!(named.as_deref(), Some("app.example"), "{name}");
    }
}

/// A document is written for every server at once.
#[test]
fn grants_of_other_servers_are_left_out() {
    let document = with(json!({
        "grant_types": [
            "urn:ietf:params:oauth:grant-type:device_code", "refresh_token", "authorization_code",
            "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_credentials", "password",
        ],
        "response_types": ["none", "code", "code id_token"],
    }))
    .unwrap();
    let grants: Vec<GrantType> = document.metadata.grant_types.into_iter().collect();
    assert_eq!(
        grants,
        [GrantType::AuthorizationCode, GrantType::RefreshToken]
    );
    assert_eq!(document.metadata.response_types, ["code"]);
    refused(json!({"grant_types": ["refresh_token"]}), "grant_types");
    refused(json!({"grant_types": ["password"]}), "grant_types");
    refused(json!({"grant_types": []}), "grant_types");
    refused(json!({"response_types": ["token"]}), "response_types");
    refused(json!({"response_types": [7]}), "response_types");
}

// spec: draft-ietf-oauth-client-id-metadata-document §4.1: no shared secrets
#[test]
fn a_document_holds_no_secret() {
    refused(json!({"client_secret": "s"}), "client_secret");
    refused(json!({"client_secret": ""}), "client_secret");
    refused(
        json!({"client_secret_expires_at": 0}),
        "client_secret_expires_at",
    );
    for method in [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "tls_client_auth",
        "",
        "NONE",
    ] {
        refused(
            json!({"token_endpoint_auth_method": method}),
            "token_endpoint_auth_method",
        );
    }
    refused(json!({"token_endpoint_auth_method": 1}), "has to be none");
    refused(
        json!({"token_endpoint_auth_method": "private_key_jwt"}),
        "not supported",
    );
    assert!(with(json!({"token_endpoint_auth_method": "none"})).is_ok());
    refused(
        json!({"id_token_signed_response_alg": "HS256"}),
        "id_token_signed_response_alg",
    );
}

#[test]
fn the_client_id_is_the_address_byte_for_byte() {
    for id in [
        json!(null),
        json!(7),
        json!([ADDRESS]),
        json!("https://app.example/oauth/client.json/"),
        json!("https://app.example/oauth/Client.json"),
        json!("https://app.example:443/oauth/client.json"),
        json!(format!("{ADDRESS} ")),
        json!(format!("{ADDRESS}#")),
    ] {
        refused(json!({"client_id": id}), "client_id");
    }
    // And nothing else is told about such a document.
    let other = with(json!({"client_id": "https://other.example/c", "client_secret": "hush"}));
    assert!(!other.unwrap_err().contains("secret"));
}

#[test]
fn redirect_uris_follow_the_rules_of_public_clients() {
    refused(json!({"redirect_uris": null}), "redirect_uris");
    refused(json!({"redirect_uris": []}), "redirect_uris");
    refused(
        json!({"redirect_uris": "https://app.example/cb"}),
        "redirect_uris",
    );
    for uri in [
        "http://app.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://app.example/cb#x",
        "https://*.example/cb",
        "unknown://cb",
        "/cb",
        "",
    ] {
        let uris = json!({"redirect_uris": ["https://app.example/cb", uri]});
        refused(uris, "edirect");
    }
}

#[test]
fn what_is_no_json_object_is_no_document() {
    for body in [
        &b""[..],
        b"null",
        b"[]",
        b"\"x\"",
        b"{",
        b"<html>",
        b"\xff\xfe",
        b"{\"client_id\": \"a\", \"client_id\": \"a\"}",
        b"{} x",
    ] {
        let text = parse(body).unwrap_err();
        assert!(text.contains("no JSON object"), "{text}");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(70), "]".repeat(70));
    assert!(
        parse(deep.as_bytes())
            .unwrap_err()
            .contains("no JSON object")
    );
    let large = json!({"client_id": ADDRESS, "x": "x".repeat(LARGEST)});
    let text = parse(large.to_string().as_bytes()).unwrap_err();
    assert!(text.contains("larger than 16 KiB"), "{text}");
    refused(json!({"client_name": "a\u{0}b"}), "no JSON object");
    refused(json!({"software_statement": "x.y.z"}), "software_statement");
}

/// Documents near a real one.
fn members() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just(json!("none")),
        Just(json!("code")),
        Just(json!("authorization_code")),
        Just(json!(ADDRESS)),
        Just(json!("https://app.example/cb")),
        Just(json!("http://127.0.0.1:1/cb")),
        Just(json!(null)),
        Just(json!(1)),
        Just(json!({})),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    let list = prop::collection::vec(text.clone(), 0..4).prop_map(Value::from);
    let name = prop::sample::select(vec![
        "client_id",
        "client_name",
        "redirect_uris",
        "grant_types",
        "response_types",
        "token_endpoint_auth_method",
        "client_secret",
        "scope",
        "contacts",
        "jwks",
        "logo_uri",
    ]);
    prop::collection::btree_map(name, prop_oneof![text, list], 0..5)
        .prop_map(|members| json!(members))
}

proptest! {
    /// What is taken is a public client that can be sent nowhere else than the document says.
    #[test]
    fn whatever_is_taken_is_harmless(members in members()) {
        if let Ok(document) = with(members) {
            let metadata = document.metadata;
            prop_assert_eq!(metadata.auth_method(), AuthMethod::None);
            prop_assert!(metadata.grant_types.contains(&GrantType::AuthorizationCode));
            let allowed = [GrantType::AuthorizationCode, GrantType::RefreshToken];
            prop_assert!(metadata.grant_types.iter().all(|grant| allowed.contains(grant)));
            prop_assert!(!metadata.redirect_uris.is_empty());
            prop_assert!(metadata.client_name.is_some_and(|name| !name.trim().is_empty()));
        }
    }

    #[test]
    fn no_address_has_two_spellings(tail in "[a-zA-Z0-9/.%?#:@\\\\ -]{0,24}") {
        let text = format!("https://app.example{tail}");
        if let Ok(address) = DocumentAddress::parse(&text, false) {
            let url = url::Url::parse(&text).unwrap();
            prop_assert_eq!(url.as_str(), address.as_str());
            prop_assert!(url.path().len() > 1 && url.fragment().is_none());
            prop_assert!(url.username().is_empty() && url.password().is_none());
            prop_assert!(is_address(&text));
        }
    }
}
