//! `docs/connect-cli.md`: the program of the page, with its reader's browser.

use crema_testkit::Browser;
use serde_json::{Value, json};

use super::{JO, Reader, allow};

const PAGE: &str = "docs/connect-cli.md";

/// What the program keeps for the site.
struct Kept(Value);

impl Kept {
    fn read(reader: &Reader) -> Kept {
        let path = reader.bench.path().join(".config/todo.json");
        let text = std::fs::read_to_string(path).unwrap();
        Kept(serde_json::from_str(&text).unwrap())
    }

    fn own(&mut self) -> &mut Value {
        self.0.as_object_mut().unwrap().values_mut().next().unwrap()
    }

    fn refresh_token(&mut self) -> String {
        self.own()["tokens"]["refresh_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn write(&self, reader: &Reader) {
        let path = reader.bench.path().join(".config/todo.json");
        std::fs::write(path, self.0.to_string()).unwrap();
    }
}

/// `todo.py login`.
async fn login(reader: &mut Reader, browser: &Browser) {
    let block = reader.block("login");
    reader.shell.begin(&block);
    let address = reader.shell.line("browser ");
    browser.open(&address).await;
    allow(browser).await;
    let said = reader.shell.end();
    assert!(said.contains(&format!("Signed in as {JO}.")), "{said}");
    let page = browser.text("body").await;
    assert_eq!(page, "Done. You can close this page.");
}

/// What can be done with the program from a sign-in to the end.
async fn walk(reader: &mut Reader, browser: &Browser) {
    login(reader, browser).await;
    let said = reader.run("use");
    assert!(said.starts_with("Added.\nWater the plants\n"), "{said}");
    assert!(said.trim_end().ends_with(JO), "{said}");
    let mode = "ls -l .config/todo.json | cut -c 1-10";
    assert_eq!(reader.shell.run(mode).trim(), "-rw-------");

    // It refreshes in time, and when a token that looked alive is refused.
    let mut kept = Kept::read(reader);
    let first = kept.refresh_token();
    kept.own()["tokens"]["ends"] = json!(0);
    kept.write(reader);
    assert_eq!(reader.shell.run("python3 todo.py who").trim(), JO);
    let mut kept = Kept::read(reader);
    let second = kept.refresh_token();
    assert_ne!(first, second);
    kept.own()["tokens"]["access_token"] = json!("ended");
    kept.write(reader);
    assert_eq!(reader.shell.run("python3 todo.py who").trim(), JO);
    let last = Kept::read(reader).refresh_token();
    assert_ne!(second, last);
    assert_eq!(reader.bench.json(&["token", "list"])[0]["user"], JO);

    let said = reader.run("end");
    assert!(said.contains("Signed out.\nForgotten."), "{said}");
    assert_eq!(reader.bench.json(&["token", "list"]), json!([]));
    let said = reader.shell.run("python3 todo.py who || true");
    assert!(said.contains("Sign in first"), "{said}");
}

#[test]
fn the_program_works_both_ways() {
    let mut reader = Reader::of(PAGE, "localhost");
    reader.run("prepare");
    reader.save("todo.py");
    crema_testkit::engines::run(async {
        let browser = Browser::start().await;
        reader.run("registration-scopes");
        walk(&mut reader, &browser).await;
        // It has taken its registration back; the demo of the first start is left.
        let clients = reader.bench.json(&["oauth-client", "list"]);
        assert_eq!(clients.as_array().unwrap().len(), 1, "{clients}");

        let said = reader
            .shell
            .run("TODO_SITE=http://localhost:1 python3 todo.py login || true");
        assert!(
            said.contains("refused") && !said.contains("Traceback"),
            "{said}"
        );

        let said = reader.run("client");
        assert!(Reader::said(&said, "client_id: ").len() >= 10);
        walk(&mut reader, &browser).await;
        browser.close().await;
    });
    reader.stop();
}
