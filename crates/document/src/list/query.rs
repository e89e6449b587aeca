//! From what a request asks for to the statement that answers it.

use std::sync::Arc;

use crema_store::{Dialect, Statement};

use super::ListRequest;
use super::condition::{self, Condition};
use super::filter;
use super::kind::Kind;
use super::path::{Path, shown};
use super::scope::{Column, Join, MAIN, Scope, Source};
use super::select::{self, Argument, Function, Key, Selection, Term};
use super::sql::Writer;
use crate::DocType;
use crate::documents::Documents;
use crate::documents::value::label;
use crate::refusal::{Reason, Refusal};

/// A query that has been looked up and may be run.
#[derive(Debug)]
pub(super) struct Query {
    sources: Vec<Source>,
    /// What is selected, in the order of the answer.
    pub(super) selected: Vec<Selected>,
    condition: Condition,
    group: Vec<Column>,
    order: Vec<Ordered>,
    distinct: bool,
}

/// One member of the answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selected {
    /// Its name.
    pub(super) key: Arc<str>,
    pub(super) expression: Expression,
}

/// What is selected or ordered by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Column(Column),
    /// The number of rows.
    Rows,
    /// A function over the values of a column.
    Over {
        function: Function,
        column: Column,
        distinct: bool,
    },
}

#[derive(Debug)]
struct Ordered {
    expression: Expression,
    descending: bool,
}

impl Query {
    /// Looks everything up that a request names.
    ///
    /// # Errors
    /// For what is not there, not to be seen, or makes no sense together.
    pub(super) fn new(
        documents: &Documents,
        doctype: &Arc<DocType>,
        request: &ListRequest,
    ) -> Result<Query, Refusal> {
        let mut scope = Scope::new(documents, doctype, request.parent.as_deref())?;
        let selections = select::fields(request.fields.as_ref())?;
        let mut selected = select_all(&mut scope, &selections)?;
        for link in &request.expand {
            expandable(&mut scope, &mut selected, link)?;
        }
        let mut group = Vec::new();
        for path in select::group(request.group_by.as_deref())? {
            let column = scope.column(&path)?;
            if !group.contains(&column) {
                group.push(column);
            }
        }
        let aggregated = selected.iter().any(|one| one.expression.is_aggregate());
        let grouped = aggregated || !group.is_empty();
        if grouped {
            check_group(&selected, &mut group)?;
        }
        let keys = select::order(request.order_by.as_deref())?;
        let order = order(&mut scope, &keys, &selected)?;
        let filter = filter::parse(request.filters.as_ref(), request.or_filters.as_ref())?;
        let condition = condition::look_up(&mut scope, &filter)?;
        let mut query = Query {
            sources: scope.sources.clone(),
            selected,
            condition,
            group,
            order,
            distinct: request.distinct && !grouped,
        };
        if query.distinct && query.is_distinct_anyway() {
            query.distinct = false;
        }
        if grouped {
            query.order_groups()?;
        } else if query.distinct {
            query.order_distinct()?;
        } else {
            query.order_rows(&scope);
        }
        Ok(query)
    }

    /// Documents of these names, with everything that may be seen of them.
    pub(super) fn by_names(
        documents: &Documents,
        doctype: &Arc<DocType>,
        names: &[String],
    ) -> Result<Query, Refusal> {
        let request = ListRequest {
            fields: Some("*".into()),
            filters: Some(serde_json::json!([["name", "in", names]])),
            ..ListRequest::default()
        };
        let mut query = Query::new(documents, doctype, &request)?;
        query.order.clear();
        Ok(query)
    }

