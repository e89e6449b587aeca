//! Data-only apps: DocTypes and first documents in JSON files below `apps/<app>/`.

pub(crate) mod stored;

/// The statements of this module, for the test that prepares each on every database.
pub static ALL: &[&[&crema_store::Sql]] = &[stored::ALL];
