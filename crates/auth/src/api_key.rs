//! API keys: a key and a secret with which programs act as a user.
//!
//! Frappe's single pair stands in the User record, its secret encrypted in `__Auth`, so that
//! Frappe reads it too. Of our own API Key records a user may have several, each with scopes, an
//! end and addresses; of their secrets only a hash is kept. Secrets have 256 bits and are shown
//! once. Records: User, API Key, `__Auth`, `__failure`, Activity Log.
// spec: http.md, Resource server; security.md, Clients, "need an `auth_time` of less than 10
// minutes"

mod check;
mod generate;
mod record;
mod source;

use crema_crypto::{Secret, constant_time_eq, hash_hex, random_hex, random_token};
use crema_store::{Row, Sql};

pub use self::check::{KeyHolder, Verdict, check};
pub use self::generate::{generate, generate_first};
pub use self::record::{
    ApiKeyChange, ApiKeySummary, NewApiKey, change, create, end_of_user, list, revoke,
};
pub(crate) use self::source::keeps_keys;
use crate::caller::{Caller, Credential};
use crate::user::User;
use crate::{Ctx, Failure, Provider};

/// The statements of this module, for the test that prepares each on every database.
pub fn statements() -> impl Iterator<Item = &'static Sql> {
    [check::STATEMENTS, generate::STATEMENTS, record::STATEMENTS]
        .into_iter()
        .flatten()
        .copied()
}

/// The DocType of our own keys.
pub const DOCTYPE: &str = "API Key";
/// The role that makes keys for others.
const SYSTEM_MANAGER: &str = "System Manager";
/// Digits of the public half, as in Frappe.
const KEY_LENGTH: usize = 15;
/// Where `__Auth` keeps the secret half.
const SECRET_FIELD: &str = "api_secret";
/// What stands in the record's own column of the secret, as in Frappe.
const MASK: &str = "**********";

/// A new pair, shown once.
#[derive(Debug)]
pub struct NewPair {
    /// Name of the record: the User's, or the API Key's.
    pub name: String,
    /// The public half.
    pub api_key: String,
    /// The secret half.
    pub api_secret: Secret<String>,
}

fn draw_key(ctx: &Ctx) -> String {
    let entropy = &*ctx.provider.environment().entropy;
    random_hex(entropy, KEY_LENGTH).expose().clone()
}

fn draw_secret(ctx: &Ctx) -> Secret<String> {
    random_token(&*ctx.provider.environment().entropy)
}

/// A secret half as `__Auth` keeps it.
struct StoredSecret {
    value: String,
    encrypted: bool,
}

impl StoredSecret {
    /// From two columns of `__Auth`, the second of which follows the first.
    fn read(row: &Row, password: usize) -> Result<Option<StoredSecret>, Failure> {
        let value = row.opt_text(password)?.filter(|value| !value.is_empty());
        let encrypted = row.opt_int(password + 1)?.unwrap_or_default() != 0;
        Ok(value.map(|value| StoredSecret {
            value: value.to_owned(),
            encrypted,
        }))
    }

    /// Whether it is the presented one, in constant time. One that was encrypted under another
    /// `encryption_key` is nobody's.
    fn matches(&self, provider: &Provider, presented: &str) -> bool {
        let presented = hash_hex(presented);
        let stored = match self.encrypted {
            false => self.value.clone(),
            true => match provider.site_keys().fernet().decrypt(&self.value) {
                Ok(plain) => {
                    std::str::from_utf8(plain.expose()).map_or_else(|_| String::new(), hash_hex)
                }
                Err(error) => {
                    tracing::warn!(%error, "the secret of an API key cannot be read");
                    String::new()
                }
            },
        };
        constant_time_eq(stored.as_bytes(), presented.as_bytes())
    }
}

/// Whether the caller may make or widen a key that acts as this user.
///
/// # Errors
/// [`Failure::Permission`] for whoever is neither the user nor a System Manager with every role
/// of the user, and for a proof of who the caller is that is older than ten minutes. Users make
/// their own keys in person: an app that acts for them could else outlive its revocation.
// spec: security.md, Clients, "never give roles that the person setting them lacks"
pub(crate) fn require_right_over(ctx: &Ctx, caller: &Caller, user: &User) -> Result<(), Failure> {
    let refused = |text: &str| Err(Failure::Permission(text.to_owned()));
    let actor = &caller.actor;
    let own = caller.user == user.name;
    let manages = actor.administrator || actor.roles.contains(SYSTEM_MANAGER);
    if caller.is_guest() || !(own || manages) {
        return refused("Only a System Manager makes API keys for others.");
    }
    if !manages && caller.credential != Credential::Session {
        return refused("API keys of your own are made with a session, not with a token.");
    }
    let holds = |role: &String| actor.roles.contains(role);
    if !(own || actor.administrator || user.roles.iter().all(holds)) {
        return refused("The user has a role that you do not have.");
    }
    if !caller.is_fresh(ctx) {
        return refused("Sign in again to do this: the last sign-in is over 10 minutes ago.");
    }
    Ok(())
}
