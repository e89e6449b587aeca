//! `backup` and `restore`: what was there is there again, on every database and from each to the
//! others, and nothing happens by halves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crema_testkit::flow::method;
use crema_testkit::{Engine, Http};
use serde_json::{Value, json};

use crate::databases::root;
use crate::harness::{ADMIN_PASSWORD, Bench, SITE, text};
use crate::tokens::Granted;

const JO: &str = "jo@example.com";
const JOS_PASSWORD: &str = "correct-9";

/// Makes a site with its database there.
fn make_site(bench: &Bench, site: &str, engine: Engine) {
    let password = format!("--admin-password={ADMIN_PASSWORD}");
    let make = ["new-site", site, &password];
    if engine == Engine::Sqlite {
        bench.run(&make).ok();
        return;
    }
    let root = root(engine);
    let name = format!("backup_{}_{}", std::process::id(), site.replace('.', "_"));
    let server = [
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
        "--db-root-username",
        &root.user,
        "--db-root-password",
        &root.password,
    ];
    bench.run(&[&make[..], &server[..]].concat()).ok();
}

fn drop_site(bench: &Bench, site: &str, engine: Engine) {
    let drop = ["drop-site", site, "-y"];
    if engine == Engine::Sqlite {
        bench.run(&drop).ok();
        return;
    }
    let root = root(engine);
    let administrator = [
        "--db-root-username",
        &root.user,
        "--db-root-password",
        &root.password,
    ];
    bench.run(&[&drop[..], &administrator[..]].concat()).ok();
}

fn kind(engine: Engine) -> &'static str {
    match engine {
        Engine::MariaDb => "mariadb",
        Engine::Postgres => "postgres",
        Engine::Sqlite => "sqlite",
    }
}

/// Backs a site up. Gives the answer.
fn back_up(bench: &Bench, site: &str) -> Value {
    bench.json(&["--site", site, "backup", "--with-files"])
}

fn path(answer: &Value, name: &str) -> PathBuf {
    PathBuf::from(text(answer, name))
}

/// Restores the main file of a backup.
fn restore<'a>(site: &'a str, file: &'a Path) -> [&'a str; 5] {
    ["--site", site, "restore", file.to_str().unwrap(), "--yes"]
}

