//! Sites on MariaDB and PostgreSQL, made on the private servers that `./test` starts.

use std::fs;

use crema_testkit::Engine;
use serde_json::json;

use crate::harness::{Bench, SITE, text};

/// The administrator of a server.
pub(crate) struct Root {
    pub(crate) host: String,
    pub(crate) port: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

/// The administrator of the private server of that kind: `scheme://user:password@host:port`.
pub(crate) fn root(engine: Engine) -> Root {
    let variable = match engine {
        Engine::MariaDb => "CREMA_TEST_MARIADB",
        _ => "CREMA_TEST_POSTGRES",
    };
    // Says what to do when the variable is missing.
    assert!(engine.administrator().is_some(), "{engine:?} has no server");
    let url = std::env::var(variable).unwrap();
    let (_, url) = url.split_once("://").unwrap();
    let (account, address) = url.rsplit_once('@').unwrap();
    let (user, password) = account.split_once(':').unwrap();
    let (host, port) = address.trim_end_matches('/').rsplit_once(':').unwrap();
    Root {
        host: host.to_owned(),
        port: port.to_owned(),
        user: user.to_owned(),
        password: password.to_owned(),
    }
}

fn kind(engine: Engine) -> &'static str {
    match engine {
        Engine::MariaDb => "mariadb",
        Engine::Postgres => "postgres",
        Engine::Sqlite => "sqlite",
    }
}

/// Makes a site, uses it, drops it, and makes it again under the same names.
fn a_site_comes_and_goes(engine: Engine) {
    let bench = Bench::empty();
    let root = root(engine);
    fs::write(bench.path().join("root"), format!("{}\n", root.password)).unwrap();
    let name = format!("cli_{}_{}", std::process::id(), kind(engine));
    let make = [
        "new-site",
        SITE,
        "--set-default",
        "--db-type",
        kind(engine),
        "--db-host",
        &root.host,
        "--db-port",
        &root.port,
        "--db-name",
        &name,
        "--db-user",
        &name,
        "--db-password",
        "own-database-password-9",
        "--db-root-username",
        &root.user,
    ];
    let from_file = [&make[..], &["--db-root-password-file", "root", "--json"]].concat();
    let made = bench.run(&from_file).ok().json();
    assert_eq!(made["db_type"], kind(engine));
    let password = text(&made, "administrator_password").to_owned();
    let config = fs::read_to_string(bench.site_file(SITE, "site_config.json")).unwrap();
    assert!(
        !config.contains(&root.password),
        "the administrator's password is not kept"
    );
    assert!(config.contains(&name));

    assert_eq!(bench.json(&["migrate"]), json!({"changes": []}));
    bench
        .run(&["list-patches"])
        .ok()
        .says("crema.v0_1.initial_users");
    bench
        .run(&["add-user", "jo@example.com", "--add-role", "Sales User"])
        .ok();
    bench.run(&["list-users"]).ok().says("jo@example.com");
    bench
        .run(&[
            "oauth-client",
            "add",
            "--app-name",
            "A",
            "--redirect-uri",
            "https://a.b/c",
        ])
        .ok();
    bench
        .run(&["oauth-client", "set", "A", "skip_authorization=1"])
        .ok();
    bench.run(&["oauth-client", "rotate-secret", "A"]).ok();
    bench.run(&["oauth-client", "report"]).ok();
    bench
        .run(&["token", "list", "--all", "--user", "jo@example.com"])
        .ok()
        .says("No tokens.");
    bench.run(&["token", "revoke", "-y"]).ok();
    bench
        .run(&[
            "token",
            "revoke",
            "--user",
            "jo@example.com",
            "--client",
            "A",
        ])
        .ok();
    bench.run(&["keys", "list"]).ok().says("RS256");
    let examined = bench.run(&["doctor", "--offline"]).ok();
    let examined = examined.says("fine   schema").says("fine   clock");
    examined.says("fine   secrets").says("A (");
    let users = ["execute", "frappe.client.get_count", "--args", "[\"User\"]"];
    assert_eq!(bench.json(&users), 3);
    bench.run(&["destroy-all-sessions"]).ok();
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        server.visitor(SITE).login("Administrator", &password).await;
    });
    server.stop();

    bench
        .run(&["drop-site", SITE, "-y"])
        .fails(2, "--db-root-password-file");
    let drop = ["drop-site", SITE, "-y", "--db-root-username", &root.user];
    bench
        .run(&[&drop[..], &["--db-root-password", "wrong"]].concat())
        .fails(1, "--force removes the folder");
    assert!(bench.site_file(SITE, "site_config.json").exists());
    let from_stdin = [&drop[..], &["--db-root-password-stdin"]].concat();
    bench
        .run_with(&from_stdin, &root.password)
        .ok()
        .says("is dropped");
    // The names are free again, so nothing was left.
    let in_words = [&make[..], &["--db-root-password", &root.password]].concat();
    bench
        .run(&in_words)
        .ok()
        .says("Administrator's password, shown this once");
    let forced = [
        &drop[..],
        &["--force", "--db-root-password", &root.password],
    ]
    .concat();
    bench.run(&forced).ok();
}

