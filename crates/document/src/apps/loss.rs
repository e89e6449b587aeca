//! What a change of definitions would lose of the data that is there.
//!
//! Tables only ever get more: columns are added and widened, never dropped or narrowed. So a
//! change is harmless unless the data that is there could no longer be read or saved under the
//! new definition. Such a change is refused before anything is done.

use std::collections::{BTreeMap, HashSet};

use crema_store::{Database, Dialect, Statement, StoreError, Value};

use super::storage::{Kind, Storage, column_kind};
use crate::Registry;
use crate::doctype::{DocType, Field};
use crate::row::placeholder;
use crate::schema::{TableDefinition, TableIndex};

/// Why the data does not fit the new definitions, a sentence each; none when it does.
pub(super) async fn find(
    database: &Database,
    old: &BTreeMap<String, DocType>,
    new: &Registry,
) -> Result<Vec<String>, StoreError> {
    let mut look = Look {
        database,
        dialect: database.dialect(),
        tables: database.tables().await?.into_iter().collect(),
        reasons: Vec::new(),
    };
    for doctype in old.values() {
        match new.get(&doctype.name) {
            None => look.gone(doctype).await?,
            Some(now) => look.changed(doctype, now).await?,
        }
    }
    for doctype in new.doctypes().filter(|doctype| !doctype.app.is_empty()) {
        look.live(doctype, old.get(&doctype.name)).await?;
    }
    Ok(look.reasons)
}

/// Where the values of a field are.
enum Place<'a> {
    Column { table: String, column: &'a str },
    Single { doctype: &'a str, field: &'a str },
}

struct Look<'a> {
    database: &'a Database,
    dialect: Dialect,
    tables: HashSet<String>,
    reasons: Vec<String>,
}

