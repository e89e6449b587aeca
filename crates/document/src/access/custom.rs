//! Custom DocPerm: permissions that a site puts in the place of a DocType's own.

use std::collections::BTreeMap;

use crema_store::{Database, Row, StoreError, params, statements};

use crate::doctype::{DocType, MAX_LEVEL, Permission};

statements! {
    /// Every row, those of a DocType together.
    pub(crate) READ = r#"SELECT "parent", "role", "permlevel", "if_owner", "read", "write",
        "create", "delete", "select", "report", "export", "import", "share", "print", "email"
        FROM "tabCustom DocPerm" ORDER BY "parent", "idx", "creation", "name""#;
}

/// The permissions of a site's own, by DocType.
pub(crate) type CustomPermissions = BTreeMap<String, Vec<Permission>>;

/// Reads them. None on a site without tables yet.
pub(crate) async fn read(database: &Database) -> Result<CustomPermissions, StoreError> {
    let rows = match database.rows(&READ, params![]).await {
        Err(StoreError::Schema(_)) => return Ok(CustomPermissions::new()),
        other => other?,
    };
    let mut custom = CustomPermissions::new();
    for row in rows {
        let doctype = row.opt_text(0)?.unwrap_or_default().to_owned();
        let permission = permission(&row)?;
        // A row that could not be one of a definition opens nothing, but still takes the place.
        let usable = !permission.role.is_empty() && u32::from(permission.permlevel) <= MAX_LEVEL;
        let of_doctype = custom.entry(doctype).or_default();
        of_doctype.extend(usable.then_some(permission));
    }
    Ok(custom)
}

fn permission(row: &Row) -> Result<Permission, StoreError> {
    let flag = |index| Ok::<_, StoreError>(row.opt_int(index)?.unwrap_or_default() != 0);
    Ok(Permission {
        role: row.opt_text(1)?.unwrap_or_default().to_owned(),
        permlevel: u8::try_from(row.opt_int(2)?.unwrap_or_default()).unwrap_or(u8::MAX),
        if_owner: flag(3)?,
        read: flag(4)?,
        write: flag(5)?,
        create: flag(6)?,
        delete: flag(7)?,
        select: flag(8)?,
        report: flag(9)?,
        export: flag(10)?,
        import: flag(11)?,
        share: flag(12)?,
        print: flag(13)?,
        email: flag(14)?,
    })
}

/// The DocType with these permissions instead of its own. What the system keeps can be removed
/// only where its definition lets somebody.
pub(crate) fn apply(doctype: &DocType, custom: &[Permission]) -> DocType {
    let removable = !doctype.is_kept() || doctype.permissions.iter().any(|own| own.delete);
    let permissions = custom.iter().cloned().map(|permission| Permission {
        delete: permission.delete && removable,
        ..permission
    });
    DocType {
        permissions: permissions.collect(),
        ..doctype.clone()
    }
}