    /// The statement for these rows.
    pub(super) fn statement(&self, dialect: Dialect, start: u64, limit: u64) -> Statement {
        let mut writer = Writer::new(dialect);
        writer.push("SELECT ");
        if self.distinct {
            writer.push("DISTINCT ");
        }
        writer.joined(&self.selected, ", ", |writer, one| {
            let text = one.expression.text(writer);
            writer.push(&text);
        });
        self.rows(&mut writer);
        if !self.group.is_empty() {
            writer.push(" GROUP BY ");
            writer.joined(&self.group, ", ", |writer, column| {
                writer.column(column.source, &column.name);
            });
        }
        if !self.order.is_empty() {
            writer.push(" ORDER BY ");
            writer.joined(&self.order, ", ", |writer, key| key.write(writer));
        }
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        writer.push(" LIMIT ");
        writer.value(number(limit));
        if start > 0 {
            writer.push(" OFFSET ");
            writer.value(number(start));
        }
        writer.statement()
    }

    /// The statement for their number, without regard to groups.
    pub(super) fn count_statement(&self, dialect: Dialect) -> Statement {
        let mut writer = Writer::new(dialect);
        writer.push("SELECT count(*)");
        self.rows(&mut writer);
        writer.statement()
    }

    fn rows(&self, writer: &mut Writer) {
        writer.push(" FROM ");
        if let Some(main) = self.sources.first() {
            writer.table(main, MAIN);
        }
        for number in 1..self.sources.len() {
            writer.join(&self.sources, number);
        }
        writer.push(" WHERE ");
        writer.main_rows(&self.sources, &self.condition);
    }

    /// Without child rows beside them, documents that show their names are all different.
    fn is_distinct_anyway(&self) -> bool {
        let shows_name = self.selected.iter().any(|one| match &one.expression {
            Expression::Column(column) => column.source == MAIN && column.name == "name",
            _ => false,
        });
        shows_name && self.joined_children().next().is_none()
    }

    fn joined_children(&self) -> impl Iterator<Item = usize> {
        let joined = |(number, source): (usize, &Source)| match source.join {
            Join::Child {
                only_exists: false, ..
            } => Some(number),
            _ => None,
        };
        self.sources.iter().enumerate().filter_map(joined)
    }

    /// Groups come in the order of what they are grouped by.
    fn order_groups(&mut self) -> Result<(), Refusal> {
        for key in &self.order {
            if let Expression::Column(column) = &key.expression
                && !self.group.contains(column)
            {
                return Err(neither(column));
            }
        }
        if self.order.is_empty() {
            let keys = self.group.iter().cloned().map(Ordered::ascending);
            self.order = keys.collect();
        }
        Ok(())
    }

    /// Different rows come in the order of what they show.
    fn order_distinct(&mut self) -> Result<(), Refusal> {
        let shows = |key: &Ordered| {
            self.selected
                .iter()
                .any(|one| one.expression == key.expression)
        };
        if !self.order.iter().all(shows) {
            let message = "a distinct list is ordered by fields that it selects";
            return Err(Refusal::new(Reason::Malformed, message));
        }
        if self.order.is_empty() {
            let shown = self.selected.iter().map(|one| Ordered {
                expression: one.expression.clone(),
                descending: false,
            });
            self.order = shown.collect();
        }
        Ok(())
    }

    /// Rows come in the DocType's own order unless something else is said, and those that are
    /// equal in that by their names, so that pages do not overlap.
    fn order_rows(&mut self, scope: &Scope<'_>) {
        if self.order.is_empty() {
            self.order.extend(own_order(scope));
        }
        let descending = self.order.last().is_some_and(|key| key.descending);
        let mut further: Vec<Column> = scope.column_of(MAIN, "name").into_iter().collect();
        for number in self.joined_children() {
            further.extend(scope.column_of(number, "idx"));
            further.extend(scope.column_of(number, "name"));
        }
        for column in further {
            let expression = Expression::Column(column);
            if !self.order.iter().any(|key| key.expression == expression) {
                self.order.push(Ordered {
                    expression,
                    descending,
                });
            }
        }
    }
}

impl Ordered {
    fn ascending(column: Column) -> Ordered {
        Ordered {
            expression: Expression::Column(column),
            descending: false,
        }
    }

