//! What hangs on a Connected App and goes with it: the tokens that it got for users.
//!
//! Records: Token Cache with its rows and `__Auth`.

use crema_document::{DocumentError, passwords};
use crema_store::{Sql, Transaction, params};
use serde_json::{Map, Value as Json};

use super::values::text;

static OF_APP: Sql =
    Sql::new(r#"SELECT name, connected_app FROM "tabToken Cache" WHERE connected_app = ?"#);
static OF_USER: Sql = Sql::new(r#"SELECT name, "user" FROM "tabToken Cache" WHERE "user" = ?"#);
static SCOPES: Sql =
    Sql::new(r#"DELETE FROM "tabOAuth Scope" WHERE parent = ? AND parenttype = 'Token Cache'"#);
static DELETE: Sql = Sql::new(r#"DELETE FROM "tabToken Cache" WHERE name = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&OF_APP, &OF_USER, &SCOPES, &DELETE];

/// Removes what an app got.
pub(super) async fn before_delete(
    app: &Map<String, Json>,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    forget(tx, &OF_APP, text(app, "name")).await
}

/// Removes what was got for a user.
pub(super) async fn end_of_user(tx: &mut Transaction, user: &str) -> Result<(), DocumentError> {
    forget(tx, &OF_USER, user).await
}

async fn forget(tx: &mut Transaction, which: &'static Sql, of: &str) -> Result<(), DocumentError> {
    for row in tx.rows(which, params![of]).await? {
        if row.opt_text(1)? != Some(of) {
            continue;
        }
        let name = row.text(0)?;
        passwords::delete_all(tx, "Token Cache", name).await?;
        tx.execute(&SCOPES, params![name]).await?;
        tx.execute(&DELETE, params![name]).await?;
    }
    Ok(())
}
