//! `// spec: …` tags and where they stand.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One reference of one tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag {
    /// `security.md, Clients, line 1`, say: up to a colon, without what is said about it.
    pub(crate) reference: String,
    /// All that the tag says about it, in lower case.
    pub(crate) words: String,
    /// Path in the repository.
    pub(crate) file: String,
    /// The function, type or value that it belongs to.
    pub(crate) item: Option<String>,
}

impl Tag {
    /// Whether it stands beside a test.
    pub(crate) fn is_test(&self) -> bool {
        self.file.contains("/tests/") || self.file.ends_with("tests.rs")
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

/// Every tag of every Rust file.
pub(crate) fn all() -> Vec<Tag> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "crates/*.rs",
            "apps/*.rs",
        ])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    assert!(listed.status.success(), "git lists the files");
    let names = String::from_utf8(listed.stdout).unwrap();
    let mut tags = Vec::new();
    for name in names.split_terminator('\0') {
        // Not its own examples.
        if name.contains("/spec_map/") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(root().join(name)) else {
            continue; // removed, and not yet from the index
        };
        tags.extend(of_file(name, &text));
    }
    tags.sort();
    tags.dedup();
    tags
}

fn of_file(file: &str, text: &str) -> Vec<Tag> {
    let lines: Vec<&str> = text.lines().collect();
    let mut tags = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(first) = line.trim_start().strip_prefix("// spec: ") else {
            continue;
        };
        let more = lines[number + 1..].iter().map(|line| line.trim());
        let more = more.map_while(|line| line.strip_prefix("// "));
        let more = more.take_while(|line| !line.starts_with("spec: "));
        let text = std::iter::once(first)
            .chain(more)
            .collect::<Vec<_>>()
            .join(" ");
        let item = item(&lines, number);
        let mut document = String::new();
        for part in outside_quotes(&text, ';') {
            let reference = complete(part.trim(), &mut document);
            let Some(reference) = reference else { continue };
            tags.push(Tag {
                words: reference.to_lowercase(),
                reference: reference_only(&reference),
                file: file.to_owned(),
                item: item.clone(),
            });
        }
    }
    tags
}

/// A part with the document that it belongs to: `Codes and tokens, line 2` behind a part about
/// `security.md` belongs there too. `None` for words that name nothing.
fn complete(part: &str, document: &mut String) -> Option<String> {
    const DOCUMENTS: [&str; 13] = [
        "security.md",
        "http.md",
        "cli.md",
        "crm.md",
        "doctypes.md",
        "frappe/doctypes.md",
        "frappe/storage.md",
        "product.md",
        "behaviour.md",
        "standards.md",
        "RFC ",
        "OpenID Connect ",
        "OAuth 2",
    ];
    if let Some(found) = DOCUMENTS.iter().find(|name| part.starts_with(*name)) {
        (*found).clone_into(document);
        return Some(part.to_owned());
    }
    let in_security = [
        "Clients",
        "Authorization endpoint",
        "Codes and tokens",
        "Sign-in",
        "Inputs",
        "Audit",
    ];
    let security =
        *document == "security.md" && in_security.iter().any(|one| part.starts_with(one));
    (security || (*document == "security.md" && part.starts_with('"')))
        .then(|| format!("security.md, {part}"))
}

/// Without what is said behind a colon.
fn reference_only(reference: &str) -> String {
    let mut parts = outside_quotes(reference, ':');
    let first = parts.swap_remove(0);
    first.trim().trim_end_matches('.').to_owned()
}

/// Splits where the character stands outside of double quotes.
fn outside_quotes(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for character in text.chars() {
        quoted ^= character == '"';
        match parts.last_mut() {
            Some(last) if quoted || character != at => last.push(character),
            _ => parts.push(String::new()),
        }
    }
    parts
}

/// What the tag in that line belongs to: the item below it, or the function around it.
fn item(lines: &[&str], number: usize) -> Option<String> {
    let below = lines[number + 1..].iter().map(|line| line.trim());
    let below = below.skip_while(|line| {
        line.is_empty() || line.starts_with("//") || line.starts_with("#[") || *line == ")]"
    });
    if let Some(name) = below.take(1).find_map(declared) {
        return Some(name);
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines[number]);
    let above = lines[..number].iter().rev();
    above
        .filter(|line| indent(line) < own && line.contains("fn "))
        .find_map(|line| declared(line.trim()))
}

/// The name that a line declares.
fn declared(line: &str) -> Option<String> {
    let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let mut words = words.filter(|word| !word.is_empty());
    let leading = [
        "pub", "crate", "super", "in", "async", "const", "static", "unsafe", "mut",
    ];
    let kinds = ["fn", "struct", "enum", "trait", "type", "mod"];
    let mut valued = false;
    loop {
        let word = words.next()?;
        if kinds.contains(&word) {
            return words.next().map(str::to_owned);
        }
        if !leading.contains(&word) {
            // `const NAME: …`
            let upper = word
                .chars()
                .all(|c| c.is_uppercase() || c.is_ascii_digit() || c == '_');
            return (valued && upper).then(|| word.to_owned());
        }
        valued |= word == "const" || word == "static";
    }
}
