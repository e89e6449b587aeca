//! Values of Password fields: encrypted under the site's key, apart from the documents.
// spec: doctypes.md, "Password fields and user passwords in `__Auth`, encrypted with Fernet"

use crema_crypto::Secret;
use crema_document::DocumentError;
use crema_document::documents::Change;
use crema_document::passwords::{self, StoredPassword};
use crema_store::Transaction;

use super::View;
use super::error::failed;
use crate::Failure;

/// Stores the new values of a change; those of fields that are empty now are gone already.
pub(super) async fn store(
    view: &View,
    change: &Change,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let doctype = change.doctype.name.as_str();
    for (field, secret) in &change.secrets {
        let stored = encrypt(view, &Secret::from(secret.expose())).map_err(failed)?;
        passwords::set(tx, doctype, &change.name, field, &stored).await?;
    }
    Ok(())
}

fn encrypt(view: &View, secret: &Secret<String>) -> Result<StoredPassword, Failure> {
    let provider = &view.ctx.provider;
    let seconds = u64::try_from(view.ctx.now.seconds()).unwrap_or_default();
    let token = provider
        .site_keys()
        .fernet()
        .encrypt(
            &*provider.environment().entropy,
            seconds,
            secret.expose().as_bytes(),
        )
        .map_err(Failure::internal)?;
    Ok(StoredPassword {
        value: token.into(),
        encrypted: true,
    })
}