impl Look<'_> {
    fn refuse(&mut self, doctype: &DocType, reason: &str) {
        self.reasons.push(format!("{}: {reason}", doctype.name));
    }

    /// A DocType that is in no definition any more.
    async fn gone(&mut self, doctype: &DocType) -> Result<(), StoreError> {
        let documents = self.documents(doctype).await?;
        if documents > 0 {
            let reason = format!("it is no longer defined, and {}", there_are(documents));
            self.refuse(doctype, &reason);
        }
        Ok(())
    }

    async fn changed(&mut self, old: &DocType, new: &DocType) -> Result<(), StoreError> {
        if (old.issingle, old.istable) != (new.issingle, new.istable) {
            let documents = self.documents(old).await?;
            if documents > 0 {
                let reason = format!("it becomes {}, and {}", shape(new), there_are(documents));
                self.refuse(old, &reason);
            }
            return Ok(());
        }
        for field in &old.fields {
            if let Some(now) = new.field(&field.fieldname)
                && let Some(reason) = self.field(old, field, now).await?
            {
                self.refuse(old, &format!("{}: {reason}", field.fieldname));
            }
        }
        Ok(())
    }

    /// Why a field cannot become what it is to be.
    async fn field(
        &self,
        doctype: &DocType,
        old: &Field,
        new: &Field,
    ) -> Result<Option<String>, StoreError> {
        let becomes = |count: u64| {
            let reason = format!("it becomes {}, and {}", new.fieldtype.name(), values(count));
            (count > 0).then_some(reason)
        };
        let (before, after) = (Storage::of(old), Storage::of(new));
        Ok(match (before, after) {
            (Storage::Nothing, _) => None,
            (Storage::Rows(before), Storage::Rows(after)) if before == after => None,
            (Storage::Rows(child), _) => becomes(self.rows_of(&child, doctype, old).await?),
            (Storage::Secret, Storage::Secret) => None,
            (Storage::Secret, _) => becomes(self.secrets(doctype, old).await?),
            (Storage::Column(kind), Storage::Column(wanted)) if kind == wanted => {
                self.narrower(doctype, old, new).await?
            }
            (Storage::Column(_), Storage::Column(wanted)) => {
                let lost = self.values(doctype, old).await?;
                match doctype.issingle {
                    true if wanted == Kind::Text => None,
                    true => becomes(lost),
                    false if !self.tables.contains(&doctype.table()) => None,
                    false => Some(other_kind(new)),
                }
            }
            (Storage::Column(_), _) => becomes(self.values(doctype, old).await?),
        })
    }

    /// Why the values of a field do not fit a smaller one of the same kind.
    async fn narrower(
        &self,
        doctype: &DocType,
        old: &Field,
        new: &Field,
    ) -> Result<Option<String>, StoreError> {
        if let (Some(before), Some(limit)) = (old.limit(), new.limit())
            && (limit < before || counts_bytes(old) != counts_bytes(new))
        {
            let length = length_of(self.dialect, counts_bytes(new));
            let longer = self
                .count_where(doctype, old, &|value| {
                    format!("{length}({value}) > {limit}")
                })
                .await?;
            let reason = format!("it takes {limit} from now on, and {} longer", are(longer));
            return Ok((longer > 0).then_some(reason));
        }
        let range = |field: &Field| match field.column_type().as_deref() {
            Some("tinyint") => Some((0, 1)),
            Some("int") => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
            Some("bigint") => Some((i64::MIN, i64::MAX)),
            _ => None,
        };
        let (Some(before), Some((low, high))) = (range(old), range(new)) else {
            return Ok(None);
        };
        if doctype.issingle || (before.0 >= low && before.1 <= high) {
            return Ok(None);
        }
        let outside = self
            .count_where(doctype, old, &|value| {
                format!("({value} < {low} OR {value} > {high})")
            })
            .await?;
        let reason = format!(
            "it becomes {}, and {} out of its range",
            new.fieldtype.name(),
            are(outside)
        );
        Ok((outside > 0).then_some(reason))
    }

    /// What is in the database under the name of a DocType, but in no definition that the new
    /// one follows: from an app that was here before, or from another program.
    async fn live(&mut self, new: &DocType, old: Option<&DocType>) -> Result<(), StoreError> {
        let table = TableDefinition::of(new);
        if !new.has_table() || !self.tables.contains(&table.name) {
            return Ok(());
        }
        let columns = self.database.columns(&table.name).await?;
        for column in &table.columns {
            let known = old.is_some_and(|old| old.field(&column.name).is_some());
            let found = columns.iter().find(|found| found.name == column.name);
            let Some(found) = found.filter(|_| !known) else {
                continue;
            };
            if column_kind(&found.column_type) != column_kind(&column.column_type) {
                let reason = format!(
                    "{}: its table has a column of this name already, of the type {}; give the \
                     field another name",
                    column.name, found.column_type
                );
                self.refuse(new, &reason);
            }
        }
        let live: HashSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let indexes = self.database.indexes(&table.name).await?;
        for index in table.indexes.iter().filter(|index| index.unique) {
            let there = indexes
                .iter()
                .any(|found| found.unique && found.columns == index.columns);
            if there
                || !index
                    .columns
                    .iter()
                    .all(|name| live.contains(name.as_str()))
            {
                continue;
            }
            let twice = self.duplicates(&table.name, index).await?;
            if twice > 0 {
                let names = index.columns.join(", ");
                let reason =
                    format!("{names}: it becomes unique, and {twice} values are there twice");
                self.refuse(new, &reason);
            }
        }
        Ok(())
    }

    async fn documents(&self, doctype: &DocType) -> Result<u64, StoreError> {
        if doctype.issingle {
            let text = r#"SELECT COUNT(*) FROM "tabSingles" WHERE "doctype" = {1}"#;
            let count = self.count(text, vec![doctype.name.as_str().into()]).await?;
            return Ok(count.min(1));
        }
        let table = doctype.table();
        if !self.tables.contains(&table) {
            return Ok(0);
        }
        let text = format!("SELECT COUNT(*) FROM {}", self.dialect.quote(&table));
        self.count(&text, Vec::new()).await
    }

    async fn rows_of(
        &self,
        child: &str,
        doctype: &DocType,
        field: &Field,
    ) -> Result<u64, StoreError> {
        let table = format!("tab{child}");
        if !self.tables.contains(&table) {
            return Ok(0);
        }
        let text = format!(
            r#"SELECT COUNT(*) FROM {} WHERE "parenttype" = {{1}} AND "parentfield" = {{2}}"#,
            self.dialect.quote(&table)
        );
        let values = vec![
            doctype.name.as_str().into(),
            field.fieldname.as_str().into(),
        ];
        self.count(&text, values).await
    }

    async fn secrets(&self, doctype: &DocType, field: &Field) -> Result<u64, StoreError> {
        let text = r#"SELECT COUNT(*) FROM "__Auth" WHERE "doctype" = {1} AND "fieldname" = {2}"#;
        let values = vec![
            doctype.name.as_str().into(),
            field.fieldname.as_str().into(),
        ];
        self.count(text, values).await
    }

    /// How many documents have something in a field.
    async fn values(&self, doctype: &DocType, field: &Field) -> Result<u64, StoreError> {
        let numeric = field.fieldtype.is_numeric();
        let text = Storage::of(field) == Storage::Column(Kind::Text);
        let single = doctype.issingle;
        self.count_where(doctype, field, &|value| match (single, numeric) {
            (true, true) => format!("{value} NOT IN ('', '0')"),
            (false, true) => format!("{value} <> 0"),
            _ if text || single => format!("{value} <> ''"),
            _ => format!("{value} IS NOT NULL"),
        })
        .await
    }

    /// How many values of a field a condition holds for.
    async fn count_where(
        &self,
        doctype: &DocType,
        field: &Field,
        condition: &(dyn Fn(&str) -> String + Sync),
    ) -> Result<u64, StoreError> {
        let place = match doctype.issingle {
            true => Place::Single {
                doctype: &doctype.name,
                field: &field.fieldname,
            },
            false => Place::Column {
                table: doctype.table(),
                column: &field.fieldname,
            },
        };
        match place {
            Place::Column { table, .. } if !self.tables.contains(&table) => Ok(0),
            Place::Column { table, column } => {
                let columns = self.database.columns(&table).await?;
                if !columns.iter().any(|found| found.name == column) {
                    return Ok(0);
                }
                let text = format!(
                    "SELECT COUNT(*) FROM {} WHERE {}",
                    self.dialect.quote(&table),
                    condition(&self.dialect.quote(column))
                );
                self.count(&text, Vec::new()).await
            }
            Place::Single { doctype, field } => {
                let text = format!(
                    r#"SELECT COUNT(*) FROM "tabSingles" WHERE "doctype" = {{1}} AND "field" = {{2}}
                    AND "value" IS NOT NULL AND {}"#,
                    condition(r#""value""#)
                );
                self.count(&text, vec![doctype.into(), field.into()]).await
            }
        }
    }

    async fn duplicates(&self, table: &str, index: &TableIndex) -> Result<u64, StoreError> {
        let quoted: Vec<String> = index
            .columns
            .iter()
            .map(|column| self.dialect.quote(column))
            .collect();
        let given: Vec<String> = quoted
            .iter()
            .map(|column| format!("{column} IS NOT NULL"))
            .collect();
        let columns = quoted.join(", ");
        let text = format!(
            "SELECT COUNT(*) FROM (SELECT {columns} FROM {} WHERE {} GROUP BY {columns} \
             HAVING COUNT(*) > 1) \"twice\"",
            self.dialect.quote(table),
            given.join(" AND ")
        );
        self.count(&text, Vec::new()).await
    }

    /// The number that a statement counts; `{1}`, `{2}` are the places of the values.
    async fn count(&self, text: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let mut text = text.to_owned();
        for number in 1..=values.len() {
            let place = placeholder(self.dialect, number);
            text = text.replace(&format!("{{{number}}}"), &place);
        }
        let rows = self
            .database
            .statement_rows(Statement::new(text, values))
            .await?;
        let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

fn other_kind(new: &Field) -> String {
    format!(
        "it becomes {}, and its column holds values of another kind; give the field another name",
        new.fieldtype.name()
    )
}

/// Whether the limit of a text counts bytes; see [`Field::limit`].
fn counts_bytes(field: &Field) -> bool {
    let column = field.column_type();
    field.length == 0 && column.is_some_and(|column| !column.starts_with("varchar"))
}

fn length_of(dialect: Dialect, bytes: bool) -> &'static str {
    match (dialect, bytes) {
        (Dialect::Sqlite, true) => "octet_length",
        (Dialect::Sqlite, false) => "length",
        (_, true) => "octet_length",
        (_, false) => "char_length",
    }
}

fn shape(doctype: &DocType) -> &'static str {
    match (doctype.issingle, doctype.istable) {
        (true, _) => "a single",
        (_, true) => "rows of other documents",
        _ => "a table",
    }
}

fn there_are(documents: u64) -> String {
    match documents {
        1 => "there is a document of it".to_owned(),
        more => format!("there are {more} documents of it"),
    }
}

fn values(count: u64) -> String {
    match count {
        1 => "there is a value".to_owned(),
        more => format!("there are {more} values"),
    }
}

fn are(count: u64) -> String {
    match count {
        1 => "a value is".to_owned(),
        more => format!("{more} values are"),
    }
}
