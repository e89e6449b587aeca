//! Users: how they are made, what their roles are, what ends with a change.
//!
//! spec: doctypes.md, User; security.md, Codes and tokens, "Disabled users"
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod records_common;

use std::time::Duration;

use crema_auth::login::{self, LoginOutcome, LoginRequest};
use crema_auth::password::PasswordPool;
use crema_auth::user::{self, NewUser};
use crema_auth::{Failure, session};
use crema_crypto::{PasswordCost, Secret};
use crema_store::{Sql, params};
use records_common::{PASSWORD, TestSite, ctx_of};

static HASH: Sql =
    Sql::new(r#"SELECT password, encrypted FROM "__Auth" WHERE doctype = 'User' AND name = ?"#);
static NO_SUBJECT: Sql = Sql::new(r#"DELETE FROM "tabUser Social Login" WHERE parent = ?"#);
static SUBJECTS: Sql = Sql::new(
    r#"SELECT userid FROM "tabUser Social Login" WHERE parent = ? AND provider = 'frappe'"#,
);
static BUMP: Sql = Sql::new(r#"UPDATE "__version" SET version = version + 1"#);
static TOKENS: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Bearer Token" (name, client, "user", access_token, status)
    VALUES (?, 'c', ?, ?, 'Active')"#,
);
static CODE: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Authorization Code" (name, client, "user", authorization_code, validity)
    VALUES (?, 'c', ?, ?, 'Valid')"#,
);
static FAMILY: Sql = Sql::new(
    r#"INSERT INTO "__oauth_family" (name, client, "user", refresh_token) VALUES (?, 'c', ?, ?)"#,
);
static TOKEN_STATES: Sql =
    Sql::new(r#"SELECT "user", status FROM "tabOAuth Bearer Token" ORDER BY "user""#);
static CODE_STATES: Sql =
    Sql::new(r#"SELECT "user", validity FROM "tabOAuth Authorization Code" ORDER BY "user""#);
static FAMILY_STATES: Sql = Sql::new(
    r#"SELECT "user", CASE WHEN revoked_at IS NULL THEN 'live' ELSE 'revoked' END
    FROM "__oauth_family" ORDER BY "user""#,
);

async fn granted(site: &TestSite, user: &str) {
    for sql in [&TOKENS, &CODE, &FAMILY] {
        site.execute(sql, params![user, user, user]).await;
    }
}

async fn states(site: &TestSite, sql: &'static Sql) -> Vec<String> {
    let rows = site.rows(sql, params![]).await;
    rows.iter()
        .map(|row| row.text(1).unwrap().to_owned())
        .collect()
}

async fn sign_in(site: &TestSite, usr: &str, pwd: &str) -> LoginOutcome {
    let request = LoginRequest {
        usr: usr.to_owned(),
        pwd: pwd.into(),
        previous_sid: None,
    };
    login::login(&site.ctx(), &request).await.unwrap()
}

on_every_database! {
    async fn a_user_is_made_as_frappe_makes_one(site: TestSite) {
        let new = NewUser {
            email: " Ada.Lovelace@Example.COM".to_owned(),
            first_name: Some("Ada".to_owned()),
            last_name: Some("Lovelace".to_owned()),
            password: Some(Secret::from(PASSWORD)),
            roles: vec!["Sales User".to_owned(), "Sales User".to_owned()],
            email_verified: true,
            language: Some("en".to_owned()),
            time_zone: Some("Europe/London".to_owned()),
            ..NewUser::default()
        };
        let name = user::create(&site.ctx(), "Administrator", new).await.unwrap();
        assert_eq!(name, "ada.lovelace@example.com");
        let ada = site.ctx().user(&name).await.unwrap().unwrap();
        assert_eq!((ada.email.as_str(), ada.full_name.as_str()), (name.as_str(), "Ada Lovelace"));
        assert_eq!(ada.username.as_deref(), Some("ada"));
        assert_eq!(ada.roles, ["Sales User", "All", "Guest", "Desk User"]);
        assert!(ada.is_system_user() && ada.enabled && ada.email_verified);
        assert!(!ada.has_second_factor);
        assert_eq!(ada.modified, Some(site.ctx().now));
        assert!(ada.subject.len() == 39 && ada.subject.bytes().all(|b| b.is_ascii_hexdigit()));
        let row = &site.rows(&HASH, params![&name]).await[0];
        assert!(row.text(0).unwrap().starts_with("$argon2id$") && !row.bool(1).unwrap());

        // The same first name again: no user name, but another subject.
        let second = NewUser {
            email: "ada@example.com".to_owned(),
            first_name: Some("Ada".to_owned()),
            ..NewUser::default()
        };
        let second = user::create(&site.ctx(), "Administrator", second).await.unwrap();
        let second = site.ctx().user(&second).await.unwrap().unwrap();
        assert_eq!(second.username, None);
        assert_ne!(second.subject, ada.subject);
        assert_eq!(second.user_type, "Website User");
        assert_eq!(second.roles, ["All", "Guest"]);
        let names: Vec<_> = user::list(&site.ctx()).await.unwrap();
        let names: Vec<_> = names.iter().map(|one| one.name.as_str()).collect();
        assert!(names.contains(&"Administrator") && names.contains(&"ada@example.com"));
    }

    async fn users_that_cannot_be_are_refused(site: TestSite) {
        site.user("user@example.com", &[]).await;
        let make = |change: fn(&mut NewUser)| {
            let mut new = NewUser {
                email: "new@example.com".to_owned(),
                first_name: Some("New".to_owned()),
                ..NewUser::default()
            };
            change(&mut new);
            let ctx = site.ctx();
            async move { user::create(&ctx, "Administrator", new).await }
        };
        let duplicate = make(|new| new.email = "USER@example.com".to_owned()).await;
        assert!(matches!(duplicate, Err(Failure::Duplicate(_))));
        let duplicate = make(|new| new.username = Some("test".to_owned())).await;
        assert!(matches!(duplicate, Err(Failure::Duplicate(_))));
        let changes: [fn(&mut NewUser); 9] = [
            |new| new.email = "nobody".to_owned(),
            |new| new.email = "a\0@example.com".to_owned(),
            |new| new.email = format!("{}@example.com", "x".repeat(200)),
            |new| new.first_name = Some("x".repeat(141)),
            |new| new.last_name = Some("a\nb".to_owned()),
            |new| new.password = Some(Secret::from("")),
            |new| new.password = Some(Secret::from("x".repeat(513))),
            |new| new.roles = vec!["No Such Role".to_owned()],
            |new| new.roles = vec!["Administrator".to_owned()],
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let made = make(change).await;
            assert!(matches!(made, Err(Failure::Validation(_))), "{number}: {made:?}");
        }
        assert!(site.ctx().user("new@example.com").await.unwrap().is_none());
    }

    async fn administrator_and_guest_are_special(site: TestSite) {
        let administrator = site.ctx().user("Administrator").await.unwrap().unwrap();
        assert_eq!(administrator.subject.len(), 39, "never null");
        for role in ["System Manager", "Sales Manager", "Administrator", "All", "Desk User"] {
            assert!(administrator.has_role(role), "{role}");
        }
        let guest = site.ctx().user("Guest").await.unwrap().unwrap();
        assert_eq!(guest.roles, ["Guest"]);
        assert!(site.ctx().user("administrator").await.unwrap().is_none(), "byte for byte");
        let refused = user::set_password(&site.ctx(), "Administrator", "Guest", &"x".into()).await;
        assert!(matches!(refused, Err(Failure::Validation(_))));
    }

    async fn a_missing_subject_is_made_once_by_whoever_comes_first(site: TestSite) {
        let name = site.user("user@example.com", &[]).await;
        site.execute(&NO_SUBJECT, params![&name]).await;
        site.execute(&BUMP, params![]).await;
        let other = site.another_process();
        let (here, there) = (site.ctx(), ctx_of(&other, "192.0.2.1"));
        let (here, there) = tokio::join!(here.user(&name), there.user(&name));
        assert_eq!(here.unwrap().unwrap().subject, there.unwrap().unwrap().subject);
        assert_eq!(site.rows(&SUBJECTS, params![&name]).await.len(), 1);
    }

    async fn roles_make_the_kind_of_user(site: TestSite) {
        let name = site.user("user@example.com", &[]).await;
        let other = site.another_process();
        let seen = || async { ctx_of(&other, "192.0.2.1").user(&name).await.unwrap().unwrap() };
        assert!(!seen().await.is_system_user());
        let ctx = site.ctx();
        user::add_role(&ctx, "Administrator", &name, "Sales User").await.unwrap();
        user::add_role(&ctx, "Administrator", &name, "System Manager").await.unwrap();
        user::add_role(&ctx, "Administrator", &name, "Sales User").await.unwrap();
        assert_eq!(seen().await.roles, ["Sales User", "System Manager", "All", "Guest", "Desk User"]);
        assert!(seen().await.is_system_user());
        user::remove_role(&ctx, "Administrator", &name, "Sales User").await.unwrap();
        user::remove_role(&ctx, "Administrator", &name, "System Manager").await.unwrap();
        assert_eq!(seen().await.roles, ["All", "Guest"]);
        assert!(!seen().await.is_system_user());
        for role in ["Nothing", "Guest", ""] {
            let refused = user::add_role(&ctx, "Administrator", &name, role).await;
            assert!(matches!(refused, Err(Failure::Validation(_))), "{role}");
        }
        let unknown = user::add_role(&ctx, "Administrator", "nobody@x.y", "Sales User").await;
        assert!(matches!(unknown, Err(Failure::NotFound(_))));
    }

    async fn a_new_password_signs_out_everywhere(site: TestSite) {
        let name = site.user("user@example.com", &[]).await;
        let bystander = site.user("zoe@example.com", &[]).await;
        granted(&site, &name).await;
        granted(&site, &bystander).await;
        let LoginOutcome::SignedIn(before) = sign_in(&site, &name, PASSWORD).await else {
            panic!("refused")
        };
        let new = Secret::from("another one");
        user::set_password(&site.ctx(), &name, &name, &new).await.unwrap();
        let sid = before.session.sid.expose();
        assert!(session::resolve(&site.ctx(), sid).await.unwrap().is_none());
        assert_eq!(states(&site, &TOKEN_STATES).await, ["Revoked", "Active"]);
        assert_eq!(states(&site, &CODE_STATES).await, ["Invalid", "Valid"]);
        assert_eq!(states(&site, &FAMILY_STATES).await, ["revoked", "live"]);
        let refused = sign_in(&site, &name, PASSWORD).await;
        assert!(matches!(refused, LoginOutcome::Refused { .. }));
        let signed_in = sign_in(&site, &name, new.expose()).await;
        assert!(matches!(signed_in, LoginOutcome::SignedIn(to) if to.user.name == name));
        let bad = user::set_password(&site.ctx(), &name, &name, &"x".repeat(513).into()).await;
        assert!(matches!(bad, Err(Failure::Validation(_))));
        let bad = user::set_password(&site.ctx(), &name, "nobody@x.y", &new).await;
        assert!(matches!(bad, Err(Failure::NotFound(_))));
    }

    async fn disabling_ends_what_the_user_has_going(site: TestSite) {
        let name = site.user("user@example.com", &[]).await;
        granted(&site, &name).await;
        user::disable(&site.ctx(), "Administrator", &name).await.unwrap();
        assert_eq!(states(&site, &TOKEN_STATES).await, ["Revoked"]);
        assert_eq!(states(&site, &CODE_STATES).await, ["Invalid"]);
        assert_eq!(states(&site, &FAMILY_STATES).await, ["revoked"]);
    }
}

// spec: security.md, "The work runs off the request threads and is bounded"
#[tokio::test]
async fn password_work_is_bounded_and_then_turned_away() {
    let pool = PasswordPool::bounded(PasswordCost::minimal(), 1, 2);
    let checks: Vec<_> = (0..20)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.check(&"x".into(), None, None).await })
        })
        .collect();
    let mut turned_away = 0;
    for check in checks {
        match check.await.unwrap() {
            Ok(verification) => assert!(!verification.valid),
            Err(Failure::TooMany { retry_after }) => {
                assert!(retry_after > 0);
                turned_away += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(
        turned_away > 0,
        "twenty at once do not fit into three places"
    );
    tokio::time::timeout(Duration::from_secs(30), pool.check(&"x".into(), None, None))
        .await
        .unwrap()
        .unwrap();
}
