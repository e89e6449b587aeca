//! The pages as files, for people.

use std::fmt::Write as _;
use std::path::Path;

use super::*;

/// Writes every page and file to `target/pages`, to be looked at in a browser:
/// `cargo test -p crema-web gallery -- --ignored`, then serve that folder.
#[test]
#[ignore = "for people"]
fn gallery() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/pages");
    let mut index = String::from("<!DOCTYPE html><meta charset=utf-8>");
    for lang in Lang::ALL {
        std::fs::create_dir_all(root.join(lang.code())).unwrap();
        for (name, html) in every_page(lang) {
            let path = format!("{}/{name}.html", lang.code());
            write!(index, "<p><a href='/{path}'>{path}</a>").unwrap();
            std::fs::write(root.join(path), html).unwrap();
        }
    }
    std::fs::write(root.join("index.html"), index).unwrap();
    std::fs::create_dir_all(root.join("assets/crema")).unwrap();
    for path in [assets::style(), assets::form_post(), assets::icon()] {
        let body = asset(path).unwrap().body;
        std::fs::write(root.join(path.trim_start_matches('/')), body).unwrap();
    }
}
