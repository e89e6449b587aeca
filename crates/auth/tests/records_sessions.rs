//! Sign-in, sessions, and what ends them.
//!
//! spec: security.md, Sign-in and sessions; golden: login-*, logout-*, session-*
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod records_common;

use crema_auth::Ctx;
use crema_auth::login::{self, LoginOutcome, LoginRequest, SignedIn};
use crema_auth::retention::Kind;
use crema_auth::{session, settings, user};
use crema_crypto::{Secret, hash_hex};
use crema_store::{Sql, params};
use records_common::{PASSWORD, TestSite};

static SESSIONS: Sql = Sql::new(
    r#"SELECT sid, sessiondata, oidc_sid, "user", status FROM "tabSessions" ORDER BY created_at"#,
);
static LAST_SEEN: Sql = Sql::new(r#"SELECT last_seen FROM "tabSessions""#);
static SET_HASH: Sql =
    Sql::new(r#"UPDATE "__Auth" SET password = ? WHERE doctype = 'User' AND name = ?"#);
static HASH: Sql = Sql::new(r#"SELECT password FROM "__Auth" WHERE doctype = 'User' AND name = ?"#);
static RESTRICT: Sql = Sql::new(
    r#"UPDATE "tabUser" SET restrict_ip = ?, login_after = ?, login_before = ?, passkeys = ?
    WHERE name = ?"#,
);
static BUMP: Sql = Sql::new(r#"UPDATE "__version" SET version = version + 1"#);

async fn sign_in_with(ctx: &Ctx, usr: &str, pwd: &str, previous: Option<&str>) -> LoginOutcome {
    let request = LoginRequest {
        usr: usr.to_owned(),
        pwd: Secret::from(pwd),
        previous_sid: previous.map(str::to_owned),
    };
    login::login(ctx, &request).await.unwrap()
}

async fn sign_in(ctx: &Ctx, usr: &str) -> Box<SignedIn> {
    match sign_in_with(ctx, usr, PASSWORD, None).await {
        LoginOutcome::SignedIn(signed_in) => signed_in,
        other => panic!("{other:?}"),
    }
}

async fn refusal(ctx: &Ctx, usr: &str, pwd: &str) -> &'static str {
    match sign_in_with(ctx, usr, pwd, None).await {
        LoginOutcome::Refused { message } => message,
        other => panic!("{other:?}"),
    }
}

async fn is_alive(site: &TestSite, sid: &str) -> bool {
    session::resolve(&site.ctx(), sid).await.unwrap().is_some()
}

on_every_database! {
    async fn signing_in_answers_as_frappe_does(site: TestSite) {
        let system = site.user("User@Example.com", &["System Manager"]).await;
        assert_eq!(system, "user@example.com");
        site.user("web@example.com", &[]).await;
        let signed_in = sign_in(&site.ctx(), " USER@example.com ").await;
        assert_eq!((signed_in.message, signed_in.home_page), ("Logged In", "/app"));
        assert_eq!(signed_in.user.full_name, "Test");
        assert_eq!(signed_in.session.max_age, 612_000);
        let sid = signed_in.session.sid.expose();
        assert!(sid.len() == 56 && sid.bytes().all(|b| b.is_ascii_hexdigit()));
        let website = sign_in(&site.ctx(), "web@example.com").await;
        assert_eq!((website.message, website.home_page), ("No App", "/me"));

        let rows = site.rows(&SESSIONS, params![]).await;
        let stored = rows.iter().find(|row| row.text(3).unwrap() == system).unwrap();
        assert_eq!(stored.text(0).unwrap(), hash_hex(sid));
        let claim = stored.text(2).unwrap();
        assert!(claim != sid && claim != hash_hex(sid), "neither the cookie nor its hash");
        for row in &rows {
            for column in 0..5 {
                assert!(!row.text(column).unwrap().contains(sid.as_str()));
            }
        }
        let session = session::resolve(&site.ctx(), sid).await.unwrap().unwrap();
        assert_eq!(session.user, system);
        assert_eq!(session.auth_time, site.ctx().now);
        assert!(session.is_system_user() && !session.csrf_issued);
    }

    async fn what_cannot_sign_in_gets_one_answer(site: TestSite) {
        site.user("user@example.com", &[]).await;
        site.user("gone@example.com", &[]).await;
        user::disable(&site.ctx(), "Administrator", "gone@example.com").await.unwrap();
        let ctx = site.ctx();
        for (usr, pwd) in [
            ("user@example.com", "nope"),
            ("nobody@example.com", PASSWORD),
            ("gone@example.com", PASSWORD),
            ("Guest", PASSWORD),
            ("test", PASSWORD),
            ("user@example.com\0", PASSWORD),
        ] {
            assert_eq!(refusal(&ctx, usr, pwd).await, "Invalid login credentials", "{usr}");
        }
        assert_eq!(refusal(&ctx, "user@example.com", "").await, "Incomplete login details");
        assert_eq!(refusal(&ctx, "", PASSWORD).await, "Incomplete login details");
        assert_eq!(
            refusal(&ctx, "user@example.com", &"x".repeat(513)).await,
            "Password size exceeded the maximum allowed size"
        );
    }

    async fn user_names_and_passwords_are_switches(site: TestSite) {
        site.user("user@example.com", &[]).await;
        let set = |field: &str| {
            let values = vec![(field.to_owned(), Some("1".to_owned()))];
            let ctx = site.ctx();
            async move {
                settings::set(&ctx, "Administrator", "System Settings", &values).await.unwrap();
            }
        };
        assert_eq!(refusal(&site.ctx(), "test", PASSWORD).await, "Invalid login credentials");
        set("allow_login_using_user_name").await;
        assert_eq!(sign_in(&site.ctx(), "test").await.user.name, "user@example.com");
        set("disable_user_pass_login").await;
        assert_eq!(
            refusal(&site.ctx(), "user@example.com", PASSWORD).await,
            "Login with username and password is not allowed."
        );
        let pwd = Secret::from("of the administrator");
        user::set_password(&site.ctx(), "Administrator", "Administrator", &pwd).await.unwrap();
        let outcome = sign_in_with(&site.ctx(), "administrator", pwd.expose(), None).await;
        assert!(matches!(outcome, LoginOutcome::SignedIn(_)));
    }

    async fn addresses_hours_and_second_factors_count(site: TestSite) {
        let name = site.user("user@example.com", &[]).await;
        let set = |ip: &'static str, after: i64, before: i64, passkeys: &'static str| {
            let values = params![ip, after, before, passkeys, name.as_str()];
            let site = &site;
            async move {
                site.execute(&RESTRICT, values).await;
                site.execute(&BUMP, params![]).await;
            }
        };
        let message = || async { refusal(&site.ctx(), "user@example.com", PASSWORD).await };
        set("198.51.100.0/24, 10.1", 0, 0, "").await;
        assert_eq!(message().await, "Access not allowed from this IP Address");
        sign_in(&site.ctx_from("198.51.100.3"), "user@example.com").await;
        // The clock of the test shows twelve.
        set("", 13, 0, "").await;
        assert_eq!(message().await, "Login not allowed at this time");
        set("", 0, 12, "").await;
        assert_eq!(message().await, "Login not allowed at this time");
        set("", 12, 13, "[]").await;
        sign_in(&site.ctx(), "user@example.com").await;
        set("", 0, 0, r#"[{"id":"x"}]"#).await;
        assert_eq!(message().await, "A second factor is required to sign in as this user.");
    }

    async fn a_hash_from_frappe_is_upgraded_at_the_next_login(site: TestSite) {
        site.user("user@example.com", &[]).await;
        // passlib: pbkdf2_sha256.using(rounds=1000, salt=b"0123456789abcdef").hash("password")
        let old = "$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$";
        let key = pbkdf2("password", b"0123456789abcdef", 1000);
        let old = format!("{old}{key}");
        site.execute(&SET_HASH, params![&old, "user@example.com"]).await;
        site.execute(&BUMP, params![]).await;
        let rounds = site.ctx().settings().await.unwrap().legacy_password_rounds;
        assert_eq!(rounds.map(std::num::NonZeroU32::get), Some(1000));
        assert_eq!(
            refusal(&site.ctx(), "user@example.com", "nope").await,
            "Invalid login credentials"
        );
        let outcome = sign_in_with(&site.ctx(), "user@example.com", "password", None).await;
        assert!(matches!(outcome, LoginOutcome::SignedIn(_)), "{outcome:?}");
        let rows = site.rows(&HASH, params!["user@example.com"]).await;
        assert!(rows[0].text(0).unwrap().starts_with("$argon2id$"));
        let outcome = sign_in_with(&site.ctx(), "user@example.com", "password", None).await;
        assert!(matches!(outcome, LoginOutcome::SignedIn(_)));
    }

    async fn every_login_has_a_new_sid_and_the_old_one_dies(site: TestSite) {
        site.user("user@example.com", &[]).await;
        let first = sign_in(&site.ctx(), "user@example.com").await;
        let old = first.session.sid.expose().clone();
        let again = sign_in_with(&site.ctx(), "user@example.com", PASSWORD, Some(&old)).await;
        let LoginOutcome::SignedIn(again) = again else { panic!("refused") };
        let new = again.session.sid.expose();
        assert_ne!(&old, new);
        assert!(!is_alive(&site, &old).await);
        assert!(is_alive(&site, new).await);
        // A failed attempt ends nothing, and a sid that one made up begins nothing.
        sign_in_with(&site.ctx(), "user@example.com", "nope", Some(new)).await;
        assert!(is_alive(&site, new).await);
        let made_up = "f".repeat(56);
        sign_in_with(&site.ctx(), "user@example.com", PASSWORD, Some(&made_up)).await;
        assert!(!is_alive(&site, &made_up).await);
        for sid in ["Guest", "", "'", &new.to_uppercase(), &format!("{new} ")] {
            assert!(!is_alive(&site, sid).await, "{sid}");
        }
    }

    async fn sessions_end_when_idle(site: TestSite) {
        site.user("user@example.com", &[]).await;
        let sid = sign_in(&site.ctx(), "user@example.com").await.session.sid;
        let sid = sid.expose();
        site.clock.advance_seconds(612_000 - 1);
        assert!(is_alive(&site, sid).await);
        // That use was written down, so the time runs anew.
        site.clock.advance_seconds(612_000 - 1);
        assert!(is_alive(&site, sid).await);
        site.clock.advance_seconds(612_000);
        assert!(!is_alive(&site, sid).await);
        site.clock.advance_seconds(601);
        assert_eq!(site.sweep(Kind::Sessions).await, 1);
    }

    async fn sessions_end_at_last(site: TestSite) {
        site.user("user@example.com", &[]).await;
        let sid = sign_in(&site.ctx(), "user@example.com").await.session.sid;
        let day = 86_400;
        for _ in 1..30 {
            site.clock.advance_seconds(day);
            assert!(is_alive(&site, sid.expose()).await);
        }
        site.clock.advance_seconds(day - 1);
        assert!(is_alive(&site, sid.expose()).await);
        site.clock.advance_seconds(1);
        assert!(!is_alive(&site, sid.expose()).await, "thirty days are over");
    }

    async fn the_last_use_is_written_every_ten_minutes_at_most(site: TestSite) {
        site.user("user@example.com", &[]).await;
        let sid = sign_in(&site.ctx(), "user@example.com").await.session.sid;
        let begin = site.ctx().now.micros();
        let seen = || async { site.rows(&LAST_SEEN, params![]).await[0].int(0).unwrap() };
        site.clock.advance_seconds(599);
        assert!(is_alive(&site, sid.expose()).await);
        assert_eq!(seen().await, begin);
        site.clock.advance_seconds(1);
        assert!(is_alive(&site, sid.expose()).await);
        assert_eq!(seen().await, begin + 600 * 1_000_000);
    }

    async fn csrf_tokens_are_the_sessions_own(site: TestSite) {
        site.user("user@example.com", &[]).await;
        let ctx = site.ctx();
        let one = sign_in(&ctx, "user@example.com").await.session.sid;
        let two = sign_in(&ctx, "user@example.com").await.session.sid;
        let one = session::resolve(&ctx, one.expose()).await.unwrap().unwrap();
        let two = session::resolve(&ctx, two.expose()).await.unwrap().unwrap();
        assert!(!one.csrf_issued);
        let token = session::csrf_token(&ctx, &one).await.unwrap();
        assert_eq!(token.expose().len(), 56);
        assert!(session::check_csrf(&ctx, &one, token.expose()));
        assert!(!session::check_csrf(&ctx, &two, token.expose()));
        assert!(!session::check_csrf(&ctx, &one, ""));
        let issued = |hash: String| {
            let ctx = &ctx;
            async move {
                let rows = session::list(ctx, "user@example.com").await.unwrap();
                assert!(rows.iter().any(|row| row.sid_hash == hash));
            }
        };
        issued(one.sid_hash.clone()).await;
        issued(two.sid_hash.clone()).await;
    }

    async fn a_page_that_hands_out_a_csrf_token_is_remembered(site: TestSite) {
        site.user("user@example.com", &[]).await;
        let sid = sign_in(&site.ctx(), "user@example.com").await.session.sid;
        let resolve = || async {
            session::resolve(&site.ctx(), sid.expose()).await.unwrap().unwrap()
        };
        session::csrf_token(&site.ctx(), &resolve().await).await.unwrap();
        assert!(resolve().await.csrf_issued);
    }

    async fn a_disabled_user_is_nobody_at_the_next_request(site: TestSite) {
        let name = site.user("user@example.com", &["System Manager"]).await;
        let sid = sign_in(&site.ctx(), "user@example.com").await.session.sid;
        let other = site.another_process();
        assert!(records_common::ctx_of(&other, "192.0.2.1").user(&name).await.unwrap().unwrap().enabled);
        user::disable(&site.ctx(), "Administrator", &name).await.unwrap();
        assert!(!is_alive(&site, sid.expose()).await);
        let seen = records_common::ctx_of(&other, "192.0.2.1").user(&name).await.unwrap().unwrap();
        assert!(!seen.enabled, "the other process sees it at its next request");
        user::enable(&site.ctx(), "Administrator", &name).await.unwrap();
        assert!(!is_alive(&site, sid.expose()).await, "old sessions do not come back");
        sign_in(&site.ctx(), "user@example.com").await;
        for protected in ["Administrator", "Guest"] {
            user::disable(&site.ctx(), "Administrator", protected).await.unwrap_err();
        }
    }

    async fn signing_out_ends_one_or_all(site: TestSite) {
        let name = site.user("user@example.com", &[]).await;
        let strange = site.user("other@example.com", &[]).await;
        let mut sids = Vec::new();
        for usr in [&name, &name, &name, &strange] {
            sids.push(sign_in(&site.ctx(), usr).await.session.sid.expose().clone());
        }
        let ctx = site.ctx();
        let first = session::resolve(&ctx, &sids[0]).await.unwrap().unwrap();
        session::end(&ctx, &first).await.unwrap();
        assert!(!is_alive(&site, &sids[0]).await);
        let second = session::resolve(&ctx, &sids[1]).await.unwrap().unwrap();
        assert!(!session::end_own(&ctx, &strange, &second.sid_hash).await.unwrap());
        assert!(session::end_own(&ctx, &name, &second.sid_hash).await.unwrap());
        assert!(!is_alive(&site, &sids[1]).await);
        assert_eq!(session::end_all(&ctx, "Administrator", &name).await.unwrap(), 1);
        assert!(is_alive(&site, &sids[3]).await);
        assert_eq!(user::destroy_all_sessions(&ctx, "Administrator").await.unwrap(), 1);
        assert!(!is_alive(&site, &sids[3]).await);
    }

    async fn one_session_only_where_a_setting_says_so(site: TestSite) {
        site.user("user@example.com", &[]).await;
        let values = vec![("deny_multiple_sessions".to_owned(), Some("1".to_owned()))];
        settings::set(&site.ctx(), "Administrator", "System Settings", &values).await.unwrap();
        let first = sign_in(&site.ctx(), "user@example.com").await.session.sid;
        let second = sign_in(&site.ctx(), "user@example.com").await.session.sid;
        assert!(!is_alive(&site, first.expose()).await);
        assert!(is_alive(&site, second.expose()).await);
    }
}

/// PBKDF2-HMAC-SHA256 with one block, in passlib's base64.
fn pbkdf2(password: &str, salt: &[u8], rounds: u32) -> String {
    use crema_crypto::token::hmac_sha256;
    let mut block = hmac_sha256(password.as_bytes(), &[salt, &1_u32.to_be_bytes()]);
    let mut key = block;
    for _ in 1..rounds {
        block = hmac_sha256(password.as_bytes(), &[&block]);
        for (byte, other) in key.iter_mut().zip(block) {
            *byte ^= other;
        }
    }
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD_NO_PAD
        .encode(key)
        .replace('+', ".")
}
