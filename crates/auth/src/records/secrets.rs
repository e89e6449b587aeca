//! Values of Password fields: encrypted under the site's key, apart from the documents.
// spec: doctypes.md, "Password fields and user passwords in `__Auth`, encrypted with Fernet"

use crema_crypto::Secret;
use crema_document::DocumentError;
use crema_document::documents::Change;
use crema_document::passwords;
use crema_store::Transaction;

use super::View;
use super::error::failed;
use crate::client::encrypt;

/// Stores the new values of a change; those of fields that are empty now are gone already.
pub(super) async fn store(
    view: &View,
    change: &Change,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let doctype = change.doctype.name.as_str();
    for (field, secret) in &change.secrets {
        let stored = encrypt(&view.ctx, &Secret::from(secret.expose())).map_err(failed)?;
        passwords::set(tx, doctype, &change.name, field, &stored).await?;
    }
    Ok(())
}
