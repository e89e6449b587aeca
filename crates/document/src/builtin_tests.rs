#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

use std::collections::HashSet;

use super::{DOCTYPES, TABLES};
use crate::Registry;
use crate::doctype::{FieldType, MAX_TABLE_NAME};
use crate::schema::TableDefinition;

#[test]
fn every_definition_is_read() {
    let registry = Registry::builtin().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(registry.doctypes().count(), DOCTYPES.len());
    assert!(!TableDefinition::list_from_json(TABLES).unwrap().is_empty());
}

#[test]
fn every_file_in_the_folder_is_embedded_under_its_name() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../doctypes");
    let embedded: HashSet<&str> = DOCTYPES.iter().map(|(file, _)| *file).collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name == "tables.json" || embedded.contains(name.as_str()),
            "{name} is not in the list"
        );
    }
    for (file, text) in DOCTYPES {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let name = json["name"].as_str().unwrap();
        assert_eq!(*file, format!("{}.json", crate::names::snake_case(name)));
        let order: Vec<_> = json["field_order"].as_array().unwrap().iter().collect();
        let fields: Vec<_> = json["fields"].as_array().unwrap().iter().collect();
        let fields: Vec<_> = fields.iter().map(|field| &field["fieldname"]).collect();
        assert_eq!(
            order, fields,
            "{name}: field_order is the order of the fields"
        );
    }
}

// spec: doctypes.md, "Every field has a help text of our own in its description"
#[test]
fn every_field_is_explained() {
    for doctype in Registry::builtin().unwrap().doctypes() {
        assert!(doctype.description.ends_with('.'), "{}", doctype.name);
        for field in &doctype.fields {
            if field.fieldtype.is_layout() {
                continue;
            }
            let place = format!("{}.{}", doctype.name, field.fieldname);
            let text = field.description.as_deref().unwrap_or_default();
            assert!(text.ends_with('.') && text.len() > 10, "{place}: {text:?}");
            assert!(field.label.is_some(), "{place} has no label");
        }
    }
}

// spec: security.md, Inputs, outputs, network: table names have at most 63 bytes
#[test]
fn every_table_has_a_name_that_fits_everywhere() {
    let mut names = HashSet::new();
    for table in Registry::builtin().unwrap().tables() {
        assert!(table.name.len() <= MAX_TABLE_NAME, "{}", table.name);
        assert!(
            names.insert(table.name.to_lowercase()),
            "{} twice",
            table.name
        );
        let mut columns = HashSet::new();
        for column in &table.columns {
            let name = column.name.to_lowercase();
            assert!(columns.insert(name), "{}.{} twice", table.name, column.name);
        }
    }
}

#[test]
fn only_the_program_shares_a_table() {
    let registry = Registry::builtin().unwrap();
    let session = registry.get("Session").unwrap();
    assert_eq!(session.table(), "tabSessions");
    let mut of_app = session.as_ref().clone();
    of_app.app = "shop".to_owned();
    assert_eq!(
        (of_app.table().as_str(), of_app.shared_table()),
        ("tabSession", None)
    );
    let shared = registry
        .doctypes()
        .filter(|one| one.shared_table().is_some());
    assert_eq!(shared.count(), 1);
}

#[test]
fn hashes_are_unique_and_roles_exist() {
    let registry = Registry::builtin().unwrap();
    for (doctype, field) in [
        ("OAuth Bearer Token", "access_token"),
        ("OAuth Bearer Token", "refresh_token"),
        ("OAuth Authorization Code", "authorization_code"),
        ("Signing Key", "slot"),
        ("User", "api_key"),
    ] {
        assert!(registry.get(doctype).unwrap().field(field).unwrap().unique);
    }
    let known = [
        "System Manager",
        "All",
        "Desk User",
        "Guest",
        "Administrator",
    ];
    for doctype in registry.doctypes() {
        for permission in &doctype.permissions {
            let role = permission.role.as_str();
            assert!(known.contains(&role), "{}: {role}", doctype.name);
        }
        assert!(
            doctype.istable || !doctype.permissions.is_empty(),
            "{}",
            doctype.name
        );
    }
}

// spec: product.md, rule 2; doctypes.md, OAuth Client
#[test]
fn legacy_switches_are_off_and_name_their_risk() {
    let registry = Registry::builtin().unwrap();
    let client = registry.get("OAuth Client").unwrap();
    for name in [
        "skip_authorization",
        "allow_plain_pkce",
        "allow_short_code_verifier",
    ] {
        let field = client.field(name).unwrap();
        assert_eq!(field.fieldtype, FieldType::Check);
        assert_eq!(field.default.as_deref(), Some("0"), "{name}");
    }
    assert_eq!(
        client.field("grant_type").unwrap().default.as_deref(),
        Some("Authorization Code")
    );
    assert_eq!(
        client.field("enforcement").unwrap().default.as_deref(),
        Some("Enforce")
    );
    for name in [
        "grant_type",
        "grant_types",
        "allow_plain_pkce",
        "allow_short_code_verifier",
    ] {
        let text = client.field(name).unwrap().description.as_deref().unwrap();
        assert!(
            text.contains("egacy switch") && text.contains("recorded"),
            "{name}"
        );
    }
}

// spec: security.md, Codes and tokens, "stored as SHA-256 only"
#[test]
fn proofs_are_nobodys_to_see() {
    let registry = Registry::builtin().unwrap();
    for (doctype, field) in [
        ("OAuth Bearer Token", "access_token"),
        ("OAuth Bearer Token", "refresh_token"),
        ("OAuth Authorization Code", "authorization_code"),
        ("Registration Access Token", "token"),
        ("User", "reset_password_key"),
        ("Session", "sid"),
        ("Session", "sessiondata"),
        ("Session", "csrf_issued"),
        ("Session", "oidc_sid"),
        ("Token Cache", "state"),
    ] {
        let field = registry.get(doctype).unwrap().field(field).unwrap();
        assert!(field.permlevel > crate::doctype::MAX_LEVEL, "{doctype}");
    }
    for (doctype, field) in [
        ("OAuth Client", "client_secret"),
        ("Previous Client Secret", "client_secret"),
        ("Signing Key", "private_key"),
        ("Token Cache", "access_token"),
        ("Token Cache", "refresh_token"),
        ("API Key", "api_secret"),
        ("User", "api_secret"),
        ("User", "otp"),
    ] {
        let field = registry.get(doctype).unwrap().field(field).unwrap();
        assert_eq!(field.fieldtype, FieldType::Password, "{doctype}");
    }
}
