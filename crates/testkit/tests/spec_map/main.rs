//! `docs/spec-map.md`: which code and which test keeps which rule, from the `// spec: …` tags
//! beside them.
//!
//! The test fails when the file is stale; `UPDATE=1 cargo test -p crema-testkit --test spec_map`
//! writes it anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

mod rules;
mod tags;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rules::{FINDINGS, LATER, SECTIONS};
use tags::Tag;

const INTRODUCTION: &str = "\
# Where each rule is kept

From the `// spec: …` tags in the code and in the tests. A test fails when this file is stale; to
write it anew: `UPDATE=1 cargo test -p crema-testkit --test spec_map`.

The documents are those that Crema was written to; lines are counted within their section.
";

/// A line of `security.md`: section and number.
type Place = (usize, usize);

/// The section that the words of a tag name.
fn section(words: &str) -> Option<usize> {
    SECTIONS.iter().position(|(name, _)| {
        let name = name.to_lowercase();
        words.contains(&format!("security.md, {name}"))
            || (name.starts_with("sign-in") && words.contains("security.md, sign-in"))
    })
}

/// The numbers behind `line` or `lines`.
fn numbers(words: &str) -> Vec<usize> {
    let Some((_, rest)) = words.split_once(", line") else {
        return Vec::new();
    };
    let rest = rest.split(':').next().unwrap_or_default();
    let pieces = rest.trim_start_matches('s').split([',', ' ']);
    pieces
        .filter(|piece| !piece.is_empty())
        .map_while(|piece| match piece.parse() {
            Ok(number) => Some(Some(number)),
            Err(_) => (piece == "and").then_some(None),
        })
        .flatten()
        .collect()
}

/// The lines of `security.md` that a tag means; none when it means a section as a whole.
fn places(tag: &Tag) -> Result<Vec<Place>, String> {
    let section = section(&tag.words);
    let numbers = numbers(&tag.words);
    if let (Some(section), false) = (section, numbers.is_empty()) {
        let (name, lines) = SECTIONS[section];
        let wrong = numbers
            .iter()
            .find(|number| !(1..=lines.len()).contains(*number));
        return match wrong {
            Some(number) => Err(format!("{}: {name} has no line {number}", tag.file)),
            None => Ok(numbers
                .into_iter()
                .map(|number| (section, number))
                .collect()),
        };
    }
    let mut found = Vec::new();
    for (index, (_, lines)) in SECTIONS.iter().enumerate() {
        if section.is_some_and(|section| section != index) {
            continue;
        }
        for (number, line) in (1..).zip(*lines) {
            if line.phrases.iter().any(|phrase| tag.words.contains(phrase)) {
                found.push((index, number));
            }
        }
    }
    Ok(found)
}

/// `file: item, item` for each file, code apart from tests.
fn cell(tags: &[&Tag], tests: bool) -> String {
    let mut files: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for tag in tags.iter().filter(|tag| tag.is_test() == tests) {
        let items = files.entry(&tag.file).or_default();
        items.extend(tag.item.as_deref());
    }
    let mut lines = Vec::new();
    for (file, items) in files {
        let short = file.trim_start_matches("crates/").replace("/src/", "/");
        let short = short.replace("/tests/", "/");
        let items: Vec<_> = items.into_iter().map(|item| format!("`{item}`")).collect();
        let mut text = format!("[{short}](../{file})");
        if !items.is_empty() {
            write!(text, " {}", items.join(", ")).unwrap();
        }
        lines.push(text);
    }
    lines.join("<br>")
}

fn row(out: &mut String, first: &str, tags: &[&Tag]) {
    let or_none = |cell: String| {
        if cell.is_empty() {
            "\u{2014}".to_owned()
        } else {
            cell
        }
    };
    let (code, tests) = (or_none(cell(tags, false)), or_none(cell(tags, true)));
    writeln!(out, "| {first} | {code} | {tests} |").unwrap();
}

fn head(out: &mut String, level: &str, title: &str, first: &str) {
    writeln!(
        out,
        "\n{level} {title}\n\n| {first} | code | tests |\n|---|---|---|"
    )
    .unwrap();
}

