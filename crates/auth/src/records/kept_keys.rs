//! Keys in the records of other DocTypes (`Frappe-Authorization-Source`): who may write them.
//!
//! Such a key opens everything that its user may do, so writing one takes what making an API Key
//! takes. Else whoever may write these records could become anybody, at once or as soon as
//! somebody with more rights saves the record for another reason.
// spec: security.md, Clients, "never give roles that the person setting them lacks", "API keys …
// need an `auth_time` of less than 10 minutes"

use crema_document::DocumentError;
use crema_document::documents::Change;

use super::error::failed;
use super::limited::is_limited;
use super::values::{flag, forbidden, invalid, text};
use super::{SYSTEM_MANAGER, View};
use crate::api_key;
use crate::user::GUEST;

const USER: &str = "user";
const KEY: &str = "api_key";
const SECRET: &str = "api_secret";
const ENABLED: &str = "enabled";

/// Refuses a key for somebody whom the caller may not make keys for.
pub(super) async fn check(view: &View, change: &Change) -> Result<(), DocumentError> {
    if !opens_something(change) {
        return Ok(());
    }
    check_stored(view, change)?;
    let user = text(&change.after, USER);
    let Some(user) = view.ctx.user(user).await.map_err(failed)? else {
        return Ok(());
    };
    api_key::require_right_over(&view.ctx, &view.caller, &user).map_err(failed)?;
    let new_secret = change.secrets.contains_key(SECRET);
    let old_secret = !new_secret && !text(&change.after, SECRET).is_empty();
    match change.changes(USER) && old_secret {
        true => invalid("Who knew the API Secret knows it still: give a new one with the user"),
        false => Ok(()),
    }
}

/// The same in the transaction, about the user that the record has at that moment, as far as no
/// look at others is needed.
pub(super) fn check_stored(view: &View, change: &Change) -> Result<(), DocumentError> {
    if !opens_something(change) {
        return Ok(());
    }
    if is_limited(view) {
        return forbidden("A key that opens everything needs a credential that does (all)");
    }
    let actor = view.actor();
    let own = text(&change.after, USER) == view.by();
    match own || actor.administrator || actor.holds(SYSTEM_MANAGER) {
        true => Ok(()),
        false => forbidden("Only a System Manager makes API keys for others."),
    }
}

/// Whether the change makes, changes or switches on a key of somebody, or one half of it: the
/// other may come later, from somebody else.
fn opens_something(change: &Change) -> bool {
    let user = text(&change.after, USER);
    let has_half = [KEY, SECRET]
        .iter()
        .any(|half| !text(&change.after, half).is_empty());
    let opens = !user.is_empty() && user != GUEST && has_half;
    opens && api_key::keeps_keys(&change.doctype) && is_touched(change)
}

/// Whether it is about a key at all.
fn is_touched(change: &Change) -> bool {
    let after = &change.after;
    let set = |field: &str| change.changes(field) && !text(after, field).is_empty();
    let switched_on = change.changes(ENABLED) && flag(after, ENABLED);
    change.secrets.contains_key(SECRET)
        || set(USER)
        || set(KEY)
        || (switched_on && !change.is_new())
}
