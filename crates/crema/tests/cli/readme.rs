//! The README's walk: its marked blocks run one after the other, as they stand.

use std::fs;
use std::path::Path;

use crate::harness::{Bench, SITE};

/// The code blocks of a page that are marked with `<!-- run: NAME -->`, in their order.
pub(crate) fn blocks(page: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(page);
    let text = fs::read_to_string(path).unwrap();
    let marked = text.split("<!-- run: ").skip(1);
    marked
        .map(|rest| {
            let (name, rest) = rest
                .split_once(" -->\n```")
                .expect("a code block after the mark");
            let (_, rest) = rest.split_once('\n').expect("its code");
            let (code, _) = rest.split_once("\n```").expect("its end");
            (name.to_owned(), code.to_owned())
        })
        .collect()
}

#[test]
fn the_walk_of_the_readme_works() {
    let bench = Bench::empty();
    let server = bench.serve(&["--quickstart"]);
    // Stands for the block above the walk: the program that was built, the site of the first
    // command.
    let mut script = format!("SITE=http://{SITE}:{}\n", server.address.port());
    let blocks = blocks("README.md");
    for (name, code) in &blocks {
        script.push_str(&format!("printf '\\n== %s\\n' '{name}'\n{code}\n"));
    }
    let run = bench.shell(&script).ok();
    server.stop();
    let outputs: Vec<(&str, &str)> = run
        .stdout
        .split("\n== ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap_or((section, "")))
        .collect();
    let names: Vec<&str> = outputs.iter().map(|(name, _)| *name).collect();
    let wanted = [
        "prepare",
        "user-and-client",
        "login",
        "allow",
        "token",
        "userinfo",
        "documents",
        "refresh",
        "introspect-and-revoke",
        "public-client",
        "proxy",
        "sites",
    ];
    assert_eq!(names, wanted);
    let said = |name: &str, text: &str| {
        let (_, output) = outputs.iter().find(|(block, _)| *block == name).unwrap();
        assert!(
            output.contains(text),
            "{name}: {text:?} is not in: {output}"
        );
    };
    said("user-and-client", "User jo@example.com added.");
    said("login", "\"full_name\":\"Jo Doe\"");
    said("allow", "http://127.0.0.1:9999/callback?code=");
    said("allow", "&state=s-1&iss=");
    said("token", "\"id_token\":");
    said("userinfo", "\"email\":\"jo@example.com\"");
    said("userinfo", "{\"message\":\"jo@example.com\"}");
    said("documents", "\"doctype\":\"ToDo\"");
    let row = r#"{"data":[{"description":"Water the plants","status":"Open"}]}"#;
    said("documents", row);
    said("introspect-and-revoke", "\"active\":true");
    said("introspect-and-revoke", "{\"active\":false}");
    said("public-client", "client_id: ");
    said("sites", "shop.localhost");
}
