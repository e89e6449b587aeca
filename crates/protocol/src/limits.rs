//! Longest values that are taken from a request, in bytes. The same on every database.
//!
//! Longer ones are `invalid_request`; nothing is cut short.
// spec: security.md, Inputs, outputs, network, "Everything that comes from outside and is stored"

/// `client_id`: a record's name, or the URL of a client metadata document.
pub const CLIENT_ID: usize = 2048;
/// A client secret as presented.
pub const CLIENT_SECRET: usize = 1024;
/// The public half of an API key.
pub const API_KEY: usize = 140;
/// The secret half of an API key as presented.
pub const API_SECRET: usize = 1024;
/// `redirect_uri`.
pub const REDIRECT_URI: usize = 2048;
/// `state`: never stored, but it has to fit into a `Location` header.
pub const STATE: usize = 8192;
/// `nonce`.
pub const NONCE: usize = 1024;
/// `scope`.
pub const SCOPE: usize = 4096;
/// `claims`.
pub const CLAIMS: usize = 8192;
/// `login_hint`, `acr_values`, `ui_locales`.
pub const HINT: usize = 1024;
/// `id_token_hint`.
pub const ID_TOKEN_HINT: usize = 16_384;
/// One `resource`.
pub const RESOURCE: usize = 2048;
/// How many `resource` parameters one request may have.
pub const RESOURCES: usize = 16;
/// A presented code, access token or refresh token.
pub const TOKEN: usize = 4096;
/// `username` and `password` of the password grant.
pub const CREDENTIAL: usize = 1024;
/// Levels of nesting in JSON.
pub const JSON_DEPTH: usize = 64;
/// How many redirect URIs one client may register.
pub const REDIRECT_URIS: usize = 100;
/// All redirect URIs of one client together, with a separator each.
pub const REDIRECT_URIS_TOGETHER: usize = 16_000;
/// `client_name`, in characters.
pub const CLIENT_NAME: usize = 140;
/// `software_id` and `software_version`, in characters.
pub const SOFTWARE: usize = 500;
/// All `contacts` of one client together, in characters, with a separator each.
pub const CONTACTS: usize = 4000;
/// How many entries other lists of a client's metadata may have, and how many texts it may give
/// in languages.
pub const METADATA_ENTRIES: usize = 50;
/// All texts in languages together with the names of their members.
pub const LOCALIZED_TOGETHER: usize = 8000;
