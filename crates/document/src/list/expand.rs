//! Documents in the place of the names that link to them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::query::{Expression, Query, Selected};
use super::scope::MAIN;
use super::{ListRow, rows};
use crate::access::{self, Action};
use crate::documents::Documents;
use crate::refusal::DocumentError;
use crate::{DocType, FieldType};

/// At most so many names in one look-up.
const AT_ONCE: usize = 500;

/// A member of the rows that links to documents.
#[derive(Debug, Clone)]
pub(super) struct Link {
    key: Arc<str>,
    target: Arc<DocType>,
}

/// The links to expand. Those to documents that are out of the actor's reach stay names.
pub(super) fn links(documents: &Documents, selected: &[Selected], expand: &[String]) -> Vec<Link> {
    let link = |one: &Selected| {
        let Expression::Column(column) = &one.expression else {
            return None;
        };
        let field = column.field.field()?;
        let wanted = column.source == MAIN
            && field.fieldtype == FieldType::Link
            && expand.contains(&column.name);
        let target = documents.registry.get(field.target()?)?;
        let readable =
            target.has_table() && access::require(target, &documents.actor, Action::Read).is_ok();
        (wanted && readable).then(|| Link {
            key: Arc::clone(&one.key),
            target: Arc::clone(target),
        })
    };
    selected.iter().filter_map(link).collect()
}

/// Puts documents in the place of their names, one look-up for each link.
///
/// # Errors
/// When the database fails.
pub(super) async fn expand(
    documents: &Documents,
    links: &[Link],
    rows: &mut [ListRow],
) -> Result<(), DocumentError> {
    for link in links {
        let named: BTreeSet<String> = rows.iter().filter_map(|row| name(row, link)).collect();
        let named: Vec<String> = named.into_iter().collect();
        let mut found = BTreeMap::new();
        for names in named.chunks(AT_ONCE) {
            found.extend(read(documents, &link.target, names).await?);
        }
        for row in rows.iter_mut() {
            if let Some(document) = name(row, link).and_then(|name| found.get(&name))
                && let Some(place) = row.get_mut(&*link.key)
            {
                *place = Value::Object(document.clone());
            }
        }
    }
    Ok(())
}

fn name(row: &ListRow, link: &Link) -> Option<String> {
    row.get(&*link.key)
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// The documents of these names that may be read, by name.
async fn read(
    documents: &Documents,
    doctype: &Arc<DocType>,
    names: &[String],
) -> Result<BTreeMap<String, ListRow>, DocumentError> {
    let query = Query::by_names(documents, doctype, names)?;
    let database = documents.site.database();
    let most = u64::try_from(names.len()).unwrap_or(u64::MAX);
    let statement = query.statement(database.dialect(), 0, most);
    let found = database.statement_rows(statement).await?;
    let by_name = rows::of_answer(&query.selected, &found)
        .into_iter()
        .filter_map(|row| {
            let name = match row.get("name")? {
                Value::String(name) => name.clone(),
                other => other.to_string(),
            };
            Some((name, row))
        });
    Ok(by_name.collect())
}
