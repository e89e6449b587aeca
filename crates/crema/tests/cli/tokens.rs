//! `token` and `keys`, on a site where somebody has signed in.

use crema_testkit::flow::{Tokens, method};
use crema_testkit::{Redirect, Response, VERIFIER};
use serde_json::{Value, json};

use crate::harness::{ADMIN_PASSWORD, Bench, SITE, Server, text};

const CALLBACK: &str = "https://shop.example.com/cb";

/// A client, and the tokens that a user has granted it.
pub(crate) struct Granted {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) tokens: Tokens,
}

impl Granted {
    /// A new client, allowed by this user.
    pub(crate) async fn new(bench: &Bench, server: &Server, usr: &str, pwd: &str) -> Granted {
        let made = bench.json(&[
            "oauth-client",
            "add",
            "--app-name",
            "Shop",
            "--redirect-uri",
            CALLBACK,
            "--allowed-role",
            "All",
            "--id-token-alg",
            "ES256",
        ]);
        let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
        let mut visitor = server.visitor(SITE);
        visitor.login(usr, pwd).await;
        let challenge = crema_testkit::challenge(VERIFIER);
        let answer = visitor
            .authorize_and_allow(&[
                ("client_id", id),
                ("response_type", "code"),
                ("redirect_uri", CALLBACK),
                ("scope", "openid all"),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ])
            .await;
        let redirect = Redirect::of(&answer);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", redirect.param("code")),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let post = server.http(SITE).post(&method("get_token"));
        let tokens = post.basic(id, secret).form(&form).send().await.tokens();
        Granted {
            client_id: id.to_owned(),
            client_secret: secret.to_owned(),
            tokens,
        }
    }

    pub(crate) async fn call(&self, server: &Server) -> Response {
        server
            .http(SITE)
            .logged_user(&self.tokens.access_token)
            .await
    }

    pub(crate) async fn refresh(&self, server: &Server) -> Response {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &self.tokens.refresh_token),
        ];
        let post = server.http(SITE).post(&method("get_token"));
        post.basic(&self.client_id, &self.client_secret)
            .form(&form)
            .send()
            .await
    }
}

fn live(bench: &Bench, args: &[&str]) -> usize {
    let mut all = vec!["token", "list"];
    all.extend(args);
    bench.json(&all).as_array().unwrap().len()
}

// spec: cli.md, `token list|revoke`; security.md, Codes and tokens: at the next request
#[test]
fn tokens_are_listed_and_revoked() {
    let bench = Bench::new();
    bench
        .run(&["add-user", "jo@example.com", "--password", "correct-9"])
        .ok();
    bench.run(&["token", "list"]).ok().says("No tokens.");
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        let admins = Granted::new(&bench, &server, "Administrator", ADMIN_PASSWORD).await;
        let jos = Granted::new(&bench, &server, "jo@example.com", "correct-9").await;
        let list = bench.json(&["token", "list", "--user", "JO@example.com"]);
        let token = &list[0];
        assert_eq!(list.as_array().unwrap().len(), 1);
        assert_eq!(token["user"], "jo@example.com");
        assert_eq!(token["client"], jos.client_id.as_str());
        assert_eq!(token["scopes"], "openid all");
        assert_eq!(token["grant_type"], "authorization_code");
        assert_eq!(token["active"], true);
        for moment in ["issued_at", "expires_at", "refresh_expires_at"] {
            assert!(text(token, moment).ends_with('Z'), "{token}");
        }
        for secret in [&jos.tokens.access_token, &jos.tokens.refresh_token] {
            assert!(!list.to_string().contains(secret));
        }
        assert_eq!(live(&bench, &[]), 2);
        assert_eq!(live(&bench, &["--client", &admins.client_id]), 1);
        assert_eq!(
            live(
                &bench,
                &["--client", &admins.client_id, "--user", "jo@example.com"]
            ),
            0
        );
        assert_eq!(live(&bench, &["--limit", "1"]), 1);
        bench
            .run(&["token", "list", "--limit", "1"])
            .ok()
            .says("There may be more");
        bench
            .run(&["token", "list", "--limit", "0"])
            .fails(2, "--limit");

        assert_eq!(jos.call(&server).await.status, 200);
        let revoked = bench.json(&["token", "revoke", "--user", "jo@example.com"]);
        assert_eq!(revoked, json!({"revoked": 1}));
        assert_eq!(jos.call(&server).await.status, 401);
        assert_eq!(jos.refresh(&server).await.status, 400);
        assert_eq!(admins.call(&server).await.status, 200);
        assert_eq!(live(&bench, &[]), 1);
        assert_eq!(live(&bench, &["--all"]), 2);
        bench.run(&["token", "list", "--all"]).ok().says("ended");

        let both = [
            "token",
            "revoke",
            "--user",
            "Administrator",
            "--client",
            &jos.client_id,
        ];
        assert_eq!(bench.json(&both), json!({"revoked": 0}));
        bench
            .run(&["token", "revoke", "--client", &admins.client_id])
            .ok()
            .says("1 token is");
        assert_eq!(admins.call(&server).await.status, 401);

        bench
            .run(&["token", "revoke", "--user", "joe@example.com"])
            .fails(1, "no user joe");
        bench
            .run(&["token", "revoke", "--client", "Shopp"])
            .fails(1, "no client Shopp");
        bench.run(&["token", "revoke"]).fails(2, "--yes");
        let again = Granted::new(&bench, &server, "jo@example.com", "correct-9").await;
        assert_eq!(
            bench.json(&["token", "revoke", "--yes"]),
            json!({"revoked": 1})
        );
        assert_eq!(again.call(&server).await.status, 401);
        assert_eq!(again.refresh(&server).await.status, 400);
    });
    server.stop();
}

