//! The one function of ours in SQL: `LIKE` without regard to case.
//!
//! SQLite's own `lower` knows ASCII only, and its `LIKE` goes through a long text once for every
//! character of a pattern without asking whether anybody still waits. Here a part of a pattern
//! is looked for in one go, and the pace of the connection is asked on the way.

use std::sync::Arc;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

use super::pace::Pace;
use crate::Dialect;

/// Its name in SQL.
pub(crate) const NAME: &str = "crema_like";

/// So many places of a text are compared between two looks at the pace.
const PLACES: usize = 1024;

/// Makes it known to a connection: `crema_like(text, pattern)`, the pattern folded, with `%` and
/// `_`, and `!` before each of these three that stands for itself.
pub(super) fn register(connection: &Connection, pace: Arc<Pace>) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function(NAME, 2, flags, move |context| like(context, &pace))
}

fn like(context: &Context<'_>, pace: &Pace) -> rusqlite::Result<Option<bool>> {
    let text = match context.get_raw(0) {
        ValueRef::Text(bytes) => {
            go_on(pace, bytes.len())?;
            Dialect::fold(&String::from_utf8_lossy(bytes))
        }
        ValueRef::Integer(int) => int.to_string(),
        _ => return Ok(None),
    };
    let parse =
        |value: ValueRef<'_>| -> Result<Pattern, Error> { Ok(Pattern::of(value.as_str()?)) };
    let pattern = context.get_or_create_aux(1, parse)?;
    pattern
        .matches(&text, &|bytes| go_on(pace, bytes))
        .map(Some)
}

/// # Errors
/// When the statement has to end.
fn go_on(pace: &Pace, bytes: usize) -> rusqlite::Result<()> {
    match pace.spend(bytes) {
        false => Ok(()),
        true => Err(Error::UserFunctionError("interrupted".into())),
    }
}

/// A pattern: parts with anything between them.
struct Pattern(Vec<Part>);

/// What stands between two `%`.
enum Part {
    Literal(String),
    /// `None` is any one character.
    Characters(Vec<Option<char>>),
}

impl Pattern {
    fn of(pattern: &str) -> Pattern {
        let mut parts = Vec::new();
        let mut part: Vec<Option<char>> = Vec::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            match character {
                '%' => parts.push(Part::of(std::mem::take(&mut part))),
                '_' => part.push(None),
                '!' => part.extend(characters.next().map(Some)),
                other => part.push(Some(other)),
            }
        }
        parts.push(Part::of(part));
        Pattern(parts)
    }

    /// Whether the whole text is like it. The first place for a part is as good as any later
    /// one for the parts behind it.
    fn matches(
        &self,
        text: &str,
        go_on: &dyn Fn(usize) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<bool> {
        let Some((first, others)) = self.0.split_first() else {
            return Ok(false);
        };
        let Some(mut rest) = first.behind(text) else {
            return Ok(false);
        };
        let Some((last, between)) = others.split_last() else {
            return Ok(rest.is_empty());
        };
        for part in between {
            match part.find(rest, go_on)? {
                Some(behind) => rest = behind,
                None => return Ok(false),
            }
        }
        Ok(last.ends(rest))
    }
}

impl Part {
    fn of(characters: Vec<Option<char>>) -> Part {
        match characters.iter().copied().collect::<Option<String>>() {
            Some(literal) => Part::Literal(literal),
            None => Part::Characters(characters),
        }
    }

    /// What comes behind it in a text that begins with it.
    fn behind<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Part::Literal(literal) => text.strip_prefix(literal.as_str()),
            Part::Characters(wanted) => {
                let mut characters = text.chars();
                for wanted in wanted {
                    let found = characters.next()?;
                    if wanted.is_some_and(|wanted| wanted != found) {
                        return None;
                    }
                }
                Some(characters.as_str())
            }
        }
    }

    /// What comes behind its first place in a text.
    fn find<'t>(
        &self,
        text: &'t str,
        go_on: &dyn Fn(usize) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<Option<&'t str>> {
        let wanted = match self {
            Part::Literal(literal) => {
                let found = text.split_once(literal.as_str());
                return Ok(found.map(|(_, behind)| behind));
            }
            Part::Characters(wanted) => wanted,
        };
        let mut rest = text;
        for place in 0_usize.. {
            if place % PLACES == PLACES - 1 {
                go_on(PLACES * wanted.len())?;
            }
            if let Some(behind) = self.behind(rest) {
                return Ok(Some(behind));
            }
            let mut characters = rest.chars();
            if characters.next().is_none() {
                break;
            }
            rest = characters.as_str();
        }
        Ok(None)
    }

    /// Whether a text ends with it.
    fn ends(&self, text: &str) -> bool {
        match self {
            Part::Literal(literal) => text.ends_with(literal.as_str()),
            Part::Characters(wanted) => {
                let mut characters = text.chars().rev();
                wanted.iter().rev().all(|wanted| {
                    characters
                        .next()
                        .is_some_and(|found| wanted.is_none_or(|wanted| wanted == found))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(text: &str, pattern: &str) -> bool {
        Pattern::of(pattern).matches(text, &|_| Ok(())).unwrap()
    }

    #[test]
    fn patterns_match_whole_texts() {
        for (text, pattern, expected) in [
            ("", "", true),
            ("", "%", true),
            ("", "_", false),
            ("abc", "abc", true),
            ("abc", "ab", false),
            ("abc", "%", true),
            ("abc", "%%", true),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "a%c", true),
            ("abc", "a%b", false),
            ("abc", "a_c", true),
            ("abc", "____", false),
            ("abc", "%__%", true),
            ("abc", "%____%", false),
            ("aab", "%_b", true),
            ("aba", "ab%ba", false),
            ("aXbXc", "a%_b%c", true),
            ("a%c", "a!%c", true),
            ("abc", "a!%c", false),
            ("a!", "a!!", true),
            ("a_", "%!_", true),
            ("ab", "%!_", false),
            ("äöü", "%_ü", true),
            ("äöü", "ä_ü", true),
        ] {
            assert_eq!(like(text, pattern), expected, "{text} {pattern}");
        }
    }

    // SQLite's own takes a minute for some of these.
    #[test]
    fn long_texts_take_no_longer_for_long_patterns() {
        let text = "a".repeat(16_000_000);
        let many = "a".repeat(900);
        for pattern in [
            format!("%{many}b"),
            format!("%{many}b%"),
            format!("{}b", "%a".repeat(400)),
        ] {
            assert!(!like(&text, &pattern));
        }
    }

    #[test]
    fn a_search_ends_when_nobody_waits() {
        let pattern = Pattern::of(&format!("%_{}b%", "a".repeat(900)));
        let stop = |_| Err(Error::UserFunctionError("interrupted".into()));
        assert!(pattern.matches(&"a".repeat(100_000), &stop).is_err());
    }
}
