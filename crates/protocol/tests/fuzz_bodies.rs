//! The bodies of the fuzz targets, run over a bounded number of inputs near real requests.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

#[path = "../../../fuzz/bodies.rs"]
mod bodies;

use proptest::prelude::*;

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
];
const TOKEN: &[&str] = &[FORM[0], FORM[1], FORM[2], FORM[3], JSON[0], JSON[1]];
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
];
const SCOPE: &[&str] = &[
    "all openid\nall openid",
    "openid email nope\nall openid",
    "crm_task:read\ncrm_task:*",
];
const CLAIMS: &[&str] = &[
    r#"{"userinfo":{"email":null},"id_token":{"auth_time":{"essential":true},"acr":{"values":["1"]}}}"#,
    r#"{"id_token":{"sub":{"value":"0927a518eb5719efcfc26c93e1d65074aef0eab"}}}"#,
];
const VERIFIER: &[&str] = &[
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\ndBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "BTGfb8qFA7xlJuPGbnwF__R8BUynn_9o0fChMTG8b5X2lS9AXBvCr3TaXWTBUFj4\n\
     BTGfb8qFA7xlJuPGbnwF__R8BUynn_9o0fChMTG8b5X2lS9AXBvCr3TaXWTBUFj4",
    "abc\nabc",
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
/// Pieces that parsers trip over.
const PIECES: &[&[u8]] = &[
    b"%",
    b"%00",
    b"%ff",
    b"+",
    b"&",
    b"=",
    b"\n",
    b"#",
    b"?",
    b"\\",
    b"@",
    b":",
    b"/",
    b"\0",
    b"\"",
    b"\xc3",
    b"\xed\xa0\x80",
    b"[[[[",
    b"{\"a\":",
    b":65536",
    b"&resource=",
    b"&claims=",
    b"..",
    b" ",
    b"%E2%80%AE",
    b"99999999999999999999",
];

/// A seed with some of its bytes replaced, removed, or joined by pieces and other seeds.
fn near(seeds: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let edit = (
        any::<prop::sample::Index>(),
        0..5u8,
        any::<u8>(),
        any::<prop::sample::Index>(),
    );
    let edits = prop::collection::vec(edit, 0..6);
    (prop::sample::select(seeds), edits).prop_map(move |(seed, edits)| {
        let mut bytes = seed.as_bytes().to_vec();
        for (place, kind, byte, other) in edits {
            let at = place.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 => bytes.truncate(at),
                2 if at < bytes.len() => bytes[at] = byte,
                3 => drop(bytes.splice(at..at, other.get(PIECES).iter().copied())),
                _ => drop(bytes.splice(at..at, other.get(seeds).bytes())),
            }
        }
        bytes
    })
}

macro_rules! bounded {
    ($($body:ident: $seeds:expr;)*) => {$(
        // spec: security.md, Inputs, outputs, network, "No input gives a 500"
        #[test]
        fn $body() {
            for seed in $seeds {
                bodies::$body(seed.as_bytes());
            }
            let config = ProptestConfig { cases: 4000, ..ProptestConfig::default() };
            proptest!(config, |(input in near($seeds))| bodies::$body(&input));
        }
    )*};
}

bounded! {
    form: FORM;
    query: AUTHORIZE;
    json: JSON;
    basic: BASIC;
    redirect_uri: REDIRECT_URI;
    scope: SCOPE;
    claims: CLAIMS;
    verifier: VERIFIER;
    authorize: AUTHORIZE;
    token: TOKEN;
}