// spec: cli.md, "What a command changes, a running server … obeys at its next request"
#[test]
fn a_running_server_obeys_changes_of_clients_and_users() {
    let bench = Bench::new();
    bench
        .run(&["add-user", "jo@example.com", "--password", "correct-9"])
        .ok();
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        let first = Granted::new(&bench, &server, "jo@example.com", "correct-9").await;
        assert_eq!(first.call(&server).await.status, 200);
        bench
            .run(&["oauth-client", "disable", &first.client_id])
            .ok();
        assert_eq!(first.call(&server).await.status, 401);
        assert_eq!(first.refresh(&server).await.error(), "invalid_client");
        bench
            .run(&["oauth-client", "delete", &first.client_id, "-y"])
            .ok();

        let second = Granted::new(&bench, &server, "jo@example.com", "correct-9").await;
        bench
            .run(&[
                "oauth-client",
                "set",
                &second.client_id,
                "allowed_roles=Sales User",
            ])
            .ok();
        assert_eq!(second.refresh(&server).await.status, 400);

        let third = Granted::new(&bench, &server, "Administrator", ADMIN_PASSWORD).await;
        assert_eq!(third.refresh(&server).await.status, 200);
        bench.run(&["set-admin-password", "another-9"]).ok();
        assert_eq!(third.call(&server).await.status, 401);
    });
    server.stop();
}

async fn kids(server: &Server) -> Vec<Value> {
    let set = server
        .http(SITE)
        .get("/.well-known/jwks.json")
        .send()
        .await
        .json();
    let keys = set["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].clone()).collect()
}

// spec: cli.md, `keys list|rotate`
#[test]
fn keys_are_listed_and_rotated() {
    let bench = Bench::new();
    bench.run(&["keys", "list"]).ok().says("No keys yet.");
    bench.run(&["keys", "rotate"]).ok().says("No keys yet");
    let add = [
        "oauth-client",
        "add",
        "--app-name",
        "A",
        "--redirect-uri",
        CALLBACK,
    ];
    bench
        .run(&[&add[..], &["--id-token-alg", "ES256"]].concat())
        .ok();
    bench
        .run(&[&add[..], &["--id-token-alg", "EdDSA"]].concat())
        .ok();
    let list = bench.json(&["keys", "list"]);
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[0]["algorithm"], "ES256");
    assert_eq!(list[0]["status"], "Active");
    assert_eq!(list[0]["retire_at"], Value::Null);
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        assert_eq!(kids(&server).await.len(), 2);
        let rotated = bench.json(&["keys", "rotate", "--alg", "ES256"]);
        let new = &rotated["keys"][0];
        assert_eq!(rotated["keys"].as_array().unwrap().len(), 1);
        assert!(
            kids(&server).await.contains(new),
            "published at the next request"
        );
        let status = |kid: &Value| {
            let list = bench.json(&["keys", "list"]);
            let keys = list.as_array().unwrap();
            keys.iter().find(|key| key["kid"] == *kid).unwrap()["status"].clone()
        };
        assert_eq!(status(new), "Coming");
        let at_once = bench.json(&["keys", "rotate", "--now"]);
        assert_eq!(at_once["keys"].as_array().unwrap().len(), 2);
        assert_eq!(status(&at_once["keys"][0]), "Active");
        // The old ones stay published until what they signed is dead.
        assert_eq!(kids(&server).await.len(), 5);
    });
    server.stop();
    bench
        .run(&["keys", "rotate", "--alg", "HS256"])
        .fails(1, "HS256");
    bench
        .run(&["keys", "rotate", "--alg", "none"])
        .fails(2, "none");
    bench.run(&["keys"]).fails(2, "Usage");
}
