//! The words of the pages, one JSON file per language under `locale/`, and the choice of
//! the language (`OpenID` Connect Core §3.1.2.1 `ui_locales`, RFC 9110 §12.5.4).

use std::collections::HashMap;
use std::sync::LazyLock;

use askama::filters::Safe;

use super::html;

/// A language that the pages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lang {
    /// English, the default.
    #[default]
    En,
    /// German.
    De,
    /// Arabic, written from right to left.
    Ar,
}

impl Lang {
    /// Every language, the default first; `ui_locales_supported` of the metadata lists their codes.
    pub const ALL: [Self; 3] = [Self::En, Self::De, Self::Ar];

    /// The language tag (RFC 5646) for `<html lang>` and `Content-Language`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Ar => "ar",
        }
    }

    /// The direction for `<html dir>`: `ltr` or `rtl`.
    #[must_use]
    pub const fn dir(self) -> &'static str {
        match self {
            Self::En | Self::De => "ltr",
            Self::Ar => "rtl",
        }
    }

    /// The language of a tag such as `de-AT`: only the primary subtag counts.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?.trim();
        Self::ALL
            .into_iter()
            .find(|lang| lang.code().eq_ignore_ascii_case(primary))
    }

    /// The text with this key; in English where a translation lacks it, and the key itself
    /// where nobody wrote it (a test keeps both from happening).
    #[must_use]
    pub fn text(self, key: &'static str) -> &'static str {
        let find = |lang: Self| catalog(lang).get(key).map(String::as_str);
        find(self).or_else(|| find(Self::En)).unwrap_or(key)
    }

    /// The text with this key as HTML, its placeholder `{name}` filled with `value`: escaped,
    /// and kept apart from the sentence's direction by `<bdi>`.
    #[must_use]
    pub(super) fn filled(self, key: &'static str, name: &str, value: &str) -> Safe<String> {
        let text = self.text(key);
        let placeholder = format!("{{{name}}}");
        let (before, after) = text.split_once(&placeholder).unwrap_or((text, ""));
        Safe(format!(
            "{}<bdi>{}</bdi>{}",
            html::escaped(before),
            html::escaped(value),
            html::escaped(after)
        ))
    }

    /// The text with this key as plain text, its placeholder `{name}` filled with `value`.
    #[must_use]
    pub(super) fn replaced(self, key: &'static str, name: &str, value: &str) -> String {
        self.text(key).replacen(&format!("{{{name}}}"), value, 1)
    }
}

/// Chooses the language: the first of `ui_locales` (tags with blanks between, best first) that
/// the pages have, else the best of `Accept-Language`, else English.
#[must_use]
pub fn negotiate(ui_locales: Option<&str>, accept_language: Option<&str>) -> Lang {
    let asked = ui_locales.unwrap_or_default();
    asked
        .split_ascii_whitespace()
        .find_map(Lang::from_tag)
        .or_else(|| accepted(accept_language.unwrap_or_default()))
        .unwrap_or_default()
}

/// The language of an `Accept-Language` header with the highest weight, the earlier of equals.
/// `*` stands for the default. What cannot be read is passed over.
fn accepted(header: &str) -> Option<Lang> {
    let mut best: Option<(u16, Lang)> = None;
    for range in header.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let lang = match parts.next().unwrap_or_default() {
            "*" => Some(Lang::default()),
            tag => Lang::from_tag(tag),
        };
        let (Some(lang), Some(weight)) = (lang, weight(parts.next())) else {
            continue;
        };
        if weight > 0 && best.is_none_or(|(highest, _)| weight > highest) {
            best = Some((weight, lang));
        }
    }
    best.map(|(_, lang)| lang)
}

/// A weight in thousandths (RFC 9110 §12.4.2); no weight is 1.
fn weight(parameter: Option<&str>) -> Option<u16> {
    let Some(parameter) = parameter else {
        return Some(1000);
    };
    let value = parameter.strip_prefix(['q', 'Q'])?.trim_start();
    let value: f32 = value.strip_prefix('=')?.trim().parse().ok()?;
    // The range check also stops NaN, so the cast cannot surprise.
    (0.0..=1.0)
        .contains(&value)
        .then_some((value * 1000.0).round() as u16)
}

type Catalog = HashMap<String, String>;

