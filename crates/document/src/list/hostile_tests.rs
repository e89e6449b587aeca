//! Nothing that a request says becomes SQL.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use crema_store::Dialect;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::query::Query;
use super::*;
use crate::access::{Actor, Reach, UserPermissions};
use crate::documents::NoRules;
use crate::{Bench, Registry, Site, Timestamp};

/// The words of a list's statement.
const WORDS: &[&str] = &[
    "SELECT",
    "DISTINCT",
    "FROM",
    "LEFT",
    "JOIN",
    "ON",
    "AND",
    "OR",
    "NOT",
    "WHERE",
    "EXISTS",
    "GROUP",
    "ORDER",
    "BY",
    "ASC",
    "DESC",
    "NULLS",
    "FIRST",
    "LAST",
    "LIMIT",
    "OFFSET",
    "IN",
    "IS",
    "NULL",
    "BETWEEN",
    "LIKE",
    "ESCAPE",
    "COLLATE",
    "CAST",
    "AS",
    "CHAR",
    "text",
    "double",
    "precision",
    "DOUBLE",
    "REAL",
    "NULLIF",
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "lower",
    "replace",
    "translate",
    "to_char",
    "crema_like",
    "utf8mb4_unicode_520_ci",
    "utf8mb4_nopad_bin",
];

/// The texts in it.
const TEXTS: &[&str] = &[
    "",
    "!",
    "ς",
    "σ",
    "İΣς",
    "iσσ",
    "YYYY-MM-DD",
    "YYYY-MM-DD HH24:MI:SS.US",
];

