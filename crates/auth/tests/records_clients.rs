//! OAuth Client records: their rules, secrets, and what ends with them.
//!
//! spec: security.md, Clients; doctypes.md, OAuth Client; frappe/doctypes.md, OAuth Client
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod records_common;

use crema_auth::audit::{self, Entry, Operation, Status};
use crema_auth::client::{self, ClientFields, NewClient};
use crema_auth::{Failure, settings, user};
use crema_protocol::client_rules::{AuthMethod, GrantType, IdTokenAlgorithm};
use crema_store::{Sql, params};
use records_common::TestSite;

static COLUMN: Sql = Sql::new(
    r#"SELECT client_secret, client_id, grant_type, response_type, grant_types, default_redirect_uri
    FROM "tabOAuth Client" WHERE name = ?"#,
);
static SECRET: Sql = Sql::new(
    r#"SELECT password, encrypted FROM "__Auth" WHERE doctype = 'OAuth Client' AND name = ?"#,
);
static ALL_SECRETS: Sql = Sql::new(
    r#"SELECT name FROM "__Auth" WHERE doctype IN ('OAuth Client', 'Previous Client Secret')"#,
);
static AS_FRAPPE_LEFT_IT: Sql =
    Sql::new(r#"UPDATE "tabOAuth Client" SET client_secret = '01dd173525' WHERE name = ?"#);
static NO_SECRET: Sql =
    Sql::new(r#"DELETE FROM "__Auth" WHERE doctype = 'OAuth Client' AND name = ?"#);
static BUMP: Sql = Sql::new(r#"UPDATE "__version" SET version = version + 1"#);
static TOKENS: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Bearer Token" (name, client, "user", access_token, status)
    VALUES ('row', ?, 'Administrator', 'hash', 'Active')"#,
);
static CODE: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Authorization Code" (name, client, "user", authorization_code, validity)
    VALUES ('row', ?, 'Administrator', 'hash', 'Valid')"#,
);
static FAMILY: Sql = Sql::new(
    r#"INSERT INTO "__oauth_family" (name, client, "user", refresh_token)
    VALUES ('row', ?, 'Administrator', 'hash')"#,
);
static CONSENT: Sql =
    Sql::new(r#"INSERT INTO "tabOAuth Consent" (name, client, "user") VALUES ('row', ?, 'x')"#);
static LEFT: Sql = Sql::new(
    r#"SELECT t.status, c.validity, f.revoked_at, f.refresh_token,
    (SELECT COUNT(*) FROM "tabOAuth Consent") FROM "tabOAuth Bearer Token" t,
    "tabOAuth Authorization Code" c, "__oauth_family" f"#,
);
static LAST_USED: Sql = Sql::new(r#"SELECT last_used FROM "tabOAuth Client" WHERE name = ?"#);

fn web_app() -> ClientFields {
    ClientFields::new()
        .with("app_name", "Web App")
        .with("redirect_uris", "https://app.example/cb")
}

fn public_app() -> ClientFields {
    web_app().with("token_endpoint_auth_method", "None")
}

/// That the record is refused, with words that name the field.
async fn refused(site: &TestSite, fields: ClientFields, words: &str) {
    match site.client(fields).await {
        Err(Failure::Validation(text)) => assert!(text.contains(words), "{text}"),
        other => panic!("{words}: {other:?}"),
    }
}

on_every_database! {
    async fn a_new_client_is_strict(site: TestSite) {
        let made = site.client(web_app()).await.unwrap();
        assert_eq!(made.client_id.len(), 10);
        let secret = made.client_secret.unwrap();
        assert_eq!(secret.expose().len(), 43);
        let client = site.ctx().client(&made.client_id).await.unwrap().unwrap();
        assert!(client.enabled && client.refresh_rotation && client.may_introspect);
        assert!(client.claims_in_id_token && !client.skip_authorization);
        assert_eq!(client.allowed_roles, ["Desk User"]);
        assert_eq!(client.rules.auth_method, AuthMethod::ClientSecretBasic);
        assert_eq!(client.rules.id_token_signed_response_alg, IdTokenAlgorithm::RS256);
        assert_eq!(client.rules.scopes.to_string(), "all openid");
        assert!(!client.rules.require_pkce && !client.rules.allow_plain_pkce);
        let grants: Vec<_> = client.rules.grant_types.iter().copied().collect();
        assert_eq!(grants, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
        assert_eq!(client.default_redirect_uri.as_deref(), Some("https://app.example/cb"));
        assert_eq!(client.access_token_lifetime, None);
        assert_eq!(client.refresh_grace_seconds, None);
        assert!(client.secret_matches(secret.expose(), site.ctx().now));
        assert!(!client.secret_matches("", site.ctx().now));
        assert!(!client.secret_matches(&secret.expose().to_lowercase(), site.ctx().now));
        assert!(!format!("{client:?}").contains(secret.expose().as_str()));

        let row = &site.rows(&COLUMN, params![&made.client_id]).await[0];
        assert_eq!(row.text(0).unwrap(), "**********");
        assert_eq!(row.text(1).unwrap(), made.client_id);
        assert_eq!(row.text(2).unwrap(), "Authorization Code");
        assert_eq!(row.text(3).unwrap(), "Code");
        let row = &site.rows(&SECRET, params![&made.client_id]).await[0];
        assert!(row.text(0).unwrap().starts_with("gAAAAA") && row.bool(1).unwrap());
    }

    async fn ids_are_compared_byte_for_byte(site: TestSite) {
        let made = site.client(web_app()).await.unwrap();
        let ctx = site.ctx();
        for id in [
            made.client_id.to_uppercase(),
            format!("{} ", made.client_id),
            format!("{}\0", made.client_id),
            "%".to_owned(),
            String::new(),
            "x".repeat(3000),
        ] {
            let found = ctx.client(&id).await.unwrap();
            assert!(found.is_none() || id == made.client_id, "{id}");
        }
    }

    async fn public_clients_need_pkce_and_have_no_secret(site: TestSite) {
        let uris = "com.example.app:/cb\nhttp://127.0.0.1/cb\nhttps://app.example/cb\nvscode://x/y";
        let made = site.client(public_app().with("redirect_uris", uris)).await.unwrap();
        assert!(made.client_secret.is_none());
        assert!(site.rows(&SECRET, params![&made.client_id]).await.is_empty());
        let client = site.ctx().client(&made.client_id).await.unwrap().unwrap();
        assert!(client.is_public() && client.rules.require_pkce && !client.may_introspect);
        let open = public_app().with("require_pkce", "0");
        let made = site.client(open).await.unwrap();
        let client = site.ctx().client(&made.client_id).await.unwrap().unwrap();
        assert!(!client.rules.require_pkce);
        refused(&site, public_app().with("id_token_signed_response_alg", "HS256"), "HS256").await;
        let acting = public_app()
            .with("grant_types", "client_credentials")
            .with("user", "Administrator");
        refused(&site, acting, "client credentials").await;
    }

    async fn records_that_contradict_themselves_are_refused(site: TestSite) {
        refused(&site, ClientFields::new().with("redirect_uris", "https://a.b/"), "app_name").await;
        refused(&site, web_app().with("app_name", "  "), "app_name").await;
        refused(&site, web_app().with("app_name", "x".repeat(141)), "app_name").await;
        refused(&site, web_app().with("app_name", "a\nb"), "app_name").await;
        refused(&site, web_app().with("app_name", "a\0b"), "app_name").await;
        refused(&site, web_app().with("scopes", ""), "scopes").await;
        refused(&site, web_app().with("scopes", "o\"penid"), "scopes").await;
        refused(&site, web_app().with("redirect_uris", ""), "redirect_uris").await;
        for uri in [
            "http://app.example/cb",
            "javascript:alert(1)",
            "https://app.example/cb#x",
            "https://*.example/cb",
            "com.example.app:/cb",
            "/cb",
        ] {
            refused(&site, web_app().with("redirect_uris", uri), "redirect_uris").await;
        }
        let other = web_app().with("default_redirect_uri", "https://app.example/other");
        refused(&site, other, "default_redirect_uri").await;
        let pair = web_app().with("grant_type", "Implicit").with("response_type", "Code");
        refused(&site, pair, "Grant Type and Response Type").await;
        refused(&site, web_app().with("grant_types", "device_code"), "grant_types").await;
        refused(&site, web_app().with("grant_types", "client_credentials"), "user").await;
        refused(&site, web_app().with("user", "nobody@example.com"), "user").await;
        refused(&site, web_app().with("user", "Guest"), "user").await;
        refused(&site, web_app().with("enforcement", "Perhaps"), "enforcement").await;
        refused(&site, web_app().with("skip_authorization", "perhaps"), "skip_authorization").await;
        refused(&site, web_app().with("access_token_lifetime", "-1"), "access_token_lifetime").await;
        refused(&site, web_app().with("access_token_lifetime", "1h"), "access_token_lifetime").await;
        let short = web_app().with("refresh_token_lifetime", "60");
        refused(&site, short, "refresh_token_lifetime").await;
        let short = web_app().with("refresh_token_absolute_lifetime", "7200");
        refused(&site, short, "refresh_token_absolute_lifetime").await;
        refused(&site, web_app().with("logo_uri", "javascript:alert(1)"), "logo_uri").await;
        refused(&site, web_app().with("allowed_roles", "Nobody"), "allowed_roles").await;
        refused(&site, web_app().with("client_id", "chosen"), "client_id").await;
        refused(&site, web_app().with("client_secret", "chosen"), "client_secret").await;
        refused(&site, web_app().with("dynamically_registered", "1"), "dynamically").await;
        refused(&site, web_app().with("colour", "red"), "colour").await;
        assert!(client::list(&site.ctx()).await.unwrap().is_empty());
    }

    async fn frappes_pair_and_our_grants_agree(site: TestSite) {
        let cases = [
            (web_app().with("response_type", "Token"), "Implicit", "Token"),
            (web_app().with("grant_type", "Implicit"), "Implicit", "Token"),
            (web_app().with("grant_types", "implicit,password"), "Implicit", "Token"),
            (web_app().with("grant_types", "Password"), "Authorization Code", "Code"),
        ];
        for (fields, grant, response) in cases {
            let made = site.client(fields).await.unwrap();
            let row = &site.rows(&COLUMN, params![&made.client_id]).await[0];
            assert_eq!((row.text(2).unwrap(), row.text(3).unwrap()), (grant, response));
            let client = site.ctx().client(&made.client_id).await.unwrap().unwrap();
            assert_eq!(client.rules.allows_grant(GrantType::Implicit), grant == "Implicit");
            assert!(client.rules.grant_types.contains(&GrantType::AuthorizationCode));
            let back = ClientFields::new().with("grant_type", "Authorization Code");
            client::update(&site.ctx(), "Administrator", &made.client_id, back).await.unwrap();
            let client = site.ctx().client(&made.client_id).await.unwrap().unwrap();
            assert!(!client.rules.allows_grant(GrantType::Implicit));
        }
        let only_itself = ClientFields::new()
            .with("app_name", "Robot")
            .with("grant_types", "client_credentials")
            .with("user", "Administrator");
        site.client(only_itself).await.unwrap();
    }

    async fn a_user_of_a_client_lends_nothing(site: TestSite) {
        site.user("manager@example.com", &["System Manager"]).await;
        site.user("sales@example.com", &["Sales User"]).await;
        let make = |by: &'static str, user: &'static str| {
            let fields = web_app().with("user", user).with("grant_types", "client_credentials");
            let ctx = site.ctx();
            async move {
                let new = NewClient { fields, dynamically_registered: false };
                client::create(&ctx, by, new).await
            }
        };
        make("Administrator", "manager@example.com").await.unwrap();
        make("manager@example.com", "manager@example.com").await.unwrap();
        for (by, user) in [
            ("manager@example.com", "sales@example.com"),
            ("manager@example.com", "Administrator"),
            ("sales@example.com", "manager@example.com"),
        ] {
            let made = make(by, user).await;
            assert!(matches!(made, Err(Failure::Permission(_))), "{by} {user}");
        }
        user::disable(&site.ctx(), "Administrator", "sales@example.com").await.unwrap();
        let made = make("Administrator", "sales@example.com").await;
        assert!(matches!(made, Err(Failure::Validation(_))));
    }

    async fn a_change_is_seen_by_the_other_process_at_its_next_request(site: TestSite) {
        let made = site.client(web_app()).await.unwrap();
        let other = site.another_process();
        let there = || async {
            let ctx = records_common::ctx_of(&other, "192.0.2.1");
            ctx.client(&made.client_id).await.unwrap()
        };
        assert_eq!(there().await.unwrap().app_name, "Web App");
        let fields = ClientFields::new()
            .with("app_name", "Ünïcode & Co")
            .with("allowed_roles", "Sales User, Sales Manager")
            .with("refresh_grace_seconds", "0")
            .with("access_token_lifetime", "600");
        client::update(&site.ctx(), "Administrator", &made.client_id, fields).await.unwrap();
        let seen = there().await.unwrap();
        assert_eq!(seen.app_name, "Ünïcode & Co");
        assert_eq!(seen.allowed_roles, ["Sales User", "Sales Manager"]);
        assert_eq!((seen.refresh_grace_seconds, seen.access_token_lifetime), (Some(0), Some(600)));
        client::set_enabled(&site.ctx(), "Administrator", &made.client_id, false).await.unwrap();
        assert!(!there().await.unwrap().enabled);
        client::set_enabled(&site.ctx(), "Administrator", &made.client_id, true).await.unwrap();
        assert!(there().await.unwrap().enabled);
        client::delete(&site.ctx(), "Administrator", &made.client_id).await.unwrap();
        assert!(there().await.is_none());
        let gone = client::delete(&site.ctx(), "Administrator", &made.client_id).await;
        assert!(matches!(gone, Err(Failure::NotFound(_))));
    }

    async fn a_rotated_secret_overlaps_as_long_as_was_chosen(site: TestSite) {
        let made = site.client(web_app()).await.unwrap();
        let id = made.client_id.as_str();
        let fits = |secret: String| {
            let ctx = site.ctx();
            async move {
                ctx.client(id).await.unwrap().unwrap().secret_matches(&secret, ctx.now)
            }
        };
        let rotate = |overlap| {
            let ctx = site.ctx();
            async move {
                let secret = client::rotate_secret(&ctx, "Administrator", id, overlap).await;
                secret.map(|secret| secret.expose().clone())
            }
        };
        let first = made.client_secret.unwrap().expose().clone();
        let second = rotate(3600).await.unwrap();
        assert!(fits(first.clone()).await && fits(second.clone()).await);
        site.clock.advance_seconds(1800);
        let third = rotate(60).await.unwrap();
        for secret in [&first, &second, &third] {
            assert!(fits(secret.clone()).await);
        }
        site.clock.advance_seconds(60);
        assert!(fits(first.clone()).await && !fits(second.clone()).await);
        site.clock.advance_seconds(1740);
        assert!(!fits(first.clone()).await && fits(third.clone()).await);
        // Without an overlap everything earlier ends at once: the answer to a leak.
        let fourth = rotate(3600).await.unwrap();
        let fifth = rotate(0).await.unwrap();
        assert!(!fits(third).await && !fits(fourth).await && fits(fifth).await);
        assert_eq!(site.rows(&ALL_SECRETS, params![]).await.len(), 1);
        assert!(matches!(rotate(-1).await, Err(Failure::Validation(_))));
        assert!(matches!(rotate(91 * 86_400).await, Err(Failure::Validation(_))));
        let public = site.client(public_app()).await.unwrap();
        let none = client::rotate_secret(&site.ctx(), "Administrator", &public.client_id, 0).await;
        assert!(matches!(none, Err(Failure::Validation(_))));
        let none = client::rotate_secret(&site.ctx(), "Administrator", "nobody", 0).await;
        assert!(matches!(none, Err(Failure::NotFound(_))));
    }

    async fn a_clear_secret_of_frappe_is_read_and_can_be_rotated_away(site: TestSite) {
        let made = site.client(web_app()).await.unwrap();
        let id = made.client_id.as_str();
        site.execute(&AS_FRAPPE_LEFT_IT, params![id]).await;
        site.execute(&NO_SECRET, params![id]).await;
        site.execute(&BUMP, params![]).await;
        let ctx = site.ctx();
        let client = ctx.client(id).await.unwrap().unwrap();
        assert!(client.secret_matches("01dd173525", ctx.now));
        let new = client::rotate_secret(&ctx, "Administrator", id, 60).await.unwrap();
        let client = site.ctx().client(id).await.unwrap().unwrap();
        assert!(client.secret_matches("01dd173525", ctx.now));
        assert!(client.secret_matches(new.expose(), ctx.now));
        site.clock.advance_seconds(60);
        let client = site.ctx().client(id).await.unwrap().unwrap();
        assert!(!client.secret_matches("01dd173525", site.ctx().now));
        let row = &site.rows(&COLUMN, params![id]).await[0];
        assert_eq!(row.text(0).unwrap(), "01dd173525", "never rewritten");
    }

    async fn becoming_public_loses_the_secret_and_becoming_confidential_gives_one(site: TestSite) {
        let made = site.client(web_app()).await.unwrap();
        let id = made.client_id.as_str();
        let method = |method: &str| {
            let fields = ClientFields::new().with("token_endpoint_auth_method", method);
            let ctx = site.ctx();
            async move { client::update(&ctx, "Administrator", id, fields).await.unwrap() }
        };
        assert!(method("None").await.client_secret.is_none());
        let client = site.ctx().client(id).await.unwrap().unwrap();
        assert!(client.is_public() && client.rules.require_pkce && client.secret.is_none());
        assert!(site.rows(&SECRET, params![id]).await.is_empty());
        let secret = method("Client Secret Post").await.client_secret.unwrap();
        let client = site.ctx().client(id).await.unwrap().unwrap();
        assert!(client.secret_matches(secret.expose(), site.ctx().now));
        assert_ne!(secret, made.client_secret.unwrap());
        assert!(method("Client Secret Basic").await.client_secret.is_none());
    }

    async fn deleting_a_client_ends_what_it_was_given(site: TestSite) {
        let made = site.client(web_app()).await.unwrap();
        client::rotate_secret(&site.ctx(), "Administrator", &made.client_id, 60).await.unwrap();
        for sql in [&TOKENS, &CODE, &FAMILY, &CONSENT] {
            site.execute(sql, params![&made.client_id]).await;
        }
        client::delete(&site.ctx(), "Administrator", &made.client_id).await.unwrap();
        let row = &site.rows(&LEFT, params![]).await[0];
        assert_eq!((row.text(0).unwrap(), row.text(1).unwrap()), ("Revoked", "Invalid"));
        assert_eq!(row.opt_int(2).unwrap(), Some(site.ctx().now.micros()));
        assert!(row.opt_text(3).unwrap().is_none());
        assert_eq!(row.int(4).unwrap(), 0);
        assert!(site.rows(&ALL_SECRETS, params![]).await.is_empty());
    }

    async fn lists_and_records_show_no_secret(site: TestSite) {
        let made = site.client(web_app()).await.unwrap();
        site.client(public_app().with("app_name", "A Public App")).await.unwrap();
        let list = client::list(&site.ctx()).await.unwrap();
        let names: Vec<_> = list.iter().map(|one| (one.app_name.as_str(), one.public)).collect();
        assert_eq!(names, [("A Public App", true), ("Web App", false)]);
        let shown = client::show(&site.ctx(), &made.client_id).await.unwrap();
        assert_eq!(shown["app_name"], "Web App");
        assert_eq!(shown["allowed_roles"][0], "Desk User");
        assert_eq!(shown["refresh_rotation"], 1);
        assert!(!shown.contains_key("client_secret"));
        let unknown = client::show(&site.ctx(), "nobody").await;
        assert!(matches!(unknown, Err(Failure::NotFound(_))));
    }

    async fn the_last_use_is_written_every_ten_minutes_at_most(site: TestSite) {
        let made = site.client(web_app()).await.unwrap();
        let use_it = || async {
            let ctx = site.ctx();
            let client = ctx.client(&made.client_id).await.unwrap().unwrap();
            client::touch(&ctx, &client).await;
            let row = &site.rows(&LAST_USED, params![&made.client_id]).await[0];
            row.opt_datetime(0).unwrap()
        };
        let first = use_it().await.unwrap();
        site.clock.advance_seconds(599);
        assert_eq!(use_it().await, Some(first));
        site.clock.advance_seconds(1);
        assert_eq!(use_it().await, Some(first + 600 * 1_000_000));
    }

    async fn the_report_names_who_would_break(site: TestSite) {
        let observed = site.client(web_app().with("enforcement", "Observe")).await.unwrap();
        let other = site.client(web_app().with("app_name", "Other")).await.unwrap();
        let observe = |client: String, violation: &'static str| {
            let ctx = site.ctx();
            async move {
                let entry = Entry::new(&ctx, Operation::Observe, Status::Success)
                    .client(&client)
                    .detail("violation", violation);
                audit::record_now(&ctx, entry).await.unwrap();
            }
        };
        observe(other.client_id.clone(), "pkce_absent").await;
        site.clock.advance_seconds(31 * 86_400);
        for _ in 0..5 {
            observe(observed.client_id.clone(), "client_authentication_absent").await;
        }
        observe(observed.client_id.clone(), "pkce_absent").await;
        site.clock.advance_seconds(60);
        observe(observed.client_id.clone(), "pkce_absent").await;
        let report = client::report(&site.ctx()).await.unwrap();
        let rows: Vec<_> = report
            .iter()
            .map(|row| (row.client_id.as_str(), row.violation.as_str(), row.count))
            .collect();
        let id = observed.client_id.as_str();
        assert_eq!(rows, [(id, "client_authentication_absent", 5), (id, "pkce_absent", 2)]);
        assert_eq!(report[0].app_name, "Web App");
        assert_eq!(report[0].enforcement, "Observe");
        assert!(report[0].last.is_some());
    }

    async fn settings_are_checked_and_seen(site: TestSite) {
        let before = site.ctx().settings().await.unwrap();
        assert_eq!(before.access_token_lifetime, 3600);
        assert_eq!(before.refresh_token_lifetime, 30 * 86_400);
        assert_eq!(before.refresh_token_absolute_lifetime, 90 * 86_400);
        assert_eq!(before.refresh_grace_seconds, 10);
        assert_eq!((before.session_expiry, before.session_absolute), (612_000, 2_592_000));
        assert_eq!(before.allow_consecutive_login_attempts, 10);
        assert_eq!(before.registration_scopes, ["openid", "profile", "email", "offline_access"]);
        assert!(before.force_consent && !before.skip_authorization);
        let set = |doctype: &'static str, field: &'static str, value: &'static str| {
            let values = vec![(field.to_owned(), Some(value.to_owned()))];
            let ctx = site.ctx();
            async move { settings::set(&ctx, "Administrator", doctype, &values).await }
        };
        set("OAuth Provider Settings", "skip_authorization", "Auto").await.unwrap();
        let now = site.ctx().settings().await.unwrap();
        assert!(now.skip_authorization && !now.force_consent);
        set("OAuth Settings", "skip_authorization", "1").await.unwrap();
        set("OAuth Provider Settings", "skip_authorization", "Force").await.unwrap();
        let now = site.ctx().settings().await.unwrap();
        assert!(now.skip_authorization && !now.force_consent, "the deprecated one is not read");
        set("OAuth Settings", "allowed_redirect_schemes", "myapp").await.unwrap();
        site.client(public_app().with("redirect_uris", "myapp://cb")).await.unwrap();
        for (doctype, field, value) in [
            ("OAuth Settings", "access_token_lifetime", "-5"),
            ("OAuth Settings", "access_token_lifetime", "soon"),
            ("OAuth Settings", "colour", "red"),
            ("OAuth Provider Settings", "skip_authorization", "Never"),
            ("System Settings", "session_expiry", "a week"),
            ("OAuth Client", "app_name", "x"),
            ("Nothing", "x", "y"),
        ] {
            let answer = set(doctype, field, value).await;
            assert!(matches!(answer, Err(Failure::Validation(_))), "{doctype} {field} {value}");
        }
    }
}
