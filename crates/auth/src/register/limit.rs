//! How often one address may make this server keep something for a stranger.
//!
//! Counted in the database, so that all processes of a site share it. Records: `__failure`,
//! Activity Log.

use crate::lockout::{self, Key};
use crate::{Ctx, Failure};

/// In seconds.
const WINDOW: i64 = 60;

/// Counts an attempt, whatever becomes of it: a registration, a wrong token for one, the fetch of
/// a client's metadata document.
///
/// # Errors
/// [`Failure::TooMany`] when `registration_limit` of them came from this address within a minute.
// spec: http.md, register_client, "Rate limit per address"
pub(crate) async fn admit(ctx: &Ctx) -> Result<(), Failure> {
    let settings = ctx.settings().await?;
    let key = [Key::registration(ctx.address)];
    lockout::check(ctx, &key).await?;
    let limit = u32::try_from(settings.registration_limit).unwrap_or(u32::MAX);
    let counted = lockout::record_failure(ctx, &key, limit, WINDOW).await?;
    match counted.locked_until {
        // Many at once must not be more than one after the other.
        Some(until) => Err(Failure::TooMany {
            retry_after: lockout::seconds_until(until, ctx.now),
        }),
        None => Ok(()),
    }
}
