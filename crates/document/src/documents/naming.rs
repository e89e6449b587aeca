//! How new documents get their names.

use crema_store::{StoreError, Transaction, params, statements};

use super::load::text_of;
use super::sql::key;
use super::{Change, Documents, value};
use crate::doctype::{DocType, Naming};
use crate::names::{random_hex, random_name};
use crate::refusal::{DocumentError, Reason, Refusal};
use crate::row;

/// How many characters a name may have.
pub(super) const MAX_NAME: usize = 140;

statements! {
    /// One more of a series.
    pub(crate) COUNT = r#"INSERT INTO "tabSeries" ("name", "current") VALUES (?, 1)
        ON CONFLICT ("name") DO UPDATE SET "current" = "tabSeries"."current" + 1"#;
    /// Where a series is.
    pub(crate) CURRENT = r#"SELECT "current" FROM "tabSeries" WHERE "name" = ?"#;
}

/// Frappe's rules for names.
enum Rule {
    Random,
    Uuid,
    Field(String),
    Given,
    /// The database counts.
    Autoincrement,
    /// Text with parts in braces.
    Format(String),
    /// Parts between dots.
    Series(String),
    /// The same, from the field `naming_series`.
    SeriesField,
}

fn rule(doctype: &DocType) -> Rule {
    let autoname = doctype.autoname.trim();
    match doctype.naming() {
        Naming::Field(field) => Rule::Field(field),
        Naming::Format(format) => Rule::Format(format),
        Naming::Given => Rule::Given,
        Naming::Autoincrement => Rule::Autoincrement,
        _ if autoname.eq_ignore_ascii_case("uuid") => Rule::Uuid,
        _ if autoname.starts_with("naming_series:") => Rule::SeriesField,
        _ if autoname.contains('#') => {
            let series = autoname.strip_prefix("series:").unwrap_or(autoname);
            Rule::Series(series.trim().to_owned())
        }
        _ => Rule::Random,
    }
}

impl Documents {
    /// The name of a new document; `None` when the database gives it with the row. Counters
    /// count within the transaction, so that no number is lost or given twice.
    pub(super) async fn new_name(
        &self,
        tx: &mut Transaction,
        change: &Change,
        given: Option<&str>,
    ) -> Result<Option<String>, DocumentError> {
        let doctype = &change.doctype;
        let name = match rule(doctype) {
            Rule::Autoincrement => return Ok(None),
            Rule::Random => {
                // A random name is not chosen, but whoever names a document that exists means it.
                if let Some(given) = given.filter(|given| key(doctype, given).is_some())
                    && row::exists(tx, &doctype.name, given).await?
                {
                    return Err(duplicate(doctype, given).into());
                }
                random_name(self.random.as_ref())
            }
            Rule::Uuid => self.uuid(),
            Rule::Given => match given {
                Some(given) => given.to_owned(),
                None => {
                    let message = format!("Please set the document name of the {}", doctype.name);
                    return Err(DocumentError::refused(Reason::Validation, message));
                }
            },
            Rule::Field(field) => text_of(&change.after, &field).unwrap_or_default(),
            Rule::Format(format) => self.fill_format(tx, change, &format).await?,
            Rule::Series(series) => self.fill_series(tx, change, &series).await?,
            Rule::SeriesField => {
                let series = text_of(&change.after, "naming_series").unwrap_or_default();
                if series.is_empty() {
                    let message = format!("Naming Series is mandatory for {}", doctype.name);
                    return Err(DocumentError::refused(Reason::Mandatory, message));
                }
                self.fill_series(tx, change, &series).await?
            }
        };
        Ok(Some(valid_name(doctype, &name)?))
    }

    /// Version 4 (RFC 9562 §5.4).
    fn uuid(&self) -> String {
        let hex = random_hex(self.random.as_ref(), 32);
        let mut digits: Vec<char> = hex.chars().collect();
        if let Some(version) = digits.get_mut(12) {
            *version = '4';
        }
        if let Some(variant) = digits.get_mut(16) {
            let number = variant.to_digit(16).unwrap_or_default();
            *variant = char::from_digit(number & 3 | 8, 16).unwrap_or('8');
        }
        for position in [20, 16, 12, 8] {
            digits.insert(position, '-');
        }
        digits.into_iter().collect()
    }