/// What is in a statement that is neither a word of ours, a table, a column nor a place.
fn foreign(text: &str, registry: &Registry) -> Option<String> {
    let is_name = |name: &str| {
        let of_doctype = |doctype: &Arc<crate::DocType>| {
            doctype.table() == name || doctype.field(name).is_some()
        };
        name == "und-x-icu"
            || crate::doctype::is_standard_column(name)
            || registry.doctypes().any(of_doctype)
    };
    let is_word = |word: &str| {
        let number =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let alias = word.strip_prefix('t').is_some_and(number);
        WORDS.contains(&word) || alias || matches!(word, "0" | "1")
    };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = |closing: char| rest.get(1..).and_then(|inside| inside.split_once(closing));
        match first {
            '"' => {
                let (name, after) = end('"')?;
                if !is_name(name) {
                    return Some(name.to_owned());
                }
                rest = after;
            }
            '\'' => {
                let (literal, after) = end('\'')?;
                if !TEXTS.contains(&literal) {
                    return Some(literal.to_owned());
                }
                rest = after;
            }
            '$' => {
                rest = rest
                    .get(1..)?
                    .trim_start_matches(|c: char| c.is_ascii_digit())
            }
            _ if first.is_alphanumeric() || first == '_' => {
                let part = |c: char| c.is_alphanumeric() || c == '_';
                let length = rest.find(|c| !part(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(length);
                if !is_word(word) {
                    return Some(word.to_owned());
                }
                rest = after;
            }
            _ if " ()=<>,.*?".contains(first) => rest = rest.get(1..)?,
            other => return Some(other.to_string()),
        }
    }
    None
}

fn hostile() -> impl Strategy<Value = String> {
    let pieces = vec![
        "name",
        "status",
        "roles",
        "role",
        "tabToDo",
        "tabHas Role",
        "Has Role",
        "User",
        "`",
        "\"",
        "'",
        ".",
        ",",
        " ",
        "(",
        ")",
        "*",
        "as",
        " as ",
        "count(",
        "sum(",
        "--",
        ";",
        "/*",
        "*/",
        " or 1=1",
        "union select",
        "password",
        "desc",
        "asc",
        "\\",
        "%",
        "_",
        "$1",
        "?",
        "\u{0}",
        "é",
        "=",
        "email",
        "allocated_to",
        "full_name",
        "distinct ",
    ];
    let known = vec![
        "name",
        "status",
        "allocated_to.full_name",
        "`tabToDo`.`name`",
        "count(name) as c",
        "creation desc",
        "*",
        "date",
        "description as x",
        "reference_type",
    ];
    prop_oneof![
        1 => prop::collection::vec(select(pieces), 1..5).prop_map(|pieces| pieces.concat()),
        14 => select(known).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        hostile().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((hostile(), inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn condition() -> impl Strategy<Value = Value> {
    let operators = vec![
        "=", "!=", ">", "like", "not like", "in", "not in", "is", "between", "LIKE", "= 1 or", "",
    ];
    (hostile(), select(operators), value())
        .prop_map(|(field, operator, value)| json!([field, operator, value]))
}

fn arguments() -> impl Strategy<Value = Value> {
    let fields = prop::collection::vec(hostile(), 0..3).prop_map(Value::from);
    let filters = prop_oneof![
        4 => prop::collection::vec(condition(), 0..4).prop_map(Value::from),
        1 => value(),
    ];
    (
        prop_oneof![4 => fields, 1 => value()],
        filters,
        prop::option::weighted(0.3, hostile()),
        prop::option::weighted(0.1, hostile()),
        prop::option::weighted(0.1, hostile()),
        any::<bool>(),
    )
        .prop_map(|(fields, filters, order, group, expand, distinct)| {
            json!({
                "fields": fields, "filters": filters, "order_by": order, "group_by": group,
                "expand": expand, "distinct": distinct,
            })
        })
}

fn documents(folder: &tempfile::TempDir) -> Documents {
    let bench = Bench::create(folder.path()).unwrap();
    let registry = Registry::builtin().unwrap();
    let site_folder = bench.sites_folder().join("a.localhost");
    std::fs::create_dir_all(&site_folder).unwrap();
    std::fs::write(site_folder.join("site_config.json"), r#"{"db_name": "a"}"#).unwrap();
    let site = Site::open(&bench, "a.localhost", Arc::clone(&registry)).unwrap();
    Documents {
        site: Arc::new(site),
        registry,
        actor: Arc::new(Actor {
            user: "Administrator".to_owned(),
            roles: Default::default(),
            administrator: true,
            user_permissions: Arc::new(UserPermissions::default()),
            reach: Reach::Everything,
        }),
        now: Timestamp::from_seconds(1_795_176_000),
        random: Arc::new(|bytes: &mut [u8]| bytes.fill(7)),
        rules: Arc::new(NoRules),
    }
}

// spec: security.md, Inputs, outputs, network: identifiers come from DocType definitions only
#[test]
fn statements_are_made_of_definitions() {
    let folder = tempfile::tempdir().unwrap();
    let documents = documents(&folder);
    let accepted = std::cell::Cell::new(0);
    let config = ProptestConfig {
        cases: 3000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let doctypes = select(vec!["ToDo", "User"]);
    let result = runner.run(&(arguments(), doctypes), |(arguments, doctype)| {
        let Some(members) = arguments.as_object() else {
            return Ok(());
        };
        let Ok(request) = ListRequest::from_arguments(members) else {
            return Ok(());
        };
        let doctype = documents.doctype(doctype).unwrap();
        let Ok(query) = Query::new(&documents, &doctype, &request) else {
            return Ok(());
        };
        accepted.set(accepted.get() + 1);
        for dialect in [Dialect::Sqlite, Dialect::MariaDb, Dialect::Postgres] {
            for statement in [
                query.statement(dialect, 5, 20),
                query.count_statement(dialect),
            ] {
                let found = foreign(statement.text(), &documents.registry);
                prop_assert_eq!(found, None, "{}", statement.text());
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        #[allow(clippy::panic, reason = "a test says what it expects by failing")]
        {
            panic!("{error}");
        }
    }
    assert!(accepted.get() > 200, "{} accepted", accepted.get());
}
