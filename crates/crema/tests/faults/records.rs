//! What must hold among the rows at any moment, whatever was interrupted.

use crema_store::{Database, Sql, params};

use crate::place::Place;

/// Each counts what must not be there.
static NEVER: [(&str, Sql); 7] = [
    (
        "tokens without their family",
        Sql::new(
            r#"SELECT COUNT(*) FROM "tabOAuth Bearer Token" t WHERE t.family IS NOT NULL
            AND t.family <> '' AND NOT EXISTS
            (SELECT 1 FROM "__oauth_family" f WHERE f.name = t.family)"#,
        ),
    ),
    (
        "families with two live refresh tokens",
        Sql::new(
            r#"SELECT COUNT(*) FROM (SELECT family FROM "tabOAuth Bearer Token"
            WHERE status = 'Active' AND refresh_token IS NOT NULL AND refresh_token <> ''
            AND family IS NOT NULL GROUP BY family HAVING COUNT(*) > 1) doubles"#,
        ),
    ),
    (
        "families whose live refresh token has no row",
        Sql::new(
            r#"SELECT COUNT(*) FROM "__oauth_family" f WHERE f.refresh_token IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM "tabOAuth Bearer Token" t WHERE t.family = f.name
            AND t.refresh_token = f.refresh_token AND t.status = 'Active')"#,
        ),
    ),
    (
        "active tokens of revoked families",
        Sql::new(
            r#"SELECT COUNT(*) FROM "tabOAuth Bearer Token" t JOIN "__oauth_family" f
            ON f.name = t.family WHERE t.status = 'Active' AND f.revoked_at IS NOT NULL"#,
        ),
    ),
    (
        "spent hashes without their family",
        Sql::new(
            r#"SELECT COUNT(*) FROM "__oauth_spent" s WHERE NOT EXISTS
            (SELECT 1 FROM "__oauth_family" f WHERE f.name = s.family)"#,
        ),
    ),
    (
        "spent hashes whose successor is missing",
        Sql::new(
            r#"SELECT COUNT(*) FROM "__oauth_spent" s WHERE s.successor IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM "tabOAuth Bearer Token" t WHERE t.name = s.successor)"#,
        ),
    ),
    (
        "used codes that nobody remembers",
        Sql::new(
            r#"SELECT COUNT(*) FROM "tabOAuth Authorization Code" c WHERE c.validity = 'Invalid'
            AND NOT EXISTS (SELECT 1 FROM "__oauth_spent" s WHERE s.hash = c.authorization_code)"#,
        ),
    ),
];
static ISSUED: Sql =
    Sql::new(r#"SELECT COUNT(*) FROM "tabOAuth Bearer Token" WHERE grant_type <> 'refresh_token'"#);
static AUDITED: Sql =
    Sql::new(r#"SELECT COUNT(*) FROM "tabActivity Log" WHERE operation = 'Token Issued'"#);
static INTEGRITY: Sql = Sql::new("SELECT integrity_check FROM pragma_integrity_check");

/// Looks at the database of a site while nobody writes.
///
/// # Panics
/// When something is half done, or the file is damaged.
pub(crate) async fn check(place: &Place) {
    let database = Database::open(&place.config()).unwrap();
    check_in(&database).await;
    database.close().await;
}

/// As [`check`], in a database that is open.
pub(crate) async fn check_in(database: &Database) {
    for (what, sql) in &NEVER {
        assert_eq!(count(database, sql).await, 0, "{what}");
    }
    let (issued, audited) = (
        count(database, &ISSUED).await,
        count(database, &AUDITED).await,
    );
    assert_eq!(issued, audited, "tokens and their audit records");
    if database.dialect() == crema_store::Dialect::Sqlite {
        let row = database.row(&INTEGRITY, params![]).await.unwrap().unwrap();
        assert_eq!(row.text(0), Ok("ok"));
    }
}

async fn count(database: &Database, sql: &'static Sql) -> i64 {
    let row = database.row(sql, params![]).await.unwrap().unwrap();
    row.int(0).unwrap()
}
