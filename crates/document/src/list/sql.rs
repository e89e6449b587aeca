//! Conditions as SQL. Identifiers come from definitions, values are bound: nothing that a
//! request says becomes part of a statement's text.

use crema_store::{Dialect, Statement, Value};

use super::condition::Condition;
use super::kind::Kind;
use super::scope::{Column, Join, MAIN, Source};
use super::test::{OfValue, Test};
use crate::access::RowRule;
use crate::doctype::{DocType, Naming};
use crate::row::placeholder;

/// A statement while it is being written.
pub(super) struct Writer {
    pub(super) dialect: Dialect,
    text: String,
    values: Vec<Value>,
}

impl Writer {
    pub(super) fn new(dialect: Dialect) -> Writer {
        Writer {
            dialect,
            text: String::with_capacity(512),
            values: Vec::new(),
        }
    }

    /// Adds a text of ours.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a name of a definition.
    pub(super) fn name(&mut self, name: &str) {
        self.text.push_str(&self.dialect.quote(name));
    }

    /// Binds a value.
    pub(super) fn value(&mut self, value: impl Into<Value>) {
        let place = self.place(value);
        self.text.push_str(&place);
    }

    /// Binds a value that comes next, and gives its place.
    fn place(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        placeholder(self.dialect, self.values.len())
    }

    pub(super) fn statement(self) -> Statement {
        Statement::new(self.text, self.values)
    }

