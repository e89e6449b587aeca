//! What a credential that opens only a part of what its user may do cannot change: records that
//! say what other credentials open, by which it would get the rest.
// spec: http.md, Resource server, "Scopes on resources"

use crema_document::access::Reach;
use crema_document::documents::Change;
use crema_document::{DocType, DocumentError};
use crema_protocol::resource_scope::ResourceScopes;
use crema_protocol::scope::Scope;

use super::View;
use super::values::{forbidden, label};

/// DocTypes that are closed to it as a whole.
const WHOLE: &[&str] = &[
    "Custom DocPerm",
    "OAuth Provider Settings",
    "Social Login Key",
];
/// Fields of OAuth Settings that are.
const SETTINGS: &[&str] = &["registration_scopes", "skip_authorization"];

/// Refuses a change that needs everything to be open.
pub(super) fn check(view: &View, change: &Change) -> Result<(), DocumentError> {
    if !is_limited(view) {
        return Ok(());
    }
    let doctype = &change.doctype;
    if WHOLE.contains(&doctype.name.as_str()) {
        return refused(&doctype.name);
    }
    let of_settings = doctype.name == "OAuth Settings";
    let field = SETTINGS
        .iter()
        .find(|field| of_settings && change.changes(field));
    match field {
        Some(field) => refused(label(doctype, field)),
        None => Ok(()),
    }
}

/// Refuses to remove what needs everything to be open: without permissions of the site's own
/// those of the definition hold.
pub(super) fn check_removal(view: &View, doctype: &DocType) -> Result<(), DocumentError> {
    match is_limited(view) && doctype.name == "Custom DocPerm" {
        true => refused(&doctype.name),
        false => Ok(()),
    }
}

/// Whether the caller's credential opens all that these scopes do.
pub(super) fn covers(view: &View, scopes: &str) -> bool {
    let opened = ResourceScopes::of(&Scope::from_registered(scopes));
    let covered = view.caller.scopes.as_ref();
    !is_limited(view) || opened.is_empty() || covered.is_some_and(|own| own.covers(&opened))
}

/// Whether it opens a part only.
pub(super) fn is_limited(view: &View) -> bool {
    view.actor().reach != Reach::Everything
}

fn refused(what: &str) -> Result<(), DocumentError> {
    forbidden(format!(
        "{what} needs a credential that opens everything (all)"
    ))
}
