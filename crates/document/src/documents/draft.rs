//! A document as it is going to be: what is stored or new, with what is given put over it.

use serde_json::{Map, Value as Json};

use super::given::{Given, GivenRow};
use super::load::{columns, text_of};
use super::value;
use super::{Change, Documents};
use crate::doctype::{DocType, Field, FieldType};
use crate::names::random_name;

/// What a column shows in the place of a secret that is kept elsewhere.
pub(super) const MASK: &str = "********";

impl Documents {
    /// The change that `given` makes of `before`, or a new document.
    pub(super) fn draft(
        &self,
        doctype: &std::sync::Arc<DocType>,
        before: Option<Map<String, Json>>,
        given: &Given,
    ) -> Change {
        let mut after = match &before {
            Some(before) => before.clone(),
            None => self.blank(doctype),
        };
        let is_new = before.is_none();
        for (member, shown) in &given.values {
            after.insert(member.clone(), shown.clone());
        }
        for field in doctype.table_fields() {
            let Some(child) = field.target().and_then(|target| self.registry.get(target)) else {
                continue;
            };
            let rows = match given.tables.get(&field.fieldname) {
                Some(rows) => self.rows(child, after.get(&field.fieldname), rows),
                None if is_new => Vec::new(),
                None => continue,
            };
            after.insert(field.fieldname.clone(), Json::Array(rows));
        }
        for (member, secret) in &given.secrets {
            let shown = if secret.expose().is_empty() {
                Json::Null
            } else {
                Json::from(MASK)
            };
            after.insert(member.clone(), shown);
        }
        let kept = given.secrets.iter();
        let kept = kept.filter(|(_, secret)| !secret.expose().is_empty());
        Change {
            doctype: std::sync::Arc::clone(doctype),
            name: before
                .as_ref()
                .and_then(|before| text_of(before, "name"))
                .unwrap_or_default(),
            before,
            after,
            secrets: kept
                .map(|(member, secret)| (member.clone(), secret.clone()))
                .collect(),
        }
    }

    /// The given rows of a child table. One that names a stored row keeps what it does not give.
    fn rows(&self, child: &DocType, stored: Option<&Json>, given: &[GivenRow]) -> Vec<Json> {
        let mut stored: Vec<Map<String, Json>> = stored
            .and_then(Json::as_array)
            .map(|rows| rows.iter().filter_map(Json::as_object).cloned().collect())
            .unwrap_or_default();
        let mut rows = Vec::with_capacity(given.len());
        for (index, row) in given.iter().enumerate() {
            let same = |stored: &Map<String, Json>| text_of(stored, "name") == row.name;
            let found = match &row.name {
                Some(_) => stored.iter().position(same),
                None => None,
            };
            let mut after = match found {
                // Each stored row is taken once.
                Some(position) => stored.swap_remove(position),
                None => {
                    let mut blank = self.blank(child);
                    let name = random_name(self.random.as_ref());
                    blank.insert("name".to_owned(), Json::from(name));
                    blank
                }
            };
            let is_new = found.is_none();
            for (member, shown) in &row.values {
                // A null in a new row leaves the default.
                if !(is_new && shown.is_null()) {
                    after.insert(member.clone(), shown.clone());
                }
            }
            after.insert("idx".to_owned(), Json::from(index + 1));
            rows.push(Json::Object(after));
        }
        rows
    }

    /// A new document with its defaults.
    fn blank(&self, doctype: &DocType) -> Map<String, Json> {
        columns(doctype)
            .into_iter()
            .map(|field| (field.fieldname.clone(), self.default(field)))
            .collect()
    }

    /// The value that a field of a new document has.
    fn default(&self, field: &Field) -> Json {
        let now = || self.site.local(self.now).to_string();
        let text = match field.default.as_deref() {
            Some(default) => match default.to_ascii_lowercase().as_str() {
                "today" | "now" => now(),
                "__user" | "user" => self.actor.user.clone(),
                // The user's own default for another DocType: there are none.
                _ if default.starts_with(':') => return value::empty(field),
                _ => default.to_owned(),
            },
            // A form shows the first choice as chosen.
            None if field.fieldtype == FieldType::Select => {
                field.choices().next().unwrap_or_default().to_owned()
            }
            None => return value::empty(field),
        };
        let text = match field.fieldtype {
            FieldType::Time => text.split_once(' ').map_or(text.as_str(), |(_, time)| time),
            _ => &text,
        };
        match value::convert(field, &Json::from(text)) {
            Ok(stored) => value::to_json(field, &stored),
            Err(_) => value::empty(field),
        }
    }
}