    fn write(&self, writer: &mut Writer) {
        let text = self.expression.text(writer);
        writer.push(&text);
        writer.push(if self.descending { " DESC" } else { " ASC" });
        // An index of these can be followed only if nothing is said about what they never are.
        let always = match &self.expression {
            Expression::Column(column) => {
                !column.nullable
                    || (column.source == MAIN
                        && matches!(column.name.as_str(), "creation" | "modified"))
            }
            Expression::Rows => true,
            Expression::Over { .. } => false,
        };
        if !always {
            writer.push(writer.dialect.null_order(self.descending));
        }
    }
}

impl Expression {
    fn is_aggregate(&self) -> bool {
        !matches!(self, Expression::Column(_))
    }

    fn text(&self, writer: &Writer) -> String {
        let (function, column, distinct) = match self {
            Expression::Column(column) => return writer.column_text(column.source, &column.name),
            Expression::Rows => return "count(*)".to_owned(),
            Expression::Over {
                function,
                column,
                distinct,
            } => (*function, column, *distinct),
        };
        let name = writer.column_text(column.source, &column.name);
        let long = column.kind == Kind::COUNTER;
        let argument = match (function, column.kind) {
            (Function::Avg, _) => writer.dialect.as_real(&name),
            // More than 64 bits can hold, perhaps.
            (Function::Sum, _) if long => writer.dialect.as_real(&name),
            // An empty text is none.
            (_, Kind::Text) => format!("NULLIF({name}, '')"),
            _ => name,
        };
        let distinct = if distinct { "DISTINCT " } else { "" };
        format!("{}({distinct}{argument})", function.name())
    }
}

fn select_all(scope: &mut Scope<'_>, selections: &[Selection]) -> Result<Vec<Selected>, Refusal> {
    let mut selected: Vec<Selected> = Vec::with_capacity(selections.len());
    for selection in selections {
        match &selection.term {
            Term::Everything => {
                for column in scope.everything() {
                    add(&mut selected, None, Expression::Column(column))?;
                }
            }
            Term::Field(path) if path.field == "*" => {
                let own = path.place.is_none() || *path == whole_main(scope);
                if !own {
                    let message = "* stands for the fields of the DocType itself";
                    return Err(Refusal::new(Reason::Malformed, message));
                }
                for column in scope.everything() {
                    add(&mut selected, None, Expression::Column(column))?;
                }
            }
            term => {
                let expression = expression(scope, term)?;
                add(&mut selected, selection.alias.as_deref(), expression)?;
            }
        }
    }
    Ok(selected)
}

fn whole_main(scope: &Scope<'_>) -> Path {
    let name = scope.main().map_or("", |main| main.doctype.name.as_str());
    Path::of(name, "*")
}

fn add(
    selected: &mut Vec<Selected>,
    alias: Option<&str>,
    expression: Expression,
) -> Result<(), Refusal> {
    let key = match alias {
        Some(alias) => Arc::from(alias),
        None => expression.key(),
    };
    match selected.iter().find(|one| one.key == key) {
        Some(same) if same.expression == expression => return Ok(()),
        Some(_) => {
            let message = format!("Two fields are called {}: give one an alias", shown(&key));
            return Err(Refusal::new(Reason::Malformed, message));
        }
        None => {}
    }
    selected.push(Selected { key, expression });
    Ok(())
}

impl Expression {
    /// What it is called in an answer that gives it no alias.
    fn key(&self) -> Arc<str> {
        match self {
            Expression::Column(column) => Arc::from(column.name.as_str()),
            Expression::Rows => Arc::from("count(*)"),
            Expression::Over {
                function,
                column,
                distinct,
            } => {
                let word = if *distinct { "distinct " } else { "" };
                format!("{}({word}{})", function.name(), column.name).into()
            }
        }
    }
}

