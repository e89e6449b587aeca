//! The pages under `docs/`: their commands run as they stand, their answers are compared with real
//! ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crema_testkit::{Engine, Http, Redirect, Request, Response, VERIFIER, Visitor};
use serde_json::Value;

use crate::blocks::RUN;
use crate::databases::root;
use crate::harness::{Bench, Run, Server, text};
use crate::readme::blocks;

/// The site of the pages.
pub(crate) const ID: &str = "id.example.com";
pub(crate) const JO: &str = "jo@example.com";
pub(crate) const PASSWORD: &str = "correct-horse-battery-9";
/// The client's id, its credentials and its redirect URI on the page.
const SHOWN_CLIENT: &str = "8cq1u5m02t";
const SHOWN_BASIC: &str = "Basic OGNxMXU1bTAydDpzM2NyM3Q=";
pub(crate) const CALLBACK: &str = "https://app.example.com/cb";
/// Seconds since 1970 are not smaller, spans not greater.
const MOMENTS: i64 = 1_000_000_000;

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut pages: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    pages.sort();
    pages
}

/// The block of that name.
pub(crate) fn block(page: &str, name: &str) -> String {
    let found = blocks(page).into_iter().find(|(block, _)| block == name);
    found
        .unwrap_or_else(|| panic!("{page} has no block {name}"))
        .1
}

#[test]
fn every_block_is_run_or_says_why_not() {
    let mut marked = Vec::new();
    for path in pages() {
        let page = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let (mut inside, mut before) = (false, "");
        for (number, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
                inside = !inside;
                if inside {
                    let mark = before.strip_suffix(" -->").unwrap_or_default();
                    let place = format!("{page}:{}", number + 1);
                    match mark.strip_prefix("<!-- run: ") {
                        Some(name) => marked.push(format!("{page} {name}")),
                        None => assert!(
                            mark.strip_prefix("<!-- not run: ")
                                .is_some_and(|reason| !reason.trim().is_empty()),
                            "{place}: neither `<!-- run: NAME -->` nor `<!-- not run: REASON -->`"
                        ),
                    }
                }
            }
            before = line;
        }
    }
    assert_eq!(marked, RUN);
}

/// Commands in a bench, with what a person would type at their prompts.
struct Operator {
    bench: Bench,
    /// What stands on the page, and what is run instead.
    typed: Vec<(&'static str, String)>,
}

impl Operator {
    fn new(name: &str) -> Operator {
        let bench = Bench::empty();
        let (maria, postgres) = (root(Engine::MariaDb), root(Engine::Postgres));
        fs::write(bench.path().join("root"), &maria.password).unwrap();
        fs::write(bench.path().join("root-postgres"), &postgres.password).unwrap();
        fs::write(bench.path().join("new"), "another-horse-battery-9").unwrap();
        let own = format!("docs_{}_{name}", std::process::id());
        let server = |host: &str, port: &str, user: &str, file: &str| {
            format!(
                "--db-host {host} --db-port {port} --db-name {own} --db-user {own} \
                 --db-root-username {user} --db-root-password-file {file}"
            )
        };
        let typed = vec![
            (
                "--db-host db1 --db-root-username root",
                server(&maria.host, &maria.port, &maria.user, "root"),
            ),
            (
                "--db-host db2 --db-root-username postgres",
                server(
                    &postgres.host,
                    &postgres.port,
                    &postgres.user,
                    "root-postgres",
                ),
            ),
            ("drop-site ", "drop-site --yes ".to_owned()),
            (
                "set-password ",
                "set-password --password-file new ".to_owned(),
            ),
        ];
        Operator { bench, typed }
    }

    fn run(&self, script: &str) -> Run {
        let mut script = script.to_owned();
        for (shown, instead) in &self.typed {
            script = script.replace(shown, instead);
        }
        self.bench.shell(&script).ok()
    }