    async fn fill_format(
        &self,
        tx: &mut Transaction,
        change: &Change,
        format: &str,
    ) -> Result<String, DocumentError> {
        let mut parts = Vec::new();
        let mut rest = format;
        while let Some((text, after)) = rest.split_once('{') {
            let Some((part, after)) = after.split_once('}') else {
                break;
            };
            parts.extend([Part::Text(text), self.part(change, part.trim())]);
            rest = after;
        }
        parts.push(Part::Text(rest));
        self.join(tx, change, parts).await
    }

    async fn fill_series(
        &self,
        tx: &mut Transaction,
        change: &Change,
        series: &str,
    ) -> Result<String, DocumentError> {
        let counted = series.contains('#');
        let mut parts: Vec<Part<'_>> = series
            .split('.')
            .filter(|part| !part.is_empty())
            .map(|part| self.part(change, part.trim_start_matches('{').trim_end_matches('}')))
            .collect();
        if !counted {
            parts.push(Part::Counter(5));
        }
        self.join(tx, change, parts).await
    }

    fn part<'p>(&self, change: &Change, text: &'p str) -> Part<'p> {
        let today = || self.site.local(self.now).to_string();
        let of_today = |range: std::ops::Range<usize>| {
            Part::Value(today().get(range).unwrap_or_default().to_owned())
        };
        match text {
            _ if text.starts_with('#') => Part::Counter(text.len()),
            "YYYY" => of_today(0..4),
            "YY" => of_today(2..4),
            "MM" => of_today(5..7),
            "DD" => of_today(8..10),
            _ if change.doctype.field(text).is_some() || value::standard(text).is_some() => {
                Part::Value(text_of(&change.after, text).unwrap_or_default())
            }
            _ => Part::Text(text),
        }
    }

    /// The parts as one text. Every text before the counter has a count of its own.
    async fn join(
        &self,
        tx: &mut Transaction,
        change: &Change,
        parts: Vec<Part<'_>>,
    ) -> Result<String, DocumentError> {
        let mut name = String::new();
        let mut counted = false;
        for part in parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Value(value) => name.push_str(&value),
                Part::Counter(_) if counted => {}
                Part::Counter(digits) => {
                    counted = true;
                    // Before it becomes the key of a counter.
                    let before = if name.is_empty() { "#" } else { name.as_str() };
                    valid_name(&change.doctype, before)?;
                    let number = next(tx, &name).await?;
                    name.push_str(&format!("{number:0digits$}"));
                }
            }
        }
        Ok(name)
    }
}

enum Part<'p> {
    Text(&'p str),
    Value(String),
    /// A number with at least so many digits.
    Counter(usize),
}

/// The next number of a series, from 1. Its row stays locked until the transaction ends.
async fn next(tx: &mut Transaction, series: &str) -> Result<i64, StoreError> {
    tx.execute(&COUNT, params![series]).await?;
    let row = tx.row(&CURRENT, params![series]).await?;
    row.map_or(Ok(1), |row| row.int(0))
}

/// A name as a document may have it, without blanks around it.
///
/// # Errors
/// [`Reason::Name`], or [`Reason::TooLong`].
pub(super) fn valid_name(doctype: &DocType, name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    let refused = |reason, message| Err(Refusal::new(reason, message));
    if name.is_empty() {
        let message = format!("No Name Specified for {}", doctype.name);
        return refused(Reason::Validation, message);
    }
    if name.chars().count() > MAX_NAME {
        let message = format!("A name has at most {MAX_NAME} characters");
        return refused(Reason::TooLong, message);
    }
    if name.contains('\0') {
        return refused(Reason::Malformed, "name: U+0000 is not allowed".to_owned());
    }
    if name.contains(['<', '>']) || name.chars().any(char::is_control) {
        let message = "Name cannot contain special characters like '<>'".to_owned();
        return refused(Reason::Name, message);
    }
    if name.starts_with(&format!("New {}", doctype.name)) {
        let message = format!("A name cannot begin with New {}", doctype.name);
        return refused(Reason::Name, message);
    }
    Ok(name.to_owned())
}

/// There is a document of this name.
pub(super) fn duplicate(doctype: &DocType, name: &str) -> Refusal {
    let message = format!("{} {name} already exists", doctype.name);
    Refusal::new(Reason::Duplicate, message)
}
