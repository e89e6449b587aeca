//! Apps on a site: their DocTypes, then their documents under the rules of every record, then what
//! their code does.

use std::sync::Arc;

use crema_document::apps::{AppError, AppFolder, apply_fixtures, installed};
use crema_document::patches::{self, PatchContext};
use crema_document::schema::Change;
use crema_document::{RandomSource, SiteError};

use crate::app_code::AppCode;
use crate::caller::Caller;
use crate::{Ctx, Failure, records};

/// Installs an app, or brings one that is installed up to what its folder holds. Answers what
/// was done, for people; nothing when all was there.
///
/// # Errors
/// When the app cannot be used, or data would be lost; then nothing was done. When one of its
/// documents cannot be stored, or its install hook failed; then what came before it is there, and
/// the next time goes on from there.
pub async fn install(ctx: &Ctx, app: AppFolder) -> Result<Vec<String>, SiteError> {
    let site = ctx.provider.site();
    let code = ctx.provider.environment().apps;
    let code = code.iter().find(|code| code.name == app.name);
    let known = installed(site.database()).await?;
    let is_new = !known.iter().any(|known| known.name == app.name);
    let changes = site.install_app(app.clone(), ctx.now, random(ctx)).await?;
    let mut done: Vec<String> = changes.iter().map(ToString::to_string).collect();
    done.extend(fixtures(ctx, &[app]).await?);
    if let Some(code) = code {
        let ctx = fresh(ctx).await?;
        if is_new {
            after_install(&ctx, code).await?;
        } else {
            done.extend(patches(&ctx).await?);
        }
    }
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
    let fresh = fresh(ctx).await?;
    let documents = records::documents(&fresh, &Caller::administrator(&fresh));
    for app in apps {
        let changes = apply_fixtures(&documents, app).await?;
        done.extend(changes.iter().map(ToString::to_string));
    }
    Ok(done)
}

/// Runs the patches of installed apps that did not run on this site yet, and writes them into
/// Patch Log. Answers what was done, for people.
///
/// # Errors
/// The first patch that failed; it runs again the next time.
pub async fn patches(ctx: &Ctx) -> Result<Vec<String>, SiteError> {
    let apps = ctx.provider.environment().apps;
    let database = ctx.provider.database();
    let installed = installed(database).await?;
    let mut done = Vec::new();
    for app in apps
        .iter()
        .filter(|app| installed.iter().any(|known| known.name == app.name))
    {
        let ran = patches::ran(database).await?;
        for patch in app.patches.iter().filter(|patch| !ran.contains(patch.name)) {
            let outcome = (patch.run)(ctx).await;
            outcome.map_err(|failure| of_code(app, patch.name, failure))?;
            if patches::record(database, patch.name, &patch_context(ctx)).await? {
                let name = patch.name.to_owned();
                done.push(Change::Patch { name }.to_string());
            }
        }
    }
    Ok(done)
}

/// What an app does once it is installed. Its patches are for sites that had it before.
async fn after_install(ctx: &Ctx, app: &AppCode) -> Result<(), SiteError> {
    let outcome = (app.after_install)(ctx).await;
    outcome.map_err(|failure| of_code(app, "the install hook", failure))?;
    for patch in app.patches {
        patches::record(ctx.provider.database(), patch.name, &patch_context(ctx)).await?;
    }
    Ok(())
}

fn of_code(app: &AppCode, what: &str, failure: Failure) -> SiteError {
    match failure {
        Failure::Store(error) => error.into(),
        failure => SiteError::App(AppError::Code {
            app: app.name.to_owned(),
            what: what.to_owned(),
            reason: failure.to_string(),
        }),
    }
}

fn patch_context(ctx: &Ctx) -> PatchContext {
    let site = ctx.provider.site();
    PatchContext {
        registry: site.registry(),
        random: random(ctx),
        now: ctx.now,
        local: site.local(ctx.now),
    }
}

/// What was remembered before the definitions changed is not looked at.
async fn fresh(ctx: &Ctx) -> Result<Ctx, SiteError> {
    let provider = Arc::clone(&ctx.provider);
    provider.site().version().await?;
    Ok(Ctx::new(
        provider,
        ctx.address,
        &ctx.user_agent,
        ctx.issuer.clone(),
    ))
}

fn random(ctx: &Ctx) -> Arc<dyn RandomSource> {
    let entropy = Arc::clone(&ctx.provider.environment().entropy);
    Arc::new(move |bytes: &mut [u8]| entropy.fill(bytes))
}