/// A database and a user that were made before.
fn a_site_takes_what_is_there(engine: Engine) {
    let bench = Bench::empty();
    let root = root(engine);
    let name = format!("kept_{}_{}", std::process::id(), kind(engine));
    let make = [
        "new-site",
        SITE,
        "--set-default",
        "--db-type",
        kind(engine),
        "--db-host",
        &root.host,
        "--db-port",
        &root.port,
        "--db-name",
        &name,
        "--db-password",
        "own-database-password-9",
    ];
    let administrator = [
        "--db-root-username",
        &root.user,
        "--db-root-password",
        &root.password,
    ];
    bench.run(&[&make[..], &administrator].concat()).ok();
    bench.run(&["add-user", "jo@example.com"]).ok();
    // Only the folder goes; the records are there for the next site.
    bench
        .run(&["drop-site", SITE, "-y", "--keep-database"])
        .ok();
    let run = bench
        .run(&[&make[..], &administrator].concat())
        .fails(1, "exists already");
    assert!(run.stderr.contains("--db-name"), "{}", run.stderr);
    bench.run(&[&make[..], &["--no-setup-db"]].concat()).ok();
    bench.run(&["list-users"]).ok().says("jo@example.com");
    bench
        .run(&[&["drop-site", SITE, "-y"], &administrator[..]].concat())
        .ok();
}

#[test]
fn a_mariadb_site_comes_and_goes() {
    a_site_comes_and_goes(Engine::MariaDb);
}

#[test]
fn a_postgres_site_comes_and_goes() {
    a_site_comes_and_goes(Engine::Postgres);
}

#[test]
fn a_mariadb_site_takes_what_is_there() {
    a_site_takes_what_is_there(Engine::MariaDb);
}

#[test]
fn a_postgres_site_takes_what_is_there() {
    a_site_takes_what_is_there(Engine::Postgres);
}

#[test]
fn a_server_that_is_away_says_so_and_leaves_nothing() {
    let bench = Bench::empty();
    let socket = bench.path().join("absent.sock");
    for (kind, place) in [
        ("mariadb", ["--db-port", "1"]),
        ("postgres", ["--db-port", "1"]),
        ("mariadb", ["--db-socket", socket.to_str().unwrap()]),
    ] {
        let make = [
            "new-site",
            SITE,
            "--db-type",
            kind,
            "--db-root-password",
            "t0p-s3cret",
        ];
        let run = bench
            .run(&[&make[..], &place].concat())
            .fails(1, "not available");
        assert!(run.stderr.contains("db_host"), "{}", run.stderr);
        assert!(!run.stderr.contains("t0p"), "{}", run.stderr);
        assert!(!bench.site_file(SITE, "").exists());
    }
}
