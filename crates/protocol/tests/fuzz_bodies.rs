//! The bodies of the fuzz targets, run over a bounded number of inputs near real requests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

#[path = "../../../fuzz/bodies/protocol.rs"]
mod bodies;
#[path = "../../../fuzz/near.rs"]
#[allow(
    dead_code,
    reason = "each crate's parsers read other parts of a request"
)]
mod near;

use near::{recorded, run, seeds};

const CASES: u32 = 3000;

const FORM: &[&str] = &[
    "code=MIdxPMrlKE92Ui1qR3NLMf3TzFkGBa&grant_type=authorization_code\
     &redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcb&client_id=em6d6dl40b",
    "grant_type=refresh_token&client_id=em6d6dl40b&refresh_token=316yzQqoe2HROHHy&client_id=x",
    "grant_type=password&username=user%40example.com&password=p%20w&scope=all+openid",
    "grant_type=client_credentials&client_id=em6d6dl40b&client_secret=01dd173525&resource=https://a/",
];
const JSON: &[&str] = &[
    r#"{"grant_type": "authorization_code", "redirect_uri": "http://127.0.0.1:9999/cb", "code": "x"}"#,
    r#"{"token": ["like", "ab%"]}"#,
    r#"{"token": "x", "n": 1.5e3, "t": true, "z": null, "u": "\u00e9"}"#,
    r#"{"a":{"b":[{"c":"\u0000","c":1e400}]},"a":-0.0}"#,
];
const BASIC: &[&str] = &[
    "Basic ZW02ZDZkbDQwYjowMWRkMTczNTI1\nclient_id=em6d6dl40b",
    "Basic YSUzQWI6cyslMkI=\n",
    "Bearer QRdpUVDbjJkmNoMGNg00edyOLptu67\nclient_id=em6d6dl40b&client_secret=s",
];
const REDIRECT_URI: &[&str] = &[
    "http://127.0.0.1:9999/cb https://app.example.com/cb?x=1\nhttp://127.0.0.1:8080/cb",
    "http://localhost/cb\nhttp://localhost:3000/cb",
    "http://[::1]:1/\nhttp://[::1]:2/",
    "app.trust://oauth2redirect\napp.trust://oauth2redirect",
    "http://127.0.0.1/\nhttp://127.0.0.1:80@evil.example/",
    "http://127.0.0.1\nhttp://127.0.0.1:65535",
];
const SCOPE: &[&str] = &[
    "all openid\nall openid",
    "openid email nope\nall openid",
    "crm_task:read\ncrm_task:*",
    "openid profile\nopenid openid  all",
    "todo:read method:a.b todo:fly\nall",
    "todo:* note:read\ntodo:read todo:write todo:create todo:delete",
];
const CLAIMS: &[&str] = &[
    r#"{"userinfo":{"email":null},"id_token":{"auth_time":{"essential":true},"acr":{"values":["1"]}}}"#,
    r#"{"id_token":{"sub":{"value":"0927a518eb5719efcfc26c93e1d65074aef0eab"}}}"#,
    r#"{"userinfo":{"roles":{},"picture":{"essential":false}},"other":[1]}"#,
];
const VERIFIER: &[&str] = &[
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\ndBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "BTGfb8qFA7xlJuPGbnwF__R8BUynn_9o0fChMTG8b5X2lS9AXBvCr3TaXWTBUFj4\n\
     BTGfb8qFA7xlJuPGbnwF__R8BUynn_9o0fChMTG8b5X2lS9AXBvCr3TaXWTBUFj4",
    "abc\nabc",
];
const RESOURCE: &[&str] = &[
    "https://trust.localhost/mcp\nhttps://trust.localhost",
    "HTTPS://Trust.Localhost:443/\nhttps://trust.localhost",
    "urn:example:resource\nhttp://trust.localhost:8000",
    "http://[::1]:80/a?b\nhttp://[0::1]",
    "https://trust.localhost\nhttps://trust.localhost/mcp/x",
    "https://trust.localhost/%6dcp/\nhttps://trust.localhost/mcp/../api",
];
const AUTHORIZE: &[&str] = &[
    "client_id=em6d6dl40b&response_type=code&scope=all%20openid\
     &redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcb&state=st-123\
     &code_challenge=jmhXd3zpvZCfPOwYundEakoC3iG9XCKBe1OwokEy0x8&code_challenge_method=S256",
    "client_id=em6d6dl40b&response_type=code%20id_token&scope=all%20openid\
     &redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcb&state=st-123&nonce=n-1",
    "client_id=em6d6dl40b&response_type=token&scope=all&response_mode=form_post&prompt=none+login",
    "client_id=em6d6dl40b&response_type=code&state=a%20b%26c%3Dd%2F%C3%A9%22%3C%3E&max_age=60",
];

