//! Signing keys: made when needed, once; replaced without breaking what was signed.
//!
//! spec: http.md, ID token; OpenID Connect Core §10.1.1
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod records_common;

use std::sync::Arc;

use crema_auth::client::ClientFields;
use crema_auth::{Ctx, Failure, keys, settings};
use crema_crypto::{SigningAlgorithm, jws};
use crema_store::{Sql, params};
use records_common::{TestSite, ctx_of};
use serde_json::{Value as Json, json};

static KEYS: Sql = Sql::new(r#"SELECT name, slot, public_jwk FROM "tabSigning Key""#);
static PRIVATE: Sql =
    Sql::new(r#"SELECT password, encrypted FROM "__Auth" WHERE doctype = 'Signing Key'"#);

async fn published(ctx: &Ctx) -> Vec<String> {
    let keyring = ctx
        .provider
        .keyring(ctx.version().await.unwrap())
        .await
        .unwrap();
    let jwks = keyring.jwks(ctx.now);
    let keys = jwks["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

async fn sign(ctx: &Ctx, algorithm: SigningAlgorithm) -> (String, String) {
    let key = keys::ensure(ctx, algorithm).await.unwrap();
    let token = jws::encode(&key, &json!({ "sub": "x" })).unwrap();
    (key.kid().unwrap().to_owned(), token)
}

async fn verifies(ctx: &Ctx, token: &str) -> bool {
    let keyring = ctx
        .provider
        .keyring(ctx.version().await.unwrap())
        .await
        .unwrap();
    jws::decode_verified(token, &keyring.verifying(ctx.now)).is_ok()
}

on_every_database! {
    async fn the_first_key_is_made_when_needed_and_signs_at_once(site: TestSite) {
        assert!(published(&site.ctx()).await.is_empty());
        let (kid, token) = sign(&site.ctx(), SigningAlgorithm::ES256).await;
        assert_eq!(published(&site.ctx()).await, std::slice::from_ref(&kid));
        assert_eq!(sign(&site.ctx(), SigningAlgorithm::ES256).await.0, kid, "not one per token");
        assert!(verifies(&site.ctx(), &token).await);
        let rows = site.rows(&KEYS, params![]).await;
        assert_eq!(rows[0].text(1).unwrap(), "ES256:1");
        let public: Json = serde_json::from_str(rows[0].text(2).unwrap()).unwrap();
        assert_eq!((public["alg"].as_str(), public.get("d")), (Some("ES256"), None));
        let private = site.rows(&PRIVATE, params![]).await;
        assert!(private[0].text(0).unwrap().starts_with("gAAAAA") && private[0].bool(1).unwrap());
        let symmetric = keys::ensure(&site.ctx(), SigningAlgorithm::HS256).await;
        assert!(matches!(symmetric, Err(Failure::Validation(_))));
    }

    async fn processes_that_need_the_first_key_at_once_agree_on_one(site: TestSite) {
        let other = site.another_process();
        let mut makers = tokio::task::JoinSet::new();
        for number in 0..8 {
            let provider = if number % 2 == 0 { &site.provider } else { &other };
            let provider = Arc::clone(provider);
            makers.spawn(async move {
                let ctx = ctx_of(&provider, "192.0.2.1");
                let key = keys::ensure(&ctx, SigningAlgorithm::EdDSA).await.unwrap();
                key.kid().unwrap().to_owned()
            });
        }
        let mut kids = makers.join_all().await;
        kids.dedup();
        assert_eq!(kids.len(), 1);
        assert_eq!(site.rows(&KEYS, params![]).await.len(), 1);
        assert_eq!(site.rows(&PRIVATE, params![]).await.len(), 1);
    }

    async fn a_new_key_is_published_before_it_signs_and_the_old_one_long_after(site: TestSite) {
        let algorithm = SigningAlgorithm::ES256;
        let (old, token) = sign(&site.ctx(), algorithm).await;
        let other = site.another_process();
        let there = || ctx_of(&other, "192.0.2.1");
        assert_eq!(published(&there()).await, std::slice::from_ref(&old));
        let names = keys::rotate(&site.ctx(), "Administrator", None, false).await.unwrap();
        let [new] = names.as_slice() else { panic!("{names:?}") };
        assert_eq!(published(&there()).await, [old.clone(), new.clone()]);
        assert_eq!(sign(&there(), algorithm).await.0, old);
        site.clock.advance_seconds(599);
        assert_eq!(sign(&there(), algorithm).await.0, old);
        let (_, last) = sign(&there(), algorithm).await;
        site.clock.advance_seconds(1);
        assert_eq!(&sign(&there(), algorithm).await.0, new);
        let status = |name: String| {
            let ctx = site.ctx();
            async move {
                let list = keys::list(&ctx).await.unwrap();
                list.iter().find(|key| key.name == name).unwrap().status
            }
        };
        assert_eq!((status(old.clone()).await, status(new.clone()).await), ("Retiring", "Active"));
        site.clock.advance_seconds(86_399);
        assert!(verifies(&there(), &token).await && verifies(&there(), &last).await);
        site.clock.advance_seconds(1);
        assert!(!verifies(&there(), &last).await);
        assert_eq!(published(&there()).await, std::slice::from_ref(new));
        assert_eq!(status(old).await, "Retired");
        // The next rotation forgets what the retired one signed with.
        keys::rotate(&site.ctx(), "Administrator", Some(algorithm), true).await.unwrap();
        assert_eq!(site.rows(&KEYS, params![]).await.len(), 3);
        assert_eq!(site.rows(&PRIVATE, params![]).await.len(), 2);
    }

    async fn an_immediate_rotation_signs_with_the_new_key_at_once(site: TestSite) {
        let algorithm = SigningAlgorithm::EdDSA;
        let (old, token) = sign(&site.ctx(), algorithm).await;
        site.clock.advance_seconds(1);
        keys::rotate(&site.ctx(), "Administrator", Some(algorithm), true).await.unwrap();
        let (new, _) = sign(&site.ctx(), algorithm).await;
        assert_ne!(old, new);
        assert!(verifies(&site.ctx(), &token).await);
        let symmetric = keys::rotate(&site.ctx(), "x", Some(SigningAlgorithm::HS256), true).await;
        assert!(matches!(symmetric, Err(Failure::Validation(_))));
    }

    async fn long_tokens_keep_their_key_longer(site: TestSite) {
        let week = 7 * 86_400;
        let fields = ClientFields::new()
            .with("app_name", "Patient")
            .with("redirect_uris", "https://app.example/cb")
            .with("id_token_signed_response_alg", "EdDSA")
            .with("access_token_lifetime", week.to_string());
        site.client(fields).await.unwrap();
        // Making the client has made its key.
        let first = published(&site.ctx()).await;
        assert_eq!(first.len(), 1);
        let (_, token) = sign(&site.ctx(), SigningAlgorithm::EdDSA).await;
        keys::rotate(&site.ctx(), "Administrator", None, true).await.unwrap();
        site.clock.advance_seconds(week - 1);
        assert!(verifies(&site.ctx(), &token).await);
        site.clock.advance_seconds(1);
        assert!(!verifies(&site.ctx(), &token).await);
    }

    async fn old_keys_are_replaced_by_themselves(site: TestSite) {
        let algorithm = SigningAlgorithm::EdDSA;
        let (first, _) = sign(&site.ctx(), algorithm).await;
        let due = || async { keys::rotate_due(&site.ctx(), "Administrator").await.unwrap() };
        site.clock.advance_seconds(90 * 86_400 - 1);
        assert!(due().await.is_empty());
        site.clock.advance_seconds(1);
        assert_eq!(due().await.len(), 1);
        assert!(due().await.is_empty(), "its successor is coming already");
        site.clock.advance_seconds(600);
        assert_ne!(sign(&site.ctx(), algorithm).await.0, first);
        assert!(due().await.is_empty());
        let off = vec![("key_rotation_days".to_owned(), Some("0".to_owned()))];
        settings::set(&site.ctx(), "Administrator", "OAuth Settings", &off).await.unwrap();
        site.clock.advance_seconds(1000 * 86_400);
        assert!(due().await.is_empty());
    }
}
