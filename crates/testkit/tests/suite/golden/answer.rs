//! An answer reduced to what matters and can be repeated: values that are random, or that count
//! time, are replaced by what they are.

use std::collections::BTreeMap;

use crema_crypto::SigningAlgorithm;
use crema_crypto::jws::{SigningKey, VerifyingKey, decode_verified, decode_with, peek_header};
use crema_testkit::{Cookie, Response};
use serde_json::{Map, Value, json};

use super::world::World;

/// Members whose text is for people: that they are there counts, not what they say.
const PROSE: &[&str] = &[
    "_server_messages",
    "exc",
    "exception",
    "_error_message",
    "description",
    "error_description",
];
/// Members that hold a moment in seconds.
const MOMENTS: &[&str] = &[
    "exp",
    "iat",
    "auth_time",
    "updated_at",
    "client_id_issued_at",
];
/// What Frappe's clients know to be removed at a sign-out.
const SIX: &[&str] = &[
    "full_name",
    "sid",
    "system_user",
    "user_id",
    "user_image",
    "user_lang",
];
/// Headers of CORS, by the names that cases give them.
const CORS: &[(&str, &str)] = &[
    ("origin", "access-control-allow-origin"),
    ("credentials", "access-control-allow-credentials"),
    ("methods", "access-control-allow-methods"),
    ("headers", "access-control-allow-headers"),
    ("max_age", "access-control-max-age"),
    ("exposed", "access-control-expose-headers"),
];
/// Elements of pages that people's scripts look for.
const IDS: &[&str] = &["allow", "deny", "login_email", "login_password"];

impl World {
    /// Reduces an answer.
    pub(super) async fn observe(&self, response: &Response) -> Value {
        let mut answer = Map::new();
        let mut put = |name: &str, value: Value| {
            answer.insert(name.to_owned(), value);
        };
        put("status", json!(response.status));
        if let Some(location) = response.location() {
            put("location", self.location(location));
        }
        if let Some(challenge) = response.header("www-authenticate") {
            put(
                "challenge",
                json!(without_prose(&self.anonymous(challenge))),
            );
        }
        if let Some(allow) = response.header("allow") {
            put("allow", json!(allow));
        }
        if response.header("retry-after").is_some() {
            put("retry_after", json!(true));
        }
        if let Some(cors) = cors(response) {
            put("cors", cors);
        }
        let cookies = cookies(&response.cookies());
        if !cookies.is_empty() {
            put("cookies", json!(cookies));
        }
        let is_redirect = response.location().is_some();
        match response.media_type() {
            "application/json" if !response.body.is_empty() => {
                let json = response.json();
                check_envelope(&json);
                put("json", self.reduce("", json).await);
            }
            "text/html" if !is_redirect => put("page", page(response)),
            _ => {}
        }
        Value::Object(answer)
    }

    /// Names instead of the values that this run made.
    fn anonymous(&self, text: &str) -> String {
        let mut text = text.replace(&self.app.issuer(), "{origin}");
        for (name, id) in &self.clients {
            text = text.replace(id.client_id.as_str(), &format!("{{{name}}}"));
        }
        text
    }

    /// A name that was drawn, of a client that a case knows or of another document.
    fn name(&self, name: &str) -> String {
        let shown = self.anonymous(name);
        if shown == name {
            "<name>".to_owned()
        } else {
            shown
        }
    }

    fn location(&self, location: &str) -> Value {
        let (rest, fragment) = location.split_once('#').unwrap_or((location, ""));
        let (to, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parts = Map::new();
        parts.insert("to".to_owned(), json!(self.anonymous(to)));
        for (name, text) in [("query", query), ("fragment", fragment)] {
            if !text.is_empty() {
                parts.insert(name.to_owned(), self.parameters(text));
            }
        }
        Value::Object(parts)
    }

    fn parameters(&self, text: &str) -> Value {
        let mut params = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let shown = match &*name {
                "code" => json!(token("code", &value)),
                "access_token" => json!(token("token", &value)),
                "login_handle" => json!(token("handle", &value)),
                "id_token" | "id_token_hint" => json!("<id_token>"),
                "error_description" => json!("…"),
                "redirect-to" if value.contains('?') => self.location(&value),
                _ => json!(self.anonymous(&value)),
            };
            let double = params.insert(name.into_owned(), shown);
            assert!(double.is_none(), "a parameter comes twice: {text}");
        }
        json!(params)
    }