const CLIENT_DOCUMENT: &[&str] = &[
    r#"{"client_id": "https://app.example/oauth/client.json", "client_name": "App",
     "redirect_uris": ["http://127.0.0.1/cb", "https://app.example/cb"], "scope": "openid",
     "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
     "token_endpoint_auth_method": "none", "client_name#de": "Die App"}"#,
    r#"{"client_id": "https://app.example:8443/c?v=1", "redirect_uris": ["cursor://x/cb"]}"#,
    r#"{"client_id": "https://app.example/a/../c", "client_secret": "s", "jwks": {"keys": []}}"#,
];

const REGISTRATION: &[&str] = &[
    r#"{"client_name": "Full App", "redirect_uris": ["https://app.example/cb", "http://[::1]/cb"],
     "token_endpoint_auth_method": "client_secret_basic", "contacts": ["a@x.example"],
     "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
     "scope": "all openid", "client_uri": "https://app.example/", "software_id": "soft-1",
     "client_name#de": "Die App", "tos_uri#fr-CH": "https://app.example/tos"}"#,
    r#"{"redirect_uris": ["cursor://x/cb", "com.example:/cb", "http://127.0.0.1:9/cb"],
     "token_endpoint_auth_method": "none", "application_type": "native", "jwks": {"keys": []},
     "id_token_signed_response_alg": "ES256", "post_logout_redirect_uris": ["com.example:/bye"]}"#,
    r#"{"redirect_uris": ["https://a.example"], "software_statement": null, "client_name": ""}"#,
];

// spec: security.md, Inputs, outputs, network, "No input gives a 500"
#[test]
fn form() {
    run("form", seeds(FORM, recorded().bodies), CASES, bodies::form);
}

#[test]
fn query() {
    run(
        "query",
        seeds(AUTHORIZE, recorded().queries),
        CASES,
        bodies::query,
    );
}

#[test]
fn json() {
    run("json", seeds(JSON, recorded().bodies), CASES, bodies::json);
}

#[test]
fn basic() {
    let headers = recorded().header("Authorization");
    let lines = headers
        .iter()
        .map(|value| format!("{value}\nclient_id=em6d6dl40b"));
    let lines = lines.map(String::into_bytes).collect();
    run("basic", seeds(BASIC, lines), CASES, bodies::basic);
}

#[test]
fn redirect_uri() {
    run(
        "redirect_uri",
        seeds(REDIRECT_URI, Vec::new()),
        CASES,
        bodies::redirect_uri,
    );
}

#[test]
fn scope() {
    run("scope", seeds(SCOPE, Vec::new()), CASES, bodies::scope);
}

#[test]
fn claims() {
    run("claims", seeds(CLAIMS, Vec::new()), CASES, bodies::claims);
}

#[test]
fn verifier() {
    run(
        "verifier",
        seeds(VERIFIER, Vec::new()),
        CASES,
        bodies::verifier,
    );
}

#[test]
fn resource() {
    run(
        "resource",
        seeds(RESOURCE, Vec::new()),
        CASES,
        bodies::resource,
    );
}

#[test]
fn client_document() {
    run(
        "client_document",
        seeds(CLIENT_DOCUMENT, Vec::new()),
        CASES,
        bodies::client_document,
    );
}

#[test]
fn authorize() {
    run(
        "authorize",
        seeds(AUTHORIZE, recorded().queries),
        CASES,
        bodies::authorize,
    );
}

#[test]
fn token() {
    let own: Vec<_> = FORM.iter().chain(JSON).copied().collect();
    run(
        "token",
        seeds(&own, recorded().bodies),
        CASES,
        bodies::token,
    );
}

#[test]
fn registration() {
    run(
        "registration",
        seeds(REGISTRATION, recorded().bodies),
        CASES,
        bodies::registration,
    );
}
