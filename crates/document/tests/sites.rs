//! Making, opening, migrating and dropping sites, on every database.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod support;

use std::sync::Arc;

use crema_document::lock::MigrationLock;
use crema_document::schema::Change;
use crema_document::site::{ConfigChange, RootCredentials};
use crema_document::{Bench, BenchError, NewSite, Site, SiteError, patches, singles, version};
use crema_store::{Sql, params};
use serde_json::json;
use support::{Engine, NOW, TestDatabase, bench, new_site, random, registry};

on_every_engine!(
    a_new_site_has_its_first_records,
    migrating_again_changes_nothing,
    two_migrations_at_once_do_no_harm,
    the_time_zone_follows_system_settings,
    a_dropped_site_is_gone,
    a_site_that_fails_leaves_nothing_behind,
);

async fn make(bench: &Bench, place: &TestDatabase) -> (Site, Vec<Change>) {
    let new = new_site("a.localhost", place);
    Site::create(bench, &new, registry(), NOW, random())
        .await
        .unwrap()
}

static ROLES: Sql = Sql::new(r#"SELECT "name", "desk_access" FROM "tabRole" ORDER BY "name""#);
static USERS: Sql =
    Sql::new(r#"SELECT "name", "enabled", "user_type", "creation" FROM "tabUser" ORDER BY "name""#);
static SUBJECTS: Sql = Sql::new(
    r#"SELECT "parent", "userid", "parentfield" FROM "tabUser Social Login"
    WHERE "provider" = 'frappe'"#,
);
static SINGLES: Sql =
    Sql::new(r#"SELECT "value" FROM "tabSingles" WHERE "doctype" = ? AND "field" = ?"#);

// spec: doctypes.md, roles that exist from the start; http.md, userinfo: `sub` also for Administrator
async fn a_new_site_has_its_first_records(engine: Engine) {
    let (place, (_folder, bench)) = (TestDatabase::new(engine), bench());
    let (site, changes) = make(&bench, &place).await;
    assert!(changes.len() > registry().tables().len());
    let database = site.database();
    let roles = database.rows(&ROLES, params![]).await.unwrap();
    let desk = |name: &str| {
        let found = roles.iter().find(|role| role.text(0) == Ok(name));
        found.map(|role| role.bool(1).unwrap())
    };
    for (name, access) in [
        ("Guest", false),
        ("All", false),
        ("Desk User", true),
        ("System Manager", true),
        ("Sales User", true),
        ("Sales Manager", true),
    ] {
        assert_eq!(desk(name), Some(access), "{name}");
    }
    let users = database.rows(&USERS, params![]).await.unwrap();
    let users: Vec<_> = users
        .iter()
        .map(|user| {
            (
                user.text(0).unwrap(),
                user.bool(1).unwrap(),
                user.text(2).unwrap(),
            )
        })
        .collect();
    let expected = [
        ("Administrator", true, "System User"),
        ("Guest", true, "Website User"),
    ];
    assert_eq!(users, expected);
    let subjects = database.rows(&SUBJECTS, params![]).await.unwrap();
    assert_eq!(subjects.len(), 1);
    let subject = subjects.first().unwrap();
    assert_eq!(subject.text(0).unwrap(), "Administrator");
    let userid = subject.text(1).unwrap();
    assert!(userid.len() == 39 && userid.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let stored = database
        .row(&SINGLES, params!["OAuth Settings", "resource_name"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.text(0).unwrap(), "Frappe Framework Application");
    let ran = patches::ran(database).await.unwrap();
    assert!(ran.contains("crema.v0_1.initial_roles"), "{ran:?}");
    assert!(site.version().await.unwrap() > 0);
    let config = site.config();
    assert_eq!(config.encryption_key().unwrap().expose(), "key");
}

// spec: cli.md, migrate: idempotent, recorded in Patch Log
async fn migrating_again_changes_nothing(engine: Engine) {
    let (place, (_folder, bench)) = (TestDatabase::new(engine), bench());
    let (site, _) = make(&bench, &place).await;
    let before = site.version().await.unwrap();
    assert_eq!(
        site.migrate(NOW.plus_seconds(60), random()).await.unwrap(),
        []
    );
    assert_eq!(site.version().await.unwrap(), before);
    let again = Site::open(&bench, "a.localhost", registry()).unwrap();
    assert_eq!(again.migrate(NOW, random()).await.unwrap(), []);
}

async fn two_migrations_at_once_do_no_harm(engine: Engine) {
    let (place, (_folder, bench)) = (TestDatabase::new(engine), bench());
    let (site, _) = make(&bench, &place).await;
    // A site before its first migration: the same configuration, an empty database.
    site.close().await;
    let fresh = TestDatabase::new(engine);
    let name = "b.localhost";
    let (site, _) = Site::create(&bench, &new_site(name, &fresh), registry(), NOW, random())
        .await
        .unwrap();
    site.database()
        .execute_ddl(
            r#"DROP TABLE "tabRole"; DROP TABLE "tabPatch Log"; DROP TABLE "tabUser Social Login""#,
        )
        .await
        .unwrap();
    let other = Site::open(&bench, name, registry()).unwrap();
    let (one, two) = tokio::join!(site.migrate(NOW, random()), other.migrate(NOW, random()));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(
        one.is_empty() != two.is_empty(),
        "one did it all: {one:?} {two:?}"
    );
    assert_eq!(
        site.database().rows(&ROLES, params![]).await.unwrap().len(),
        7
    );
    assert_eq!(
        site.database()
            .rows(&SUBJECTS, params![])
            .await
            .unwrap()
            .len(),
        1
    );
}

// spec: frappe/storage.md, naive time in the site's time zone
async fn the_time_zone_follows_system_settings(engine: Engine) {
    let (place, (_folder, bench)) = (TestDatabase::new(engine), bench());
    let (site, _) = make(&bench, &place).await;
    assert_eq!(site.local(NOW).to_string(), "2026-11-20 12:00:00.000000");
    for (zone, shown) in [
        ("Asia/Kolkata", "2026-11-20 17:30:00.000000"),
        ("Not/AZone", "2026-11-20 12:00:00.000000"),
        ("Europe/Zurich", "2026-11-20 13:00:00.000000"),
    ] {
        let now = site.local(NOW);
        site.database()
            .write(move |tx| {
                Box::pin(async move {
                    let fields = [("time_zone", Some(zone))];
                    singles::set(tx, "System Settings", &fields, "Administrator", now).await?;
                    version::bump(tx).await
                })
            })
            .await
            .unwrap();
        site.version().await.unwrap();
        assert_eq!(site.local(NOW).to_string(), shown, "{zone}");
    }
    assert_eq!(site.time_zone().name(), "Europe/Zurich");
    assert_eq!(site.time_zone().timestamp(site.local(NOW)), NOW);
}

/// The administrator of the test's server, from the same variables as the databases.
fn root(engine: Engine) -> Option<RootCredentials> {
    let variable = match engine {
        Engine::Sqlite => return None,
        Engine::MariaDb => "CREMA_TEST_MARIADB",
        Engine::Postgres => "CREMA_TEST_POSTGRES",
    };
    #[expect(clippy::disallowed_methods, reason = "where the private servers are")]
    let url = std::env::var(variable).unwrap();
    let (_, rest) = url.split_once("://").unwrap();
    let (user, rest) = rest.split_once(':').unwrap();
    let (password, _) = rest.rsplit_once('@').unwrap();
    Some(RootCredentials {
        user: user.to_owned(),
        password: password.into(),
    })
}

/// A site whose database and user are made with it.
fn site_of_its_own(engine: Engine, place: &TestDatabase) -> NewSite {
    NewSite {
        // Unique on the server, since the name of the test's own database is.
        db_name: new_site("x", place).db_name.map(|name| format!("{name}_s")),
        db_user: None,
        db_password: None,
        root: root(engine),
        ..new_site("own.localhost", place)
    }
}

// spec: cli.md, new-site and drop-site; security.md, one database user per site
async fn a_dropped_site_is_gone(engine: Engine) {
    let (place, (_folder, bench)) = (TestDatabase::new(engine), bench());
    let new = site_of_its_own(engine, &place);
    let (site, _) = Site::create(&bench, &new, registry(), NOW, random())
        .await
        .unwrap();
    bench.set_current_site("own.localhost").unwrap();
    let folder = site.folder().to_owned();
    let config = site.config();
    assert_eq!(config.db_user().is_some(), config.db_name().is_some());
    if engine != Engine::Sqlite {
        assert_eq!(config.db_password().unwrap().expose().len(), 40);
    }
    site.close().await;
    Site::drop_site(&bench, "own.localhost", new.root.as_ref())
        .await
        .unwrap();
    assert!(!folder.exists() && bench.current_site().is_none());
    let again = Site::drop_site(&bench, "own.localhost", None)
        .await
        .unwrap_err();
    assert!(matches!(again, SiteError::Bench(BenchError::NoSuchSite(_))));
    // The names are free again.
    let (site, _) = Site::create(&bench, &new, registry(), NOW, random())
        .await
        .unwrap();
    site.close().await;
    Site::drop_site(&bench, "own.localhost", new.root.as_ref())
        .await
        .unwrap();
}

async fn a_site_that_fails_leaves_nothing_behind(engine: Engine) {
    let (place, (_folder, bench)) = (TestDatabase::new(engine), bench());
    let mut new = site_of_its_own(engine, &place);
    new.db_name = Some("no such name/".to_owned());
    assert!(
        Site::create(&bench, &new, registry(), NOW, random())
            .await
            .is_err()
    );
    assert!(bench.sites().unwrap().is_empty());
    assert!(!bench.site_folder("own.localhost").unwrap().exists());
    new.name = "../own".to_owned();
    let error = Site::create(&bench, &new, registry(), NOW, random())
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        SiteError::Bench(BenchError::BadSiteName(_))
    ));
}

// spec: cli.md, "Changes take effect without a restart. … A broken file stops that site only"
#[tokio::test]
async fn configuration_changes_are_seen() {
    let (place, (_folder, bench)) = (TestDatabase::new(Engine::Sqlite), bench());
    let (site, _) = make(&bench, &place).await;
    assert_eq!(site.refresh_config().unwrap(), ConfigChange::Unchanged);
    bench
        .set_config(Some("a.localhost"), "maintenance_mode", json!(1))
        .unwrap();
    assert_eq!(site.refresh_config().unwrap(), ConfigChange::Reloaded);
    assert!(site.config().maintenance_mode());
    assert_eq!(site.refresh_config().unwrap(), ConfigChange::Unchanged);
    bench.set_config(None, "allow_cors", json!("*")).unwrap();
    assert_eq!(site.refresh_config().unwrap(), ConfigChange::Reloaded);
    let path = bench.site_config_path("a.localhost").unwrap();
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, "{").unwrap();
    for _ in 0..2 {
        assert!(site.refresh_config().is_err(), "until it is mended");
    }
    std::fs::write(&path, good).unwrap();
    assert_eq!(site.refresh_config().unwrap(), ConfigChange::Reloaded);
    bench
        .set_config(Some("a.localhost"), "db_name", json!("other"))
        .unwrap();
    assert_eq!(site.refresh_config().unwrap(), ConfigChange::Reopen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_migration_at_a_time() {
    let (_folder, bench) = bench();
    let first = MigrationLock::acquire(bench.root()).await.unwrap();
    let root = bench.root().to_owned();
    let waiting = tokio::spawn(async move { MigrationLock::acquire(&root).await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(first);
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_a_site_needs_is_named() {
    let (_folder, bench) = bench();
    let open = || Site::open(&bench, "a", Arc::clone(&registry())).map(|_| ());
    assert!(matches!(
        open(),
        Err(SiteError::Bench(BenchError::NoSuchSite(_)))
    ));
    std::fs::create_dir(bench.sites_folder().join("a")).unwrap();
    std::fs::write(bench.site_config_path("a").unwrap(), "{}").unwrap();
    assert!(open().unwrap_err().to_string().contains("db_name"));
    bench
        .set_config(Some("a"), "db_name", json!("../../etc/x"))
        .unwrap();
    assert!(open().is_err(), "no name leads out of the folder");
    bench.set_config(Some("a"), "db_name", json!("_x")).unwrap();
    bench
        .set_config(Some("a"), "db_type", json!("mariadb"))
        .unwrap();
    assert!(open().unwrap_err().to_string().contains("db_password"));
}