    /// Reduces JSON; `name` is the member that the value stands under.
    async fn reduce(&self, name: &str, value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let mut reduced = Map::new();
                for (member, value) in members {
                    let context = if name == "errors" {
                        "description"
                    } else {
                        member.as_str()
                    };
                    let value = match member.as_str() {
                        "message" => Box::pin(self.reduce(context, value)).await,
                        _ => Box::pin(self.reduce(&member, value)).await,
                    };
                    reduced.insert(member, value);
                }
                Value::Object(reduced)
            }
            Value::Array(roles) if name == "roles" && roles.contains(&json!("Administrator")) => {
                json!("<every role>")
            }
            Value::Array(keys) if name == "keys" => keys.iter().map(jwk).collect(),
            Value::Array(values) => {
                let mut reduced = Vec::new();
                for value in values {
                    reduced.push(Box::pin(self.reduce(name, value)).await);
                }
                Value::Array(reduced)
            }
            Value::Null => json!("<null>"),
            Value::Number(_) if name == "expires_at" => json!("<moment>"),
            Value::Number(seconds) if MOMENTS.contains(&name) => {
                json!(self.moment(seconds.as_i64().expect("whole seconds")))
            }
            Value::String(text) => self.reduce_text(name, &text).await,
            other => other,
        }
    }

    async fn reduce_text(&self, name: &str, text: &str) -> Value {
        match name {
            _ if PROSE.contains(&name) => json!("…"),
            _ if is_time(text) => json!("<time>"),
            "name" | "parent" | "client_id" | "family" if is_random_name(text) => {
                json!(self.name(text))
            }
            "client_secret" => json!(secret(text)),
            "api_key" if is_hex(text, 15) => json!("<key>"),
            "access_token" | "refresh_token" | "registration_access_token" => {
                json!(token("token", text))
            }
            "registration_client_uri" => {
                let (place, id) = text.split_once("?client_id=").expect("no address of ours");
                assert!(is_random_name(id), "{text}");
                json!(format!("{}?client_id=<name>", self.anonymous(place)))
            }
            "id_token" => self.id_token(text).await,
            "sub" | "userid" if is_hex(text, 39) => json!("<sub>"),
            "at_hash" | "c_hash" if text.len() == 22 => json!("<half hash>"),
            // The claim, 32 bytes in hex or base64: neither the cookie nor its hash.
            "sid" | "session_sid" => json!("<session>"),
            _ => json!(self.anonymous(text)),
        }
    }

    fn moment(&self, seconds: i64) -> String {
        match seconds - self.now() {
            0 => "<now>".to_owned(),
            later if later > 0 => format!("<now+{later}>"),
            earlier => format!("<now{earlier}>"),
        }
    }

    /// Verifies an ID token as its client would, and reduces header and claims.
    async fn id_token(&self, token: &str) -> Value {
        let header = peek_header(token).expect("a JWS header");
        let unverified = crema_testkit::flow::claims(token);
        let client_id = unverified["aud"].as_str().expect("an audience");
        let (_, client) = self
            .clients
            .iter()
            .find(|(_, client)| client.client_id == client_id)
            .expect("a client of ours");
        let claims = if header.algorithm == SigningAlgorithm::HS256 {
            let key = SigningKey::hmac(client.secret().as_bytes()).expect("a key");
            decode_verified(token, &[&key])
        } else {
            let keys = self
                .app
                .http()
                .get("/.well-known/jwks.json")
                .send()
                .await
                .json();
            let jwks = keys["keys"].as_array().expect("keys").iter();
            let keys: Vec<_> = jwks
                .filter_map(|jwk| VerifyingKey::from_jwk(SigningAlgorithm::RS256, jwk).ok())
                .collect();
            decode_with(token, &keys.iter().collect::<Vec<_>>())
        };
        let claims = claims.expect("the ID token's signature is wrong");
        let mut header = crema_testkit::flow::jose_header(token);
        if let Some(kid) = header.get_mut("kid") {
            *kid = json!("<kid>");
        }
        json!({"header": header, "claims": Box::pin(self.reduce("", claims)).await})
    }
}