    /// Items with something between them.
    pub(super) fn joined<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        between: &str,
        mut write: impl FnMut(&mut Writer, T),
    ) {
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                self.push(between);
            }
            write(self, item);
        }
    }

    /// The table and its alias.
    pub(super) fn table(&mut self, source: &Source, number: usize) {
        self.name(&source.doctype.table());
        self.push(" ");
        self.push(&alias(number));
    }

    /// `t."column"`.
    pub(super) fn column(&mut self, source: usize, name: &str) {
        let column = self.column_text(source, name);
        self.push(&column);
    }

    pub(super) fn column_text(&self, source: usize, name: &str) -> String {
        format!("{}.{}", alias(source), self.dialect.quote(name))
    }

    /// A document's name as the text that links and child rows have of it.
    fn linked_name(&mut self, source: usize, doctype: &DocType) {
        let name = self.column_text(source, "name");
        let name = match doctype.naming() {
            Naming::Autoincrement => self.dialect.integer_as_text(&name),
            _ => name,
        };
        self.push(&name);
    }

    /// ` LEFT JOIN …` of a table that has to be joined; nothing for others.
    pub(super) fn join(&mut self, sources: &[Source], number: usize) {
        let Some(source) = sources.get(number) else {
            return;
        };
        match &source.join {
            Join::Main { .. }
            | Join::Child {
                only_exists: true, ..
            } => {}
            Join::Link { column, rule } => {
                self.push(" LEFT JOIN ");
                self.table(source, number);
                self.push(" ON ");
                self.linked_name(number, &source.doctype);
                self.push(" = ");
                self.column(MAIN, column);
                self.also(rule, number, &source.doctype);
            }
            Join::Child { .. } => {
                self.push(" LEFT JOIN ");
                self.table(source, number);
                self.push(" ON ");
                self.child_of_main(sources, number);
            }
        }
    }

    /// That a child row belongs to the main table's row.
    fn child_of_main(&mut self, sources: &[Source], number: usize) {
        let (Some(main), Some(child)) = (sources.first(), sources.get(number)) else {
            return;
        };
        let Join::Child { fields, rule, .. } = &child.join else {
            return;
        };
        self.column(number, "parent");
        self.push(" = ");
        self.linked_name(MAIN, &main.doctype);
        self.push(" AND ");
        self.column(number, "parenttype");
        self.push(" = ");
        self.value(main.doctype.name.as_str());
        self.push(" AND ");
        self.column(number, "parentfield");
        self.one_of(fields.iter().map(String::as_str));
        self.also(rule, number, &child.doctype);
    }

    fn one_of<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) {
        self.push(" IN (");
        self.joined(values, ", ", |writer, value| writer.value(value));
        self.push(")");
    }

    /// Which rows of the main table: the actor's, and the filter's.
    pub(super) fn main_rows(&mut self, sources: &[Source], condition: &Condition) {
        let Some(main) = sources.first() else {
            return self.push("1 = 0");
        };
        let Join::Main { rule, parent } = &main.join else {
            return self.push("1 = 0");
        };
        self.rule(rule, MAIN, &main.doctype);
        if main.doctype.shared_table().is_some() {
            self.push(" AND ");
            self.column(MAIN, "name");
            self.push(" IS NOT NULL");
        }
        if let Some(parent) = parent {
            self.push(" AND ");
            self.column(MAIN, "parenttype");
            self.push(" = ");
            self.value(parent.doctype.name.as_str());
            self.push(" AND ");
            if parent.fields.is_empty() {
                self.push("1 = 0");
            } else {
                self.column(MAIN, "parentfield");
                self.one_of(parent.fields.iter().map(String::as_str));
            }
            self.parents_rule(&parent.doctype, &parent.rule, sources.len());
        }
        if !condition.is_open() {
            self.push(" AND ");
            self.condition(sources, condition);
        }
    }

    /// That the document of a child row may be read. `number` is free for its table.
    fn parents_rule(&mut self, parent: &DocType, rule: &RowRule, number: usize) {
        match rule {
            RowRule::All => {}
            _ if !parent.has_table() => self.push(" AND 1 = 0"),
            rule => {
                self.push(" AND EXISTS (SELECT 1 FROM ");
                self.name(&parent.table());
                self.push(" ");
                self.push(&alias(number));
                self.push(" WHERE ");
                self.linked_name(number, parent);
                self.push(" = ");
                self.column(MAIN, "parent");
                self.also(rule, number, parent);
                self.push(")");
            }
        }
    }

    fn also(&mut self, rule: &RowRule, number: usize, doctype: &DocType) {
        if *rule != RowRule::All {
            self.push(" AND ");
            self.rule(rule, number, doctype);
        }
    }

    /// A rule about the rows of a table.
    fn rule(&mut self, rule: &RowRule, number: usize, doctype: &DocType) {
        match rule {
            RowRule::All => self.push("1 = 1"),
            RowRule::Nothing => self.push("1 = 0"),
            RowRule::Mine {
                columns,
                user,
                or_set,
            } => {
                self.push("(");
                self.joined(columns, " OR ", |writer, column| {
                    writer.column(number, column);
                    writer.push(" = ");
                    writer.value(user);
                });
                if let Some(check) = or_set {
                    self.push(" OR ");
                    self.column(number, check);
                    self.push(" = 1");
                }
                self.push(")");
            }
            RowRule::OneOf {
                column,
                values,
                or_empty,
            } => self.one_of_rule(number, doctype, column, values, *or_empty),
            RowRule::NotNamed(names) => {
                self.push("NOT ");
                self.one_of_rule(number, doctype, "name", names, false);
            }
            RowRule::Every(rules) if rules.is_empty() => self.push("1 = 1"),
            RowRule::Every(rules) => {
                self.push("(");
                self.joined(rules, " AND ", |writer, rule| {
                    writer.rule(rule, number, doctype);
                });
                self.push(")");
            }
        }
    }

    fn one_of_rule(
        &mut self,
        number: usize,
        doctype: &DocType,
        column: &str,
        values: &[String],
        or_empty: bool,
    ) {
        let counts = column == "name" && doctype.naming() == Naming::Autoincrement;
        let values: Vec<Value> = if counts {
            let names = values.iter().filter_map(|name| name.parse::<i64>().ok());
            names.map(Value::from).collect()
        } else {
            values.iter().map(Value::from).collect()
        };
        self.push("(");
        if values.is_empty() {
            self.push("1 = 0");
        } else {
            self.column(number, column);
            self.one_of(values);
        }
        if or_empty {
            self.push(" OR ");
            self.column(number, column);
            self.push(" IS NULL");
            if !counts {
                self.push(" OR ");
                self.column(number, column);
                self.push(" = ''");
            }
        }
        self.push(")");
    }

    fn condition(&mut self, sources: &[Source], condition: &Condition) {
        let (all, word) = match condition {
            Condition::Column(column, test) => return self.test(column, test),
            Condition::Child { source, tests } => return self.child(sources, *source, tests),
            Condition::All(all) if all.is_empty() => return self.push("1 = 1"),
            Condition::Any(any) if any.is_empty() => return self.push("1 = 0"),
            Condition::All(all) => (all, " AND "),
            Condition::Any(any) => (any, " OR "),
        };
        self.push("(");
        self.joined(all, word, |writer, one| writer.condition(sources, one));
        self.push(")");
    }

    /// A child row that passes, or none at all where that passes too.
    fn child(&mut self, sources: &[Source], number: usize, tests: &[(Column, Test)]) {
        let Some(source) = sources.get(number) else {
            return self.push("1 = 0");
        };
        self.push("(EXISTS (SELECT 1 FROM ");
        self.table(source, number);
        self.push(" WHERE ");
        self.child_of_main(sources, number);
        for (column, test) in tests {
            self.push(" AND ");
            self.test(column, test);
        }
        self.push(")");
        if Condition::of_nothing(tests) {
            self.push(" OR NOT EXISTS (SELECT 1 FROM ");
            self.table(source, number);
            self.push(" WHERE ");
            self.child_of_main(sources, number);
            self.push(")");
        }
        self.push(")");
    }

    fn test(&mut self, column: &Column, test: &Test) {
        let or_nothing = test.of_nothing && column.nullable;
        let name = self.column_text(column.source, &column.name);
        let within = match (&test.of_value, or_nothing) {
            (OfValue::Any, true) => return self.push("1 = 1"),
            (OfValue::Any, false) if column.nullable => {
                return self.push(&format!("{name} IS NOT NULL"));
            }
            (OfValue::Any, false) => return self.push("1 = 1"),
            (OfValue::No, true) => return self.push(&format!("{name} IS NULL")),
            (OfValue::No, false) => return self.push("1 = 0"),
            (of_value, _) => of_value,
        };
        self.push("(");
        self.passes(column, &name, within);
        if or_nothing {
            self.push(&format!(" OR {name} IS NULL"));
        }
        self.push(")");
    }

    fn passes(&mut self, column: &Column, name: &str, test: &OfValue) {
        match test {
            OfValue::Any => self.push("1 = 1"),
            OfValue::No => self.push("1 = 0"),
            OfValue::Is(relation, value) => {
                self.push(name);
                self.push(" ");
                self.push(relation.sign());
                self.push(" ");
                self.value(value.clone());
            }
            OfValue::Within(from, to) => {
                self.push(name);
                self.push(" BETWEEN ");
                self.value(from.clone());
                self.push(" AND ");
                self.value(to.clone());
            }
            OfValue::OneOf(values) => {
                self.push(name);
                self.one_of(values.iter().cloned());
            }
            OfValue::NoneOf(values) => {
                self.push(name);
                self.push(" NOT");
                self.one_of(values.iter().cloned());
            }
            OfValue::Like(pattern) => self.like(column, name, pattern),
            OfValue::Unlike(pattern) => {
                self.push("NOT ");
                self.like(column, name, pattern);
            }
        }
    }

    fn like(&mut self, column: &Column, name: &str, pattern: &str) {
        let dialect = self.dialect;
        let text = match column.kind {
            Kind::Text => name.to_owned(),
            Kind::Date => dialect.date_as_text(name),
            Kind::DateTime => dialect.datetime_as_text(name),
            _ => dialect.integer_as_text(name),
        };
        let place = self.place(pattern);
        let like = dialect.like(&text, &place);
        self.push(&format!("({like})"));
    }
}

/// What a table is called in the statement.
fn alias(number: usize) -> String {
    format!("t{number}")
}