fn catalog(lang: Lang) -> &'static Catalog {
    static EN: LazyLock<Catalog> =
        LazyLock::new(|| parse(include_str!("../../../../locale/en.json")));
    static DE: LazyLock<Catalog> =
        LazyLock::new(|| parse(include_str!("../../../../locale/de.json")));
    static AR: LazyLock<Catalog> =
        LazyLock::new(|| parse(include_str!("../../../../locale/ar.json")));
    match lang {
        Lang::En => &EN,
        Lang::De => &DE,
        Lang::Ar => &AR,
    }
}

/// The files are part of the program and a test reads them, so a broken one never ships.
fn parse(json: &str) -> Catalog {
    serde_json::from_str(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{')
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('}')?.0))
            .collect()
    }

    #[test]
    fn every_language_has_every_key_with_the_same_placeholders() {
        let english = catalog(Lang::En);
        assert!(english.len() > 50);
        for lang in Lang::ALL {
            let keys = |catalog: &Catalog| catalog.keys().cloned().collect::<BTreeSet<_>>();
            assert_eq!(keys(english), keys(catalog(lang)), "{lang:?}");
            for (key, text) in catalog(lang) {
                assert!(!text.trim().is_empty(), "{lang:?} {key}");
                assert_eq!(
                    placeholders(&english[key]),
                    placeholders(text),
                    "{lang:?} {key}"
                );
            }
        }
    }

    /// All that looks like a key (`"word.word"`) in the pages' sources and templates.
    fn keys_in_use(dir: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            // Tests are full of names with dots that are no keys.
            if path.is_dir() {
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            for piece in source.split('"') {
                let name =
                    |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c);
                if piece.contains('.') && piece.chars().all(name) {
                    found.insert(piece.to_owned());
                }
            }
        }
    }

    #[test]
    fn pages_use_only_keys_that_exist_and_no_text_is_dead() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut used = BTreeSet::new();
        keys_in_use(&root.join("src/pages"), &mut used);
        keys_in_use(&root.join("templates"), &mut used);
        let catalog = catalog(Lang::En);
        let spaces: BTreeSet<&str> = catalog.keys().filter_map(|k| k.split('.').next()).collect();
        for key in &used {
            let space = key.split('.').next().unwrap();
            // Scopes and file names look like keys but belong to no group of texts.
            let is_text = spaces.contains(space) && !key.ends_with(".html");
            assert!(!is_text || catalog.contains_key(key), "no text for {key}");
        }
        for key in catalog.keys() {
            assert!(used.contains(key), "nothing shows {key}");
        }
    }

    #[test]
    fn the_first_known_ui_locale_wins_over_the_header() {
        assert_eq!(negotiate(Some("fr-CA de-AT en"), Some("ar")), Lang::De);
        assert_eq!(negotiate(Some("AR"), None), Lang::Ar);
        assert_eq!(negotiate(Some("fr tlh"), Some("ar;q=0.1")), Lang::Ar);
        assert_eq!(negotiate(Some(""), None), Lang::En);
        assert_eq!(negotiate(None, None), Lang::En);
    }

    #[test]
    fn the_header_is_read_by_weight() {
        let cases = [
            ("de", Lang::De),
            ("de-CH, en;q=0.9", Lang::De),
            ("fr, en;q=0.8, de;q=0.7", Lang::En),
            ("en;q=0.3, de;q=0.31", Lang::De),
            ("de;q=0, ar;q=0.001", Lang::Ar),
            ("de;q=0", Lang::En),
            ("*;q=1, de;q=0.5", Lang::En),
            ("de , ar", Lang::De),
            ("de; q=1.0", Lang::De),
            ("de;Q=0.5,ar;q=0.4", Lang::De),
            ("de;q=NaN, ar;q=7, en;q=-1", Lang::En),
            (";;;,,,=,q=", Lang::En),
        ];
        for (header, lang) in cases {
            assert_eq!(negotiate(None, Some(header)), lang, "{header}");
        }
    }

    #[test]
    fn a_filled_text_is_escaped_and_isolated() {
        let html = Lang::En
            .filled("login.to_continue", "app", "<b>\u{202e}x")
            .0;
        assert_eq!(html, "Log in to continue to <bdi>&#60;b&#62;x</bdi>");
        assert_eq!(
            Lang::En.filled("login.title", "app", "x").0,
            "Login<bdi>x</bdi>"
        );
    }
}
