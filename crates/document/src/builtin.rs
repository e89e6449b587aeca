//! The definitions that the program brings along.

/// The tables that belong to no DocType.
pub(crate) const TABLES: &str = include_str!("../../../doctypes/tables.json");

macro_rules! doctypes {
    ($($file:literal),* $(,)?) => {
        /// File names and their contents.
        pub(crate) const DOCTYPES: &[(&str, &str)] = &[
            $(($file, include_str!(concat!("../../../doctypes/", $file)))),*
        ];
    };
}

doctypes![
    "activity_log.json",
    "api_key.json",
    "connected_app.json",
    "custom_docperm.json",
    "docfield.json",
    "docperm.json",
    "doctype.json",
    "has_role.json",
    "installed_application.json",
    "note.json",
    "oauth_authorization_code.json",
    "oauth_bearer_token.json",
    "oauth_client.json",
    "oauth_client_role.json",
    "oauth_consent.json",
    "oauth_provider_settings.json",
    "oauth_scope.json",
    "oauth_settings.json",
    "patch_log.json",
    "previous_client_secret.json",
    "query_parameters.json",
    "registration_access_token.json",
    "role.json",
    "session.json",
    "signing_key.json",
    "social_login_key.json",
    "system_settings.json",
    "todo.json",
    "token_cache.json",
    "user.json",
    "user_permission.json",
    "user_social_login.json",
    "website_settings.json",
];

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod tests;