/// What lets a script of another origin read the answer, or send the request.
fn cors(response: &Response) -> Option<Value> {
    let mut shown = Map::new();
    for (member, header) in CORS {
        if let Some(value) = response.header(header) {
            shown.insert((*member).to_owned(), json!(value));
        }
    }
    (!shown.is_empty()).then(|| {
        let vary = response.headers_named("vary").join(", ");
        let same_for_all = shown["origin"] == "*" || vary.contains("Origin");
        assert!(same_for_all, "a cache may hand it on: {vary}");
        Value::Object(shown)
    })
}

/// A public key without what is drawn: its numbers and its name.
fn jwk(key: &Value) -> Value {
    let members = key.as_object().expect("a key").iter();
    let shown = members.map(|(member, value)| {
        let drawn = ["kid", "n", "x", "y"].contains(&member.as_str());
        (
            member.clone(),
            if drawn { json!("…") } else { value.clone() },
        )
    });
    Value::Object(shown.collect())
}

/// Frappe's clients parse `_server_messages` twice and `exc` once.
fn check_envelope(json: &Value) {
    let Some(messages) = json["_server_messages"].as_str() else {
        return;
    };
    let messages: Vec<String> = serde_json::from_str(messages).expect("a list of texts");
    assert!(!messages.is_empty());
    for message in messages {
        let message: Value = serde_json::from_str(&message).expect("an object as text");
        for member in ["message", "title", "indicator"] {
            assert!(message[member].is_string(), "{member}: {message}");
        }
    }
    let lines: Vec<String> = serde_json::from_str(json["exc"].as_str().unwrap_or_default())
        .expect("`exc` is a list of texts");
    assert_eq!(lines.len(), 1);
    assert!(!lines[0].contains('\n'), "a traceback: {lines:?}");
}

/// `error_description` is for people.
fn without_prose(challenge: &str) -> String {
    let Some((before, rest)) = challenge.split_once("error_description=\"") else {
        return challenge.to_owned();
    };
    let (_, after) = rest.split_once('"').expect("a closing quote");
    format!("{before}error_description=\"…\"{after}")
}

/// Tokens and codes of ours have 43 letters and digits.
fn token(kind: &str, text: &str) -> String {
    let good = text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    assert!(good, "no {kind} of ours: {text}");
    format!("<{kind}>")
}

/// Secrets are drawn like tokens; the recorded ones had ten hexadecimal digits.
fn secret(text: &str) -> String {
    assert!(text.len() >= 43, "a short secret, or none");
    "<secret>".to_owned()
}

/// A moment as Frappe writes it: `2026-11-20 17:39:44.174519`.
fn is_time(text: &str) -> bool {
    text.len() == 26
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b' ',
            13 | 16 => byte == b':',
            19 => byte == b'.',
            _ => byte.is_ascii_digit(),
        })
}

/// A name of ten characters that was drawn, or one that grows with time.
fn is_random_name(text: &str) -> bool {
    text.len() >= 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Cookies without what counts time, attributes sorted.
fn cookies(cookies: &[Cookie]) -> Vec<String> {
    let mut shown = Vec::new();
    let mut removed = Vec::new();
    for cookie in cookies {
        if cookie.is_removal() {
            removed.push(cookie.name.as_str());
            continue;
        }
        let value = if is_hex(&cookie.value, 56) {
            "<sid>"
        } else {
            &cookie.value
        };
        let mut attributes: Vec<_> = cookie
            .attributes
            .iter()
            .filter(|(name, _)| name != "Expires")
            .map(|(name, value)| match value {
                Some(value) => format!("{name}={value}"),
                None => name.clone(),
            })
            .collect();
        attributes.sort();
        shown.push(format!(
            "{}={value}; {}",
            cookie.name,
            attributes.join("; ")
        ));
    }
    removed.sort_unstable();
    match removed.as_slice() {
        [] => {}
        all if all == SIX => shown.push("six removed".to_owned()),
        some => shown.push(format!("removed {}", some.join(" "))),
    }
    shown
}

fn page(response: &Response) -> Value {
    if response.status != 200 {
        return json!({});
    }
    let text = response.text();
    let ids: Vec<_> = IDS
        .iter()
        .filter(|id| text.contains(&format!("id=\"{id}\"")))
        .collect();
    json!({"title": response.title().unwrap_or_default(), "ids": ids})
}
