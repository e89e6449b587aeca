//! Where the databases differ in their SQL.

use std::borrow::Cow;
use std::fmt;

/// A database's way of speaking SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite, embedded.
    Sqlite,
    /// MariaDB.
    MariaDb,
    /// PostgreSQL.
    Postgres,
}

/// The collation of every text column on MariaDB. Not `utf8mb4_bin`: that one ignores
/// trailing blanks in comparisons, so that two different token strings would match.
pub(crate) const MARIADB_COLLATION: &str = "utf8mb4_nopad_bin";

impl Dialect {
    /// The name as Frappe's `db_type` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::MariaDb => "mariadb",
            Self::Postgres => "postgres",
        }
    }

    /// An identifier in quotes. MariaDB runs with `ANSI_QUOTES`, so that all three agree.
    #[must_use]
    pub fn quote(self, identifier: &str) -> String {
        format!("\"{}\"", identifier.replace('"', "\"\""))
    }

    /// A string literal for a column's default in DDL. Values of statements are bound, never
    /// written into the text.
    #[must_use]
    pub fn literal(self, text: &str) -> String {
        let text = text.replace('\'', "''");
        match self {
            Self::MariaDb => format!("'{}'", text.replace('\\', "\\\\")),
            Self::Sqlite | Self::Postgres => format!("'{text}'"),
        }
    }

    /// The physical type for a type in Frappe's (MariaDB's) words, in the spelling that
    /// [`Database::columns`](crate::Database::columns) reports for such a column. Types that
    /// are not listed pass unchanged.
    #[must_use]
    pub fn column_type(self, frappe: &str) -> Cow<'_, str> {
        let frappe = frappe.trim().to_ascii_lowercase();
        let (base, arguments) = split_type(&frappe);
        match self {
            // Affinities: `int`, `char`/`text`, `blob`, `double` mean what they should, and
            // text in a `datetime` column stays text.
            Self::Sqlite => Cow::Owned(frappe),
            Self::MariaDb => match base {
                "int" | "bigint" | "smallint" | "tinyint" | "mediumint" => {
                    Cow::Owned(base.to_owned())
                }
                "json" => Cow::Borrowed("longtext"),
                _ => Cow::Owned(frappe),
            },
            Self::Postgres => match base {
                "longtext" | "mediumtext" | "tinytext" | "text" => Cow::Borrowed("text"),
                "int" | "mediumint" => Cow::Borrowed("integer"),
                "tinyint" | "smallint" => Cow::Borrowed("smallint"),
                "bigint" => Cow::Borrowed("bigint"),
                "double" | "float" => Cow::Borrowed("double precision"),
                "decimal" => Cow::Owned(format!("numeric{arguments}")),
                "datetime" => Cow::Owned(format!("timestamp{arguments}")),
                "blob" | "longblob" | "mediumblob" | "varbinary" => Cow::Borrowed("bytea"),
                _ => Cow::Owned(frappe),
            },
        }
    }

    /// What follows the closing parenthesis of a `CREATE TABLE`: on MariaDB the engine and the
    /// collation, which must not depend on how the database was created.
    #[must_use]
    pub const fn table_options(self) -> &'static str {
        match self {
            Self::MariaDb => {
                " ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 \
                 COLLATE=utf8mb4_nopad_bin"
            }
            Self::Sqlite | Self::Postgres => "",
        }
    }

    /// A condition that matches a text against a pattern without regard to case, in the same
    /// way on every database. `place` is where the pattern is bound, which has gone through
    /// [`Dialect::fold`]. Its wildcards are `%` and `_`; text that must not act as a pattern
    /// goes through [`Dialect::escape_like`].
    #[must_use]
    pub fn like(self, text: &str, place: &str) -> String {
        match self {
            Self::Sqlite => format!("{}({text}, {place})", crate::sqlite::LIKE),
            Self::MariaDb | Self::Postgres => {
                format!("{} LIKE {place} ESCAPE '!'", self.lower(text))
            }
        }
    }

    /// The text in lower case, as [`Dialect::fold`] has it. Letters that Unicode has got since
    /// its version 5.2 (Cherokee, for example) keep their case on MariaDB.
    fn lower(self, text: &str) -> String {
        match self {
            Self::Sqlite => text.to_owned(),
            // The collation of our columns knows the letters of Unicode 3 only.
            Self::MariaDb => format!(
                "replace(lower({text} COLLATE utf8mb4_unicode_520_ci) \
                 COLLATE {MARIADB_COLLATION}, '\u{3c2}', '\u{3c3}')"
            ),
            // Our databases know ASCII only; every server has this collation. It writes a
            // sigma at the end of a word differently, and an I with a dot as two characters.
            Self::Postgres => format!(
                "lower(translate({text}, '\u{130}\u{3a3}\u{3c2}', 'i\u{3c3}\u{3c3}') \
                 COLLATE \"und-x-icu\")"
            ),
        }
    }

    /// Text in lower case, character by character, with one small sigma.
    #[must_use]
    pub fn fold(text: &str) -> String {
        if text.is_ascii() {
            return text.to_ascii_lowercase();
        }
        let lower = |character: char| match character {
            '\u{3c2}' => '\u{3c3}',
            other => other.to_lowercase().next().unwrap_or(other),
        };
        text.chars().map(lower).collect()
    }

    /// An expression as a floating point number.
    #[must_use]
    pub fn as_real(self, expression: &str) -> String {
        match self {
            Self::Sqlite => format!("CAST({expression} AS REAL)"),
            Self::MariaDb => format!("CAST({expression} AS DOUBLE)"),
            Self::Postgres => format!("CAST({expression} AS double precision)"),
        }
    }

    /// The database's own clock, in whole seconds since 1970.
    #[must_use]
    pub const fn unix_seconds(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(strftime('%s', 'now') AS INTEGER)",
            Self::MariaDb => "CAST(UNIX_TIMESTAMP() AS SIGNED)",
            Self::Postgres => "CAST(floor(EXTRACT(EPOCH FROM clock_timestamp())) AS bigint)",
        }
    }

    /// An integer as text.
    #[must_use]
    pub fn integer_as_text(self, expression: &str) -> String {
        match self {
            Self::MariaDb => format!("CAST({expression} AS CHAR)"),
            Self::Sqlite | Self::Postgres => format!("CAST({expression} AS text)"),
        }
    }

    /// A date as text, `YYYY-MM-DD`.
    #[must_use]
    pub fn date_as_text(self, expression: &str) -> String {
        match self {
            Self::Sqlite => expression.to_owned(),
            Self::MariaDb => format!("CAST({expression} AS CHAR)"),
            Self::Postgres => format!("to_char({expression}, 'YYYY-MM-DD')"),
        }
    }

    /// A date and time as text, `YYYY-MM-DD HH:MM:SS.ffffff`.
    #[must_use]
    pub fn datetime_as_text(self, expression: &str) -> String {
        match self {
            Self::Sqlite => expression.to_owned(),
            Self::MariaDb => format!("CAST({expression} AS CHAR)"),
            Self::Postgres => format!("to_char({expression}, 'YYYY-MM-DD HH24:MI:SS.US')"),
        }
    }

    /// What follows the direction of a column of an order that may be `NULL`, so that it comes
    /// first ascending and last descending, as it does by itself on the other databases.
    #[must_use]
    pub const fn null_order(self, descending: bool) -> &'static str {
        match (self, descending) {
            (Self::Sqlite | Self::MariaDb, _) => "",
            (Self::Postgres, false) => " NULLS FIRST",
            (Self::Postgres, true) => " NULLS LAST",
        }
    }

    /// Text in which the wildcards of [`Dialect::like`] stand for themselves.
    #[must_use]
    pub fn escape_like(text: &str) -> String {
        let mut escaped = String::with_capacity(text.len());
        for character in text.chars() {
            if matches!(character, '%' | '_' | '!') {
                escaped.push('!');
            }
            escaped.push(character);
        }
        escaped
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `varchar(140)` → (`varchar`, `(140)`).
fn split_type(text: &str) -> (&str, &str) {
    text.find('(')
        .and_then(|at| text.split_at_checked(at))
        .map_or((text, ""), |(base, arguments)| (base.trim_end(), arguments))
}

/// Rewrites portable SQL for one dialect; see [`Sql`](crate::Sql) for what is portable.
pub(crate) fn render(dialect: Dialect, text: &str) -> String {
    let text = match dialect {
        Dialect::MariaDb => on_duplicate_key(text),
        Dialect::Sqlite | Dialect::Postgres => Cow::Borrowed(text),
    };
    let mut rendered = String::with_capacity(text.len() + 16);
    let mut rest: &str = &text;
    let mut quote: Option<char> = None;
    let mut parameter = 0_u32;
    while let Some(character) = rest.chars().next() {
        if quote.is_none()
            && let Some((clause, after)) = lock_clause(dialect, rest)
        {
            rendered.push_str(clause);
            rest = after;
            continue;
        }
        match (character, quote) {
            ('\'' | '"', None) => quote = Some(character),
            (_, Some(open)) if open == character => quote = None,
            _ => {}
        }
        if character == '?' && quote.is_none() && dialect == Dialect::Postgres {
            parameter += 1;
            rendered.push_str(&format!("${parameter}"));
        } else {
            rendered.push(character);
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    rendered
}

/// What `{lock}` and `{share}` stand for, and the text after them.
fn lock_clause(dialect: Dialect, text: &str) -> Option<(&'static str, &str)> {
    let (exclusive, after) = match text.strip_prefix("{lock}") {
        Some(after) => (true, after),
        None => (false, text.strip_prefix("{share}")?),
    };
    let clause = match (dialect, exclusive) {
        (Dialect::Sqlite, _) => "",
        (_, true) => "FOR UPDATE",
        (Dialect::MariaDb, false) => "LOCK IN SHARE MODE",
        (Dialect::Postgres, false) => "FOR SHARE",
    };
    Some((clause, after))
}

/// `ON CONFLICT (…) DO UPDATE SET …` in MariaDB's words.
fn on_duplicate_key(text: &str) -> Cow<'_, str> {
    const CONFLICT: &str = "ON CONFLICT (";
    let Some((before, after)) = text.split_once(CONFLICT) else {
        return Cow::Borrowed(text);
    };
    let Some((keys, action)) = after.split_once(')') else {
        return Cow::Borrowed(text);
    };
    let action = action.trim_start();
    if let Some(rest) = action.strip_prefix("DO NOTHING") {
        let key = keys.split(',').next().unwrap_or(keys).trim();
        return Cow::Owned(format!(
            "{before}ON DUPLICATE KEY UPDATE {key} = {key}{rest}"
        ));
    }
    let Some(assignments) = action.strip_prefix("DO UPDATE SET") else {
        return Cow::Borrowed(text);
    };
    Cow::Owned(format!(
        "{before}ON DUPLICATE KEY UPDATE{}",
        excluded_values(assignments)
    ))
}

/// `excluded."x"` → `VALUES("x")`.
fn excluded_values(assignments: &str) -> String {
    const EXCLUDED: &str = "excluded.\"";
    let mut parts = assignments.split(EXCLUDED);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (column, rest) = part.split_once('"').unwrap_or((part, ""));
        out.push_str(&format!("VALUES(\"{column}\"){rest}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> [String; 3] {
        [Dialect::Sqlite, Dialect::MariaDb, Dialect::Postgres].map(|dialect| render(dialect, text))
    }

    #[test]
    fn placeholders_outside_of_quotes_are_numbered() {
        let text = r#"SELECT "a?" FROM "t" WHERE "b" = ? AND 'it''s ?' <> ? AND "c""?" = ?"#;
        let [sqlite, mariadb, postgres] = all(text);
        assert_eq!(sqlite, text);
        assert_eq!(mariadb, text);
        assert_eq!(
            postgres,
            r#"SELECT "a?" FROM "t" WHERE "b" = $1 AND 'it''s ?' <> $2 AND "c""?" = $3"#
        );
    }

    #[test]
    fn rows_are_locked_where_that_exists() {
        let [sqlite, mariadb, postgres] = all(r#"SELECT '{lock}' FROM "t" WHERE "é" = ? {lock}"#);
        assert_eq!(sqlite, r#"SELECT '{lock}' FROM "t" WHERE "é" = ? "#);
        assert_eq!(
            mariadb,
            r#"SELECT '{lock}' FROM "t" WHERE "é" = ? FOR UPDATE"#
        );
        assert_eq!(
            postgres,
            r#"SELECT '{lock}' FROM "t" WHERE "é" = $1 FOR UPDATE"#
        );
    }

    #[test]
    fn rows_are_held_by_several_where_that_exists() {
        let [sqlite, mariadb, postgres] = all(r#"SELECT "a" FROM "t" {share}"#);
        assert_eq!(sqlite, r#"SELECT "a" FROM "t" "#);
        assert_eq!(mariadb, r#"SELECT "a" FROM "t" LOCK IN SHARE MODE"#);
        assert_eq!(postgres, r#"SELECT "a" FROM "t" FOR SHARE"#);
    }

    #[test]
    fn upserts_in_mariadbs_words() {
        let insert = r#"INSERT INTO "t" ("a", "b", "c") VALUES (?, ?, ?)"#;
        let [sqlite, mariadb, _] = all(&format!(
            r#"{insert} ON CONFLICT ("a", "b") DO UPDATE SET "c" = excluded."c", "b" = "t"."b" + excluded."b""#
        ));
        assert!(sqlite.contains(r#"ON CONFLICT ("a", "b") DO UPDATE SET "c" = excluded."c""#));
        assert_eq!(
            mariadb,
            format!(
                r#"{insert} ON DUPLICATE KEY UPDATE "c" = VALUES("c"), "b" = "t"."b" + VALUES("b")"#
            )
        );
        let [_, mariadb, _] = all(&format!(r#"{insert} ON CONFLICT ("a", "b") DO NOTHING"#));
        assert_eq!(
            mariadb,
            format!(r#"{insert} ON DUPLICATE KEY UPDATE "a" = "a""#)
        );
    }

    #[test]
    fn names_and_literals_are_quoted() {
        assert_eq!(Dialect::Sqlite.quote(r#"a"b"#), r#""a""b""#);
        assert_eq!(Dialect::Postgres.literal(r"it's \x"), r"'it''s \x'");
        assert_eq!(Dialect::MariaDb.literal(r"it's \x"), r"'it''s \\x'");
    }
}
