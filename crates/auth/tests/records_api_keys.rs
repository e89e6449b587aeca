//! API keys: who makes them, what opens with them, what is kept of them, and who is refused.
//!
//! spec: http.md, Resource server; security.md, Clients
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod records_common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crema_auth::api_key::{self, ApiKeyChange, NewApiKey, NewPair};
use crema_auth::caller::{self, Caller, Credential, Unidentified};
use crema_auth::{Ctx, Failure, session, user};
use crema_document::access::{Action, Reach};
use crema_protocol::scope::Scope;
use crema_store::{Sql, Value, params};
use records_common::{TestSite, ctx_of};

static AUTH: Sql = Sql::new(
    r#"SELECT "password", encrypted FROM "__Auth" WHERE doctype = ? AND name = ?
    AND fieldname = 'api_secret'"#,
);
static SET_AUTH: Sql = Sql::new(
    r#"INSERT INTO "__Auth" (doctype, name, fieldname, "password", encrypted)
    VALUES ('User', ?, 'api_secret', ?, 1)"#,
);
static SET_KEY: Sql = Sql::new(r#"UPDATE "tabUser" SET api_key = ? WHERE name = ?"#);
static RESTRICT: Sql = Sql::new(
    r#"UPDATE "tabUser" SET restrict_ip = ?, login_after = ?, login_before = ? WHERE name = ?"#,
);
static BUMP: Sql = Sql::new(r#"UPDATE "__version" SET version = version + 1"#);
static LAST_USED: Sql = Sql::new(r#"SELECT last_used FROM "tabAPI Key" WHERE name = ?"#);
static OF_USER: Sql = Sql::new(r#"SELECT name FROM "tabAPI Key" WHERE "user" = ?"#);
static USERS: Sql = Sql::new(r#"SELECT * FROM "tabUser""#);
static KEYS: Sql = Sql::new(r#"SELECT * FROM "tabAPI Key""#);
static AUTHS: Sql = Sql::new(r#"SELECT * FROM "__Auth""#);
static ENTRIES: Sql = Sql::new(r#"SELECT * FROM "tabActivity Log""#);
static OF_OPERATION: Sql = Sql::new(
    r#"SELECT "user", content FROM "tabActivity Log" WHERE operation = ? ORDER BY creation"#,
);
static FAILURES: Sql =
    Sql::new(r#"SELECT name FROM "__failure" WHERE name LIKE 'api!_key:%' ESCAPE '!'"#);

const USER: &str = "jo@example.com";
const MANAGER: &str = "boss@example.com";

/// Somebody who has just signed in.
async fn signed_in(site: &TestSite, name: &str) -> Caller {
    let ctx = site.ctx();
    let user = ctx.user(name).await.unwrap().unwrap();
    let new = session::start(&ctx, &user, None).await.unwrap();
    let session = session::resolve(&ctx, new.sid.expose()).await.unwrap();
    caller::identify(&site.ctx(), "/", None, None, session.as_ref())
        .await
        .unwrap()
}

async fn identify(ctx: &Ctx, header: &str) -> Result<Caller, Unidentified> {
    caller::identify(ctx, "/", Some(header), None, None).await
}

fn token(pair: &NewPair) -> String {
    format!("token {}:{}", pair.api_key, pair.api_secret.expose())
}

/// Who it is, or how it was refused.
async fn who(ctx: &Ctx, header: &str) -> String {
    said(identify(ctx, header).await)
}

fn said(result: Result<Caller, Unidentified>) -> String {
    match result {
        Ok(caller) => caller.user,
        Err(Unidentified::BadCredentials) => "wrong".to_owned(),
        Err(Unidentified::Restricted(message)) => message.to_owned(),
        Err(Unidentified::Failure(Failure::TooMany { retry_after })) => {
            assert!((1..=60).contains(&retry_after));
            "locked".to_owned()
        }
        Err(other) => panic!("{other:?}"),
    }
}

fn new_key(user: &str) -> NewApiKey {
    NewApiKey {
        title: "Nightly export".to_owned(),
        user: user.to_owned(),
        scopes: "all".to_owned(),
        expires_at: None,
        restrict_ip: String::new(),
        enabled: true,
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Failure>) -> &'static str {
    match result.unwrap_err() {
        Failure::Permission(_) => "permission",
        Failure::Validation(_) => "validation",
        Failure::NotFound(_) => "not found",
        other => panic!("{other:?}"),
    }
}

/// Everything that the tables hold, as text.
async fn everything(site: &TestSite) -> String {
    let mut text = String::new();
    for sql in [&USERS, &KEYS, &AUTHS, &ENTRIES] {
        for row in site.rows(sql, params![]).await {
            for value in row.values() {
                if let Value::Text(value) = value {
                    text.push_str(value);
                    text.push('\n');
                }
            }
        }
    }
    text
}

on_every_database! {
    // spec: http.md, "`Authorization: token <api_key>:<api_secret>` · `Authorization: Basic …`"
    async fn a_generated_pair_signs_requests_in_both_schemes(site: TestSite) {
        site.user(USER, &["Sales User"]).await;
        let admin = signed_in(&site, "Administrator").await;
        let pair = api_key::generate(&site.ctx(), &admin, USER).await.unwrap();
        assert_eq!(pair.api_key.len(), 15);
        assert!(pair.api_key.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(pair.api_secret.expose().len(), 43);

        let both = format!("{}:{}", pair.api_key, pair.api_secret.expose());
        let basic = STANDARD.encode(&both);
        for header in [format!("token {both}"), format!("TOKEN {both}"), format!("basic {basic}")] {
            let caller = identify(&site.ctx(), &header).await.unwrap();
            assert_eq!(caller.user, USER);
            assert_eq!(caller.credential, Credential::ApiKey);
            assert_eq!(caller.actor.reach, Reach::Everything);
            assert!(caller.actor.roles.contains("Sales User"));
            assert!(caller.scopes.is_none() && caller.auth_time.is_none());
        }
        let swapped = both.to_uppercase();
        for wrong in [
            format!("token {swapped}"),
            format!("token {both}x"),
            format!("token {}:{}", pair.api_key, pair.api_key),
            format!("token x{both}"),
            format!("token {}:", pair.api_key),
        ] {
            assert_eq!(who(&site.ctx(), &wrong).await, "wrong", "{wrong}");
        }
    }

    // spec: http.md, "secret shown once"; security.md, Clients, "are shown once"
    async fn a_secret_is_in_no_table(site: TestSite) {
        site.user(USER, &[]).await;
        let admin = signed_in(&site, "Administrator").await;
        let pair = api_key::generate(&site.ctx(), &admin, USER).await.unwrap();
        let own = api_key::create(&site.ctx(), &admin, new_key(USER)).await.unwrap();
        who(&site.ctx(), &token(&own)).await;
        let text = everything(&site).await;
        for pair in [&pair, &own] {
            assert!(!text.contains(pair.api_secret.expose().as_str()));
            assert!(text.contains(&pair.api_key));
            assert!(!format!("{pair:?}").contains(pair.api_secret.expose().as_str()));
        }
        // Frappe reads the pair of the User.
        let rows = site.rows(&AUTH, params!["User", USER]).await;
        assert!(rows[0].bool(1).unwrap());
        let fernet = site.provider.site_keys().fernet();
        let plain = fernet.decrypt(rows[0].text(0).unwrap()).unwrap();
        assert_eq!(plain.expose(), pair.api_secret.expose().as_bytes());
        let rows = site.rows(&AUTH, params!["API Key", &own.name]).await;
        assert!(!rows[0].bool(1).unwrap());
        assert_eq!(rows[0].text(0).unwrap(), crema_crypto::hash_hex(own.api_secret.expose()));
    }

    async fn the_old_pair_ends_and_the_key_stays(site: TestSite) {
        site.user(USER, &[]).await;
        let admin = signed_in(&site, "Administrator").await;
        let first = api_key::generate(&site.ctx(), &admin, USER).await.unwrap();
        let second = api_key::generate(&site.ctx(), &admin, USER).await.unwrap();
        assert_eq!(first.api_key, second.api_key);
        assert_eq!(who(&site.ctx(), &token(&first)).await, "wrong");
        assert_eq!(who(&site.ctx(), &token(&second)).await, USER);
        // Also in a process that had the user in memory.
        let other = site.another_process();
        assert_eq!(who(&ctx_of(&other, "192.0.2.1"), &token(&second)).await, USER);
    }

    async fn a_pair_that_frappe_made_works(site: TestSite) {
        site.user(USER, &[]).await;
        let fernet = site.provider.site_keys().fernet();
        let entropy = &*site.provider.environment().entropy;
        let secret = fernet.encrypt(entropy, 1_700_000_000, b"768d6ce5b2c9f60").unwrap();
        site.execute(&SET_KEY, params!["450e5374cfe938e", USER]).await;
        site.execute(&SET_AUTH, params![USER, secret]).await;
        assert_eq!(who(&site.ctx(), "token 450e5374cfe938e:768d6ce5b2c9f60").await, USER);
        assert_eq!(who(&site.ctx(), "token 450E5374CFE938E:768d6ce5b2c9f60").await, "wrong");
        assert_eq!(who(&site.ctx(), "token 450e5374cfe938e:768D6CE5B2C9F60").await, "wrong");
    }

    // spec: security.md, "`generate_keys` never give roles that the person setting them lacks";
    // "API keys … need an `auth_time` of less than 10 minutes"
    async fn who_may_generate(site: TestSite) {
        site.user(USER, &["Sales User"]).await;
        site.user(MANAGER, &["System Manager"]).await;
        site.user("peer@example.com", &["System Manager"]).await;
        let manager = signed_in(&site, MANAGER).await;
        let generate = async |caller: &Caller, user: &str| {
            api_key::generate(&site.ctx(), caller, user).await
        };
        assert!(generate(&manager, MANAGER).await.is_ok());
        assert!(generate(&manager, "peer@example.com").await.is_ok());
        assert_eq!(refusal(generate(&manager, USER).await), "permission");
        assert_eq!(refusal(generate(&manager, "Administrator").await), "permission");
        assert_eq!(refusal(generate(&manager, "nobody@example.com").await), "not found");
        assert_eq!(refusal(generate(&manager, "Guest").await), "validation");
        let plain = signed_in(&site, USER).await;
        assert_eq!(refusal(generate(&plain, USER).await), "permission");
        let guest = caller::identify(&site.ctx(), "/", None, None, None).await.unwrap();
        assert!(guest.is_guest());
        assert_eq!(refusal(generate(&guest, USER).await), "permission");

        let admin = signed_in(&site, "Administrator").await;
        let pair = generate(&admin, "Administrator").await.unwrap();
        let by_key = identify(&site.ctx(), &token(&pair)).await.unwrap();
        assert_eq!(refusal(generate(&by_key, USER).await), "permission");
        let narrow = NewApiKey { scopes: "method:a.b todo:*".to_owned(), ..new_key("Administrator") };
        let narrow = api_key::create(&site.ctx(), &admin, narrow).await.unwrap();
        let narrow = identify(&site.ctx(), &token(&narrow)).await.unwrap();
        assert_eq!(refusal(generate(&narrow, USER).await), "permission");

        site.clock.advance_seconds(599);
        assert!(generate(&admin, USER).await.is_ok());
        site.clock.advance_seconds(1);
        assert_eq!(refusal(generate(&admin, USER).await), "permission");
    }

    async fn keys_of_our_own_have_scopes_and_an_end(site: TestSite) {
        site.user(USER, &["Sales User"]).await;
        let admin = signed_in(&site, "Administrator").await;
        let end = site.ctx().now.plus_seconds(3600);
        let new = NewApiKey {
            scopes: " todo:read\n crm_task:*  method:crm.api.home ".to_owned(),
            expires_at: Some(end),
            ..new_key(USER)
        };
        let pair = api_key::create(&site.ctx(), &admin, new).await.unwrap();
        let other = api_key::create(&site.ctx(), &admin, new_key(USER)).await.unwrap();
        let caller = identify(&site.ctx(), &token(&pair)).await.unwrap();
        assert_eq!(caller.user, USER);
        let reach = &caller.actor.reach;
        assert!(reach.covers("ToDo", Action::Read) && !reach.covers("ToDo", Action::Write));
        assert!(reach.covers("CRM Task", Action::Delete) && !reach.covers("User", Action::Read));
        assert!(caller.may_call("crm.api.home") && !caller.may_call("crm.api.other"));
        let wide = identify(&site.ctx(), &token(&other)).await.unwrap();
        assert_eq!(wide.actor.reach, Reach::Everything);
        assert!(wide.may_call("any.method"));

        let listed = api_key::list(&site.ctx(), USER).await.unwrap();
        assert_eq!(listed.len(), 2);
        let one = listed.iter().find(|key| key.name == pair.name).unwrap();
        assert_eq!(one.scopes, "todo:read crm_task:* method:crm.api.home");
        assert_eq!(one.expires_at, Some(end));

        site.clock.advance_seconds(3599);
        assert_eq!(who(&site.ctx(), &token(&pair)).await, USER);
        site.clock.advance_seconds(1);
        assert_eq!(who(&site.ctx(), &token(&pair)).await, "wrong");
        assert_eq!(who(&site.ctx(), &token(&other)).await, USER);
    }

    async fn a_key_is_changed_switched_off_and_revoked(site: TestSite) {
        site.user(USER, &[]).await;
        site.user("other@example.com", &[]).await;
        let own = signed_in(&site, USER).await;
        let pair = api_key::create(&site.ctx(), &own, new_key(USER)).await.unwrap();
        let change = async |caller: &Caller, change| {
            api_key::change(&site.ctx(), caller, &pair.name, change).await
        };
        let addresses = ApiKeyChange { restrict_ip: Some("198.51.100.0/24\n10.1".to_owned()), ..ApiKeyChange::default() };
        change(&own, addresses).await.unwrap();
        assert_eq!(who(&site.ctx(), &token(&pair)).await, "Access not allowed from this IP Address");
        assert_eq!(who(&site.ctx_from("198.51.100.7"), &token(&pair)).await, USER);
        assert_eq!(who(&site.ctx_from("10.1.2.3"), &token(&pair)).await, USER);

        let stranger = signed_in(&site, "other@example.com").await;
        let off = || ApiKeyChange { enabled: Some(false), ..ApiKeyChange::default() };
        assert_eq!(refusal(change(&stranger, off()).await), "permission");
        site.clock.advance_seconds(700);
        let widen = ApiKeyChange { restrict_ip: Some(String::new()), ..ApiKeyChange::default() };
        assert_eq!(refusal(change(&own, widen).await), "permission");
        change(&own, off()).await.unwrap();
        assert_eq!(who(&site.ctx_from("10.1.2.3"), &token(&pair)).await, "wrong");

        assert_eq!(refusal(api_key::revoke(&site.ctx(), &stranger, &pair.name).await), "permission");
        api_key::revoke(&site.ctx(), &own, &pair.name).await.unwrap();
        assert_eq!(refusal(api_key::revoke(&site.ctx(), &own, &pair.name).await), "not found");
        assert!(site.rows(&AUTH, params!["API Key", &pair.name]).await.is_empty());
        let changes: Vec<String> = site.rows(&OF_OPERATION, params!["API Key Changed"]).await
            .iter().map(|row| row.text(1).unwrap().to_owned()).collect();
        assert_eq!(changes.len(), 4, "{changes:?}");
    }

    async fn what_no_key_can_have(site: TestSite) {
        site.user(USER, &[]).await;
        site.user(MANAGER, &["System Manager"]).await;
        let admin = signed_in(&site, "Administrator").await;
        let create = async |caller: &Caller, new| api_key::create(&site.ctx(), caller, new).await;
        let past = site.ctx().now;
        let bad = [
            NewApiKey { title: " ".to_owned(), ..new_key(USER) },
            NewApiKey { title: "x".repeat(141), ..new_key(USER) },
            NewApiKey { scopes: "ToDo:read".to_owned(), ..new_key(USER) },
            NewApiKey { scopes: "openid".to_owned(), ..new_key(USER) },
            NewApiKey { scopes: " ".to_owned(), ..new_key(USER) },
            NewApiKey { scopes: "todo:é".to_owned(), ..new_key(USER) },
            NewApiKey { scopes: (0..1000).map(|n| format!("a{n}:read ")).collect(), ..new_key(USER) },
            NewApiKey { restrict_ip: "my office".to_owned(), ..new_key(USER) },
            NewApiKey { restrict_ip: "10.0.0.0/40 x".to_owned(), ..new_key(USER) },
            NewApiKey { expires_at: Some(past), ..new_key(USER) },
            NewApiKey { user: "Guest".to_owned(), ..new_key(USER) },
        ];
        for new in bad {
            let shown = format!("{new:?}");
            assert_eq!(refusal(create(&admin, new).await), "validation", "{shown}");
        }
        assert_eq!(refusal(create(&admin, new_key("nobody@example.com")).await), "not found");
        // Not for another, not for more roles, not for more scope.
        let own = signed_in(&site, USER).await;
        assert_eq!(refusal(create(&own, new_key(MANAGER)).await), "permission");
        let manager = signed_in(&site, MANAGER).await;
        assert_eq!(refusal(create(&manager, new_key("Administrator")).await), "permission");
        assert!(create(&manager, new_key(USER)).await.is_ok());
        let mut narrow = own.clone();
        narrow.scopes = Some(std::sync::Arc::new(
            crema_protocol::resource_scope::ResourceScopes::of(
                &crema_protocol::scope::Scope::from_registered("todo:read api_key:create"),
            ),
        ));
        assert_eq!(refusal(create(&narrow, new_key(USER)).await), "permission");
        let todo = NewApiKey { scopes: "todo:read".to_owned(), ..new_key(USER) };
        assert!(create(&narrow, todo.clone()).await.is_ok());
        // An app that acts for somebody makes none that would outlive it.
        narrow.credential = Credential::Bearer {
            client: "an app".to_owned(),
            self_registered: false,
            scope: Scope::default(),
        };
        assert_eq!(refusal(create(&narrow, todo).await), "permission");
    }

    // spec: security.md, Clients, "Wrong credentials are rate limited per client and per address"
    async fn guessing_has_to_wait_and_stands_in_nobodys_way(site: TestSite) {
        site.user(USER, &[]).await;
        let admin = signed_in(&site, "Administrator").await;
        let pair = api_key::generate(&site.ctx(), &admin, USER).await.unwrap();
        let other = api_key::create(&site.ctx(), &admin, new_key(USER)).await.unwrap();
        let wrong = format!("token {}:guess", pair.api_key);
        for _ in 0..10 {
            assert_eq!(who(&site.ctx(), &wrong).await, "wrong");
        }
        assert_eq!(who(&site.ctx(), &wrong).await, "locked");
        // The right one too, or guessing would go on; but not from elsewhere, nor another key.
        assert_eq!(who(&site.ctx(), &token(&pair)).await, "locked");
        assert_eq!(who(&site.ctx_from("198.51.100.7"), &token(&pair)).await, USER);
        assert_eq!(who(&site.ctx(), &token(&other)).await, USER);

        // Unknown keys are answered alike, and share a counter.
        for number in 0..10 {
            let unknown = format!("token {number:015x}:guess");
            assert_eq!(who(&site.ctx(), &unknown).await, "wrong");
        }
        assert_eq!(who(&site.ctx(), "token 00000000000abcd:guess").await, "locked");
        assert_eq!(who(&site.ctx(), &token(&other)).await, USER);
        assert_eq!(site.rows(&FAILURES, params![]).await.len(), 2);
        site.clock.advance_seconds(61);
        assert_eq!(who(&site.ctx(), &token(&pair)).await, USER);

        let entries = site.rows(&OF_OPERATION, params!["API Key Authentication"]).await;
        let users: Vec<Option<&str>> = entries.iter().map(|row| row.opt_text(0).unwrap()).collect();
        assert!(users.contains(&Some(USER)) && users.contains(&None), "{users:?}");
        assert!(entries.len() <= 4);
    }

    // spec: security.md, "Disabled users …: their tokens and sessions stop at the next request"
    async fn the_user_counts_at_every_request(site: TestSite) {
        site.user(USER, &[]).await;
        let admin = signed_in(&site, "Administrator").await;
        let pair = api_key::generate(&site.ctx(), &admin, USER).await.unwrap();
        let other = api_key::create(&site.ctx(), &admin, new_key(USER)).await.unwrap();
        let restrict = async |address: &str, after: i64, before: i64| {
            site.execute(&RESTRICT, params![address, after, before, USER]).await;
            site.execute(&BUMP, params![]).await;
        };
        restrict("203.0.113.0/24", 0, 0).await;
        for pair in [&pair, &other] {
            assert_eq!(who(&site.ctx(), &token(pair)).await, "Access not allowed from this IP Address");
            assert_eq!(who(&site.ctx_from("203.0.113.9"), &token(pair)).await, USER);
        }
        // It is noon in UTC; the site keeps the time of its own zone.
        let local = site.provider.site().local(site.ctx().now).micros();
        let hour = local.div_euclid(3_600_000_000).rem_euclid(24);
        restrict("", hour + 1, 0).await;
        assert_eq!(who(&site.ctx(), &token(&pair)).await, "Login not allowed at this time");
        site.clock.advance_seconds(3600);
        assert_eq!(who(&site.ctx(), &token(&pair)).await, USER);
        user::disable(&site.ctx(), "Administrator", USER).await.unwrap();
        assert_eq!(who(&site.ctx(), &token(&pair)).await, "wrong");
        assert_eq!(who(&site.ctx(), &token(&other)).await, "wrong");
    }

    async fn restrictions_hold_for_sessions_too(site: TestSite) {
        site.user(USER, &[]).await;
        let ctx = site.ctx();
        let user = ctx.user(USER).await.unwrap().unwrap();
        let new = session::start(&ctx, &user, None).await.unwrap();
        let session = session::resolve(&ctx, new.sid.expose()).await.unwrap();
        site.execute(&RESTRICT, params!["203.0.113.9", 0, 0, USER]).await;
        site.execute(&BUMP, params![]).await;
        let there = caller::identify(&site.ctx_from("203.0.113.9"), "/", None, None, session.as_ref()).await;
        assert_eq!(there.unwrap().credential, Credential::Session);
        let here = caller::identify(&site.ctx(), "/", None, None, session.as_ref()).await;
        assert_eq!(said(here), "Access not allowed from this IP Address");
    }

    // spec: security.md, Audit, "`last_used` is written behind, at most every 10 minutes"
    async fn the_last_use_is_written_behind(site: TestSite) {
        site.user(USER, &[]).await;
        let admin = signed_in(&site, "Administrator").await;
        let pair = api_key::create(&site.ctx(), &admin, new_key(USER)).await.unwrap();
        let used = async || {
            let rows = site.rows(&LAST_USED, params![&pair.name]).await;
            rows[0].opt_datetime(0).unwrap()
        };
        assert_eq!(used().await, None);
        who(&site.ctx(), &token(&pair)).await;
        while used().await.is_none() {
            tokio::task::yield_now().await;
        }
        let first = used().await;
        assert_eq!(first, Some(site.provider.site().local(site.ctx().now).micros()));
        site.clock.advance_seconds(599);
        who(&site.ctx(), &token(&pair)).await;
        assert_eq!(used().await, first);
        site.clock.advance_seconds(1);
        who(&site.ctx(), &token(&pair)).await;
        while used().await == first {
            tokio::task::yield_now().await;
        }
    }

    // spec: http.md, "`Frappe-Authorization-Source: <DocType>` picks another DocType holding keys"
    async fn a_source_is_a_doctype_that_keeps_keys(site: TestSite) {
        site.user(USER, &[]).await;
        let admin = signed_in(&site, "Administrator").await;
        let pair = api_key::generate(&site.ctx(), &admin, USER).await.unwrap();
        let own = api_key::create(&site.ctx(), &admin, new_key(USER)).await.unwrap();
        let from = async |pair: &NewPair, source: &str| {
            let header = token(pair);
            said(caller::identify(&site.ctx(), "/", Some(&header), Some(source), None).await)
        };
        assert_eq!(from(&pair, "User").await, USER);
        assert_eq!(from(&pair, "").await, USER);
        assert_eq!(from(&own, "API Key").await, USER);
        assert_eq!(from(&pair, "API Key").await, "wrong");
        assert_eq!(from(&own, "User").await, "wrong");
        let hostile = "User\" u WHERE 1=1 --";
        for source in ["OAuth Client", "ToDo", "OAuth Settings", "Has Role", "Nothing", hostile, "user"] {
            assert_eq!(from(&pair, source).await, "wrong", "{source}");
            site.clock.advance_seconds(61);
        }
    }

    async fn the_keys_of_a_user_go_with_them(site: TestSite) {
        site.user(USER, &[]).await;
        let admin = signed_in(&site, "Administrator").await;
        for _ in 0..2 {
            api_key::create(&site.ctx(), &admin, new_key(USER)).await.unwrap();
        }
        site.provider.database()
            .write(|tx| Box::pin(async move { api_key::end_of_user(tx, USER).await }))
            .await
            .unwrap();
        assert!(site.rows(&OF_USER, params![Value::from(USER)]).await.is_empty());
        let left = site.rows(&AUTHS, params![]).await;
        assert!(left.iter().all(|row| row.named("doctype") != Some(&Value::from("API Key"))));
    }
}
