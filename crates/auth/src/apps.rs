//! Apps of data on a site: their DocTypes, then their documents under the rules of every record.

use std::sync::Arc;

use crema_document::access::{Actor, Reach, UserPermissions};
use crema_document::apps::{AppFolder, apply_fixtures};
use crema_document::documents::Documents;
use crema_document::{RandomSource, SiteError};

use crate::caller::{Caller, Credential};
use crate::user::ADMINISTRATOR;
use crate::{Ctx, records};

/// Installs an app, or brings one that is installed up to what its folder holds. Answers what
/// was done, for people; nothing when all was there.
///
/// # Errors
/// When the app cannot be used, or data would be lost; then nothing was done. When one of its
/// documents cannot be stored; then its DocTypes and the documents before it are there.
pub async fn install(ctx: &Ctx, app: AppFolder) -> Result<Vec<String>, SiteError> {
    let site = ctx.provider.site();
    let changes = site.install_app(app.clone(), ctx.now, random(ctx)).await?;
    let mut done: Vec<String> = changes.iter().map(ToString::to_string).collect();
    done.extend(fixtures(ctx, &[app]).await?);
    Ok(done)
}

/// Makes and changes the documents that apps bring along. Answers what was done, for people.
///
/// # Errors
/// When one of them cannot be stored; those before it are.
pub async fn fixtures(ctx: &Ctx, apps: &[AppFolder]) -> Result<Vec<String>, SiteError> {
    if apps.iter().all(|app| app.fixtures.is_empty()) {
        return Ok(Vec::new());
    }
    let mut done = Vec::new();
    // What was remembered before the definitions changed is not looked at.
    let provider = Arc::clone(&ctx.provider);
    provider.site().version().await?;
    let fresh = Ctx::new(provider, ctx.address, &ctx.user_agent, ctx.issuer.clone());
    let documents = documents(&fresh);
    for app in apps {
        let changes = apply_fixtures(&documents, app).await?;
        done.extend(changes.iter().map(ToString::to_string));
    }
    Ok(done)
}

/// The documents as Administrator has them, who is behind whatever the command line does.
fn documents(ctx: &Ctx) -> Documents {
    let actor = Actor {
        user: ADMINISTRATOR.to_owned(),
        roles: [ADMINISTRATOR.to_owned()].into(),
        administrator: true,
        user_permissions: Arc::new(UserPermissions::default()),
        reach: Reach::Everything,
    };
    let caller = Caller {
        user: ADMINISTRATOR.to_owned(),
        actor: Arc::new(actor),
        credential: Credential::Session,
        scopes: None,
        auth_time: Some(ctx.now.seconds()),
    };
    records::documents(ctx, &caller)
}

fn random(ctx: &Ctx) -> Arc<dyn RandomSource> {
    let entropy = Arc::clone(&ctx.provider.environment().entropy);
    Arc::new(move |bytes: &mut [u8]| entropy.fill(bytes))
}
