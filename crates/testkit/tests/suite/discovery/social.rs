//! Other authorization servers in the metadata of the resource.
// spec: http.md, Metadata, "plus Base URLs of enabled Social Login Keys shown in resource
// metadata, when OAuth Settings say so"

use crema_testkit::for_each_engine;
use serde_json::{Value, json};

use super::{RESOURCE, Site};

/// A key of another service, as a System Manager makes it.
fn key(name: &str, base_url: &str, shown: bool) -> Value {
    json!({
        "provider_name": name,
        "social_login_provider": "Custom",
        "base_url": base_url,
        "authorize_url": "/authorize",
        "access_token_url": "/token",
        "redirect_url": "/api/method/frappe.integrations.oauth2_logins.custom/x",
        "client_id": "a-client",
        "client_secret": "a-secret",
        "enable_social_login": 1,
        "show_in_resource_metadata": i32::from(shown),
    })
}

impl Site {
    async fn add_key(&mut self, key: &Value) {
        let request = self.app.http().post("/api/resource/Social%20Login%20Key");
        let answer = self.manager.send(request.json(key)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        // They are listed in the order in which they were made.
        self.app.clock.advance_seconds(1);
    }

    async fn servers(&self) -> Vec<String> {
        let document = self.document(RESOURCE).await.unwrap();
        let issuer = self.app.issuer();
        let servers = document["authorization_servers"].as_array().unwrap();
        let servers = servers.iter().map(|server| server.as_str().unwrap());
        servers
            .map(|server| server.replace(&issuer, "own"))
            .collect()
    }
}

for_each_engine! {
    async fn keys_are_listed_while_all_three_switches_are_on(engine: Engine) {
        let mut site = Site::on(engine).await;
        site.add_key(&key("One", "https://One.example/", true)).await;
        site.add_key(&key("Two", "https://two.example/realms/a", true)).await;
        site.add_key(&key("Hidden", "https://hidden.example", false)).await;
        site.add_key(&key("Query", "https://query.example/?tenant=1", true)).await;
        let both = ["own", "https://one.example", "https://two.example/realms/a"];
        assert_eq!(site.servers().await, ["own"], "off at first");

        let switch = "show_social_login_key_as_authorization_server";
        site.set_one(switch, 1).await;
        assert_eq!(site.servers().await, both);
        let suffixed = site.document(&format!("{RESOURCE}/api")).await.unwrap();
        assert_eq!(suffixed["authorization_servers"].as_array().unwrap().len(), 3);

        for (field, value) in [("show_in_resource_metadata", 0), ("enable_social_login", 0)] {
            let path = "/api/resource/Social%20Login%20Key/one";
            for (set, expected) in [(value, &both[..1]), (1 - value, &both[..2])] {
                let request = site.app.http().request("PUT", path).json(&json!({ field: set }));
                let answer = site.manager.send(request).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                let servers = site.servers().await;
                assert_eq!(servers[..expected.len()], *expected, "{field} {set}");
                assert_eq!(servers.len(), expected.len() + 1);
            }
        }
        site.set_one(switch, 0).await;
        assert_eq!(site.servers().await, ["own"]);
        site.close().await;
    }
}

// A key for this site itself is no other server, and one that is written twice is one.
#[tokio::test]
async fn a_server_is_named_once() {
    let mut site = Site::start().await;
    site.set_one("show_social_login_key_as_authorization_server", 1)
        .await;
    site.app.set_config("host_name", "https://id.example.com");
    for (name, base_url) in [
        ("Own", "https://id.example.com/"),
        ("One", "https://one.example"),
        ("Same", "https://ONE.example:443"),
    ] {
        site.add_key(&key(name, base_url, true)).await;
    }
    let document = site.other().get(RESOURCE).send().await.json();
    let expected = json!(["https://id.example.com", "https://one.example"]);
    assert_eq!(document["authorization_servers"], expected);
    site.close().await;
}