fn security(out: &mut String, tags: &[Tag]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut by_place: BTreeMap<Place, Vec<&Tag>> = BTreeMap::new();
    let mut whole: BTreeMap<Option<usize>, Vec<&Tag>> = BTreeMap::new();
    for tag in tags
        .iter()
        .filter(|tag| tag.words.starts_with("security.md"))
    {
        match places(tag) {
            Ok(places) if places.is_empty() => {
                whole.entry(section(&tag.words)).or_default().push(tag);
            }
            Ok(places) => places
                .into_iter()
                .for_each(|place| by_place.entry(place).or_default().push(tag)),
            Err(reason) => wrong.push(reason),
        }
    }
    for tag in whole.remove(&None).unwrap_or_default() {
        wrong.push(format!(
            "{}: no line of security.md says {}",
            tag.file, tag.words
        ));
    }
    writeln!(out, "\n## security.md").unwrap();
    for (index, (name, lines)) in SECTIONS.iter().enumerate() {
        head(out, "###", name, "line");
        for (number, line) in (1..).zip(*lines) {
            let found = by_place.remove(&(index, number)).unwrap_or_default();
            let tested = found.iter().any(|tag| tag.is_test());
            match (tested, LATER.contains(&(*name, number))) {
                (false, false) => wrong.push(format!("{name}, line {number} has no test")),
                (true, true) => wrong.push(format!("{name}, line {number} is not for later")),
                _ => {}
            }
            row(out, &format!("{number}. {}", line.title), &found);
        }
        if let Some(found) = whole.get(&Some(index)) {
            row(out, "the section as a whole", found);
        }
    }
    wrong
}

fn findings(out: &mut String, tags: &[Tag]) {
    head(out, "##", "behaviour.md, section 5", "finding");
    for (number, title) in (1..).zip(FINDINGS) {
        let found: Vec<_> = tags
            .iter()
            .filter(|tag| tag.words.starts_with("behaviour.md"))
            .filter(|tag| {
                let (_, rest) = tag.words.split_once("finding").unwrap_or_default();
                let digits = rest.trim_start_matches(['s', ' ']);
                let end = digits
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(digits.len());
                digits[..end].parse() == Ok(number)
            })
            .collect();
        row(out, &format!("{number}. {title}"), &found);
    }
}

/// Everything else, by document and by what the tags call the place.
fn others(out: &mut String, tags: &[Tag]) {
    let mut documents: BTreeMap<String, BTreeMap<String, Vec<&Tag>>> = BTreeMap::new();
    for tag in tags {
        if tag.words.starts_with("security.md") || tag.words.starts_with("behaviour.md, finding") {
            continue;
        }
        let number = |text: &str| {
            let digits = text.find(|c: char| !c.is_ascii_digit());
            digits.unwrap_or(text.len())
        };
        let end = match (
            tag.reference.find(".md"),
            tag.reference.strip_prefix("RFC "),
        ) {
            (Some(at), _) => at + 3,
            (None, Some(rest)) => 4 + number(rest),
            (None, None) => {
                let end = tag.reference.find([',', '\u{a7}']);
                end.unwrap_or(tag.reference.len())
            }
        };
        let (document, place) = tag.reference.split_at(end);
        let place = place.trim_start_matches([',', ' ']).replace('|', "\\|");
        let document = document.trim().to_owned();
        let places = documents.entry(document).or_default();
        places.entry(place).or_default().push(tag);
    }
    for (document, places) in documents {
        head(out, "##", &document, "place");
        for (place, found) in places {
            let place = if place.is_empty() {
                "as a whole".to_owned()
            } else {
                place
            };
            row(out, &place, &found);
        }
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whether to write the file is for the person who runs the test to say"
)]
fn the_map_is_that_of_the_tags() {
    let tags = tags::all();
    let mut map = INTRODUCTION.to_owned();
    let wrong = security(&mut map, &tags);
    findings(&mut map, &tags);
    others(&mut map, &tags);
    let path = tags::root().join("docs/spec-map.md");
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, &map).unwrap();
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == map,
        "docs/spec-map.md is stale: UPDATE=1 cargo test -p crema-testkit --test spec_map"
    );
}

#[test]
fn numbers_are_read_from_tags() {
    assert_eq!(numbers("security.md, clients, line 1: 43 to 128"), [1]);
    assert_eq!(
        numbers("security.md, clients, lines 1, 2 and \"x\""),
        [1, 2]
    );
    assert_eq!(numbers("security.md, clients, lines 2, 5 and 6"), [2, 5, 6]);
    assert!(numbers("security.md, clients, \"x\"").is_empty());
}
