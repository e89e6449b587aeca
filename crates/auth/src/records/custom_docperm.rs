//! Custom DocPerm: permissions that replace those of a DocType's definition.
//!
//! They decide about every document of the site, so they cannot open what the definition closes
//! for everybody's good, nor give what whoever writes them lacks.

use crema_document::access::{self, Action};
use crema_document::documents::{Change, Documents};
use crema_document::{DocType, DocumentError, Permission, Registry};

use super::View;
use super::values::{flag, forbidden, int, invalid, text};

/// Roles of people who are not known, or that are not given.
const NOBODY: &[&str] = &["Guest", "Administrator"];

/// Records that decide who may do what, or hold proofs of it: they stay with those who keep the
/// site.
const GUARDED: &[&str] = &[
    "API Key",
    "Activity Log",
    "Connected App",
    "Custom DocPerm",
    "DocType",
    "Installed Application",
    "OAuth Authorization Code",
    "OAuth Bearer Token",
    "OAuth Client",
    "OAuth Consent",
    "OAuth Provider Settings",
    "OAuth Settings",
    "Patch Log",
    "Previous Client Secret",
    "Registration Access Token",
    "Role",
    "Session",
    "Signing Key",
    "Social Login Key",
    "System Settings",
    "Token Cache",
    "User",
    "User Permission",
    "Website Settings",
];

/// Refuses what would open too much.
pub(super) fn check(
    view: &View,
    documents: &Documents,
    change: &Change,
) -> Result<(), DocumentError> {
    let after = &change.after;
    let (parent, role) = (text(after, "parent"), text(after, "role"));
    let Some(doctype) = documents.registry.get(parent) else {
        return invalid(format!("DocType {parent} not found"));
    };
    if doctype.istable {
        return invalid(format!(
            "{parent} has the permissions of the documents it is in"
        ));
    }
    if !(0..=9).contains(&int(after, "permlevel")) {
        return invalid("Level is between 0 and 9");
    }
    let changes_something = ["write", "create", "delete"]
        .iter()
        .any(|right| flag(after, right));
    if NOBODY.contains(&role) && changes_something {
        return invalid(format!("{role} can be allowed to read, and nothing else"));
    }
    if role == "Administrator" {
        return invalid("Administrator may do everything already");
    }
    if GUARDED.contains(&parent) && role != super::SYSTEM_MANAGER && !is_defined(parent, change) {
        return invalid(format!(
            "{parent} is for System Managers, whose records keep the site safe"
        ));
    }
    has_what_it_gives(view, doctype, change)
}

/// Whether the definition that came along gives as much already: whoever writes permissions of
/// their own for a DocType writes down those too that are to stay.
fn is_defined(parent: &str, change: &Change) -> bool {
    let Ok(registry) = Registry::builtin() else {
        return false;
    };
    let after = &change.after;
    let covers = |given: &Permission| {
        let rights = [
            ("read", given.read),
            ("write", given.write),
            ("create", given.create),
            ("delete", given.delete),
            ("select", given.select),
        ];
        given.role == text(after, "role")
            && i64::from(given.permlevel) == int(after, "permlevel")
            && (flag(after, "if_owner") || !given.if_owner)
            && rights
                .iter()
                .all(|(right, given)| *given || !flag(after, right))
    };
    let defined = registry.get(parent);
    defined.is_some_and(|doctype| doctype.permissions.iter().any(covers))
}

/// Nobody opens for others, or for themselves, what they may not do.
fn has_what_it_gives(view: &View, doctype: &DocType, change: &Change) -> Result<(), DocumentError> {
    let actor = view.actor();
    if actor.administrator || actor.holds(super::SYSTEM_MANAGER) {
        return Ok(());
    }
    let rights = [
        ("read", Action::Read),
        ("write", Action::Write),
        ("create", Action::Create),
        ("delete", Action::Delete),
    ];
    for (right, action) in rights {
        let gives = flag(&change.after, right);
        if gives && access::grant(doctype, actor, action).rows == access::RowRule::Nothing {
            return forbidden(format!("You may not {right} {} yourself", doctype.name));
        }
    }
    Ok(())
}
