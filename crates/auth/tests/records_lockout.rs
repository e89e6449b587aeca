//! Failed attempts: counted exactly, in the database, for user, address and client.
//!
//! spec: security.md, Sign-in and sessions, lines 2 and 3
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod records_common;

use std::sync::Arc;

use crema_auth::lockout::{self, Key};
use crema_auth::login::{self, LoginOutcome, LoginRequest};
use crema_auth::retention::Kind;
use crema_auth::settings;
use crema_auth::{Ctx, Failure};
use crema_crypto::Secret;
use crema_store::{Sql, params};
use records_common::{PASSWORD, TestSite, ctx_of};

static COUNT: Sql = Sql::new(r#"SELECT "count" FROM "__failure" WHERE name = ?"#);

async fn sign_in(ctx: &Ctx, usr: &str, pwd: &str) -> LoginOutcome {
    let request = LoginRequest {
        usr: usr.to_owned(),
        pwd: Secret::from(pwd),
        previous_sid: None,
    };
    login::login(ctx, &request).await.unwrap()
}

/// `in`, `wrong` or `locked`.
async fn answer(ctx: &Ctx, usr: &str, pwd: &str) -> &'static str {
    match sign_in(ctx, usr, pwd).await {
        LoginOutcome::SignedIn(_) => "in",
        LoginOutcome::Refused { message } => {
            assert_eq!(message, "Invalid login credentials");
            "wrong"
        }
        LoginOutcome::Locked { retry_after } => {
            assert!((1..=300).contains(&retry_after));
            "locked"
        }
    }
}

async fn count(site: &TestSite, key: &Key) -> i64 {
    let rows = site.rows(&COUNT, params![key.as_str()]).await;
    rows.first().map_or(0, |row| row.int(0).unwrap())
}