    /// Drops a site whose database is on a server.
    fn drop(&self, site: &str, engine: Engine) {
        let file = match engine {
            Engine::MariaDb => "root",
            _ => "root-postgres",
        };
        let user = root(engine).user;
        self.run(&format!(
            "crema drop-site {site} --db-root-username {user} --db-root-password-file {file}"
        ));
    }
}

#[test]
fn the_commands_of_operations_work() {
    let page = "docs/operations.md";
    let operator = Operator::new("walk");
    operator.run("crema new-site old.example.com");
    operator
        .run(&block(page, "sites"))
        .says("Administrator's password")
        .says("crm.example.com");
    let sites = operator.bench.run(&["list-sites"]).ok().stdout;
    assert!(sites.contains(ID) && sites.contains("crm.example.com"));
    assert!(!sites.contains("old.example.com"), "{sites}");
    operator.drop("crm.example.com", Engine::MariaDb);

    operator.run(&block(page, "proxy"));
    let common = operator.bench.path().join("sites/common_site_config.json");
    let common: Value = serde_json::from_str(&fs::read_to_string(common).unwrap()).unwrap();
    assert_eq!(common["trusted_proxies"][0], "10.0.0.5");
    let server = operator.bench.serve(&[]);
    crema_testkit::engines::run(async {
        let metadata = server.http(ID).get("/.well-known/openid-configuration");
        let metadata = metadata.send().await.json();
        assert_eq!(metadata["issuer"], format!("https://{ID}"));
    });

    let client = client(&operator.bench);
    let (client_id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    // A site has its first key as soon as something is signed.
    operator.run(&format!("crema --site {ID} keys rotate --alg RS256 --now"));
    let keys = block(page, "keys").replace(" CLIENT", &format!(" {client_id}"));
    let said = operator.run(&keys).says("RS256");
    assert!(!said.stdout.contains(secret), "{}", said.stdout);
    crema_testkit::engines::run(async {
        let mut visitor = server.visitor(ID);
        assert_eq!(visitor.try_login(JO, PASSWORD).await.status, 401);
        visitor.login(JO, "another-horse-battery-9").await;
    });
    server.stop();

    // The name tells the moment; only the second command can say it.
    let script = block(page, "backup");
    let (backup, rest) = script.split_at(script.rfind("crema ").unwrap());
    let said = operator.run(backup).stdout;
    let listed = said
        .lines()
        .find(|line| line.ends_with("-database.jsonl.gz"));
    let stamp = listed.unwrap().get(..15).unwrap();
    let restore = rest.replace("20261121_231500", stamp);
    let restore = restore.replace(" restore ", " restore --yes ");
    operator
        .run(&restore)
        .says("Site id.example.com is restored");
}

/// Jo, and a client that may ask for Jo's consent.
fn client(bench: &Bench) -> Value {
    let script = format!(
        "crema --site {ID} add-user {JO} --first-name Jo --last-name Doe --password {PASSWORD} \
         --user-type 'System User' >&2\n\
         crema --site {ID} oauth-client add --app-name App --redirect-uri {CALLBACK} --json"
    );
    bench.shell(&script).ok().json()
}

/// What stands in backquotes and begins so, on the pages for those who use the server. The others
/// speak of other people's examples, which have tests of their own.
fn within_the_text(beginnings: &[&str]) -> BTreeSet<String> {
    let ours = [
        "oauth.md",
        "configuration.md",
        "operations.md",
        "security.md",
    ];
    let mut found = BTreeSet::new();
    for path in pages() {
        if !ours.iter().any(|page| path.ends_with(page)) {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for line in text.lines().filter(|line| !line.starts_with("```")) {
            let spans = line.split('`').skip(1).step_by(2);
            let wanted = spans.filter(|span| beginnings.iter().any(|with| span.starts_with(with)));
            found.extend(wanted.map(str::to_owned));
        }
    }
    found
}

/// Commands in running text and in tables.
#[test]
fn commands_within_the_text_work() {
    let shown = within_the_text(&["crema ", "curl ", "sqlite3 ", "mariadb-dump ", "pg_dump "]);
    let operator = Operator::new("text");
    operator.run(&format!(
        "crema new-site {ID} --set-default\n\
         crema new-site crm.example.com --db-type mariadb --db-host db1 --db-root-username root\n\
         crema new-site hr.example.com --db-type postgres --db-host db2 --db-root-username postgres"
    ));
    let config = |site: &str| -> Value {
        let file = operator.bench.site_file(site, "site_config.json");
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    };
    let database = |site: &str| text(&config(site), "db_name").to_owned();
    // The programs of the databases find their server where they look for it by themselves.
    let (maria, postgres) = (root(Engine::MariaDb), root(Engine::Postgres));
    fs::write(
        operator.bench.path().join(".my.cnf"),
        format!(
            "[client]\nprotocol=tcp\nhost={}\nport={}\nuser={}\npassword={}\n",
            maria.host, maria.port, maria.user, maria.password
        ),
    )
    .unwrap();
    let environment = format!(
        "export HOME=\"$PWD\" PGHOST={} PGPORT={} PGUSER={} PGPASSWORD={}\n",
        postgres.host, postgres.port, postgres.user, postgres.password
    );
    let run: BTreeMap<&str, String> = BTreeMap::from([
        (
            "crema set-config KEY VALUE",
            "crema set-config max_age 7".to_owned(),
        ),
        ("crema show-config", "crema show-config".to_owned()),
        (
            "crema oauth-client add",
            format!("crema oauth-client add --app-name App --redirect-uri {CALLBACK}"),
        ),
        ("crema keys rotate", "crema keys rotate".to_owned()),
        ("crema doctor", "crema doctor --offline".to_owned()),
        // No server runs here: it says so.
        ("crema restart", "crema restart || test $? = 1".to_owned()),
        (
            "crema oauth-client report",
            "crema oauth-client report".to_owned(),
        ),
        (
            "crema --site NAME token revoke",
            format!("crema --site {ID} token revoke --yes"),
        ),
        (
            "sqlite3 sites/NAME/db/DB.db \".backup 'copy.db'\"",
            format!(
                "sqlite3 sites/{ID}/db/{}.db \".backup 'copy.db'\"; sqlite3 copy.db .dump",
                database(ID)
            ),
        ),
        (
            "mariadb-dump --single-transaction DB",
            format!(
                "mariadb-dump --single-transaction {}",
                database("crm.example.com")
            ),
        ),
        (
            "pg_dump DB",
            format!("pg_dump {}", database("hr.example.com")),
        ),
    ]);
    let known: BTreeSet<String> = run.keys().map(|&shown| shown.to_owned()).collect();
    assert_eq!(shown, known);
    // The first is an answer, compared further down.
    let objects = [r#"{"active": false}"#, r#"{"limit": …, "window": …}"#];
    assert_eq!(within_the_text(&["{"]), objects.map(str::to_owned).into());
    operator.run(&format!(
        "crema set-config rate_limit '{}'\ncrema set-config domains '[\"login.example.com\"]'",
        objects[1].replace('…', "600")
    ));
    assert_eq!(config(ID)["rate_limit"]["window"], 600);
    assert_eq!(config(ID)["domains"][0], "login.example.com");
    for (shown, command) in &run {
        let done = operator.run(&format!("{environment}{command}"));
        if command.contains("dump") {
            assert!(done.stdout.contains("tabOAuth Client"), "{shown}");
        }
    }
    operator.drop("crm.example.com", Engine::MariaDb);
    operator.drop("hr.example.com", Engine::Postgres);
}

/// Every file and folder of the picture is where it stands.
#[test]
fn the_files_of_configuration_are_there() {
    let bench = Bench::new();
    bench.shell("crema set-config -g db_host 127.0.0.1").ok();
    let mut folders: Vec<String> = Vec::new();
    for line in block("docs/configuration.md", "files").lines() {
        let depth = (line.len() - line.trim_start().len()) / 2;
        let mut names: Vec<&str> = line.split_whitespace().collect();
        // A file's name is followed by what it is for.
        if !names.iter().all(|name| name.ends_with('/')) {
            names.truncate(1);
        }
        folders.truncate(depth);
        let folder = bench.path().join(folders.concat());
        for name in &names {
            let path = folder.join(name);
            assert!(path.exists(), "{}", path.display());
            assert_eq!(path.is_dir(), name.ends_with('/'), "{}", path.display());
        }
        folders.push(names.concat());
    }
}

/// A request of a page and its answer.
pub(crate) struct Example {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) status: u16,
    location: Option<String>,
    /// A challenge, when one is shown.
    pub(crate) challenge: Option<String>,
    pub(crate) json: Value,
}

impl Example {
    /// Reads a block; `filled` puts real values in the place of the shown ones.
    fn of(name: &str, filled: impl Fn(&str) -> String) -> Example {
        Example::on("docs/oauth.md", name, filled)
    }

    /// As [`Example::of`], on any page.
    pub(crate) fn on(page: &str, name: &str, filled: impl Fn(&str) -> String) -> Example {
        let block = filled(&block(page, name));
        let mut parts: Vec<&str> = block.split("\n\n").collect();
        let answer = parts.pop().unwrap();
        let (status, answer) = answer.split_once('\n').unwrap();
        let (status, _) = status.split_once(' ').unwrap();
        let location = answer.strip_prefix("Location: ");
        let (challenge, answer) = match answer.strip_prefix("WWW-Authenticate: ") {
            Some(rest) => rest
                .split_once('\n')
                .map(|(challenge, rest)| (Some(challenge.to_owned()), rest))
                .unwrap(),
            None => (None, answer),
        };
        let mut example = Example {
            method: String::new(),
            target: String::new(),
            headers: Vec::new(),
            body: parts
                .get(1)
                .map(|body| (*body).to_owned())
                .unwrap_or_default(),
            status: status.parse().unwrap(),
            location: location.map(str::to_owned),
            challenge,
            json: match location {
                Some(_) => Value::Null,
                None => serde_json::from_str(answer).unwrap(),
            },
        };
        for line in parts.first().copied().unwrap_or_default().lines() {
            if let Some((name, value)) = line.split_once(": ") {
                example.headers.push((name.to_owned(), value.to_owned()));
            } else if line.starts_with(' ') {
                example.target.push_str(line.trim());
            } else {
                let (method, target) = line.split_once(' ').unwrap();
                (example.method, example.target) = (method.to_owned(), target.to_owned());
            }
        }
        example
    }

    pub(crate) fn request(&self, http: &Http) -> Request {
        let mut request = http.request(&self.method, &self.target);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match self.body.is_empty() {
            true => request,
            false => request.body(self.body.as_bytes()),
        }
    }

    /// The answer is as shown; it may have members of these names beside.
    fn is_like(&self, response: &Response, more: &BTreeSet<String>) {
        let said = response.text();
        assert_eq!(response.status, self.status, "{said}");
        let real = response.json();
        let (shown, real) = (self.json.as_object().unwrap(), real.as_object().unwrap());
        for name in real.keys() {
            assert!(
                shown.contains_key(name) || more.contains(name),
                "{name} is not shown: {said}"
            );
        }
        for (name, shown) in shown {
            let real = real
                .get(name)
                .unwrap_or_else(|| panic!("no {name}: {said}"));
            let same = match (shown, real) {
                (Value::String(shown), Value::String(real)) => {
                    shown.ends_with('…') && real.starts_with(shown.trim_end_matches('…'))
                        || name == "error_description"
                        || shown == real
                }
                (Value::Number(shown), Value::Number(real)) => {
                    let (shown, real) = (shown.as_i64().unwrap(), real.as_i64().unwrap());
                    shown == real || shown > MOMENTS && real > MOMENTS
                }
                _ => shown == real,
            };
            assert!(same, "{name}: {real}, not {shown}");
        }
    }
}

/// Asks for a code as shown, and presses a button. Gives the example and where the browser is sent.
async fn authorized(example: &Example, visitor: &mut Visitor, button: &str) -> Redirect {
    let page = visitor.get(&example.target).await;
    let answer = visitor.decide(&page, button).await;
    assert_eq!(answer.status, example.status, "{}", answer.text());
    Redirect::of(&answer)
}

fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
    names.into_iter().cloned().collect()
}

#[test]
fn the_examples_of_oauth_are_true() {
    let bench = Bench::empty();
    let script =
        format!("crema new-site {ID} --set-default\ncrema set-config host_name https://{ID}");
    bench.shell(&script).ok();
    let client = client(&bench);
    let server = bench.serve(&[]);
    crema_testkit::engines::run(walk(&server, &client));
    server.stop();
}

async fn walk(server: &Server, client: &Value) {
    let (client_id, secret) = (text(client, "client_id"), text(client, "client_secret"));
    let http = server.http(ID);
    let filled = |text: &str| text.replace(SHOWN_CLIENT, client_id);
    // A request whose `…` is this, and whose credentials are the client's own.
    let send = |example: &Example, values: &[(&str, &str)]| {
        let mut body = example.body.clone();
        for (name, value) in values {
            let shown = format!("{name}=…");
            assert!(body.contains(&shown), "no {shown}");
            body = body.replace(&shown, &format!("{name}={value}"));
        }
        let mut request = http.request(&example.method, &example.target);
        for (name, value) in &example.headers {
            request = match value == SHOWN_BASIC {
                true => request.basic(client_id, secret),
                false => request.header(name, value),
            };
        }
        request.body(body).send()
    };
    let none = BTreeSet::new();

    let example = Example::of("authorize", filled);
    let shown = example.location.clone().unwrap();
    let (uri, shown) = shown.split_once('?').unwrap();
    let shown: Vec<(&str, &str)> = shown
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    let mut visitor = server.visitor(ID);
    visitor.login(JO, PASSWORD).await;
    let denied = authorized(&example, &mut visitor, "deny").await;
    assert_eq!(denied.param("error"), "access_denied");
    let inline = within_the_text(&["?error="]);
    let inline = inline.first().unwrap().trim_start_matches('?');
    let wanted = inline
        .split('&')
        .map(|pair| pair.split_once('=').unwrap().0.to_owned());
    assert_eq!(names(denied.params.keys()), wanted.collect());
    assert_eq!(denied.param("iss"), format!("https://{ID}"));
    let back = authorized(&example, &mut visitor, "allow").await;
    assert_eq!(back.uri, uri);
    let wanted = shown.iter().map(|(name, _)| (*name).to_owned());
    assert_eq!(names(back.params.keys()), wanted.collect());
    for (name, value) in shown.iter().filter(|(_, value)| *value != "…") {
        let value = value.replace("%3A", ":").replace("%2F", "/");
        assert_eq!(back.param(name), value);
    }

    let example = Example::of("get_token", filled);
    let values = [("code", back.param("code")), ("code_verifier", VERIFIER)];
    let answer = send(&example, &values).await;
    example.is_like(&answer, &none);
    let access = answer.member("access_token");

    let profile = Example::of("openid_profile", |text| {
        filled(text).replace("Bearer …", &format!("Bearer {access}"))
    });
    let answer = profile.request(&http).send().await;
    profile.is_like(&answer, &none);
    let claims = names(profile.json.as_object().unwrap().keys());

    let introspection = Example::of("introspect_token", filled);
    let answer = send(&introspection, &[("token", &access)]).await;
    introspection.is_like(&answer, &claims);

    let revocation = Example::of("revoke_token", filled);
    let answer = send(&revocation, &[("token", &access)]).await;
    revocation.is_like(&answer, &none);
    let answer = send(&introspection, &[("token", &access)]).await;
    assert_eq!(answer.text(), r#"{"active":false}"#);

    let error = Example::of("error", filled);
    let form = [("grant_type", "refresh_token"), ("refresh_token", "old")];
    let request = http.post(&crema_testkit::flow::method("get_token"));
    let answer = request.basic(client_id, secret).form(&form).send().await;
    error.is_like(&answer, &none);
}
