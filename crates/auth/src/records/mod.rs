//! Records with rules of their own, as documents: what `document` cannot know about OAuth Client,
//! User and the others.

use std::sync::Arc;

use crema_document::documents::{Documents, NoRules};

use crate::Ctx;
use crate::caller::Caller;

/// The documents of the site for this caller, with the rules of every record.
pub fn documents(ctx: &Ctx, caller: &Caller) -> Documents {
    let site = Arc::clone(ctx.provider.site());
    let environment = ctx.provider.environment();
    let entropy = Arc::clone(&environment.entropy);
    Documents {
        registry: site.registry(),
        site,
        actor: Arc::clone(&caller.actor),
        now: ctx.now,
        random: Arc::new(move |bytes: &mut [u8]| entropy.fill(bytes)),
        rules: Arc::new(NoRules),
    }
}
