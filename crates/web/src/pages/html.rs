//! What may be shown: escaping, and the removal of characters that make a text look like
//! another one. Client names come from strangers (RFC 7591 §5 warns of look-alikes).

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};
use url::Url;

/// The escaper behind every `{{ value }}` (see `askama.toml`): HTML escaping, without
/// the invisible characters of [`is_hidden`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown;

impl Escaper for Shown {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        string
            .split(is_hidden)
            .try_for_each(|piece| Html.write_escaped_str(&mut dest, piece))
    }
}

/// `text` as [`Shown`] writes it.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Writing to a String does not fail.
    let _ = Shown.write_escaped_str(&mut out, text);
    out
}

/// Characters that are never shown: controls, the bidirectional marks, overrides and isolates
/// (UAX #9 §2), and invisible ones. The joiners U+200C and U+200D stay: Persian and the
/// Indic scripts need them.
fn is_hidden(c: char) -> bool {
    let is_break = matches!(c, '\t' | '\n' | '\r');
    (c.is_control() && !is_break)
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Accents and the like, which stack on the letter before and could bury the lines around it.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe2f}')
}

/// Takes up room but shows nothing.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{115f}'
                | '\u{1160}'
                | '\u{3164}'
                | '\u{ffa0}'
                | '\u{2800}'
                | '\u{200c}'
                | '\u{200d}'
        )
}

/// Longest name that is shown, in characters (Frappe's Data fields hold as many).
const NAME_LIMIT: usize = 140;
/// Marks in a row that a name may have; no orthography needs more.
const MARK_LIMIT: usize = 3;

/// A name fit to be shown in one line: hidden characters out, blanks single, piled-up marks
/// and overlong names cut; `fallback` where nothing visible is left.
pub(super) fn label(name: &str, fallback: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    let mut marks = 0;
    let mut gap = false;
    for c in name.chars().filter(|&c| !is_hidden(c)) {
        if c.is_whitespace() {
            gap = !out.is_empty();
            continue;
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > MARK_LIMIT {
            continue;
        }
        if length == NAME_LIMIT {
            out.push('…');
            break;
        }
        if gap {
            out.push(' ');
            gap = false;
        }
        out.push(c);
        length += 1;
    }
    if out.chars().all(|c| is_blank(c) || is_mark(c)) {
        return fallback.to_owned();
    }
    out
}

/// The first letter or digit of a name, for the badge beside it.
pub(super) fn initial(name: &str) -> String {
    let first = name.chars().find(|c| c.is_alphanumeric());
    first.map_or_else(String::new, |c| c.to_uppercase().collect())
}

/// `address` if it may become a link: http or https, with a host and without credentials
/// (`https://bank.example@evil.example/` reads as another place than it is).
pub(super) fn link(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_plain = url.username().is_empty() && url.password().is_none();
    (is_web && is_plain).then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_and_overrides_are_left_out() {
        assert_eq!(escaped("<a href='\"&"), "&#60;a href=&#39;&#34;&#38;");
        assert_eq!(escaped("a\u{202e}b\u{2066}c\u{0}d\u{200b}e"), "abcde");
        assert_eq!(escaped("می\u{200c}خواهم"), "می\u{200c}خواهم");
    }

    #[test]
    fn a_label_is_one_short_line() {
        assert_eq!(label("  Acme \n\t CRM ", "?"), "Acme CRM");
        assert_eq!(label("\u{202e}knaB\u{202c}", "?"), "knaB");
        assert_eq!(
            label(" \u{3164}\u{200d}\u{200b}\u{301}", "nameless"),
            "nameless"
        );
        assert_eq!(label("", "nameless"), "nameless");
        assert_eq!(label(&"x".repeat(140), "?"), "x".repeat(140));
        assert_eq!(
            label(&"x".repeat(141), "?"),
            format!("{}…", "x".repeat(140))
        );
        let piled = format!("Z{}", "\u{336}".repeat(50));
        assert_eq!(label(&piled, "?").chars().count(), 1 + MARK_LIMIT);
    }

    #[test]
    fn the_initial_is_a_letter() {
        assert_eq!(initial("«crm»"), "C");
        assert_eq!(initial("ß"), "SS");
        assert_eq!(initial("…"), "");
    }

    #[test]
    fn only_plain_web_addresses_become_links() {
        assert_eq!(
            link("https://a.example/x?y=1#z").as_deref(),
            Some("https://a.example/x?y=1#z")
        );
        for bad in [
            "javascript:alert(1)",
            " JavaScript:alert(1)",
            "data:text/html,x",
            "https://bank.example@evil.example/",
            "//evil.example/",
            "/path",
            "mailto:a@b.example",
            "app.example:/cb",
            "",
        ] {
            assert_eq!(link(bad), None, "{bad}");
        }
    }
}
