//! `docs/seeds.md` is made of the examples' own words.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{Example, guide, howto};

const HEAD: &str = "\
# Examples of others

Two documents show how a Frappe site is used with OAuth 2. Every request in them works here too. What
has to be typed or expected differently, and which switch has to be set because today's practice
forbids what the document does, stands below. `crates/testkit/tests/suite/seeds/` sends every example
as it is shown and as it is corrected, and this page is made of the same words.

What holds for both: names, ids and tokens are your own; the address is your site's.
";

fn document() -> String {
    let mut text = HEAD.to_owned();
    let documents = [
        (
            "How to setup OAuth 2? (Frappe documentation)",
            "howto",
            howto::EXAMPLES,
        ),
        (
            "OAuth2 Setup and Operations Guide (a CRM team)",
            "guide",
            guide::EXAMPLES,
        ),
    ];
    for (title, module, examples) in documents {
        let _ = write!(text, "\n## {title}\n");
        for example in examples {
            write_example(&mut text, module, example);
        }
    }
    text
}

fn write_example(text: &mut String, module: &str, example: &Example) {
    let Example {
        place,
        request,
        test,
        switches,
        corrections,
    } = example;
    let _ = write!(text, "\n### {place}\n\n{request} (`{module}::{test}`)\n");
    if !switches.is_empty() {
        text.push_str("\n| switch | why it is not the default |\n|---|---|\n");
        for switch in *switches {
            let _ = writeln!(text, "| {} | {} |", switch.set, switch.because);
        }
    }
    if corrections.is_empty() {
        text.push_str("\nWorks as shown.\n");
        return;
    }
    text.push_str("\n| shown | instead | why |\n|---|---|---|\n");
    for correction in *corrections {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            correction.shown, correction.instead, correction.because
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_page_for_people_says_the_same() {
    let wanted = document();
    let page = std::fs::read_to_string(root().join("docs/seeds.md")).unwrap_or_default();
    if page != wanted {
        let made = root().join("target/seeds.md");
        std::fs::write(&made, wanted).unwrap();
        panic!("docs/seeds.md is not what the examples say: cp target/seeds.md docs/seeds.md");
    }
}

#[test]
fn every_example_names_a_test_that_exists() {
    let howto = (howto::SOURCES, howto::EXAMPLES);
    for (sources, examples) in [howto, (guide::SOURCES, guide::EXAMPLES)] {
        for example in examples {
            let test = format!("async fn {}()", example.test);
            let exists = sources.iter().any(|source| source.contains(&test));
            assert!(exists, "{}", example.test);
        }
    }
}
