//! What holds for every page in every language.

use super::*;

// spec: security.md, Authorization endpoint: no inline script
#[test]
fn pages_obey_their_content_security_policy() {
    for lang in Lang::ALL {
        for (name, html) in every_page(lang) {
            for forbidden in [
                " style=",
                "<style",
                "javascript:",
                " onclick",
                " onload",
                " onsubmit",
                "<base",
                "<iframe",
                "<img",
            ] {
                assert!(!html.contains(forbidden), "{name} has {forbidden}");
            }
            for (at, _) in html.match_indices("<script") {
                assert!(
                    html[at..].starts_with("<script src=\"/assets/crema/"),
                    "{name}"
                );
            }
            for attribute in ["src=\"", "href=\"/assets"] {
                for (at, _) in html.match_indices(attribute) {
                    let value = html[at..].split('"').nth(1).unwrap();
                    assert!(asset(value).is_some_and(|a| a.immutable), "{name}: {value}");
                }
            }
        }
    }
    assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
    assert!(!CONTENT_SECURITY_POLICY.contains("form-action"));
    assert!(!CONTENT_SECURITY_POLICY.contains("  "));
}

#[test]
fn every_page_is_a_whole_document_in_its_language() {
    for lang in Lang::ALL {
        for (name, html) in every_page(lang) {
            let start = format!(
                "<!DOCTYPE html>\n<html lang=\"{}\" dir=\"{}\">",
                lang.code(),
                lang.dir()
            );
            assert!(html.starts_with(&start), "{name}: {}", &html[..80]);
            assert!(html.trim_end().ends_with("</html>"), "{name}");
            assert_eq!(html.matches("<main").count(), 1, "{name}");
            assert_eq!(html.matches("<h1").count(), 1, "{name}");
            assert!(!title(&html).is_empty(), "{name}");
            assert_eq!(
                html.matches("<form").count(),
                html.matches("</form>").count(),
                "{name}"
            );
            for (at, _) in html.match_indices(" id=\"") {
                let id = html[at..].split('"').nth(1).unwrap();
                assert_eq!(
                    html.matches(&format!(" id=\"{id}\"")).count(),
                    1,
                    "{name}: {id}"
                );
            }
            for (at, _) in html.match_indices("for=\"") {
                let id = html[at..].split('"').nth(1).unwrap();
                assert!(html.contains(&format!(" id=\"{id}\"")), "{name}: {id}");
            }
        }
    }
}

/// WCAG 2.2 relative luminance of `#rrggbb`.
fn luminance(color: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&color[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[test]
fn colours_have_the_contrast_of_wcag_aa_in_both_themes() {
    let css = std::str::from_utf8(asset("/assets/crema/crema.css").unwrap().body).unwrap();
    let (light, dark) = css
        .split_once("@media (prefers-color-scheme: dark)")
        .unwrap();
    let dark = dark.split_once("--shadow").unwrap().0;
    // Text needs 4.5, the edges of fields and the focus ring need 3 (1.4.3, 1.4.11).
    let pairs = [
        ("text", "page", 4.5),
        ("text", "card", 4.5),
        ("text", "soft", 4.5),
        ("quiet", "card", 4.5),
        ("quiet", "soft", 4.5),
        ("accent", "card", 4.5),
        ("accent-strong", "card", 4.5),
        ("on-accent", "accent", 4.5),
        ("on-accent", "accent-strong", 4.5),
        ("error", "error-soft", 4.5),
        ("warning", "warning-soft", 4.5),
        ("edge", "card", 3.0),
        ("focus", "card", 3.0),
        ("focus", "page", 3.0),
        ("error", "card", 3.0),
        ("accent", "soft", 3.0),
    ];
    for (theme, rules) in [("light", light), ("dark", dark)] {
        let color = |name: &str| {
            let (_, rest) = rules.split_once(&format!("--{name}: ")).unwrap();
            luminance(rest.split_once(';').unwrap().0)
        };
        for (front, back, least) in pairs {
            let (a, b) = (color(front), color(back));
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(
                contrast >= least,
                "{theme}: {front} on {back} is {contrast:.2}"
            );
        }
    }
}
