//! Users, their passwords and sessions.

use std::fs;

use serde_json::json;

use crate::harness::{ADMIN_PASSWORD, Bench, SITE};

// spec: cli.md, `add-user`
#[test]
fn a_user_is_added_with_everything_that_was_said() {
    let bench = Bench::new();
    let added = bench.json(&[
        "add-user",
        "Jo@Example.COM",
        "--first-name",
        "Jo",
        "--last-name",
        "Doe",
        "--password",
        "correct-horse-battery-9",
        "--add-role",
        "Sales User",
        "--add-role",
        "Sales Manager",
    ]);
    assert_eq!(
        added,
        json!({"user": "jo@example.com", "has_password": true})
    );
    bench
        .run(&["add-user", "web@example.com", "--user-type", "Website User"])
        .ok();
    bench
        .run(&["add-user", "sys@example.com", "--user-type", "System User"])
        .ok();
    let users = bench.json(&["list-users"]);
    let user = |name: &str| {
        let users = users.as_array().unwrap();
        users
            .iter()
            .find(|user| user["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        user("jo@example.com"),
        json!({
            "name": "jo@example.com", "full_name": "Jo Doe", "enabled": true,
            "user_type": "System User", "roles": ["Sales User", "Sales Manager"], "last_login": null,
        })
    );
    assert_eq!(user("web@example.com")["user_type"], "Website User");
    assert_eq!(user("sys@example.com")["user_type"], "System User");
    assert_eq!(user("sys@example.com")["full_name"], "sys");
    bench
        .run(&["list-users"])
        .ok()
        .says("Sales User, Sales Manager");
}

#[test]
fn a_user_without_a_password_is_told_how_to_get_one() {
    let bench = Bench::new();
    let run = bench.run(&["add-user", "jo@example.com"]).ok();
    run.says("crema set-password jo@example.com");
}

#[test]
fn what_cannot_be_a_user_is_refused() {
    let bench = Bench::new();
    bench
        .run(&["add-user", "nobody"])
        .fails(1, "is not an e-mail address");
    bench
        .run(&["add-user", "a@b.c", "--add-role", "King"])
        .fails(1, "There is no role King");
    bench
        .run(&["add-user", "a@b.c", "--user-type", "Robot"])
        .fails(2, "Robot");
    bench
        .run(&["add-user", "a@b.c", "--password", ""])
        .fails(2, "empty");
    bench
        .run(&["add-user", "a@b.c", "--password", "x", "--password-stdin"])
        .fails(2, "cannot be used");
    bench
        .run(&["add-user", "a@b.c", "--password-file", "absent"])
        .fails(1, "absent");
    bench.run(&["add-user", "a@b.c"]).ok();
    let run = bench.run(&["add-user", "A@b.c"]).fails(1, "already exists");
    assert!(run.stderr.contains("crema list-users"), "{}", run.stderr);
    bench
        .run(&["disable-user", "x@y.z"])
        .fails(1, "User x@y.z not found");
    bench.run(&["enable-user", "x@y.z"]).fails(1, "not found");
    bench
        .run(&["set-password", "x@y.z", "long-enough-9"])
        .fails(1, "not found");
    bench
        .run(&["set-password", "guest", "long-enough-9"])
        .fails(1, "Guest");
    bench
        .run(&["disable-user", "administrator"])
        .fails(1, "cannot be disabled");
}

#[test]
fn a_system_manager_is_added_or_made_of_a_user() {
    let bench = Bench::new();
    let new = bench.json(&[
        "add-system-manager",
        "ann@example.com",
        "--first-name",
        "Ann",
        "--last-name",
        "Lee",
        "--password",
        "correct-horse-battery-9",
    ]);
    assert_eq!(new, json!({"user": "ann@example.com", "added": true}));
    bench.run(&["add-user", "jo@example.com"]).ok();
    let run = bench.run_with(
        &["add-system-manager", "JO@example.com", "--password-stdin"],
        "a-9\n",
    );
    run.ok().says("has the role System Manager now");
    let users = bench.json(&["list-users"]);
    for user in users
        .as_array()
        .unwrap()
        .iter()
        .filter(|user| user["name"] != "Guest")
    {
        assert_eq!(user["user_type"], "System User", "{user}");
    }
    fs::write(bench.path().join("password"), "file-9\n").unwrap();
    let file = [
        "add-user",
        "file@example.com",
        "--password-file",
        "password",
    ];
    bench.run(&file).ok();
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        let visitor = || server.visitor(SITE);
        visitor().login("file@example.com", "file-9").await;
        visitor()
            .login("ann@example.com", "correct-horse-battery-9")
            .await;
        visitor().login("jo@example.com", "a-9").await;
    });
    server.stop();
}

// spec: cli.md, "What a command changes, a running server of the same site obeys at its next
// request"
#[test]
fn a_running_server_obeys_changes_of_users() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        let visitor = || server.visitor(SITE);
        bench
            .run(&["add-user", "jo@example.com", "--password", "first-9"])
            .ok();
        let mut jo = visitor();
        jo.login("jo@example.com", "first-9").await;
        assert_eq!(jo.get("/me").await.status, 200);

        bench
            .run(&[
                "set-password",
                "jo@example.com",
                "second-9",
                "--logout-all-sessions",
            ])
            .ok();
        assert_eq!(jo.get("/me").await.status, 302);
        assert_eq!(
            visitor()
                .try_login("jo@example.com", "first-9")
                .await
                .status,
            401
        );
        jo = visitor();
        jo.login("jo@example.com", "second-9").await;

        bench
            .run(&["disable-user", "JO@example.com"])
            .ok()
            .says("is disabled");
        assert_eq!(jo.get("/me").await.status, 302);
        assert_eq!(
            visitor()
                .try_login("jo@example.com", "second-9")
                .await
                .status,
            401
        );
        let enabled = bench.json(&["enable-user", "jo@example.com"]);
        assert_eq!(enabled, json!({"user": "jo@example.com", "enabled": true}));
        jo = visitor();
        jo.login("jo@example.com", "second-9").await;

        let mut admin = visitor();
        admin.login("Administrator", ADMIN_PASSWORD).await;
        assert_eq!(
            bench.json(&["destroy-all-sessions"]),
            json!({"sessions": 2})
        );
        assert_eq!(jo.get("/me").await.status, 302);
        assert_eq!(admin.get("/me").await.status, 302);
        bench
            .run(&["destroy-all-sessions"])
            .ok()
            .says("0 sessions have ended.");

        fs::write(bench.path().join("new"), "third-9\n").unwrap();
        bench
            .run(&["set-admin-password", "--password-file", "new"])
            .ok();
        visitor().login("Administrator", "third-9").await;
        bench
            .run_with(&["set-admin-password", "--password-stdin"], "fourth-9")
            .ok();
        visitor().login("Administrator", "fourth-9").await;
        bench.run(&["set-admin-password", "fifth-9"]).ok();
        visitor().login("Administrator", "fifth-9").await;
    });
    server.stop();
}

#[test]
fn a_password_is_needed_and_nobody_can_be_asked() {
    let bench = Bench::new();
    bench
        .run(&["set-admin-password"])
        .fails(2, "--password-stdin");
    bench
        .run(&["set-password", "Administrator"])
        .fails(2, "--password-file");
    bench
        .run_with(&["set-admin-password", "--password-stdin"], "")
        .fails(2, "empty");
    bench.run(&["set-password"]).fails(2, "<USER>");
}