/// The lines of a backup.
fn lines(bench: &Bench, file: &Path) -> Vec<String> {
    let file = bench.path().join(file);
    let output = Command::new("gzip").arg("-dc").arg(file).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The rows by table, sorted, but for the version, which is another after every restoring.
fn rows(lines: &[String]) -> Vec<(String, Vec<String>)> {
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for line in lines.iter().skip(1) {
        if line.starts_with('[') {
            tables.last_mut().unwrap().1.push(line.clone());
        } else if let Some(name) = serde_json::from_str::<Value>(line).unwrap()["name"].as_str() {
            tables.push((name.to_owned(), Vec::new()));
        }
    }
    for (_, rows) in &mut tables {
        rows.sort_unstable();
    }
    tables.retain(|(name, _)| name != "__version");
    tables.sort_unstable();
    tables
}

/// What the database holds now.
fn held(bench: &Bench, site: &str) -> Vec<(String, Vec<String>)> {
    let folder = bench.path().join("held");
    let answer = bench.json(&[
        "--site",
        site,
        "backup",
        "--backup-path",
        folder.to_str().unwrap(),
    ]);
    let found = rows(&lines(bench, &path(&answer, "database")));
    fs::remove_dir_all(folder).unwrap();
    found
}

#[track_caller]
fn assert_same(found: &[(String, Vec<String>)], wanted: &[(String, Vec<String>)]) {
    assert_eq!(found.len(), wanted.len());
    for ((name, found), (wanted_name, wanted)) in found.iter().zip(wanted) {
        assert_eq!(name, wanted_name);
        assert_eq!(found, wanted, "{name}");
    }
}

/// Writes a backup again with other lines; its checksum is right.
fn rewritten(bench: &Bench, name: &str, lines: &[String]) -> PathBuf {
    let (last, before) = lines.split_last().unwrap();
    let plain = bench.path().join(name);
    fs::write(&plain, before.join("\n") + "\n").unwrap();
    let sum = Command::new("sha256sum").arg(&plain).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    let mut end: Value = serde_json::from_str(last).unwrap();
    end["sha256"] = json!(sum.split_whitespace().next().unwrap());
    fs::write(&plain, format!("{}\n{end}\n", before.join("\n"))).unwrap();
    gzip(&plain)
}

fn gzip(plain: &Path) -> PathBuf {
    assert!(
        Command::new("gzip")
            .arg("-f")
            .arg(plain)
            .status()
            .unwrap()
            .success()
    );
    PathBuf::from(format!("{}.gz", plain.display()))
}

/// Every token descends from a sign-in that is there too.
fn assert_whole(lines: &[String]) -> usize {
    let table = |name: &str| -> Vec<Value> {
        let begin = format!(r#""name":"{name}""#);
        let mut rest = lines
            .iter()
            .skip_while(|line| line.starts_with('[') || !line.contains(&begin));
        let head: Value = serde_json::from_str(rest.next().unwrap()).unwrap();
        let columns: Vec<String> = head["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| text(column, "name").to_owned())
            .collect();
        rest.take_while(|line| line.starts_with('['))
            .map(|line| {
                let row: Vec<Value> = serde_json::from_str(line).unwrap();
                columns
                    .iter()
                    .cloned()
                    .zip(row)
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            })
            .collect()
    };
    let families = table("__oauth_family");
    let tokens = table("tabOAuth Bearer Token");
    for token in &tokens {
        assert!(
            families
                .iter()
                .any(|family| family["name"] == token["family"])
        );
    }
    tokens.len()
}

/// A site is used, backed up under load, changed, and restored while it is served.
fn everything_comes_back(engine: Engine) {
    let bench = Bench::empty();
    make_site(&bench, SITE, engine);
    bench.run(&["use", SITE]).ok();
    let add = [
        "add-user",
        JO,
        "--first-name",
        "Jö \u{1f511} '\"\\%",
        "--password",
        JOS_PASSWORD,
    ];
    bench.run(&add).ok();
    let public = bench.site_file(SITE, "public/files/a/ä b.txt");
    let private = bench.site_file(SITE, "private/files/c.bin");
    fs::create_dir_all(public.parent().unwrap()).unwrap();
    fs::write(&public, "public").unwrap();
    fs::write(&private, vec![0xff; 100_000]).unwrap();

    let server = bench.serve(&["--housekeeping", "0"]);
    let mut granted = None;
    crema_testkit::engines::run(async {
        let admins = Granted::new(&bench, &server, "Administrator", ADMIN_PASSWORD).await;
        let long = "ä\u{1f511}\n\t\\'\"".repeat(3000);
        let todo = server.http(SITE).post("/api/resource/ToDo");
        let todo = todo.bearer(&admins.tokens.access_token);
        let made = todo.json(&json!({"description": long})).send().await;
        assert_eq!(made.status, 200, "{}", made.text());
        let jos = Granted::new(&bench, &server, JO, JOS_PASSWORD).await;
        granted = Some((jos, admins));
    });
    let (jos, admins) = granted.unwrap();
    let address = server.address;
    let acknowledged = AtomicUsize::new(0);
    let enough = AtomicBool::new(false);
    let answer = std::thread::scope(|scope| {
        // Refreshes one after the other, each a new token of the same family.
        let load = scope.spawn(|| {
            crema_testkit::engines::run(async {
                let Granted {
                    client_id,
                    client_secret,
                    mut tokens,
                } = admins;
                let http = Http::new(address, SITE);
                while !enough.load(Ordering::Relaxed) {
                    let form = [
                        ("grant_type", "refresh_token"),
                        ("refresh_token", tokens.refresh_token.as_str()),
                    ];
                    let post = http.post(&method("get_token")).form(&form);
                    let answer = post.basic(&client_id, &client_secret).send().await;
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    tokens = answer.tokens();
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
            });
        });
        while acknowledged.load(Ordering::SeqCst) < 5 && !load.is_finished() {
            std::thread::yield_now();
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let answer = back_up(&bench, SITE);
        enough.store(true, Ordering::Relaxed);
        load.join().unwrap();
        // Two from codes, and those of the refreshes that were answered before it began.
        let tokens = assert_whole(&lines(&bench, &path(&answer, "database")));
        assert!(tokens >= before + 2, "{tokens} {before}");
        answer
    });
    let file = path(&answer, "database");
    let wanted = rows(&lines(&bench, &file));

    bench.run(&["token", "revoke", "-y"]).ok();
    bench.run(&["disable-user", JO]).ok();
    bench.run(&["add-user", "new@example.com"]).ok();
    fs::write(&public, "changed").unwrap();
    fs::write(bench.site_file(SITE, "public/files/new"), "new").unwrap();
    fs::remove_file(&private).unwrap();
    crema_testkit::engines::run(async {
        assert_eq!(jos.call(&server).await.status, 401);
    });
    let changed = held(&bench, SITE);

    // A row that comes twice is found when it is too late for anything but going back.
    let mut twice = lines(&bench, &file);
    let user = twice
        .iter()
        .position(|line| line.starts_with("[\"new@") || line.contains(JO));
    let user = user.unwrap();
    let end = (user..).find(|at| twice[*at].starts_with('{')).unwrap();
    twice.insert(user, twice[user].clone());
    let mut count: Value = serde_json::from_str(&twice[end + 1]).unwrap();
    count["rows"] = json!(count["rows"].as_u64().unwrap() + 1);
    twice[end + 1] = count.to_string();
    let last = twice.len() - 1;
    let mut count: Value = serde_json::from_str(&twice[last]).unwrap();
    count["rows"] = json!(count["rows"].as_u64().unwrap() + 1);
    twice[last] = count.to_string();
    let twice = rewritten(&bench, "twice", &twice);
    bench
        .run(&restore(SITE, &twice))
        .fails(1, "nothing was restored");
    assert_same(&held(&bench, SITE), &changed);

    let (public_tar, private_tar) = (
        path(&answer, "public_files"),
        path(&answer, "private_files"),
    );
    let files = [
        "--with-public-files",
        public_tar.to_str().unwrap(),
        "--with-private-files",
        private_tar.to_str().unwrap(),
        "--json",
    ];
    let restored = bench
        .run(&[&restore(SITE, &file)[..], &files].concat())
        .ok()
        .json();
    assert_eq!(restored["rows"], answer["rows"]);
    assert_eq!(restored["files"], 2);
    assert_eq!(restored["changes"], json!([]));
    assert_same(&held(&bench, SITE), &wanted);
    assert_eq!(fs::read_to_string(&public).unwrap(), "public");
    assert!(!bench.site_file(SITE, "public/files/new").exists());
    assert_eq!(fs::read(&private).unwrap().len(), 100_000);
    // The server that went on all the time obeys.
    crema_testkit::engines::run(async {
        assert_eq!(jos.call(&server).await.status, 200);
        assert_eq!(jos.refresh(&server).await.status, 200);
    });
    server.stop();
    drop_site(&bench, SITE, engine);
}

// spec: cli.md, `backup`, `restore`: consistent while serving
#[test]
fn everything_comes_back_on_sqlite() {
    everything_comes_back(Engine::Sqlite);
}

#[test]
fn everything_comes_back_on_mariadb() {
    everything_comes_back(Engine::MariaDb);
}

#[test]
fn everything_comes_back_on_postgres() {
    everything_comes_back(Engine::Postgres);
}

#[test]
fn a_site_moves_from_one_database_to_the_next() {
    let bench = Bench::empty();
    let stations = [
        ("a.localhost", Engine::Sqlite),
        ("b.localhost", Engine::MariaDb),
        ("c.localhost", Engine::Postgres),
        (SITE, Engine::Sqlite),
    ];
    for (site, engine) in stations {
        make_site(&bench, site, engine);
    }
    // The first is where somebody signs in; the walk ends where the name fits again.
    bench.run(&["use", SITE]).ok();
    bench
        .run(&["add-user", JO, "--password", JOS_PASSWORD])
        .ok();
    let server = bench.serve(&["--housekeeping", "0"]);
    let mut granted = None;
    crema_testkit::engines::run(async {
        granted = Some(Granted::new(&bench, &server, JO, JOS_PASSWORD).await);
    });
    let jos = granted.unwrap();
    let first = back_up(&bench, SITE);
    bench.run(&["token", "revoke", "-y"]).ok();
    let wanted = rows(&lines(&bench, &path(&first, "database")));

    let mut backup = path(&first, "database");
    for (site, _) in stations {
        let run = bench.run(&restore(site, &backup)).ok();
        // Every site has had a key of its own.
        assert!(
            run.stdout
                .contains("encryption_key is the one of the backup")
                || site == SITE
        );
        backup = path(&back_up(&bench, site), "database");
    }
    assert_same(&rows(&lines(&bench, &backup)), &wanted);
    crema_testkit::engines::run(async {
        assert_eq!(jos.call(&server).await.status, 200);
        assert_eq!(jos.refresh(&server).await.status, 200);
    });
    server.stop();
    for (site, engine) in stations {
        drop_site(&bench, site, engine);
    }
}

#[test]
fn what_is_no_whole_backup_is_refused() {
    let bench = Bench::new();
    let answer = back_up(&bench, SITE);
    let file = path(&answer, "database");
    let before = held(&bench, SITE);
    let good = lines(&bench, &file);
    let packed = fs::read(bench.path().join(&file)).unwrap();
    let place = |name: &str, content: &[u8]| {
        let path = bench.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let without = |index: usize| -> Vec<String> {
        let mut lines = good.clone();
        lines.remove(index);
        lines
    };
    let in_words = |index: usize, from: &str, to: &str| -> Vec<String> {
        let mut lines = good.clone();
        assert!(lines[index].contains(from), "{}", lines[index]);
        lines[index] = lines[index].replace(from, to);
        lines
    };
    let mut flipped = packed.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    let longer = [&packed[..], b"more"].concat();
    let plain = place(
        "plain",
        (good.join("\n") + "\n")
            .replace("tabUser", "tabUsed")
            .as_bytes(),
    );
    let a_row = good.iter().position(|line| line.starts_with('[')).unwrap();
    let cases = [
        (place("empty", b""), "no backup of Crema"),
        (place("words", b"CREATE TABLE x"), "no backup of Crema"),
        (
            gzip(&place("words-in-gzip", b"CREATE TABLE x\n")),
            "no backup of Crema",
        ),
        (place("half", &packed[..packed.len() / 2]), "not whole"),
        (place("short", &packed[..packed.len() - 3]), "broken"),
        (place("flipped", &flipped), "broken"),
        (place("longer", &longer), "broken"),
        (gzip(&plain), "checksum"),
        (
            rewritten(&bench, "fewer", &without(a_row)),
            "rows are missing",
        ),
        (
            rewritten(
                &bench,
                "newer",
                &in_words(0, r#""crema":"0"#, r#""crema":"99"#),
            ),
            "newer than this program",
        ),
        (
            rewritten(
                &bench,
                "format",
                &in_words(0, r#""version":1"#, r#""version":2"#),
            ),
            "newer than this program",
        ),
        (
            rewritten(
                &bench,
                "hostile",
                &in_words(1, r#""type":""#, r#""type":"x); DROP TABLE y --"#),
            ),
            "cannot be like this",
        ),
        (bench.path().join("absent"), "absent"),
    ];
    for (file, reason) in &cases {
        bench.run(&restore(SITE, file)).fails(1, reason);
    }
    assert_same(&held(&bench, SITE), &before);

    // Archives are looked at before the database is touched.
    bench.run(&["add-user", JO]).ok();
    let before = held(&bench, SITE);
    let other = place("other.tar", b"not a tar");
    let tar = ["--with-public-files", other.to_str().unwrap()];
    bench
        .run(&[&restore(SITE, &file)[..], &tar].concat())
        .fails(1, "does not belong to the backup");
    assert_same(&held(&bench, SITE), &before);

    // Another key, and none beside the backup that fits.
    let alone = place("alone-database.jsonl.gz", &packed);
    let other = [
        "set-config",
        "encryption_key",
        "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
    ];
    bench.run(&other).ok();
    bench
        .run(&restore(SITE, &alone))
        .fails(1, "another encryption_key");
    let config = bench.path().join(path(&answer, "site_config"));
    let given = ["--site-config", config.to_str().unwrap()];
    bench
        .run(&[&restore(SITE, &alone)[..], &given].concat())
        .ok()
        .says("encryption_key is the one of the backup again");
    let key = |file: &Path| -> Value {
        let text = fs::read_to_string(file).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["encryption_key"].clone()
    };
    assert_eq!(
        key(&bench.site_file(SITE, "site_config.json")),
        key(&config)
    );
    bench.run(&["list-users"]).ok();
    let users = bench.json(&["list-users"]).to_string();
    assert!(!users.contains(JO), "{users}");

    // It asks, and is for one site.
    bench
        .run(&["restore", file.to_str().unwrap()])
        .fails(2, "--yes");
    bench
        .run(&["--site", "all", "restore", file.to_str().unwrap(), "-y"])
        .fails(2, "--site NAME");
}

#[test]
fn all_sites_are_backed_up_into_files_of_their_owner() {
    let bench = Bench::new();
    bench.run(&["new-site", "b.localhost"]).ok();
    let all = bench.json(&["--site", "all", "backup", "--with-files"]);
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 2);
    for one in all {
        let (site, answer) = (text(one, "site"), &one["answer"]);
        for (name, ending) in [
            ("database", "-database.jsonl.gz"),
            ("site_config", "-site_config_backup.json"),
            ("public_files", "-files.tar"),
            ("private_files", "-private-files.tar"),
        ] {
            let path = bench.path().join(path(answer, name));
            let folder = bench.site_file(site, "private/backups");
            assert_eq!(
                path.parent().unwrap().canonicalize().unwrap(),
                folder.canonicalize().unwrap()
            );
            let file = path.file_name().unwrap().to_str().unwrap();
            let (stamp, rest) = file.split_at(15);
            assert!(
                stamp.chars().all(|c| c.is_ascii_digit() || c == '_'),
                "{file}"
            );
            assert_eq!(rest, format!("-{}{ending}", site.replace('.', "_")));
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    // Two in the same second get names of their own, and nothing unfinished stays.
    let again = [back_up(&bench, SITE), back_up(&bench, SITE)];
    assert_ne!(again[0]["database"], again[1]["database"]);
    let kept = fs::read_dir(bench.site_file(SITE, "private/backups")).unwrap();
    assert_eq!(kept.count(), 12);
    // By its name alone.
    let path = path(&again[1], "database");
    let name = path.file_name().unwrap().to_str().unwrap();
    bench
        .run(&["restore", name, "--force"])
        .ok()
        .says("is restored");
}