on_every_database! {
    async fn ten_failures_lock_for_a_minute(site: TestSite) {
        site.user("web@example.com", &[]).await;
        for _ in 0..10 {
            assert_eq!(answer(&site.ctx(), "web@example.com", "bad").await, "wrong");
        }
        // Also for the right password, for other users from there, and in the password grant.
        assert_eq!(answer(&site.ctx(), "web@example.com", "bad").await, "locked");
        assert_eq!(answer(&site.ctx(), "WEB@example.com", PASSWORD).await, "locked");
        assert_eq!(answer(&site.ctx(), "other@example.com", PASSWORD).await, "locked");
        let elsewhere = site.ctx_from("198.51.100.7");
        assert_eq!(answer(&elsewhere, "web@example.com", PASSWORD).await, "locked");
        site.clock.advance_seconds(59);
        assert_eq!(answer(&site.ctx(), "web@example.com", PASSWORD).await, "locked");
        site.clock.advance_seconds(1);
        assert_eq!(answer(&site.ctx(), "web@example.com", PASSWORD).await, "in");
        assert_eq!(count(&site, &Key::user("web@example.com")).await, 0);
    }

    async fn failures_that_lie_apart_do_not_add_up(site: TestSite) {
        site.user("web@example.com", &[]).await;
        for _ in 0..3 {
            for _ in 0..9 {
                assert_eq!(answer(&site.ctx(), "web@example.com", "bad").await, "wrong");
            }
            site.clock.advance_seconds(60);
        }
        assert_eq!(answer(&site.ctx(), "web@example.com", PASSWORD).await, "in");
    }

    async fn a_success_forgets_the_users_own_failures_only(site: TestSite) {
        site.user("a@example.com", &[]).await;
        site.user("b@example.com", &[]).await;
        let address = Key::address("192.0.2.1".parse().unwrap());
        for _ in 0..4 {
            answer(&site.ctx(), "a@example.com", "bad").await;
            answer(&site.ctx(), "b@example.com", "bad").await;
        }
        assert_eq!(count(&site, &address).await, 8);
        assert_eq!(answer(&site.ctx(), "a@example.com", PASSWORD).await, "in");
        assert_eq!(count(&site, &address).await, 4);
        assert_eq!(count(&site, &Key::user("b@example.com")).await, 4);
        // Nine failures, a success, nine failures: nobody is locked.
        for _ in 0..2 {
            assert_eq!(answer(&site.ctx(), "b@example.com", PASSWORD).await, "in");
            for _ in 0..9 {
                assert_eq!(answer(&site.ctx(), "b@example.com", "bad").await, "wrong");
            }
        }
    }

    async fn concurrent_failures_of_two_processes_are_counted_exactly(site: TestSite) {
        site.user("web@example.com", &[]).await;
        let other = site.another_process();
        let providers = [Arc::clone(&site.provider), other];
        let mut attempts = tokio::task::JoinSet::new();
        for number in 0..40_usize {
            let provider = Arc::clone(&providers[number % 2]);
            attempts.spawn(async move {
                answer(&ctx_of(&provider, "192.0.2.1"), "web@example.com", "bad").await
            });
        }
        let answers = attempts.join_all().await;
        // However they overlap, ten learn that the password was wrong, and no eleventh.
        assert_eq!(answers.iter().filter(|answer| **answer == "wrong").count(), 10);
        assert_eq!(answers.iter().filter(|answer| **answer == "locked").count(), 30);
    }

    async fn counting_itself_is_exact(site: TestSite) {
        let other = site.another_process();
        let key = Key::client("abc", "192.0.2.9".parse().unwrap());
        let mut attempts = tokio::task::JoinSet::new();
        for number in 0..30 {
            let provider = if number % 2 == 0 { &site.provider } else { &other };
            let (ctx, key) = (ctx_of(provider, "192.0.2.9"), key.clone());
            attempts.spawn(async move {
                lockout::record_failure(&ctx, &[key], 1000, 60).await.unwrap();
            });
        }
        attempts.join_all().await;
        assert_eq!(count(&site, &key).await, 30);
    }

    async fn a_client_is_limited_per_address(site: TestSite) {
        let ctx = site.ctx();
        let key = [Key::client("abc", ctx.address)];
        for _ in 0..10 {
            lockout::check(&ctx, &key).await.unwrap();
            lockout::record_failure(&ctx, &key, 10, 60).await.unwrap();
        }
        let refused = lockout::check(&ctx, &key).await;
        assert!(matches!(refused, Err(Failure::TooMany { retry_after: 60 })));
        let elsewhere = site.ctx_from("198.51.100.7");
        lockout::check(&elsewhere, &[Key::client("abc", elsewhere.address)]).await.unwrap();
        lockout::check(&ctx, &[Key::client("def", ctx.address)]).await.unwrap();
        lockout::clear(&ctx, &key).await.unwrap();
        lockout::check(&ctx, &key).await.unwrap();
    }

    async fn the_limit_is_a_setting_and_old_counters_go(site: TestSite) {
        site.user("web@example.com", &[]).await;
        let set = |field: &str, value: &str| {
            let values = vec![(field.to_owned(), Some(value.to_owned()))];
            let ctx = site.ctx();
            async move {
                settings::set(&ctx, "Administrator", "System Settings", &values).await.unwrap();
            }
        };
        set("allow_consecutive_login_attempts", "2").await;
        set("allow_login_after_fail", "300").await;
        for expected in ["wrong", "wrong", "locked"] {
            assert_eq!(answer(&site.ctx(), "web@example.com", "bad").await, expected);
        }
        site.clock.advance_seconds(299);
        assert_eq!(answer(&site.ctx(), "web@example.com", PASSWORD).await, "locked");
        set("allow_consecutive_login_attempts", "0").await;
        site.clock.advance_seconds(1);
        for _ in 0..15 {
            assert_eq!(answer(&site.ctx(), "web@example.com", "bad").await, "wrong");
        }
        site.clock.advance_seconds(90_000);
        assert_eq!(site.sweep(Kind::Failures).await, 2);
    }
}