fn expression(scope: &mut Scope<'_>, term: &Term) -> Result<Expression, Refusal> {
    let malformed = |message: String| Err(Refusal::new(Reason::Malformed, message));
    let (function, path, distinct) = match term {
        Term::Everything => return malformed("* is no field".to_owned()),
        Term::Field(path) => return scope.column(path).map(Expression::Column),
        Term::Aggregate(Function::Count, Argument::Rows) => return Ok(Expression::Rows),
        Term::Aggregate(function, Argument::Rows) => {
            return malformed(format!("{} needs a field", function.name()));
        }
        Term::Aggregate(function, Argument::Values(path)) => (*function, path, false),
        Term::Aggregate(function, Argument::Distinct(path)) => (*function, path, true),
    };
    if distinct && function != Function::Count {
        return malformed(format!("{} of distinct values", function.name()));
    }
    let column = scope.column(path)?;
    let adds = matches!(function, Function::Sum | Function::Avg);
    if adds && !column.kind.is_number() {
        let name = column.field.field().map_or(column.name.as_str(), label);
        let message = format!("{name}: {} is for numbers", function.name());
        return Err(Refusal::new(Reason::Validation, message));
    }
    Ok(Expression::Over {
        function,
        column,
        distinct,
    })
}

/// What is expanded is selected too.
fn expandable(
    scope: &mut Scope<'_>,
    selected: &mut Vec<Selected>,
    link: &str,
) -> Result<(), Refusal> {
    let column = scope.column_of(MAIN, link)?;
    let is_link = column
        .field
        .field()
        .is_some_and(|field| field.fieldtype == crate::FieldType::Link);
    if !is_link {
        let message = format!("{} is not a link: it cannot be expanded", shown(link));
        return Err(Refusal::new(Reason::Malformed, message));
    }
    let expression = Expression::Column(column);
    if !selected.iter().any(|one| one.expression == expression) {
        add(selected, None, expression)?;
    }
    Ok(())
}

/// What is neither a group nor a function over one has no single value. A document's own fields
/// have one, where documents are the groups.
fn check_group(selected: &[Selected], group: &mut Vec<Column>) -> Result<(), Refusal> {
    let by_name = group
        .iter()
        .any(|column| column.source == MAIN && column.name == "name");
    for one in selected {
        let Expression::Column(column) = &one.expression else {
            continue;
        };
        if group.contains(column) {
            continue;
        }
        if !by_name || column.source != MAIN {
            return Err(neither(column));
        }
        group.push(column.clone());
    }
    Ok(())
}

fn neither(column: &Column) -> Refusal {
    let message = format!(
        "{} is neither grouped by nor the argument of a function",
        column.name
    );
    Refusal::new(Reason::Malformed, message)
}

fn order(
    scope: &mut Scope<'_>,
    keys: &[Key],
    selected: &[Selected],
) -> Result<Vec<Ordered>, Refusal> {
    let mut order: Vec<Ordered> = Vec::with_capacity(keys.len());
    for key in keys {
        let aliased = match &key.term {
            Term::Field(Path { place: None, field }) => {
                selected.iter().find(|one| *one.key == **field)
            }
            _ => None,
        };
        let expression = match aliased {
            Some(one) => one.expression.clone(),
            None => expression(scope, &key.term)?,
        };
        let known =
            |expression: &Expression| selected.iter().any(|one| one.expression == *expression);
        let of_groups = selected.iter().any(|one| one.expression.is_aggregate());
        if expression.is_aggregate() && !of_groups && !known(&expression) {
            let message = "an order by a function needs fields with a function";
            return Err(Refusal::new(Reason::Malformed, message));
        }
        // What comes a second time decides nothing.
        if !order.iter().any(|known| known.expression == expression) {
            order.push(Ordered {
                expression,
                descending: key.descending,
            });
        }
    }
    Ok(order)
}

/// The DocType's own order: its Sort Field if it may be seen, else the newest first.
fn own_order(scope: &Scope<'_>) -> Option<Ordered> {
    let doctype = &scope.main()?.doctype;
    let field = doctype.sort_field.as_deref().map(str::trim);
    let own = field
        .filter(|field| !field.is_empty())
        .and_then(|field| scope.column_of(MAIN, field).ok());
    let ascending = doctype
        .sort_order
        .as_deref()
        .is_some_and(|order| order.trim().eq_ignore_ascii_case("asc"));
    let (column, descending) = match own {
        Some(column) => (column, !ascending),
        None => (scope.column_of(MAIN, "creation").ok()?, true),
    };
    Some(Ordered {
        expression: Expression::Column(column),
        descending,
    })
}
