//! How a field is named in a request.

use crate::refusal::{Reason, Refusal};

/// A field by the way to it. Nothing of it has been looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// Where the field is, when not in the DocType itself.
    pub(super) place: Option<Place>,
    /// Its name.
    pub(super) field: String,
}

/// What stands before the dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// `` `tabDocType`.`field` ``, or the first of four in a filter.
    DocType(String),
    /// `items.field` or `customer.field`: a Table or a Link of the DocType.
    Field(String),
}

impl Path {
    /// A field of the DocType itself.
    #[cfg(test)]
    pub(super) fn own(field: &str) -> Path {
        Path {
            place: None,
            field: field.to_owned(),
        }
    }

    /// A field of that DocType.
    pub(super) fn of(doctype: &str, field: &str) -> Path {
        Path {
            place: Some(Place::DocType(doctype.to_owned())),
            field: field.to_owned(),
        }
    }

    /// Reads `field`, `place.field`, `tabDocType.field`, each part perhaps in backticks or
    /// double quotes.
    pub(super) fn parse(text: &str) -> Result<Path, Refusal> {
        let wrong = || {
            let shown = shown(text);
            Refusal::new(Reason::Malformed, format!("{shown} is not a field"))
        };
        let (first, quoted, rest) = part(text.trim()).ok_or_else(wrong)?;
        if rest.is_empty() {
            return Ok(Path {
                place: None,
                field: first.to_owned(),
            });
        }
        let rest = rest.strip_prefix('.').ok_or_else(wrong)?;
        let (field, _, rest) = part(rest).ok_or_else(wrong)?;
        if !rest.is_empty() {
            return Err(wrong());
        }
        // A DocType begins with a capital or has been quoted; a field is in small letters.
        let doctype = first
            .strip_prefix("tab")
            .filter(|name| quoted || name.starts_with(|c: char| !c.is_ascii_lowercase()))
            .filter(|name| !name.is_empty() && !name.starts_with('_'));
        let place = match doctype {
            Some(doctype) => Place::DocType(doctype.to_owned()),
            None => Place::Field(first.to_owned()),
        };
        Ok(Path {
            place: Some(place),
            field: field.to_owned(),
        })
    }
}

/// The first part of a path, whether it was quoted, and what follows it.
fn part(text: &str) -> Option<(&str, bool, &str)> {
    let quote = text.chars().next()?;
    if matches!(quote, '`' | '"') {
        let (name, rest) = text.get(1..)?.split_once(quote)?;
        return (!name.is_empty()).then_some((name, true, rest));
    }
    let end = text.find('.').unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    // Only names of DocTypes have blanks and hyphens.
    let of_doctype = name.starts_with("tab") && end < text.len();
    let plain = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '*') || (of_doctype && matches!(c, ' ' | '-'))
    };
    (!name.is_empty() && name.chars().all(plain)).then_some((name.trim(), false, rest))
}

/// A text of a request as a message shows it: short, in quotes, on one line.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.chars().take(LONGEST).map(clean).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    format!("\"{short}\"")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn the_ways_to_a_field() {
        for (text, place, field) in [
            ("name", None, "name"),
            (" `name` ", None, "name"),
            ("items.qty", Some(Place::Field("items".into())), "qty"),
            ("tabs.qty", Some(Place::Field("tabs".into())), "qty"),
            (
                "`tabHas Role`.`role`",
                Some(Place::DocType("Has Role".into())),
                "role",
            ),
            (
                "\"tabHas Role\".role",
                Some(Place::DocType("Has Role".into())),
                "role",
            ),
            (
                "tabToDo.status",
                Some(Place::DocType("ToDo".into())),
                "status",
            ),
            ("`tabA.B`.x", Some(Place::DocType("A.B".into())), "x"),
            ("tabToDo.*", Some(Place::DocType("ToDo".into())), "*"),
        ] {
            let field = field.to_owned();
            assert_eq!(Path::parse(text).unwrap(), Path { place, field }, "{text}");
        }
        for text in [
            "", ".", "a.", ".a", "a.b.c", "`a", "`a`b", "``", "a;b", "a(b)", "name--'", "a,b",
        ] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
