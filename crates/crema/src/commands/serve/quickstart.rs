//! The first site of a bench, with a demo client to try it with.

use crema_auth::client::{self, ClientFields, NewClient};
use crema_auth::{Ctx, Failure};
use crema_crypto::{Secret, generate_encryption_key, random_name};
use crema_document::NewSite;

use super::walk::Walk;
use crate::answer;
use crate::commands::new_site;
use crate::shell::{BY, Shell};

/// The site that is made: names under `.localhost` lead to this machine without further work.
pub(super) const SITE: &str = "trust.localhost";
/// Where the demo client's users are sent back to. Nothing listens there: the code in the address
/// is what counts.
const CALLBACK: &str = "http://127.0.0.1:9999/callback";

/// What is said once.
pub(super) struct Begun {
    /// Administrator's password.
    pub(super) password: Secret<String>,
    /// The demo client and what to do with it.
    pub(super) walk: Option<Walk>,
}

/// Makes the site, chooses it as the current one, adds the demo client.
///
/// # Errors
/// When the site cannot be made. A missing demo client is no failure.
pub(super) async fn begin(shell: &Shell, port: u16) -> anyhow::Result<Begun> {
    let key = generate_encryption_key(&*shell.environment.entropy);
    let wanted = NewSite::sqlite(SITE, key.expose().as_str());
    let made = new_site::make(shell, &wanted, None).await?;
    shell.bench.set_current_site(SITE)?;
    let walk = match demo_client(&made.site.ctx, port).await {
        Ok(walk) => Some(walk),
        Err(error) => {
            answer::note(&format!("The demo client was not made: {error}"));
            None
        }
    };
    made.site.close().await;
    Ok(Begun {
        password: made.generated.unwrap_or_default(),
        walk,
    })
}

async fn demo_client(ctx: &Ctx, port: u16) -> Result<Walk, Failure> {
    let fields = ClientFields::new()
        .with("app_name", "Demo")
        .with("scopes", "all openid")
        .with("redirect_uris", CALLBACK)
        .with("grant_types", "authorization_code\nrefresh_token")
        // Whoever is added later may try it too.
        .with("allowed_roles", "All");
    let new = NewClient {
        fields,
        ..NewClient::default()
    };
    let made = client::create(ctx, BY, new).await?;
    let secret = made.client_secret.unwrap_or_default();
    let state = random_name(&*ctx.provider.environment().entropy);
    let site = super::greeting::origin(SITE, port);
    Ok(Walk {
        site,
        client_id: made.client_id,
        secret,
        redirect_uri: CALLBACK,
        state,
    })
}
