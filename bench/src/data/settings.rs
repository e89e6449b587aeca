//! Settings of the site that the load needs.

/// System Settings, *Allow Consecutive Login Attempts*: so high that a storm of wrong passwords is
/// counted, as ever, but never locked out. Refusing at once would be cheaper than checking.
pub(super) const ATTEMPTS: &str = r#"UPDATE "tabSingles" SET value = '1000000000'
    WHERE doctype = 'System Settings' AND field = 'allow_consecutive_login_attempts'"#;

/// OAuth Settings, *Enable MCP*: whatever it was, it is on afterwards.
pub(super) const TOOLS: [&str; 2] = [
    r#"DELETE FROM "tabSingles" WHERE doctype = 'OAuth Settings' AND field = 'enable_mcp'"#,
    r#"INSERT INTO "tabSingles" (doctype, field, value) VALUES ('OAuth Settings', 'enable_mcp', '1')"#,
];

/// Tells running servers that a setting changed.
pub(super) const VERSION: &str =
    r#"UPDATE "__version" SET version = version + 1 WHERE name = 'site'"#;

/// The site has no such setting.
pub(super) const MISSING: &str = "the site has no limit for wrong passwords";
